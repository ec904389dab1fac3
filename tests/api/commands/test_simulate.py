"""``p2c simulate`` streams a firm to a file, to standard output, or to the broker."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer

from adapters.settings import Settings
from adapters.simulation.firm import Plan
from api.commands import publish, simulate
from tests.api.commands.test_publish import published

SMALL: dict[str, Any] = {"seed": 3, "consultants": 3, "months": 1}


@pytest.fixture
def installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(simulate, "load", lambda: settings)
    monkeypatch.setattr(publish, "load", lambda: settings)
    return settings


def test_a_file_has_a_message_in_each_line_and_the_same_ones_every_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        simulate.run(**SMALL, out=tmp_path / name, json=True)
    lines = (tmp_path / "one").read_bytes().splitlines()
    assert (tmp_path / "two").read_bytes().splitlines() == lines
    assert {"subject", "headers", "payload"} == set(orjson.loads(lines[0]))
    told = json.loads(capsys.readouterr().out.partition("\n}\n")[0] + "}")
    assert told["messages"] == len(lines)
    assert sum(told["subjects"].values()) == len(lines)


def test_without_a_place_to_go_the_lines_are_written_to_standard_output(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    simulate.run(**SMALL)
    lines = capfdbinary.readouterr().out.splitlines()
    assert len(lines) > 100
    assert all(orjson.loads(line)["subject"].startswith("p2c.in.") for line in lines)


def test_what_is_published_is_what_is_written_and_publishes_again_as_a_file(
    installed: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate.run(**SMALL, publish=True)
    simulate.run(**SMALL, out=tmp_path / "firm.jsonl")
    lines = [orjson.loads(line) for line in (tmp_path / "firm.jsonl").read_bytes().splitlines()]
    publish.run(file=tmp_path / "firm.jsonl", subject=None, json=False)
    deliveries = published(installed, len(lines))
    assert [(each.subject, each.payload.decode()) for each in deliveries] == [
        (line["subject"], line["payload"]) for line in lines
    ]
    assert f"{len(lines)} messages" in capsys.readouterr().out


def test_a_rate_is_kept(installed: Settings) -> None:
    began = time.monotonic()
    simulate.run(**SMALL, publish=True, rate=300)
    assert time.monotonic() - began > len(list(simulate.messages(Plan(**SMALL)))) / 300 - 0.2


@pytest.mark.parametrize("wrong", [{"publish": True, "out": Path("x")}, {"rate": 5}])
def test_wishes_that_exclude_each_other_are_wrong_usage(wrong: dict[str, Any]) -> None:
    with pytest.raises(typer.BadParameter):
        simulate.run(**SMALL, **wrong)
