"""The embedded servers are real, durable, found again, and never two on the same data, whatever was killed."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nats
import psutil
import psycopg
import pytest

from adapters import embedded
from adapters.embedded import EmbeddedServers, HomeInUse, ServerFailed
from adapters.embedded.server import free_port
from adapters.settings import Settings

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from adapters.embedded import EmbeddedServers
from adapters.settings import Settings
servers = EmbeddedServers(Settings(home=Path(sys.argv[1])), ends_with_parent=sys.argv[2] == "tied")
servers.start()
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def running(settings: Settings) -> Iterator[EmbeddedServers]:
    with EmbeddedServers(settings) as servers:
        yield servers


def ask(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url, autocommit=True) as conn:
        cursor = conn.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def keep_a_fact(settings: Settings) -> None:
    ask(settings, "CREATE TABLE fact (hours numeric); INSERT INTO fact VALUES (7.5)")

    async def publish() -> None:
        assert settings.nats_url is not None
        client = await nats.connect(settings.nats_url)
        await client.jetstream().add_stream(name="facts", subjects=["p2c.in.>"])
        await client.jetstream().publish("p2c.in.jira.worklog.created", b"7.5")
        await client.close()

    asyncio.run(publish())


def kept_facts(settings: Settings) -> tuple[list[tuple[object, ...]], int]:
    async def count() -> int:
        assert settings.nats_url is not None
        client = await nats.connect(settings.nats_url)
        try:
            return (await client.jetstream().stream_info("facts")).state.messages
        finally:
            await client.close()

    return ask(settings, "SELECT hours::text FROM fact"), asyncio.run(count())


ONE_FACT = ([("7.5",)], 1)


def pids(servers: EmbeddedServers) -> list[int]:
    return [server.pid for server in servers.servers if server.pid is not None]


def wait_until(true: Callable[[], object], seconds_max: float = 60) -> None:
    deadline = time.monotonic() + seconds_max
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def server_processes(home: Path) -> list[int]:
    """The two servers of a home, by their command lines, whoever started them.

    A child that PostgreSQL has just begun bears the command line of its parent for a moment.
    """
    found = {}
    for process in psutil.process_iter(["name", "cmdline", "ppid"]):
        words = " ".join(process.info["cmdline"] or ())
        if process.info["name"] in {"postgres", "nats-server"} and str(home) in words:
            found[process.pid] = process.info["ppid"]
    return [pid for pid, parent in found.items() if parent not in found]


def held_by_another(home: Path, how: str) -> subprocess.Popen[str]:
    """A process that owns the servers of a home, as ``p2c up`` would."""
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home), how],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "started\n"
    owner.stdout.close()
    return owner


def test_postgres_is_set_as_the_guarantees_need_it(running: EmbeddedServers) -> None:
    names = "fsync", "synchronous_commit", "full_page_writes", "data_checksums", "TimeZone", "server_encoding"
    values = ask(running.settings, "SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
    assert values == [("on", "on", "on", "on", "UTC", "UTF8")]
    [(version,)] = ask(running.settings, "SELECT current_setting('server_version_num')::int")
    assert isinstance(version, int)
    assert version >= 180000


def test_postgres_has_what_the_ledger_uses(running: EmbeddedServers) -> None:
    [(answer,)] = ask(running.settings, """SELECT '{"hours": "7.5"}'::jsonb ->> 'hours'""")
    assert answer == "7.5"
    assert running.settings.database_url is not None
    with psycopg.connect(running.settings.database_url, autocommit=True) as conn:
        conn.execute("LISTEN stored_events")
        conn.execute("NOTIFY stored_events, '42'")
        assert [note.payload for note in conn.notifies(timeout=60, stop_after=1)] == ["42"]
        assert conn.execute("SELECT count(*) FROM pg_stat_activity").fetchone() is not None


def test_nats_acknowledges_only_what_is_on_the_disk(running: EmbeddedServers) -> None:
    with urllib.request.urlopen(f"{running.settings.nats_monitor_url}/varz") as answer:  # noqa: S310 - our own server
        varz = json.load(answer)
    assert varz["jetstream"]["config"]["sync_always"] is True
    assert varz["host"] == "127.0.0.1"
    assert varz["max_payload"] == 1024 * 1024


def test_nobody_connects_without_the_password(running: EmbeddedServers) -> None:
    assert running.postgres is not None
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://p2c:wrong@127.0.0.1:{running.postgres.port}/p2c")

    assert running.nats is not None
    with socket.create_connection(("127.0.0.1", running.nats.port)) as client:
        client.sendall(b"CONNECT {}\r\nPING\r\n")
        client.settimeout(5)
        said = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"-ERR 'Authorization Violation'" in said


def test_the_file_with_the_passwords_is_the_owners_alone(running: EmbeddedServers) -> None:
    assert ((running.settings.home / "servers.json").stat().st_mode & 0o077) == 0


def test_data_and_addresses_are_there_again_after_a_restart(settings: Settings) -> None:
    with EmbeddedServers(settings) as first:
        keep_a_fact(first.settings)
        before = first.settings
    with EmbeddedServers(settings) as second:
        assert second.settings == before
        assert kept_facts(second.settings) == ONE_FACT


def test_stopping_leaves_no_process_and_frees_the_home(settings: Settings) -> None:
    with EmbeddedServers(settings) as servers:
        started = pids(servers)
        assert len(started) == 2
    assert not any(runs(pid) for pid in started)
    assert server_processes(settings.home) == []
    assert embedded.found(settings).database_url is None


def test_only_one_owns_a_home_and_the_others_use_its_servers(running: EmbeddedServers, settings: Settings) -> None:
    with pytest.raises(HomeInUse):
        EmbeddedServers(settings).start()
    with embedded.running(settings) as guest:
        assert guest == running.settings
    assert len(pids(running)) == 2
    assert embedded.found(settings) == running.settings


def test_a_command_without_an_owner_starts_the_servers_for_its_own_while(settings: Settings) -> None:
    with embedded.running(settings) as mine:
        assert ask(mine, "SELECT 1") == [(1,)]
    assert server_processes(settings.home) == []


def test_servers_of_ones_own_are_used_as_they_are(tmp_path: Path) -> None:
    own = Settings(home=tmp_path / "home", database_url="postgresql://db.example/p2c", nats_url="nats://broker.example")
    with embedded.running(own) as found:
        assert found == own
    assert not own.home.exists()


def test_only_the_missing_server_is_embedded(tmp_path: Path) -> None:
    with EmbeddedServers(Settings(home=tmp_path, nats_url="nats://broker.example")) as servers:
        assert servers.nats is None
        assert servers.settings.nats_url == "nats://broker.example"
        assert ask(servers.settings, "SELECT 1") == [(1,)]


def test_a_crashed_server_comes_back_at_its_address_with_its_data(running: EmbeddedServers) -> None:
    keep_a_fact(running.settings)
    before, killed = running.settings, pids(running)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not pids(running))

    assert sorted(running.revive()) == ["NATS", "PostgreSQL"]
    wait_until(lambda: all(server.is_ready for server in running.servers))

    assert running.settings == before
    assert kept_facts(running.settings) == ONE_FACT
    assert running.revive() == []


def test_a_server_that_keeps_crashing_is_not_started_without_a_pause(running: EmbeddedServers) -> None:
    server = running.nats
    assert server is not None

    def crash() -> bool:
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: server.pid is None)
        return server.revive(pause_seconds=60)

    assert [crash(), crash()] == [True, False]
    assert server.restarts == 1


def test_the_servers_stop_when_their_owner_is_killed(settings: Settings) -> None:
    owner = held_by_another(settings.home, "tied")
    started = server_processes(settings.home)
    assert len(started) == 2
    owner.kill()
    owner.wait()
    wait_until(lambda: not any(runs(pid) for pid in started))


def test_servers_left_over_from_a_killed_owner_are_stopped_before_new_ones_start(settings: Settings) -> None:
    owner = held_by_another(settings.home, "untied")
    keep_a_fact(embedded.found(settings))
    left = server_processes(settings.home)
    owner.kill()
    owner.wait()
    assert all(runs(pid) for pid in left)

    with EmbeddedServers(settings) as servers:
        assert not any(runs(pid) for pid in left)
        assert kept_facts(servers.settings) == ONE_FACT
    assert server_processes(settings.home) == []


def test_a_process_number_that_was_taken_over_by_another_program_does_not_hold_up_the_start(settings: Settings) -> None:
    with EmbeddedServers(settings) as servers:
        assert servers.postgres is not None
        notice = servers.postgres.folder / "postmaster.pid"
        lines = notice.read_text().splitlines()
        owner = servers.postgres.user()
    stranger = subprocess.Popen(["sleep", "60"], user=owner[0] if os.geteuid() == 0 else None)
    try:
        notice.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        os.chown(notice, *owner)
        with EmbeddedServers(settings) as again:
            assert ask(again.settings, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_that_another_program_has_taken_is_exchanged(settings: Settings) -> None:
    with EmbeddedServers(settings) as first:
        assert first.postgres is not None
        assert first.nats is not None
        wanted = first.postgres.port, first.nats.port
    squatters = [socket.create_server(("127.0.0.1", port)) for port in wanted]
    try:
        with EmbeddedServers(settings) as second:
            assert second.postgres is not None
            assert second.nats is not None
            assert second.postgres.port not in wanted
            assert second.nats.port not in wanted
            assert embedded.found(settings) == second.settings
    finally:
        for squatter in squatters:
            squatter.close()


def test_a_port_taken_between_choice_and_start_is_exchanged_too(settings: Settings) -> None:
    servers = EmbeddedServers(settings)
    with socket.create_server(("127.0.0.1", free_port())) as squatter, servers:
        assert servers.nats is not None
        servers.nats.stop()
        servers.nats.port = squatter.getsockname()[1]
        servers.nats.begin()
        servers.nats.wait_until_ready()
        assert servers.nats.port != squatter.getsockname()[1]


def test_lost_notes_cost_only_the_old_passwords(settings: Settings) -> None:
    with EmbeddedServers(settings) as first:
        keep_a_fact(first.settings)
        before = first.settings.database_url
    (settings.home / "servers.json").write_text("{ half a")
    with EmbeddedServers(settings) as second:
        assert second.settings.database_url != before
        assert kept_facts(second.settings) == ONE_FACT


def test_an_interrupted_first_start_is_begun_again(settings: Settings) -> None:
    half = settings.home / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedServers(settings) as servers:
        assert ask(servers.settings, "SELECT 1") == [(1,)]
    assert not half.exists()


@pytest.mark.parametrize(
    ("content", "complaint"), [("17\n", "is of PostgreSQL 17"), (None, "holds no PostgreSQL data")]
)
def test_data_that_this_server_cannot_read_is_left_alone(
    settings: Settings, content: str | None, complaint: str
) -> None:
    data = settings.home / "postgres"
    data.mkdir(parents=True)
    if content is not None:
        (data / "PG_VERSION").write_text(content)
    (settings.home / "servers.json").write_text('{"postgres": {"password": "known"}}')
    with pytest.raises(ServerFailed, match=complaint):
        EmbeddedServers(settings).start()
    assert server_processes(settings.home) == []


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(ServerFailed, match="choose another P2C_HOME"):
        EmbeddedServers(Settings(home=tmp_path / "home")).start()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(settings: Settings) -> None:
    with EmbeddedServers(settings) as servers:
        assert servers.postgres is not None
        data = servers.postgres.folder
    (data / "postgresql.auto.conf").write_text("shared_buffers = 'plenty'\n")
    with pytest.raises(ServerFailed, match='invalid value for parameter "shared_buffers"'):
        EmbeddedServers(settings).start()
    assert server_processes(settings.home) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_may_keep_its_home_where_nobody_else_can_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedServers(Settings(home=closed / "home")) as servers:
        assert servers.postgres is not None
        pid = servers.postgres.pid
        assert pid is not None
        assert psutil.Process(pid).uids().effective != 0
        assert ask(servers.settings, "SELECT 1") == [(1,)]
    assert (closed.stat().st_mode & 0o777) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's whole run proves it")
def test_an_ordinary_user_runs_the_servers_as_itself(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = Path("/tmp") / f"p2c-{tmp_path.name}-{os.getpid()}"  # noqa: S108 - pytest's folders are closed to others
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    code = HOLD.replace(
        'print("started", flush=True)\ntime.sleep(600)', "print(servers.postgres.user()[0]); servers.stop()"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(home), "tied"],
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert done.stdout == f"{nobody.pw_uid}\n", done.stderr
    except PermissionError:
        pytest.skip("Python or this clone lies where others cannot enter")
    finally:
        shutil.rmtree(home)
