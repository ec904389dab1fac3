"""Pricing freezes what approved work is billed at and what it costs: the lot, with the reasons of both figures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from domain.contract import CategoryTerms, ContractLine, Retainer, TimeAndMaterials, bills_hours
from domain.conversion import fx_rate_or_none
from domain.engagement import Engagement
from domain.expense import Expense, ExpenseReport, Line, source_of
from domain.kernel import StreamId
from domain.lots import Explanation, Lot
from domain.money import Money, zero
from domain.ports import Read, engagement_of, entity_of, project_of, resource_of
from domain.pricing.cost_currency import cost_currency
from domain.pricing.rating import CardOnLevel, RateFound, RateNotFound, Worked, find_rate
from domain.pricing.transfers import with_transfer
from domain.project import Project
from domain.reference.cost_card import CostCard, cost_card_stream
from domain.reference.fx_rate import converted
from domain.reference.legal_entity import LegalEntityTerms
from domain.reference.rate_card import RateCard, rate_card_stream
from domain.reference.resource import ResourceTerms
from domain.timesheet import Entry

FIRM = "FIRM"
"""The owner of the firm's own rate card."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where work belongs: its project, its engagement, the contract line that pays, and the person's terms that day."""

    project: Project
    engagement: Engagement
    line: ContractLine
    terms: ResourceTerms


def lot_of_entry(resource: str, entry: Entry, read: Read) -> Lot | RateNotFound:
    """The lot of an approved entry, or why it has no price; its lot id is given by the timesheet."""
    work = entry.work
    place = _place(resource, work.project, work.task, work.work_date, read)
    if isinstance(place, RateNotFound):
        return place
    worked = _worked(resource, place, work.work_date)
    because = _not_billable(place, worked, work.task)
    found = _bill_rate(worked, _cards(place, read), because)
    if isinstance(found, RateNotFound):
        return found
    price = found.rate.amount * _multiplier(place.line, work.time_type)
    hourly = _cost_rate(place, worked, read)
    if hourly is None:
        detail = f"No cost rate for {resource}, {worked.role} at {place.terms.legal_entity}, on {work.work_date}."
        return RateNotFound("NO_RATE", detail)
    expected = cost_currency(read, place.terms.legal_entity, work.work_date)
    if expected not in (None, hourly.rate.currency):
        return RateNotFound("NO_RATE", f"The {hourly.because}, is not in {expected}, the currency of its entity.")
    cost = (hourly.rate * work.hours).rounded()
    approved_at = entry.approved_at or entry.said_at
    lot = _base(
        place,
        read,
        source=entry.entry,
        day=work.work_date,
        quantity=entry.hours_in_lots,
        price=price,
        cost=cost,
        at=approved_at,
    )
    lot = replace(
        lot,
        resource=resource,
        role=worked.role,
        description=work.note,
        non_billable_because=because,
        explanation=Explanation(found.winner, found.because, found.considered, hourly.because),
    )
    return with_transfer(lot, read)


def lot_of_expense(report: ExpenseReport, line: Line, read: Read) -> Lot | RateNotFound:
    """The lot of an approved expense: billed at what it cost the firm, at the exchange rate of the day it was spent.

    What was given back takes off what it would have added by the same terms.
    """
    expense = line.expense
    place = _place(report.resource, expense.project, None, expense.spent_on, read)
    if isinstance(place, RateNotFound):
        return place
    currency, cost = place.engagement.currency, expense.net_cost
    rate = fx_rate_or_none(read, cost.currency, currency, expense.spent_on)
    if rate is None:
        return RateNotFound("FX_RATE_MISSING", f"{cost.currency} to {currency} on {expense.spent_on}.")
    terms = place.line.expense_terms.of(expense.category)
    base = converted(cost, currency, rate)
    price, how = _passed_on(terms, -base if expense.is_given_back else base, expense.days)
    if expense.is_given_back:
        price, how = -price, f"given back {how}"
    source = source_of(report.report, expense.line)
    because = f"{expense.category} {how}: {cost} at {rate} {currency}"
    lot = replace(
        _base(
            place,
            read,
            source=source,
            day=expense.spent_on,
            quantity=Decimal(1),
            price=price,
            cost=cost,
            at=line.approved_at or line.said_at,
        ),
        unit="item",
        resource=report.resource,
        description=f"{expense.category}: {expense.note}" if expense.note else expense.category,
        non_billable_because=None if expense.billable and terms.billable else "CATEGORY_NOT_CHARGEABLE",
        explanation=Explanation(how, because, (), "as spent, without recoverable tax"),
        tax_category=terms.tax_category or place.line.tax_category,
        presentation=terms.presentation,
    )
    return with_transfer(lot, read)


def _passed_on(terms: CategoryTerms, base: Money, days: Decimal) -> tuple[Decimal, str]:
    """What an expense is billed at, and how that was found: at cost, with markup, per diem, up to its limit."""
    if terms.per_diem is not None:
        amount, how = (terms.per_diem * days).rounded(), f"per diem of {terms.per_diem} for {days} days"
    elif terms.markup_percent:
        amount = (base * (1 + terms.markup_percent / 100)).rounded()
        how = f"at cost plus {terms.markup_percent} %"
    else:
        amount, how = base, "at cost"
    if terms.limit is not None and terms.limit < amount:
        return terms.limit.amount, f"{how}, at most {terms.limit}"
    return amount.amount, how


def lot_elsewhere(
    lot: Lot, engagement: str, line: str, customer: str | None, project: str, time_type: str, read: Read
) -> Lot | RateNotFound:
    """A lot as another engagement or customer is billed for it: its quantity and cost, at the price that holds there.

    Hours are rated by the cards of the other line; expenses and milestones keep their price, converted at the rate of
    their day. Hours under a fixed fee are not billed of themselves.
    """
    state = engagement_of(read, engagement)
    terms, agreed, currency = state.terms, state.line(line), state.currency
    cost_rate = fx_rate_or_none(read, lot.cost.currency, currency, lot.work_date)
    moved = replace(
        lot,
        lot="",
        project=project or (lot.project if lot.engagement == engagement else ""),
        engagement=engagement,
        line=line,
        customer=customer or terms.customer,
        selling_entity=terms.selling_entity,
        cost_in_billing_currency=converted(lot.cost, currency, cost_rate) if cost_rate is not None else None,
        non_billable_because=None,
        transfer=None,
        transfer_gap=None,
    )
    if lot.unit == "item" or lot.resource is None:
        return _item_elsewhere(lot, moved, currency, read)
    person = resource_of(read, lot.resource).on(lot.work_date)
    location = person.location if person else ""
    worked = Worked(lot.resource, lot.role or (person.role if person else ""), location, lot.work_date, currency)
    because = None if bills_hours(agreed.billing) else "INCLUDED_IN_FIXED_FEE"
    found = _bill_rate(worked, _cards_of(terms.engagement, line, moved.customer, read), because)
    if isinstance(found, RateNotFound):
        return found
    price = found.rate.amount * _multiplier(agreed, time_type)
    priced = replace(
        moved,
        price=price,
        value=Money(price * lot.quantity, currency).rounded(),
        non_billable_because=because,
        explanation=Explanation(found.winner, found.because, found.considered, lot.explanation.cost_because),
    )
    return with_transfer(priced, read)


def _item_elsewhere(lot: Lot, moved: Lot, currency: str, read: Read) -> Lot | RateNotFound:
    """What is not billed by the hour keeps its price, converted at the rate of its day."""
    rate = fx_rate_or_none(read, lot.value.currency, currency, lot.work_date)
    if rate is None:
        return RateNotFound("FX_RATE_MISSING", f"{lot.value.currency} to {currency} on {lot.work_date}.")
    price = lot.price if lot.value.currency == currency else lot.price * rate
    return with_transfer(replace(moved, price=price, value=Money(price * lot.quantity, currency).rounded()), read)


def employer_of(resource: str, day: date, read: Read) -> LegalEntityTerms | None:
    """The terms of the legal entity that employs a person on a day, as far as both are known."""
    terms = resource_of(read, resource).on(day)
    return entity_of(read, terms.legal_entity).on(day) if terms else None


def over_limit(resource: str, expense: Expense, read: Read) -> str | None:
    """Which limit of the person's employer an expense passes, in words; None when it passes none."""
    employer = employer_of(resource, expense.spent_on, read)
    limit = employer.limit_of(expense.category) if employer else None
    if limit is None:
        return None
    rate = fx_rate_or_none(read, expense.amount.currency, limit.currency, expense.spent_on)
    if rate is not None and converted(expense.amount, limit.currency, rate) <= limit:
        return None
    return f"{expense.category} of {expense.amount}; the limit is {limit}."


