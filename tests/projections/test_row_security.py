"""Beneath every query: a view of some legal entities sees their rows alone, also where a query forgets to say so."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect, open_pool
from domain.catalogue import DECIDERS, EVENTS, UPCASTS
from projections import generation, scheme
from projections.generation import GenerationInfo, Generations
from projections.reader import FIRM, Reader, Scope, View
from projections.row_security import NARROW, SCOPED, TO_EVERYBODY, obstacle
from projections.tables import Table
from tests.conftest import _fresh_database

GERMANY, AMERICA = "DE01", "US01"
GERMAN = Scope(entities=frozenset({GERMANY}))
AMERICAN = Scope(entities=frozenset({AMERICA}))
NOBODY = Scope(entities=frozenset())
TABLES = {table.name: table for table in scheme.TABLES}
ENTITY_COLUMNS = frozenset({"selling_entity", "delivering_entity", "entity", "lender", "borrower", "employer"})
VALUES = {
    "numeric": "1",
    "bigint": "1",
    "boolean": "false",
    "date": "2026-03-02",
    "timestamp with time zone": "2026-03-02T09:00:00Z",
    "json": "[]",
    "ARRAY": "{}",
}
LINKS = {("timeline", "subject"): "project:project of {}", ("journal_expense", "line"): "entry of {}"}
"""Columns that name a row of another table under another name."""


def add(conn: Connection[Any], schema: str, table: str, of: str, **told: str) -> None:
    """A row of a legal entity: its id, and what it belongs to, are called after the entity."""
    query = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
    row = {
        name: VALUES.get(kind)
        or LINKS.get((table, name), "{}" if name in ENTITY_COLUMNS else f"{name} of {{}}").format(of)
        for name, kind in conn.execute(query, [schema, table]).fetchall()
    } | told
    conn.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(schema, table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Literal, row.values())),
        )
    )


def made(generations: Generations) -> GenerationInfo:
    """A live generation with one row of each of two legal entities in every table."""
    generations.prepare()
    info = generations.create("made")
    with generations.standing_still(None) as conn:
        for table in TABLES:
            for entity in (GERMANY, AMERICA):
                add(conn, info.schema, table, entity)
        generations.switch(conn, info, None)
    return generations.get(info.name)


@pytest.fixture
def live(generations: Generations) -> GenerationInfo:
    return made(generations)


@pytest.fixture(scope="module")
def narrow(server_url: str, migrated_template: str) -> Iterator[Reader]:
    """The same, made once for those who only look."""
    with (
        _fresh_database(server_url, migrated_template) as url,
        Ledger(url, EVENTS, DECIDERS, upcasts=UPCASTS, pool_size=1) as ledger,
        open_pool(url, size=3) as pool,
    ):
        generations = Generations(partial(connect, url))
        made(generations)
        yield Reader(pool, ledger, generations)


def count(view: View, table: str) -> int:
    return int(view.rows(f"SELECT count(*) FROM {table}")[0][0])


def counts(reader: Reader, scope: Scope) -> dict[str, int]:
    """How many rows a query that says nothing of the scope finds in each table."""
    with reader.view(scope=scope) as view:
        return {name: count(view, name) for name in TABLES}


EVERYTHING = dict.fromkeys(TABLES, 2)
OF_ONE = {name: 2 if table.shown == TO_EVERYBODY else 1 for name, table in TABLES.items()}
OF_NONE = {name: 2 if table.shown == TO_EVERYBODY else 0 for name, table in TABLES.items()}


# -- what is seen ----------------------------------------------------------------------------------------------------


def test_what_everybody_sees_is_reference_data_of_the_firm() -> None:
    everybody = {name for name, table in TABLES.items() if table.shown == TO_EVERYBODY}
    assert everybody == {"legal_entity", "fx_rate", "fx_policy", "source"}


@pytest.mark.parametrize("table", TABLES)
def test_a_query_that_forgets_its_scope_sees_the_rows_of_the_scope_alone(narrow: Reader, table: str) -> None:
    with narrow.view() as view:
        german, american = sorted(view.rows(f"SELECT t::text FROM {table} t"), key=lambda row: AMERICA in row[0])
    found = {}
    for scope in (GERMAN, AMERICAN, NOBODY):
        with narrow.view(scope=scope) as view:
            found[scope] = set(view.rows(f"SELECT t::text FROM {table} t"))
    if TABLES[table].shown == TO_EVERYBODY:
        assert found == {scope: {german, american} for scope in found}
    else:
        assert found == {GERMAN: {german}, AMERICAN: {american}, NOBODY: set()}


def test_every_table_of_a_generation_has_a_policy(ledger: Ledger, live: GenerationInfo, database_url: str) -> None:
    with connect(database_url) as conn:
        rows = conn.execute(
            "SELECT c.relname, c.relrowsecurity, array_agg(p.polname::text ORDER BY 1) FROM pg_class c"
            " LEFT JOIN pg_policy p ON p.polrelid = c.oid WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r'"
            " GROUP BY 1, 2",
            [live.schema],
        ).fetchall()
    assert {name: (True, ["p2c_auditor", "p2c_reader", "scoped"]) for name in TABLES} == {
        name: (enabled, sorted(policies)) for name, enabled, policies in rows
    }


def test_regions_are_the_entities_that_are_in_them(narrow: Reader) -> None:
    germany = frozenset({"region of DE01"})
    assert counts(narrow, Scope(regions=germany)) == OF_ONE
    assert counts(narrow, Scope(frozenset({GERMANY}), germany)) == OF_ONE
    assert counts(narrow, Scope(frozenset({AMERICA}), germany)) == OF_NONE


def test_an_entity_is_never_a_piece_of_sql(narrow: Reader) -> None:
    for name in ("DE01,US01", "DE01}", '{"US01"}', "'", '"', "\\", "", "NULL", "*"):
        assert counts(narrow, Scope(entities=frozenset({name}))) == OF_NONE, name


def test_what_two_entities_have_with_each_other_both_see(
    reader: Reader, live: GenerationInfo, database_url: str
) -> None:
    with connect(database_url) as conn:
        for table in ("transfer", "intercompany_invoice", "intercompany_agreement"):
            key = {"transfer": "lot", "intercompany_invoice": "number"}.get(table, "effective_from")
            add(conn, live.schema, table, "-", **{key: "1"}, lender="DE01/Data", borrower="FR01/Audit")
        for table in ("item", "journal_lot"):
            side = "selling_entity" if table == "item" else "entity"
            add(conn, live.schema, table, "-", **{side: GERMANY, "delivering_entity": "FR01"})
    france = counts(reader, Scope(entities=frozenset({"FR01"})))
    german, american = counts(reader, GERMAN), counts(reader, AMERICAN)
    for table in ("transfer", "intercompany_invoice", "intercompany_agreement", "item", "journal_lot"):
        assert (german[table], france[table], american[table]) == (2, 1, 1), table


def test_an_employer_sees_when_somebody_left_for_another_one(
    reader: Reader, live: GenerationInfo, database_url: str
) -> None:
    with connect(database_url) as conn:
        the_german = {"resource": f"resource of {GERMANY}", "effective_from": "2026-05-01"}
        add(conn, live.schema, "resource_terms", AMERICA, **the_german)
    assert counts(reader, GERMAN)["resource_terms"] == 2
    assert counts(reader, AMERICAN)["resource_terms"] == 3, "its own person, and the terms of the one who came"


# -- for how long ----------------------------------------------------------------------------------------------------


def test_a_scope_ends_with_its_view(ledger: Ledger, generations: Generations, database_url: str) -> None:
    made(generations)
    with open_pool(database_url, size=1) as pool:
        reader = Reader(pool, ledger, generations)
        for turn in range(8):  # more often than it takes until the connection keeps the plans of its statements
            assert counts(reader, GERMAN) == OF_ONE, turn
            assert counts(reader, FIRM) == EVERYTHING, turn
            assert counts(reader, NOBODY) == OF_NONE, turn
        with pytest.raises(psycopg.errors.DivisionByZero), reader.view(scope=GERMAN) as view:
            view.rows("SELECT 1 / 0")
        assert counts(reader, FIRM) == EVERYTHING
        with pool.connection() as conn:
            assert conn.execute("SELECT current_user = session_user, current_setting('p2c.entities')").fetchone() == (
                True,
                "",
            )


def test_views_that_are_open_together_see_each_its_own(narrow: Reader) -> None:
    def seen(view: View) -> list[tuple[Any, ...]]:
        return view.rows("SELECT selling_entity FROM engagement ORDER BY 1")

    with narrow.view(scope=GERMAN) as german, narrow.view() as firm, narrow.view(scope=AMERICAN) as american:
        for _ in range(7):
            assert (seen(german), seen(american)) == ([(GERMANY,)], [(AMERICA,)])
            assert seen(firm) == [(GERMANY,), (AMERICA,)]


def test_the_role_without_entities_sees_nobodys_rows(live: GenerationInfo, database_url: str) -> None:
    with connect(database_url, live.schema) as conn:
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(SCOPED)))
        for name, table in TABLES.items():
            rows = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
            assert rows == (2 if table.shown == TO_EVERYBODY else 0,), name


def test_a_view_of_the_whole_firm_sends_no_more_than_before(
    ledger: Ledger, generations: Generations, live: GenerationInfo, database_url: str
) -> None:
    sent: list[str] = []

    class Told(Connection[Any]):
        def execute(self, query: Any, *values: Any, **options: Any) -> Any:
            sent.append(query)
            return super().execute(query, *values, **options)

    told: type[Connection[Any]] = Told
    with ConnectionPool(database_url, connection_class=told, kwargs={"autocommit": True}, min_size=1) as pool:
        reader = Reader(pool, ledger, generations)
        for scope, more in ((FIRM, []), (GERMAN, [NARROW])):
            sent.clear()
            with reader.view(scope=scope):
                pass
            begins = [text.split()[0] for text in sent]
            assert begins == ["SET", "SELECT", *["SELECT" for _ in more], "SELECT"]
            assert [text for text in sent if text == NARROW] == more


# -- for whom --------------------------------------------------------------------------------------------------------


@pytest.fixture
def ordinary(database_url: str) -> Iterator[str]:
    """The address of the database for a login that is no superuser and may make no roles."""
    name = f"ordinary_{uuid.uuid4().hex[:8]}"
    with connect(database_url) as conn:
        role, database = sql.Identifier(name), sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(role))
        conn.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, role))
        yield make_conninfo(database_url, user=name, password="x")
        conn.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
        conn.execute(sql.SQL("DROP ROLE {}").format(role))


def test_an_ordinary_login_reads_narrowly_once_it_may_take_on_the_role(
    ledger: Ledger, database_url: str, ordinary: str
) -> None:
    generations = Generations(partial(connect, ordinary), "ordinary")
    made(generations)
    with open_pool(ordinary, size=1) as pool:
        reader = Reader(pool, ledger, generations)
        assert counts(reader, GERMAN) == EVERYTHING, "it may not: the scope of each query is all there is"
        with connect(ordinary) as conn:
            login = conn.info.user
            assert obstacle(conn, generations.registry) == f"{login} may not take on the role p2c_scoped"
        with connect(database_url) as conn:
            role = sql.Identifier(str(conninfo_to_dict(ordinary)["user"]))
            conn.execute(sql.SQL("GRANT p2c_scoped TO {} WITH INHERIT FALSE").format(role))
        assert counts(reader, GERMAN) == OF_ONE
        assert counts(reader, FIRM) == EVERYTHING
        with connect(ordinary) as conn:
            assert obstacle(conn, generations.registry) is None


def test_read_models_that_were_made_before_the_role_are_asked_as_before_and_found(
    reader: Reader, generations: Generations, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "SCOPED", "p2c_not_there")
    live = made(generations)
    assert counts(reader, GERMAN) == EVERYTHING
    with connect(database_url) as conn:
        found = obstacle(conn, generations.registry)
    assert found == f"the read models {live.name} were made before there was a role p2c_scoped"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("ALTER ROLE p2c_scoped RENAME TO p2c_other", "there is no role p2c_scoped"),
        ("ALTER ROLE p2c_scoped BYPASSRLS", "no policy holds for p2c_scoped: it is a superuser, or has BYPASSRLS"),
        ("ALTER ROLE p2c_scoped SUPERUSER", "no policy holds for p2c_scoped: it is a superuser, or has BYPASSRLS"),
        ("SELECT", None),
    ],
)
def test_a_role_that_does_not_narrow_is_found(database_url: str, change: str, found: str | None) -> None:
    with connect(database_url) as conn, conn.transaction(force_rollback=True):
        conn.execute(change)
        assert obstacle(conn, "no_registry_yet") == found


@pytest.mark.parametrize("role", ["p2c_reader", "p2c_auditor"])
def test_who_reads_for_the_whole_firm_without_owning_it_sees_all_rows(
    live: GenerationInfo, database_url: str, role: str
) -> None:
    with connect(database_url, live.schema) as conn:
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        for name in TABLES:
            assert conn.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone() == (2,)


def test_readers_may_take_on_the_scoped_role_and_do_not_have_its_eyes_otherwise(database_url: str) -> None:
    query = "SELECT pg_has_role('p2c_reader', 'p2c_scoped', 'SET'), pg_has_role('p2c_reader', 'p2c_scoped', 'USAGE')"
    with connect(database_url) as conn:
        assert conn.execute(query).fetchone() == (True, False)


def test_a_table_cannot_be_defined_without_saying_whose_rows_it_has() -> None:
    with pytest.raises(TypeError, match="shown"):
        Table("new", Scope, ("entities",))  # type: ignore[call-arg]  # what is tested
