"""Workday's workers and companies in the ledger's words.

Every row holds from an effective date and was entered at a moment; corrections of the past and plans for the future
are normal. Of two rows about one day the one entered last counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.intake import Context, Intake, Names, Resolved, Vendor, moment, name, own_name, revision_of
from adapters.vendors.jira.translate import user_ref
from adapters.vendors.letter import Letter, sha256
from adapters.vendors.unreadable import UnknownSubject, WrongType
from domain.kernel import Addressed, StreamId, stream_of
from domain.money import Money
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.resource import DescribeResource, ResourceTerms

SYSTEM: Final = "workday"
ATLASSIAN_ID: Final = "Atlassian_Account_ID"
ROWS_MAX: Final = 1000


class Workday(BaseModel):
    """Anything in a row; what is not listed here is left unread."""

    model_config = ConfigDict(strict=True)


class WorkerId(Workday):
    """A worker, by Workday's own id and the firm's."""

    wid: str = Field(alias="WID")
    employee: str = Field(alias="Employee_ID")


class CompanyId(Workday):
    """A company, by Workday's own id and the firm's."""

    wid: str | None = Field(None, alias="WID")
    reference: str = Field(alias="Company_Reference_ID")


class Amount(Workday):
    """An amount of money."""

    amount: Decimal = Field(alias="Amount")
    currency: str = Field(alias="Currency")


class OtherId(Workday):
    """The worker's id in another system; type ``Atlassian_Account_ID`` is the one that matters."""

    type: str = Field(alias="Type")
    id: str = Field(alias="ID")


class Row(Workday):
    """What every row has: from when on it holds, and when it was entered."""

    effective: str = Field(alias="Effective_Date")
    entered: datetime = Field(alias="Entry_Moment")

    @property
    def effective_from(self) -> date:
        """Workday writes a date with the tenant's offset behind it at times; the date is meant."""
        try:
            return date.fromisoformat(self.effective[:10])
        except ValueError:
            raise WrongType(f"Effective_Date: {self.effective[:40]!r} is not a date.") from None


class Worker(Row):
    """A worker's role, employer, place and cost from a day on."""

    worker: WorkerId = Field(alias="Worker")
    role: str = Field(alias="Job_Profile", min_length=1)
    company: CompanyId = Field(alias="Company")
    location: str = Field("", alias="Location")
    practice: str = Field("", alias="Practice")
    cost_rate: Amount = Field(alias="Cost_Rate")
    weekly_hours: Decimal = Field(Decimal(40), alias="Scheduled_Weekly_Hours")
    other_ids: list[OtherId] = Field(default=[], alias="Other_IDs")


class Address(Workday):
    """Where post arrives."""

    line: str = Field("", alias="Line_1")
    city: str = Field("", alias="City")
    postal_code: str = Field("", alias="Postal_Code")
    country: str = Field(alias="Country_ISO_Code", pattern="^[A-Z]{2}$")


class Company(Row):
    """A legal entity's terms from a day on."""

    company: CompanyId = Field(alias="Company")
    title: str = Field(alias="Name", min_length=1)
    address: Address = Field(alias="Address")
    currency: str = Field(alias="Currency")
    time_zone: str = Field(alias="Time_Zone")
    tax_id: str | None = Field(None, alias="Tax_ID")
    prefix: str = Field(alias="Invoice_Number_Prefix", min_length=1)
    approval_limit: Decimal = Field(alias="Invoice_Approval_Limit")
    region: str = Field("", alias="Region")
    terms_days: int = Field(30, alias="Payment_Terms_Days", ge=0, le=365)


class Report(Workday):
    """Rows as a report holds them."""

    rows: list[dict[str, object]] | None = Field(None, alias="Report_Entry", max_length=ROWS_MAX)


class Workers(Workday):
    """A report of workers."""

    rows: list[Worker] = Field(alias="Report_Entry")


class Companies(Workday):
    """A report of companies."""

    rows: list[Company] = Field(alias="Report_Entry")


def translate(letter: Letter) -> Sequence[Intake]:
    """The statements of one row, or of all rows of a report."""
    is_report = letter.read(Report).rows is not None
    match letter.object:
        case "worker":
            return [_worker(row) for row in (letter.read(Workers).rows if is_report else [letter.read(Worker)])]
        case "company":
            return [_company(row) for row in (letter.read(Companies).rows if is_report else [letter.read(Company)])]
        case _:
            raise UnknownSubject(f"workday has no {letter.object} here.")


def message_id(letter: Letter) -> str | None:
    """A row is what it says: worker, effective date, entry moment and all the rest."""
    return f"sha256:{sha256(letter.content).hex()}"


def _worker(row: Worker) -> Intake:
    resource = own_name(row.worker.employee, "Employee_ID")
    entered = moment(row.entered, "Entry_Moment")
    entity = own_name(row.company.reference, "Company_Reference_ID")
    source = ExternalRef(SYSTEM, "worker", name(row.worker.wid, "WID"))
    known_as = [source, ExternalRef(SYSTEM, "employee", resource)]
    known_as += [user_ref(name(each.id, ATLASSIAN_ID)) for each in row.other_ids if each.type == ATLASSIAN_ID]
    effective_from, stream = row.effective_from, stream_of("resource", resource)

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
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
        yield Addressed(stream, DescribeResource(resource, terms))
        for ref in known_as:
            yield Addressed(identifier_stream(ref), AssignIdentifier(ref, resource))

    streams = (stream, *map(identifier_stream, known_as))
    return _statement(source, entered, streams, commands, Context(resource=resource), clocked=True)


def _company(row: Company) -> Intake:
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
            address=Address(row.address.line, row.address.city, row.address.postal_code, row.address.country),
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


VENDOR: Final = Vendor(translate, message_id)
