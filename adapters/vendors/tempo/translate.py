"""Tempo's worklogs and approvals in the ledger's words.

The same fields have other types in webhooks and in rows of the REST API. An approval covers a person's days, so it is
told to each week that the days touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Final

from pydantic import BaseModel

from adapters.vendors.intake import Context, Intake, Names, Resolved, Vendor, moment, name, revision_of
from adapters.vendors.jira.translate import issue_ref, user_ref
from adapters.vendors.letter import Letter, sha256
from adapters.vendors.numbers import day_of_business
from adapters.vendors.tempo import forms
from adapters.vendors.unreadable import UnknownSubject, Unreadable, WrongType
from adapters.vendors.worklog import NOTE_CHARACTERS_MAX, Worklog, clock_text, hours_of_seconds, intake_of
from domain.kernel import Addressed, StreamId
from domain.periods import week_of, weeks_between
from domain.reference.identifier import ExternalRef
from domain.timesheet import Claim, DecidePeriod, PeriodVerdict, timesheet_stream

SYSTEM: Final = "tempo"
WEEKS_PER_PERIOD_MAX: Final = 54
_SECONDS_PER_DAY: Final = 86_400

VERDICTS: Final[dict[str, PeriodVerdict]] = {
    "OPEN": "open",
    "REOPENED": "open",
    "IN_REVIEW": "in_review",
    "WAITING_FOR_APPROVAL": "in_review",
    "SUBMITTED": "in_review",
    "APPROVED": "approved",
    "REJECTED": "rejected",
}
"""What Tempo's words for the state of a period mean here."""


def translate(letter: Letter) -> Sequence[Intake]:
    """The statement of one webhook or row."""
    match letter.object, letter.verb:
        case "worklog", "created" | "updated" | "deleted":
            event = letter.read(forms.WorklogEvent)
            return [_worklog(event.payload, deleted=event.event_type.endswith(".deleted"))]
        case "worklog", "row":
            return [_worklog(letter.read(forms.Worklog), deleted=False)]
        case "timesheet-approval", _:
            return [_approval(letter.read(forms.Approval))]
        case "plan", _:
            letter.read(forms.Event)
            return []  # what is planned is not worked
        case _:
            raise UnknownSubject(f"tempo has no {letter.object}.{letter.verb} here.")


def message_id(letter: Letter) -> str | None:
    """Tempo's own id of a webhook; a row is what it says."""
    if letter.object == "timesheet-approval" or letter.verb == "row":
        return f"sha256:{sha256(letter.content).hex()}"
    if letter.object == "worklog":
        with suppress(Unreadable):  # it has its id also when the hours in it cannot be read
            return letter.read(forms.WorklogEvent).event_id
    return letter.read(forms.Event).event_id


def _worklog(told: forms.Worklog, *, deleted: bool) -> Intake:
    source = ExternalRef(SYSTEM, "worklog", name(told.id, "tempoWorklogId"))
    return intake_of(
        Worklog(
            source,
            Claim(SYSTEM, source.id, moment(told.updated_at, "updatedAt")),
            user_ref(name(told.author.account_id, "author.accountId")),
            issue_ref(name(told.issue.id, "issue.id")),
            _day(told.start_date),
            hours_of_seconds(told.seconds),
            _started(told.start_time),
            (told.description or "")[:NOTE_CHARACTERS_MAX],
            deleted,
        )
    )


def _day(start_date: str) -> date:
    """The worker's own day: ``2023-05-01``, or ``2023-05-01T00:00:00.000Z`` in webhooks, where the Z means nothing."""
    try:
        return day_of_business(date.fromisoformat(start_date[:10]))
    except ValueError:
        raise WrongType(f"startDate: {start_date[:40]!r} is not a date.") from None


def _started(start_time: int | str | None) -> str | None:
    """The worker's own time of day: seconds in webhooks, ``16:00:00`` in rows."""
    if isinstance(start_time, int):
        if not 0 <= start_time < _SECONDS_PER_DAY:
            raise WrongType(f"startTime: {start_time} is not a second of the day.")
        return clock_text(start_time)
    if start_time is None:
        return None
    try:
        return f"{datetime.strptime(start_time, '%H:%M:%S'):%H:%M:%S}"  # noqa: DTZ007 -- a time of day has no zone
    except ValueError:
        raise WrongType(f"startTime: {start_time[:40]!r} is not a time of day.") from None


def _approval(told: forms.Approval) -> Intake:
    starts, ends, status = told.period.starts, told.period.ends, told.status
    verdict = VERDICTS.get(status.key)
    if verdict is None:
        raise WrongType(f"status.key: {status.key[:40]!r} is not a state of a period.")
    if ends < starts or len(weeks := weeks_between(starts, ends)) > WEEKS_PER_PERIOD_MAX:
        raise WrongType(f"period: {starts} to {ends} is not a period that people hand in.")
    said_at = moment(status.updated_at, "status.updatedAt")
    worker = user_ref(name(told.user.account_id, "user.accountId"))
    reviewer = status.actor or told.reviewer or told.user
    actor = user_ref(name(reviewer.account_id, "status.actor.accountId"))
    source = ExternalRef(SYSTEM, "timesheet-approval", f"{worker.id}/{starts}/{ends}")

    def touches(names: Names) -> Sequence[StreamId]:
        return [timesheet_stream(names[worker], week) for week in weeks]

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        resource, by = resolved.names[worker], resolved.names[actor]
        for week in weeks:
            yield Addressed(
                timesheet_stream(resource, week),
                DecidePeriod(resource, week_of(week), starts, ends, verdict, by, said_at, status.comment or ""),
            )

    def about(names: Names) -> Context:
        return Context(resource=names.get(worker, str(worker)))

    needs = (worker,) if actor == worker else (worker, actor)
    return Intake(source, revision_of(said_at), said_at, needs, touches, commands, about=about, clocked=True)


SUBJECTS: Final[Mapping[str, type[BaseModel]]] = {
    "worklog.created": forms.WorklogEvent,
    "worklog.updated": forms.WorklogEvent,
    "worklog.deleted": forms.WorklogEvent,
    "worklog.row": forms.Worklog,
    "timesheet-approval.updated": forms.Approval,
    "plan.created": forms.Event,
    "plan.updated": forms.Event,
    "plan.deleted": forms.Event,
}
VENDOR: Final = Vendor(translate, message_id, SUBJECTS)
