"""Whose rows PostgreSQL shows to a view of less than the whole firm, whatever its query asks for.

Every table says it where it is defined. A scoped view reads as the role ``p2c_scoped``, which owns nothing, with its
legal entities in a setting of its transaction; without the setting that role sees only what everybody may see. The
owner of a generation (who projects, rebuilds and verifies) is not subject to any of this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection, sql

SCOPED: Final = "p2c_scoped"
READERS: Final = ("p2c_reader", "p2c_auditor")
"""Roles that read a whole generation without owning it."""

SETTING: Final = "p2c.entities"
_MINE: Final = f"nullif(current_setting('{SETTING}', true), '')::text[]"


@dataclass(frozen=True, slots=True)
class Shown:
    """Which rows of a table a view sees: a condition in SQL, in which ``{table}`` is the table itself."""

    condition: str


TO_EVERYBODY: Final = Shown("true")
"""Reference data of the whole firm, such as exchange rates."""


def of_entity(*expressions: str) -> Shown:
    """Rows of which one of these columns, or expressions, is a legal entity of the view."""
    return Shown(" OR ".join(f"{each} = ANY ({_MINE})" for each in expressions))


OF_ENTITY: Final = of_entity("entity")
OF_SELLER: Final = of_entity("selling_entity")
OF_EITHER_SIDE: Final = of_entity("split_part(lender, '/', 1)", "split_part(borrower, '/', 1)")
"""What two legal entities, or practices of them as DE01/Data, have with each other: both see it."""


def shown_with(other: str, **columns: str) -> Shown:
    """Rows that belong to a row of another table that is shown; ``columns`` are theirs and ours.

    ``shown_with("project", project="project")``: what is done for a project is seen by whoever sees the project.
    """
    same = " AND ".join(f"o.{theirs} = {{table}}.{ours}" for theirs, ours in columns.items())
    return Shown(f"EXISTS (SELECT FROM {other} o WHERE {same})")


def any_of(*ways: Shown) -> Shown:
    """Rows that are shown for one of several reasons."""
    return Shown(" OR ".join(f"({each.condition})" for each in ways))


def policy(table: str, shown: Shown) -> str:
    """What lets the scoped role see its rows of a table, and nobody see more who may not see all of it already."""
    condition = shown.condition.format(table=table)
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;\n"
        f"CREATE POLICY scoped ON {table} FOR SELECT TO {SCOPED} USING ({condition});\n"
    )


def policies_of_readers(tables: Iterable[str], role: str) -> sql.Composed:
    """What lets a reader of the whole firm go on seeing all rows."""
    return sql.SQL(";").join(
        sql.SQL("CREATE POLICY {} ON {} FOR SELECT TO {} USING (true)").format(
            sql.Identifier(role), sql.Identifier(table), sql.Identifier(role)
        )
        for table in tables
    )


NARROW: Final = f"""
SELECT set_config('{SETTING}', %s::text[]::text, true),
       (SELECT set_config('role', rolname, true) FROM pg_roles
        WHERE rolname = '{SCOPED}' AND pg_has_role(oid, 'SET') AND has_schema_privilege(oid, %s, 'USAGE'))
"""
"""Until the transaction ends, only these legal entities; for the entities and the schema of a generation.

Where the role is not there, or not for this login, the scope in each query is all there is: ``p2c doctor`` says so.
"""

_ROLE: Final = f"""
SELECT r.rolsuper OR r.rolbypassrls, pg_has_role(r.oid, 'SET'), session_user
FROM pg_roles r WHERE r.rolname = '{SCOPED}'
"""
_UNGUARDED: Final = f"""
SELECT name FROM {{}}.generation
WHERE status = 'live' AND NOT coalesce(has_schema_privilege('{SCOPED}', to_regnamespace(schema), 'USAGE'), false)
"""


def obstacle(conn: Connection[Any], registry: str) -> str | None:
    """Why a scoped view could not read narrowly, for this login and the generation that is asked; None when it does."""
    found = conn.execute(_ROLE).fetchone()
    if found is None:
        return f"there is no role {SCOPED}"
    sees_all, may_become, login = found
    if sees_all:
        return f"no policy holds for {SCOPED}: it is a superuser, or has BYPASSRLS"
    if not may_become:
        return f"{login} may not take on the role {SCOPED}"
    if conn.execute("SELECT to_regclass(%s)", [f"{registry}.generation"]).fetchone() == (None,):
        return None
    live = conn.execute(sql.SQL(_UNGUARDED).format(sql.Identifier(registry))).fetchone()
    return f"the read models {live[0]} were made before there was a role {SCOPED}" if live else None
