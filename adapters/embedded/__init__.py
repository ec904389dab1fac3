"""PostgreSQL and NATS for whoever has none: real servers from wheels, their data in the home, owned by one process.

The process that holds the lock of a home owns its servers: it starts, watches, restarts and stops them. Others of the
same home find them through ``servers.json``. When the owner is killed the kernel frees the lock and asks the servers to
stop; the next owner stops what is left of them before it starts anew, so that never two servers write the same data.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from adapters.embedded.nats import ACCOUNT, NatsServer
from adapters.embedded.postgres import PostgresServer
from adapters.embedded.server import Server, ServerFailed
from adapters.settings import Settings

__all__ = ["EmbeddedServers", "HomeInUse", "ServerFailed", "found", "running"]

REUSE_SECONDS_MAX = 60.0


class HomeInUse(Exception):
    """Another process owns the embedded servers of this home."""


class EmbeddedServers:
    """The servers of one home that this process owns: those for which the settings name no address.

    ``durable=False`` is for tests that prove nothing about durability. ``accounts`` are further separate brokers in the
    same NATS server. With ``ends_with_parent`` the servers stop when the thread that started them is gone.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        durable: bool = True,
        accounts: Sequence[str] = (ACCOUNT,),
        ends_with_parent: bool = True,
    ) -> None:
        self._settings = settings
        self._durable = durable
        self._accounts = accounts
        self._tied = ends_with_parent
        self._lock: int | None = None
        self.postgres: PostgresServer | None = None
        self.nats: NatsServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.stop()

    @property
    def servers(self) -> tuple[Server, ...]:
        """The servers owned here, in the order in which they are stopped."""
        return tuple(server for server in (self.nats, self.postgres) if server is not None)

    @property
    def settings(self) -> Settings:
        """The settings with the addresses of the servers."""
        changes: dict[str, str] = {}
        if self.postgres is not None:
            changes["database_url"] = self.postgres.url()
        if self.nats is not None:
            changes |= {"nats_url": self.nats.url(self._accounts[0]), "nats_monitor_url": self.nats.monitor_url}
        return self._settings.at(**changes)

    def start(self) -> Settings:
        """Start both servers side by side and wait until they take connections; raises HomeInUse, ServerFailed."""
        self._lock = _lock_home(self._settings.home)
        try:
            self._make()
            for server in self.servers:
                server.begin()
            for server in self.servers:
                server.wait_until_ready()
        except OSError as problem:
            self.stop()
            raise ServerFailed(f"{self._settings.home} cannot be used: {problem}; choose another P2C_HOME") from problem
        except BaseException:
            self.stop()
            raise
        self._remember()
        return self.settings

    def revive(self) -> list[str]:
        """Start again what has crashed, on the same port and data; the names of the servers that were."""
        revived = [server.name for server in self.servers if server.revive()]
        if revived:
            self._remember()
        return revived

    def stop(self) -> None:
        """Stop both servers, and give the home free."""
        try:
            for server in self.servers:
                server.stop()
        finally:
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def _make(self) -> None:
        home, logs_folder = self._settings.home, self._settings.logs
        known = _remembered(home)
        if self._settings.nats_url is None:
            was = known.get("nats", {})
            self.nats = NatsServer(
                home / "nats",
                logs_folder / "nats.log",
                port=was.get("port"),
                monitor_port=was.get("monitor_port"),
                password=was.get("password") or secrets.token_urlsafe(24),
                accounts=self._accounts,
                durable=self._durable,
                ends_with_parent=self._tied,
            )
        if self._settings.database_url is None:
            was = known.get("postgres", {})
            self.postgres = PostgresServer(
                home / "postgres",
                logs_folder / "postgres.log",
                port=was.get("port"),
                password=was.get("password") or secrets.token_urlsafe(24),
                durable=self._durable,
                ends_with_parent=self._tied,
            )
            self._remember()  # before the cluster is made: its password must not be lost if we are killed
            if not was.get("password") and self.postgres.folder.exists():
                self.postgres.set_password()

    def _remember(self) -> None:
        known: dict[str, Any] = {"owner_pid": os.getpid()}
        if self.postgres is not None:
            address = urlsplit(self.postgres.url())
            known["postgres"] = {"port": self.postgres.port, "password": address.password, "url": self.postgres.url()}
        if self.nats is not None:
            address = urlsplit(self.nats.url(self._accounts[0]))
            known["nats"] = {
                "port": self.nats.port,
                "password": address.password,
                "url": self.nats.url(self._accounts[0]),
                "monitor_port": self.nats.monitor_port,
                "monitor_url": self.nats.monitor_url,
            }
        target = self._settings.home / "servers.json"
        draft = target.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(known, indent=2) + "\n")
        draft.replace(target)


@contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """The settings with the addresses of both servers: one's own, a running owner's, or started for this while."""
    if settings.database_url is not None and settings.nats_url is not None:
        yield settings
        return
    servers = EmbeddedServers(settings)
    try:
        servers.start()
    except HomeInUse:
        yield _of_owner(settings)
        return
    try:
        yield servers.settings
    finally:
        servers.stop()


def found(settings: Settings) -> Settings:
    """The settings with the addresses of the servers that run already; without an address for one that does not."""
    if settings.database_url is not None and settings.nats_url is not None:
        return settings
    try:
        lock = _lock_home(settings.home)
    except HomeInUse:
        return _of_owner(settings)
    os.close(lock)
    return settings


def _of_owner(settings: Settings) -> Settings:
    """The addresses that the owner of this home tells, once its servers take connections."""
    deadline = time.monotonic() + REUSE_SECONDS_MAX
    while time.monotonic() < deadline:
        known = _remembered(settings.home)
        changes: dict[str, str] = {}
        if settings.database_url is None and "postgres" in known:
            changes["database_url"] = known["postgres"]["url"]
        if settings.nats_url is None and "nats" in known:
            changes |= {"nats_url": known["nats"]["url"], "nats_monitor_url": known["nats"]["monitor_url"]}
        found = settings.at(**changes)
        if found.database_url and found.nats_url and all(map(_listens, (found.database_url, found.nats_url))):
            return found
        time.sleep(0.05)
    raise ServerFailed(
        f"the servers in {settings.home} do not answer; stop the `p2c up` that owns them and start it again"
    )


def _listens(url: str) -> bool:
    address = urlsplit(url.partition(",")[0])
    try:
        socket.create_connection((address.hostname or "127.0.0.1", address.port or 0), timeout=1).close()
    except OSError:
        return False
    return True


def _lock_home(home: Path) -> int:
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / "servers.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise ServerFailed(f"{home} cannot be used: {problem.strerror}; choose another P2C_HOME") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise HomeInUse(f"another process runs the servers in {home}") from None
    return lock


def _remembered(home: Path) -> dict[str, Any]:
    """What the last owner wrote; an unreadable file is as good as none, its ports and passwords are made anew."""
    try:
        known = json.loads((home / "servers.json").read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
