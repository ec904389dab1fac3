"""What the rules refuse becomes a work item, until a later message or a person settles it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.exception import ResolveException
from domain.kernel import Addressed, Cause, StreamId
from domain.money import Money
from tests.adapters.inbox.messages import HOUR
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import ANNA, NINE, canonical, jira_worklog, tempo_approval, worker


def test_a_day_of_thirty_hours_becomes_a_work_item_with_the_business_around_it(any_office: Office) -> None:
    told = jira_worklog(seconds=30 * 3600)
    any_office.deliver(told, jira_worklog("10321"))
    assert any_office.fate(told) == ("refused", "timesheet.hours_out_of_range")
    problem = any_office.problem("refused", "jira", "worklog", "10320")
    assert (problem.resource, problem.project, problem.engagement, problem.customer) == ("W-1", "P-1-L1", "E-1", "C-1")
    assert (problem.hours_at_risk, problem.money_at_risk) == ("30", Money(Decimal(4500), "EUR").rounded())
    assert (problem.owner_role, problem.about) == ("project_manager", "jira:worklog:10320")
    assert any_office.hours() == 2, "the other message of the batch goes through"


@pytest.mark.parametrize("seconds", [-3600, 0])
def test_no_hours_and_negative_hours_are_refused(office: Office, seconds: int) -> None:
    told = jira_worklog(seconds=seconds)
    office.deliver(told)
    assert office.fate(told) == ("refused", "timesheet.hours_out_of_range")


def test_a_later_message_about_the_same_object_settles_the_work_item(any_office: Office) -> None:
    wrong = jira_worklog(seconds=30 * 3600)
    any_office.deliver(wrong)
    any_office.deliver(jira_worklog(verb="updated", at=NINE + HOUR))
    assert not any_office.exception("refused", "jira", "worklog", "10320").is_open
    [*_, last] = any_office.ledger.history(StreamId("exception:refused:jira:worklog:10320"))
    assert last.event.how == "settled by a later message"
    assert any_office.fate(wrong)[0] == "refused", "what was refused stays refused"
    assert any_office.hours() == 2


def test_a_correction_in_the_same_batch_settles_the_work_item_too(office: Office) -> None:
    office.deliver(jira_worklog(seconds=30 * 3600), jira_worklog(verb="updated", at=NINE + HOUR))
    assert not office.exception("refused", "jira", "worklog", "10320").is_open
    assert office.hours() == 2


def test_a_retried_message_is_decided_again_and_its_row_tells_so(any_office: Office) -> None:
    full = jira_worklog("1", seconds=20 * 3600)
    too_much = jira_worklog("2", seconds=5 * 3600)
    any_office.deliver(full, too_much)
    assert any_office.fate(too_much) == ("refused", "timesheet.day_too_long")
    any_office.retry("refused", "jira", "worklog", "2")
    assert any_office.problem("refused", "jira", "worklog", "2").code == "timesheet.day_too_long"
    any_office.deliver(jira_worklog("1", verb="deleted", at=NINE + HOUR))
    any_office.retry("refused", "jira", "worklog", "2")
    assert any_office.fate(too_much) == ("recorded", None)
    assert not any_office.exception("refused", "jira", "worklog", "2").is_open
    assert any_office.hours() == 5


def test_a_retry_is_acted_on_once_by_however_many_workers(any_office: Office) -> None:
    any_office.deliver(jira_worklog("1", seconds=20 * 3600), jira_worklog("2", seconds=5 * 3600))
    other = Office(any_office.ledger)
    any_office.deliver(jira_worklog("1", verb="deleted", at=NINE + HOUR))
    assert any_office.retry("refused", "jira", "worklog", "2") == 1
    assert other.inbox.tick() == 0


def test_a_work_item_that_a_person_resolved_stays_resolved(office: Office) -> None:
    office.deliver(jira_worklog(seconds=30 * 3600))
    stream = StreamId("exception:refused:jira:worklog:10320")
    office.ledger.execute([Addressed(stream, ResolveException("user:ann", "known"))], Cause("user:ann", "1"))
    office.deliver(jira_worklog(verb="updated", at=NINE + HOUR))
    assert office.exception("refused", "jira", "worklog", "10320").occurrences == 1


def test_approving_ones_own_hours_is_refused(office: Office) -> None:
    own = tempo_approval(actor=ANNA)
    office.deliver(jira_worklog(), own)
    assert office.fate(own) == ("refused", "timesheet.self_approval")
    assert office.problem("refused", "tempo", "timesheet-approval", f"{ANNA}/2026-03-02/2026-03-08").resource == "W-1"


def test_an_unknown_time_zone_is_refused_and_named(office: Office) -> None:
    told = jira_worklog(zone="Mars/Olympus")
    office.deliver(told)
    assert office.fate(told) == ("refused", "jira.unknown_time_zone")
    assert "Mars/Olympus" in office.problem("refused", "jira", "worklog", "10320").message


@pytest.mark.parametrize("zone", ["../etc/passwd", "Europe", "", "/", "A" * 3000])
def test_a_time_zone_that_is_no_name_at_all_is_refused_too(office: Office, zone: str) -> None:
    told = jira_worklog(zone=zone or " ")
    office.deliver(told)
    assert office.fate(told) == ("refused", "jira.unknown_time_zone")


def test_an_unknown_currency_is_refused_whoever_tells_it(office: Office) -> None:
    hr = worker("W-8", None, currency="EURO")
    rate = canonical(
        "rate_card.set_rate.v1",
        "rate_card:firm:FIRM",
        {"row": {"row": "x", "rate": {"amount": "1", "currency": "XXX"}, "effective_from": "2026-01-01"}},
    )
    office.deliver(hr, rate)
    assert office.fate(hr) == ("refused", "money.unknown_currency")
    assert office.fate(rate) == ("refused", "money.unknown_currency")
    assert "'EURO'" in office.problem("refused", "workday", "worker", "wid-W-8").message
    assert office.problem("refused", "canonical", "rate_card.set_rate", "m-1").owner_role == "integration"
