"""The question of projects: which work goes on under which engagement, and whether it is open."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import cast

import strawberry

from api.graphql.asking import AsOfArgument, Info, WaitFor, Watermark, ask_one, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from domain.kernel import stream_of
from projections.registers import projects


@strawberry.enum(description="Where a project is in its life.")
class ProjectStatus(StrEnum):
    """See the description."""

    SETTING_UP = "setting_up"
    OPEN = "open"
    HELD = "held"
    CLOSED = "closed"


@strawberry.enum(description="What projects can be sorted by.")
class ProjectSort(StrEnum):
    """See the description."""

    PROJECT = "project"
    ENGAGEMENT = "engagement"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


@strawberry.type(description="A piece of a project's work.")
class Task:
    """See the description."""

    task: str
    title: str
    line: str | None = strawberry.field(description="The contract line that pays for it; null: the project's own.")
    chargeable: bool = strawberry.field(description="Whether the customer pays for it.")


@strawberry.type(description="A person's place on a project.")
class Assignment:
    """See the description."""

    resource: str = strawberry.field(description="The person, by an opaque id.")
    starts: date
    ends: date | None
    role: str | None = strawberry.field(description="The role that is billed, where it is not the person's own.")


@strawberry.type(description="The work under an engagement.")
class Project:
    """See the description."""

    project: strawberry.ID = strawberry.field(description="Its id.")
    engagement: str
    customer: str = strawberry.field(description="The customer's id.")
    customer_name: str
    selling_entity: str = strawberry.field(description="The legal entity that signs and invoices.")
    delivering_entity: str = strawberry.field(description="The legal entity that does the work.")
    title: str
    line: str = strawberry.field(description="The contract line that pays for it.")
    starts: date
    ends: date | None
    closed_on: date | None
    manager: str | None
    internal: bool = strawberry.field(description="Whether nobody is billed for it.")
    status: ProjectStatus
    held_because: str | None = strawberry.field(description="Why its work is not billed now; null: it is.")
    tasks: list[Task]
    assignments: list[Assignment]
    created_at: datetime
    updated_at: datetime = strawberry.field(description="When the ledger recorded its newest fact.")
    version: int = strawberry.field(description="How many facts its stream has.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which projects.")
class ProjectFilter:
    """See the description."""

    projects: list[str] | None = strawberry.field(default=None, description="Only these.")
    engagement: str | None = strawberry.field(default=None)
    customer: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    status: list[ProjectStatus] | None = strawberry.field(default=None)
    manager: str | None = strawberry.field(default=None)
    text: str | None = strawberry.field(default=None, description="Part of the title or the id.")


@strawberry.type(description="How many projects have a status.")
class ProjectTotals:
    """See the description."""

    status: ProjectStatus
    count: int


@strawberry.type(description="One page of projects.")
class ProjectConnection(Connection[Project]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[ProjectTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


@strawberry.type
class ProjectQueries:
    """What may be asked about projects."""

    @strawberry.field(description="Which work goes on under which engagement.")
    async def projects(
        self,
        info: Info,
        where: ProjectFilter | None = None,
        sort: ProjectSort = ProjectSort.PROJECT,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> ProjectConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(projects.ProjectFilter, where)
        return await listed(
            info,
            "projects",
            page,
            lambda asked, request: projects.find(asked.view, criteria, asked.scope, request),
            lambda asked: projects.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            ProjectConnection,
        )

    @strawberry.field(description="One project, also as it was.")
    async def project(
        self, info: Info, id: strawberry.ID, as_of: AsOfArgument = None, wait_for: WaitFor = None
    ) -> Project | None:
        """See the description."""
        found = await ask_one(
            info,
            "project",
            stream_of("project", id),
            lambda asked: projects.get(asked.view, id, asked.scope),
            lambda past, _: past.project(id),
            as_of=as_of,
            wait_for=wait_for,
        )
        return cast(Project | None, found)
