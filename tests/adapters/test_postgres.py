"""How the schema comes to be, what it refuses, and how one of several workers is the active one."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from adapters.eventstore.ledger import Ledger
from adapters.postgres import (
    MIGRATIONS,
    MigrationChanged,
    SchemaNewer,
    advisory_lock,
    connect,
    migrate,
    migrations,
    open_pool,
    parameters,
)
from tests.adapters.eventstore.toy_domain import CAUSE, DECIDERS, EVENTS, A, pay, received

SCHEMA = "another_cell"
NAMES = [step.name for step in migrations()]


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=1) as ledger:
        yield ledger


@pytest.fixture
def roles(database_url: str, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Our migrations with role names of their own, since roles belong to the whole server."""
    prefix = f"p2c_{uuid.uuid4().hex[:8]}"
    for step in migrations():
        (tmp_path / f"{step.name}.sql").write_text(step.text.replace("p2c_", f"{prefix}_"))
    yield prefix, tmp_path
    with connect(database_url) as conn:
        for (role,) in conn.execute("SELECT rolname FROM pg_roles WHERE rolname ^@ %s", [prefix]).fetchall():
            conn.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
            conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def login(conn: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(name)))


# -- migrations ------------------------------------------------------------------------------------------------------


def test_migrations_are_applied_once_and_in_order(database_url: str) -> None:
    assert migrate(database_url, SCHEMA) == NAMES
    assert migrate(database_url, SCHEMA) == []
    with connect(database_url, SCHEMA) as conn:
        assert [row[0] for row in conn.execute("SELECT name FROM schema_migration ORDER BY number")] == NAMES


def test_programs_that_start_together_migrate_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: migrate(database_url, SCHEMA), range(4)))
    assert sorted(results, key=len) == [[], [], [], NAMES]


def test_a_migration_that_fails_leaves_nothing_behind_and_can_be_repeated(database_url: str, tmp_path: Path) -> None:
    first = tmp_path / "0001_first.sql"
    first.write_text("CREATE TABLE one (a int); SELECT 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database_url, SCHEMA, tmp_path)
    first.write_text("CREATE TABLE one (a int);")
    assert migrate(database_url, SCHEMA, tmp_path) == ["0001_first"]


def test_an_applied_migration_may_not_change(database_url: str, tmp_path: Path) -> None:
    step = tmp_path / "0001_first.sql"
    step.write_text("CREATE TABLE one (a int);")
    migrate(database_url, SCHEMA, tmp_path)
    step.write_text("CREATE TABLE one (a bigint);")
    with pytest.raises(MigrationChanged, match="0001_first"):
        migrate(database_url, SCHEMA, tmp_path)


def test_an_older_program_does_not_touch_a_newer_schema(database_url: str, tmp_path: Path) -> None:
    migrate(database_url, SCHEMA)
    shutil.copy(MIGRATIONS / f"{NAMES[0]}.sql", tmp_path)
    with pytest.raises(SchemaNewer, match="2"):
        migrate(database_url, SCHEMA, tmp_path)


@pytest.mark.parametrize("names", [["0002_second.sql"], ["0001_one.sql", "0003_three.sql"], ["1_one.sql"]])
def test_migrations_are_numbered_without_gaps(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(ValueError, match="out of line"):
        migrations(tmp_path)


@pytest.mark.parametrize("name", ["", "Ledger", "a-b", 'a"; DROP', "x" * 64])
def test_only_plain_names_are_schemas(name: str) -> None:
    with pytest.raises(ValueError, match="schema name"):
        parameters("postgresql://localhost", name)


def test_what_the_url_says_about_the_connection_is_kept() -> None:
    given = parameters("postgresql://u@h:7/d?connect_timeout=9&options=-c%20work_mem%3D8MB&sslmode=require")
    assert (given["connect_timeout"], given["sslmode"], given["port"]) == ("9", "require", "7")
    assert given["options"].startswith("-c work_mem=8MB -c search_path=ledger")


def test_of_several_hosts_the_one_that_can_be_written_to_is_meant() -> None:
    assert parameters("postgresql://u@one:1,two:2/d")["target_session_attrs"] == "read-write"
    assert "target_session_attrs" not in parameters("postgresql://u@one:1/d")
    said = parameters("postgresql://u@one:1,two:2/d?target_session_attrs=any")
    assert said["target_session_attrs"] == "any"


# -- append-only -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["UPDATE {} SET topic = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("session", ["SELECT 1", "SET session_replication_role = replica"], ids=["owner", "replica"])
def test_recorded_events_are_never_changed_not_even_by_the_owner(
    ledger: Ledger, database_url: str, statement: str, session: str
) -> None:
    ledger.execute([pay(A)], CAUSE)
    with connect(database_url) as conn:
        conn.execute(session)
        with pytest.raises(psycopg.errors.RestrictViolation, match="never changed"):
            conn.execute(sql.SQL(statement).format(sql.Identifier("stored_events")))
    assert len(ledger.read(0, 10)) == 1


def test_a_fate_is_one_of_the_known_ones(ledger: Ledger, database_url: str) -> None:
    unit = ledger.unit()
    unit.receive(received("m1"))
    ledger.commit(unit)
    with connect(database_url) as conn, pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("UPDATE received_message SET fate = 'lost'")


# -- roles -----------------------------------------------------------------------------------------------------------


def test_each_role_may_do_its_own_work_only(database_url: str, roles: tuple[str, Path]) -> None:
    prefix, directory = roles
    migrate(database_url, SCHEMA, directory)
    may = {
        "writer": ["INSERT INTO commit_receipt VALUES (gen_random_uuid())", "SELECT 1 FROM received_message"],
        "projector": ["SELECT 1 FROM stored_events"],
        "reader": ["SELECT 1 FROM stored_events"],
        "auditor": ["SELECT 1 FROM commit_receipt"],
    }
    may_not = {
        "writer": [
            "DELETE FROM stored_events",
            "UPDATE stored_events SET topic = ''",
            "DELETE FROM received_message",
            "UPDATE command_receipt SET actor = ''",
            "CREATE TABLE mine (a int)",
        ],
        "projector": ["INSERT INTO commit_receipt VALUES (gen_random_uuid())", "UPDATE outbox SET target = ''"],
        "reader": ["SELECT 1 FROM command_receipt", "INSERT INTO stored_events SELECT * FROM stored_events"],
        "auditor": ["UPDATE received_message SET fate = 'quiet'"],
    }
    with connect(database_url, SCHEMA) as conn:
        for part, statements in may.items():
            conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(f"{prefix}_{part}")))
            for statement in statements:
                conn.execute(sql.SQL(statement))
            for statement in may_not[part]:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(sql.SQL(statement))
            conn.execute("RESET ROLE")


