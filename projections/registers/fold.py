"""The registers of engagements, projects, customers and legal entities: views of their folded states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from domain.engagement import Engagement, EngagementOpened
from domain.kernel import decider_name, local_id, stream_of
from domain.project import Project
from domain.reference.customer import Customer
from domain.reference.legal_entity import LegalEntity
from projections.contexts import Contexts, Folded
from projections.model import Handler
from projections.registers.contract_lines import line_row, stored
from projections.row_security import OF_SELLER, TO_EVERYBODY, any_of, shown_with
from projections.shelf import Changes, Shelf, Source, always
from projections.tables import Table


@dataclass(slots=True)
class EngagementRecord:
    """One row of ``engagement``."""

    engagement: str
    title: str
    customer: str
    selling_entity: str
    currency: str
    status: str
    held_because: str | None
    opportunity: str | None
    signed_on: date | None
    starts: date | None
    ends: date | None
    purchase_order_required: bool
    purchase_order: str | None
    purchase_order_amount: Decimal | None
    purchase_order_valid_to: date | None
    lines: str
    opened_at: datetime
    updated_at: datetime
    version: int


@dataclass(slots=True)
class ProjectRecord:
    """One row of ``project``; customer and entity are those of its engagement, empty until that is opened."""

    project: str
    engagement: str
    customer: str
    selling_entity: str
    delivering_entity: str
    title: str
    line: str
    starts: date
    ends: date | None
    closed_on: date | None
    manager: str | None
    internal: bool
    status: str
    held_because: str | None
    tasks: str
    assignments: str
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(slots=True)
class CustomerRecord:
    """One row of ``customer``."""

    customer: str
    name: str
    country: str | None
    blocked_because: str | None
    version: int


@dataclass(slots=True)
class EntityRecord:
    """One row of ``legal_entity``: its newest terms, and the countries of all its terms."""

    entity: str
    name: str
    country: str
    region: str
    functional_currency: str
    time_zone: str
    countries: tuple[str, ...]
    version: int


ENGAGEMENTS: Final = Table("engagement", EngagementRecord, ("engagement",), json=("lines",), shown=OF_SELLER)
PROJECTS: Final = Table("project", ProjectRecord, ("project",), json=("tasks", "assignments"), shown=OF_SELLER)
_WHO_SELLS_TO_IT: Final = any_of(
    *(shown_with(each, customer="customer") for each in ("engagement", "invoice", "payment"))
)
CUSTOMERS: Final = Table("customer", CustomerRecord, ("customer",), shown=_WHO_SELLS_TO_IT)
ENTITIES: Final = Table("legal_entity", EntityRecord, ("entity",), shown=TO_EVERYBODY)


class RegistersFold:
    """At the end of each batch, writes down the states that the batch has changed."""

    wants: Mapping[type, Handler] = {}
    on: Mapping[type, Handler] = {}

    def __init__(self, source: Source, contexts: Contexts, *, from_zero: bool) -> None:
        self._source = source
        self._contexts = contexts
        self._engagements = Shelf(ENGAGEMENTS, source, always)
        self._projects = Shelf(PROJECTS, source, always)
        self._customers = Shelf(CUSTOMERS, source, always)
        self._entities = Shelf(ENTITIES, source, always)
        unplaced = [] if from_zero else source.find(PROJECTS, {"selling_entity": ""})
        self._unplaced = {row.project: row.engagement for row in unplaced}

    def prepare(self) -> None:
        """Nothing has to be read: the states say all."""

    def finish(self) -> None:
        """The rows of all objects that the batch has changed."""
        opened: set[str] = set()
        for stream, events in self._contexts.touched.items():
            folded, name = self._contexts.of(stream), local_id(stream)
            match decider_name(stream):
                case "engagement":
                    self._put_engagement(name, folded)
                    if any(isinstance(event, EngagementOpened) for event in events):
                        opened.add(name)
                case "project":
                    self._put_project(name, folded)
                case "customer":
                    self._customers.put((name,), _customer(name, folded))
                case "legal_entity":
                    self._entities.put((name,), _entity(name, folded))
                case _:
                    pass
        self._place_projects_of(opened)

    def collect(self, changes: Changes) -> None:
        """The rows that changed."""
        for shelf in (self._engagements, self._projects, self._customers, self._entities):
            changes.tables.append(shelf.changes())
            shelf.shrink()

    def engagements_of(self, customers: Iterable[str], entities: Iterable[str]) -> set[str]:
        """The engagements of some customers or selling entities."""
        found: set[str] = set()
        for column, values in (("customer", customers), ("selling_entity", entities)):
            for value in values:
                known = self._engagements.keep(self._source.find(ENGAGEMENTS, {column: value}))
                mine = (*known, *self._engagements.changing())
                found.update(row.engagement for row in mine if getattr(row, column) == value)
        return found

    def entities_in(self, country: str) -> list[str]:
        """The legal entities that are, were or will be in a country."""
        return [row.entity for row in self._known_entities() if country in row.countries]

    def entities(self) -> list[str]:
        """All legal entities."""
        return sorted({row.entity for row in self._known_entities()})

    def _known_entities(self) -> list[EntityRecord]:
        return [*self._entities.keep(self._source.find(ENTITIES, {})), *self._entities.changing()]

    def _put_engagement(self, name: str, folded: Folded) -> None:
        state: Engagement = folded.state
        if state.opened is None or folded.first_at is None or folded.last_at is None:
            return
        order, signed = state.purchase_order, state.signed
        status = "held" if state.held_because is not None else "signed" if signed else "opened"
        row = EngagementRecord(
            engagement=name,
            title=state.opened.title,
            customer=state.opened.customer,
            selling_entity=state.opened.selling_entity,
            currency=state.opened.currency,
            status=status,
            held_because=state.held_because,
            opportunity=state.opened.opportunity,
            signed_on=signed.signed_on if signed else None,
            starts=signed.starts if signed else None,
            ends=signed.ends if signed else None,
            purchase_order_required=state.opened.purchase_order_required,
            purchase_order=order.number if order else None,
            purchase_order_amount=order.amount.amount if order and order.amount else None,
            purchase_order_valid_to=order.valid_to if order else None,
            lines=_json(_lines(state)),
            opened_at=folded.first_at,
            updated_at=folded.last_at,
            version=folded.version,
        )
        self._engagements.put((name,), row)

    def _put_project(self, name: str, folded: Folded) -> None:
        state: Project = folded.state
        created = state.created
        if created is None or folded.first_at is None or folded.last_at is None:
            return
        opened = self._contexts.engagement(created.engagement).opened
        row = ProjectRecord(
            project=name,
            engagement=created.engagement,
            customer=opened.customer if opened else "",
            selling_entity=opened.selling_entity if opened else "",
            delivering_entity=created.delivering_entity,
            title=created.title,
            line=created.line,
            starts=created.starts,
            ends=created.ends,
            closed_on=state.closed_on,
            manager=state.manager,
            internal=created.internal,
            status=project_status(state),
            held_because=state.held_because,
            tasks=_json([_plain(task, ("task", "title", "line", "chargeable")) for task in state.tasks.values()]),
            assignments=_json([_plain(each, ("resource", "starts", "ends", "role")) for each in state.assignments]),
            created_at=folded.first_at,
            updated_at=folded.last_at,
            version=folded.version,
        )
        self._projects.put((name,), row)
        if opened is None:
            self._unplaced[name] = created.engagement
        else:
            self._unplaced.pop(name, None)

    def _place_projects_of(self, engagements: set[str]) -> None:
        """Projects that were created before their engagement was opened learn whose they are."""
        for project in [name for name, engagement in self._unplaced.items() if engagement in engagements]:
            self._put_project(project, self._contexts.of(stream_of("project", project)))


def project_status(state: Project) -> str:
    """Where a project stands, for people."""
    if state.closed_on is not None:
        return "closed"
    if state.held_because is not None:
        return "held"
    return "open" if state.open_for_time else "setting_up"


def _lines(state: Engagement) -> list[dict[str, Any]]:
    return [stored(line_row(name, state)) for name in state.lines]


def _customer(name: str, folded: Folded) -> CustomerRecord:
    state: Customer = folded.state
    return CustomerRecord(name, state.name or name, state.country, state.blocked_because, folded.version)


def _entity(name: str, folded: Folded) -> EntityRecord:
    state: LegalEntity = folded.state
    newest = max(state.versions, key=lambda terms: terms.effective_from)
    countries = tuple(sorted({terms.address.country for terms in state.versions}))
    return EntityRecord(
        name,
        newest.name,
        newest.address.country,
        newest.region,
        newest.functional_currency,
        newest.time_zone,
        countries,
        folded.version,
    )


def _plain(thing: object, fields: tuple[str, ...]) -> dict[str, Any]:
    return {field: getattr(thing, field) for field in fields}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
