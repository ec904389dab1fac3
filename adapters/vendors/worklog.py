"""Hours told by a time system, in the same words for all of them, so that two that tell of the same hours agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from adapters.vendors.intake import Context, Intake, Names, Resolved, revision_of
from domain.kernel import Addressed, StreamId, local_id
from domain.reference.identifier import ExternalRef
from domain.timesheet import Claim, LogTime, WithdrawTime, Work, timesheet_stream

_HOUR: Final = Decimal(3600)
_PRECISION: Final = Decimal("0.000001")
NOTE_CHARACTERS_MAX: Final = 500


class Worklog(NamedTuple):
    """Hours as a time system told them: whose, for which issue, on which local day, from which local time on."""

    source: ExternalRef
    claim: Claim
    worker: ExternalRef
    issue: ExternalRef
    day: date
    hours: Decimal
    started: str | None
    note: str
    deleted: bool = False


@lru_cache(maxsize=4096)
def hours_of_seconds(seconds: int) -> Decimal:
    """Seconds as hours, to a millionth (four milliseconds): 60 is 0.016667, 5400 is 1.5."""
    return (Decimal(seconds) / _HOUR).quantize(_PRECISION).normalize()


def clock_text(seconds_of_day: int) -> str:
    """A time of day as ``HH:MM:SS``."""
    return f"{seconds_of_day // 3600:02d}:{seconds_of_day // 60 % 60:02d}:{seconds_of_day % 60:02d}"


def intake_of(worklog: Worklog) -> Intake:
    """The statement of a worklog: hours told or withdrawn, and withdrawn where they lived before if they moved."""
    claim, day = worklog.claim, worklog.day

    def home(names: Names) -> StreamId:
        return timesheet_stream(names[worklog.worker], day)

    def touches(names: Names) -> Sequence[StreamId]:
        return (home(names),)

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        resource = resolved.names[worklog.worker]
        here = timesheet_stream(resource, day)
        if resolved.home is not None and resolved.home != here:
            yield Addressed(resolved.home, withdrawal_at(resolved.home, claim))
        if worklog.deleted:
            yield Addressed(here, WithdrawTime(resource, day, claim))
        else:
            yield Addressed(here, LogTime(resource, claim, _work(worklog, resolved.names)))

    def about(names: Names) -> Context:
        return Context(
            resource=names.get(worklog.worker, str(worklog.worker)),
            project=_place(worklog, names)[0],
            hours=worklog.hours,
            work=_work(worklog, names) if worklog.issue in names and worklog.worker in names else None,
        )

    return Intake(
        worklog.source,
        revision_of(claim.said_at),
        claim.said_at,
        (worklog.worker, worklog.issue),
        touches,
        commands,
        home,
        about,
        clocked=True,
    )


def _place(worklog: Worklog, names: Names) -> tuple[str, str | None]:
    """The project and task that an issue stands for; before that is known, the issue itself in the project's place."""
    project, _, task = names.get(worklog.issue, str(worklog.issue)).partition("/")
    return project, task or None


def _work(worklog: Worklog, names: Names) -> Work:
    project, task = _place(worklog, names)
    return Work(project, task, worklog.day, worklog.hours, started=worklog.started, note=worklog.note)


def withdrawal_at(home: StreamId, claim: Claim) -> WithdrawTime:
    """The withdrawal of hours from the week where they lived before they moved."""
    resource, _, week = local_id(home).rpartition(":")
    return WithdrawTime(resource, date.fromisoformat(week), claim)
