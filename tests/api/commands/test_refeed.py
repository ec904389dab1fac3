"""``p2c refeed`` hears again all that the broker keeps, and tells what the ledger did not have."""

from __future__ import annotations

import asyncio
import json

import pytest

from adapters.broker.jetstream import NatsBroker
from adapters.postgres import SchemaOutdated, connect
from adapters.settings import Settings
from api.commands import refeed
from tests.adapters.inbox.test_worker import publish, week


@pytest.fixture
def installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(refeed, "load", lambda: settings)
    return settings


def refed(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    refeed.run(json=True)
    told: dict[str, int] = json.loads(capsys.readouterr().out)
    return told


def test_what_is_forgotten_is_taken_in_and_the_rest_is_counted_as_repeated(
    installed: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async def told() -> None:
        async with NatsBroker(installed.nats_url or "") as broker:
            await publish(broker, week())

    assert refed(capsys) == {"heard": 0, "forgotten": 0}
    asyncio.run(told())
    assert refed(capsys) == {"heard": len(week()), "forgotten": len(week())}
    assert refed(capsys) == {"heard": len(week()), "forgotten": 0}
    with connect(installed.database_url or "") as conn:
        assert conn.execute("SELECT DISTINCT deliveries FROM received_message").fetchall() == [(2,)]


def test_a_database_without_the_ledgers_tables_is_named(
    installed: Settings, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refeed, "load", lambda: installed.at(database_url=empty_database_url))
    with pytest.raises(SchemaOutdated):
        refeed.run(json=True)
