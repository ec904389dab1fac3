"""The form of a canonical message for each command: its envelope, and the command's own fields as ``data``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from adapters.vendors.letter import unreadable
from adapters.vendors.unreadable import FutureVersion, MalformedJson, UnknownCommand, WrongType
from domain.catalogue import COMMANDS
from domain.money import is_countable
from domain.periods import FIRST_YEAR, LAST_YEAR, is_of_business

DECIDERS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "expense": ("expense_report",),
    "lot": ("timesheet", "expense_report", "engagement"),
}
"""The deciders of commands whose names begin otherwise than their streams."""


class Message(BaseModel):
    """What every canonical message has; ``data`` holds the command's fields."""

    model_config = ConfigDict(strict=True, extra="forbid")

    command: str = Field(description="The published name of the command, with its version.")
    stream: str = Field(description="The stream of the object that is to decide it, e.g. `project:P-1`.")
    id: str = Field(
        min_length=1, max_length=200, description="The sender's id of this message; the same again is a duplicate."
    )
    occurred_at: datetime = Field(description="The sender's clock, with its offset.")
    actor: str | None = Field(None, max_length=200, description="Who did it, e.g. `user:anna`.")
    data: Any


def _form(name: str, kind: type) -> type[Message]:
    """The message of one command; strictness reaches into the command's own parts."""
    return create_model(name, __base__=Message, data=(kind, ...))


FORMS: Final[Mapping[str, type[Message]]] = {name: _form(name, kind) for name, kind in COMMANDS.items()}
"""The message of each command, by the command's published name."""

_NEWEST: Final[Mapping[str, int]] = {
    base: max(int(each.rpartition(".v")[2]) for each in COMMANDS if each.rpartition(".v")[0] == base)
    for base in {name.rpartition(".v")[0] for name in COMMANDS}
}


def deciders_of(command: str) -> tuple[str, ...]:
    """The kinds of streams that a command may be addressed to."""
    prefix = command.partition(".")[0]
    return DECIDERS_OF.get(prefix, (prefix,))


def read_message(content: bytes) -> Message:
    """A canonical message with its command; raises Unreadable."""
    try:
        head = json.loads(content, parse_float=_no_float, parse_constant=_no_float)
    except RecursionError:
        raise MalformedJson("nested too deeply.") from None
    except ValueError as error:
        raise MalformedJson(f"{error}.") from error
    name = head.get("command") if isinstance(head, dict) else None
    if not isinstance(name, str):
        raise WrongType("command: the name of a command is missing.")
    try:
        message = _form_of(name).model_validate_json(content)
    except ValidationError as error:
        raise unreadable(error) from error
    _require_sound(message.occurred_at, "occurred_at")
    _require_sound(message.data, "data")
    return message


def _form_of(name: str) -> type[Message]:
    form = FORMS.get(name)
    if form is not None:
        return form
    base, _, version = name.rpartition(".v")
    newest = _NEWEST.get(base)
    if newest is not None and version.isdigit() and int(version) > newest:
        raise FutureVersion(f"{name[:100]}; {base}.v{newest} is the newest that is known.")
    raise UnknownCommand(repr(name[:100]))


def _no_float(number: str) -> NoReturn:
    raise WrongType(f"{number[:40]}: amounts, hours and rates are sent as text, for a JSON number is not exact.")


def _require_sound(value: Any, place: str) -> None:
    """Times have their offset, without which they mean other moments in other places; numbers a size that occurs."""
    if isinstance(value, datetime) and value.tzinfo is None:
        raise WrongType(f"{place}: {value.isoformat()} is without its offset.")
    if isinstance(value, date) and not is_of_business(value):
        raise WrongType(
            f"{place}: {value} is not between {FIRST_YEAR} and {LAST_YEAR}; an end that is open is left out."
        )
    if isinstance(value, Decimal) and not is_countable(value):
        raise WrongType(f"{place}: {value:.3E} is more than anybody bills, costs or works.")
    for name, part in _parts(value):
        _require_sound(part, f"{place}.{name}" if name else place)


def _parts(value: Any) -> Iterable[tuple[str, Any]]:
    if is_dataclass(value) and not isinstance(value, type):
        return ((each.name, getattr(value, each.name)) for each in fields(value))
    if isinstance(value, Mapping):
        return ((str(key), each) for key, each in value.items())
    return (("", each) for each in value) if isinstance(value, tuple) else ()
