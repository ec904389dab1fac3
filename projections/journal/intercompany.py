"""Enters invoices between legal entities and their settlement, and what practices of one entity charge each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import Carried, Posting, Rate
from domain.intercompany.invoice import (
    CashLeg,
    IntercompanyInvoice,
    IntercompanyInvoiced,
    IntercompanySettled,
    Leg,
)
from domain.kernel import Recorded
from domain.money import Money
from projections.journal.writer import About, JournalWriter, Kind
from projections.model import Handler

_SIDES: Final[Mapping[Kind, AccountRole]] = {"ic_receivable": AccountRole.IC_AR, "ic_payable": AccountRole.IC_AP}
_BECAUSE: Final = "work is invoiced between entities"


class JournalIntercompany:
    """Both legs of an invoice between entities, by the engagements that its lots belong to, and what is open by it."""

    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer
        self.wants: Mapping[type, Handler] = {
            IntercompanyInvoiced: self._want,
            IntercompanySettled: self._want_settled,
        }
        self.on: Mapping[type, Handler] = {
            IntercompanyInvoiced: self._invoiced,
            IntercompanySettled: self._settled,
        }

    def _want(self, fact: Recorded[IntercompanyInvoiced]) -> None:
        number = fact.event.invoice.number
        self._writer.open.wanted.update([("ic_receivable", number), ("ic_payable", number)])

    def _want_settled(self, fact: Recorded[IntercompanySettled]) -> None:
        numbers = [each.number for each in fact.event.settlement.invoices]
        self._writer.open.wanted.update((kind, number) for kind in _SIDES for number in numbers)

    def _settled(self, fact: Recorded[IntercompanySettled]) -> None:
        """The same amounts off what one is owed and what the other owes; each side realises its own difference."""
        settlement = fact.event.settlement
        for each in settlement.invoices:
            amount, number = each.amount.amount, each.number
            self._pay(fact, "ic_receivable", number, amount, settlement.lender_leg, settlement.borrower)
            self._pay(fact, "ic_payable", number, -amount, settlement.borrower_leg, settlement.lender)

    def _pay(
        self, fact: Recorded[IntercompanySettled], kind: Kind, number: str, amount: Decimal, leg: CashLeg, other: str
    ) -> None:
        settlement, balance = fact.event.settlement, self._writer.find(kind, number)
        assert balance is not None, "what is settled was invoiced"
        rate = Rate(leg.rate, leg.value.currency, "" if balance.currency == leg.value.currency else leg.rate_id)
        carried = Carried(balance.amount, balance.functional)
        moved = postings.pay(carried, amount, balance.currency, rate, _SIDES[kind])
        posted = [
            replace(each, counterparty=other) if each.account in ("IC_AR", "IC_AP") else each for each in moved.postings
        ]
        about = About(invoice=number, payment=settlement.settlement)
        self._writer.enter(fact, leg.entity, "an invoice between entities is paid", settlement.paid_on, posted, about)
        self._writer.leave(kind, number, moved.left)

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
