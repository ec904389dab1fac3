"""Enters invoices between legal entities: a sale in the books of one, a purchase in those of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from domain import postings
from domain.intercompany import IntercompanyInvoice, IntercompanyInvoiced, Leg
from domain.journal import Carried, Posting, Rate
from domain.kernel import Recorded
from domain.money import Money
from projections.journal_writer import About, JournalWriter, Kind
from projections.model import Handler

_BECAUSE: Final = "work is invoiced between entities"


class JournalIntercompany:
    """Both legs of an invoice between entities, by the engagements that its lots belong to, and what is open by it."""

    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer
        self.wants: Mapping[type, Handler] = {IntercompanyInvoiced: self._want}
        self.on: Mapping[type, Handler] = {IntercompanyInvoiced: self._invoiced}

    def _want(self, fact: Recorded[IntercompanyInvoiced]) -> None:
        number = fact.event.invoice.number
        self._writer.open.wanted.update([("ic_receivable", number), ("ic_payable", number)])

    def _invoiced(self, fact: Recorded[IntercompanyInvoiced]) -> None:
        invoice = fact.event.invoice
        sale, purchase = _rate(invoice, invoice.lender_leg), _rate(invoice, invoice.borrower_leg)
        by_engagement = _nets(invoice)
        legs = postings.intercompany(
            invoice.lender, invoice.borrower, by_engagement, invoice.tax.amount, invoice.net.currency, sale, purchase
        )
        self._enter(fact, invoice.lender, "ic_receivable", legs.lender, sale)
        self._enter(fact, invoice.borrower, "ic_payable", legs.borrower, purchase)

    def _enter(
        self, fact: Recorded[IntercompanyInvoiced], entity: str, kind: Kind, posted: Sequence[Posting], rate: Rate
    ) -> None:
        invoice = fact.event.invoice
        about = About(invoice=invoice.number)
        self._writer.enter(fact, entity, _BECAUSE, invoice.issued_on, posted, about)
        balance = next(each for each in posted if each.account in ("IC_AR", "IC_AP"))
        carried = Carried(balance.amount, balance.functional)
        self._writer.begin(kind, invoice.number, entity, about, invoice.net.currency, rate, carried)


def _rate(invoice: IntercompanyInvoice, leg: Leg) -> Rate:
    rate_id = "" if leg.value.currency == invoice.net.currency else leg.rate_id
    return Rate(leg.rate, leg.value.currency, rate_id)


def _nets(invoice: IntercompanyInvoice) -> list[tuple[str, Decimal]]:
    """What is charged for each engagement, in the order of the lines."""
    nets: dict[str, Money] = {}
    for line in invoice.lines:
        nets[line.engagement] = nets[line.engagement] + line.value if line.engagement in nets else line.value
    return [(engagement, net.amount) for engagement, net in nets.items()]
