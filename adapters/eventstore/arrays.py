"""Columns of many rows in PostgreSQL's own binary form for arrays, made in one pass.

Hundreds of rows are sent as one array for each column. The driver makes arrays of anything, member by member, and asks
each for its type; here the type is known, so that the same takes a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final

from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

_TEXT: Final = 25
_TEXT_ARRAY: Final = 1009
_BYTEA: Final = 17
_BYTEA_ARRAY: Final = 1001
_NUMBER: Final = 20
_NUMBER_ARRAY: Final = 1016
_EMPTY: Final = Struct("!iII")
_HEAD: Final = Struct("!iIIii")
"""Number of dimensions, whether there are nulls, the members' type, how many there are, the number of the first."""

_LENGTH: Final = Struct("!i").pack
_NULL: Final = _LENGTH(-1)
_SIZED_NUMBER: Final = Struct("!iq").pack


class TextColumn(bytes):
    """An array of texts, some of them perhaps null."""


class BytesColumn(bytes):
    """An array of byte strings."""


class NumberColumn(bytes):
    """An array of whole numbers, some of them perhaps null."""


class _Members(dict[str | None, bytes]):
    """Texts as members of an array, each made when it is first asked for."""

    def __missing__(self, value: str | None) -> bytes:
        if value is None:
            member = _NULL
        else:
            encoded = value.encode()
            member = _LENGTH(len(encoded)) + encoded
        self[value] = member
        return member


def texts(values: Iterable[str | None]) -> TextColumn:
    """A column of texts; what repeats is made once."""
    known = _Members()
    members = list(map(known.__getitem__, values))
    return TextColumn(_head(_TEXT, len(members), has_nulls=None in known) + b"".join(members))


def byte_strings(values: Iterable[bytes]) -> BytesColumn:
    """A column of byte strings."""
    members = list(map(_sized, values))
    return BytesColumn(_head(_BYTEA, len(members), has_nulls=False) + b"".join(members))


def numbers(values: Iterable[int | None]) -> NumberColumn:
    """A column of whole numbers of 64 bits."""
    members = [_NULL if value is None else _SIZED_NUMBER(8, value) for value in values]
    return NumberColumn(_head(_NUMBER, len(members), has_nulls=_NULL in members) + b"".join(members))


def _sized(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


def _head(kind: int, members: int, *, has_nulls: bool) -> bytes:
    return _HEAD.pack(1, has_nulls, kind, members, 1) if members else _EMPTY.pack(0, 0, kind)


class _TextColumnDumper(Dumper):
    format = Format.BINARY
    oid = _TEXT_ARRAY

    def dump(self, obj: TextColumn) -> bytes:
        return obj


class _BytesColumnDumper(Dumper):
    format = Format.BINARY
    oid = _BYTEA_ARRAY

    def dump(self, obj: BytesColumn) -> bytes:
        return obj


class _NumberColumnDumper(Dumper):
    format = Format.BINARY
    oid = _NUMBER_ARRAY

    def dump(self, obj: NumberColumn) -> bytes:
        return obj


def register(context: AdaptContext) -> None:
    """Lets a connection or a cursor send such columns."""
    context.adapters.register_dumper(TextColumn, _TextColumnDumper)
    context.adapters.register_dumper(BytesColumn, _BytesColumnDumper)
    context.adapters.register_dumper(NumberColumn, _NumberColumnDumper)
