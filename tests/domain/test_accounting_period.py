"""Periods open, close and reopen; a fact counts in its month while that takes postings, else in the next that does."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as some

from domain.books.accounting_period import (
    AccountingPeriods,
    ClosedByItsPreparer,
    ClosePeriod,
    EarlierPeriodOpen,
    OpenPeriod,
    PeriodClosed,
    PeriodIsClosed,
    PeriodIsSoftClosed,
    PeriodMalformed,
    PeriodNotOpened,
    PeriodOpened,
    PeriodReopened,
    PeriodSoftClosed,
    PeriodState,
    PeriodStatus,
    PeriodsWouldGap,
    ReasonMissing,
    ReopenPeriod,
    SoftClosePeriod,
    decider,
    last_day_of,
    posting_day,
    require_open,
    takes_postings,
)
from domain.periods import month_of
from tests.spec import given
from tests.world import NINE

ENTITY = "DE01"
MARCH, APRIL = "2026-03", "2026-04"
OPENED = PeriodOpened(ENTITY, MARCH, "paul", NINE)
SOFT = PeriodSoftClosed(ENTITY, MARCH, "paul", NINE)
CLOSED = PeriodClosed(ENTITY, MARCH, "anna", NINE)


def opening(period: str) -> OpenPeriod:
    return OpenPeriod(ENTITY, period, "paul", NINE)


def closing(period: str, by: str = "anna") -> ClosePeriod:
    return ClosePeriod(ENTITY, period, by, NINE)


def test_periods_are_opened_one_after_the_other() -> None:
    given(decider).when(opening(MARCH)).then(OPENED)
    given(decider, OPENED).when(opening(MARCH)).stays_quiet()
    given(decider, OPENED).when(opening("2026-05")).refuses(PeriodsWouldGap, MARCH)
    given(decider).when(opening("2026-13")).refuses(PeriodMalformed, "2026-13")
    for beyond in ("0000-01", "9999-12"):
        given(decider).when(opening(beyond)).refuses(PeriodMalformed, beyond)
    given(decider, OPENED, SOFT).when(opening(MARCH)).then(OPENED)
    given(decider, OPENED, CLOSED).when(opening(MARCH)).refuses(PeriodIsClosed)


def test_a_soft_close_prepares_the_close() -> None:
    wish = SoftClosePeriod(ENTITY, MARCH, "paul", NINE)
    given(decider, OPENED).when(wish).then(SOFT)
    given(decider, OPENED, SOFT).when(wish).stays_quiet()
    given(decider).when(wish).refuses(PeriodNotOpened, MARCH)
    given(decider, OPENED, CLOSED).when(wish).refuses(PeriodIsClosed)


def test_nobody_closes_what_they_prepared_and_no_month_before_an_earlier_one() -> None:
    given(decider, OPENED, SOFT).when(closing(MARCH)).then(CLOSED)
    given(decider, OPENED, SOFT).when(closing(MARCH, by="paul")).refuses(ClosedByItsPreparer, "paul")
    given(decider, OPENED, CLOSED).when(closing(MARCH)).stays_quiet()
    april = PeriodOpened(ENTITY, APRIL, "paul", NINE)
    given(decider, OPENED, april).when(closing(APRIL)).refuses(EarlierPeriodOpen, MARCH)
    given(decider).when(closing(MARCH)).refuses(PeriodNotOpened)


def test_a_closed_period_is_reopened_for_a_reason() -> None:
    wish = ReopenPeriod(ENTITY, MARCH, "anna", NINE, "an invoice was forgotten")
    given(decider, OPENED, CLOSED).when(wish).then(PeriodReopened(ENTITY, MARCH, "anna", NINE, wish.reason))
    given(decider, OPENED, CLOSED).when(ReopenPeriod(ENTITY, MARCH, "anna", NINE, " ")).refuses(ReasonMissing)
    given(decider, OPENED).when(wish).stays_quiet()


def test_late_facts_count_in_the_first_open_period() -> None:
    april = PeriodOpened(ENTITY, APRIL, "paul", NINE)
    periods = given(decider, OPENED, CLOSED, april).state
    assert posting_day(date(2026, 3, 31), periods) == date(2026, 4, 1)
    assert posting_day(date(2026, 2, 1), periods) == date(2026, 4, 1), "what lies before a closed month is closed"
    assert posting_day(date(2026, 4, 17), periods) == date(2026, 4, 17)


def test_a_softly_closed_period_takes_what_finance_approvers_post() -> None:
    periods = given(decider, OPENED, SOFT).state
    day = date(2026, 3, 31)
    assert posting_day(day, periods) == date(2026, 4, 1)
    assert posting_day(day, periods, of_approver=True) == day
    require_open(day, periods, of_approver=True)
    with pytest.raises(PeriodIsSoftClosed):
        require_open(day, periods, of_approver=False)
    closed = given(decider, OPENED, SOFT, CLOSED).state
    with pytest.raises(PeriodIsClosed):
        require_open(day, closed, of_approver=True)


MONTHS = some.integers(1, 24).map(lambda n: f"{2025 + (n - 1) // 12}-{(n - 1) % 12 + 1:02d}")


@any_of(
    some.dictionaries(MONTHS, some.sampled_from(PeriodStatus)), some.dates(date(2025, 1, 1), date(2026, 12, 31)),
    some.booleans(),
)  # fmt: skip
def test_no_fact_counts_in_a_period_that_takes_no_postings_or_before_its_own_day(
    statuses: dict[str, PeriodStatus], day: date, of_approver: bool
) -> None:
    periods = AccountingPeriods(ENTITY, {name: PeriodState(status) for name, status in statuses.items()})
    counted = posting_day(day, periods, of_approver=of_approver)
    assert counted >= day
    assert takes_postings(periods.status_of(month_of(counted)), of_approver=of_approver)
    assert last_day_of(month_of(day)) >= day
