"""``p2c up``: the whole ledger on this machine, from the servers to the sample firm, until Ctrl-C."""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from urllib.parse import urlsplit

from adapters import logs
from adapters.embedded import EmbeddedServers, ServerFailed
from adapters.embedded.server import is_free
from adapters.settings import Settings, load
from api.roles import ROLES, Role
from api.running import supervisor
from api.running.forking import warm_up
from api.running.prepare import prepare
from api.running.screen import Screen, parts_table, trouble
from api.running.supervisor import JobFailed, Supervisor
from api.sample.mark import expect_sample, sample_state, where_to_look

LOAD_SAMPLE = "api.sample.firm:load_sample"
"""``load_sample(settings, progress)``: feeds the sample firm through the broker."""
READY_SECONDS_MAX = 600.0


class PortInUse(Exception):
    """Another program listens on the port of the ledger's own web address."""


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM: stop everything in its order."""


def run(*, sample: bool = True, roles: Sequence[Role] = ROLES, screen: Screen | None = None) -> None:
    """Run everything until Ctrl-C or SIGTERM; raises PortInUse, HomeInUse, ServerFailed, JobFailed, SettingsInvalid."""
    settings = load()
    if not is_free(settings.http_port):
        raise PortInUse(f"port {settings.http_port} is in use by another program: choose one with P2C_HTTP_PORT")
    Up(settings, roles, Screen() if screen is None else screen).run(sample=sample and settings.mode == "local")


class Up:
    """One run of the whole ledger."""

    def __init__(self, settings: Settings, roles: Sequence[Role], screen: Screen) -> None:
        self._settings = settings
        self._roles = roles
        self._screen = screen
        self._servers = EmbeddedServers(settings)
        self._supervisor: Supervisor | None = None
        self._stopping = False

    def run(self, *, sample: bool) -> None:
        """Start, watch, and stop: the roles first, then the servers they use."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            self._start(sample=sample)
            self._watch()
        except Interrupted:
            self._screen.say("Stopping")
        finally:
            self._stopping = True
            self._stop()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            raise Interrupted
        if self._supervisor is not None:
            self._supervisor.hurry.set()

    def _start(self, *, sample: bool) -> None:
        began = time.monotonic()
        with self._screen.doing(_how_servers_come(self._settings)):
            warm_up()
            settings = self._servers.start()
        with self._screen.doing("Preparing the database"):
            _prepare(settings)
        if sample:
            expect_sample(settings.home)
        self._supervisor = Supervisor(settings, self._roles)
        self._supervisor.start()
        if sample and sample_state(settings.home) != "loaded":
            with self._screen.measuring("Sample firm") as report:
                supervisor.run_job(LOAD_SAMPLE, settings, settings.logs / "sample.log", report, self._keep_running)
        with self._screen.doing("Catching up"):
            self._wait_until_ready()
        self._screen.say(f"Ready after {time.monotonic() - began:.1f} s; Ctrl-C stops everything")
        self._show_where_to_look(settings, sample=sample)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not _is_ready(self._settings):
            self._keep_running(0.05)
            if time.monotonic() > deadline:
                raise ServerFailed(f"not ready after {READY_SECONDS_MAX:.0f} s; the logs are in {self._settings.logs}")

    def _show_where_to_look(self, settings: Settings, *, sample: bool) -> None:
        lines = [("GraphQL", f"{settings.http_url}/graphql"), ("Tokens by role", str(settings.tokens))]
        if sample:
            lines += where_to_look(settings.home)
        self._screen.list([*lines, ("Logs", str(settings.logs))])

    def _watch(self) -> None:
        assert self._supervisor is not None
        with self._screen.table() as table:
            while True:
                if table is not None:
                    table.update(parts_table(self._servers.servers, self._supervisor.children), refresh=True)
                self._keep_running(1.0)

    def _keep_running(self, seconds_max: float) -> None:
        """One round: start again what has crashed, roles and servers, and say so."""
        assert self._supervisor is not None
        for child in self._supervisor.step(seconds_max):
            self._screen.say(trouble(child))
        for name in self._servers.revive():
            self._screen.say(f"{name} ended unasked and was started again")
        self._supervisor.shorten_logs()
        for server in self._servers.servers:
            logs.shorten(server.log)

    def _stop(self) -> None:
        with suppress(Interrupted):
            if self._supervisor is not None:
                self._supervisor.stop()
        self._servers.stop()


def _how_servers_come(settings: Settings) -> str:
    """What is said while they come: those that the settings name are reached, the others are started."""
    reached = [name for name, url in (("PostgreSQL", settings.database_url), ("NATS", settings.nats_url)) if url]
    started = [name for name in ("PostgreSQL", "NATS") if name not in reached]
    steps = [("Starting", started), ("reaching" if started else "Reaching", reached)]
    return ", ".join(f"{what} {' and '.join(names)}" for what, names in steps if names)


def _prepare(settings: Settings) -> None:
    """Here, because the process that jobs are forked from still imports what the roles share."""
    try:
        prepare(settings)
    except Exception as problem:  # noqa: BLE001 - told in one line, as of every other step
        raise JobFailed(logs.hide_passwords(f"{type(problem).__name__}: {problem}")) from None


def _is_ready(settings: Settings) -> bool:
    address = urlsplit(settings.http_url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=1)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
