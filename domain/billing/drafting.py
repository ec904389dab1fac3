"""Drafting puts eligible lots on draft invoices: grouped, within their caps, shared among payers, in one transaction.

The functions return the commands for every aggregate that is touched; recorded together or not at all, they make it
impossible that a lot is on two invoices or that a cap is passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from domain import eligibility
from domain.billing.sharing import shares_of_each
from domain.billing_limit import ClaimLimit, billing_limit_stream
from domain.books.accounting_period import accounting_period_stream
from domain.caps import Room, allocate, candidate_of
from domain.eligibility.reasons import Context, Hold, LotFacts
from domain.engagement import ClaimBilling
from domain.engagement.caps import resource_claims, together
from domain.expense import ExpenseReport, lacks_receipt
from domain.invoice import (
    AddLines,
    BillToShare,
    Draft,
    DraftInvoice,
    Grouping,
    Header,
    InvoiceLine,
    InvoiceNotFound,
    Layout,
    LotOnInvoice,
    NotADraft,
    Nothing,
    NothingToBill,
    invoice_stream,
)
from domain.kernel import Addressed, Refused, StreamId, stream_of
from domain.lots import Lot, LotStatus, ReserveLots, ShareLot, SplitLot, part_of, parts_at, parts_of
from domain.money import Money, total, zero
from domain.ports import (
    LotAt,
    Read,
    billing_calendar_of,
    billing_limit_of,
    customer_of,
    engagement_of,
    entity_of,
    heard_of,
    invoice_of,
    lots_of,
    project_of,
    tax_rules_of,
)
from domain.reference.account_map import account_map_stream
from domain.reference.billing_calendar import BillingCalendar
from domain.tax import TaxDecision, TaxedAs, TaxGap, decide_tax
from domain.timesheet import Timesheet


class LotsNotEligible(Refused):
    """Some of the lots that were named may not be billed."""

    code = "billing.lots_not_eligible"
    fix = "Remove the reasons that billingEligibility lists, or leave these lots out."


class BelowMinimumInvoice(Refused):
    """What can be billed is less than the smallest invoice that the selling entity sends."""

    code = "billing.below_minimum_invoice"
    fix = "Wait for more work, bill a longer period, or group by customer."


class LotsDoNotBelong(Refused):
    """Late lots join a draft of the same customer, entity, currency and group only."""

    code = "billing.lots_do_not_belong"
    fix = "Draft an invoice of their own for these lots."


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """How lots become drafts.

    ``strict`` refuses when a named lot is not eligible (someone chose it); otherwise such lots are left out, because
    the read model that proposed them may have been a moment behind. ``on`` is the day of the billing run.
    """

    cut_off: date
    by: str
    on: date
    grouping: Grouping = "engagement"
    layout: Layout = "summary"
    strict: bool = False


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What the lots of one draft have in common; ``key`` is what they are grouped by."""

    customer: str
    selling_entity: str
    currency: str
    key: str
    payers: tuple[tuple[str, Decimal], ...] = ()

    @property
    def name(self) -> str:
        """The key as text, for ids that are made of it."""
        return "/".join((self.customer, self.selling_entity, self.currency, self.key, *(who for who, _ in self.payers)))


@dataclass(frozen=True, slots=True)
class Billable:
    """A lot as it goes on a draft: where it lives, and the part of it that fits under its caps, and how many hours."""

    stream: StreamId
    lot: Lot
    within: Money
    hours: Decimal | None = None

    @property
    def needs_split(self) -> bool:
        return self.within < self.lot.value


@dataclass(frozen=True, slots=True)
class Drafts:
    """What drafting comes to: the commands, the drafts that they make or add to, and the groups left out."""

    commands: tuple[Addressed, ...]
    invoices: tuple[str, ...]
    left_out: tuple[Refused, ...] = ()


