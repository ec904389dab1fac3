"""Messages may come in any order and any number of times: the books are the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.inbox.inbox import Inbox
from domain.statements import Said
from domain.timesheet import Entry
from tests.adapters.inbox.messages import DAY, HOUR, MINUTE, WEEK
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import (
    ACCOUNT,
    ACCOUNT_FIELDS,
    ANNA,
    BORIS,
    DEAL,
    LEAD,
    NINE,
    WON_DEAL,
    Letter,
    change,
    identifier,
    jira_issue,
    jira_worklog,
    row,
    tempo_approval,
    tempo_worklog,
    worker,
)

MONDAYS = (date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16))

NAMES = [
    worker("W-1", ANNA),
    worker("W-2", BORIS),
    worker("W-9", LEAD),
    worker("W-1", ANNA, rate="70", entered=NINE, effective="2026-03-03"),
    worker("W-1", ANNA, rate="65", entered=NINE - DAY, effective="2026-03-03"),
    identifier("jira", "project", "ACME", "P-1"),
    jira_issue("1", key="ACME-1", at=NINE - DAY),
    jira_issue("1", key="ACME-1", at=NINE + DAY, verb="updated", summary="Design it", labels=("non-billable",)),
    jira_issue("2", key="ACME-2", at=NINE - DAY),
]

# One worklog that both systems tell of: corrected, moved to another week, moved on, and one that is deleted at last.
MOVING = [
    jira_worklog("10", issue="1", at=NINE),
    tempo_worklog(110, issue="1", at=NINE + MINUTE),
    jira_worklog("10", issue="1", at=NINE + HOUR, verb="updated", seconds=10_800),
    tempo_worklog(110, issue="1", at=NINE + HOUR + MINUTE, verb="updated", seconds=10_800),
    jira_worklog("10", issue="1", at=NINE + 2 * HOUR, verb="updated", seconds=10_800, started=NINE + WEEK),
    tempo_worklog(110, issue="1", at=NINE + 2 * HOUR + MINUTE, verb="updated", seconds=10_800, day="2026-03-09"),
]
DELETED = [
    jira_worklog("11", issue="2", at=NINE, started=NINE + DAY),
    jira_worklog("11", issue="2", at=NINE + HOUR, started=NINE + DAY, verb="updated", seconds=3_600),
    jira_worklog("11", issue="2", at=NINE + 3 * HOUR, started=NINE + DAY, seconds=3_600, verb="deleted"),
]
OTHERS = [
    jira_worklog("12", issue="2", author=BORIS, at=NINE + DAY, started=NINE + 2 * DAY, seconds=28_800),
    jira_worklog("13", issue="2", at=NINE + DAY, started=NINE + 3 * DAY, seconds=1_200),
    tempo_worklog(114, issue="2", author=BORIS, day="2026-03-05", at=NINE + 3 * DAY, start_second=0),
]
APPROVALS = [
    tempo_approval("IN_REVIEW", at=NINE + 8 * DAY, actor=ANNA),
    tempo_approval("APPROVED", at=NINE + 9 * DAY),
    tempo_approval("APPROVED", at=NINE + 9 * DAY, user=BORIS, starts="2026-03-01", ends="2026-03-31"),
    tempo_approval("OPEN", at=NINE + 10 * DAY, user=BORIS, starts="2026-03-01", ends="2026-03-31", comment="task?"),
]
DEALS = [
    change("Account", ACCOUNT, ACCOUNT_FIELDS, kind="CREATE", at=NINE - DAY),
    change("Account", ACCOUNT, {"BillingAddress": {"City": "Lyon"}}, at=NINE),
    change("Account", ACCOUNT, {}, at=NINE + HOUR, nulled=("Tax_Id__c",)),
    row("Account", ACCOUNT, {"Name": "Acme SA", "Tax_Id__c": "FR9"}, at=NINE + 2 * HOUR),
    change("Opportunity", DEAL, {**WON_DEAL, "StageName": "Prospecting", "IsWon": False}, kind="CREATE", at=NINE),
    change("Opportunity", DEAL, {"StageName": "Closed Won", "IsWon": True}, at=NINE + DAY),
    change("Opportunity", DEAL, {"Name": "Data platform II"}, at=NINE + DAY, sequence=2),
]
HISTORY = [*NAMES, *MOVING, *DELETED, *OTHERS, *APPROVALS, *DEALS]


def books(office: Office) -> dict[str, Any]:
    """What the messages have come to, without what only tells how they came: which of two systems was first."""
    return {
        "hours": {
            (person, monday): sorted(
                (
                    entry.work.project,
                    entry.work.task,
                    entry.work.work_date,
                    entry.work.hours,
                    entry.work.started,
                    standing(entry),
                )
                for entry in office.sheet(person, monday).entries.values()
                if entry.counts
            )
            for person in ("W-1", "W-2")
            for monday in MONDAYS
        },
        "approved": {
            person: sum(
                (
                    entry.work.hours
                    for monday in MONDAYS
                    for entry in office.sheet(person, monday).entries.values()
                    if entry.status == "approved"
                ),
                Decimal(0),
            )
            for person in ("W-1", "W-2")
        },
        "tasks": office.state("project:P-1").tasks,
        "people": {person: office.state(f"resource:{person}").versions for person in ("W-1", "W-2", "W-9")},
        "customer": _values(office.state(f"customer:C-{ACCOUNT}").fields),
        "deal": (
            _values(office.state(f"opportunity:salesforce:{DEAL}").fields),
            office.state(f"opportunity:salesforce:{DEAL}").won,
        ),
        "waiting": office.ledger.waiting(),
    }


def standing(entry: Entry) -> str:
    """Whether hours may be billed; whether the others count as handed in depends on what was told first."""
    return "unapproved" if entry.status in ("captured", "submitted") else entry.status


def _values(fields: dict[str, Said]) -> dict[str, str | None]:
    return {name: said.value for name, said in fields.items()}


def told(letters: Sequence[Letter], batch: int) -> dict[str, Any]:
    office = Office()
    office.know_project()
    for start in range(0, len(letters), batch):
        office.deliver(*letters[start : start + batch])
    return books(office)


EXPECTED = told(HISTORY, 1)


def test_in_order_the_history_comes_to_what_one_would_say() -> None:
    assert EXPECTED["waiting"] == []
    assert EXPECTED["hours"]["W-1", MONDAYS[0]] == [
        ("P-1", "ACME-2", date(2026, 3, 5), Decimal("0.333333"), "10:00:00", "approved")
    ]
    assert EXPECTED["hours"]["W-1", MONDAYS[1]] == [
        ("P-1", "ACME-1", date(2026, 3, 9), Decimal(3), "10:00:00", "unapproved")
    ]
    assert [(each[3], each[5]) for each in EXPECTED["hours"]["W-2", MONDAYS[0]]] == [
        (Decimal(8), "unapproved"),
        (Decimal(2), "unapproved"),
    ]
    assert EXPECTED["approved"] == {"W-1": Decimal("0.333333"), "W-2": 0}
    assert (EXPECTED["tasks"]["ACME-1"].title, EXPECTED["tasks"]["ACME-1"].chargeable) == ("Design it", False)
    assert [terms.cost_rate.amount for terms in EXPECTED["people"]["W-1"]] == [Decimal("62.50"), 65, 70]
    assert EXPECTED["customer"] == {
        "name": "Acme SA",
        "tax_id": "FR9",
        "street": "1 Rue A",
        "city": "Lyon",
        "postal_code": "75001",
        "country": "FR",
        "payment_terms_days": "45",
    }
    assert EXPECTED["deal"][1]
    assert EXPECTED["deal"][0]["title"] == "Data platform II"


def test_two_workers_that_hear_of_one_object_at_once_count_its_hours_once() -> None:
    """The second one has decided on what it knew, which was nothing, in another week's stream: it decides again."""
    office = Office()
    office.know_people_and_issues()
    moved = jira_worklog("10", at=NINE + HOUR, verb="updated", seconds=10_800, started=NINE + WEEK)
    slow, quick = Inbox(office.ledger), Inbox(office.ledger)
    prepared = slow.prepare([office.delivery(jira_worklog("10", at=NINE))])
    quick.process([office.delivery(moved)])
    assert not slow.commit(prepared)
    slow.record(prepared.mails)
    assert [office.hours("W-1", monday) for monday in MONDAYS] == [Decimal(0), Decimal(3), Decimal(0)]


@settings(max_examples=100, deadline=None)
@given(
    order=st.permutations(HISTORY),
    repeated=st.lists(st.tuples(st.integers(0, len(HISTORY) - 1), st.integers(0, len(HISTORY))), max_size=8),
    batch=st.sampled_from([1, 3, 7, 100]),
)
def test_any_order_and_any_repetition_lead_to_the_same_books(
    order: list[Letter], repeated: list[tuple[int, int]], batch: int
) -> None:
    letters = list(order)
    for which, place in repeated:
        letters.insert(place, HISTORY[which])
    assert told(letters, batch) == EXPECTED