def _place(resource: str, project_name: str, task: str | None, day: date, read: Read) -> Place | RateNotFound:
    project = project_of(read, project_name)
    if project.created is None:
        return RateNotFound("NO_CONTRACT_LINE", f"Project {project_name} does not exist.")
    engagement = engagement_of(read, project.terms.engagement)
    line = engagement.line_on(project.line_of(task), day)
    if engagement.opened is None or line is None:
        detail = f"{project.terms.engagement} has no line {project.line_of(task)}."
        return RateNotFound("NO_CONTRACT_LINE", detail)
    terms = resource_of(read, resource).on(day)
    if terms is None:
        return RateNotFound("NO_RATE", f"Nothing is known of {resource} on {day}: no role, no cost.")
    return Place(project, engagement, line, terms)


def _worked(resource: str, place: Place, day: date) -> Worked:
    assignment = place.project.assignment_of(resource, day)
    role = assignment.role if assignment and assignment.role else place.terms.role
    return Worked(resource, role, place.terms.location, day, place.engagement.currency)


def _cards(place: Place, read: Read) -> list[CardOnLevel]:
    terms = place.engagement.terms
    return _cards_of(terms.engagement, place.line.line, terms.customer, read)


def _cards_of(engagement: str, line: str, customer: str, read: Read) -> list[CardOnLevel]:
    """The rate cards from the most specific level to the firm's."""
    streams: list[tuple[str, StreamId]] = [
        ("contract line", rate_card_stream("line", engagement, line)),
        ("engagement", rate_card_stream("engagement", engagement)),
        ("customer", rate_card_stream("customer", customer)),
        ("firm", rate_card_stream("firm", FIRM)),
    ]
    cards: list[CardOnLevel] = []
    for level, stream in streams:
        card: RateCard = read(stream)
        cards.append(CardOnLevel(level, card))
    return cards


