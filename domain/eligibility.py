"""Eligibility says whether work may be billed, and if not, every reason why, with what removes it.

One pure function decides. The read model calls it to show, and drafting an invoice calls the same one to decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from domain.engagement import Engagement, TimeAndMaterials
from domain.kernel import StreamId, stream_of
from domain.lots import Lot
from domain.money import zero
from domain.project import Project
from domain.reference.customer import Customer
from domain.reference.legal_entity import LegalEntity
from domain.reference.tax_rule import TaxRules
from domain.tax import treatment_of

OwnerRole = Literal["worker", "project_manager", "finance_preparer", "finance_approver", "integration"]


class ReasonCode(StrEnum):
    """Why work is not billed: a closed list, a contract with every program that reads it."""

    NOT_SUBMITTED = "NOT_SUBMITTED"
    NOT_APPROVED = "NOT_APPROVED"
    APPROVAL_REVOKED = "APPROVAL_REVOKED"
    REJECTED = "REJECTED"
    APPROVER_REDUCED = "APPROVER_REDUCED"
    DUPLICATE_ENTRY = "DUPLICATE_ENTRY"
    LATE_ENTRY_AFTER_CUTOFF = "LATE_ENTRY_AFTER_CUTOFF"
    WORK_DATE_OUTSIDE_ASSIGNMENT = "WORK_DATE_OUTSIDE_ASSIGNMENT"
    HOURS_EXCEED_DAILY_LIMIT = "HOURS_EXCEED_DAILY_LIMIT"
    RECEIPT_MISSING = "RECEIPT_MISSING"
    EXPENSE_POLICY_VIOLATION = "EXPENSE_POLICY_VIOLATION"
    NO_CONTRACT_LINE = "NO_CONTRACT_LINE"
    CONTRACT_NOT_SIGNED = "CONTRACT_NOT_SIGNED"
    CONTRACT_ON_HOLD = "CONTRACT_ON_HOLD"
    CONTRACT_ENDED = "CONTRACT_ENDED"
    WORK_DATE_BEFORE_START = "WORK_DATE_BEFORE_START"
    WORK_DATE_AFTER_END = "WORK_DATE_AFTER_END"
    PROJECT_INTERNAL = "PROJECT_INTERNAL"
    PROJECT_BILLING_HOLD = "PROJECT_BILLING_HOLD"
    CHANGE_ORDER_PENDING = "CHANGE_ORDER_PENDING"
    TASK_NOT_CHARGEABLE = "TASK_NOT_CHARGEABLE"
    ROLE_NOT_CHARGEABLE = "ROLE_NOT_CHARGEABLE"
    CATEGORY_NOT_CHARGEABLE = "CATEGORY_NOT_CHARGEABLE"
    INCLUDED_IN_FIXED_FEE = "INCLUDED_IN_FIXED_FEE"
    COMPLIMENTARY = "COMPLIMENTARY"
    PO_MISSING = "PO_MISSING"
    PO_EXPIRED = "PO_EXPIRED"
    PO_EXHAUSTED = "PO_EXHAUSTED"
    NO_RATE = "NO_RATE"
    ZERO_RATE_UNCONFIRMED = "ZERO_RATE_UNCONFIRMED"
    AMBIGUOUS_RATE = "AMBIGUOUS_RATE"
    RATE_PENDING_APPROVAL = "RATE_PENDING_APPROVAL"
    FX_RATE_MISSING = "FX_RATE_MISSING"
    TAX_UNDETERMINED = "TAX_UNDETERMINED"
    CUSTOMER_TAX_ID_INVALID = "CUSTOMER_TAX_ID_INVALID"
    CAP_EXCEEDED = "CAP_EXCEEDED"
    RETAINER_EXHAUSTED = "RETAINER_EXHAUSTED"
    RETAINER_NOT_INVOICED = "RETAINER_NOT_INVOICED"
    MILESTONE_NOT_ACCEPTED = "MILESTONE_NOT_ACCEPTED"
    MILESTONE_EVIDENCE_MISSING = "MILESTONE_EVIDENCE_MISSING"
    PREDECESSOR_INCOMPLETE = "PREDECESSOR_INCOMPLETE"
    SCHEDULE_NOT_DUE = "SCHEDULE_NOT_DUE"
    BELOW_MINIMUM_INVOICE = "BELOW_MINIMUM_INVOICE"
    POSTPONED_BY_USER = "POSTPONED_BY_USER"
    DISPUTED = "DISPUTED"
    CUSTOMER_NOT_SYNCED = "CUSTOMER_NOT_SYNCED"
    PROJECT_NOT_SYNCED = "PROJECT_NOT_SYNCED"
    BILL_TO_MISSING = "BILL_TO_MISSING"
    CUSTOMER_BLOCKED = "CUSTOMER_BLOCKED"
    ENTITY_NOT_MAPPED = "ENTITY_NOT_MAPPED"
    ACCOUNT_MAPPING_MISSING = "ACCOUNT_MAPPING_MISSING"
    PERIOD_CLOSED = "PERIOD_CLOSED"
    ERP_REJECTED = "ERP_REJECTED"
    INTERCOMPANY_AGREEMENT_MISSING = "INTERCOMPANY_AGREEMENT_MISSING"
    TRANSFER_PRICE_MISSING = "TRANSFER_PRICE_MISSING"
    STALE_SOURCE = "STALE_SOURCE"
    RESERVED_ON_DRAFT = "RESERVED_ON_DRAFT"
    ALREADY_BILLED = "ALREADY_BILLED"
    WRITTEN_OFF = "WRITTEN_OFF"
    TRANSFERRED = "TRANSFERRED"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """Work that is not rated yet: an entry or an expense line, where it stands, and why it could not be rated.

    ``stream`` holds it. ``status`` is captured, submitted, approved or rejected. ``was_revoked``: it had been approved.
    """

    stream: StreamId
    status: str
    resource: str
    work_date: date
    task: str | None = None
    was_revoked: bool = False
    unrated_code: str | None = None
    unrated_detail: str = ""
    receipt_missing: bool = False


@dataclass(frozen=True, slots=True)
class LotFacts:
    """An open lot and the stream that holds it."""

    stream: StreamId
    lot: Lot
    receipt_missing: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What the decision depends on besides the work itself, as it stands at one position of the log."""

    engagement: Engagement
    project: Project | None
    customer: Customer
    entity: LegalEntity
    tax_rules: TaxRules


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason: the object that blocks, the events that may have caused it, who can remove it, and how.

    ``caused_by`` are published event names; the latest of them on ``blocking`` says since when. When none happened,
    something is missing since the work itself was recorded.
    """

    code: ReasonCode
    blocking: StreamId
    caused_by: tuple[str, ...]
    owner_role: OwnerRole
    what_to_do: str
    resolves_itself: bool = False


def decide(subject: LotFacts | EntryFacts, context: Context) -> tuple[Blocker, ...]:
    """All reasons why work may not be billed now, in the order of the closed list; none means eligible."""
    found = [*_of_capture(subject), *_of_assignment(subject, context)]
    if context.engagement.opened is None:
        missing = stream_of("engagement", subject.lot.engagement if isinstance(subject, LotFacts) else "")
        found.append(_no_line(missing))
    else:
        found += [
            *_of_contract(subject, context),
            *_of_project(subject, context),
            *_of_order(subject, context),
            *_of_price(subject),
            *_of_tax(subject, context),
            *_of_master_data(context),
        ]
    return tuple(sorted(found, key=lambda blocker: _ORDER[blocker.code]))


_ORDER = {code: index for index, code in enumerate(ReasonCode)}


def _of_capture(subject: LotFacts | EntryFacts) -> Iterator[Blocker]:
    if subject.receipt_missing:
        caused_by: tuple[str, ...] = ("expense.recorded.v1",)
        what = "Attach the receipt in the expense system."
        yield Blocker(ReasonCode.RECEIPT_MISSING, subject.stream, caused_by, "worker", what, True)
    if isinstance(subject, LotFacts):
        return
    match subject.status:
        case "captured":
            caused_by = ("timesheet.time_logged.v1", "timesheet.time_corrected.v1", "expense.recorded.v1")
            what = "Submit the work for approval in the time system."
            yield Blocker(ReasonCode.NOT_SUBMITTED, subject.stream, caused_by, "worker", what, True)
        case "submitted" if subject.was_revoked:
            caused_by = ("timesheet.approval_revoked.v1",)
            what = "Approve the work again, or have it corrected."
            yield Blocker(ReasonCode.APPROVAL_REVOKED, subject.stream, caused_by, "project_manager", what, True)
        case "submitted":
            caused_by = ("timesheet.submitted.v1", "expense.submitted.v1")
            what = "Approve or reject the work."
            yield Blocker(ReasonCode.NOT_APPROVED, subject.stream, caused_by, "project_manager", what, True)
        case "rejected":
            caused_by = ("timesheet.rejected.v1", "expense.rejected.v1")
            what = "Correct the work and submit it again."
            yield Blocker(ReasonCode.REJECTED, subject.stream, caused_by, "worker", what, True)
        case _:
            return


def _of_assignment(subject: LotFacts | EntryFacts, context: Context) -> Iterator[Blocker]:
    project = context.project
    resource = subject.lot.resource if isinstance(subject, LotFacts) else subject.resource
    if project is None or project.created is None or not project.assignments or not resource:
        return
    if project.assignment_of(resource, _work_date(subject)) is None:
        caused_by: tuple[str, ...] = ("project.resource_assigned.v1",)
        what = f"Assign {resource} to the project for the work date, or have the entry moved."
        stream = stream_of("project", project.terms.project)
        yield Blocker(ReasonCode.WORK_DATE_OUTSIDE_ASSIGNMENT, stream, caused_by, "project_manager", what, True)


def _work_date(subject: LotFacts | EntryFacts) -> date:
    return subject.lot.work_date if isinstance(subject, LotFacts) else subject.work_date


def _no_line(engagement: StreamId) -> Blocker:
    what = "Agree the contract line in the engagement, or move the project to another line."
    return Blocker(ReasonCode.NO_CONTRACT_LINE, engagement, ("engagement.opened.v1",), "finance_preparer", what, True)


def _of_contract(subject: LotFacts | EntryFacts, context: Context) -> Iterator[Blocker]:
    engagement = context.engagement
    stream = stream_of("engagement", engagement.terms.engagement)
    line = _line_of(subject, context)
    if line is not None and line not in engagement.lines:
        yield _no_line(stream)
    if engagement.held_because is not None:
        what = f"Lift the hold: {engagement.held_because}"
        yield Blocker(ReasonCode.CONTRACT_ON_HOLD, stream, ("engagement.held.v1",), "finance_preparer", what)
    if engagement.signed is None:
        what = "Record the customer's signature."
        caused_by: tuple[str, ...] = ("engagement.opened.v1",)
        yield Blocker(ReasonCode.CONTRACT_NOT_SIGNED, stream, caused_by, "project_manager", what, True)
        return
    day, signed = _work_date(subject), ("engagement.signed.v1",)
    if day < engagement.signed.starts:
        what = f"The engagement starts on {engagement.signed.starts}: correct the date, or agree an earlier start."
        yield Blocker(ReasonCode.WORK_DATE_BEFORE_START, stream, signed, "project_manager", what)
    if engagement.signed.ends is not None and day > engagement.signed.ends:
        what = f"The engagement ended on {engagement.signed.ends}: agree an extension, or write the work off."
        yield Blocker(ReasonCode.WORK_DATE_AFTER_END, stream, signed, "project_manager", what)


def _line_of(subject: LotFacts | EntryFacts, context: Context) -> str | None:
    if isinstance(subject, LotFacts):
        return subject.lot.line
    project = context.project
    return project.line_of(subject.task) if project and project.created else None


def _of_project(subject: LotFacts | EntryFacts, context: Context) -> Iterator[Blocker]:
    project = context.project
    if project is None or project.created is None:
        return
    stream = stream_of("project", project.terms.project)
    if project.terms.internal:
        what = "Internal work is not billed; move the entry if it was for a customer."
        yield Blocker(ReasonCode.PROJECT_INTERNAL, stream, ("project.created.v1",), "project_manager", what)
    if project.held_because is not None:
        what = f"Release the billing hold: {project.held_because}"
        yield Blocker(ReasonCode.PROJECT_BILLING_HOLD, stream, ("project.billing_held.v1",), "project_manager", what)
    if project.closed_on is not None and _work_date(subject) > project.closed_on:
        what = f"The project was closed on {project.closed_on}: move the work, or reopen the project."
        yield Blocker(ReasonCode.WORK_DATE_AFTER_END, stream, ("project.closed.v1",), "project_manager", what)
    if not project.open_for_time:
        waiting = [name for name, set_up in project.set_ups.items() if set_up.state != "confirmed"]
        what = f"Wait for, or repair, the project's set-up in {', '.join(waiting)}."
        caused_by: tuple[str, ...] = ("project.set_up_requested.v1", "project.set_up_rejected.v1", "project.created.v1")
        yield Blocker(ReasonCode.PROJECT_NOT_SYNCED, stream, caused_by, "integration", what, True)
    yield from _of_scope(subject, context, project, stream)


def _of_scope(
    subject: LotFacts | EntryFacts, context: Context, project: Project, stream: StreamId
) -> Iterator[Blocker]:
    if isinstance(subject, LotFacts):
        return
    if not project.is_chargeable(subject.task):
        what = "The task is not chargeable; move the entry if the customer pays for it."
        yield Blocker(ReasonCode.TASK_NOT_CHARGEABLE, stream, ("project.task_defined.v1",), "project_manager", what)
    line = context.engagement.lines.get(project.line_of(subject.task))
    if line is not None and not isinstance(line.billing, TimeAndMaterials):
        engagement = stream_of("engagement", context.engagement.terms.engagement)
        what = "The hours are part of the fixed fee; bill its milestones."
        caused_by: tuple[str, ...] = ("engagement.line_agreed.v1",)
        yield Blocker(ReasonCode.INCLUDED_IN_FIXED_FEE, engagement, caused_by, "project_manager", what)


def _of_order(subject: LotFacts | EntryFacts, context: Context) -> Iterator[Blocker]:
    engagement = context.engagement
    stream = stream_of("engagement", engagement.terms.engagement)
    order, recorded = engagement.purchase_order, ("engagement.purchase_order_recorded.v1",)
    if order is None:
        if engagement.terms.purchase_order_required:
            what = "Get the purchase order from the customer and record it."
            caused_by: tuple[str, ...] = ("engagement.opened.v1",)
            yield Blocker(ReasonCode.PO_MISSING, stream, caused_by, "project_manager", what, True)
        return
    if order.valid_to is not None and _work_date(subject) > order.valid_to:
        what = f"Purchase order {order.number} ended on {order.valid_to}: get an extension."
        yield Blocker(ReasonCode.PO_EXPIRED, stream, recorded, "project_manager", what, True)
    if order.amount is not None:
        claimed = zero(engagement.currency)
        for line in engagement.lines:
            claimed = claimed + engagement.claimed(line)
        if order.amount <= claimed:
            what = f"Purchase order {order.number} of {order.amount} is used up: get a further one."
            caused_by = (*recorded, "engagement.billing_claimed.v1")
            yield Blocker(ReasonCode.PO_EXHAUSTED, stream, caused_by, "project_manager", what, True)


def _of_price(subject: LotFacts | EntryFacts) -> Iterator[Blocker]:
    if isinstance(subject, EntryFacts):
        if subject.status == "approved" and subject.unrated_code:
            what = f"Set a rate that matches: {subject.unrated_detail}"
            caused_by: tuple[str, ...] = ("timesheet.entry_unrated.v1", "expense.unrated.v1")
            code = ReasonCode(subject.unrated_code)
            yield Blocker(code, subject.stream, caused_by, "finance_preparer", what, True)
        return
    if subject.lot.cost_in_billing_currency is None:
        what = f"Publish the {subject.lot.cost.currency} rate of {subject.lot.work_date}."
        yield Blocker(ReasonCode.FX_RATE_MISSING, subject.stream, ("lot.rated.v1",), "finance_preparer", what, True)


def _of_tax(subject: LotFacts | EntryFacts, context: Context) -> Iterator[Blocker]:
    entity, customer = context.entity, context.customer
    if not entity.versions or customer.bill_to is None:
        return
    day = _work_date(subject)
    terms = entity.on(day) or entity.versions[0]
    if treatment_of(terms, customer, context.tax_rules, day) is None:
        stream = stream_of("customer", customer.customer)
        what = (
            f"State the tax rule from {terms.address.country} to {customer.bill_to.country}, or the customer's tax id."
        )
        caused_by: tuple[str, ...] = ("customer.described.v1",)
        yield Blocker(ReasonCode.TAX_UNDETERMINED, stream, caused_by, "finance_preparer", what, True)


def _of_master_data(context: Context) -> Iterator[Blocker]:
    terms, customer = context.engagement.terms, context.customer
    stream = stream_of("customer", terms.customer)
    if customer.bill_to is None:
        what = "Complete street, city and country of the billing address in the CRM."
        caused_by: tuple[str, ...] = ("customer.described.v1",)
        yield Blocker(ReasonCode.BILL_TO_MISSING, stream, caused_by, "finance_preparer", what, True)
    if customer.blocked_because is not None:
        what = f"Unblock the customer: {customer.blocked_because}"
        yield Blocker(ReasonCode.CUSTOMER_BLOCKED, stream, ("customer.blocked.v1",), "finance_approver", what)
    if not context.entity.versions:
        entity = stream_of("legal_entity", terms.selling_entity)
        what = f"Define the legal entity {terms.selling_entity}."
        yield Blocker(ReasonCode.ENTITY_NOT_MAPPED, entity, ("engagement.opened.v1",), "integration", what, True)
