"""Billing turns eligible lots into a draft, and an approved draft into an issued invoice, each in one transaction.

The functions return the commands for every aggregate that is touched; recorded together or not at all, they make it
impossible that a lot is on two invoices, that a cap is passed, or that a number is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from domain import eligibility
from domain.caps import Candidate, allocate
from domain.conversion import fx_rate
from domain.engagement import ClaimBilling, Engagement, ReleaseBilling, TimeAndMaterials
from domain.invoice import (
    Approved,
    ApproveInvoice,
    DiscardDraft,
    Draft,
    DraftInvoice,
    Header,
    InvoiceLine,
    InvoiceNotFound,
    Issued,
    IssueInvoice,
    LotOnInvoice,
    NotApproved,
    Nothing,
    NothingToBill,
    Party,
    invoice_stream,
)
from domain.kernel import Addressed, Refused, StreamId, stream_of
from domain.lots import BillLots, Lot, LotStatus, ReleaseLots, ReserveLots, SplitLot
from domain.money import Money, total, zero
from domain.number_series import TakeNumber, series_stream
from domain.ports import (
    LotAt,
    Read,
    customer_of,
    engagement_of,
    entity_of,
    invoice_of,
    lots_of,
    project_of,
    tax_rules_of,
)
from domain.reasons import Context, LotFacts
from domain.reference.fx_rate import converted
from domain.reference.legal_entity import LegalEntityTerms
from domain.tax import treatment_of


class LotsNotEligible(Refused):
    """Some of the lots that were named may not be billed."""

    code = "billing.lots_not_eligible"
    fix = "Remove the reasons that billingEligibility lists, or leave these lots out."


class TaxUndetermined(Refused):
    """No tax rule says how this customer's services are taxed."""

    code = "billing.tax_undetermined"
    fix = "State the tax rule for the customer's country, or complete the customer's tax id."


class BillToMissing(Refused):
    """An invoice cannot be issued without the customer's billing address."""

    code = "billing.bill_to_missing"
    fix = "Complete street, city and country of the customer in the CRM."


class EntityNotDefined(Refused):
    """The selling legal entity has no terms on that day."""

    code = "billing.entity_not_defined"
    fix = "Define the legal entity from an earlier day."


@dataclass(frozen=True, slots=True)
class Billable:
    """A lot as it goes on a draft: where it lives, and the part of it that fits under its line's cap."""

    stream: StreamId
    lot: Lot
    within: Money

    @property
    def needs_split(self) -> bool:
        return self.within < self.lot.value


def draft_invoice(
    read: Read, invoice: str, engagement: str, lots: Sequence[LotAt], *, cut_off: date, by: str, strict: bool
) -> list[Addressed]:
    """The commands that put eligible lots on a new draft.

    ``strict`` refuses when a named lot is not eligible (someone chose it); otherwise such lots are left out, because
    the read model that proposed them may have been a moment behind.
    """
    state = engagement_of(read, engagement)
    billable = _within_caps(state, _eligible(read, lots, strict=strict))
    if not billable:
        raise NothingToBill(f"Nothing of {engagement} can be billed up to {cut_off}.")
    splits = [Addressed(each.stream, SplitLot(each.lot.lot, each.within)) for each in billable if each.needs_split]
    header = Header(
        engagement=engagement,
        customer=state.terms.customer,
        selling_entity=state.terms.selling_entity,
        currency=state.currency,
        purchase_order=state.purchase_order.number if state.purchase_order else None,
        cut_off=cut_off,
        prepared_by=by,
    )
    lines = _lines(read, billable)
    return [
        *splits,
        *_reservations(invoice, lines),
        *_claims(invoice, engagement, lines, state.currency),
        Addressed(invoice_stream(invoice), DraftInvoice(invoice, header, lines)),
    ]


