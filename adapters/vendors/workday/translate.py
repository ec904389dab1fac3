"""Workday's workers and companies in the ledger's words.

Every row holds from an effective date and was entered at a moment; corrections of the past and plans for the future
are normal. Of two rows about one day the one entered last counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from adapters.vendors.intake import Context, Intake, Names, Resolved, Vendor, moment, name, own_name, revision_of
from adapters.vendors.jira.translate import user_ref
from adapters.vendors.letter import Letter, sha256
from adapters.vendors.unreadable import UnknownSubject
from adapters.vendors.workday import forms
from domain.kernel import Addressed, StreamId, stream_of
from domain.money import Money
from domain.pricing.cost_currency import require_cost_currency
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.resource import DescribeResource, ResourceTerms

SYSTEM: Final = "workday"
ATLASSIAN_ID: Final = "Atlassian_Account_ID"
ROWS_MAX: Final = 1000


def translate(letter: Letter) -> Sequence[Intake]:
    """The statements of one row, or of all rows of a report."""
    is_report = letter.read(forms.Report).rows is not None
    match letter.object:
        case "worker":
            workers = letter.read(forms.Workers).rows if is_report else [letter.read(forms.Worker)]
            return [_worker(row) for row in workers]
        case "company":
            companies = letter.read(forms.Companies).rows if is_report else [letter.read(forms.Company)]
            return [_company(row) for row in companies]
        case _:
            raise UnknownSubject(f"workday has no {letter.object} here.")


def message_id(letter: Letter) -> str | None:
    """A row is what it says: worker, effective date, entry moment and all the rest."""
    return f"sha256:{sha256(letter.content).hex()}"


def _worker(row: forms.Worker) -> Intake:
    resource = own_name(row.worker.employee, "Employee_ID")
    entered = moment(row.entered, "Entry_Moment")
    entity = own_name(row.company.reference, "Company_Reference_ID")
    source = ExternalRef(SYSTEM, "worker", name(row.worker.wid, "WID"))
    known_as = [source, ExternalRef(SYSTEM, "employee", resource)]
    known_as += [user_ref(name(each.id, ATLASSIAN_ID)) for each in row.other_ids if each.type == ATLASSIAN_ID]
    effective_from, stream = row.effective_from, stream_of("resource", resource)

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        terms = ResourceTerms(
            effective_from=effective_from,
            role=row.role,
            legal_entity=entity,
            location=row.location,
            practice=row.practice,
            cost_rate=Money(row.cost_rate.amount, row.cost_rate.currency),
            capacity_hours_per_week=row.weekly_hours,
            stated_at=entered,
        )
        require_cost_currency(resolved.read, entity, terms.cost_rate, effective_from)
        yield Addressed(stream, DescribeResource(resource, terms))
        for ref in known_as:
            yield Addressed(identifier_stream(ref), AssignIdentifier(ref, resource))

    streams = (stream, stream_of("legal_entity", entity), *map(identifier_stream, known_as))
    return _statement(source, entered, streams, commands, Context(resource=resource), clocked=True)


def _company(row: forms.Company) -> Intake:
    entity = own_name(row.company.reference, "Company_Reference_ID")
    entered = moment(row.entered, "Entry_Moment")
    # The terms of one effective date are one object: what was entered last about that date counts.
    effective_from, stream = row.effective_from, stream_of("legal_entity", entity)
    source = ExternalRef(SYSTEM, "company", f"{entity}@{effective_from}")
    known_as = ExternalRef(SYSTEM, "company", name(row.company.wid, "Company.WID")) if row.company.wid else None

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        terms = LegalEntityTerms(
            effective_from=effective_from,
            name=row.title,
            address=Address(
                row.address.line, row.address.city, row.address.postal_code, row.address.country, row.address.state
            ),
            functional_currency=row.currency,
            time_zone=row.time_zone,
            tax_id=row.tax_id,
            number_prefix=row.prefix,
            approval_limit=Money(row.approval_limit, row.currency),
            region=row.region,
            payment_terms_days=row.terms_days,
        )
        yield Addressed(stream, DefineLegalEntity(entity, terms))
        if known_as is not None:
            yield Addressed(identifier_stream(known_as), AssignIdentifier(known_as, entity))

    streams = (stream, identifier_stream(known_as)) if known_as is not None else (stream,)
    return _statement(source, entered, streams, commands, Context(), clocked=False)


def _statement(
    source: ExternalRef,
    entered: datetime,
    streams: tuple[StreamId, ...],
    commands: Callable[[Resolved], Iterable[Addressed]],
    context: Context,
    *,
    clocked: bool,
) -> Intake:
    def about(_names: Names) -> Context:
        return context

    return Intake(
        source, revision_of(entered), entered, (), lambda _names: streams, commands, about=about, clocked=clocked
    )


SUBJECTS: Final[Mapping[str, type[BaseModel]]] = {
    "worker.updated": forms.Worker,
    "company.updated": forms.Company,
}
VENDOR: Final = Vendor(translate, message_id, SUBJECTS)
