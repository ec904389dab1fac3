"""Services of finance: periods, the account map, currencies, and work between legal entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, get_args

from typing_extensions import Doc

from api.services.service import Amount, Call, Decision, InputIncomplete, Service
from domain.books.account_role import AccountRole
from domain.books.accounting_period import (
    ClosePeriod,
    Command,
    OpenPeriod,
    ReopenPeriod,
    SoftClosePeriod,
    accounting_period_stream,
)
from domain.intercompany.invoice import intercompany_stream
from domain.intercompany.run import Run, day_of_run, run_intercompany
from domain.intercompany.settlement import Wish, settle_intercompany
from domain.kernel import Addressed, StreamId
from domain.reference.account_map import ERP, AccountMapping, MapAccount, account_map_stream
from domain.reference.fx_policy import FX_POLICY, FxPolicyTerms, StateFxPolicy
from domain.reference.intercompany_agreement import (
    AgreementTerms,
    RoleParameter,
    StateAgreement,
    TransferModel,
    TransferTax,
    agreement_stream,
)

MODELS: Final[Mapping[str, TransferModel]] = {model: model for model in get_args(TransferModel)}


@dataclass(frozen=True)
class PeriodInput:
    """A month of a legal entity's books."""

    entity: Annotated[str, Doc("The legal entity.")]
    period: Annotated[str, Doc("The month, as 2026-03.")]
    reason: Annotated[str, Doc("Why; auditors will read it. Needed to reopen.")] = ""


def open_period(asked: PeriodInput, call: Call) -> Decision:
    """Let a legal entity post in a month."""
    return _period(asked, call, OpenPeriod)


def soft_close_period(asked: PeriodInput, call: Call) -> Decision:
    """Let only finance approvers post in a month, while its close is prepared."""
    return _period(asked, call, SoftClosePeriod)


def close_period(asked: PeriodInput, call: Call) -> Decision:
    """Close a month: late facts post in the first open one, and the read models as they stand are kept."""
    return _period(asked, call, ClosePeriod)


def reopen_period(asked: PeriodInput, call: Call) -> Decision:
    """Let a legal entity post in a closed month again."""
    return _period(asked, call, ReopenPeriod)


def _period(asked: PeriodInput, call: Call, wish: Callable[..., Command]) -> Decision:
    call.require_entity(asked.entity)
    stream = accounting_period_stream(asked.entity)
    command = wish(asked.entity, asked.period, call.actor, call.now, asked.reason)
    return Decision([Addressed(stream, command)], (stream,))


@dataclass(frozen=True)
class MapAccountInput:
    """Which account of an ERP stands for a role of the journal."""

    entity: Annotated[str, Doc("The legal entity.")]
    role: Annotated[str, Doc("The role in the journal, e.g. AR or REVENUE_TM.")]
    account: Annotated[str, Doc("The account as the ERP knows it, e.g. 1400.")]
    effective_from: Annotated[date, Doc("From this day on.")]
    target: Annotated[str, Doc("The ERP.")] = ERP


def map_account(asked: MapAccountInput, call: Call) -> Decision:
    """State which account of an ERP stands for a role of the journal in a legal entity, from a day on."""
    call.require_entity(asked.entity)
    stream = account_map_stream(asked.entity, asked.target)
    if asked.role not in list(AccountRole):
        raise InputIncomplete(f"role: {asked.role!r}; there is {', '.join(AccountRole)}.")
    mapping = AccountMapping(AccountRole(asked.role), asked.account, asked.effective_from)
    return Decision([Addressed(stream, MapAccount(asked.entity, asked.target, mapping, call.actor))], (stream,))


@dataclass(frozen=True)
class FxPolicyInput:
    """The firm's currency policy."""

    effective_from: Annotated[date, Doc("From this day on.")]
    reporting_currency: Annotated[str, Doc("ISO 4217 code of the currency that the firm reports in.")]
    sources: Annotated[tuple[str, ...], Doc("Feeds of exchange rates, those that count first at the head.")] = ()


def state_fx_policy(asked: FxPolicyInput, call: Call) -> Decision:
    """State the currency that the firm reports in, and whose exchange rates count before others."""
    call.require_firm()
    terms = FxPolicyTerms(asked.effective_from, asked.reporting_currency, asked.sources)
    return Decision([Addressed(FX_POLICY, StateFxPolicy(terms))], (FX_POLICY,))


@dataclass(frozen=True)
class RoleParameterInput:
    """The parameter of a transfer price for work in one role."""

    role: Annotated[str, Doc("The role in which work was done.")]
    parameter: Annotated[Decimal, Doc("An amount for each hour, or a percentage, as the model says.")]


@dataclass(frozen=True)
class AgreementInput:
    """What one legal entity charges another."""

    lender: Annotated[str, Doc("The entity that delivers work; a practice of it as DE01/Data.")]
    borrower: Annotated[str, Doc("The entity whose engagement it is; a practice of it as DE01/Cloud.")]
    effective_from: Annotated[date, Doc("From this day on.")]
    model: Annotated[
        str,
        Doc(
            "How the transfer price is found: fixed, cost_plus_amount, cost_plus_percent, percent_of_sales,"
            " sales_minus_amount or contribution_ratio."
        ),
    ]
    currency: Annotated[str, Doc("ISO 4217 code of the currency that is charged.")]
    parameter: Annotated[Decimal | None, Doc("An amount for each hour or item, or a percentage.")] = None
    by_role: Annotated[tuple[RoleParameterInput, ...] | None, Doc("Roles with a parameter of their own.")] = None
    tax_category: Annotated[str | None, Doc("EN 16931 category of the lender's invoices, e.g. AE.")] = None
    tax_percent: Annotated[Decimal | None, Doc("Tax in percent; by default 0.")] = None
    tax_reason: Annotated[str, Doc("Why nothing is charged, where nothing is.")] = ""
    ends: Annotated[date | None, Doc("The last day; left out, open-ended.")] = None


