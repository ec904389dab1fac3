"""A product line of a won deal is a contract line of the engagement.

Change events tell some fields of a line, so what was said of each field is kept with the deal, and the contract line is
made of the newest. What a cap was raised to elsewhere stays, unless Salesforce tells the cap itself anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from adapters.vendors.intake import Context, Intake, Names, Resolved, own_name, revision_of
from adapters.vendors.letter import unreadable
from adapters.vendors.numbers import Number
from adapters.vendors.salesforce.record import SYSTEM, Fields, Heading, number_text, record_id, told
from adapters.vendors.unreadable import WrongType
from domain.contract import CapPolicy, ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials, Uplift
from domain.engagement import AgreeLine, ChangeCap, Engagement
from domain.kernel import Addressed, Refused, StreamId, stream_of
from domain.money import Money
from domain.opportunity import LINE, Opportunity, TellOpportunity, opportunity_stream
from domain.ports import engagement_of
from domain.processes.provisioning import project_id
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.statements import Scalar, value

LINE_ITEM: Final = "opportunity-line-item"
OVERTIME: Final = "overtime"


class LineDeleted(Refused):
    """A line of a won deal was deleted in Salesforce."""

    code = "salesforce.line_deleted"
    fix = "Put the line back in Salesforce, or hold the engagement and settle what was worked for the line."


class BillingMethodUnknown(Refused):
    """A line of a won deal says how it is billed: T&M or Fixed Fee."""

    code = "salesforce.billing_method_unknown"
    fix = "Set Billing_Method__c of the line in Salesforce; the change settles this exception by itself."


class LineItem(Fields):
    """The fields of a line that matter here."""

    deal: str | None = Field(None, alias="OpportunityId")
    title: str | None = Field(None, alias="Name")
    total: Number | None = Field(None, alias="TotalPrice")
    method: str | None = Field(None, alias="Billing_Method__c")
    cap: Number | None = Field(None, alias="Cap__c")
    cap_policy: CapPolicy | None = Field(None, alias="Cap_Policy__c")
    overtime: Number | None = Field(None, alias="Overtime_Multiplier__c")
    milestones: str | None = Field(None, alias="Milestones__c")
    line: str | None = Field(None, alias="Line_Code__c")


class _Milestone(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    id: str
    title: str
    amount: Number
    after: list[str] = []


_MILESTONES: Final = TypeAdapter(list[_Milestone])
_METHODS: Final[dict[str, Literal["time", "fee"]]] = {
    "T&M": "time",
    "Time and Materials": "time",
    "Fixed Fee": "fee",
    "Fixed Fee Milestones": "fee",
}


def line_item(ref: ExternalRef, head: Heading, fields: LineItem) -> Intake:
    """The statement of one line; it waits until its deal is an engagement."""
    deal = ExternalRef(SYSTEM, "opportunity", record_id(fields.deal, "OpportunityId")) if fields.deal else None
    news = _news(ref, head, fields)
    needs = deal or ref

    def touches(names: Names) -> Sequence[StreamId]:
        engagement = names[needs].partition("/")[0]
        streams = (stream_of("engagement", engagement), identifier_stream(ref))
        return streams if deal is None else (*streams, opportunity_stream(SYSTEM, deal.id))

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        target = resolved.names[needs].partition("/")[0]
        if head.change == "DELETE":
            raise LineDeleted(f"{ref.id} of engagement {target}.")
        engagement = engagement_of(resolved.read, target)
        deal_id = deal.id if deal is not None else engagement.terms.opportunity or ""
        stream = opportunity_stream(SYSTEM, deal_id)
        yield Addressed(stream, TellOpportunity(deal_id, news, head.said_at))
        known_as = resolved.read(identifier_stream(ref)).target
        line = _contract_line(ref, known_as, engagement, resolved.read(stream))
        if line is None and head.change in ("CREATE", "ROW"):
            raise BillingMethodUnknown(f"{ref.id}: {fields.method!r}.")
        if line is not None:
            yield from _agreed(line, engagement, cap_is_told=told(fields, head, "cap"))
            yield Addressed(identifier_stream(ref), AssignIdentifier(ref, f"{target}/{line.line}"))

    def about(names: Names) -> Context:
        return Context(engagement=names.get(needs, str(needs)).partition("/")[0])

    return Intake(ref, revision_of(head.said_at), head.said_at, (needs,), touches, commands, about=about, clocked=True)


def _news(ref: ExternalRef, head: Heading, fields: LineItem) -> Mapping[str, Scalar]:
    said: dict[str, Scalar] = {
        "title": fields.title,
        "total": number_text(fields.total),
        "method": fields.method,
        "cap": number_text(fields.cap),
        "cap_policy": fields.cap_policy,
        "overtime": number_text(fields.overtime),
        "milestones": fields.milestones,
        "line": own_name(fields.line, "Line_Code__c") if fields.line else None,
    }
    if fields.milestones:
        _milestones(fields.milestones)
    return {f"{LINE}{ref.id}:{name}": text for name, text in said.items() if told(fields, head, name)}


def _milestones(text: str) -> list[_Milestone]:
    try:
        return _MILESTONES.validate_json(text)
    except ValidationError as error:
        raise WrongType(f"Milestones__c: {unreadable(error).detail}") from error


def _contract_line(
    ref: ExternalRef, known_as: str | None, engagement: Engagement, deal: Opportunity
) -> ContractLine | None:
    """The line as all that was said of it makes it; None while its billing method is not known."""
    said = {part: value(deal.fields, f"{LINE}{ref.id}:{part}") for part in _PARTS}
    method = _METHODS.get(said["method"] or "")
    name = known_as.partition("/")[2] if known_as else said["line"] or ref.id
    title = said["title"] or name
    if method is None:
        return None
    if method == "time":
        return ContractLine(name, title, _time_and_materials(said, engagement.currency))
    return ContractLine(name, title, _fixed_fee(name, title, said, engagement))


_PARTS: Final = ("title", "total", "method", "cap", "cap_policy", "overtime", "milestones", "line")


def _time_and_materials(said: Mapping[str, Scalar], currency: str) -> TimeAndMaterials:
    cap, overtime = said["cap"], said["overtime"]
    return TimeAndMaterials(
        cap=Money(Decimal(cap), currency) if cap else None,
        cap_policy="whole_item" if said["cap_policy"] == "whole_item" else "partial",
        uplifts=(Uplift(OVERTIME, Decimal(overtime)),) if overtime else (),
    )


def _fixed_fee(name: str, title: str, said: Mapping[str, Scalar], engagement: Engagement) -> FixedFeeMilestones:
    """The milestones as listed; without a list, the whole price is one milestone."""
    currency, project = engagement.currency, project_id(engagement.terms.engagement, name)
    if not said["milestones"]:
        whole = Money(Decimal(said["total"] or 0), currency)
        return FixedFeeMilestones(milestones=(Milestone(f"{name}-M1", title, whole, project),))
    return FixedFeeMilestones(
        milestones=tuple(
            Milestone(each.id, each.title, Money(each.amount, currency), project, tuple(each.after))
            for each in _milestones(said["milestones"])
        )
    )


def _agreed(line: ContractLine, engagement: Engagement, *, cap_is_told: bool) -> Iterable[Addressed]:
    stream = stream_of("engagement", engagement.terms.engagement)
    known = engagement.lines.get(line.line)
    if known is None:
        yield Addressed(stream, AgreeLine(line))
        return
    billing, before = line.billing, known.billing
    if isinstance(billing, TimeAndMaterials) and isinstance(before, TimeAndMaterials):
        # A new cap alone is a change of the cap: the line may be billed already.
        cap = billing.cap if cap_is_told else before.cap
        yield Addressed(stream, ChangeCap(line.line, cap))
        line = replace(line, billing=replace(billing, cap=cap))
    yield Addressed(stream, AgreeLine(line))
