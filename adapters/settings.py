"""Where the ledger runs and what it may use: the only place that reads the environment."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

PREFIX = "P2C_"


class SettingsInvalid(Exception):
    """A setting has a value that the ledger cannot run with."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def _postgres_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ValueError("expected an address such as postgresql://host:5432/database")
    return value


def _nats_url(value: str) -> str:
    """A NATS address may name several servers of one cluster, separated by commas."""
    for server in value.split(","):
        parts = urlsplit(server.strip())
        if parts.scheme not in {"nats", "tls", "ws", "wss"} or not parts.hostname:
            raise ValueError("expected an address such as nats://host:4222, several servers separated by commas")
    return value


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected an address such as http://host:8222")
    return value.rstrip("/")


def _identifier(value: str) -> str:
    """The schema's name is composed into SQL and into the names of the generations, so it is short and plain."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,39}", value) or value.startswith("pg_"):
        raise ValueError("expected up to 40 small letters, digits and underscores, not beginning with a digit or pg_")
    return value


class Settings(BaseModel):
    """What one installation of the ledger is told from outside, each as ``P2C_<NAME>`` in the environment.

    Without ``database_url`` or ``nats_url`` that server is embedded and lives in ``home``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Path = Path(".p2c")
    mode: Literal["local", "production"] = "local"
    database_url: Annotated[str, AfterValidator(_postgres_url)] | None = None
    nats_url: Annotated[str, AfterValidator(_nats_url)] | None = None
    nats_monitor_url: Annotated[str, AfterValidator(_http_url)] | None = None
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=1, le=65535)
    db_schema: Annotated[str, AfterValidator(_identifier)] = "ledger"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _production_brings_its_servers(self) -> Self:
        missing = [name for name in ("database_url", "nats_url") if getattr(self, name) is None]
        if self.mode == "production" and missing:
            names = " and ".join(map(variable, missing))
            raise ValueError(f"P2C_MODE=production runs on servers of your own: set {names}")
        return self

    def at(self, **changes: Any) -> Settings:
        """The same settings with some values known by now, for example the address of an embedded server."""
        return self.model_copy(update=changes)

    @property
    def logs(self) -> Path:
        """The folder with one log for each role and each embedded server."""
        return self.home / "logs"

    @property
    def tokens(self) -> Path:
        """The file with the local access token of each role."""
        return self.home / "tokens.json"

    @property
    def http_url(self) -> str:
        """Where people and programs reach this installation."""
        host = "127.0.0.1" if self.http_host in {"0.0.0.0", "::"} else self.http_host  # noqa: S104 - only compared
        return f"http://{host}:{self.http_port}"


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; raises SettingsInvalid with one line for each thing that is wrong."""
    env = os.environ if environment is None else environment
    fields = {variable(name): name for name in Settings.model_fields}
    problems = [*_unknown(env, fields), *_library_conflicts(env)]
    given = {fields[key]: value for key, value in env.items() if key in fields and value != ""}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as invalid:
        problems += [_in_words(error["loc"], error["msg"]) for error in invalid.errors(include_input=False)]
        raise SettingsInvalid(tuple(problems)) from None
    if problems:
        raise SettingsInvalid(tuple(problems))
    return settings.at(home=settings.home.expanduser().resolve())


def variable(field: str) -> str:
    """The environment variable that sets a field."""
    return "P2C_SCHEMA" if field == "db_schema" else PREFIX + field.upper()


def _unknown(env: Mapping[str, str], fields: Mapping[str, str]) -> list[str]:
    """A misspelt name must not pass in silence: the ledger would run somewhere else than was meant."""
    problems = []
    for name in sorted(key for key in env if key.startswith(PREFIX) and key not in fields):
        close = difflib.get_close_matches(name, fields, n=1)
        problems.append(f"{name} is not a setting" + (f"; did you mean {close[0]}?" if close else ""))
    return problems


def _library_conflicts(env: Mapping[str, str]) -> list[str]:
    """The event store's database functions skip the ordering lock, the tracking and the ledger's own rows."""
    name = "POSTGRES_ENABLE_DB_FUNCTIONS"
    if env.get(name, "").lower() in {"y", "yes", "t", "true", "on", "1"}:
        return [f"{name} must stay off: it would commit events without their receipts; unset it"]
    return []


def _in_words(where: tuple[int | str, ...], message: str) -> str:
    """One line for people: the variable and what was expected. The value is left out, it may hold a password."""
    sentence = message.removeprefix("Value error, ")
    return f"{variable(str(where[0]))}: {sentence}" if where else sentence
