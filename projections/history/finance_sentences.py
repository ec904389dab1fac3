"""Says in one sentence what happened in finance: periods, currencies, account maps, work between legal entities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.books.accounting_period import PeriodClosed, PeriodOpened, PeriodReopened, PeriodSoftClosed
from domain.intercompany.invoice import IntercompanyInvoiced, IntercompanySettled
from domain.lots.transfer import PricedTransfer, TransfersCredited, TransfersInvoiced, TransfersPriced
from domain.reference.account_map import AccountMapped
from domain.reference.fx_policy import FxPolicyStated
from domain.reference.intercompany_agreement import AgreementStated, AgreementTerms
from projections.history.cash_sentences import Wording


def _terms(terms: AgreementTerms) -> str:
    parameters = [f"{each.parameter} for {each.role}" for each in terms.by_role]
    if terms.parameter is not None:
        parameters.insert(0, str(terms.parameter))
    return f"{terms.model.replace('_', ' ')} ({', '.join(parameters)}), in {terms.currency} from {terms.effective_from}"


def _transfer(priced: PricedTransfer) -> str:
    if priced.transfer is not None:
        return f"{priced.lot} costs {priced.transfer.borrower} {priced.transfer.value} ({priced.transfer.because})"
    if priced.gap is not None:
        return f"{priced.lot} has no transfer price: {priced.gap.detail}"
    return f"nothing is charged for {priced.lot}"


def _because(reason: str) -> str:
    return f": {reason}" if reason else "."


FINANCE: Final[Mapping[type, Wording]] = {
    PeriodOpened: lambda e, _: f"{e.by} opened period {e.period} of {e.entity}{_because(e.reason)}",
    PeriodSoftClosed: lambda e, _: (
        f"{e.by} closed period {e.period} of {e.entity} for all but finance approvers{_because(e.reason)}"
    ),
    PeriodClosed: lambda e, _: f"{e.by} closed period {e.period} of {e.entity}{_because(e.reason)}",
    PeriodReopened: lambda e, _: f"{e.by} reopened period {e.period} of {e.entity}: {e.reason}",
    FxPolicyStated: lambda e, _: (
        f"The firm reports in {e.terms.reporting_currency} from {e.terms.effective_from};"
        f" exchange rates count in this order: {', '.join(e.terms.sources) or 'as they were told'}."
    ),
    AccountMapped: lambda e, _: (
        f"{e.mapping.role} of {e.entity} is account {e.mapping.account} of {e.target}"
        f" from {e.mapping.effective_from}, by {e.by}."
    ),
    AgreementStated: lambda e, _: f"{e.lender} charges {e.borrower} {_terms(e.terms)}, stated by {e.by}.",
    TransfersPriced: lambda e, _: (
        f"{_transfer(e.lots[0])}{f'; and {len(e.lots) - 1} more lots' if len(e.lots) > 1 else ''}."
    ),
    TransfersInvoiced: lambda e, _: f"{len(e.lots)} lots were invoiced between the entities by {e.number}.",
    TransfersCredited: lambda e, _: f"{len(e.lots)} lots were taken back between the entities by {e.number}.",
    IntercompanyInvoiced: lambda e, _: (
        f"{e.invoice.lender} invoiced {e.invoice.borrower} {e.invoice.gross} for {len(e.invoice.lines)} lots of"
        f" {e.invoice.period} by {e.invoice.number}, run by {e.by}."
    ),
    IntercompanySettled: lambda e, _: (
        f"{e.settlement.borrower} paid {e.settlement.lender} {e.settlement.paid} on {e.settlement.paid_on} for"
        f" {', '.join(each.number for each in e.settlement.invoices)}, recorded by {e.by}."
    ),
}
"""How each event of finance is worded."""