def draft_invoice(
    read: Read, invoice: str, engagement: str, lots: Sequence[LotAt], *, cut_off: date, by: str, strict: bool
) -> list[Addressed]:
    """The commands that put eligible lots of one engagement on a new draft; several drafts where payers share it."""
    plan = DraftPlan(cut_off, by, cut_off, strict=strict)
    drafts = draft_invoices(read, lots, plan, lambda _: invoice)
    if not drafts.commands:
        raise (
            drafts.left_out[0]
            if drafts.left_out
            else NothingToBill(f"Nothing of {engagement} can be billed up to {cut_off}.")
        )
    return list(drafts.commands)


def draft_invoices(
    read: Read,
    lots: Sequence[LotAt],
    plan: DraftPlan,
    name: Callable[[str], str],
    open_drafts: Iterable[str] = (),
) -> Drafts:
    """The commands that put eligible lots on drafts, one for each group; ``name`` gives the id of a group's draft.

    Lots join a draft of ``open_drafts`` that holds the same group, instead of a new one.
    """
    billable = _billable(read, lots, plan)
    taking = _open_by_key(read, open_drafts)
    commands: list[Addressed] = []
    invoices: list[str] = []
    left_out: list[Refused] = []
    for key, members in _grouped(read, billable, plan.grouping).items():
        if (draft := taking.get((key, plan.grouping))) is not None:
            commands += _late_lots(read, draft, members, plan.by)
            invoices.append(draft.invoice)
            continue
        try:
            _require_minimum(read, key, members, plan)
        except BelowMinimumInvoice as below:
            left_out.append(below)
            continue
        made, names = _new_drafts(read, key, members, plan, name(key.name))
        commands += made
        invoices += names
    return Drafts(tuple(commands), tuple(dict.fromkeys(invoices)), tuple(left_out))


def refresh_draft(read: Read, invoice: str, lots: Sequence[LotAt], *, by: str, on: date, strict: bool) -> Drafts:
    """The commands that let late lots join a draft, as far as they belong to it."""
    draft = _require_draft(read, invoice)
    header = draft.header
    plan = DraftPlan(header.cut_off, by, on, header.grouping, header.layout, strict)
    commands: list[Addressed] = []
    for key, members in _grouped(read, _billable(read, lots, plan), header.grouping).items():
        if key == _key_of(header):
            commands += _late_lots(read, draft, members, by)
        elif strict:
            raise LotsDoNotBelong(f"{members[0].lot.lot} and {invoice}.")
    return Drafts(tuple(commands), (invoice,))


def _require_draft(read: Read, invoice: str) -> Draft:
    state = invoice_of(read, invoice)
    if isinstance(state, Draft):
        return state
    raise InvoiceNotFound(invoice) if isinstance(state, Nothing) else NotADraft(f"{invoice} is issued or given up.")


def _billable(read: Read, lots: Sequence[LotAt], plan: DraftPlan) -> list[Billable]:
    return _within_caps(read, _eligible(read, lots, plan))


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


def _within_caps(read: Read, lots: Sequence[tuple[StreamId, Lot]]) -> list[Billable]:
    """The lots with the part of each that all its caps leave; what is wholly over one is left out."""
    shares = allocate(rooms_for(read, [lot for _, lot in lots]), (candidate_of(lot) for _, lot in lots))
    within = [Billable(stream, lot, shares[lot.lot].within, shares[lot.lot].hours) for stream, lot in lots]
    result = [each for each in within if each.within or not each.lot.value]
    turn = {name: number for number, name in enumerate(dict.fromkeys(lot.engagement for _, lot in lots))}
    return sorted(
        result, key=lambda each: (turn[each.lot.engagement], each.lot.work_date, each.lot.approved_at, each.lot.lot)
    )


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


def _grouped(read: Read, billable: Sequence[Billable], grouping: Grouping) -> dict[GroupKey, list[Billable]]:
    """Lots by the draft that they go on: one payer or set of payers, one entity, one currency, one key."""
    groups: dict[GroupKey, list[Billable]] = {}
    for each in billable:
        lot = each.lot
        payers = payers_of(read, lot)
        key = GroupKey(lot.customer, lot.selling_entity, lot.value.currency, _value_of(read, lot, grouping), payers)
        groups.setdefault(key, []).append(each)
    return groups


