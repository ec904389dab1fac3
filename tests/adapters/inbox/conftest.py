from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.eventstore.ledger import Ledger
from domain.catalogue import DECIDERS, EVENTS
from tests.adapters.inbox.office import Office


@pytest.fixture
def office() -> Office:
    """On a ledger in memory, with a project, its people and its issues."""
    return Office().know_people_and_issues()


@pytest.fixture(params=["memory", "postgres"])
def any_office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """The same on each kind of ledger."""
    if request.param == "memory":
        yield Office().know_people_and_issues()
        return
    with Ledger(request.getfixturevalue("database_url"), EVENTS, DECIDERS, pool_size=3) as ledger:
        yield Office(ledger).know_people_and_issues()
