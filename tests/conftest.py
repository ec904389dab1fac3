"""Real servers for every test that asks for them: started once for the whole run, a fresh database for each test.

The process that was started by hand owns the servers, so that they go when it goes; the workers of pytest-xdist find
them through the environment. A test of durability or of crashes starts servers of its own (``EmbeddedServers``).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import nats
import psycopg
import pytest
import structlog

from adapters.collector import spare_the_collector
from adapters.embedded import EmbeddedServers, found
from adapters.embedded.server import free_port
from adapters.postgres import migrate
from adapters.settings import Settings
from tests.cases import report as cases

# A machine that others use as well is slow now and then, which says nothing about an example.
_PATIENT = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("shared machine", deadline=None, suppress_health_check=_PATIENT)
hypothesis.settings.load_profile("shared machine")

_HOME = "_P2C_TEST_HOME"
_TEMPLATE = "template_of_tests"
_ACCOUNTS_MAX = 16
_MEMORY_BYTES_MIN = 4 * 1024**3


def _account(worker: int) -> str:
    return f"worker{worker}"


def _folder_with_room() -> Path:
    """A folder in memory if there is one with room: copying the template takes 8 ms there, 80 ms on a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made inside
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _MEMORY_BYTES_MIN:
        return memory
    return Path(tempfile.gettempdir())


class _Servers:
    """The servers of this run, in the process that owns them."""

    def __init__(self) -> None:
        self.home = _folder_with_room() / f"p2c-tests-{uuid.uuid4().hex[:12]}"  # made when it is needed
        self.embedded = EmbeddedServers(
            Settings(home=self.home), durable=False, accounts=[_account(n) for n in range(_ACCOUNTS_MAX)]
        )
        self.started = False

    def start(self) -> None:
        if not self.started:
            self.embedded.start()
            self.started = True

    def stop(self) -> None:
        self.embedded.stop()
        shutil.rmtree(self.home, ignore_errors=True)


_owned: _Servers | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of this suite."""
    cases.options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """The process started by hand owns the servers; it starts them at once only if workers will use them."""
    config.pluginmanager.register(cases.CaseReport(config), "published-cases")
    _log_plainly()
    global _owned  # noqa: PLW0603 - one run of pytest is one process
    if hasattr(config, "workerinput"):
        return
    _owned = _Servers()
    os.environ[_HOME] = str(_owned.home)
    if config.getoption("numprocesses", None) and not config.getoption("collectonly"):
        _owned.start()


def _log_plainly() -> None:
    """Tracebacks of what a test has made fail are written as they are: to draw them with colours takes seconds."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def pytest_unconfigure() -> None:
    """Whatever happened in the tests, no server is left."""
    if _owned is not None:
        _owned.stop()


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: looking through it for garbage took a tenth of the time."""
    spare_the_collector()


@pytest.fixture(scope="session")
def servers(worker_id: str) -> Settings:
    """The shared servers: their addresses, with a NATS account for this worker alone. They are fast, not durable."""
    if _owned is not None:
        _owned.start()
    shared = found(Settings(home=Path(os.environ[_HOME])))
    worker = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    assert shared.nats_url is not None
    assert worker < _ACCOUNTS_MAX
    return shared.at(nats_url=shared.nats_url.replace(f"//{_account(0)}:", f"//{_account(worker)}:"))


@pytest.fixture(scope="session")
def server_url(servers: Settings) -> str:
    """The shared PostgreSQL, as its owner, who may make databases and roles."""
    assert servers.database_url is not None
    return servers.database_url


@pytest.fixture(scope="session")
def migrated_template(server_url: str) -> str:
    """The name of a database with the ledger's tables; a test's own database is a copy of it."""
    with _one_worker_at_a_time(), psycopg.connect(server_url, autocommit=True) as conn:
        if conn.execute("SELECT FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone() is None:
            conn.execute(f"CREATE DATABASE {_TEMPLATE}_draft")
            migrate(_database_of(server_url, f"{_TEMPLATE}_draft"))
            conn.execute(f"ALTER DATABASE {_TEMPLATE}_draft RENAME TO {_TEMPLATE}")
    return _TEMPLATE


@pytest.fixture
def database_url(server_url: str, migrated_template: str) -> Iterator[str]:
    """A database of the test's own, with the ledger's tables in the schema ``ledger``."""
    with _fresh_database(server_url, migrated_template) as url:
        yield url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """A database of the test's own, with nothing in it."""
    with _fresh_database(server_url, "template1") as url:
        yield url


@pytest.fixture
def nats_url(servers: Settings) -> Iterator[str]:
    """A broker without streams: this worker's own account, cleared after the test."""
    assert servers.nats_url is not None
    yield servers.nats_url
    asyncio.run(_delete_streams(servers.nats_url))


@pytest.fixture
def settings(servers: Settings, database_url: str, nats_url: str, tmp_path: Path) -> Settings:
    """The settings of an installation of the test's own: database, broker, home and a free port."""
    home = tmp_path / "home"
    return servers.at(home=home, database_url=database_url, nats_url=nats_url, http_port=free_port())


def _database_of(server_url: str, name: str) -> str:
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


@contextmanager
def _fresh_database(server_url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield _database_of(server_url, name)
        finally:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _one_worker_at_a_time() -> Iterator[None]:
    with (Path(os.environ[_HOME]) / "workers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def _delete_streams(url: str) -> None:
    client = await nats.connect(url)
    try:
        context = client.jetstream()
        for stream in await context.streams_info():
            assert stream.config.name is not None
            await context.delete_stream(stream.config.name)
    finally:
        await client.close()
