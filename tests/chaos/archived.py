"""Servers whose database is archived as in production, and can be restored while the broker goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

from adapters.embedded import EmbeddedServers
from adapters.embedded.postgres import PostgresServer
from adapters.postgres import connect, migrate
from adapters.settings import Settings


class Archived:
    """One home with a base backup and an archive of the write-ahead log beside it."""

    def __init__(self, folder: Path) -> None:
        self._home = folder / "home"
        self._backup, self._archive = folder / "backup", folder / "archive"
        self._servers = EmbeddedServers(Settings(home=self._home), durable=False)

    def __enter__(self) -> Self:
        self._servers.start()
        self._archive.mkdir()
        self._give_to_postgres(self._archive)
        self._set("archive_mode", "on")
        self._set("archive_command", f"cp %p {self._archive}/%f")
        self._servers.stop()
        self._servers.start()
        migrate(self._url)
        command = [str(self._postgres._bin / "pg_basebackup"), "-d", self._url, "-D", str(self._backup), "-c", "fast"]
        subprocess.run([*command, "-X", "none"], check=True, capture_output=True)
        return self

    def __exit__(self, *_failure: object) -> None:
        self._servers.stop()

    @property
    def settings(self) -> Settings:
        return self._servers.settings

    def mark(self, point: str) -> None:
        """Names this moment, so that it can be come back to."""
        with connect(self._url) as conn:
            conn.execute("SELECT pg_create_restore_point(%s)", [point])

    def restore(self, point: str) -> None:
        """The database is what it was at that moment; the broker and the target systems go on."""
        data = self._postgres.folder
        self._postgres.stop()
        shutil.rmtree(data)
        shutil.copytree(self._backup, data)
        (data / "recovery.signal").touch()
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {self._archive}/%f %p'\n")
            settings.write(f"recovery_target_name = '{point}'\nrecovery_target_action = 'promote'\n")
        self._give_to_postgres(data)
        self._postgres.begin()
        self._postgres.wait_until_ready()

    @property
    def _postgres(self) -> PostgresServer:
        assert self._servers.postgres is not None
        return self._servers.postgres

    @property
    def _url(self) -> str:
        assert self.settings.database_url is not None
        return self.settings.database_url

    def _set(self, name: str, value: str) -> None:
        with connect(self._url) as conn:
            conn.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())

    def _give_to_postgres(self, folder: Path) -> None:
        owner = self._postgres.user()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, *owner)