def _eligible(read: Read, lots: Sequence[LotAt], *, strict: bool) -> list[tuple[StreamId, Lot]]:
    """The lots that may be billed now; ``strict`` refuses the first that may not, naming its reasons."""
    result: list[tuple[StreamId, Lot]] = []
    for each in lots:
        held = lots_of(read, each.stream).get(each.lot)
        if held is None or held.status is not LotStatus.OPEN:
            if strict:
                status = held.status.value if held else "unknown"
                raise LotsNotEligible(f"{each.lot} is {status}.")
            continue
        blockers = eligibility.decide(LotFacts(each.stream, held.lot), context_of(read, held.lot))
        if not blockers:
            result.append((each.stream, held.lot))
        elif strict:
            codes = ", ".join(blocker.code.value for blocker in blockers)
            raise LotsNotEligible(f"{each.lot}: {codes}.")
    return result


def context_of(read: Read, lot: Lot) -> Context:
    """What a lot's eligibility depends on, as it stands now."""
    entity = entity_of(read, lot.selling_entity)
    terms = entity.on(lot.work_date) or (entity.versions[0] if entity.versions else None)
    return Context(
        engagement=engagement_of(read, lot.engagement),
        project=project_of(read, lot.project) if lot.project else None,
        customer=customer_of(read, lot.customer),
        entity=entity,
        tax_rules=tax_rules_of(read, terms.address.country if terms else ""),
    )


def _within_caps(engagement: Engagement, lots: Sequence[tuple[StreamId, Lot]]) -> list[Billable]:
    """The lots with the part of each that its contract line's cap leaves; what is wholly over it is left out."""
    by_line: dict[str, list[tuple[StreamId, Lot]]] = {}
    for stream, lot in lots:
        by_line.setdefault(lot.line, []).append((stream, lot))
    result: list[Billable] = []
    for line, members in by_line.items():
        left, billing = engagement.cap_left(line), engagement.line(line).billing
        if left is None or not isinstance(billing, TimeAndMaterials):
            result += [Billable(stream, lot, lot.value) for stream, lot in members]
            continue
        turns = [Candidate(lot.lot, lot.work_date, lot.approved_at, lot.value) for _, lot in members]
        shares = allocate(left, billing.cap_policy, turns)
        within = [(stream, lot, shares[lot.lot].within) for stream, lot in members]
        result += [Billable(stream, lot, part) for stream, lot, part in within if part or not lot.value]
    return sorted(result, key=lambda each: (each.lot.work_date, each.lot.approved_at, each.lot.lot))


def _lines(read: Read, billable: Sequence[Billable]) -> tuple[InvoiceLine, ...]:
    """One line for what has the same project, contract line, text and price; its lots are the annex."""
    groups: dict[tuple[str, str, str, Decimal], list[Billable]] = {}
    for each in billable:
        lot = each.lot
        groups.setdefault((lot.project, lot.line, _text(read, lot), lot.price), []).append(each)
    return tuple(_line(number, text, group) for number, ((_, _, text, _), group) in enumerate(groups.items(), start=1))


def _text(read: Read, lot: Lot) -> str:
    if lot.role is None or not lot.project:
        return lot.description
    return f"{project_of(read, lot.project).terms.title}: {lot.role}"


def _line(number: int, text: str, group: Sequence[Billable]) -> InvoiceLine:
    parts = tuple(_on_invoice(each) for each in group)
    first, days = group[0].lot, [each.lot.work_date for each in group]
    return InvoiceLine(
        line=number,
        description=text,
        quantity=sum((part.quantity for part in parts), Decimal(0)),
        unit=first.unit,
        price=first.price,
        net=total((part.value for part in parts), first.value.currency),
        project=first.project,
        contract_line=first.line,
        first_work_date=min(days),
        last_work_date=max(days),
        lots=parts,
    )


def _on_invoice(each: Billable) -> LotOnInvoice:
    lot = each.lot
    if not each.needs_split:
        return LotOnInvoice(each.stream, lot.lot, lot.quantity, lot.value)
    quantity = (lot.quantity * each.within.amount / lot.value.amount).quantize(Decimal("0.0001"))
    return LotOnInvoice(each.stream, f"{lot.lot}/1", quantity, each.within)


def _by_stream(lines: Sequence[InvoiceLine]) -> dict[StreamId, tuple[str, ...]]:
    grouped: dict[StreamId, list[str]] = {}
    for line in lines:
        for part in line.lots:
            grouped.setdefault(part.stream, []).append(part.lot)
    return {stream: tuple(lots) for stream, lots in grouped.items()}


