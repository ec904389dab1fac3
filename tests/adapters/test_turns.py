"""Of several workers one is active, and when it goes another takes its place."""

from __future__ import annotations

import time

import psycopg
import pytest

from adapters import turns
from adapters.turns import Turn, turn_of


@pytest.fixture(autouse=True)
def _asks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "ASKS_AGAIN_SECONDS", 0.0)


def test_one_worker_has_the_turn_and_the_next_gets_it_when_it_is_given_back(database_url: str) -> None:
    with turn_of(database_url, "relay") as first, turn_of(database_url, "relay") as second:
        assert first.is_mine()
        assert not second.is_mine()
        assert first.is_mine()
        first.give_back()
        assert second.is_mine()
        assert not first.is_mine()


def test_turns_of_different_names_and_schemas_are_different(database_url: str) -> None:
    with turn_of(database_url, "relay") as relay, turn_of(database_url, "connect-erp") as connector:
        assert relay.is_mine()
        assert connector.is_mine()
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute("CREATE SCHEMA other")
        with turn_of(database_url, "relay", "other") as elsewhere:
            assert elsewhere.is_mine()


def test_the_turn_is_lost_with_its_connection(database_url: str) -> None:
    with turn_of(database_url, "relay") as first, turn_of(database_url, "relay") as second:
        assert first.is_mine()
        with psycopg.connect(database_url, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'p2c-turn-relay' AND datname = current_database()"
            )
        deadline = time.monotonic() + 60
        while not second.is_mine():
            assert time.monotonic() < deadline
        assert not first.is_mine()


def test_a_worker_that_asks_without_a_database_learns_it(database_url: str) -> None:
    turn = Turn(database_url.replace("test_", "missing_"), "relay")
    with pytest.raises(psycopg.OperationalError):
        turn.is_mine()
