from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.eventstore.ledger import Ledger
from tests.adapters.eventstore.toy_domain import DECIDERS, EVENTS


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=3) as ledger:
        yield ledger
