"""Which lots may be billed now, and how much of each all its caps leave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from domain import eligibility
from domain.billing.draft_plan import Billable, DraftPlan, LotsNotEligible
from domain.billing.orders import beyond_orders, order_rooms_for, turn_id
from domain.books.accounting_period import accounting_period_stream
from domain.caps import Room, allocate, candidate_of
from domain.eligibility.reasons import Context, Hold, LotFacts
from domain.expense import ExpenseReport, lacks_receipt
from domain.kernel import StreamId
from domain.lots import Lot, LotStatus
from domain.ports import (
    LotAt,
    Read,
    billing_calendar_of,
    billing_limit_of,
    customer_of,
    engagement_of,
    entity_of,
    heard_of,
    lots_of,
    project_of,
    tax_rules_of,
)
from domain.reason_codes import ReasonCode
from domain.reference.account_map import account_map_stream
from domain.reference.billing_calendar import BillingCalendar
from domain.timesheet import Timesheet


def billable_lots(read: Read, lots: Sequence[LotAt], plan: DraftPlan, beside: Sequence[LotAt] = ()) -> list[Billable]:
    """The lots that may be billed now and that their orders pay for, each with the part of it that its caps leave.

    ``beside`` are others that may be billed as well and are not asked for: they take up the same caps and orders in
    their turn.
    """
    asked = _eligible(read, lots, plan)
    known, named = set(lots), [lot for _, lot in asked]
    is_limited = rooms_for(read, named) or order_rooms_for(read, named, plan.on)
    others = [each for each in beside if each not in known] if is_limited else []
    return _within_limits(read, asked, _eligible(read, others, replace(plan, strict=False)), plan)


def _eligible(read: Read, lots: Sequence[LotAt], plan: DraftPlan) -> list[tuple[StreamId, Lot]]:
    """The lots that may be billed now; ``strict`` refuses the first that may not, naming its reasons."""
    contexts = Contexts(read, plan.on)
    result: list[tuple[StreamId, Lot]] = []
    for each in lots:
        why_not = _why_not(read, each, contexts)
        if why_not is None:
            result.append((each.stream, lots_of(read, each.stream)[each.lot].lot))
        elif plan.strict:
            raise LotsNotEligible(f"{each.lot}{why_not}.")
    return result


def _why_not(read: Read, at: LotAt, contexts: Contexts) -> str | None:
    """Why a lot may not be billed now, as the rest of a sentence that begins with it; None when it may."""
    state = read(at.stream)
    held = state.lots.get(at.lot)
    if held is None or held.status is not LotStatus.OPEN:
        return f" is {held.status.value if held else 'unknown'}"
    lacks = isinstance(state, ExpenseReport) and lacks_receipt(state, held.lot.source)
    holds = tuple(Hold(hold.code, hold.because) for hold in held.holds.values())
    context, source = contexts.of(held.lot), held.lot.source
    waits_for_sources = isinstance(state, Timesheet) and context.silent_days_max is not None
    heard = heard_of(read, source) if waits_for_sources else None
    facts = LotFacts(at.stream, held.lot, lacks, holds, held.postponed_until, _told_at(state, source), heard)
    blockers = eligibility.decide(facts, context)
    return ": " + ", ".join(blocker.code.value for blocker in blockers) if blockers else None


def _told_at(state: object, source: str) -> datetime | None:
    """When the source of some work told it; None for what the contract itself lets be billed."""
    match state:
        case Timesheet(entries=entries):
            return entries[source].said_at if source in entries else None
        case ExpenseReport(lines=lines):
            line = lines.get(source.partition("/")[2])
            return line.said_at if line is not None else None
        case _:
            return None


@dataclass(slots=True)
class Contexts:
    """What the eligibility of lots depends on, read once for all lots that share it."""

    read: Read
    today: date | None = None
    known: dict[tuple[str, str, str, str, date], Context] = field(default_factory=dict)

    def of(self, lot: Lot) -> Context:
        """The context of a lot."""
        key = (lot.engagement, lot.project, lot.customer, lot.selling_entity, lot.work_date)
        if key not in self.known:
            self.known[key] = context_of(self.read, lot, self.today)
        return self.known[key]


def context_of(read: Read, lot: Lot, today: date | None = None) -> Context:
    """What a lot's eligibility depends on, as it stands now; ``today`` is the day on which it would be billed."""
    entity = entity_of(read, lot.selling_entity)
    terms = entity.on(lot.work_date) or (entity.versions[0] if entity.versions else None)
    return Context(
        engagement=engagement_of(read, lot.engagement),
        project=project_of(read, lot.project) if lot.project else None,
        customer=customer_of(read, lot.customer),
        entity=entity,
        tax_rules=tax_rules_of(read, terms.address.country if terms else ""),
        today=today,
        calendar=billing_calendar_of(read, lot.selling_entity, terms.address) if terms else BillingCalendar(),
        periods=read(accounting_period_stream(lot.selling_entity)),
        accounts=read(account_map_stream(lot.selling_entity)),
    )


def _within_limits(
    read: Read, lots: Sequence[tuple[StreamId, Lot]], others: Sequence[tuple[StreamId, Lot]], plan: DraftPlan
) -> list[Billable]:
    """The lots with the part of each that all caps leave beside others; what is wholly over one is left out.

    So is what would pass its purchase order; ``strict`` refuses it, with its reason.
    """
    within = _within_caps(read, [*lots, *others])
    waiting = beyond_orders(read, within, plan.on)
    asked = {(stream, lot.lot) for stream, lot in lots}
    paid_for = asked - waiting
    result = [each for each in within if (each.stream, each.lot.lot) in paid_for]
    for _, name in sorted(waiting & asked) if plan.strict else ():
        raise LotsNotEligible(f"{name}: {ReasonCode.PO_EXHAUSTED.value}.")
    turn = {name: number for number, name in enumerate(dict.fromkeys(lot.engagement for _, lot in lots))}
    return sorted(
        result, key=lambda each: (turn[each.lot.engagement], each.lot.work_date, each.lot.approved_at, each.lot.lot)
    )


def _within_caps(read: Read, lots: Sequence[tuple[StreamId, Lot]]) -> list[Billable]:
    """Lots with the part of each that all caps leave, in their turn; without what is wholly over one."""
    turns = (candidate_of(lot, turn_id(stream, lot)) for stream, lot in lots)
    shares = allocate(rooms_for(read, [lot for _, lot in lots]), turns)
    fitting = ((stream, lot, shares[turn_id(stream, lot)]) for stream, lot in lots)
    within = (Billable(stream, lot, share.within, share.hours) for stream, lot, share in fitting)
    return [each for each in within if each.within or not each.lot.value]


def rooms_for(read: Read, lots: Iterable[Lot]) -> list[Room]:
    """Every cap that some lots may take from: of their engagements with their lines, and of their customers."""
    engagements: dict[str, None] = {}
    customers: dict[tuple[str, str], None] = {}
    for lot in lots:
        engagements[lot.engagement] = None
        customers[lot.customer, lot.value.currency] = None
    rooms = [room for name in engagements for room in engagement_of(read, name).rooms()]
    limits = (billing_limit_of(read, *who).room for who in customers)
    return [*rooms, *(room for room in limits if room is not None)]
