"""Logs are one JSON object a line, hold no passwords, and never grow without limit."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters import logs


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level, usual = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    logs.configure("ingest", "info", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**usual)


def said(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_names_the_role_the_time_and_the_level(out: io.StringIO) -> None:
    structlog.get_logger("adapters.inbox").info("batch recorded", messages=500)
    [line] = said(out)
    assert (line["role"], line["level"], line["logger"]) == ("ingest", "info", "adapters.inbox")
    assert (line["event"], line["messages"]) == ("batch recorded", 500)
    assert line["timestamp"].endswith("Z")


def test_libraries_log_in_the_same_form(out: io.StringIO) -> None:
    logging.getLogger("nats").warning("slow %s", "consumer")
    [line] = said(out)
    assert (line["role"], line["event"]) == ("ingest", "slow consumer")


def test_what_is_below_the_level_is_left_out(out: io.StringIO) -> None:
    structlog.get_logger("x").debug("detail")
    assert said(out) == []


def test_passwords_in_addresses_are_hidden_also_in_exceptions(out: io.StringIO) -> None:
    try:
        raise ConnectionError("postgresql://p2c:geheim@db/p2c refused")
    except ConnectionError:
        structlog.get_logger("x").exception("lost nats://p2c:geheim@broker", url="nats://p2c:geheim@broker:4222")
    assert "geheim" not in out.getvalue()
    assert said(out)[0]["url"] == "nats://p2c:***@broker:4222"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql://p2c:geheim@db:5432/p2c", "postgresql://p2c:***@db:5432/p2c"),
        ("nats://:geheim@one,nats://u:geheim@two", "nats://:***@one,nats://u:***@two"),
        ("host=db password=geheim dbname=p2c", "host=db password=*** dbname=p2c"),
        ("host=db password='ge heim' dbname=p2c", "host=db password=*** dbname=p2c"),
        ("http://127.0.0.1:8080/graphql at 10:30", "http://127.0.0.1:8080/graphql at 10:30"),
    ],
)
def test_a_password_is_hidden_however_an_address_is_written(text: str, hidden: str) -> None:
    assert logs.hide_passwords(text) == hidden


def test_the_last_words_are_the_last_line_of_the_last_traceback(out: io.StringIO, tmp_path: Path) -> None:
    try:
        raise ValueError("unknown currency XYZ")
    except ValueError:
        structlog.get_logger("x").exception("failed")
    log = tmp_path / "ingest.log"
    log.write_text(out.getvalue())
    assert logs.last_words(log) == "ValueError: unknown currency XYZ"


def test_a_line_that_is_no_json_is_told_as_it_is(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    log.write_text("first\nFATAL:  disk full\n\n")
    assert logs.last_words(log) == "FATAL:  disk full"


def test_there_are_no_last_words_without_a_log(tmp_path: Path) -> None:
    assert logs.last_words(tmp_path / "none.log") == ""


def test_a_long_log_is_set_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "relay.log"
    with log.open("a") as writer:
        writer.write("x" * 100)
        writer.flush()
        assert logs.shorten(log, bytes_max=50)
        writer.write("y")
    assert log.read_text() == "y"
    assert (tmp_path / "relay.log.1").read_text() == "x" * 100


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "relay.log"
    log.write_text("x")
    assert not logs.shorten(log, bytes_max=50)
    assert log.read_text() == "x"
