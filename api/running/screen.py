"""What ``p2c up`` shows: live on a terminal, and plain lines where the output goes to a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from adapters.embedded.server import Server
from api.running.supervisor import Child, State
from api.running.supervisor import Progress as Report


class Screen:
    """The terminal, or whatever else standard output is."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = Console() if console is None else console

    def say(self, text: str) -> None:
        """One line, as it is."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Show that something is going on."""
        if not self.console.is_terminal:
            self.say(f"{what} ...")
            yield
            return
        with self.console.status(escape(what)):
            yield

    @contextmanager
    def measuring(self, what: str) -> Iterator[Report]:
        """A progress bar that appears with the first report, so that work already done shows nothing."""
        if not self.console.is_terminal:
            yield self._in_tenths(what)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(what, total=None, visible=False)

            def report(done: int, total: int, unit: str) -> None:
                bar.update(task, completed=done, total=total, description=f"{what}: {escape(unit)}", visible=True)

            yield report

    def _in_tenths(self, what: str) -> Report:
        shown: set[tuple[str, int]] = set()

        def report(done: int, total: int, unit: str) -> None:
            tenth = 10 * done // max(total, 1)
            if (unit, tenth) not in shown:
                shown.add((unit, tenth))
                self.say(f"{what}: {done} of {total} {unit}")

        return report

    def list(self, lines: Sequence[tuple[str, str]]) -> None:
        """Names and what belongs to them, one below the other."""
        width = max((len(what) for what, _ in lines), default=0)
        for what, where in lines:
            self.console.print(
                f"  [bold]{escape(what.ljust(width))}[/]  {escape(where)}", highlight=False, soft_wrap=True
            )

    @contextmanager
    def table(self) -> Iterator[Live | None]:
        """A place on the terminal for the table of parts; none where the output goes to a file."""
        if not self.console.is_terminal:
            yield None
            return
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            yield live


def parts_table(servers: Sequence[Server], children: Sequence[Child]) -> Table:
    """Every server and role: its state, since when, how often it had to be started again."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("part", "state", "pid", "up", "restarts", ""):
        table.add_column(title, header_style="dim", justify="right" if title in {"pid", "up", "restarts"} else "left")
    for server in servers:
        state = "[green]running[/]" if server.is_ready else "[yellow]starting[/]"
        since = _span(server.running_seconds)
        table.add_row(server.name, state, str(server.pid or "-"), since, str(server.restarts), f"port {server.port}")
    for child in children:
        table.add_row(*_row(child))
    return table


def _row(child: Child) -> tuple[str, ...]:
    runs = child.process is not None
    state = f"[{'green' if runs else 'yellow'}]{child.state.value}[/]"
    pid, since = (str(child.process.pid), _span(child.running_seconds)) if child.process is not None else ("-", "-")
    return child.role.name, state, pid, since, str(child.restarts), escape(child.role.purpose if runs else child.reason)


def trouble(child: Child) -> str:
    """What happened to a role whose state has changed."""
    match child.state:
        case State.WAITING:
            return f"{child.role.name} ended, starts again in {child.pause_seconds:.1f} s: {child.reason}"
        case State.RUNNING:
            return f"{child.role.name} runs again after {child.restarts} restarts"
        case State.STOPPED:
            return f"{child.role.name} has stopped"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