def _value_of(read: Read, lot: Lot, grouping: Grouping) -> str:
    match grouping:
        case "engagement":
            return lot.engagement
        case "customer":
            return lot.customer
        case "project":
            return lot.project
        case "purchase_order":
            order = engagement_of(read, lot.engagement).purchase_order
            return order.number if order else ""


def payers_of(read: Read, lot: Lot) -> tuple[tuple[str, Decimal], ...]:
    """The customers who share the bill of a lot, with their percentages; none when its own customer pays all."""
    line = engagement_of(read, lot.engagement).line_on(lot.line, lot.work_date)
    return tuple((each.customer, each.percent) for each in line.bill_to) if line else ()


def _key_of(header: Header) -> GroupKey:
    return GroupKey(header.customer, header.selling_entity, header.currency, header.key or header.engagement)


def _open_by_key(read: Read, drafts: Iterable[str]) -> dict[tuple[GroupKey, Grouping], Draft]:
    """Drafts that may take up late lots, by what they hold; a draft that is one payer's share takes none."""
    found: dict[tuple[GroupKey, Grouping], Draft] = {}
    for name in drafts:
        state = invoice_of(read, name)
        if isinstance(state, Draft) and state.header.share is None:
            found.setdefault((_key_of(state.header), state.header.grouping), state)
    return found


def _require_minimum(read: Read, key: GroupKey, members: Sequence[Billable], plan: DraftPlan) -> None:
    terms = entity_of(read, key.selling_entity).on(plan.on)
    least = terms.minimum_invoice if terms else None
    if least is None or least.currency != key.currency:
        return
    worth = total((each.within for each in members), key.currency)
    if worth < least:
        raise BelowMinimumInvoice(f"{key.name}: {worth} can be billed, {least} is the least.")


def _new_drafts(
    read: Read, key: GroupKey, members: Sequence[Billable], plan: DraftPlan, invoice: str
) -> tuple[list[Addressed], list[str]]:
    splits, whole = _cut(members)
    if not key.payers:
        header = _header(read, key, members, plan)
        return [*splits, *_draft(read, invoice, header, whole)], [invoice]
    commands, names = list(splits), []
    shares, parts_by_payer = _shared_out(whole, key)
    commands += shares
    for part, (payer, percent) in enumerate(key.payers, start=1):
        name = invoice if part == 1 else f"{invoice}-{part}"
        share = BillToShare(invoice, percent, part, len(key.payers))
        header = _header(read, key, members, plan, customer=payer, share=share)
        commands += _draft(read, name, header, parts_by_payer[part - 1])
        names.append(name)
    return commands, names


def _cut(members: Sequence[Billable]) -> tuple[list[Addressed], list[Billable]]:
    """The splits of lots that cross their cap, and the lots as they then go on the draft."""
    splits: list[Addressed] = []
    whole: list[Billable] = []
    for each in members:
        if not each.needs_split:
            whole.append(each)
            continue
        splits.append(Addressed(each.stream, SplitLot(each.lot.lot, each.within, each.hours)))
        first, _ = parts_at(each.lot, each.within, each.hours)
        whole.append(Billable(each.stream, part_of(each.lot, first), each.within))
    return splits, whole


def _shared_out(members: Sequence[Billable], key: GroupKey) -> tuple[list[Addressed], list[list[Billable]]]:
    """The division of lots among payers, and the parts of each payer."""
    percents = tuple(percent for _, percent in key.payers)
    values = shares_of_each([each.within for each in members], percents, key.currency)
    commands: list[Addressed] = []
    by_payer: list[list[Billable]] = [[] for _ in percents]
    for each, parts in zip(members, values, strict=True):
        commands.append(Addressed(each.stream, ShareLot(each.lot.lot, percents, parts)))
        for payer, part in zip(by_payer, parts_of(each.lot, percents, parts), strict=True):
            payer.append(Billable(each.stream, part_of(each.lot, part), part.value))
    return commands, by_payer


