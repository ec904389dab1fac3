"""Enters what invoices and receipts mean: what customers owe, what they keep back, what they paid, what is given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import CARRIED, Carried, Posting, Rate, same
from domain.books.postings import BilledOf
from domain.invoice import (
    BalanceRefunded,
    Document,
    HoldbackReleased,
    InvoiceIssued,
    InvoicePaymentApplied,
    InvoicePaymentUnapplied,
    PaymentReceived,
    ReceivableWrittenOff,
)
from domain.invoice.document import InvoiceLine
from domain.kernel import Recorded, local_id
from domain.money import Money, shared
from domain.payment import MoneyReceived, PaymentRefunded
from domain.reference.fx_rate import FxRatePublished
from projections.journal.lines import JournalLines
from projections.journal.tables import OPEN, OpenRecord
from projections.journal.writer import About, JournalWriter, Kind
from projections.model import Handler
from projections.shelf import Source

_NOTHING: Final = Decimal(0)
_MISSING: Final = "missing"
"""The rate of a receipt that waits for one."""
_BACK: Final = "money is paid back"


class JournalMoney:
    """Entries of receivables, holdbacks and receipts.

    A receipt in a currency that nobody has published a rate for waits; what it settles meanwhile says what it is worth.
    """

    def __init__(self, source: Source, writer: JournalWriter, lines: JournalLines, *, from_zero: bool) -> None:
        self._writer = writer
        self._lines = lines
        waiting = [] if from_zero else source.find(OPEN, {"rate_id": _MISSING})
        self._waiting: dict[str, None] = {row.name: None for row in waiting}
        self.wants: Mapping[type, Handler] = {
            InvoiceIssued: self._want_positions,
            PaymentReceived: self._want_invoice,
            InvoicePaymentApplied: self._want_applied,
            InvoicePaymentUnapplied: self._want_applied,
            BalanceRefunded: self._want_invoice,
            HoldbackReleased: self._want_invoice,
            ReceivableWrittenOff: self._want_invoice,
            PaymentRefunded: self._want_receipt,
        }
        self.on: Mapping[type, Handler] = {
            InvoiceIssued: self._issued,
            MoneyReceived: self._received,
            PaymentReceived: self._paid,
            InvoicePaymentApplied: self._applied,
            InvoicePaymentUnapplied: self._unapplied,
            BalanceRefunded: self._balance_refunded,
            PaymentRefunded: self._refunded,
            HoldbackReleased: self._released,
            ReceivableWrittenOff: self._written_off,
            FxRatePublished: self._fx_published,
        }

    def _want_positions(self, fact: Recorded[InvoiceIssued]) -> None:
        document = fact.event.document
        self._writer.open.wanted.update([("position", each) for each in document.header.all_engagements])

    def _want_invoice(self, fact: Recorded[Any]) -> None:
        invoice = local_id(fact.stream)
        self._writer.open.wanted.update([("receivable", invoice), ("retention", invoice)])

    def _want_applied(self, fact: Recorded[Any]) -> None:
        self._want_invoice(fact)
        self._writer.open.wanted.add(("receipt", fact.event.payment))

    def _want_receipt(self, fact: Recorded[Any]) -> None:
        self._writer.open.wanted.add(("receipt", local_id(fact.stream)))

    # -- invoices ----------------------------------------------------------------------------------------------------

    def _issued(self, fact: Recorded[InvoiceIssued]) -> None:
        invoice, document = fact.event.invoice, fact.event.document
        header, currency = document.header, document.gross.currency
        rate = _rate_of(document)
        about = About(header.customer, header.engagement, invoice=invoice)
        nets = self._nets(fact, document, rate, about)
        billed = [BilledOf(each, net, self._writer.carried("position", each)) for each, net in nets.items()]
        asked = _released_by(document)
        rounding = document.payable_rounding.amount if document.payable_rounding else _NOTHING
        issued = postings.issue(billed, document.tax.amount, document.holdback.amount, rounding, currency, rate)
        for engagement, left in issued.positions.items():
            place = About(header.customer, engagement)
            self._writer.begin("position", engagement, header.selling_entity, place, currency, rate, left)
        entity, day = header.selling_entity, document.issued_on
        self._writer.enter(fact, entity, "an invoice is issued", day, issued.postings, about)
        receivable = issued.receivable
        for of_invoice, amount in asked.items():
            receivable = self._ask_for_holdback(fact, document, of_invoice, amount, rate, receivable, about)
        self._writer.begin("receivable", invoice, entity, about, currency, rate, receivable)
        if issued.retention.amount:
            self._writer.begin("retention", invoice, entity, about, currency, rate, issued.retention)

    def _nets(self, fact: Recorded[InvoiceIssued], document: Document, rate: Rate, about: About) -> dict[str, Decimal]:
        """What is billed of each engagement; what differs from the value of the lots adjusts the price first."""
        nets: dict[str, Decimal] = {}
        adjusted: dict[tuple[str, str], Decimal] = {}
        for line in document.lines:
            if line.releases is not None:
                continue
            engagement = document.header.engagement_of(line)
            nets[engagement] = nets.get(engagement, _NOTHING) + line.net.amount
            key = (engagement, line.contract_line)
            adjusted[key] = adjusted.get(key, _NOTHING) + _adjustment(line)
            row = self._lines.of(engagement, line.contract_line, document.header.selling_entity, line.net.currency)
            row.billed += line.net.amount
        for engagement, amount in _document_allowances(document, nets).items():
            nets[engagement] += amount
            key = next(key for key in adjusted if key[0] == engagement)
            adjusted[key] += amount
            self._lines.of(*key, document.header.selling_entity, document.net.currency).billed += amount
        for (engagement, name), amount in adjusted.items():
            if amount:
                row = self._lines.of(engagement, name, document.header.selling_entity, document.net.currency)
                row.adjusted += amount
                account, because = AccountRole.REVENUE_ADJUSTMENT, "the price is adjusted"
                place = About(about.customer, engagement, name, invoice=about.invoice)
                self._lines.recognise(fact, row, amount, rate, account, because, document.issued_on, place)
        return nets

    def _ask_for_holdback(
        self, fact: Recorded[Any], document: Document, of_invoice: str, amount: Decimal, rate: Rate,
        receivable: Carried, about: About,
    ) -> Carried:  # fmt: skip
        """An invoice of its own asks for what was kept back of another: the retention is a receivable now."""
        kept = self._writer.carried("retention", of_invoice)
        moved = postings.release_holdback(kept, amount, document.gross.currency, rate.currency)
        entity, day = document.header.selling_entity, document.issued_on
        self._writer.enter(fact, entity, "a holdback is released", day, moved.postings, about)
        self._writer.leave("retention", of_invoice, moved.left)
        return receivable.plus(amount, moved.postings[0].functional)

    def _released(self, fact: Recorded[HoldbackReleased]) -> None:
        """What was kept back is due under its own invoice; by an invoice of its own, that one has posted it."""
        if fact.event.into is not None:
            return
        invoice, retention = self._of("retention", fact)
        moved = postings.release_holdback(
            Carried(retention.amount, retention.functional), fact.event.amount.amount, retention.currency,
            retention.functional_currency,
        )  # fmt: skip
        self._enter(fact, retention, "a holdback is released", fact.event.on, moved.postings, invoice)
        self._writer.leave("retention", invoice, moved.left)
        due = self._writer.carried("receivable", invoice)
        gained = moved.postings[0]
        self._writer.leave("receivable", invoice, due.plus(gained.amount, gained.functional))

    def _written_off(self, fact: Recorded[ReceivableWrittenOff]) -> None:
        invoice, owed = self._of("receivable", fact)
        amount = fact.event.amount.amount
        tax = fact.event.tax.amount if fact.event.tax is not None else _NOTHING
        moved = postings.write_off(_carried(owed), amount, owed.currency, owed.functional_currency, tax)
        self._enter(fact, owed, "a receivable is given up", fact.event.effective_on, moved.postings, invoice)
        self._writer.leave("receivable", invoice, moved.left)

    # -- money -------------------------------------------------------------------------------------------------------

    def _received(self, fact: Recorded[MoneyReceived]) -> None:
        receipt = fact.event
        currency = receipt.amount.currency
        functional = self._writer.functional_currency(receipt.entity, receipt.received_on) or currency
        rate: Rate | None
        if receipt.fx_rate is not None and receipt.functional_currency == functional:
            rate = Rate(receipt.fx_rate, functional, f"receipt {receipt.payment}" if currency != functional else "")
        else:
            rate = self._writer.nearest_rate(currency, functional, receipt.received_on)
        about = About(receipt.customer, payment=receipt.payment)
        if rate is None:
            unrated, unposted = Rate(_NOTHING, functional, _MISSING), Carried(-receipt.amount.amount)
            self._writer.begin("receipt", receipt.payment, receipt.entity, about, currency, unrated, unposted)
            self._writer.open.change(("receipt", receipt.payment)).waits_since = receipt.received_on
            self._waiting[receipt.payment] = None
            return
        moved = postings.receive(receipt.amount.amount, currency, rate)
        self._writer.enter(fact, receipt.entity, "money arrives", receipt.received_on, moved.postings, about)
        self._writer.begin("receipt", receipt.payment, receipt.entity, about, currency, rate, moved.left)

    def _fx_published(self, fact: Recorded[FxRatePublished]) -> None:
        """Money that waited for a rate is posted by the fact that brought one, as far as it has settled nothing yet."""
        for payment in sorted(self._waiting):
            row = self._writer.find("receipt", payment)
            assert row is not None, "what waits is kept"
            assert row.waits_since is not None, "the same"
            rate = self._writer.nearest_rate(row.currency, row.functional_currency, row.waits_since)
            if rate is None:
                continue
            moved = postings.receive(-row.amount, row.currency, rate)
            self._enter(fact, row, "money arrives", row.waits_since, moved.postings, "", payment)
            row = self._writer.open.change(("receipt", payment))
            row.rate, row.rate_id, row.waits_since = rate.value, rate.id, None
            self._writer.leave("receipt", payment, moved.left)
            del self._waiting[payment]

    def _paid(self, fact: Recorded[PaymentReceived]) -> None:
        invoice, owed = self._of("receivable", fact)
        rate = self._rate_near(owed, fact.event.received_on)
        moved = postings.pay(_carried(owed), fact.event.amount.amount, owed.currency, rate)
        payment = fact.event.payment
        self._enter(fact, owed, "money arrives", fact.event.received_on, moved.postings, invoice, payment)
        self._writer.leave("receivable", invoice, moved.left)

    def _applied(self, fact: Recorded[InvoicePaymentApplied]) -> None:
        self._settle(fact, fact.event.amount.amount, fact.event.settled.amount, "money settles an invoice")

    def _unapplied(self, fact: Recorded[InvoicePaymentUnapplied]) -> None:
        event = fact.event
        self._restore(fact, event.amount.amount, event.settled.amount, "a settlement is undone")

    def _settle(self, fact: Recorded[Any], amount: Decimal, settled: Decimal, because: str) -> None:
        invoice, owed = self._of("receivable", fact)
        receipt = self._writer.find("receipt", fact.event.payment)
        assert receipt is not None, "money is received before it is used"
        on_account = _carried(receipt)
        if receipt.waits_since is not None:
            worth = _carried(owed).share(amount, owed.functional_currency)
            arrived = postings.receive_as(settled, receipt.currency, worth, owed.functional_currency)
            self._enter(fact, receipt, "money arrives", receipt.waits_since, arrived.postings, "", receipt.name)
            on_account = arrived.left
        applied = postings.apply(
            _carried(owed), on_account, amount, owed.currency, settled, receipt.currency, owed.functional_currency
        )
        self._enter(fact, owed, because, fact.event.on, applied.postings, invoice, fact.event.payment)
        self._writer.leave("receivable", invoice, applied.receivable)
        waits = Carried(receipt.amount + settled) if receipt.waits_since is not None else applied.on_account
        self._writer.leave("receipt", fact.event.payment, waits)

    def _restore(self, fact: Recorded[Any], amount: Decimal, settled: Decimal, because: str) -> None:
        """The invoice is owed again and the money on account again, each at the rate that it began with."""
        invoice, owed = self._of("receivable", fact)
        receipt = self._writer.find("receipt", fact.event.payment)
        assert receipt is not None, "money is received before it is used"
        due = postings.posting(AccountRole.AR, amount, owed.currency, _began_at(owed))
        kept = postings.posting(AccountRole.AR, -settled, receipt.currency, _began_at(receipt))
        if receipt.waits_since is not None:
            kept = replace(kept, functional=-due.functional, rate_id=CARRIED)
        legs: tuple[Posting, ...] = (due, kept)
        if owed.currency != receipt.currency:
            legs = (*legs, _cleared(due), _cleared(kept))
        self._enter(fact, owed, because, fact.event.on, postings.difference(legs), invoice, fact.event.payment)
        self._writer.leave("receivable", invoice, _carried(owed).plus(amount, due.functional))
        on_account = _carried(receipt).plus(-settled, kept.functional)
        if receipt.waits_since is not None:
            back = postings.receive_as(-settled, receipt.currency, kept.functional, owed.functional_currency)
            self._enter(fact, receipt, "money waits for a rate", fact.event.on, back.postings, "", receipt.name)
            on_account = Carried(on_account.amount)
        self._writer.leave("receipt", fact.event.payment, on_account)

    def _balance_refunded(self, fact: Recorded[BalanceRefunded]) -> None:
        invoice, owed = self._of("receivable", fact)
        moved = postings.pay(
            _carried(owed), -fact.event.amount.amount, owed.currency, self._rate_near(owed, fact.event.on)
        )
        self._enter(fact, owed, _BACK, fact.event.on, moved.postings, invoice)
        self._writer.leave("receivable", invoice, moved.left)

    def _refunded(self, fact: Recorded[PaymentRefunded]) -> None:
        payment, receipt = self._of("receipt", fact)
        if receipt.waits_since is not None:  # it came and went without being worth anything that is known
            self._writer.leave("receipt", payment, Carried(receipt.amount + fact.event.amount.amount))
            return
        rate = self._rate_near(receipt, fact.event.on)
        moved = postings.refund(_carried(receipt), fact.event.amount.amount, receipt.currency, rate)
        self._enter(fact, receipt, _BACK, fact.event.on, moved.postings, "", payment)
        self._writer.leave("receipt", payment, moved.left)

    # -- helpers -----------------------------------------------------------------------------------------------------

    def _of(self, kind: Kind, fact: Recorded[Any]) -> tuple[str, OpenRecord]:
        name = local_id(fact.stream)
        found = self._writer.find(kind, name)
        assert found is not None, f"{kind} {name} was opened"
        return name, found

    def _rate_near(self, row: OpenRecord, day: Any) -> Rate:
        """The rate of a day; where none is published the balance keeps its own, so that nothing is realised."""
        return self._writer.nearest_rate(row.currency, row.functional_currency, day) or _began_at(row)

    def _enter(
        self, fact: Recorded[Any], row: OpenRecord, because: str, day: Any, posted: tuple[Posting, ...],
        invoice: str = "", payment: str = "",
    ) -> None:  # fmt: skip
        about = About(row.customer, row.engagement, invoice=invoice, payment=payment)
        self._writer.enter(fact, row.entity, because, day, posted, about)


def _carried(row: OpenRecord) -> Carried:
    return Carried(row.amount, row.functional)


def _began_at(row: OpenRecord) -> Rate:
    return Rate(row.rate, row.functional_currency, row.rate_id)


def _cleared(leg: Posting) -> Posting:
    return Posting(
        AccountRole.FX_REALISED, -leg.amount, leg.currency, -leg.functional, leg.functional_currency, leg.rate_id
    )


def _rate_of(document: Document) -> Rate:
    """The rate of the document; the same currency needs none."""
    if document.gross.currency == document.functional_currency:
        return same(document.functional_currency)
    return Rate(document.fx_rate, document.functional_currency, f"invoice {document.number}")


def _adjustment(line: InvoiceLine) -> Decimal:
    """What a line adds to or takes from the value of the work: write-ups, write-downs, allowances and charges."""
    if line.adjustment is not None:
        return line.net.amount
    return line.net.amount - line.standard_value.amount if line.lots else _NOTHING


def _document_allowances(document: Document, nets: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Allowances and charges on the whole document, divided among its engagements by what they are billed."""
    billed = sum(nets.values(), _NOTHING)
    released = sum(_released_by(document).values(), _NOTHING)
    left = document.net.amount - billed - released
    if not left:
        return {}
    weights = [abs(net) for net in nets.values()]
    if not any(weights):
        weights = [Decimal(1)] * len(weights)
    parts = shared(Money(left, document.net.currency), weights)
    return {engagement: part.amount for engagement, part in zip(nets, parts, strict=True)}


def _released_by(document: Document) -> dict[str, Decimal]:
    """What lines of the document ask for that was kept back of other invoices."""
    asked: dict[str, Decimal] = {}
    for line in document.lines:
        if line.releases is not None:
            asked[line.releases] = asked.get(line.releases, _NOTHING) + line.net.amount
    return asked
