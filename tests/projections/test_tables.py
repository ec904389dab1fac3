"""What is written of a row by COPY, and by a statement, is the row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.row_security import TO_EVERYBODY
from projections.tables import Table


@dataclass(frozen=True, slots=True)
class Told:
    """A row with a column of each kind."""

    name: str
    note: str | None
    parts: tuple[str, ...]
    is_open: bool
    is_known: bool | None
    count: int
    place: int | None
    amount: Decimal
    rate: Decimal | None
    on: date
    until: date | None
    at: datetime
    ended_at: datetime | None


TOLD = Table("told", Told, ("name",), shown=TO_EVERYBODY)
_CREATE = """
CREATE TEMP TABLE told (name text, note text, parts text[], is_open boolean, is_known boolean, count bigint,
    place bigint, amount numeric, rate numeric, "on" date, until date, at timestamptz, ended_at timestamptz)
"""

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\\t\n\r\x00{}",N')).map(str)
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- zoned here
amounts = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
numbers = st.integers(-(2**63), 2**63 - 1)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


rows = st.builds(
    Told,
    name=texts,
    note=maybe(texts),
    parts=st.lists(texts, max_size=3).map(tuple),
    is_open=st.booleans(),
    is_known=maybe(st.booleans()),
    count=numbers,
    place=maybe(numbers),
    amount=amounts,
    rate=maybe(amounts),
    on=days,
    until=maybe(days),
    at=times,
    ended_at=maybe(times),
)


def readable(row: Told) -> Told:
    """The row as PostgreSQL can hold it: without NUL."""
    values = (
        value.replace("\x00", "\ufffd")
        if isinstance(value, str)
        else tuple(each.replace("\x00", "\ufffd") for each in value)
        if isinstance(value, tuple)
        else value
        for value in TOLD.values(row)
    )
    return TOLD.row(list(values))


@pytest.mark.parametrize("way", ["copy", "statement"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(rows, min_size=1, max_size=5))
def test_rows_read_back_as_they_were_written(empty_database_url: str, way: str, told: list[Told]) -> None:
    values = [TOLD.values(row) for row in told]
    with psycopg.connect(empty_database_url) as conn, conn.cursor(binary=True) as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(_CREATE)
        if way == "copy":
            with cursor.copy("COPY told FROM STDIN") as copying:
                copying.write(TOLD.copied(values).encode())
        else:
            query = "INSERT INTO told SELECT * FROM json_populate_recordset(NULL::told, %s::json)"
            cursor.execute(query, [TOLD.document(values)])
        stored = [TOLD.row(row) for row in cursor.execute("SELECT * FROM told").fetchall()]
        conn.rollback()
    assert stored == [readable(row) for row in told]
