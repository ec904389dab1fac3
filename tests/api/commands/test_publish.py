"""``p2c publish`` sends the lines of a file to the intake, and says which of them it could not send."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import typer

from adapters.broker import ConsumerPlan, Delivery
from adapters.broker.jetstream import NatsBroker
from adapters.settings import Settings
from api.commands import publish

COMMAND = {"command": "customer.block.v1", "stream": "customer:C-1", "id": "1", "data": {"reason": "x"}}
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "s",
    "type": "t",
    "subject": "p2c.in.jira.worklog.created",
    "data": {},
}
ENCLOSED = {
    "subject": "p2c.in.tempo.worklog.created",
    "headers": {"Nats-Msg-Id": "n-1", "X-A": "1"},
    "payload": '{"a": 1.0}',
}


@pytest.fixture
def installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(publish, "load", lambda: settings)
    return settings


def published(settings: Settings, expected: int) -> list[Delivery]:
    async def read() -> list[Delivery]:
        assert settings.nats_url is not None
        async with NatsBroker(settings.nats_url) as broker:
            consumer = await broker.consumer(ConsumerPlan("P2C_IN", "reader"))
            found: list[Delivery] = []
            while len(found) < expected and (some := await consumer.fetch(100, 2)):
                found += some
            return found + await consumer.fetch(1, 0.2)

    return asyncio.run(read())


def written(tmp_path: Path, *lines: Any) -> Path:
    file = tmp_path / "messages.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return file


def test_each_kind_of_line_goes_where_it_says(
    installed: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish.run(file=written(tmp_path, COMMAND, "", EVENT, ENCLOSED), subject=None, json=False)
    assert capsys.readouterr().out == "3 messages published\n"
    deliveries = published(installed, 3)
    assert [each.subject for each in deliveries] == [
        "p2c.in.canonical.customer.block",
        "p2c.in.jira.worklog.created",
        "p2c.in.tempo.worklog.created",
    ]
    assert deliveries[2].payload == b'{"a": 1.0}', "to the byte"
    assert (deliveries[2].headers["Nats-Msg-Id"], deliveries[2].headers["X-A"]) == ("n-1", "1")


def test_with_a_subject_any_line_is_sent_as_it_is(installed: Settings, tmp_path: Path) -> None:
    publish.run(file=written(tmp_path, "{broken", EVENT), subject="p2c.in.jira.issue.created", json=False)
    assert [each.payload for each in published(installed, 2)] == [b"{broken", json.dumps(EVENT).encode()]


def test_the_same_file_again_is_the_same_messages_and_another_content_is_not(
    installed: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish.run(file=written(tmp_path, COMMAND), subject=None, json=True)
    capsys.readouterr()
    publish.run(file=written(tmp_path, COMMAND, {**COMMAND, "data": {"reason": "y"}}), subject=None, json=True)
    assert json.loads(capsys.readouterr().out) == {"published": 2, "duplicates": 1, "problems": []}
    assert len(published(installed, 2)) == 2


def test_lines_that_cannot_be_sent_are_named_and_the_others_are_sent(
    installed: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [
        "{",
        "[1]",
        {"a": 1},
        {"subject": "elsewhere.x", "payload": "1"},
        {"subject": "p2c.in.a.b.*", "payload": "1"},
    ]
    with pytest.raises(typer.Exit) as ended:
        publish.run(file=written(tmp_path, *bad, COMMAND), subject=None, json=True)
    assert ended.value.exit_code == 1
    told = json.loads(capsys.readouterr().out)
    assert told["published"] == 1
    assert [problem.partition(":")[0] for problem in told["problems"]] == [f"line {n}" for n in range(1, 6)]


def test_a_line_that_is_too_large_for_the_broker_is_said_so(
    installed: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        publish.run(file=written(tmp_path, "x" * (1024 * 1024 + 1)), subject="p2c.in.jira.issue.created", json=False)
    assert ended.value.exit_code == 1
    assert "1048577 bytes, at most 1048576" in capsys.readouterr().err


@pytest.mark.parametrize("subject", ["p2c.out.a.b.c", "p2c.in.a.b", "p2c.in.a.b.c d", ""])
def test_a_subject_elsewhere_is_wrong_usage(installed: Settings, tmp_path: Path, subject: str) -> None:
    with pytest.raises(typer.BadParameter):
        publish.run(file=written(tmp_path, COMMAND), subject=subject, json=False)


def test_a_file_that_is_not_there_is_wrong_usage(installed: Settings, tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter):
        publish.run(file=tmp_path / "none", subject=None, json=False)
