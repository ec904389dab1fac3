"""Lists in pages: each begins behind the last row of the one before, so that no page costs more than another."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import orjson

from domain.kernel import Refused
from projections.reader import Scope

FIRST_MAX: Final = 500
Answer = TypeVar("Answer")


class BadCursor(Refused):
    """The cursor does not belong to this list and order."""

    code = "page.bad_cursor"
    fix = "Use a cursor that the same query gave, with the same sorting, or begin at the first page."


class UnknownSort(Refused):
    """The list cannot be sorted like that."""

    code = "page.unknown_sort"
    fix = "Choose one of the sortings that the documentation of the query names."


class UnknownValue(Refused):
    """There is no such value to ask for; nothing would ever be found."""

    code = "request.unknown_value"
    fix = "Use one of the values that the message names."


class PageTooLong(Refused):
    """A page has 1 to 500 rows."""

    code = "page.too_long"
    fix = "Ask for fewer rows, and for the next page with the cursor."


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list: how many rows, behind which cursor, in which order; without ``sort`` in the list's own."""

    first: int = 50
    after: str | None = None
    sort: str | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Answer]):
    """One page: its rows, the cursor of each, and whether more follow."""

    items: tuple[Answer, ...]
    cursors: tuple[str, ...]
    has_next: bool


@dataclass(frozen=True, slots=True)
class Sort:
    """An order: expressions with their types, of which the last make it unique."""

    by: tuple[tuple[str, str], ...]


class Conditions:
    """What rows must fulfil; None never restricts. ``values_before`` belong to what stands before WHERE."""

    def __init__(self, values_before: Sequence[Any] = ()) -> None:
        self._sql: list[str] = []
        self.values: list[Any] = list(values_before)

    def add(self, sql: str, *values: Any) -> None:
        """Any condition, with a place for each value."""
        self._sql.append(sql)
        self.values.extend(values)

    def equal(self, column: str, value: Any) -> None:
        """The column has this value."""
        if value is not None:
            self.add(f"{column} = %s", value)

    def word(self, column: str, word: str) -> None:
        """The column has this word of ours, which stands in the text: a plan that does not know it is for more rows.

        PostgreSQL finds such a plan too dear once there are many rows, and plans each question anew.
        """
        assert word.isidentifier(), "words that somebody told are values"
        self.add(f"{column} = '{word}'")

    def one_of(self, column: str, values: Sequence[str] | None) -> None:
        """The column has one of these texts; one alone is asked for by itself, for the sake of its index."""
        if values is None:
            return
        if len(values) == 1:
            self.equal(column, values[0])
        else:
            self.add(f"{column} = ANY(%s)", list(values))

    def between(self, column: str, first: Any, last: Any) -> None:
        """The column lies between two values, both included."""
        if first is not None:
            self.add(f"{column} >= %s", first)
        if last is not None:
            self.add(f"{column} <= %s", last)

    def contains(self, columns: Sequence[str], text: str | None) -> None:
        """One of the columns contains a text, whatever its case."""
        if text:
            pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            self.add("(" + " OR ".join(f"{column} ILIKE %s" for column in columns) + ")", *[pattern] * len(columns))

    def managed_by(self, manager: str | None, column: str) -> None:
        """The project is one that somebody manages."""
        if manager is not None:
            self.add(f"{column} IN (SELECT project FROM project WHERE manager = %s)", manager)

    def within(self, scope: Scope, column: str = "selling_entity") -> None:
        """The legal entity is one that the asker may see."""
        if scope.entities is not None:
            self.one_of(column, sorted(scope.entities))
        if scope.regions is not None:
            regions = sorted(scope.regions)
            self.add(f"{column} IN (SELECT entity FROM legal_entity WHERE region = ANY(%s))", regions)

    @property
    def where(self) -> str:
        """The WHERE clause, empty when there is no condition."""
        return f"WHERE {' AND '.join(self._sql)}" if self._sql else ""


class Tables(Protocol):
    """What a page is read from."""

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        ...


def paged(
    view: Tables,
    select: str,
    tables: str,
    conditions: Conditions,
    sorts: Mapping[str, Sort],
    page: PageRequest,
    make: Callable[[Sequence[Any]], Answer],
) -> Page[Answer]:
    """One page of the rows of ``select`` from ``tables``; ``make`` turns each row into an answer."""
    by, order = _asked(sorts, page)
    if page.after is not None:
        values = _read_cursor(page.after, order, len(by))
        left = ", ".join(expression for expression, _ in by)
        right = ", ".join(f"%s::{kind}" for _, kind in by)
        conditions.add(f"({left}) {'<' if page.descending else '>'} ({right})", *values)
    places = ", ".join(f"({expression})::text" for expression, _ in by)
    direction = " DESC" if page.descending else ""
    ordered = ", ".join(f"{expression}{direction}" for expression, _ in by)
    limit = page.first + 1  # in the text: a plan that does not know how few rows are wanted sorts all of them
    query = f"{select}, {places} FROM {tables} {conditions.where} ORDER BY {ordered} LIMIT {limit}"
    rows = view.rows(query, conditions.values)
    shown = rows[: page.first]
    return Page(
        items=tuple(make(row[: -len(by)]) for row in shown),
        cursors=tuple(_cursor(order, row[-len(by) :]) for row in shown),
        has_next=len(rows) > page.first,
    )


def require_known(value: str | None, values: Iterable[str]) -> None:
    """Refuses to look for what is on no closed list, instead of finding nothing."""
    known = tuple(values)
    if value is not None and value not in known:
        raise UnknownValue(f"{value!r}; there is {', '.join(known)}.")


def page_of(
    answers: Sequence[Answer],
    sorts: Mapping[str, Sort],
    page: PageRequest,
    place: Callable[[Answer], tuple[str, ...]],
) -> Page[Answer]:
    """One page of a short list that is at hand in its order; ``place`` is what the cursor of an answer says."""
    by, order = _asked(sorts, page)
    listed = list(reversed(answers)) if page.descending else list(answers)
    if page.after is not None:
        behind = tuple(_read_cursor(page.after, order, len(by)))
        places = [place(answer) for answer in listed]
        if behind not in places:
            raise BadCursor
        listed = listed[places.index(behind) + 1 :]
    shown = listed[: page.first]
    cursors = tuple(_cursor(order, place(answer)) for answer in shown)
    return Page(tuple(shown), cursors, len(listed) > page.first)


def _asked(sorts: Mapping[str, Sort], page: PageRequest) -> tuple[tuple[tuple[str, str], ...], str]:
    """The expressions to sort by, and the name of the order."""
    name = page.sort or next(iter(sorts))
    if name not in sorts:
        raise UnknownSort(f"{name!r}; there is {', '.join(sorts)}.")
    if not 1 <= page.first <= FIRST_MAX:
        raise PageTooLong(f"{page.first} rows asked.")
    return sorts[name].by, name + (" desc" if page.descending else "")


def _cursor(order: str, values: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([order, *values])).decode().rstrip("=")


def _read_cursor(cursor: str, order: str, count: int) -> list[str]:
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    is_ours = isinstance(values, list) and len(values) == count + 1 and all(isinstance(each, str) for each in values)
    if not is_ours or values[0] != order:
        raise BadCursor
    return [str(value) for value in values[1:]]
