"""A person's week: captured once however often it is told, approved by others, rated when approved."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as such_that
from hypothesis import settings
from hypothesis import strategies as st

from domain import timesheet
from domain.lots import (
    BillLots,
    Explanation,
    Lot,
    LotRated,
    LotReversed,
    LotStatus,
    ReleaseLots,
    ReserveLots,
    TransferLot,
)
from domain.money import Money
from domain.periods import EndsBeforeItStarts
from domain.timesheet import (
    ApprovalRevoked,
    ApproveTime,
    Claim,
    ClaimHeard,
    Command,
    DayTooLong,
    DecidePeriod,
    EntriesMerged,
    EntryInvoiced,
    EntryNotApproved,
    HoursOutOfRange,
    LogTime,
    PeriodDecided,
    PeriodVerdict,
    RateEntry,
    RejectTime,
    ReportUnrated,
    SelfApproval,
    SubmitTime,
    TimeApproved,
    TimeCorrected,
    TimeLogged,
    TimeRejected,
    Timesheet,
    TimeSubmitted,
    TimeWithdrawn,
    UnknownEntry,
    WithdrawTime,
    Work,
)
from tests.spec import Given, given

MONDAY = date(2026, 3, 2)
TUESDAY = MONDAY + timedelta(days=1)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
WORKER, APPROVER = "W-17", "W-1"


def at(minute: int) -> datetime:
    return NINE + timedelta(minutes=minute)


def work(hours: str = "8", day: date = MONDAY, started: str = "09:00:00", project: str = "P-1") -> Work:
    return Work(project, "T-1", day, Decimal(hours), started=started)


def told(system: str, name: str, minute: int, what: Work) -> LogTime:
    return LogTime(WORKER, Claim(system, name, at(minute)), what)


def week(verdict: PeriodVerdict, minute: int, by: str = APPROVER) -> DecidePeriod:
    return DecidePeriod(WORKER, MONDAY, MONDAY, MONDAY + timedelta(days=6), verdict, by, at(minute))


def nothing() -> Given:
    return given(timesheet.decider)


def eight_hours() -> Given:
    return nothing().and_then(told("jira", "1", 0, work()))


def approved() -> Given:
    return eight_hours().and_then(ApproveTime(("jira:1",), APPROVER, at(10)))


def lot(price: str = "150", source: str = "jira:1") -> Lot:
    value = Money(Decimal(price) * 8, "EUR")
    return Lot(
        lot="",
        source=source,
        project="P-1",
        engagement="E-1",
        line="L1",
        customer="C-1",
        selling_entity="DE01",
        delivering_entity="DE01",
        work_date=MONDAY,
        quantity=Decimal(8),
        unit="hour",
        price=Decimal(price),
        value=value,
        cost=Money(Decimal(480), "EUR"),
        cost_in_billing_currency=Money(Decimal(480), "EUR"),
        approved_at=at(10),
        explanation=Explanation("firm/senior", "by role"),
    )


def rated() -> Given:
    return approved().and_then(RateEntry(lot()))


class TestLoggingTime:
    def test_hours_told_for_the_first_time_are_captured(self) -> None:
        nothing().when(told("jira", "1", 0, work())).then(
            TimeLogged("jira:1", WORKER, Claim("jira", "1", at(0)), work())
        )

    def test_the_same_telling_again_stays_quiet(self) -> None:
        eight_hours().when(told("jira", "1", 0, work())).stays_quiet()

    def test_the_same_hours_told_by_another_system_are_one_entry(self) -> None:
        asked = eight_hours().when(told("tempo", "37", 1, work()))
        asked.then_happens(ClaimHeard)
        assert asked.state.hours_on(MONDAY) == 8

    def test_two_entries_of_one_system_with_equal_content_stay_two(self) -> None:
        asked = eight_hours().when(told("jira", "2", 1, work()))
        asked.then_happens(TimeLogged)
        assert asked.state.hours_on(MONDAY) == 16

    def test_a_newer_telling_corrects_the_hours(self) -> None:
        asked = eight_hours().when(told("jira", "1", 5, work("6")))
        asked.then_happens(TimeCorrected)
        assert asked.state.hours_on(MONDAY) == 6

    def test_a_late_telling_changes_no_hours(self) -> None:
        asked = eight_hours().and_then(told("jira", "1", 5, work("6"))).when(told("jira", "1", 2, work("7")))
        asked.then_happens(ClaimHeard)
        assert asked.state.hours_on(MONDAY) == 6

    @pytest.mark.parametrize("hours", ["0", "-1", "24.01", "30"])
    def test_impossible_hours_are_refused_with_the_entry_and_day(self, hours: str) -> None:
        nothing().when(told("jira", "1", 0, work(hours))).refuses(HoursOutOfRange, "jira:1", hours, "2026-03-02")

    def test_a_day_of_more_than_24_hours_is_refused(self) -> None:
        first = eight_hours()
        first.when(told("jira", "2", 1, work("17", started="18:00:00"))).refuses(DayTooLong, "25")

    def test_approved_hours_that_are_corrected_need_a_new_approval_and_lose_their_lot(self) -> None:
        asked = rated().when(told("jira", "1", 20, work("6")))
        asked.then_happens(LotReversed, TimeCorrected)
        assert asked.state.entries["jira:1"].status == "captured"

    def test_hours_on_a_draft_are_not_changed_by_the_time_system(self) -> None:
        on_draft = rated().and_then(ReserveLots(("jira:1#1",), "I-1"))
        on_draft.when(told("jira", "1", 20, work("6"))).refuses(EntryInvoiced, "I-1")


class TestMergingEntries:
    def test_an_old_telling_that_comes_late_unites_two_entries_of_the_same_hours(self) -> None:
        newer_first = nothing().and_then(told("tempo", "37", 9, work("3")), told("jira", "1", 0, work("1")))
        assert newer_first.state.hours_on(MONDAY) == 4
        asked = newer_first.when(told("tempo", "37", 1, work("1")))
        asked.then_happens(ClaimHeard, EntriesMerged)
        assert asked.state.hours_on(MONDAY) == 3

    def test_a_withdrawn_entry_keeps_its_late_twin_from_counting(self) -> None:
        gone = nothing().and_then(WithdrawTime(WORKER, MONDAY, Claim("tempo", "37", at(9))))
        twice = gone.and_then(told("jira", "1", 0, work()), told("tempo", "37", 0, work()))
        assert twice.state.hours_on(MONDAY) == 0


class TestWithdrawingTime:
    def test_deleted_hours_no_longer_count(self) -> None:
        asked = eight_hours().when(WithdrawTime(WORKER, MONDAY, Claim("jira", "1", at(5))))
        asked.then_happens(TimeWithdrawn)
        assert asked.state.hours_on(MONDAY) == 0

    def test_deleting_twice_stays_quiet(self) -> None:
        gone = eight_hours().and_then(WithdrawTime(WORKER, MONDAY, Claim("jira", "1", at(5))))
        gone.when(WithdrawTime(WORKER, MONDAY, Claim("jira", "1", at(5)))).stays_quiet()

    def test_a_deletion_that_arrives_before_the_creation_wins(self) -> None:
        gone = nothing().and_then(WithdrawTime(WORKER, MONDAY, Claim("jira", "1", at(5))))
        asked = gone.when(told("jira", "1", 0, work()))
        assert asked.state.hours_on(MONDAY) == 0

    def test_billed_hours_are_not_deleted(self) -> None:
        billed = rated().and_then(ReserveLots(("jira:1#1",), "I-1"), BillLots(("jira:1#1",), "I-1", "DE-1"))
        billed.when(WithdrawTime(WORKER, MONDAY, Claim("jira", "1", at(30)))).refuses(EntryInvoiced, "I-1")


class TestApproval:
    def test_captured_hours_are_submitted_once(self) -> None:
        eight_hours().when(SubmitTime(("jira:1",))).then(TimeSubmitted(("jira:1",)))
        eight_hours().and_then(SubmitTime(("jira:1",))).when(SubmitTime(("jira:1",))).stays_quiet()

    def test_entries_are_approved_once(self) -> None:
        approve = ApproveTime(("jira:1",), APPROVER, at(10))
        eight_hours().when(approve).then(TimeApproved(("jira:1",), APPROVER, at(10)))
        approved().when(approve).stays_quiet()

    def test_nobody_approves_their_own_hours(self) -> None:
        eight_hours().when(ApproveTime(("jira:1",), WORKER, at(10))).refuses(SelfApproval)
        eight_hours().when(week("approved", 10, by=WORKER)).refuses(SelfApproval)

    def test_an_unknown_entry_is_refused(self) -> None:
        eight_hours().when(ApproveTime(("jira:99",), APPROVER, at(10))).refuses(UnknownEntry, "jira:99")

    def test_rejected_hours_lose_their_lot(self) -> None:
        rated().when(RejectTime(("jira:1",), APPROVER, at(20), "wrong task")).then_happens(LotReversed, TimeRejected)

    def test_an_approved_period_approves_the_entries_of_its_days(self) -> None:
        eight_hours().when(week("approved", 10)).then_happens(PeriodDecided, TimeApproved)

    def test_an_entry_that_arrives_after_the_approval_that_covered_it_is_approved_at_once(self) -> None:
        asked = nothing().and_then(week("approved", 10)).when(told("jira", "1", 0, work()))
        asked.then_happens(TimeLogged, TimeApproved)

    def test_hours_changed_after_the_approval_are_not_covered_by_it(self) -> None:
        asked = nothing().and_then(week("approved", 10)).when(told("jira", "1", 11, work()))
        asked.then_happens(TimeLogged)

    def test_a_period_ends_after_it_starts(self) -> None:
        backwards = replace(week("approved", 10), ends=date(2026, 3, 1))
        eight_hours().when(backwards).refuses(EndsBeforeItStarts, "2026-03-02 to 2026-03-01")

    def test_a_reopened_period_revokes_the_approval_and_reverses_the_lot(self) -> None:
        covered = eight_hours().and_then(week("approved", 10), RateEntry(lot()))
        covered.when(week("open", 20)).then_happens(PeriodDecided, LotReversed, ApprovalRevoked)

    def test_an_older_verdict_that_arrives_late_changes_nothing(self) -> None:
        eight_hours().and_then(week("approved", 10)).when(week("in_review", 5)).stays_quiet()

    def test_the_approval_of_invoiced_hours_is_not_revoked(self) -> None:
        covered = eight_hours().and_then(week("approved", 10), RateEntry(lot()), ReserveLots(("jira:1#1",), "I-1"))
        covered.when(week("open", 20)).refuses(EntryInvoiced, "I-1")


class TestRating:
    def test_an_approved_entry_becomes_a_lot(self) -> None:
        approved().when(RateEntry(lot())).then(LotRated(replace(lot(), lot="jira:1#1")))

    def test_the_same_rating_again_stays_quiet(self) -> None:
        rated().when(RateEntry(lot())).stays_quiet()

    def test_another_price_reverses_the_open_lot_and_rates_anew(self) -> None:
        rated().when(RateEntry(lot("160"))).then(
            LotReversed("jira:1#1", "the price or cost changed"), LotRated(replace(lot("160"), lot="jira:1#2"))
        )

    def test_a_reserved_lot_keeps_its_price(self) -> None:
        rated().and_then(ReserveLots(("jira:1#1",), "I-1")).when(RateEntry(lot("160"))).stays_quiet()

    def test_hours_that_are_not_approved_are_not_rated(self) -> None:
        eight_hours().when(RateEntry(lot())).refuses(EntryNotApproved)

    def test_a_missing_price_is_reported_once(self) -> None:
        missing = ReportUnrated("jira:1", "NO_RATE", "no row")
        assert approved().when(missing).events
        approved().and_then(missing).when(missing).stays_quiet()

    def test_a_released_lot_may_be_reserved_again(self) -> None:
        again = rated().and_then(
            ReserveLots(("jira:1#1",), "I-1"), ReleaseLots(("jira:1#1",), "I-1"), ReserveLots(("jira:1#1",), "I-2")
        )
        assert again.state.lots["jira:1#1"].status is LotStatus.RESERVED


def counted(state: Timesheet) -> dict[str, Decimal]:
    """What is billed and costed, without the names that the order of arrival gives."""
    hours: dict[str, Decimal] = {}
    for entry in state.entries.values():
        if entry.counts:
            key = f"{entry.work.fingerprint} {entry.status}"
            hours[key] = hours.get(key, Decimal(0)) + entry.work.hours
    return hours


def by_claim(state: Timesheet) -> dict[str, str]:
    entries = (entry for entry in state.entries.values() if entry.status != "merged")
    return {ref: entry.entry for entry in entries for ref in entry.claims}


def by_fingerprint(state: Timesheet) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in state.entries.values():
        for fingerprint in entry.fingerprints if entry.status != "merged" else ():
            found.setdefault(fingerprint, set()).add(entry.entry)
    return found


def story() -> list[LogTime | WithdrawTime | DecidePeriod]:
    return [
        told("jira", "1", 0, work()),
        told("tempo", "37", 0, work()),
        told("jira", "1", 5, work("6")),
        told("tempo", "37", 5, work("6")),
        told("jira", "2", 1, work("4", TUESDAY)),
        WithdrawTime(WORKER, TUESDAY, Claim("jira", "2", at(7))),
        week("in_review", 8),
        week("approved", 10),
    ]


def test_every_order_of_six_messages_gives_the_same_week() -> None:
    messages = [message for index, message in enumerate(story()) if index not in (4, 5)]
    weeks = {str(counted(nothing().when(*order).state)) for order in itertools.permutations(messages)}
    assert len(weeks) == 1


@such_that(st.permutations([*story(), told("tempo", "38", 9, work("4", TUESDAY)), told("jira", "3", 9, work("6"))]))
def test_what_finds_an_entry_at_once_finds_the_same_as_looking_through_all_of_them(
    order: list[LogTime | WithdrawTime | DecidePeriod],
) -> None:
    state = nothing().when(*order).state
    assert state.tellings.entry_of == by_claim(state)
    assert {what: set(names) for what, names in state.tellings.alike.items()} == by_fingerprint(state)


@settings(max_examples=300)
@such_that(st.permutations(story()), st.lists(st.integers(0, 7), max_size=5))
def test_any_order_and_repetition_of_messages_gives_the_same_week(
    order: list[LogTime | WithdrawTime | DecidePeriod], repeated: list[int]
) -> None:
    again = [*order, *(order[index] for index in repeated)]
    assert counted(nothing().when(*again).state) == counted(nothing().when(*story()).state)


class TestDecisionsInAnyOrder:
    """The newest decision about the hours as they are told counts, whenever it is heard."""

    FULL = ApproveTime(("jira:1",), APPROVER, at(10))
    NO = RejectTime(("jira:1",), APPROVER, at(20), "Which task?")
    SIX = ApproveTime(("jira:1",), APPROVER, at(10), {"jira:1": Decimal(6)})

    @staticmethod
    def outcome(*commands: Command) -> tuple[str, Decimal]:
        """How the entry stands and what may be billed of it; handed in or not is the same to whoever bills."""
        state = nothing().and_then(*commands).state
        entry = state.claimed_by("jira:1")
        return ("unapproved" if entry.status in ("captured", "submitted") else entry.status, entry.billable_hours)

    @pytest.mark.parametrize(
        ("decisions", "expected"),
        [
            ((FULL, NO), ("rejected", 8)),
            ((SIX, week("approved", 20)), ("approved", 6)),
            ((SIX, week("in_review", 20), week("approved", 30)), ("approved", 6)),
            ((FULL, week("open", 20)), ("unapproved", 8)),
            ((NO, week("approved", 30)), ("approved", 8)),
            ((week("approved", 10), NO), ("rejected", 8)),
            ((week("in_review", 5), NO, week("approved", 10)), ("rejected", 8)),
            ((week("approved", 10), week("open", 10), week("in_review", 10)), ("unapproved", 8)),
            ((week("open", 10), replace(week("approved", 10), ends=MONDAY)), ("approved", 8)),
            ((SIX, NO, ApproveTime(("jira:1",), APPROVER, at(30))), ("approved", 8)),
        ],
    )
    def test_of_an_entry_and_of_its_period(self, decisions: tuple[Command, ...], expected: tuple[str, Decimal]) -> None:
        for order in itertools.permutations((told("jira", "1", 0, work()), *decisions)):
            if isinstance(order[0], LogTime):
                assert self.outcome(*order) == expected

    def test_a_rejection_in_an_approved_week_outlives_other_hours_that_are_told_later(self) -> None:
        rejected = eight_hours().and_then(week("approved", 10), self.NO)
        state = rejected.and_then(told("jira", "2", 5, work("2", started="18:00:00"))).state
        assert [entry.status for entry in state.entries.values()] == ["rejected", "approved"]

    def test_an_approval_of_what_was_told_before_a_correction_is_void(self) -> None:
        corrected = eight_hours().and_then(told("jira", "1", 11, work("9")))
        corrected.when(self.FULL).stays_quiet()

    def test_an_approval_covers_a_correction_that_was_made_before_it_and_is_told_after_it(self) -> None:
        first, corrected = told("jira", "1", 0, work()), told("jira", "1", 5, work("7"))
        assert self.outcome(first, self.FULL, corrected) == ("approved", Decimal(7))
        assert self.outcome(first, self.NO, corrected) == ("rejected", Decimal(7))

    def test_hours_are_approved_under_the_name_that_any_system_has_for_them(self) -> None:
        both = nothing().and_then(told("tempo", "37", 0, work()), told("jira", "1", 1, work()))
        both.when(self.FULL).then(TimeApproved(("tempo:37",), APPROVER, at(10)))
        both.when(RejectTime(("jira:1",), APPROVER, at(10), "why")).then_happens(TimeRejected)

    def test_what_was_decided_about_one_of_two_entries_holds_when_they_turn_out_to_be_one(self) -> None:
        apart = nothing().and_then(told("jira", "1", 0, work("7")), self.SIX, told("tempo", "37", 1, work()))
        state = apart.and_then(told("jira", "1", 0, work("7")), told("jira", "1", 2, work())).state
        entry = state.claimed_by("jira:1")
        assert (entry.status, entry.billable_hours) == ("approved", 6)

    def test_an_older_telling_never_takes_back_a_newer_one_that_said_the_same_as_the_first(self) -> None:
        again = eight_hours().and_then(told("jira", "1", 3, work()), told("jira", "1", 2, work("6")))
        assert again.state.hours_on(MONDAY) == 8

    def test_a_deletion_that_is_older_than_the_newest_telling_of_the_same_hours_is_void(self) -> None:
        again = eight_hours().and_then(told("jira", "1", 3, work()))
        again.when(WithdrawTime(WORKER, MONDAY, Claim("jira", "1", at(2)))).stays_quiet()

    def test_a_rejection_of_before_the_period_was_approved_leaves_the_lots_where_they_are(self) -> None:
        """It is remembered: other hours that were approved before it do not come back."""
        moved = replace(lot("99"), engagement="E-2", line="L9")
        elsewhere = rated().and_then(TransferLot("jira:1#1", moved, "Wrong engagement.", "ann"), week("approved", 30))
        asked = elsewhere.when(self.NO)
        asked.then_happens(TimeRejected, TimeApproved)
        assert [held.status for held in asked.state.lots.values()] == [LotStatus.TRANSFERRED, LotStatus.OPEN]
        six = ApproveTime(("jira:1",), APPROVER, at(15), {"jira:1": Decimal(6)})
        elsewhere.and_then(self.NO).when(six).stays_quiet()

    def test_what_is_billed_is_not_touched_by_a_rejection_of_before_its_period_was_approved(self) -> None:
        billed = rated().and_then(week("approved", 30), ReserveLots(("jira:1#1",), "I-1"))
        assert billed.when(self.NO).state.lots["jira:1#1"].status is LotStatus.RESERVED