def test_a_login_in_the_writers_role_can_run_the_ledger(database_url: str, roles: tuple[str, Path]) -> None:
    prefix, directory = roles
    migrate(database_url, SCHEMA, directory)
    worker = f"{prefix}_worker"
    with connect(database_url) as conn:
        login(conn, worker)
        granted = sql.SQL("GRANT {} TO {}").format(sql.Identifier(f"{prefix}_writer"), sql.Identifier(worker))
        conn.execute(granted)
        for step in migrations():  # the ledger compares with its own texts, whose roles have other names
            told = sql.SQL("UPDATE {}.schema_migration SET sha256 = %s WHERE number = %s")
            conn.execute(told.format(sql.Identifier(SCHEMA)), [step.sha256, step.number])
    url = make_conninfo(database_url, user=worker, password="x")
    with Ledger(url, EVENTS, DECIDERS, schema=SCHEMA, pool_size=1) as ledger:
        unit = ledger.unit()
        unit.decide(pay(A), CAUSE)
        unit.receive(received("m1"))
        unit.track("process:x", 1)
        ledger.commit(unit)
        assert ledger.unit().state(A).balance == 1


def test_a_login_that_may_not_make_roles_still_gets_the_schema(database_url: str, roles: tuple[str, Path]) -> None:
    prefix, directory = roles
    plain = f"{prefix}_plain"
    with connect(database_url) as conn:
        login(conn, plain)
        database = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(plain)))
    url = make_conninfo(database_url, user=plain, password="x")
    assert migrate(url, SCHEMA, directory) == NAMES
    with connect(database_url, SCHEMA) as conn:
        made = conn.execute("SELECT rolname FROM pg_roles WHERE rolname ^@ %s", [prefix]).fetchall()
        assert made == [(plain,)]


def test_who_migrates_may_read_as_the_scoped_role_and_has_none_of_its_privileges_otherwise(
    database_url: str, roles: tuple[str, Path]
) -> None:
    prefix, directory = roles
    maker = f"{prefix}_maker"
    with connect(database_url) as conn:
        login(conn, maker)
        conn.execute(sql.SQL("ALTER ROLE {} CREATEROLE").format(sql.Identifier(maker)))
        database = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(maker)))
    migrate(make_conninfo(database_url, user=maker, password="x"), SCHEMA, directory)
    with connect(database_url) as conn:
        for reader in (maker, f"{prefix}_reader"):
            query = "SELECT pg_has_role(%(who)s, %(as)s, 'SET'), pg_has_role(%(who)s, %(as)s, 'USAGE')"
            assert conn.execute(query, {"who": reader, "as": f"{prefix}_scoped"}).fetchone() == (True, False), reader


# -- the single active one -------------------------------------------------------------------------------------------


def test_one_of_several_workers_is_active_and_the_next_takes_over(database_url: str) -> None:
    with connect(database_url) as first, connect(database_url) as second:
        with advisory_lock(first, "relay") as active:
            assert active
            with advisory_lock(second, "relay") as also:
                assert not also
            with advisory_lock(second, "automation") as other:
                assert other
        with advisory_lock(second, "relay") as active:
            assert active


def test_a_worker_that_died_is_replaced(database_url: str) -> None:
    first = connect(database_url)
    with connect(database_url) as second, advisory_lock(first, "relay") as active:
        assert active
        first.close()
        deadline = time.monotonic() + 60
        taken = False
        while not taken and time.monotonic() < deadline:
            with advisory_lock(second, "relay") as taken:
                time.sleep(0.01)
        assert taken


def test_workers_of_different_schemas_do_not_exclude_each_other(database_url: str) -> None:
    migrate(database_url, SCHEMA)
    with (
        connect(database_url) as one,
        connect(database_url, SCHEMA) as other,
        advisory_lock(one, "relay") as first,
        advisory_lock(other, "relay") as second,
    ):
        assert first
        assert second


def test_a_pool_gives_checked_connections_in_the_schema(database_url: str) -> None:
    with open_pool(database_url, size=2) as pool, pool.connection() as conn:
        assert conn.execute("SELECT current_schema(), current_setting('lock_timeout')").fetchone() == ("ledger", "5s")