def _header(
    read: Read,
    key: GroupKey,
    members: Sequence[Billable],
    plan: DraftPlan,
    customer: str | None = None,
    share: BillToShare | None = None,
) -> Header:
    engagements = tuple(dict.fromkeys(each.lot.engagement for each in members))
    orders = {engagement_of(read, name).purchase_order for name in engagements}
    order = orders.pop() if len(orders) == 1 else None
    return Header(
        engagement=engagements[0],
        customer=customer or key.customer,
        selling_entity=key.selling_entity,
        currency=key.currency,
        purchase_order=order.number if order else None,
        cut_off=plan.cut_off,
        prepared_by=plan.by,
        grouping=plan.grouping,
        key=key.key,
        engagements=engagements,
        layout=plan.layout,
        share=share,
    )


def _draft(read: Read, invoice: str, header: Header, members: Sequence[Billable]) -> list[Addressed]:
    lines = _lines(read, header, members, first=1)
    return [
        *_reservations(invoice, lines),
        *claims_of(read, invoice, header, lines),
        Addressed(invoice_stream(invoice), DraftInvoice(invoice, header, lines)),
    ]


def _late_lots(read: Read, draft: Draft, members: Sequence[Billable], by: str) -> list[Addressed]:
    """The commands by which late lots join a draft, on lines of their own."""
    splits, whole = _cut(members)
    last = max(line.line for line in draft.lines)
    lines = _lines(read, draft.header, whole, first=last + 1)
    return [
        *splits,
        *_reservations(draft.invoice, lines),
        *claims_of(read, draft.invoice, draft.header, (*draft.lines, *lines), only=lines),
        Addressed(invoice_stream(draft.invoice), AddLines(lines, by)),
    ]


def _lines(read: Read, header: Header, billable: Sequence[Billable], first: int) -> tuple[InvoiceLine, ...]:
    """One line for what has the same project, contract line, text, price and tax, or one for each lot."""
    groups: dict[tuple[object, ...], list[Billable]] = {}
    taxes = _Taxes(read, header)
    for each in billable:
        lot = each.lot
        kind = (lot.engagement, lot.project, lot.line, _text(read, lot), lot.price, lot.tax_category, taxes.of(lot))
        groups.setdefault((*kind, lot.lot) if header.layout == "detail" else kind, []).append(each)
    return tuple(_line(read, number, group, header.layout) for number, group in enumerate(groups.values(), start=first))


class _Taxes:
    """How lots of a draft are taxed by their work dates: what a new rate divides does not stand on one line."""

    def __init__(self, read: Read, header: Header) -> None:
        terms = entity_of(read, header.selling_entity).on(header.cut_off)
        self._decide = partial(
            decide_tax,
            terms,
            customer_of(read, header.customer),
            tax_rules_of(read, terms.address.country if terms else ""),
            header.cut_off,
        )
        self._known: dict[tuple[str, date], TaxDecision | TaxGap] = {}

    def of(self, lot: Lot) -> TaxDecision | TaxGap:
        """The taxes of a lot, or why they are not known yet."""
        key = (lot.tax_category, lot.work_date)
        if key not in self._known:
            self._known[key] = self._decide(taxed_as=TaxedAs.of(lot.tax_category), supplied_on=lot.work_date)
        return self._known[key]


def _text(read: Read, lot: Lot) -> str:
    if lot.role is None or not lot.project:
        return lot.description
    return f"{project_of(read, lot.project).terms.title}: {lot.role}"


