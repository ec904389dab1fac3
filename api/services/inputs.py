"""How a request's fields become a service's input: exact values, nothing unknown, every mistake named by its path."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar, get_args, get_origin

from typing_extensions import Doc

from domain.kernel import Refused
from domain.money import DIGITS_MAX, is_countable
from domain.periods import FIRST_YEAR, LAST_YEAR, is_of_business

Input = TypeVar("Input")
TEXT_CHARACTERS_MAX = 2_000
ITEMS_MAX = 20_000
WHOLE_NUMBER_MAX = 2**31 - 1
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class RequestInvalid(Refused):
    """A field of the request has a value that cannot be read."""

    code = "request.invalid"
    fix = "Correct the named field; docs/services.md lists the fields of every service."


def camel(name: str) -> str:
    """``work_date`` as messages write it: ``workDate``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def about(hint: Any) -> str:
    """What a field means, from its annotation."""
    return next((each.documentation for each in get_args(hint)[1:] if isinstance(each, Doc)), "")


def field_hints(kind: type) -> dict[str, Any]:
    """The annotations of an input's fields, descriptions included."""
    return typing.get_type_hints(kind, include_extras=True)


def bare(hint: Any) -> Any:
    """An annotation without its description."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def optional(hint: Any) -> tuple[Any, bool]:
    """The type that a field has when it is told, and whether it may be nothing."""
    hint = bare(hint)
    if get_origin(hint) in (typing.Union, types.UnionType):
        (kind,) = (each for each in get_args(hint) if each is not types.NoneType)
        return kind, True
    return hint, False


def is_required(each: Field[Any]) -> bool:
    """Whether a field has to be told."""
    return each.default is MISSING and each.default_factory is MISSING


def read_input(kind: type[Input], said: object, path: str = "input") -> Input:
    """An input as it was told, with its fields in camel case; raises RequestInvalid."""
    assert is_dataclass(kind)
    if not isinstance(said, Mapping):
        raise RequestInvalid(f"{path} is an object.")
    hints = field_hints(kind)
    known = {camel(each.name): each for each in fields(kind)}
    if unknown := sorted(str(name) for name in said if name not in known):
        raise RequestInvalid(f"{path} has no field {unknown[0]}.")
    values = {}
    for name, each in known.items():
        if said.get(name) is not None:
            values[each.name] = _value(optional(hints[each.name])[0], said[name], f"{path}.{name}")
        elif is_required(each):
            raise RequestInvalid(f"{path}.{name} is missing.")
    return kind(**values)


def _value(kind: Any, said: object, path: str) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return read_input(kind, said, path)
    if get_origin(kind) is tuple:
        return _items(get_args(kind)[0], said, path)
    if kind is bool:
        return _checked(said, bool, path, "true or false")
    if kind is int:
        return _whole_number(said, path)
    if kind is Decimal:
        return _decimal(said, path)
    if kind is date:
        return _date(said, path)
    assert kind is str, kind
    text: str = _checked(said, str, path, "text")
    if len(text) > TEXT_CHARACTERS_MAX or _UNREADABLE.search(text):
        raise RequestInvalid(f"{path} is readable text of at most {TEXT_CHARACTERS_MAX} characters.")
    return text


def _items(kind: Any, said: object, path: str) -> tuple[Any, ...]:
    if not isinstance(said, list | tuple) or len(said) > ITEMS_MAX:
        raise RequestInvalid(f"{path} is a list of at most {ITEMS_MAX} items.")
    return tuple(_value(kind, each, f"{path}[{number}]") for number, each in enumerate(said))


def _checked(said: object, kind: type, path: str, words: str) -> Any:
    if not isinstance(said, kind):
        raise RequestInvalid(f"{path} is {words}.")
    return said


def _whole_number(said: object, path: str) -> int:
    if isinstance(said, bool) or not isinstance(said, int) or abs(said) > WHOLE_NUMBER_MAX:
        raise RequestInvalid(f"{path} is a whole number.")
    return said


def _decimal(said: object, path: str) -> Decimal:
    """Text, a whole number, or a decimal that was read exactly; never floating point."""
    if isinstance(said, str | int | Decimal) and not isinstance(said, bool):
        try:
            number = Decimal(said)
        except InvalidOperation:
            number = Decimal("NaN")
        if is_countable(number):
            return number
    raise RequestInvalid(f"{path} is a decimal number as text, of at most {DIGITS_MAX} digits before the point.")


def _date(said: object, path: str) -> date:
    try:
        day = said if type(said) is date else date.fromisoformat(_checked(said, str, path, "a date"))
    except ValueError:
        raise RequestInvalid(f"{path} is a date such as 2026-03-31.") from None
    if not is_of_business(day):
        raise RequestInvalid(f"{path} is a date between {FIRST_YEAR} and {LAST_YEAR}; an end that is open is left out.")
    return day
