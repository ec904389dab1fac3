"""Drafting puts eligible lots on draft invoices: grouped, within their caps, shared among payers, in one transaction.

The functions return the commands for every aggregate that is touched; recorded together or not at all, they make it
impossible that a lot is on two invoices or that a cap is passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from domain.billing.billable import billable_lots
from domain.billing.claims import claims_of, reservations
from domain.billing.draft_lines import lines_of
from domain.billing.draft_plan import (
    BelowMinimumInvoice,
    BelowZero,
    Billable,
    DraftPlan,
    Drafts,
    GroupKey,
    LotsDoNotBelong,
    LotsUnderOtherOrder,
)
from domain.billing.line_rounding import LineRounding
from domain.billing.orders import require_same_order
from domain.billing.sharing import shares_of_each
from domain.invoice import (
    AddLines,
    BillToShare,
    Draft,
    DraftInvoice,
    Grouping,
    Header,
    InvoiceNotFound,
    NotADraft,
    Nothing,
    invoice_stream,
)
from domain.kernel import Addressed, Refused
from domain.lots import Lot, ShareLot, SplitLot, part_of, parts_at, parts_of
from domain.money import total, zero
from domain.ports import LotAt, Read, engagement_of, entity_of, invoice_of


def draft_invoices(
    read: Read,
    lots: Sequence[LotAt],
    plan: DraftPlan,
    name: Callable[[str], str],
    open_drafts: Iterable[str] = (),
    beside: Sequence[LotAt] = (),
) -> Drafts:
    """The commands that put eligible lots on drafts, one for each group; ``name`` gives the id of a group's draft.

    Lots join a draft of ``open_drafts`` that holds the same group, instead of a new one. ``beside`` are other lots that
    may be billed: what they take of a cap in their turn is left for them.
    """
    billable = billable_lots(read, lots, plan, beside)
    rounding = LineRounding(read, billable, plan.on)
    taking = _open_by_key(read, open_drafts)
    commands: list[Addressed] = []
    invoices: list[str] = []
    left_out: list[Refused] = []
    for key, members in _grouped(read, billable, plan.grouping).items():
        draft = taking.get((key, plan.grouping))
        try:
            _require_fits(read, key, members, plan, draft)
        except (BelowMinimumInvoice, BelowZero, LotsUnderOtherOrder) as refused:
            left_out.append(refused)
            continue
        if draft is not None:
            commands += _late_lots(read, draft, members, rounding, plan.by)
            invoices.append(draft.invoice)
            continue
        made, names = _new_drafts(read, key, members, rounding, plan, name(key.name))
        commands += made
        invoices += names
    return Drafts(tuple(commands), tuple(dict.fromkeys(invoices)), tuple(left_out))


def refresh_draft(
    read: Read, invoice: str, lots: Sequence[LotAt], *, by: str, on: date, strict: bool, beside: Sequence[LotAt] = ()
) -> Drafts:
    """The commands that let late lots join a draft, as far as they belong to it."""
    draft = _require_draft(read, invoice)
    header = draft.header
    plan = DraftPlan(header.cut_off, by, on, header.grouping, header.layout, strict)
    billable = billable_lots(read, lots, plan, beside)
    rounding = LineRounding(read, billable, on)
    commands: list[Addressed] = []
    for key, members in _grouped(read, billable, header.grouping).items():
        if key == _key_of(header):
            _require_fits(read, key, members, plan, draft)
            commands += _late_lots(read, draft, members, rounding, by)
        elif strict:
            raise LotsDoNotBelong(f"{members[0].lot.lot} and {invoice}.")
    return Drafts(tuple(commands), (invoice,))


def _require_draft(read: Read, invoice: str) -> Draft:
    state = invoice_of(read, invoice)
    if isinstance(state, Draft):
        return state
    raise InvoiceNotFound(invoice) if isinstance(state, Nothing) else NotADraft(f"{invoice} is issued or given up.")


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
    """The customers who share the bill of a lot, with their percentages; none when its own customer pays all.

    What was moved to another customer of the engagement is paid by that one alone.
    """
    engagement = engagement_of(read, lot.engagement)
    line = engagement.line_on(lot.line, lot.work_date)
    is_shared = line is not None and lot.customer == engagement.terms.customer
    return tuple((each.customer, each.percent) for each in line.bill_to) if line and is_shared else ()


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


def _require_fits(read: Read, key: GroupKey, members: Sequence[Billable], plan: DraftPlan, draft: Draft | None) -> None:
    """Refuses what makes no draft: too little, or what would take a draft below zero, or is under another order."""
    if draft is not None:
        require_same_order(read, draft, [each.lot for each in members])
    worth = total((each.within for each in members), key.currency) + (draft.net if draft else zero(key.currency))
    if worth.amount < 0:
        raise BelowZero(f"{key.name}: {worth}.")
    terms = entity_of(read, key.selling_entity).on(plan.on)
    least = terms.minimum_invoice if terms else None
    if draft is None and least is not None and least.currency == key.currency and worth < least:
        raise BelowMinimumInvoice(f"{key.name}: {worth} can be billed, {least} is the least.")


def _new_drafts(
    read: Read, key: GroupKey, members: Sequence[Billable], rounding: LineRounding, plan: DraftPlan, invoice: str
) -> tuple[list[Addressed], list[str]]:
    splits, whole = _cut(members)
    if not key.payers:
        header = _header(read, key, members, plan)
        return [*splits, *_draft(read, invoice, header, whole, rounding)], [invoice]
    commands, names = list(splits), []
    shares, parts_by_payer = _shared_out(whole, key)
    commands += shares
    for part, (payer, percent) in enumerate(key.payers, start=1):
        name = invoice if part == 1 else f"{invoice}-{part}"
        share = BillToShare(invoice, percent, part, len(key.payers))
        header = _header(read, key, members, plan, customer=payer, share=share)
        commands += _draft(read, name, header, parts_by_payer[part - 1], rounding)
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


def _draft(
    read: Read, invoice: str, header: Header, members: Sequence[Billable], rounding: LineRounding
) -> list[Addressed]:
    lines = lines_of(read, header, members, rounding, first=1)
    return [
        *reservations(invoice, lines),
        *claims_of(read, invoice, header, lines),
        Addressed(invoice_stream(invoice), DraftInvoice(invoice, header, lines)),
    ]


def _late_lots(
    read: Read, draft: Draft, members: Sequence[Billable], rounding: LineRounding, by: str
) -> list[Addressed]:
    """The commands by which late lots join a draft, on lines of their own."""
    splits, whole = _cut(members)
    last = max(line.line for line in draft.lines)
    lines = lines_of(read, draft.header, whole, rounding, first=last + 1)
    return [
        *splits,
        *reservations(draft.invoice, lines),
        *claims_of(read, draft.invoice, draft.header, (*draft.lines, *lines), only=lines),
        Addressed(invoice_stream(draft.invoice), AddLines(lines, by)),
    ]
