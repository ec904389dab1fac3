"""A read model's table: a class for its rows, its columns, its key, and how a row is written for COPY."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\ufffd"})
_SPECIAL: Final = tuple(map(chr, _ESCAPES))
_NULL: Final = "\\N"
_JSON_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""A NUL in the text of JSON, wherever in it; a backslash that is text itself is written as two."""

Written = Sequence[str]
"""The values of one column as COPY reads them."""


def _without_nul(told: str) -> str:
    """JSON in which a NUL, which PostgreSQL cannot hold, is the replacement character."""
    return _JSON_NUL.sub("\\1\ufffd", told) if "\\u0000" in told else told


def texts_for_copy(values: Sequence[str | None]) -> Written:
    """Texts as COPY reads them; a NUL, which PostgreSQL cannot hold, becomes the replacement character.

    Most columns have nothing that needs an escape: all of their texts are looked through at once.
    """
    given = [value for value in values if value is not None]
    everything = "".join(given)
    if any(special in everything for special in _SPECIAL):
        return [_NULL if value is None else value.translate(_ESCAPES) for value in values]
    return given if len(given) == len(values) else [_NULL if value is None else value for value in values]


def _documents(values: Sequence[str]) -> Written:
    return texts_for_copy([_without_nul(value) for value in values])


def _plain(values: Sequence[object]) -> Written:
    return [_NULL if value is None else str(value) for value in values]


def _always(values: Sequence[object]) -> Written:
    return list(map(str, values))


def _days(values: Sequence[date | None]) -> Written:
    """Days and times; a batch has few different ones."""
    written = {value: _NULL if value is None else str(value) for value in set(values)}
    return [written[value] for value in values]


def _bools(values: Sequence[bool | None]) -> Written:
    return [_NULL if value is None else "t" if value else "f" for value in values]


def _arrays(values: Sequence[tuple[str, ...]]) -> Written:
    """Arrays of texts: quoted for the array, then escaped for COPY."""
    return texts_for_copy([_array(value) if value else "{}" for value in values])


def _array(texts: tuple[str, ...]) -> str:
    quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in texts)
    return '{"' + '","'.join(quoted) + '"}'


_WRITERS: Final[dict[Any, Callable[[Sequence[Any]], Written]]] = {
    str: texts_for_copy,
    str | None: texts_for_copy,
    bool: _bools,
    bool | None: _bools,
    tuple[str, ...]: _arrays,
    int: _always,
    Decimal: _always,
    date: _days,
    datetime: _days,
    int | None: _plain,
    Decimal | None: _plain,
    date | None: _days,
    datetime | None: _days,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, how its values are written, and whether they are decimal numbers."""

    name: str
    write: Callable[[Sequence[Any]], Written]
    is_number: bool


class Table(Generic[Row]):
    """One table of a generation. The row class is a dataclass, or a named tuple where rows never change;
    its fields are the columns, in order.

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
            Column(
                field,
                _documents if field in self.json else _WRITERS[hint],
                hint in (Decimal, Decimal | None),
            )
            for field, hint in hints.items()
        )
        self.names = tuple(column.name for column in self.columns)
        self.key_places = tuple(self.names.index(name) for name in key)
        self._array_places = [place for place, name in enumerate(self.names) if hints[name] == tuple[str, ...]]
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

    def key_of_row(self, row: Row) -> Key:
        """The key of a row."""
        return tuple([getattr(row, name) for name in self.key])

    def row(self, values: Sequence[Any]) -> Row:
        """The row of values as the database returns them."""
        if self._array_places:
            values = list(values)
            for place in self._array_places:
                values[place] = tuple(values[place])
        return self._row(*values)

    def document(self, rows: Sequence[Values]) -> str:
        """Rows as one JSON text, for inserting a few without COPY."""
        return _without_nul(orjson.dumps([self._object(values) for values in rows], default=str).decode())

    def _object(self, values: Iterable[Any]) -> dict[str, Any]:
        return {
            name: orjson.Fragment(value) if name in self.json else value
            for name, value in zip(self.names, values, strict=True)
        }

    def copied(self, rows: Sequence[Values]) -> str:
        """Rows as COPY reads them, written column by column."""
        written = [write(values) for write, values in zip(self._writers, zip(*rows, strict=True), strict=True)]
        return "\n".join(map("\t".join, zip(*written, strict=True))) + "\n"