def _bill_rate(worked: Worked, cards: list[CardOnLevel], not_billable: str | None) -> RateFound | RateNotFound:
    """The rate that wins; work that the customer does not pay by the hour needs none."""
    found = find_rate(worked, cards)
    if isinstance(found, RateNotFound) and not_billable is not None:
        return RateFound(zero(worked.currency), "none", found.detail, found.considered)
    return found


def _not_billable(place: Place, worked: Worked, task: str | None) -> str | None:
    """Why work is rated for its cost alone, as a reason code; None when the customer pays for it by the hour."""
    if place.project.terms.internal:
        return "PROJECT_INTERNAL"
    if not place.project.is_chargeable(task):
        return "TASK_NOT_CHARGEABLE"
    assignment = place.project.assignment_of(worked.resource, worked.on)
    if assignment is not None and not assignment.chargeable:
        return "ROLE_NOT_CHARGEABLE"
    if not bills_hours(place.line.billing):
        return "INCLUDED_IN_FIXED_FEE"
    return None


def _multiplier(line: ContractLine, time_type: str) -> Decimal:
    if not isinstance(line.billing, TimeAndMaterials | Retainer):
        return Decimal(1)
    uplifts = (each.multiplier for each in line.billing.uplifts if each.time_type == time_type)
    return next(uplifts, Decimal(1))


@dataclass(frozen=True, slots=True)
class CostRate:
    """What an hour costs, and where that was found."""

    rate: Money
    because: str


def _cost_rate(place: Place, worked: Worked, read: Read) -> CostRate | None:
    """The cost of an hour: the person's own, else that of the role at the employing entity."""
    terms = place.terms
    if terms.cost_rate is not None:
        where = f"{worked.resource} at {terms.legal_entity} from {terms.effective_from}"
        return CostRate(terms.cost_rate, f"cost rate of {where}: {terms.cost_rate}")
    card: CostCard = read(cost_card_stream(terms.legal_entity))
    row = card.on(worked.role, worked.on)
    if row is None:
        return None
    where = f"{row.role} at {terms.legal_entity} from {row.effective_from}"
    return CostRate(row.rate, f"cost rate of role {where}: {row.rate}")


def _base(
    place: Place, read: Read, *, source: str, day: date, quantity: Decimal, price: Decimal, cost: Money, at: datetime
) -> Lot:
    terms, currency = place.engagement.terms, place.engagement.currency
    rate = fx_rate_or_none(read, cost.currency, currency, day)
    return Lot(
        lot="",
        source=source,
        project=place.project.terms.project,
        engagement=terms.engagement,
        line=place.line.line,
        customer=terms.customer,
        selling_entity=terms.selling_entity,
        delivering_entity=place.terms.legal_entity,
        work_date=day,
        quantity=quantity,
        unit="hour",
        price=price,
        value=Money(price * quantity, currency).rounded(),
        cost=cost,
        cost_in_billing_currency=converted(cost, currency, rate) if rate is not None else None,
        approved_at=at,
        explanation=Explanation("", ""),
        practice=place.terms.practice,
        tax_category=place.line.tax_category,
    )