def _reservations(invoice: str, lines: Sequence[InvoiceLine]) -> list[Addressed]:
    return [Addressed(stream, ReserveLots(lots, invoice)) for stream, lots in _by_stream(lines).items()]


def _claims(invoice: str, engagement: str, lines: Sequence[InvoiceLine], currency: str) -> list[Addressed]:
    by_line: dict[str, Money] = {}
    for line in lines:
        by_line[line.contract_line] = by_line.get(line.contract_line, zero(currency)) + line.net
    stream = stream_of("engagement", engagement)
    return [Addressed(stream, ClaimBilling(invoice, line, amount)) for line, amount in by_line.items()]


def discard_draft(read: Read, invoice: str, by: str, reason: str) -> list[Addressed]:
    """The commands that give up a draft and release all that it held."""
    discard = Addressed(invoice_stream(invoice), DiscardDraft(by, reason))
    state = invoice_of(read, invoice)
    if not isinstance(state, Draft):
        return [discard]
    releases = [Addressed(stream, ReleaseLots(lots, invoice)) for stream, lots in _by_stream(state.lines).items()]
    return [discard, *releases, Addressed(stream_of("engagement", state.header.engagement), ReleaseBilling(invoice))]


def approve_invoice(read: Read, invoice: str, by: str, at: datetime) -> list[Addressed]:
    """The command that approves a draft, with the entity's limit in the draft's currency."""
    state = invoice_of(read, invoice)
    if not isinstance(state, Draft):
        return [Addressed(invoice_stream(invoice), ApproveInvoice(by, at, Money(Decimal(0), "EUR")))]
    header = state.header
    limit = _entity_terms(read, header.selling_entity, at.date()).approval_limit
    rate = fx_rate(read, limit.currency, header.currency, at.date())
    return [Addressed(invoice_stream(invoice), ApproveInvoice(by, at, converted(limit, header.currency, rate)))]


def issue_invoice(read: Read, invoice: str, issued_on: date) -> list[Addressed]:
    """The commands that issue an approved invoice: its number, its snapshot, its lots."""
    state = invoice_of(read, invoice)
    if isinstance(state, Issued):
        return []
    if not isinstance(state, Approved):
        raise InvoiceNotFound(invoice) if isinstance(state, Nothing) else NotApproved(invoice)
    header = state.draft.header
    seller_terms = _entity_terms(read, header.selling_entity, issued_on)
    series_name = f"{seller_terms.number_prefix}-{issued_on.year}"
    series = series_stream(header.selling_entity, series_name)
    next_number: int = read(series).next
    number = f"{series_name}-{next_number:06d}"
    issue = _issue_command(read, state, seller_terms, number, issued_on)
    return [
        Addressed(series, TakeNumber(invoice, next_number)),
        Addressed(invoice_stream(invoice), issue),
        *(Addressed(stream, BillLots(lots, invoice, number)) for stream, lots in _by_stream(state.draft.lines).items()),
    ]


def _issue_command(read: Read, state: Approved, seller: LegalEntityTerms, number: str, issued_on: date) -> IssueInvoice:
    header = state.draft.header
    customer = customer_of(read, header.customer)
    if customer.bill_to is None:
        raise BillToMissing(f"{header.customer} {customer.name}.")
    rules = tax_rules_of(read, seller.address.country)
    treatment = treatment_of(seller, customer, rules, issued_on)
    if treatment is None:
        raise TaxUndetermined(f"{seller.address.country} to {customer.bill_to.country}, {header.customer}.")
    terms_days = customer.payment_terms_days if customer.payment_terms_days is not None else seller.payment_terms_days
    return IssueInvoice(
        number=number,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=terms_days),
        seller=Party(header.selling_entity, seller.name, seller.address, seller.tax_id),
        buyer=Party(header.customer, customer.name, customer.bill_to, customer.tax_id),
        treatments={line.tax_category: (treatment,) for line in state.draft.lines},
        functional_currency=seller.functional_currency,
        fx_rate=fx_rate(read, header.currency, seller.functional_currency, issued_on),
    )


def _entity_terms(read: Read, entity: str, day: date) -> LegalEntityTerms:
    terms = entity_of(read, entity).on(day)
    if terms is None:
        raise EntityNotDefined(f"{entity} on {day}.")
    return terms
