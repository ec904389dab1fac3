"""Enters what the rules of posting say: dated into open periods, with exchange rates, causes and balances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from domain.books.accounting_period import AccountingPeriods, accounting_period_stream, posting_day
from domain.books.journal import NOTHING_OPEN, Carried, Entry, Posting, Rate, same, to_the_cent
from domain.conversion import fx_quote_or_none, nearest_quote
from domain.kernel import Recorded
from domain.periods import month_of
from domain.reference.fx_policy import FX_POLICY, FxPolicy
from domain.stated_days import states_its_day
from projections.contexts import Contexts
from projections.journal.tables import BALANCES, OPEN, POSTINGS, OpenRecord, PostingRecord
from projections.shelf import Changes, Shelf, Source, SumChange
from projections.sums import Deltas
from projections.tables import Key

_NOTHING: Final = Decimal(0)

_Account = tuple[date, str, str, str, str, str]
"""What balances are kept by: a day, an entity, an account, and the currencies of transaction, books and reports."""

Kind = Literal["position", "receivable", "retention", "receipt", "ic_receivable", "ic_payable"]


class Unbalanced(Exception):
    """A rule of posting made an entry that does not balance, which is a defect of the rule."""


@dataclass(frozen=True, slots=True)
class About:
    """What an entry concerns, for those who drill down."""

    customer: str = ""
    engagement: str = ""
    line: str = ""
    project: str = ""
    lot: str = ""
    invoice: str = ""
    payment: str = ""


class JournalWriter:
    """The rows of one batch: postings, what they add to balances, and what is open."""

    def __init__(self, source: Source, contexts: Contexts) -> None:
        self.open: Shelf[OpenRecord] = Shelf(OPEN, source, _is_settled)
        self._contexts = contexts
        self._rows: list[PostingRecord] = []
        self._days: Deltas[_Account] = Deltas()
        self._reporting: dict[tuple[str, str, date], Rate | None] = {}
        self._functional: dict[tuple[str, date], str | None] = {}
        self._at = (0, 0)

    def collect(self, changes: Changes) -> None:
        """What the batch has entered."""
        rows, self._rows = self._rows, []
        changes.append(POSTINGS, rows)
        changes.sums.append(SumChange(BALANCES, self._balances()))
        changes.tables.append(self.open.changes())
        self.open.shrink()
        self._reporting.clear()
        self._functional.clear()

    # -- exchange rates ----------------------------------------------------------------------------------------------

    def functional_currency(self, entity: str, day: date) -> str | None:
        """The currency in which an entity keeps its books; None while the entity is not defined."""
        key = (entity, day)
        if key not in self._functional:
            state = self._contexts.entity(entity)
            terms = state.on(day) or (state.versions[0] if state.versions else None)
            self._functional[key] = terms.functional_currency if terms else None
        return self._functional[key]

    def rate(self, currency: str, functional_currency: str, day: date) -> Rate | None:
        """The published rate of a day, as far as it is known."""
        if currency == functional_currency:
            return same(currency)
        quote = fx_quote_or_none(self._contexts.read, currency, functional_currency, day)
        return Rate(quote.rate, functional_currency, quote.rate_id) if quote is not None else None

    def nearest_rate(self, currency: str, functional_currency: str, day: date) -> Rate | None:
        """The rate of a day, else the newest before it, else the first behind it; None if none was ever published."""
        if currency == functional_currency:
            return same(currency)
        quote = nearest_quote(self._contexts.read, currency, functional_currency, day)
        return Rate(quote.rate, functional_currency, quote.rate_id) if quote is not None else None

    def rates_changed(self) -> None:
        """A rate was published: what is converted from now on may use it."""
        self._reporting.clear()

    def entities_changed(self) -> None:
        """An entity was defined: the currency of its books may be another one from now on."""
        self._functional.clear()

    # -- what is open ------------------------------------------------------------------------------------------------

    def find(self, kind: Kind, name: str) -> OpenRecord | None:
        """What is open under a name, with its terms."""
        return self.open.bring((kind, name))

    def carried(self, kind: Kind, name: str) -> Carried:
        """What is open under a name."""
        found = self.find(kind, name)
        return Carried(found.amount, found.functional) if found else NOTHING_OPEN

    def begin(
        self, kind: Kind, name: str, entity: str, about: About, currency: str, rate: Rate, carried: Carried
    ) -> None:
        """A balance is open from now on, or moves on if it was already."""
        if self.find(kind, name) is not None:
            self.leave(kind, name, carried)
            return
        row = OpenRecord(
            kind=kind,
            name=name,
            entity=entity,
            customer=about.customer,
            engagement=about.engagement,
            currency=currency,
            functional_currency=rate.currency,
            rate=rate.value,
            rate_id=rate.id,
            amount=carried.amount,
            functional=carried.functional,
            is_foreign=currency != rate.currency,
            waits_since=None,
        )
        self.open.add((kind, name), row)

    def leave(self, kind: Kind, name: str, carried: Carried) -> None:
        """What is left open under a name."""
        row = self.open.change((kind, name))
        row.amount, row.functional = carried.amount, carried.functional

    # -- entries -----------------------------------------------------------------------------------------------------

    def enter(
        self, fact: Recorded[Any], entity: str, because: str, day: date, postings: Sequence[Posting], about: About
    ) -> None:
        """One entry: on its own day, or in the first open period if that is closed."""
        kept = tuple(each for each in postings if each.amount or each.functional)
        if not kept:
            return
        entry = Entry(entity, because, self._posting_day(fact, entity, day), day, kept)
        for problem in entry.imbalances():
            raise Unbalanced(f"{fact.id}: {problem}")
        self._write(fact, entry, about)

    def _posting_day(self, fact: Recorded[Any], entity: str, day: date) -> date:
        """Closed periods take no postings; a softly closed one takes what finance approvers state there.

        The desk lets nobody else state anything in it, so that whatever a person states there may stand.
        """
        periods: AccountingPeriods = self._contexts.read(accounting_period_stream(entity))
        stated = fact.cause.actor.startswith("user:") and states_its_day(fact.stream, fact.event)
        return posting_day(day, periods, of_approver=stated)

    def _write(self, fact: Recorded[Any], entry: Entry, about: About) -> None:
        position, number = self._at
        number = number + 1 if position == fact.position else 1
        self._at = (fact.position, number)
        name = f"{fact.position:012d}-{number:03d}"
        reporting_currency = self._reporting_currency(entry)
        reported, reporting_rate = self._reported(entry, reporting_currency)
        reporting_rate_id = reporting_rate.id if reporting_rate else ""
        event, period = fact.id, month_of(entry.effective_on)
        for place, (each, reporting) in enumerate(zip(entry.postings, reported, strict=True), start=1):
            row = PostingRecord(
                posting=f"{name}-{place:03d}",
                entry=name,
                event=event,
                event_name=fact.name,
                because=entry.because,
                entity=entry.entity,
                account=each.account.value,
                counterparty=each.counterparty,
                customer=about.customer,
                engagement=each.engagement or about.engagement,
                line=each.line or about.line,
                project=about.project,
                lot=about.lot,
                invoice=about.invoice,
                payment=about.payment,
                period=period,
                effective_on=entry.effective_on,
                true_on=entry.true_on,
                currency=each.currency,
                amount=each.amount,
                functional_currency=each.functional_currency,
                functional=each.functional,
                reporting_currency=reporting_currency,
                reporting=reporting,
                rate_id=each.rate_id,
                reporting_rate_id=reporting_rate_id,
                message=fact.cause.message_id,
                recorded_at=fact.recorded_at,
            )
            self._rows.append(row)
            self._count(row)

    def _reporting_currency(self, entry: Entry) -> str:
        """The currency that the firm reports in by its policy of the day; without one, every entity in its own."""
        policy: FxPolicy = self._contexts.read(FX_POLICY)
        terms = policy.on(entry.effective_on)
        return terms.reporting_currency if terms is not None else entry.postings[0].functional_currency

    def _reported(self, entry: Entry, reporting_currency: str) -> tuple[list[Decimal | None], Rate | None]:
        """The functional amounts at the reporting rate nearest to the day; what rounding leaves is on the last.

        IAS 21.39; a posting has no reporting amount as long as no rate was ever published.
        """
        currency, day = entry.postings[0].functional_currency, entry.effective_on
        if currency == reporting_currency:
            return [each.functional for each in entry.postings], same(currency)
        key = (currency, reporting_currency, day)
        if key not in self._reporting:
            self._reporting[key] = self.nearest_rate(*key)
        rate = self._reporting[key]
        if rate is None:
            return [None] * len(entry.postings), None
        amounts = [to_the_cent(each.functional * rate.value, reporting_currency) for each in entry.postings]
        amounts[-1] -= sum(amounts, Decimal(0))
        return [*amounts], rate

    def _count(self, row: PostingRecord) -> None:
        functional = row.functional
        debit, credit = (functional, _NOTHING) if functional > 0 else (_NOTHING, -functional)
        currencies = (row.currency, row.functional_currency, row.reporting_currency)
        self._days.add(
            (row.effective_on, row.entity, row.account, *currencies),
            (1, int(row.reporting is None), row.amount, debit, credit, functional, row.reporting or _NOTHING),
        )

    def _balances(self) -> Mapping[Key, Sequence[int | Decimal]]:
        """What the batch adds to the balances of its days and of their months."""
        sums: Deltas[Key] = Deltas()
        for (day, *account), amounts in self._days.collect().items():
            sums.add(("day", day.isoformat(), *account), amounts)
            sums.add(("month", month_of(day), *account), amounts)
        return sums.collect()


def _is_settled(row: OpenRecord) -> bool:
    return row.kind != "position" and not row.amount
