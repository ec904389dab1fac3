"""Which facts are plain: made of nothing but parts that are known to read back as they are written.

A fact is plain when each part has exactly the type that its class declares, and that type is text, a whole number, a
truth value, a day, a finite decimal, a time in UTC, nothing, or a plain fact again. Everything else has to prove itself
by being read back (see ``codec``). That plain parts read back equal is proved by tests for each of these types.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic_core import TzInfo

Check = Callable[[Any], bool]
"""Whether a part is plain, given that its type is exactly the one that the check belongs to."""

_NONE: Final = type(None)
_UTC_AS_READ: Final = TzInfo(0)
"""The zone of a time that was read from JSON, which is what most sources send."""


def plainness_of(kind: type) -> Check:
    """Whether a fact is of exactly this class, and plain."""
    check = _kinds(kind, {}).get(kind)
    return (lambda fact: type(fact) is kind and check(fact)) if check is not None else _never


def _never(_fact: Any) -> bool:
    return False


class _Plainness:
    """Remembers which combinations of types the parts may have, so that most facts are judged by one look-up."""

    __slots__ = ("_kinds", "_parts", "_proved")

    def __init__(self, kind: type, known: dict[type, _Plainness]) -> None:
        known[kind] = self
        hints = get_type_hints(kind)
        names = [each.name for each in fields(kind)]
        self._parts = attrgetter(*names) if len(names) > 1 else _parts_of_few(names)
        self._kinds: tuple[Mapping[type, Check | None], ...] = tuple(_kinds(hints[name], known) for name in names)
        self._proved: dict[tuple[type, ...], tuple[tuple[int, Check], ...] | None] = {}

    def __call__(self, fact: Any) -> bool:
        parts = self._parts(fact)
        combination = tuple(map(type, parts))
        try:
            checks = self._proved[combination]
        except KeyError:
            checks = self._proved[combination] = self._checks(combination)
        if checks is None:
            return False
        for place, check in checks:  # noqa: SIM110 -- a generator costs more than what it goes through
            if not check(parts[place]):
                return False
        return True

    def _checks(self, combination: tuple[type, ...]) -> tuple[tuple[int, Check], ...] | None:
        """What else has to be asked of parts of these types; None when one of them may not be there."""
        found: list[tuple[int, Check]] = []
        for place, (kind, allowed) in enumerate(zip(combination, self._kinds, strict=True)):
            if kind not in allowed:
                return None
            check = allowed[kind]
            if check is not None:
                found.append((place, check))
        return tuple(found)


def _parts_of_few(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda fact: tuple(getattr(fact, name) for name in names)


def _is_in_utc(at: datetime) -> bool:
    return at.tzinfo is UTC or at.tzinfo == _UTC_AS_READ


_CHECKS: Final[Mapping[type, Check | None]] = {
    str: None,
    int: None,
    bool: None,
    date: None,
    _NONE: None,
    Decimal: Decimal.is_finite,
    datetime: _is_in_utc,
}


def _kinds(hint: Any, known: dict[type, _Plainness]) -> Mapping[type, Check | None]:
    """The types that a part may have to be plain, each with what else is to be asked; none for what is never plain."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        choices = [each for each in get_args(hint) if each is not _NONE]
        found = _kinds(choices[0], known) if len(choices) == 1 else {}  # of several, one may look like another
        return {**found, _NONE: None} if found else {}
    if origin is Literal:
        values = frozenset(get_args(hint))
        return {str: values.__contains__} if all(type(value) is str for value in values) else {}
    if origin is tuple and len(get_args(hint)) == 2 and get_args(hint)[1] is Ellipsis:
        inner = _kinds(get_args(hint)[0], known)
        return {tuple: lambda members: _all_plain(members, inner)} if inner else {}
    hint = getattr(hint, "__supertype__", hint)
    if isinstance(hint, type) and is_dataclass(hint):
        if hasattr(hint, "__post_init__") or not all(each.init for each in fields(hint)):
            return {}  # it may become another one when it is made again
        return {hint: known[hint] if hint in known else _Plainness(hint, known)}
    return {hint: _CHECKS[hint]} if hint in _CHECKS else {}


def _all_plain(members: tuple[Any, ...], kinds: Mapping[type, Check | None]) -> bool:
    for member in members:
        kind = type(member)
        if kind not in kinds:
            return False
        check = kinds[kind]
        if check is not None and not check(member):
            return False
    return True