def _line(read: Read, number: int, group: Sequence[Billable], layout: Layout) -> InvoiceLine:
    parts = tuple(_on_invoice(each) for each in group)
    first, days = group[0].lot, [each.lot.work_date for each in group]
    text = _text(read, first)
    contract_line = engagement_of(read, first.engagement).line_on(first.line, max(days))
    return InvoiceLine(
        line=number,
        description=f"{first.work_date} {text}" if layout == "detail" else text,
        quantity=sum((part.quantity for part in parts), Decimal(0)),
        unit=first.unit,
        price=first.price,
        net=total((part.value for part in parts), first.value.currency),
        project=first.project,
        contract_line=first.line,
        first_work_date=min(days),
        last_work_date=max(days),
        lots=parts,
        engagement=first.engagement,
        holdback_percent=contract_line.holdback_percent if contract_line else Decimal(0),
        tax_category=first.tax_category,
    )


def _on_invoice(each: Billable) -> LotOnInvoice:
    lot = each.lot
    return LotOnInvoice(
        each.stream, lot.lot, lot.quantity, lot.value, lot.work_date, lot.resource, lot.description or (lot.role or "")
    )


def by_stream(lines: Iterable[InvoiceLine]) -> dict[StreamId, tuple[str, ...]]:
    """The lots of lines, by the stream that holds them."""
    grouped: dict[StreamId, list[str]] = {}
    for line in lines:
        for part in line.lots:
            grouped.setdefault(part.stream, []).append(part.lot)
    return {stream: tuple(lots) for stream, lots in grouped.items()}


def _reservations(invoice: str, lines: Sequence[InvoiceLine]) -> list[Addressed]:
    return [Addressed(stream, ReserveLots(lots, invoice)) for stream, lots in by_stream(lines).items()]


def claims_of(
    read: Read,
    invoice: str,
    header: Header,
    lines: Sequence[InvoiceLine],
    only: Sequence[InvoiceLine] | None = None,
) -> list[Addressed]:
    """What an invoice takes of the caps of each contract line, of those that ``only`` names, and of its customers."""
    groups: dict[tuple[str, str], list[InvoiceLine]] = {}
    for line in lines:
        groups.setdefault((header.engagement_of(line), line.contract_line), []).append(line)
    touched = groups if only is None else {(header.engagement_of(line), line.contract_line): None for line in only}
    claims: dict[str, list[ClaimBilling]] = {}
    for engagement, name in touched:
        if name:
            claim = _claim(invoice, name, groups[engagement, name], header)
            caps = engagement_of(read, engagement).caps
            if caps.claim_of(invoice, name, header.currency) != claim.claim:
                claims.setdefault(engagement, []).append(claim)
    return [
        *(Addressed(stream_of("engagement", name), each) for name, told in claims.items() for each in together(told)),
        *_limit_claims(read, invoice, header, lines),
    ]


def _claim(invoice: str, contract_line: str, lines: Sequence[InvoiceLine], header: Header) -> ClaimBilling:
    net, hours = _worth(lines, header.currency)
    parts = (
        (part.resource, part.value, part.quantity if line.unit == "hour" else Decimal(0))
        for line in lines
        for part in line.lots
    )
    return ClaimBilling(invoice, contract_line, net, hours, resource_claims(parts))


def _worth(lines: Iterable[InvoiceLine], currency: str) -> tuple[Money, Decimal]:
    """What lines come to, in money and in hours."""
    net, hours = zero(currency), Decimal(0)
    for line in lines:
        net = net + line.net
        hours += sum((part.quantity for part in line.lots if line.unit == "hour"), Decimal(0))
    return net, hours


def _limit_claims(read: Read, invoice: str, header: Header, lines: Sequence[InvoiceLine]) -> list[Addressed]:
    """What an invoice takes of the limits of the customers whose engagements it bills."""
    by_customer: dict[str, list[InvoiceLine]] = {}
    for line in lines:
        customer = engagement_of(read, header.engagement_of(line)).terms.customer
        by_customer.setdefault(customer, []).append(line)
    return [
        Addressed(
            billing_limit_stream(customer, header.currency), ClaimLimit(invoice, *_worth(theirs, header.currency))
        )
        for customer, theirs in by_customer.items()
        if billing_limit_of(read, customer, header.currency).agreed is not None
    ]
