"""Enters what credit notes mean: less is owed, the work is unbilled again, and what is given up earns less."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import Carried, Rate, same
from domain.books.postings import BilledOf
from domain.credit_note import Credit, CreditNoteIssued
from domain.kernel import Recorded
from domain.money import Money, shared
from projections.journal.lines import JournalLines
from projections.journal.writer import About, JournalWriter
from projections.model import Handler

_NOTHING: Final = Decimal(0)


class JournalCredits:
    """Entries of credit notes, at the rates of the invoices that they correct."""

    def __init__(self, writer: JournalWriter, lines: JournalLines) -> None:
        self._writer = writer
        self._lines = lines
        self.wants: Mapping[type, Handler] = {CreditNoteIssued: self._want}
        self.on: Mapping[type, Handler] = {CreditNoteIssued: self._issued}

    def _want(self, fact: Recorded[CreditNoteIssued]) -> None:
        credit = fact.event.credit
        engagements = [("position", each) for each in credit.header.all_engagements]
        self._writer.open.wanted.update([*engagements, ("receivable", credit.invoice), ("retention", credit.invoice)])

    def _issued(self, fact: Recorded[CreditNoteIssued]) -> None:
        """What the invoice posted, the other way round; the adjustments of its price first."""
        credit, day = fact.event.credit, fact.event.issued_on
        rate, currency, entity = _rate_of(credit), credit.gross.currency, credit.header.selling_entity
        about = About(credit.header.customer, credit.header.engagement, invoice=credit.invoice)
        nets = self._nets(fact, credit, rate, about)
        billed = [BilledOf(each, -net, self._writer.carried("position", each)) for each, net in nets.items()]
        rounding = credit.rounding.amount if credit.rounding else _NOTHING
        moved = postings.issue(billed, -credit.tax.amount, -credit.holdback.amount, -rounding, currency, rate)
        for engagement, left in moved.positions.items():
            place = About(credit.header.customer, engagement)
            self._writer.begin("position", engagement, entity, place, currency, rate, left)
        self._writer.enter(fact, entity, "a credit note is issued", day, moved.postings, about)
        self._owe_less("receivable", credit.invoice, moved.receivable)
        if moved.retention.amount:
            self._owe_less("retention", credit.invoice, moved.retention)

    def _owe_less(self, kind: Any, invoice: str, change: Carried) -> None:
        before = self._writer.carried(kind, invoice)
        self._writer.leave(kind, invoice, before.plus(change.amount, change.functional))

    def _nets(self, fact: Recorded[CreditNoteIssued], credit: Credit, rate: Rate, about: About) -> dict[str, Decimal]:
        """What is taken back of each engagement; what differs from the value of its lots adjusted the price before."""
        nets: dict[str, Decimal] = {}
        adjusted: dict[tuple[str, str], Decimal] = {}
        for line in credit.lines:
            nets[line.engagement] = nets.get(line.engagement, _NOTHING) + line.net.amount
            of_lots = _NOTHING if line.of_adjustment else sum((each.value.amount for each in line.lots), _NOTHING)
            key = (line.engagement, line.contract_line)
            adjusted[key] = adjusted.get(key, _NOTHING) + line.net.amount - of_lots
            row = self._lines.of(*key, credit.header.selling_entity, line.net.currency)
            row.billed -= line.net.amount
        for engagement, amount in _allowances(credit, nets).items():
            nets[engagement] += amount
            key = next(key for key in adjusted if key[0] == engagement)
            adjusted[key] += amount
            self._lines.of(*key, credit.header.selling_entity, credit.net.currency).billed -= amount
        for (engagement, name), amount in adjusted.items():
            if amount:
                row = self._lines.of(engagement, name, credit.header.selling_entity, credit.net.currency)
                row.adjusted -= amount
                place = About(about.customer, engagement, name, invoice=about.invoice)
                account, because = AccountRole.REVENUE_ADJUSTMENT, "an adjustment is credited"
                self._lines.recognise(fact, row, -amount, rate, account, because, fact.event.issued_on, place)
        return nets


def _rate_of(credit: Credit) -> Rate:
    """The rate of the invoice that is corrected (IAS 21.28: no difference arises)."""
    if credit.gross.currency == credit.functional_currency:
        return same(credit.functional_currency)
    return Rate(credit.fx_rate, credit.functional_currency, f"invoice {credit.invoice_number}")


def _allowances(credit: Credit, nets: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """What is taken back of allowances and charges on the whole document, divided as they were."""
    left = credit.net.amount - sum(nets.values(), _NOTHING)
    if not left or not nets:
        return {}
    weights = [abs(net) for net in nets.values()] if any(nets.values()) else [Decimal(1)] * len(nets)
    parts = shared(Money(left, credit.net.currency), weights)
    return {engagement: part.amount for engagement, part in zip(nets, parts, strict=True)}
