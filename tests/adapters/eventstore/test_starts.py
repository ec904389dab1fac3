"""A server that was started anew may have been restored: nothing that was known of its books before is believed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.embedded import EmbeddedServers
from adapters.eventstore.errors import VersionConflict
from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect, migrate
from adapters.settings import Settings
from tests.adapters.eventstore.toy_domain import CAUSE, DECIDERS, EVENTS, A, pay


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[EmbeddedServers]:
    with EmbeddedServers(Settings(home=tmp_path / "home"), durable=False) as servers:
        migrate(url(servers))
        yield servers


def url(servers: EmbeddedServers) -> str:
    assert servers.settings.database_url is not None
    return servers.settings.database_url


def restore(servers: EmbeddedServers, version: int) -> None:
    """The stream is as it was at a version, and the server has been started anew."""
    with connect(url(servers)) as conn:
        conn.execute("ALTER TABLE stored_events DISABLE TRIGGER stored_events_append_only")
        conn.execute("DELETE FROM stored_events WHERE originator_version > %s", [version])
    assert servers.postgres is not None
    servers.postgres.stop()
    servers.postgres.begin()
    servers.postgres.wait_until_ready()


def test_the_states_of_a_restored_stream_are_read_anew_though_it_has_come_as_far_again(
    servers: EmbeddedServers,
) -> None:
    with Ledger(url(servers), EVENTS, DECIDERS) as ledger:
        ledger.execute([pay(A, 1, times=3)], CAUSE)
        restore(servers, 2)
        with Ledger(url(servers), EVENTS, DECIDERS) as other:
            other.execute([pay(A, 50)], CAUSE)
        loaded = ledger.load([A])[A]
        assert (loaded.version, loaded.state.balance) == (3, Decimal(52))


def test_what_was_decided_before_a_restoration_is_decided_again(servers: EmbeddedServers) -> None:
    with Ledger(url(servers), EVENTS, DECIDERS) as ledger:
        ledger.execute([pay(A, 1, times=3)], CAUSE)
        unit = ledger.unit()
        unit.decide(pay(A, 1), CAUSE)
        restore(servers, 1)
        with pytest.raises(VersionConflict):
            ledger.commit(unit)
        assert ledger.execute([pay(A, 1)], CAUSE).versions == {A: 2}
