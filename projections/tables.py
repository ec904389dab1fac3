"""A read model's table: a dataclass for its rows, its columns, its key, and how a row is written for COPY."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, get_type_hints

import orjson

from projections.row_security import Shown

Row = TypeVar("Row")
Key = tuple[str, ...]
"""What identifies a row: the texts of its key columns."""

Values = tuple[Any, ...]
"""A row as plain values, in the order of the columns."""

_SPECIAL: Final = re.compile(r"[\\\t\n\r\x00]")
_ESCAPES: Final = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\ufffd"}
_NULL: Final = "\\N"
_JSON_NUL: Final = "\\u0000"


def _without_nul(value: Any) -> Any:
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else value


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES[found[0]]


def text_for_copy(value: str | None) -> str:
    """A text as COPY reads it; a NUL, which PostgreSQL cannot hold, becomes the replacement character."""
    if value is None:
        return _NULL
    return _SPECIAL.sub(_escaped, value) if _SPECIAL.search(value) else value


def _plain(value: object) -> str:
    return _NULL if value is None else str(value)


def _bool(value: bool | None) -> str:
    return _NULL if value is None else "t" if value else "f"


def _texts(value: tuple[str, ...]) -> str:
    """An array of texts: quoted for the array, then escaped for COPY."""
    if not value:
        return "{}"
    quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in value)
    return text_for_copy('{"' + '","'.join(quoted) + '"}')


_WRITERS: Final[dict[Any, Callable[[Any], str]]] = {
    str: text_for_copy,
    str | None: text_for_copy,
    bool: _bool,
    bool | None: _bool,
    tuple[str, ...]: _texts,
    int: str,
    Decimal: str,
    date: str,
    datetime: str,
    int | None: _plain,
    Decimal | None: _plain,
    date | None: _plain,
    datetime | None: _plain,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, how its values are written, and whether they are decimal numbers."""

    name: str
    write: Callable[[Any], str]
    is_number: bool


class Table(Generic[Row]):
    """One table of a generation. The row class is a dataclass whose fields are the columns, in order.

    The columns named by ``json`` hold JSON, which stays text here. ``shown`` says whose rows they are: which of them a
    view of less than the whole firm can see at all.
    """

    def __init__(
        self, name: str, row: Callable[..., Row], key: tuple[str, ...], json: tuple[str, ...] = (), *, shown: Shown
    ) -> None:
        self.name = name
        self.shown = shown
        self.json = frozenset(json)
        self.key = key
        hints = get_type_hints(row)
        self.columns = tuple(
            Column(each.name, _WRITERS[hints[each.name]], hints[each.name] in (Decimal, Decimal | None))
            for each in fields(row)  # type: ignore[arg-type]  # every row class is a dataclass
        )
        self.names = tuple(column.name for column in self.columns)
        self.key_places = tuple(self.names.index(name) for name in key)
        self.is_text_array = tuple(hints[name] == tuple[str, ...] for name in self.names)
        self._row = row
        self._values: Callable[[Any], Values] = attrgetter(*self.names)
        self._writers = tuple(column.write for column in self.columns)

    def __repr__(self) -> str:
        return f"Table({self.name})"

    def values(self, row: Row) -> Values:
        """A row as it is at this moment."""
        return self._values(row)

    def key_of(self, values: Sequence[Any]) -> Key:
        """The key of a row's values."""
        return tuple([values[place] for place in self.key_places])

    def row(self, values: Sequence[Any]) -> Row:
        """The row of values as the database returns them."""
        if any(self.is_text_array):
            values = [
                tuple(value) if is_array else value for value, is_array in zip(values, self.is_text_array, strict=True)
            ]
        return self._row(*values)

    def document(self, rows: Sequence[Values]) -> str:
        """Rows as one JSON text, for inserting a few without COPY."""
        told = orjson.dumps([self._object(values) for values in rows], default=str).decode()
        if _JSON_NUL in told:
            told = orjson.dumps([self._object(map(_without_nul, values)) for values in rows], default=str).decode()
        return told

    def _object(self, values: Iterable[Any]) -> dict[str, Any]:
        return {
            name: orjson.Fragment(value) if name in self.json else value
            for name, value in zip(self.names, values, strict=True)
        }

    def line(self, values: Values) -> str:
        """One line of COPY text, without its end."""
        return "\t".join([write(value) for write, value in zip(self._writers, values, strict=True)])
