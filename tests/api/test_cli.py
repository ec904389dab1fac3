"""The command line explains itself quickly, and turns every problem that people can solve into a message and a code."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.embedded.server import free_port
from api import cli

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "up": "up",
    "serve": "role",
    "ingest": "role",
    "project": "role",
    "automate": "role",
    "relay": "role",
    "connect": "role",
    "schedule": "role",
    "publish": "publish",
    "refeed": "refeed",
    "policies": "policies",
    "simulate": "simulate",
    "rebuild": "rebuild",
    "replay": "replay",
    "verify": "verify",
    "export": "export",
    "document": "document",
    "systems": "systems",
    "doctor": "doctor",
    "token": "token",
    "schema": "schema",
    "bench": "bench",
}


def p2c(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": os.defpath, "COLUMNS": "200", **environment},
        timeout=120,
        check=False,
    )


def test_every_command_is_there() -> None:
    listed = {command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback}
    assert listed == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_is_one_sentence_and_the_exit_codes(name: str) -> None:
    shown = CliRunner().invoke(cli.app, [name, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert shown.exit_code == 0
    said = inspect.getdoc(getattr(cli, name)) or ""
    assert said.endswith(".")
    assert said in " ".join(shown.output.split())
    assert "Exit codes: 0 done" in shown.output


@pytest.mark.parametrize("module", sorted(set(COMMANDS.values())))
def test_every_command_has_an_implementation(module: str) -> None:
    assert callable(importlib.import_module(f"api.commands.{module}").run)


@pytest.mark.parametrize("name", [name for name, module in COMMANDS.items() if name == module])
def test_a_command_and_its_implementation_agree_on_the_options(name: str) -> None:
    options = set(inspect.signature(getattr(cli, name)).parameters)
    taken = inspect.signature(importlib.import_module(f"api.commands.{name}").run).parameters
    assert options <= set(taken)
    assert all(p.default is not p.empty for key, p in taken.items() if key not in options)


def test_help_imports_none_of_the_heavy_libraries() -> None:
    heavy = ["psycopg", "eventsourcing", "nats", "pydantic", "fastapi", "strawberry", "structlog", "uvicorn"]
    code = f"""
import sys
from api import cli
try:
    cli.main(["--help"])
except SystemExit:
    sys.exit(str([name for name in {heavy} if name in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False
    )
    assert done.stderr.strip() == "[]"


def test_wrong_settings_are_one_message_and_code_2(tmp_path: Path) -> None:
    done = p2c("up", P2C_HOME=str(tmp_path), P2C_HTTP_PORT="eighty")
    assert done.returncode == 2
    assert done.stderr.startswith("p2c: P2C_HTTP_PORT: ")
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_one_message_and_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        done = p2c("up", P2C_HOME=str(tmp_path), P2C_HTTP_PORT=str(port))
    assert done.returncode == 2
    assert done.stderr == f"p2c: port {port} is in use by another program: choose one with P2C_HTTP_PORT\n"


def test_a_home_that_cannot_be_used_is_one_message_and_code_3(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    done = p2c("doctor", P2C_HOME=str(tmp_path / "home"))
    assert done.returncode == 3
    assert "choose another P2C_HOME" in done.stderr


def test_a_defect_shows_where_it_is() -> None:
    class Defect(Exception):
        pass

    assert cli._exit_code(Defect()) is None


def test_doctor_finds_the_embedded_servers_sound_and_the_schema_missing(tmp_path: Path) -> None:
    done = p2c("doctor", "--json", P2C_HOME=str(tmp_path / "home"))
    outcomes = {check["name"]: check["outcome"] for check in json.loads(done.stdout)}
    assert done.returncode == 1
    assert {name for name, outcome in outcomes.items() if outcome == "failed"} == {"schema"}
    assert {name for name, outcome in outcomes.items() if outcome == "warning"} == {"streams"}
    assert {"fsync", "synchronous_commit", "data checksums", "broker sync", "disk"} <= set(outcomes)


def test_systems_tells_what_does_not_run_without_starting_it(tmp_path: Path) -> None:
    done = p2c("systems", "--json", P2C_HOME=str(tmp_path / "home"))
    assert done.returncode == 0
    assert {server["state"] for server in json.loads(done.stdout)["servers"]} == {"not running"}
    assert not (tmp_path / "home" / "postgres").exists()