def state_agreement(asked: AgreementInput, call: Call) -> Decision:
    """State what one legal entity charges another for work on its engagements, from a day on."""
    for party in (asked.lender, asked.borrower):
        call.require_entity(party.partition("/")[0])
    tax = None
    if asked.tax_category is not None:
        tax = TransferTax(asked.tax_category, asked.tax_percent or Decimal(0), asked.tax_reason)
    if asked.model not in MODELS:
        raise InputIncomplete(f"model: {asked.model!r}; there is {', '.join(MODELS)}.")
    terms = AgreementTerms(
        effective_from=asked.effective_from,
        model=MODELS[asked.model],
        currency=asked.currency,
        parameter=asked.parameter,
        by_role=tuple(RoleParameter(each.role, each.parameter) for each in asked.by_role or ()),
        tax=tax,
        ends=asked.ends,
    )
    stream = agreement_stream(asked.lender, asked.borrower)
    return Decision([Addressed(stream, StateAgreement(asked.lender, asked.borrower, terms, call.actor))], (stream,))


@dataclass(frozen=True)
class RunIntercompanyInput:
    """A month to invoice between legal entities."""

    period: Annotated[str, Doc("The month up to whose end work is invoiced, as 2026-03.")]
    lender: Annotated[str | None, Doc("Only what this entity delivered.")] = None
    borrower: Annotated[str | None, Doc("Only what was delivered for this entity.")] = None
    issued_on: Annotated[
        date | None, Doc("The day of the invoices; by default the last of the month that both may post on, or later.")
    ] = None


def run_intercompany_service(asked: RunIntercompanyInput, call: Call) -> Decision:
    """Invoice between legal entities what one delivered for another, and take back what counts no more."""
    if asked.lender is None and asked.borrower is None:
        call.require_firm()
    commands: list[Addressed] = []
    about: list[StreamId] = []
    for lender, borrower in call.candidates.transfer_pairs():
        if asked.lender not in (None, lender) or asked.borrower not in (None, borrower):
            continue
        call.require_entity(lender)
        call.require_entity(borrower)
        day = asked.issued_on or day_of_run(call.read, lender, borrower, asked.period)
        for entity in (lender, borrower):
            call.require_open(entity, day)
        lots = call.candidates.transfers_of(lender=lender, borrower=borrower)
        run = Run(lender, borrower, asked.period, day, call.actor)
        if made := run_intercompany(call.read, run, lots):
            commands += made
            about.append(intercompany_stream(lender, borrower))
    if not about and asked.lender and asked.borrower:
        about.append(intercompany_stream(asked.lender, asked.borrower))
    return Decision(commands, tuple(about))


@dataclass(frozen=True)
class SettleIntercompanyInput:
    """What one legal entity pays another for its invoices."""

    settlement: Annotated[str, Doc("Its id, e.g. that of the payment in the bank.")]
    lender: Annotated[str, Doc("The entity that is owed.")]
    borrower: Annotated[str, Doc("The entity that owes.")]
    paid_on: Annotated[date, Doc("The day of the payment.")]
    numbers: Annotated[tuple[str, ...] | None, Doc("The invoices; left out, all that are open.")] = None
    currency: Annotated[str | None, Doc("Only what is open in this currency.")] = None
    amount: Annotated[Amount | None, Doc("What is paid of a single invoice; left out, all that is open of it.")] = None


def settle_intercompany_service(asked: SettleIntercompanyInput, call: Call) -> Decision:
    """Record that one legal entity paid invoices of another: both sides are cleared by the same amounts."""
    for entity in (asked.lender, asked.borrower):
        call.require_entity(entity)
        call.require_open(entity, asked.paid_on)
    wish = Wish(
        settlement=asked.settlement,
        lender=asked.lender,
        borrower=asked.borrower,
        paid_on=asked.paid_on,
        numbers=asked.numbers or (),
        currency=asked.currency,
        amount=asked.amount.money if asked.amount else None,
        by=call.actor,
    )
    stream = intercompany_stream(asked.lender, asked.borrower)
    return Decision([settle_intercompany(call.read, wish)], (stream,))


SERVICES = (
    Service("open-period", PeriodInput, ("accounting_period",), open_period),
    Service("soft-close-period", PeriodInput, ("accounting_period",), soft_close_period),
    Service("close-period", PeriodInput, ("accounting_period",), close_period),
    Service("reopen-period", PeriodInput, ("accounting_period",), reopen_period),
    Service("map-account", MapAccountInput, ("account_map",), map_account),
    Service("state-fx-policy", FxPolicyInput, ("fx_policy",), state_fx_policy),
    Service("state-agreement", AgreementInput, ("intercompany_agreement",), state_agreement),
    Service(
        "run-intercompany", RunIntercompanyInput, ("intercompany",), run_intercompany_service, asks_candidates=True
    ),
    Service("settle-intercompany", SettleIntercompanyInput, ("intercompany",), settle_intercompany_service),
)
