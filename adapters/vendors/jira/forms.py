"""What Jira sends, as far as it matters here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.numbers import Seconds


class Jira(BaseModel):
    """Anything in a webhook of Jira; what is not listed here is left unread."""

    model_config = ConfigDict(strict=True)


class User(Jira):
    """A person by account id, with the time zone of their profile where Jira tells it."""

    account_id: str = Field(alias="accountId")
    time_zone: str | None = Field(None, alias="timeZone")


class Worklog(Jira):
    """Hours on an issue, in seconds; ``started`` carries the offset of whoever looks at it."""

    id: str | int
    issue_id: str | int = Field(alias="issueId")
    author: User
    started: datetime
    seconds: Seconds = Field(alias="timeSpentSeconds")
    comment: Any = None


class WorklogEvent(Jira):
    """A webhook about a worklog; ``timestamp`` is Jira's clock in milliseconds."""

    timestamp: int
    event: str = Field(alias="webhookEvent")
    worklog: Worklog


class Project(Jira):
    """The project of an issue, by its key."""

    key: str


class IssueFields(Jira):
    """What matters of an issue; the label ``non-billable`` says that the customer does not pay for it."""

    summary: str | None = None
    project: Project
    labels: list[str] | None = None


class Issue(Jira):
    """An issue, which is a task of a project."""

    id: str | int
    key: str
    fields: IssueFields


class LedProject(Jira):
    """A project by its key, with who leads it; nobody does where Jira assigns no lead."""

    key: str
    lead: User | None = Field(None, alias="projectLead")


class ProjectEvent(Jira):
    """A webhook about a project; ``timestamp`` is Jira's clock in milliseconds."""

    timestamp: int
    event: str = Field(alias="webhookEvent")
    project: LedProject


class IssueEvent(Jira):
    """A webhook about an issue; ``timestamp`` is Jira's clock in milliseconds."""

    timestamp: int
    event: str = Field(alias="webhookEvent")
    issue: Issue
