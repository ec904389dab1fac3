from __future__ import annotations

from datetime import UTC, date, datetime

from adapters.policy_packs.calendars import holidays_of, shipped
from domain.ports import billing_calendar_of
from domain.reference.billing_calendar import (
    BillingCalendar,
    CalendarDefined,
    CalendarTerms,
    DayRule,
    DayRuleImpossible,
    DefineCalendar,
    Holiday,
    HolidayOfAnotherYear,
    HolidaysPublished,
    PublishHolidays,
    calendar_stream,
    decider,
)
from domain.reference.legal_entity import Address
from tests.spec import given

TERMS = CalendarTerms(date(2026, 1, 1), DayRule("business_day", 3), DayRule("calendar_day", 5), "Europe/Berlin")
DEFINED = CalendarDefined("DE-BE", TERMS)


def berlin(**changes: object) -> BillingCalendar:
    terms = CalendarTerms(**{**{name: getattr(TERMS, name) for name in CalendarTerms.__dataclass_fields__}, **changes})
    published = PublishHolidays("DE-BE", 2026, holidays_of("DE-BE", "DE", "BE", 2026).holidays, "holidays")
    state: BillingCalendar = given(decider).when(DefineCalendar("DE-BE", terms), published).state
    return state


def test_a_calendar_and_its_holidays_are_recorded_once() -> None:
    new_year = Holiday(date(2026, 1, 1), "New Year's Day")
    published = HolidaysPublished("DE-BE", 2026, (new_year,), "law")
    given(decider).when(DefineCalendar("DE-BE", TERMS)).then(DEFINED)
    given(decider, DEFINED).when(DefineCalendar("DE-BE", TERMS)).stays_quiet()
    given(decider).when(PublishHolidays("DE-BE", 2026, (new_year,), "law")).then(published)
    given(decider, published).when(PublishHolidays("DE-BE", 2026, (new_year,), "again")).stays_quiet()
    given(decider).when(PublishHolidays("DE-BE", 2025, (new_year,), "law")).refuses(HolidayOfAnotherYear)
    impossible = CalendarTerms(date(2026, 1, 1), DayRule("business_day", 0), TERMS.billing, "Europe/Berlin")
    given(decider).when(DefineCalendar("DE-BE", impossible)).refuses(DayRuleImpossible)


def test_the_third_business_day_steps_over_weekends_and_holidays() -> None:
    # 1 May 2026 is a holiday and a Friday: the business days are Monday the 4th, the 5th, the 6th.
    assert berlin().cut_off_of(date(2026, 4, 17)) == date(2026, 5, 6)
    # 5 April 2026 is Easter Sunday, the 6th is Easter Monday.
    assert berlin().billing_day_of(date(2026, 3, 2)) == date(2026, 4, 7)


def test_days_count_from_the_end_and_roll_back_where_the_rule_says_so() -> None:
    last = berlin(cut_off=DayRule("calendar_day", -1, 0, "previous"))
    assert last.cut_off_of(date(2026, 1, 5)) == date(2026, 1, 30)
    short = berlin(cut_off=DayRule("calendar_day", 31, 0, "none"))
    assert short.cut_off_of(date(2026, 2, 5)) == date(2026, 2, 28)


def test_work_is_late_from_midnight_after_the_cut_off_in_the_calendars_time_zone() -> None:
    calendar, day = berlin(), date(2026, 4, 17)
    assert not calendar.is_late(day, datetime(2026, 5, 6, 21, 59, tzinfo=UTC))
    assert calendar.is_late(day, datetime(2026, 5, 6, 22, 0, tzinfo=UTC))
    assert not BillingCalendar().is_late(day, datetime(2027, 1, 1, tzinfo=UTC))


def test_a_later_list_of_holidays_replaces_that_of_its_year() -> None:
    state = berlin()
    strike = PublishHolidays("DE-BE", 2026, (Holiday(date(2026, 5, 4), "Closed"),), "works agreement")
    [event] = decider.decide(strike, state)
    assert decider.evolve(state, event).cut_off_of(date(2026, 4, 17)) == date(2026, 5, 6)
    assert not decider.evolve(state, event).is_business_day(date(2026, 5, 4))
    assert decider.evolve(state, event).is_business_day(date(2026, 5, 1))


def test_an_entity_has_its_own_calendar_else_that_of_its_state_else_of_its_country() -> None:
    known = {calendar_stream(name): decider.fold([CalendarDefined(name, TERMS)]) for name in ("DE", "DE-BE", "DE01")}

    def calendar(entity: str, state: str) -> str:
        address = Address("Street 1", "Berlin", "10117", "DE", state)
        return billing_calendar_of(lambda stream: known.get(stream, decider.initial), entity, address).calendar

    assert [calendar(*each) for each in (("DE01", "BE"), ("DE02", "BE"), ("DE02", "BY"))] == ["DE01", "DE-BE", "DE"]


def test_the_calendars_that_come_with_the_ledger_cover_its_jurisdictions() -> None:
    calendars = {each.name: each for each in shipped()}
    assert {"DE", "FR", "NL", "GB", "IE", "US", "CA", "AU", "NZ", "JP", "CH", "SG", "IN"} <= set(calendars)
    bavaria = {each.day for each in holidays_of("DE-BY", "DE", "BY", 2026).holidays}
    assert date(2026, 1, 6) in bavaria
    assert date(2026, 1, 6) not in {each.day for each in holidays_of("DE-BE", "DE", "BE", 2026).holidays}
