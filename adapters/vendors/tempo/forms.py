"""What Tempo sends, as far as it matters here."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.numbers import Day, Seconds


class Tempo(BaseModel):
    """Anything that Tempo sends; what is not listed here is left unread."""

    model_config = ConfigDict(strict=True)


class User(Tempo):
    """A person, by the account id that Jira knows too."""

    account_id: str = Field(alias="accountId")


class IssueId(Tempo):
    """An issue, by Jira's id."""

    id: int | str


class Worklog(Tempo):
    """Hours on an issue, in seconds, from the worker's own wall clock on."""

    id: int | str = Field(alias="tempoWorklogId")
    author: User
    issue: IssueId
    seconds: Seconds = Field(alias="timeSpentSeconds")
    start_date: str = Field(alias="startDate")
    start_time: int | str | None = Field(None, alias="startTime")
    updated_at: datetime = Field(alias="updatedAt")
    description: str | None = None


class Event(Tempo):
    """A webhook: ``eventId`` is the same in every repetition."""

    event_id: str = Field(alias="eventId")
    event_type: str = Field(alias="eventType")


class WorklogEvent(Event):
    """A webhook about a worklog."""

    payload: Worklog


class Period(Tempo):
    """The days that are handed in together."""

    starts: Day = Field(alias="from")
    ends: Day = Field(alias="to")


class Status(Tempo):
    """How far the approval of a period is, who brought it there, and when."""

    key: str
    actor: User | None = None
    comment: str | None = None
    updated_at: datetime = Field(alias="updatedAt")


class Approval(Tempo):
    """The approval of one person's days, as a row of the REST API."""

    user: User
    period: Period
    status: Status
    reviewer: User | None = None
