"""The shapes in which a feed publishes exchange rates: all say what one unit of a base is worth, day by day.

* XML: ``eurofxref-daily.xml`` and ``eurofxref-hist-90d.xml`` of the European Central Bank;
* CSV: ``eurofxref.csv`` (one day) and ``eurofxref-hist.csv`` (many days, ``N/A`` where there is no rate), and the
  observations of its data portal (``CURRENCY``, ``CURRENCY_DENOM``, ``TIME_PERIOD``, ``OBS_VALUE``);
* JSON: ``{"base": "EUR", "date": "2026-03-02", "rates": {"USD": 1.0492}}``, as most services pass it on.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from xml.parsers import expat

from pydantic import BaseModel, ConfigDict

from adapters.vendors.numbers import day_of_business
from adapters.vendors.unreadable import MalformedJson, WrongType
from domain.money import is_countable

EURO: Final = "EUR"
DAYS_MAX: Final = 400
"""More days are no publication but a history, to be loaded in parts."""


class Publication(BaseModel):
    """The JSON form: what one unit of a base is worth in many currencies on a day."""

    model_config = ConfigDict(strict=True)

    base: str = EURO
    date: str
    rates: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Told:
    """One rate of a publication."""

    base: str
    quote: str
    on: date
    rate: Decimal


def read(content: bytes) -> Sequence[Told]:
    """The rates in a publication, whatever its shape; raises MalformedJson or WrongType."""
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise WrongType(f"content: not UTF-8: {error}.") from error
    if text.startswith("<"):
        told = list(_xml(text))
    elif text.startswith(("{", "[", '"')):
        told = list(_json(text))
    else:
        told = list(_csv(text))
    if not told:
        raise WrongType("content: there is no rate in it.")
    if len({each.on for each in told}) > DAYS_MAX:
        raise WrongType(f"content: more than {DAYS_MAX} days.")
    return told


def _json(text: str) -> Iterator[Told]:
    try:
        body = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except json.JSONDecodeError as error:
        raise MalformedJson(f"{error}.") from error
    except RecursionError:
        raise MalformedJson("nested too deeply.") from None
    if isinstance(body, str):
        yield from read(body.encode())
        return
    if not isinstance(body, dict) or not isinstance(body.get("rates"), dict):
        raise WrongType("rates: an object with a rate for each currency is expected.")
    base, day = str(body.get("base", EURO)), _day(str(body.get("date", "")), "date")
    for quote, rate in body["rates"].items():
        yield Told(base, quote, day, _rate(rate, quote))


def _csv(text: str) -> Iterator[Told]:
    rows = list(csv.DictReader(io.StringIO(text), skipinitialspace=True))
    names = {name.strip() for name in (rows[0] if rows else {}) if name}
    if {"CURRENCY", "TIME_PERIOD", "OBS_VALUE"} <= names:
        for row in rows:
            if _is_told(row["OBS_VALUE"]):
                base = row.get("CURRENCY_DENOM") or EURO
                yield Told(base, row["CURRENCY"], _day(row["TIME_PERIOD"], "TIME_PERIOD"), _rate(row["OBS_VALUE"], ""))
        return
    if "Date" not in names:
        raise WrongType("content: neither XML, JSON nor CSV of exchange rates.")
    for row in rows:
        day = _day(row["Date"], "Date")
        for quote, rate in row.items():
            if quote and quote.strip() not in ("Date", "") and _is_told(rate):
                yield Told(EURO, quote.strip(), day, _rate(rate, quote))


def _is_told(rate: Any) -> bool:
    return isinstance(rate, str) and rate.strip() not in ("", "N/A")


def _xml(text: str) -> Iterator[Told]:
    """``Cube`` elements: one with the day around one for each currency."""
    found: list[Told] = []
    days: list[date] = []

    def started(name: str, attributes: Mapping[str, str]) -> None:
        if name.rpartition(":")[2] != "Cube":
            return
        if "time" in attributes:
            days.append(_day(attributes["time"], "time"))
        if "currency" in attributes and "rate" in attributes:
            if not days:
                raise WrongType("Cube: a rate without its day.")
            found.append(
                Told(EURO, attributes["currency"], days[-1], _rate(attributes["rate"], attributes["currency"]))
            )

    parser = expat.ParserCreate()
    parser.StartElementHandler = started
    parser.EntityDeclHandler = _no_entities
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise WrongType(f"content: not well-formed XML: {error}.") from error
    return iter(found)


def _no_entities(*_: Any) -> None:
    raise WrongType("content: entities are not declared in a publication of rates.")


def _day(text: str, field: str) -> date:
    for form in ("%Y-%m-%d", "%d %B %Y"):
        try:
            return day_of_business(datetime.strptime(text.strip(), form).date())  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise WrongType(f"{field}: {text[:40]!r} is not a date.")


def _rate(value: Any, currency: str) -> Decimal:
    try:
        rate = Decimal(str(value).strip())
    except InvalidOperation:
        rate = Decimal("NaN")
    if not is_countable(rate):
        raise WrongType(f"{currency or 'OBS_VALUE'}: {str(value)[:40]!r} is not a rate.")
    return rate
