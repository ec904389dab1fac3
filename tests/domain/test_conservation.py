"""Random histories of work and billing, against the plainest model: hours are never made, lost or billed twice.

What was told, approved, revoked, changed and billed is also kept by ``plain_week``, which must know each refusal
beforehand, every hour and every price.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from api.verification.billings import Billings, Numbers
from api.verification.books import Auditor
from api.verification.law import Law
from domain.billing import adjusting, crediting, drafting
from domain.billing.credit_wishes import CreditWish
from domain.contract import ContractLine, TimeAndMaterials, Uplift
from domain.credit_note import CreditForm, RebillTo, credit_note_stream
from domain.engagement import AgreeLine, CapBelowBilled, ChangeCap, Engagement, OpenEngagement, SignEngagement
from domain.engagement.change_orders import ApproveChangeOrder, ProposeChangeOrder, RejectChangeOrder
from domain.invoice import AllowanceCharge, Discarded, Draft, Invoice, InvoiceLine, Issued, NothingToBill
from domain.kernel import Refused, StreamId, stream_of
from domain.lots import ENDED, Disposition, LotState, LotStatus, PostponeLots, WriteOffLots, billed_parts
from domain.money import total
from domain.number_series import series_stream
from domain.ports import LotAt, SourceAt
from domain.reference.rate_card import RateRow, SetRate, WithdrawRate, rate_card_stream
from domain.timesheet import (
    APPROVER_REDUCED,
    ApproveTime,
    Claim,
    DecidePeriod,
    LogTime,
    PeriodVerdict,
    RejectTime,
    Timesheet,
    WithdrawTime,
    Work,
    timesheet_stream,
)
from tests.domain.plain_week import PlainPrices, PlainWeek, Said
from tests.drafting import cap_left
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, NoCandidates, World, euros

GIVEN_UP = (LotStatus.WRITTEN_OFF, LotStatus.NON_BILLABLE)
OTHER = stream_of("engagement", "E-2")
ENTRIES = st.integers(0, 4)
HOURS = st.sampled_from(["0.333367", "2.5", "4"])


class Billing(RuleBasedStateMachine):
    """Five entries of one week, and everybody who may touch them."""

    @initialize()
    def firm(self) -> None:
        self.world = World().firm().contract(cap=euros(2000))
        self.sheet: StreamId = timesheet_stream("W-1", MONDAY)
        self.minute = 0
        self.drafts = 0
        self.credits = 0
        self.audited = 0
        self.plain, self.prices = PlainWeek(), PlainPrices()
        self.orders: dict[str, tuple[date, Decimal] | None] = {}
        self.world.candidates = AllWork(self)
        law = Law()
        self.auditors: tuple[Auditor, ...] = (law, Billings(law), Numbers())
        self.world.tell(OTHER, OpenEngagement("E-2", "Other", "C-1", "DE01", "EUR"), SignEngagement(NEW_YEAR, NEW_YEAR))
        self.world.tell(OTHER, AgreeLine(ContractLine("L9", "Other", TimeAndMaterials())))
        card = rate_card_stream("engagement", "E-2")
        self.world.tell(card, SetRate(RateRow("other", euros("99.99"), NEW_YEAR, role="Senior")))
        for entry in range(4):
            self.tell_hours(entry, "4")
            self.approve_hours(entry)

    def attempt(self, command: object, *, allowed: bool = True) -> None:
        """What is refused must change nothing, and is what the plain week does not allow."""
        try:
            self.world.tell(self.sheet, command)
        except Refused:
            self.world.react()
            assert not allowed, command
        else:
            assert allowed, command

    @property
    def book(self) -> Timesheet:
        state: Timesheet = self.world.read(self.sheet)
        return state

    def open_lots(self) -> list[LotAt]:
        return [LotAt(self.sheet, name) for name, held in self.book.lots.items() if held.status is LotStatus.OPEN]

    def invoices(self) -> dict[str, Invoice]:
        return {f"I-{n}": self.world.read(stream_of("invoice", f"I-{n}")) for n in range(1, self.drafts + 1)}

    def _later(self, days: int) -> datetime:
        """A clock that never stands still."""
        self.minute += 1
        return NINE + timedelta(days=days, minutes=self.minute)

    @rule(entry=ENTRIES, hours=HOURS, days=st.sampled_from([0, 0, 0, 10]))
    def tell_hours(self, entry: int, hours: str, days: int = 0) -> None:
        at, day = self._later(days), MONDAY + timedelta(days=entry)
        work = Work("P-1-L1", None, day, Decimal(hours), started="09:00:00")
        told = LogTime("W-1", Claim("jira", str(entry), at), work)
        self.attempt(told, allowed=self.plain.tell(f"jira:{entry}", day, Decimal(hours), at))

    @rule(entry=ENTRIES)
    def delete_hours(self, entry: int) -> None:
        at, day = self._later(0), MONDAY + timedelta(days=entry)
        deleted = WithdrawTime("W-1", day, Claim("jira", str(entry), at))
        self.attempt(deleted, allowed=self.plain.delete(f"jira:{entry}", day, at))

    @rule(entry=ENTRIES, days=st.sampled_from([9, 9, 12]))
    def approve_hours(self, entry: int, days: int = 9) -> None:
        name, at = f"jira:{entry}", NINE + timedelta(days=days)
        self.attempt(ApproveTime((name,), "W-8", at), allowed=self.plain.decide(name, Said("approved", at)))

    @rule(entry=ENTRIES, hours=st.sampled_from(["0", "1", "2.25", "6"]), days=st.sampled_from([8, 11, 13]))
    def approve_other_hours(self, entry: int, hours: str, days: int) -> None:
        name, at = f"jira:{entry}", self._later(days)
        approved = ApproveTime((name,), "W-8", at, {name: Decimal(hours)})
        self.attempt(approved, allowed=self.plain.decide(name, Said("approved", at, Decimal(hours))))

    @rule(entry=ENTRIES, days=st.sampled_from([9, 9, 12]))
    def reject_hours(self, entry: int, days: int) -> None:
        name, at = f"jira:{entry}", NINE + timedelta(days=days)
        rejected = RejectTime((name,), "W-8", at, "why")
        self.attempt(rejected, allowed=self.plain.decide(name, Said("rejected", at)))

    @rule(
        entry=st.sampled_from([None, 0, 1, 2, 3]),
        word=st.sampled_from(["approved", "open", "in_review", "rejected"]),
        days=st.sampled_from([7, 10, 12, 14]),
    )
    def decide_period(self, entry: int | None, word: PeriodVerdict, days: int) -> None:
        """A system approves a day or the whole week, opens it again, or sends it back."""
        starts = MONDAY if entry is None else MONDAY + timedelta(days=entry)
        ends, at = MONDAY + timedelta(days=6) if entry is None else starts, self._later(days)
        verdict = DecidePeriod("W-1", MONDAY, starts, ends, word, "W-9", at, "why")
        self.attempt(verdict, allowed=self.plain.decide_period(starts, ends, Said(word, at)))

    def _hours_of(self, name: str) -> Counter[tuple[str, str]]:
        """The hours of an invoice by entry and engagement, as its lines say."""
        found: Counter[tuple[str, str]] = Counter()
        for line in _lines(self.invoices()[name]):
            for part in line.lots if line.adjustment is None else ():
                lot = self.book.lots[part.lot].lot
                found[lot.source, lot.engagement] += part.quantity  # type: ignore[assignment]
        return found

    def _reserved(self, name: str, before: Counter[tuple[str, str]]) -> None:
        for (entry, home), hours in self._hours_of(name).items():
            more = Decimal(hours) - before[entry, home]
            self.plain.move(entry, more, (home, "open"), (home, "reserved"))

    @rule(take=st.integers(1, 4))
    def draft(self, take: int) -> None:
        lots = self.open_lots()
        homes = [self.book.lots[at.lot].lot.engagement for at in lots]
        lots = [at for at, home in zip(lots, homes, strict=True) if home == homes[0]][:take]
        name = f"I-{self.drafts + 1}"
        try:
            self.world.draft(name, lots, strict=False)
        except NothingToBill:
            return
        self.drafts += 1
        self._reserved(name, Counter())

    @rule(take=st.integers(1, 3))
    def bill(self, take: int) -> None:
        """From the draft to the issued invoice at once, so that histories go on behind it."""
        before = self.drafts
        self.draft(take)
        if self.drafts > before:
            self._issue(f"I-{self.drafts}")

    def _issue(self, name: str) -> None:
        self.world.approve(name).issue(name)
        for (entry, home), hours in self._hours_of(name).items():
            self.plain.move(entry, Decimal(hours), (home, "reserved"), (home, "billed"))

    @rule(which=st.integers(1, 6), take=st.integers(1, 2))
    def late_lots_join(self, which: int, take: int) -> None:
        name = f"I-{which}"
        if isinstance(self.invoices().get(name), Draft):
            lots, on, before = self.open_lots()[:take], MONDAY + timedelta(days=30), self._hours_of(name)
            drafts = drafting.refresh_draft(self.world.read, name, lots, by="paul", on=on, strict=False)
            self.world.record(drafts.commands)
            self._reserved(name, before)

    @rule(which=st.integers(1, 6), amount=st.sampled_from(["-100.01", "-0.01", "33.33", "5000"]))
    def write_up_or_down(self, which: int, amount: str) -> None:
        name = f"I-{which}"
        if isinstance(self.invoices().get(name), Draft):
            try:
                self.world.record(adjusting.adjust_line(self.world.read, name, 1, euros(amount), "goodwill", "paul"))
            except Refused:
                return

    @rule(which=st.integers(1, 6), kind=st.sampled_from(["allowance", "charge"]), amount=st.sampled_from(["7.77", "0"]))
    def allow_or_charge(self, which: int, kind: Literal["allowance", "charge"], amount: str) -> None:
        name = f"I-{which}"
        if isinstance(self.invoices().get(name), Draft):
            allowances = (AllowanceCharge(kind, euros(amount), "Volume."),)
            try:
                self.world.record(adjusting.state_allowances(self.world.read, name, 1, allowances, "paul"))
            except Refused:
                return

    @rule(until=st.sampled_from([None, MONDAY + timedelta(days=90)]))
    def postpone(self, until: date | None) -> None:
        for each in self.open_lots()[:1]:
            self.attempt(PostponeLots((each.lot,), until, "The customer asked.", "paul"))

    @rule(which=st.integers(1, 6), then=st.sampled_from(["discard", "issue"]))
    def finish_draft(self, which: int, then: str) -> None:
        name = f"I-{which}"
        if not isinstance(self.invoices().get(name), Draft):
            return
        if then == "discard":
            for (entry, home), hours in self._hours_of(name).items():
                self.plain.move(entry, Decimal(hours), (home, "reserved"), (home, "open"))
            self.world.record(adjusting.discard_draft(self.world.read, name, "paul", "why"))
            self.world.react()
        else:
            self._issue(name)

    @rule()
    def write_off(self) -> None:
        for each in self.open_lots()[:1]:
            lot = self.book.lots[each.lot].lot
            self.attempt(WriteOffLots((each.lot,), "goodwill", "ann"))
            self.plain.move(lot.source, lot.quantity, (lot.engagement, "open"), (lot.engagement, "written_off"))

    @rule(
        which=st.integers(1, 6),
        quantity=st.sampled_from(["0.5", "1", "2.25", None]),
        disposition=st.sampled_from(["rebill", "rebill_elsewhere", "write_off", "non_billable"]),
        form=st.sampled_from(["381", "380"]),
    )
    def credit(self, which: int, quantity: str | None, disposition: Disposition, form: CreditForm) -> None:
        issued = [invoice for invoice, state in self.invoices().items() if isinstance(state, Issued)]
        if not issued:
            return
        name, invoice = f"CN-{self.credits + 1}", issued[which % len(issued)]
        elsewhere = RebillTo("E-2", "L9") if disposition == "rebill_elsewhere" else None
        hours = Decimal(quantity) if quantity else None
        wishes = [CreditWish(1, quantity=hours, disposition=disposition, rebill_to=elsewhere)]
        read = self.world.read
        try:
            self.world.record(
                crediting.draft_credit_note(read, name, invoice, wishes, form=form, reason="Agreed.", by="paul")
            )
        except Refused:
            return
        self._give_up(name, disposition)
        self.world.record(crediting.approve_credit_note(read, name, "ann", NINE))
        self.world.record(crediting.issue_credit_note(read, name, MONDAY + timedelta(days=60)))
        self.world.react()
        self.credits += 1

    def _give_up(self, name: str, disposition: Disposition) -> None:
        """The hours that a credit note names leave their invoice."""
        note = self.world.read(credit_note_stream(name))
        for part in (part for line in note.credit.lines if not line.of_adjustment for part in line.lots):
            lot = self.book.lots[part.lot].lot
            if disposition == "rebill_elsewhere":
                self.plain.transfer(lot.source, part.quantity, (lot.engagement, "billed"), "E-2")
            else:
                place, to = (lot.engagement, "billed"), "open" if disposition == "rebill" else disposition
                self.plain.move(lot.source, part.quantity, place, (lot.engagement, _STATES.get(to, to)))

    @rule()
    def transfer(self) -> None:
        home = [at for at in self.open_lots() if self.book.lots[at.lot].lot.engagement == "E-1"]
        for at in home[:1]:
            lot = self.book.lots[at.lot].lot
            to = RebillTo("E-2", "L9")
            self.world.record(crediting.transfer_lots(self.world.read, [at], to, "Wrong engagement.", "paul"))
            self.world.react()
            self.plain.transfer(lot.source, lot.quantity, ("E-1", "open"), "E-2")

    # -- prices and terms --------------------------------------------------------------------------------------------

    @rule(rate=st.sampled_from([150, 110]))
    def change_rates(self, rate: int) -> None:
        """What is neither billed nor on a draft is priced anew, in part where a part of it is."""
        row = RateRow("senior", euros(rate), NEW_YEAR, role="Senior")
        self.world.tell(rate_card_stream("firm", "FIRM"), SetRate(row))
        self.prices.firm = Decimal(rate)

    @rule(since=st.sampled_from([0, 2]), rate=st.sampled_from([None, 130, 170]))
    def change_rates_of_the_line(self, since: int, rate: int | None) -> None:
        """Rates of the contract line come before the firm's, each from its day on."""
        name, day, card = f"since {since}", MONDAY + timedelta(days=since), rate_card_stream("line", "E-1", "L1")
        if rate is None:
            self.world.tell(card, WithdrawRate(name))
            self.prices.own.pop(name, None)
        else:
            self.world.tell(card, SetRate(RateRow(name, euros(rate), day, role="Senior")))
            self.prices.own[name] = (day, Decimal(rate))

    @rule(
        since=st.sampled_from([-30, 0, 1, 3, 30]),
        factor=st.sampled_from(["1", "1.5", "0.8"]),
        cap=st.sampled_from([500, 2000, 9000]),
        treatment=st.sampled_from([(True, True, True), (False, False, True), (False, False, False)]),
    )
    def propose_change_order(self, since: int, factor: str, cap: int, treatment: tuple[bool, bool, bool]) -> None:
        """New terms from a day on: another multiple of the rate, another cap of the line as a whole."""
        name, day = f"CO-{len(self.orders) + 1}", MONDAY + timedelta(days=since)
        terms = TimeAndMaterials(cap=euros(cap), uplifts=(Uplift("regular", Decimal(factor)),))
        order = ProposeChangeOrder(name, day, (ContractLine("L1", "Work", terms),), *treatment, "More.", "pam", NINE)
        try:
            self.world.tell(ENGAGEMENT, order)
        except CapBelowBilled:
            return
        self.orders[name] = (day, Decimal(factor))

    @rule(approve=st.booleans())
    def decide_change_order(self, approve: bool) -> None:
        for name, terms in [(name, terms) for name, terms in self.orders.items() if terms is not None][:1]:
            try:
                yes, no = ApproveChangeOrder(name, "ann", NINE), RejectChangeOrder(name, "No.", "ann", NINE)
                self.world.tell(ENGAGEMENT, yes if approve else no)
            except CapBelowBilled:
                return
            self.orders[name] = None
            if approve:
                self.prices.factors.append(terms)

    @rule(cap=st.sampled_from([500, 2000, 9000]))
    def change_cap(self, cap: int) -> None:
        try:
            self.world.tell(ENGAGEMENT, ChangeCap("L1", euros(cap)))
        except Refused:
            return

    @invariant()
    def every_hour_is_where_the_plain_week_has_it(self) -> None:
        """Approved or not, how much of it may be billed, and in which drawer each hour lies."""
        for name, entry in self.book.entries.items():
            stands = (entry.hours_in_lots, entry.billable_hours) if entry.status == "approved" else None
            assert stands == self.plain.standing(name), name
        lots: Counter[tuple[str, str, str]] = Counter()
        for held in self.book.lots.values():
            if held.status not in ENDED:
                lots[held.lot.source, held.lot.engagement, held.status.value] += held.lot.quantity  # type: ignore[assignment]
        assert dict(lots) == {(name, home, how): hours for name, home, how, hours in self.plain.drawers()}

    @invariant()
    def what_is_not_billed_has_the_price_of_today(self) -> None:
        for held in self.book.lots.values():
            if held.status is LotStatus.OPEN:
                at_home = held.lot.engagement == "E-1"
                assert held.lot.price == (self.prices.on(held.lot.work_date) if at_home else Decimal("99.99"))

    @invariant()
    def approved_hours_are_all_accounted_for(self) -> None:
        """Approved = billed + reserved + open + not billable + written off + transferred out - transferred in."""
        for entry in self.book.entries.values():
            lots = [held for held in self._lots_of(entry.entry) if held.status not in ENDED]
            came = sum((held.lot.quantity for held in lots if held.lot.transferred_from), Decimal(0))
            gone = sum((held.lot.quantity for held in lots if held.status is LotStatus.TRANSFERRED), Decimal(0))
            assert came == gone
            if entry.status == "approved":
                assert sum((held.lot.quantity for held in lots), Decimal(0)) - came == entry.hours_in_lots
                free = [held.lot for held in lots if held.is_live or (held.status is LotStatus.OPEN and not held.holds)]
                assert sum((lot.quantity for lot in free), Decimal(0)) <= entry.billable_hours
                held_back = [held for held in lots if APPROVER_REDUCED in held.holds]
                assert all(held.status in (LotStatus.OPEN, LotStatus.TRANSFERRED, *GIVEN_UP) for held in held_back)
            else:
                assert all(held.status is not LotStatus.OPEN for held in lots)
            for held in lots:
                exact = held.lot.price * held.lot.quantity
                assert abs(held.lot.value.amount - exact) <= Decimal("0.02")

    def _lots_of(self, entry: str) -> list[LotState]:
        return [held for held in self.book.lots.values() if held.lot.source == entry]

    @invariant()
    def a_lot_is_on_at_most_one_live_invoice(self) -> None:
        """And what an issued invoice still bills of it is what was not credited."""
        live = {name: state for name, state in self.invoices().items() if not isinstance(state, Discarded)}
        named = [
            part.lot
            for state in live.values()
            for line in _lines(state)
            for part in line.lots
            if not isinstance(state, Issued) or part.quantity > _credited(state, part.lot)
        ]
        assert len(named) == len(set(named))
        held: set[str] = set()
        for name, state in live.items():
            for line in _lines(state):
                for part in line.lots:
                    left, lots = part.quantity, [part.lot]
                    if isinstance(state, Issued):
                        left -= _credited(state, part.lot)
                        lots = [lot.lot for lot in billed_parts(self.book.lots, part.lot, name)]
                        assert left == sum((self.book.lots[lot].lot.quantity for lot in lots), Decimal(0))
                    held.update(lots)
        assert held == {name for name, lot in self.book.lots.items() if lot.is_live}

    @invariant()
    def no_money_is_made_or_lost(self) -> None:
        """Standard value of what is billed = billed net + write-down - write-up, all net of credits."""
        billed = sum(
            (held.lot.value.amount for held in self.book.lots.values() if held.status is LotStatus.BILLED), Decimal(0)
        )
        expected = Decimal(0)
        for state in self.invoices().values():
            if not isinstance(state, Issued):
                continue
            for line in _lines(state):
                expected += sum((part.value.amount for part in line.lots), Decimal(0))
                if line.adjustment is None:
                    expected -= sum(
                        (lot.value.amount for each in state.credits_of(line.line) for lot in each.lots), Decimal(0)
                    )
                net = sum((each.net.amount for each in state.credits_of(line.line)), Decimal(0))
                assert abs(net) <= abs(line.net.amount)
            for rate in state.document.taxes:
                given = sum((credit.tax.amount for credit in state.credits.values()), Decimal(0))
                assert given <= rate.tax.amount
        assert billed == expected
        for state in self.invoices().values():
            for line in _lines(state):
                if line.adjustment:
                    assert total((part.value for part in line.adjustment.lots), "EUR") == line.net

    @invariant()
    def an_auditor_finds_nothing(self) -> None:
        """The proofs that watch production, commit by commit."""
        for fact in self.world.ledger.read(self.audited, 100_000):
            for auditor in self.auditors:
                assert list(auditor.see(fact)) == []
            self.audited = fact.position
        for auditor in self.auditors:
            assert list(auditor.settle()) == []

    @invariant()
    def what_is_billed_stays_under_the_cap(self) -> None:
        engagement: Engagement = self.world.read(ENGAGEMENT)
        left = cap_left(engagement, "L1")
        assert left is not None
        assert left.amount >= 0
        live = [state for state in self.invoices().values() if not isinstance(state, Discarded)]
        nets = total((line.net for state in live for line in _lines(state) if line.engagement == "E-1"), "EUR")
        for state in live:
            for line in _lines(state):
                if isinstance(state, Issued) and line.engagement == "E-1":
                    nets = nets - total((each.net for each in state.credits_of(line.line)), "EUR")
        assert engagement.claimed("L1") == nets

    @invariant()
    def numbers_have_no_gaps(self) -> None:
        numbers = sorted(
            int(state.document.number[-6:]) for state in self.invoices().values() if isinstance(state, Issued)
        )
        last: int = self.world.read(series_stream("DE01", "DE01-2026")).last
        assert numbers == list(range(1, last + 1))


class AllWork(NoCandidates):
    """What a read model would find when a price changes: all work of the week that is approved."""

    def __init__(self, machine: Billing) -> None:
        self._machine = machine

    def unbilled_of(self, **_: Any) -> Sequence[SourceAt]:
        approved = [name for name, entry in self._machine.book.entries.items() if entry.status == "approved"]
        return [SourceAt(self._machine.sheet, name) for name in approved]


_STATES = {"write_off": "written_off"}


def _credited(state: Issued, lot: str) -> Decimal:
    """How much of a lot was credited; adjustments name it too, with no quantity."""
    credited = (each for credit in state.credits.values() for line in credit.lines for each in line.lots)
    return sum((each.quantity for each in credited if each.lot == lot), Decimal(0))


def _lines(state: Invoice) -> tuple[InvoiceLine, ...]:
    match state:
        case Draft(lines=lines):
            return lines
        case Issued(document=document):
            return document.lines
        case _:
            return ()


Billing.TestCase.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRandomHistoriesKeepEveryHour = Billing.TestCase
