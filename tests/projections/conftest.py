from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from psycopg import Connection
from psycopg_pool import ConnectionPool

from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect, open_pool
from domain.catalogue import DECIDERS, EVENTS, UPCASTS
from projections.generation import Generations
from projections.reader import Reader


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, EVENTS, DECIDERS, upcasts=UPCASTS, pool_size=4) as ledger:
        yield ledger


@pytest.fixture
def generations(database_url: str) -> Generations:
    made = Generations(partial(connect, database_url))
    made.prepare()
    return made


@pytest.fixture
def pool(database_url: str) -> Iterator[ConnectionPool[Connection]]:
    with open_pool(database_url, size=3) as pool:
        yield pool


@pytest.fixture
def reader(pool: ConnectionPool[Connection], ledger: Ledger, generations: Generations) -> Reader:
    return Reader(pool, ledger, generations)
