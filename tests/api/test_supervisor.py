"""The supervisor keeps the roles running, tells why one ended, and stops them in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest

from adapters.settings import Settings
from api.roles import Role
from api.running import supervisor
from api.running.supervisor import JobFailed, State, Supervisor, run_job
from tests.api.parts import noted, notes

JOBS = "tests.api.parts.jobs"
Supervise = Callable[..., Supervisor]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    made: list[Supervisor] = []

    def of(*names: str) -> Supervisor:
        made.append(Supervisor(Settings(home=tmp_path), [Role(name, "test", "tests.api.parts") for name in names]))
        made[-1].start()
        return made[-1]

    yield of
    for one in made:
        one.stop(seconds_max=0.3)


def step_until(supervised: Supervisor, true: Callable[[], bool], seconds_max: float = 60) -> None:
    deadline = time.monotonic() + seconds_max
    while not true():
        supervised.step(0.05)
        assert time.monotonic() < deadline


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def wait_until_gone(pid: int, seconds_max: float = 60) -> None:
    deadline = time.monotonic() + seconds_max
    while not is_gone(pid):
        assert time.monotonic() < deadline, f"{pid} still runs"
        time.sleep(0.02)


def test_a_role_that_was_killed_is_started_again_and_the_others_go_on(supervise: Supervise, tmp_path: Path) -> None:
    supervised = supervise("steady", "stubborn")
    [first], [other] = noted(tmp_path, "steady", "started"), noted(tmp_path, "stubborn", "started")

    os.kill(first, signal.SIGKILL)
    step_until(supervised, lambda: len(notes(tmp_path, "steady", "started")) == 2)

    assert supervised.children[0].restarts == 1
    assert supervised.children[0].reason == "killed by SIGKILL"
    assert notes(tmp_path, "stubborn", "started") == [other]
    assert not is_gone(other)


def test_a_role_that_fails_again_and_again_waits_longer_each_time(supervise: Supervise) -> None:
    supervised = supervise("crashing")
    child = supervised.children[0]
    pauses = []
    for failure in range(1, 4):
        step_until(supervised, lambda failure=failure: child.failures == failure)  # type: ignore[misc] # its default binds it
        assert child.state is State.WAITING
        pauses.append(child.pause_seconds)
    assert pauses == [0.2, 0.4, 0.8]


def test_the_pause_before_a_new_start_has_a_limit(supervise: Supervise) -> None:
    child = supervise("stubborn").children[0]
    child.failures = 10_000
    assert child.pause_seconds == supervisor.BACKOFF_SECONDS_MAX


def test_the_reason_of_a_failure_is_told_in_one_line_without_passwords(supervise: Supervise) -> None:
    supervised = supervise("crashing")
    step_until(supervised, lambda: supervised.children[0].failures == 1)
    assert supervised.children[0].reason == "ValueError: no rate for EUR, see postgresql://p2c:***@localhost/p2c"


def test_a_role_that_leaves_unasked_is_started_again(supervise: Supervise, tmp_path: Path) -> None:
    supervised = supervise("leaving")
    step_until(supervised, lambda: len(notes(tmp_path, "leaving", "started")) == 2)
    assert supervised.children[0].restarts == 1


def test_stopping_lets_a_role_finish_what_it_does(supervise: Supervise, tmp_path: Path) -> None:
    supervised = supervise("steady")
    pid = noted(tmp_path, "steady", "started")
    supervised.stop()
    assert notes(tmp_path, "steady", "finished") == pid
    assert supervised.children[0].state is State.STOPPED


def test_a_role_that_does_not_stop_in_its_time_is_killed(supervise: Supervise, tmp_path: Path) -> None:
    supervised = supervise("stubborn")
    [pid] = noted(tmp_path, "stubborn", "started")
    supervised.stop(seconds_max=0.2)
    assert is_gone(pid)


def test_a_second_interruption_kills_at_once(supervise: Supervise, tmp_path: Path) -> None:
    supervised = supervise("stubborn")
    noted(tmp_path, "stubborn", "started")
    supervised.hurry.set()
    began = time.monotonic()
    supervised.stop(seconds_max=600)
    assert time.monotonic() - began < 300


def test_the_roles_stop_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    script = Path(__file__).parent / "parts" / "supervised.py"
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), "steady"], env=os.environ | {"PYTHONPATH": str(Path.cwd())}
    )
    [pid] = noted(tmp_path, "steady", "started")
    parent.kill()
    parent.wait()
    assert noted(tmp_path, "steady", "finished") == [pid]
    wait_until_gone(pid)


def test_there_are_never_two_of_a_role_even_when_the_fork_server_is_killed(
    supervise: Supervise, tmp_path: Path
) -> None:
    supervised = supervise("stubborn")
    [first] = noted(tmp_path, "stubborn", "started")
    fork_server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    assert psutil.Process(first).ppid() == fork_server

    os.kill(fork_server, signal.SIGKILL)
    step_until(supervised, lambda: len(notes(tmp_path, "stubborn", "started")) == 2)

    assert is_gone(first)


def test_each_role_logs_to_a_file_of_its_own_as_json(supervise: Supervise, tmp_path: Path) -> None:
    supervised = supervise("steady")
    noted(tmp_path, "steady", "started")
    supervised.stop()
    lines = [json.loads(line) for line in (tmp_path / "logs" / "steady.log").read_text().splitlines()]
    assert [(line["role"], line["event"]) for line in lines] == [("steady", "started"), ("steady", "stopped")]


def test_a_job_reports_its_progress_and_returns_its_result(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    result = run_job(
        f"{JOBS}:counting", Settings(home=tmp_path), tmp_path / "job.log", lambda *report: seen.append(report)
    )
    assert result == [("counted", 3)]
    assert seen == [(1, 3, "messages"), (2, 3, "messages"), (3, 3, "messages")]


def test_other_work_goes_on_while_a_job_runs(tmp_path: Path) -> None:
    rounds: list[float] = []
    run_job(f"{JOBS}:counting", Settings(home=tmp_path), tmp_path / "job.log", meanwhile=rounds.append)
    assert rounds


def test_a_job_that_fails_tells_why(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match=r"^ValueError: the sample firm has no consultants$"):
        run_job(f"{JOBS}:failing", Settings(home=tmp_path), tmp_path / "job.log")


def test_a_job_that_dies_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="killed by SIGKILL"):
        run_job(f"{JOBS}:dying", Settings(home=tmp_path), tmp_path / "job.log")
