"""Columns reach PostgreSQL as they are, whatever is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.eventstore import arrays
from adapters.eventstore.arrays import byte_strings, numbers, texts
from adapters.settings import Settings


@pytest.fixture(scope="module")
def conn(servers: Settings) -> Iterator[psycopg.Connection[Any]]:
    assert servers.database_url is not None
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        arrays.register(connection)
        yield connection


def came_back(conn: psycopg.Connection[Any], column: object, kind: str) -> Any:
    row = conn.execute(f"SELECT %b::{kind}[]", [column]).fetchone()
    assert row is not None
    return row[0]


storable = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
some = settings(max_examples=50, deadline=None)


@some
@given(st.lists(st.none() | storable | st.sampled_from(("again", ""))))
def test_texts_come_back_as_they_went(conn: psycopg.Connection[Any], values: list[str | None]) -> None:
    assert came_back(conn, texts(values), "text") == values


@some
@given(st.lists(st.binary()))
def test_byte_strings_come_back_as_they_went(conn: psycopg.Connection[Any], values: list[bytes]) -> None:
    assert came_back(conn, byte_strings(values), "bytea") == values


@some
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_numbers_come_back_as_they_went(conn: psycopg.Connection[Any], values: list[int | None]) -> None:
    assert came_back(conn, numbers(values), "bigint") == values
