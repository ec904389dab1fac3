"""Services around drafts: request, preview, refresh, adjust, discard, and lots that somebody postpones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, get_args

from typing_extensions import Doc

from api.errors import problem_of
from api.services.invoices import require_invoice
from api.services.service import Amount, Call, Decision, InputIncomplete, Kind, Service
from domain.billing import adjusting, drafting, issuing
from domain.billing.draft_plan import DraftPlan, Drafts
from domain.invoice import AllowanceCharge, Draft, Grouping, Header, Layout, NothingToBill, Prepayment, invoice_stream
from domain.kernel import Addressed, StreamId, decider_name
from domain.lots import PostponeLots, UnknownLot
from domain.money import Money, total
from domain.ports import LotAt, billing_calendar_of, engagement_of, entity_of, lots_of

ENGAGEMENTS_PER_RUN_MAX: Final = 500
LOTS_PER_DRAFT_MAX: Final = 20_000
MONTHS_BACK_MAX: Final = 3


HOLDING_LOTS: Final = ("timesheet", "expense_report", "engagement")
"""The kinds of streams that hold lots."""


@dataclass(frozen=True)
class LotInput:
    """A lot, as billingEligibility names it."""

    stream: Annotated[str, Doc("The stream that holds the lot.")]
    lot: Annotated[str, Doc("The lot.")]

    @property
    def at(self) -> LotAt:
        """Where the lot is; a stream that holds no lots knows none."""
        stream = StreamId(self.stream)
        if decider_name(stream) not in HOLDING_LOTS:
            raise UnknownLot(f"{self.lot} of {self.stream}.")
        return LotAt(stream, self.lot)


@dataclass(frozen=True)
class RequestInvoiceInput:
    """What to bill: one engagement, or all that a legal entity sells (a billing run), or a part of that."""

    engagement: Annotated[str | None, Doc("The engagement to bill.")] = None
    selling_entity: Annotated[str | None, Doc("The legal entity whose engagements are billed (a billing run).")] = None
    cut_off: Annotated[date | None, Doc("Later work is left out; by default as the calendar says, else today.")] = None
    lots: Annotated[tuple[LotInput, ...] | None, Doc("Only these lots; each must be eligible.")] = None
    invoice: Annotated[str | None, Doc("The id of the draft of one engagement; left out, one is made.")] = None
    customer: Annotated[str | None, Doc("In a billing run, only this customer.")] = None
    project: Annotated[str | None, Doc("Only the work of this project.")] = None
    purchase_order: Annotated[str | None, Doc("In a billing run, only engagements under this order.")] = None
    group_by: Annotated[
        str | None,
        Doc("What one invoice holds: engagement, customer, project or purchase_order; by default engagement."),
    ] = None
    layout: Annotated[
        str | None,
        Doc("summary: a line for work of the same kind and price by default; detail: a line for each lot."),
    ] = None


def request_invoice(asked: RequestInvoiceInput, call: Call) -> Decision:
    """Put eligible lots on draft invoices, of one engagement or of all that an entity sells.

    Only what is eligible when this is decided, up to every cap, gets on a draft. In a billing run, lots that came late
    join the draft of their group. A dry run shows the drafts that it would make.
    """
    drafts = _requested(asked, call)
    if not drafts.commands:
        raise drafts.left_out[0] if drafts.left_out else NothingToBill(_nothing(asked))
    streams = tuple(invoice_stream(invoice) for invoice in drafts.invoices)
    return Decision(drafts.commands, streams, tuple(map(problem_of, drafts.left_out)))


def _nothing(asked: RequestInvoiceInput) -> str:
    return f"Nothing of {asked.engagement or asked.selling_entity} can be billed up to {asked.cut_off or 'today'}."


def _requested(asked: RequestInvoiceInput, call: Call) -> Drafts:
    match (asked.engagement, asked.selling_entity):
        case (str(engagement), None):
            return _of_engagement(asked, engagement, call)
        case (None, str(entity)):
            return _billing_run(asked, entity, call)
        case _:
            raise InputIncomplete("Name an engagement or a selling entity, one of the two.")


def _of_engagement(asked: RequestInvoiceInput, engagement: str, call: Call) -> Drafts:
    call.require_engagement(engagement)
    plan = _plan(asked, engagement_of(call.read, engagement).terms.selling_entity, call)
    eligible = list(call.candidates.eligible_of(engagement, plan.cut_off.isoformat()))[:LOTS_PER_DRAFT_MAX]
    lots = eligible if asked.lots is None else [each.at for each in asked.lots]
    invoice = asked.invoice or call.new_id("INV", engagement)
    names = _names(call, plan) if plan.grouping == "project" else lambda _: invoice
    return drafting.draft_invoices(call.read, _of_project(asked, lots, call), plan, names, beside=eligible)


def _billing_run(asked: RequestInvoiceInput, entity: str, call: Call) -> Drafts:
    if asked.lots is not None or asked.invoice is not None:
        raise InputIncomplete("lots and invoice belong to the draft of one engagement.")
    call.require_entity(entity)
    plan = _plan(replace(asked, cut_off=asked.cut_off or _usual_cut_off(entity, call)), entity, call)
    until = plan.cut_off.isoformat()
    lots: list[LotAt] = []
    for engagement in call.candidates.engagements_with_eligible(entity, until)[:ENGAGEMENTS_PER_RUN_MAX]:
        if _is_asked_for(asked, engagement, call):
            lots += list(call.candidates.eligible_of(engagement, until))[:LOTS_PER_DRAFT_MAX]
    open_drafts = call.candidates.drafts_of(entity)
    mine = _of_project(asked, lots, call)
    return drafting.draft_invoices(call.read, mine, plan, _names(call, plan), open_drafts, beside=lots)


def _usual_cut_off(entity: str, call: Call) -> date:
    """By the entity's billing calendar the end of the newest month whose billing day has come; without one, today."""
    today = call.today_at(entity)
    terms = entity_of(call.read, entity).on(today)
    calendar = billing_calendar_of(call.read, entity, terms.address) if terms else None
    month_end = (today.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    for _ in range(MONTHS_BACK_MAX):
        billed_on = calendar.billing_day_of(month_end) if calendar else None
        if billed_on is None:
            return today
        if billed_on <= today:
            return min(month_end, today)
        month_end = month_end.replace(day=1) - timedelta(days=1)
    return today


def _is_asked_for(asked: RequestInvoiceInput, engagement: str, call: Call) -> bool:
    state = engagement_of(call.read, engagement)
    order = state.purchase_order.number if state.purchase_order else None
    return asked.customer in (None, state.terms.customer) and asked.purchase_order in (None, order)


def _of_project(asked: RequestInvoiceInput, lots: Sequence[LotAt], call: Call) -> Sequence[LotAt]:
    if asked.project is None:
        return lots
    call.require_project(asked.project)
    books = ((each, lots_of(call.read, each.stream)) for each in lots)
    return [each for each, book in books if each.lot in book and book[each.lot].lot.project == asked.project]


def _plan(asked: RequestInvoiceInput, entity: str, call: Call) -> DraftPlan:
    today = call.today_at(entity)
    return DraftPlan(
        cut_off=asked.cut_off or today,
        by=call.actor,
        on=max(today, asked.cut_off or today),
        grouping=_one_of("groupBy", asked.group_by, get_args(Grouping), "engagement"),
        layout=_one_of("layout", asked.layout, get_args(Layout), "summary"),
        strict=asked.lots is not None,
    )


def _one_of(field: str, said: str | None, known: tuple[str, ...], usual: str) -> Any:
    if said is not None and said not in known:
        raise InputIncomplete(f"{field} is one of {', '.join(known)}.")
    return said or usual


def _names(call: Call, plan: DraftPlan) -> Callable[[str], str]:
    """The id of a group's draft: the same whenever the same request is made again."""
    return lambda group: call.new_id("INV", plan.grouping, group)


@dataclass(frozen=True)
class PreviewInvoiceInput(RequestInvoiceInput):
    """What to show: the invoice that a request would come to, or that an existing draft would be."""

    draft: Annotated[str | None, Doc("An existing draft, instead of a request.")] = None
    issued_on: Annotated[date | None, Doc("The day of issue; by default today at the selling entity.")] = None


def preview_invoice(asked: PreviewInvoiceInput, call: Call) -> Decision:
    """Show the invoice with its tax and totals, as it would be issued now without a number; nothing is recorded."""
    commands: Sequence[Addressed] = ()
    if asked.draft is not None:
        require_invoice(asked.draft, call)
        invoices: tuple[str, ...] = (asked.draft,)
    else:
        drafts = _requested(asked, call)
        if not drafts.commands:
            raise drafts.left_out[0] if drafts.left_out else NothingToBill(_nothing(asked))
        commands, invoices = drafts.commands, drafts.invoices
    day = asked.issued_on or call.now.date()
    shown = issuing.previewed(call.read, commands, invoices, call.now, day)
    return Decision([*commands, *shown], tuple(map(invoice_stream, invoices)))


@dataclass(frozen=True)
class RefreshDraftInput:
    """A draft that takes up late lots."""

    invoice: Annotated[str, Doc("The draft.")]
    lots: Annotated[tuple[LotInput, ...] | None, Doc("Only these lots; each must be eligible and belong to it.")] = None


def refresh_draft(asked: RefreshDraftInput, call: Call) -> Decision:
    """Let the lots that came late join a draft, up to its cut-off."""
    header = require_invoice(asked.invoice, call)
    eligible = _eligible_for(header, call)[:LOTS_PER_DRAFT_MAX] if header is not None else []
    lots = eligible if asked.lots is None else [each.at for each in asked.lots]
    on = call.today_at(header.selling_entity) if header else call.now.date()
    strict = asked.lots is not None
    drafts = drafting.refresh_draft(
        call.read, asked.invoice, lots, by=call.actor, on=on, strict=strict, beside=eligible
    )
    return Decision(drafts.commands, (invoice_stream(asked.invoice),))


def _eligible_for(header: Header, call: Call) -> list[LotAt]:
    """What may be billed of the engagements that a draft is about, up to its cut-off."""
    until = header.cut_off.isoformat()
    engagements = (
        header.all_engagements
        if header.grouping == "engagement"
        else call.candidates.engagements_with_eligible(header.selling_entity, until)
    )
    return [lot for engagement in engagements for lot in call.candidates.eligible_of(engagement, until)]


@dataclass(frozen=True)
class AdjustInvoiceLineInput:
    """A line to write up or down before the invoice is approved."""

    invoice: Annotated[str, Doc("The draft.")]
    line: Annotated[int, Doc("The number of the line.")]
    amount: Annotated[Amount, Doc("Above zero writes the line up, below zero down.")]
    reason: Annotated[str, Doc("Why; it is printed, and auditors will read it.")]
    lots: Annotated[tuple[str, ...] | None, Doc("The lots of the line that it concerns; by default all.")] = None


def adjust_invoice_line(asked: AdjustInvoiceLineInput, call: Call) -> Decision:
    """Write a line of a draft up or down, visibly: by a line of its own with its reason and the lots it concerns."""
    require_invoice(asked.invoice, call)
    commands = adjusting.adjust_line(
        call.read, asked.invoice, asked.line, asked.amount.money, asked.reason, call.actor, asked.lots or ()
    )
    return Decision(commands, (invoice_stream(asked.invoice),))


@dataclass(frozen=True)
class AllowanceInput:
    """An allowance or a charge; an amount, or a percentage of a base."""

    kind: Annotated[str, Doc("allowance, which is taken off, or charge, which is added.")]
    reason: Annotated[str, Doc("Why; it is printed.")]
    amount: Annotated[Decimal | None, Doc("Above zero, in the invoice's currency; or say percent and base.")] = None
    percent: Annotated[Decimal | None, Doc("So many percent of base.")] = None
    base: Annotated[Decimal | None, Doc("What percent is of; by default the net of the line.")] = None
    reason_code: Annotated[str, Doc("UNTDID 5189 for an allowance, 7161 for a charge.")] = ""
    tax_category: Annotated[str, Doc("On a document: the tax category of the lines it is taxed like.")] = "standard"


@dataclass(frozen=True)
class StateAllowancesInput:
    """All allowances and charges of a line, or of the document."""

    invoice: Annotated[str, Doc("The draft.")]
    allowances: Annotated[tuple[AllowanceInput, ...], Doc("All of them; those stated before no longer hold.")]
    line: Annotated[int | None, Doc("The number of the line; left out, they are the document's.")] = None
    base_quantity: Annotated[Decimal | None, Doc("How many units the printed price of the line is for.")] = None


def state_allowances(asked: StateAllowancesInput, call: Call) -> Decision:
    """State all allowances and charges of a draft's line, or of the whole document, each with its reason."""
    require_invoice(asked.invoice, call)
    draft = adjusting.draft_of(call.read, asked.invoice)
    currency = draft.header.currency
    base = draft.line(asked.line).item_net if asked.line is not None else _sum_of_lines(draft)
    stated = tuple(_allowance(each, base, currency) for each in asked.allowances)
    units = Decimal(1) if asked.base_quantity is None else asked.base_quantity
    commands = adjusting.state_allowances(call.read, asked.invoice, asked.line, stated, call.actor, units)
    return Decision(commands, (invoice_stream(asked.invoice),))


def _sum_of_lines(draft: Draft) -> Money:
    return total((line.net for line in draft.lines), draft.header.currency)


def _allowance(asked: AllowanceInput, usual_base: Money, currency: str) -> AllowanceCharge:
    kind = _one_of("kind", asked.kind, ("allowance", "charge"), "")
    base = Money(asked.base, currency) if asked.base is not None else usual_base
    match (asked.amount, asked.percent):
        case (Decimal() as amount, None):
            exact, base_shown = Money(amount, currency), None
        case (None, Decimal() as percent):
            exact, base_shown = base * (percent / 100), base
        case _:
            raise InputIncomplete("An allowance or charge has an amount or a percentage, one of the two.")
    return AllowanceCharge(
        kind, exact.rounded(), asked.reason, asked.reason_code, asked.percent, base_shown, asked.tax_category
    )


@dataclass(frozen=True)
class PrepaymentInput:
    """Money on account that an invoice takes into account."""

    payment: Annotated[str, Doc("The receipt that is on account.")]
    amount: Annotated[Amount, Doc("How much of it, in the invoice's currency.")]


@dataclass(frozen=True)
class StatePrepaymentsInput:
    """What was paid before."""

    invoice: Annotated[str, Doc("The draft.")]
    prepayments: Annotated[tuple[PrepaymentInput, ...], Doc("All of them; those stated before no longer hold.")]


def state_prepayments(asked: StatePrepaymentsInput, call: Call) -> Decision:
    """State which money on account a draft takes into account; it reduces what is due, and is applied at issue."""
    require_invoice(asked.invoice, call)
    stated = tuple(Prepayment(each.payment, each.amount.money) for each in asked.prepayments)
    return Decision(adjusting.state_prepayments(call.read, asked.invoice, stated), (invoice_stream(asked.invoice),))


@dataclass(frozen=True)
class DiscardDraftInput:
    """A draft to give up."""

    invoice: Annotated[str, Doc("The draft.")]
    reason: Annotated[str, Doc("Why; auditors will read it.")]


def discard_draft(asked: DiscardDraftInput, call: Call) -> Decision:
    """Give up a draft; its lots become eligible again."""
    require_invoice(asked.invoice, call)
    commands = adjusting.discard_draft(call.read, asked.invoice, call.actor, asked.reason)
    return Decision(commands, (invoice_stream(asked.invoice),))


@dataclass(frozen=True)
class PostponeLotsInput:
    """Lots to leave out of invoices for a while."""

    lots: Annotated[tuple[LotInput, ...], Doc("The open lots.")]
    reason: Annotated[str, Doc("Why; people will read it.")]
    until: Annotated[date | None, Doc("The first day on which they may be billed; left out, they may be now.")] = None


def postpone_lots(asked: PostponeLotsInput, call: Call) -> Decision:
    """Leave open lots out of invoices until a day, or let them be billed again."""
    by_stream: dict[StreamId, list[str]] = {}
    for each in asked.lots:
        by_stream.setdefault(each.at.stream, []).append(each.lot)
    for stream, lots in by_stream.items():
        book = lots_of(call.read, stream)
        for entity in {book[lot].lot.selling_entity for lot in lots if lot in book}:
            call.require_entity(entity)
    commands = [
        Addressed(stream, PostponeLots(tuple(lots), asked.until, asked.reason, call.actor))
        for stream, lots in by_stream.items()
    ]
    return Decision(commands, tuple(by_stream))


_WORK: Final[tuple[Kind, ...]] = ("timesheet", "expense_report", "engagement")
SERVICES = (
    Service("request-invoice", RequestInvoiceInput, ("invoice",), request_invoice, asks_candidates=True),
    Service(
        "preview-invoice",
        PreviewInvoiceInput,
        ("invoice",),
        preview_invoice,
        asks_candidates=True,
        records_nothing=True,
    ),
    Service("refresh-draft", RefreshDraftInput, ("invoice",), refresh_draft, asks_candidates=True),
    Service("adjust-invoice-line", AdjustInvoiceLineInput, ("invoice",), adjust_invoice_line),
    Service("state-allowances", StateAllowancesInput, ("invoice",), state_allowances),
    Service("state-prepayments", StatePrepaymentsInput, ("invoice",), state_prepayments),
    Service("discard-draft", DiscardDraftInput, ("invoice",), discard_draft),
    Service("postpone-lots", PostponeLotsInput, _WORK, postpone_lots),
)
