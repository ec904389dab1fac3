"""Which work might be touched, as the live read models know it: the domain's question, answered for its processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect, open_pool
from adapters.settings import Settings
from projections.eligibility.candidates import LiveCandidates
from projections.generation import Generations
from projections.reader import NotReady, Reader

CONNECTIONS = 3


class FollowedCandidates(LiveCandidates):
    """The live candidates, with the position that they are made of."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._followed = reader

    def position(self) -> int:
        """How far the read models have come; 0 while they are being made for the first time."""
        try:
            with self._followed.view() as view:
                return view.watermark.position
        except NotReady:
            return 0


@contextmanager
def open_candidates(settings: Settings, ledger: Ledger) -> Iterator[FollowedCandidates]:
    """The candidates of an installation, on connections of their own."""
    with open_reader(settings, ledger) as reader:
        yield FollowedCandidates(reader)


@contextmanager
def open_reader(settings: Settings, ledger: Ledger) -> Iterator[Reader]:
    """The live read models of an installation, on connections of their own."""
    assert settings.database_url is not None, "roles are started on servers that run"
    generations = Generations(
        partial(connect, settings.database_url, settings.db_schema, "p2c-candidates"), settings.db_schema
    )
    pool = open_pool(settings.database_url, settings.db_schema, size=CONNECTIONS, application_name="p2c-candidates")
    with pool:
        yield Reader(pool, ledger, generations)
