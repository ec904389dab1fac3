from __future__ import annotations

from decimal import Decimal

import pytest

from domain.catalogue import EVENTS
from domain.kernel import StreamId
from domain.timesheet import Claim, TimeApproved, TimeLogged, Work
from projections.history.sentences import WORDINGS, sentence_of
from tests.golden.test_golden_events import example
from tests.world import MONDAY, NINE

SHEET = StreamId("timesheet:W-1:2026-03-02")


def test_every_event_of_the_catalogue_is_worded() -> None:
    assert set(WORDINGS) == set(EVENTS.values())


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_one_sentence_for_people(name: str) -> None:
    said = sentence_of(example(EVENTS[name]), SHEET)
    assert said
    assert "(" not in said or ")" in said
    assert not any(word in said for word in ("Decimal(", "datetime", "None", "object at", "{", "Money("))


def test_a_sentence_says_who_did_what_and_when() -> None:
    event = TimeLogged("jira:1", "W-1", Claim("jira", "1", NINE), Work("P-1", "T-1", MONDAY, Decimal("7.5")))
    assert sentence_of(event, SHEET) == "W-1 worked 7.5 h on 2026-03-02 for project P-1, task T-1, told by jira."


def test_a_sentence_about_many_names_the_first_and_counts_the_rest() -> None:
    event = TimeApproved(tuple(f"jira:{n}" for n in range(1, 9)), "W-9", NINE)
    assert sentence_of(event, SHEET) == "W-9 approved jira:1, jira:2, jira:3, jira:4, jira:5 and 3 more."
