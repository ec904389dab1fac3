"""Random histories of work and billing, against the plainest model: hours are never made, lost or billed twice."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import billing, drafting
from domain.engagement import ChangeCap, Engagement
from domain.invoice import AllowanceCharge, Discarded, Draft, Invoice, InvoiceLine, Issued, NothingToBill
from domain.kernel import Refused, StreamId, stream_of
from domain.lots import LotState, LotStatus, PostponeLots, WriteOffLots
from domain.money import total
from domain.number_series import series_stream
from domain.ports import LotAt
from domain.timesheet import ApproveTime, Claim, LogTime, RejectTime, Timesheet, WithdrawTime, Work, timesheet_stream
from tests.world import ENGAGEMENT, MONDAY, NINE, World, euros

ENTRIES = st.integers(0, 4)
HOURS = st.sampled_from(["1", "2.5", "4"])


class Billing(RuleBasedStateMachine):
    """Five entries of one week, and everybody who may touch them."""

    @initialize()
    def firm(self) -> None:
        self.world = World().firm().contract(cap=euros(2000))
        self.sheet: StreamId = timesheet_stream("W-1", MONDAY)
        self.minute = 0
        self.drafts = 0

    def attempt(self, *commands: object) -> None:
        """What is refused must change nothing, which the invariants check."""
        try:
            self.world.tell(self.sheet, *commands)
        except Refused:
            self.world.react()

    @property
    def book(self) -> Timesheet:
        state: Timesheet = self.world.read(self.sheet)
        return state

    def open_lots(self) -> list[LotAt]:
        return [LotAt(self.sheet, name) for name, held in self.book.lots.items() if held.status is LotStatus.OPEN]

    def invoices(self) -> dict[str, Invoice]:
        return {f"I-{n}": self.world.read(stream_of("invoice", f"I-{n}")) for n in range(1, self.drafts + 1)}

    @rule(entry=ENTRIES, hours=HOURS)
    def tell_hours(self, entry: int, hours: str) -> None:
        self.minute += 1
        claim = Claim("jira", str(entry), NINE + timedelta(minutes=self.minute))
        day = MONDAY + timedelta(days=entry)
        self.attempt(LogTime("W-1", claim, Work("P-1-L1", None, day, Decimal(hours), started="09:00:00")))

    @rule(entry=ENTRIES)
    def delete_hours(self, entry: int) -> None:
        self.minute += 1
        claim = Claim("jira", str(entry), NINE + timedelta(minutes=self.minute))
        self.attempt(WithdrawTime("W-1", MONDAY + timedelta(days=entry), claim))

    @rule(entry=ENTRIES)
    def approve_hours(self, entry: int) -> None:
        self.attempt(ApproveTime((f"jira:{entry}",), "W-9", NINE + timedelta(days=9)))

    @rule(entry=ENTRIES)
    def reject_hours(self, entry: int) -> None:
        self.attempt(RejectTime((f"jira:{entry}",), "W-9", NINE + timedelta(days=9), "why"))

    @rule(take=st.integers(1, 4))
    def draft(self, take: int) -> None:
        lots = self.open_lots()[:take]
        try:
            self.world.draft(f"I-{self.drafts + 1}", lots, strict=False)
            self.drafts += 1
        except NothingToBill:
            pass

    @rule(which=st.integers(1, 6), take=st.integers(1, 2))
    def late_lots_join(self, which: int, take: int) -> None:
        name = f"I-{which}"
        if isinstance(self.invoices().get(name), Draft):
            lots, on = self.open_lots()[:take], MONDAY + timedelta(days=30)
            drafts = drafting.refresh_draft(self.world.read, name, lots, by="paul", on=on, strict=False)
            self.world.record(drafts.commands)

    @rule(which=st.integers(1, 6), amount=st.sampled_from(["-100.01", "-0.01", "33.33", "5000"]))
    def write_up_or_down(self, which: int, amount: str) -> None:
        name = f"I-{which}"
        if isinstance(self.invoices().get(name), Draft):
            try:
                self.world.record(billing.adjust_line(self.world.read, name, 1, euros(amount), "goodwill", "paul"))
            except Refused:
                return

    @rule(which=st.integers(1, 6), kind=st.sampled_from(["allowance", "charge"]), amount=st.sampled_from(["7.77", "0"]))
    def allow_or_charge(self, which: int, kind: Literal["allowance", "charge"], amount: str) -> None:
        name = f"I-{which}"
        if isinstance(self.invoices().get(name), Draft):
            allowances = (AllowanceCharge(kind, euros(amount), "Volume."),)
            try:
                self.world.record(billing.state_allowances(self.world.read, name, 1, allowances, "paul"))
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
            self.world.record(billing.discard_draft(self.world.read, name, "paul", "why"))
        else:
            self.world.approve(name).issue(name)

    @rule()
    def write_off(self) -> None:
        for each in self.open_lots()[:1]:
            self.attempt(WriteOffLots((each.lot,), "goodwill", "ann"))

    @rule(cap=st.sampled_from([500, 2000, 9000]))
    def change_cap(self, cap: int) -> None:
        try:
            self.world.tell(ENGAGEMENT, ChangeCap("L1", euros(cap)))
        except Refused:
            return

    @invariant()
    def approved_hours_are_all_accounted_for(self) -> None:
        counting = (LotStatus.OPEN, LotStatus.RESERVED, LotStatus.BILLED, LotStatus.WRITTEN_OFF)
        for entry in self.book.entries.values():
            lots = [
                held.lot
                for held in self.book.lots.values()
                if held.lot.source == entry.entry and held.status in counting
            ]
            hours = sum((lot.quantity for lot in lots), Decimal(0))
            if entry.status == "approved":
                assert hours == entry.work.hours
                assert total((lot.value for lot in lots), "EUR") == euros(str(entry.work.hours * 150))
            else:
                assert all(held.status is not LotStatus.OPEN for held in self._lots_of(entry.entry))

    def _lots_of(self, entry: str) -> list[LotState]:
        return [held for held in self.book.lots.values() if held.lot.source == entry]

    @invariant()
    def a_lot_is_on_at_most_one_live_invoice(self) -> None:
        live = [state for state in self.invoices().values() if not isinstance(state, Discarded)]
        named = [part.lot for state in live for line in _lines(state) for part in line.lots]
        assert len(named) == len(set(named))
        held = {name for name, lot in self.book.lots.items() if lot.is_live}
        assert held == set(named)

    @invariant()
    def no_money_is_made_or_lost(self) -> None:
        """Standard value = billed net + write-down - write-up + unbilled + written off."""
        worth: dict[LotStatus, Decimal] = defaultdict(Decimal)
        for held in self.book.lots.values():
            worth[held.status] += held.lot.value.amount
        issued = [line for state in self.invoices().values() if isinstance(state, Issued) for line in _lines(state)]
        net = sum((line.net.amount for line in issued), Decimal(0))
        corrections = sum((line.net.amount for line in issued if line.adjustment), Decimal(0))
        corrections += sum((each.signed.amount for line in issued for each in line.allowances), Decimal(0))
        assert worth[LotStatus.BILLED] == net - corrections
        for state in self.invoices().values():
            for line in _lines(state):
                if line.adjustment:
                    assert total((part.value for part in line.adjustment.lots), "EUR") == line.net

    @invariant()
    def what_is_billed_stays_under_the_cap(self) -> None:
        engagement: Engagement = self.world.read(ENGAGEMENT)
        left = engagement.cap_left("L1")
        assert left is not None
        assert left.amount >= 0
        live = [state for state in self.invoices().values() if not isinstance(state, Discarded)]
        nets = total((line.net for state in live for line in _lines(state)), "EUR")
        assert engagement.claimed("L1") == nets

    @invariant()
    def numbers_have_no_gaps(self) -> None:
        numbers = sorted(
            int(state.document.number[-6:]) for state in self.invoices().values() if isinstance(state, Issued)
        )
        last: int = self.world.read(series_stream("DE01", "DE01-2026")).last
        assert numbers == list(range(1, last + 1))


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
