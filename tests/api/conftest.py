from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.settings import Settings
from tests.api.asker import Asker, asking, two_entities


@pytest.fixture(scope="module")
def books(servers: Settings, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """The firm with two legal entities, for tests that only read; its read models are current."""
    name = f"books_{uuid.uuid4().hex}"
    assert servers.database_url is not None
    with psycopg.connect(servers.database_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template} STRATEGY file_copy")
        try:
            url = make_conninfo(servers.database_url, dbname=name)
            with asking(servers.at(database_url=url, home=tmp_path_factory.mktemp("home"))) as asker:
                two_entities(asker.world)
                asker.fold()
                yield asker
        finally:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)")
