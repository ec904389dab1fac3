"""Services around what is promised: lines, change orders, limits, progress, retainers and service credits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from typing_extensions import Doc

from api.services.service import Amount, Call, Decision, InputIncomplete, Service
from domain.agreement import AgreeLine, CompleteEngagement
from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.change_orders import ApproveChangeOrder, ProposeChangeOrder, RejectChangeOrder
from domain.contract import (
    Billing,
    BillToShare,
    CategoryTerms,
    ContractLine,
    ExpenseTerms,
    FixedFeeMilestones,
    FixedFeeSchedule,
    Instalment,
    ManagedService,
    Milestone,
    PassThrough,
    PercentComplete,
    ResourceCap,
    Retainer,
    Revenue,
    TimeAndMaterials,
    Uplift,
)
from domain.kernel import Addressed, stream_of
from domain.line_caps import AgreeEngagementCap, ChangeLimits
from domain.money import Money
from domain.progress import MeasureProgress, RecordCost, ReviseEstimate
from domain.retainer import GrantRetainer, RefundRetainer
from domain.schedule import GiveServiceCredit

Engagement = Annotated[str, Doc("The engagement.")]
Line = Annotated[str, Doc("The contract line.")]
_REVENUE_METHODS = (
    "as_invoiceable",
    "straight_line",
    "percent_complete",
    "point_in_time",
    "completed_contract",
    "drawdown",
)
_MEASURES = ("cost", "hours", "units", "milestones", "manual")


@dataclass(frozen=True)
class PartInput:
    """A milestone or an instalment of a price."""

    name: Annotated[str, Doc("Its id within the line.")]
    title: Annotated[str, Doc("What the customer reads on the invoice.")]
    amount: Annotated[Amount, Doc("Its share of the price.")]
    due_on: Annotated[date | None, Doc("The day on which an instalment is billed.")] = None
    project: Annotated[str | None, Doc("The project that a milestone belongs to.")] = None
    after: Annotated[tuple[str, ...] | None, Doc("The milestones that come first.")] = None


@dataclass(frozen=True)
class ResourceCapInput:
    """The most that may be billed of one person's work on a line."""

    resource: Annotated[str, Doc("The person.")]
    amount: Annotated[Amount | None, Doc("In money.")] = None
    hours: Annotated[Decimal | None, Doc("In hours.")] = None


@dataclass(frozen=True)
class UpliftInput:
    """A multiplier on the rate for one kind of time."""

    time_type: Annotated[str, Doc("The kind of time, e.g. overtime.")]
    multiplier: Annotated[Decimal, Doc("E.g. 1.5.")]


@dataclass(frozen=True)
class BillToInput:
    """The part of a line that one customer pays."""

    customer: Annotated[str, Doc("Who pays.")]
    percent: Annotated[Decimal, Doc("How much of it, in percent.")]


@dataclass(frozen=True)
class CategoryInput:
    """How costs of one category are passed on."""

    category: Annotated[str, Doc("The category; * for all that are not named.")]
    billable: Annotated[bool | None, Doc("False when the firm bears them itself.")] = None
    markup_percent: Annotated[Decimal | None, Doc("Added to cost plus tax that is not recovered.")] = None
    per_diem: Annotated[Amount | None, Doc("A fixed amount per day instead of the cost.")] = None
    limit: Annotated[Amount | None, Doc("The most per expense.")] = None
    presentation: Annotated[str | None, Doc("principal (the whole is revenue) or agent (what exceeds the cost).")] = (
        None
    )


@dataclass(frozen=True)
class RevenueInput:
    """How revenue of a line is earned, apart from how it is billed."""

    method: Annotated[
        str,
        Doc(
            "as_invoiceable, straight_line, percent_complete, point_in_time, completed_contract or, for a retainer,"
            " drawdown."
        ),
    ]
    measure: Annotated[str | None, Doc("Of percent_complete: cost, hours, units, milestones or manual.")] = None
    budget: Annotated[Decimal | None, Doc("What the whole takes, in the unit of the measure.")] = None
    starts: Annotated[date | None, Doc("First day of a straight line.")] = None
    ends: Annotated[date | None, Doc("Last day of a straight line.")] = None
    precision: Annotated[Decimal | None, Doc("Digits of the percentage, where the contract fixes them.")] = None
    constrained: Annotated[
        Amount | None, Doc("The part of the price that is left out until it is highly probable (IFRS 15.56).")
    ] = None


@dataclass(frozen=True)
class LineInput:
    """A contract line; which further fields it needs depends on its method."""

    line: Annotated[str, Doc("Its id within the engagement.")]
    title: Annotated[str, Doc("What is promised.")]
    method: Annotated[
        str,
        Doc(
            "time_and_materials, fixed_fee_milestones, fixed_fee_schedule, percent_complete, retainer, managed_service"
            " or pass_through."
        ),
    ]
    price: Annotated[Amount | None, Doc("The fixed price, the monthly fee, or the retainer.")] = None
    parts: Annotated[tuple[PartInput, ...] | None, Doc("Milestones or instalments.")] = None
    cap: Annotated[Amount | None, Doc("The most that may be billed by the hour.")] = None
    hours_cap: Annotated[Decimal | None, Doc("The most hours that may be billed.")] = None
    cap_policy: Annotated[str | None, Doc("partial (the lot that crosses a cap is split) or whole_item.")] = None
    resource_caps: Annotated[tuple[ResourceCapInput, ...] | None, Doc("Caps of single people.")] = None
    uplifts: Annotated[tuple[UpliftInput, ...] | None, Doc("Multipliers by kind of time.")] = None
    starts: Annotated[date | None, Doc("First day of a managed service.")] = None
    ends: Annotated[date | None, Doc("Last day of a managed service.")] = None
    timing: Annotated[str | None, Doc("advance or arrears.")] = None
    measure: Annotated[str | None, Doc("cost, hours, units, milestones or manual.")] = None
    budget: Annotated[Decimal | None, Doc("What the whole takes, in the unit of the measure.")] = None
    precision: Annotated[Decimal | None, Doc("Digits of the percentage, where the contract fixes them.")] = None
    funded: Annotated[Amount | None, Doc("Bills cost over budget times this amount, instead of the price.")] = None
    usable_once: Annotated[str | None, Doc("A retainer may be used once its invoice is issued, or paid.")] = None
    expires_after_months: Annotated[Decimal | None, Doc("When a retainer expires.")] = None
    rolls_over_months: Annotated[Decimal | None, Doc("How much longer what is left may be used.")] = None
    overage: Annotated[str | None, Doc("rate_card, multiplier or held.")] = None
    overage_multiplier: Annotated[Decimal | None, Doc("On the rate, for work beyond a retainer.")] = None
    expected_breakage: Annotated[Amount | None, Doc("What the customer is expected never to use.")] = None
    expenses: Annotated[tuple[CategoryInput, ...] | None, Doc("How costs are passed on.")] = None
    tax_category: Annotated[str | None, Doc("standard unless the line is taxed otherwise.")] = None
    holdback_percent: Annotated[Decimal | None, Doc("What is kept back of each bill.")] = None
    bill_to: Annotated[tuple[BillToInput, ...] | None, Doc("Who pays which part; by default the customer.")] = None
    revenue: Annotated[RevenueInput | None, Doc("How revenue is earned; left out, as the method implies.")] = None
    stand_alone_price: Annotated[
        Amount | None, Doc("What it would cost alone: the prices of all lines that say so are allocated by it.")
    ] = None
    fixed_fx_rate: Annotated[
        Decimal | None, Doc("Units of the seller's currency for one of the engagement's, where the contract fixes it.")
    ] = None


def _required(value: Any, field: str, line: LineInput) -> Any:
    if value is None:
        raise InputIncomplete(f"{line.line}: a line of method {line.method} needs {field}.")
    return value


def _one_of(value: str | None, known: tuple[str, ...], field: str) -> Any:
    """A word of a closed list; the first is meant when nothing is said."""
    if value is None:
        return known[0]
    if value not in known:
        raise InputIncomplete(f"{field} is one of {', '.join(known)}.")
    return value


def _money(amount: Amount | None) -> Money | None:
    return amount.money if amount else None


def _whole(number: Decimal | None, field: str) -> int | None:
    if number is not None and number != int(number):
        raise InputIncomplete(f"{field} is a whole number.")
    return None if number is None else int(number)


def _billing(line: LineInput) -> Billing:
    match line.method:
        case "time_and_materials":
            return TimeAndMaterials(
                cap=_money(line.cap),
                cap_policy=_one_of(line.cap_policy, ("partial", "whole_item"), "capPolicy"),
                uplifts=tuple(Uplift(each.time_type, each.multiplier) for each in line.uplifts or ()),
                hours_cap=line.hours_cap,
                resource_caps=_resource_caps(line.resource_caps),
            )
        case "fixed_fee_milestones":
            return FixedFeeMilestones(milestones=_milestones(line), price=_money(line.price))
        case "fixed_fee_schedule":
            parts = _required(line.parts, "parts", line)
            instalments = (
                Instalment(each.name, each.title, _required(each.due_on, "dueOn", line), each.amount.money)
                for each in parts
            )
            return FixedFeeSchedule(_required(line.price, "price", line).money, tuple(instalments), _timing(line))
        case "percent_complete":
            return _percent_complete(line)
        case "retainer":
            return _retainer(line)
        case "managed_service":
            fee, starts = _required(line.price, "price", line), _required(line.starts, "starts", line)
            return ManagedService(fee.money, starts, line.ends, _timing(line))
        case "pass_through":
            return PassThrough(_expenses(line.expenses) or ExpenseTerms())
        case _:
            raise InputIncomplete(f"{line.line}: there is no method {line.method}.")


def _timing(line: LineInput) -> Any:
    return _one_of(line.timing, ("advance", "arrears"), "timing")


def _milestones(line: LineInput) -> tuple[Milestone, ...]:
    return tuple(
        Milestone(each.name, each.title, each.amount.money, each.project, each.after or (), each.due_on)
        for each in line.parts or ()
    )


def _percent_complete(line: LineInput) -> PercentComplete:
    _required(line.measure, "measure", line)
    return PercentComplete(
        price=_required(line.price, "price", line).money,
        measure=_one_of(line.measure, _MEASURES, "measure"),
        budget=line.budget,
        precision=_whole(line.precision, "precision"),
        bills="funded_cost" if line.funded else "progress",
        funded=_money(line.funded),
        milestones=_milestones(line),
    )


def _retainer(line: LineInput) -> Retainer:
    return Retainer(
        amount=_required(line.price, "price", line).money,
        usable_once=_one_of(line.usable_once, ("issued", "paid"), "usableOnce"),
        expires_after_months=_whole(line.expires_after_months, "expiresAfterMonths"),
        rolls_over_months=_whole(line.rolls_over_months, "rollsOverMonths") or 0,
        overage=_one_of(line.overage, ("rate_card", "multiplier", "held"), "overage"),
        overage_multiplier=line.overage_multiplier or Decimal(1),
        expected_breakage=_money(line.expected_breakage),
    )


def _resource_caps(caps: tuple[ResourceCapInput, ...] | None) -> tuple[ResourceCap, ...]:
    return tuple(ResourceCap(each.resource, _money(each.amount), each.hours) for each in caps or ())


def _expenses(categories: tuple[CategoryInput, ...] | None) -> ExpenseTerms | None:
    if categories is None:
        return None
    terms = [
        CategoryTerms(
            each.category,
            each.billable is not False,
            each.markup_percent or Decimal(0),
            _money(each.per_diem),
            _money(each.limit),
            _one_of(each.presentation, ("principal", "agent"), "presentation"),
        )
        for each in categories
    ]
    usual = next((each for each in terms if each.category == "*"), CategoryTerms("*"))
    return ExpenseTerms(usual, tuple(each for each in terms if each.category != "*"))


def _revenue(asked: RevenueInput | None) -> Revenue | None:
    if asked is None:
        return None
    return Revenue(
        method=_one_of(asked.method, _REVENUE_METHODS, "revenue.method"),
        measure=None if asked.measure is None else _one_of(asked.measure, _MEASURES, "revenue.measure"),
        budget=asked.budget,
        starts=asked.starts,
        ends=asked.ends,
        precision=_whole(asked.precision, "revenue.precision"),
        constrained=_money(asked.constrained),
    )


def _line(line: LineInput) -> ContractLine:
    return ContractLine(
        line=line.line,
        title=line.title,
        billing=_billing(line),
        tax_category=line.tax_category or "standard",
        holdback_percent=line.holdback_percent or Decimal(0),
        bill_to=tuple(BillToShare(each.customer, each.percent) for each in line.bill_to or ()),
        expenses=None if line.method == "pass_through" else _expenses(line.expenses),
        revenue=_revenue(line.revenue),
        stand_alone_price=_money(line.stand_alone_price),
        fixed_fx_rate=line.fixed_fx_rate,
    )


def _decided(engagement: str, call: Call, command: Any) -> Decision:
    call.require_engagement(engagement)
    stream = stream_of("engagement", engagement)
    return Decision([Addressed(stream, command)], (stream,))


def _day(asked: date | None, engagement: str, call: Call) -> date:
    """The day that was named, or today at the selling entity."""
    entity = call.read(stream_of("engagement", engagement)).terms.selling_entity
    return asked or call.today_at(entity)


@dataclass(frozen=True)
class AgreeLineInput:
    """A promise to add to an engagement, or to put in the place of one that is not billed yet."""

    engagement: Engagement
    line: Annotated[LineInput, Doc("The line with all its terms.")]


def agree_line(asked: AgreeLineInput, call: Call) -> Decision:
    """Agree a contract line with its billing method; one that contradicts itself is refused."""
    return _decided(asked.engagement, call, AgreeLine(_line(asked.line)))


@dataclass(frozen=True)
class ProposeChangeOrderInput:
    """New terms of an engagement from a day on."""

    engagement: Engagement
    change_order: Annotated[str, Doc("Its id within the engagement.")]
    effective_from: Annotated[date, Doc("The first day on which the new terms hold.")]
    lines: Annotated[tuple[LineInput, ...], Doc("The lines that change, and further ones, with all their terms.")]
    adds_distinct: Annotated[bool, Doc("Whether it only adds services that are distinct.")]
    at_stand_alone_price: Annotated[bool, Doc("Whether what it adds has its usual price.")]
    remaining_distinct: Annotated[bool, Doc("Whether what remains is distinct from what was done.")]
    because: Annotated[str, Doc("Why it is needed.")]


def propose_change_order(asked: ProposeChangeOrderInput, call: Call) -> Decision:
    """Propose new terms from a day on; how they are accounted for follows from what they change (IFRS 15.20, 21)."""
    command = ProposeChangeOrder(
        change_order=asked.change_order,
        effective_from=asked.effective_from,
        lines=tuple(_line(each) for each in asked.lines),
        adds_distinct=asked.adds_distinct,
        at_stand_alone_price=asked.at_stand_alone_price,
        remaining_distinct=asked.remaining_distinct,
        because=asked.because,
        by=call.actor,
        at=call.now,
    )
    return _decided(asked.engagement, call, command)


@dataclass(frozen=True)
class ApproveChangeOrderInput:
    """A change order that comes into force."""

    engagement: Engagement
    change_order: Annotated[str, Doc("The proposed change order.")]


def approve_change_order(asked: ApproveChangeOrderInput, call: Call) -> Decision:
    """Put a change order in force; what is not billed is priced anew, and nobody approves their own."""
    return _decided(asked.engagement, call, ApproveChangeOrder(asked.change_order, call.actor, call.now))


@dataclass(frozen=True)
class RejectChangeOrderInput:
    """A change order that is turned down."""

    engagement: Engagement
    change_order: Annotated[str, Doc("The proposed change order.")]
    reason: Annotated[str, Doc("Why.")]


def reject_change_order(asked: RejectChangeOrderInput, call: Call) -> Decision:
    """Turn a change order down; work that waited for it is billed under the old terms."""
    return _decided(asked.engagement, call, RejectChangeOrder(asked.change_order, asked.reason, call.actor, call.now))


@dataclass(frozen=True)
class ChangeLimitsInput:
    """The caps of a line besides its amount."""

    engagement: Engagement
    line: Line
    hours_cap: Annotated[Decimal | None, Doc("The most hours that may be billed; left out, no limit.")] = None
    resource_caps: Annotated[tuple[ResourceCapInput, ...] | None, Doc("Caps of single people.")] = None
    cap_policy: Annotated[str | None, Doc("partial or whole_item.")] = None


def change_limits(asked: ChangeLimitsInput, call: Call) -> Decision:
    """State anew how many hours of a line may be billed, how much of each person's work, and how caps cut."""
    policy = _one_of(asked.cap_policy, ("partial", "whole_item"), "capPolicy")
    command = ChangeLimits(asked.line, asked.hours_cap, _resource_caps(asked.resource_caps), policy)
    return _decided(asked.engagement, call, command)


def _limit(amount: Amount | None, hours: Decimal | None, policy: str | None) -> Limit | None:
    if amount is None and hours is None:
        return None
    return Limit(_money(amount), hours, _one_of(policy, ("partial", "whole_item"), "capPolicy"))


@dataclass(frozen=True)
class AgreeEngagementCapInput:
    """What may be billed of a whole engagement."""

    engagement: Engagement
    amount: Annotated[Amount | None, Doc("In money.")] = None
    hours: Annotated[Decimal | None, Doc("In hours.")] = None
    cap_policy: Annotated[str | None, Doc("partial or whole_item.")] = None


def agree_engagement_cap(asked: AgreeEngagementCapInput, call: Call) -> Decision:
    """Agree what may be billed of a whole engagement; with neither amount nor hours there is no limit any more."""
    limit = _limit(asked.amount, asked.hours, asked.cap_policy)
    return _decided(asked.engagement, call, AgreeEngagementCap(limit))


@dataclass(frozen=True)
class AgreeBillingLimitInput:
    """What a customer may be billed in all, in one currency."""

    customer: Annotated[str, Doc("The customer.")]
    currency: Annotated[str, Doc("The currency of the engagements that it limits.")]
    amount: Annotated[Amount | None, Doc("In money.")] = None
    hours: Annotated[Decimal | None, Doc("In hours.")] = None
    cap_policy: Annotated[str | None, Doc("partial or whole_item.")] = None
    billed_before: Annotated[Decimal | None, Doc("What of it was billed before it was agreed.")] = None


def agree_billing_limit(asked: AgreeBillingLimitInput, call: Call) -> Decision:
    """Agree what a customer may be billed over all engagements; with neither amount nor hours it is lifted."""
    call.require_firm()
    limit = _limit(asked.amount, asked.hours, asked.cap_policy)
    command = AgreeBillingLimit(asked.customer, asked.currency, limit, asked.billed_before or Decimal(0))
    return Decision([Addressed(billing_limit_stream(asked.customer, asked.currency), command)], ())


@dataclass(frozen=True)
class MeasureProgressInput:
    """What is done of a line."""

    engagement: Engagement
    line: Line
    to_date: Annotated[Decimal, Doc("All that is done up to the day, in the unit of the measure; manual: 0 to 1.")]
    measure: Annotated[str, Doc("cost, hours, units, milestones or manual.")]
    evidence: Annotated[str, Doc("Where it can be read.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def _measure(said: str) -> Any:
    return _one_of(said, _MEASURES, "measure")


def measure_progress(asked: MeasureProgressInput, call: Call) -> Decision:
    """Record what is done of a line; what may be billed more, or less, becomes a lot."""
    call.require_engagement(asked.engagement)
    command = MeasureProgress(
        asked.line,
        _day(asked.on, asked.engagement, call),
        asked.to_date,
        _measure(asked.measure),
        asked.evidence,
        call.actor,
        call.now,
    )
    return _decided(asked.engagement, call, command)


@dataclass(frozen=True)
class ReviseEstimateInput:
    """What the whole of a line will take."""

    engagement: Engagement
    line: Line
    total: Annotated[Decimal, Doc("The new estimate of the whole, in the unit of the measure.")]
    measure: Annotated[str, Doc("cost, hours, units, milestones or manual.")]
    reason: Annotated[str, Doc("Why it differs from the last one.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def revise_estimate(asked: ReviseEstimateInput, call: Call) -> Decision:
    """Estimate anew what the whole of a line takes; progress catches up at once."""
    call.require_engagement(asked.engagement)
    command = ReviseEstimate(
        asked.line,
        _day(asked.on, asked.engagement, call),
        asked.total,
        _measure(asked.measure),
        asked.reason,
        call.actor,
        call.now,
    )
    return _decided(asked.engagement, call, command)


@dataclass(frozen=True)
class RecordCostInput:
    """A cost of a line that no timesheet or expense report holds."""

    engagement: Engagement
    line: Line
    cost: Annotated[str, Doc("Its id, e.g. the subcontractor's invoice.")]
    amount: Annotated[Amount, Doc("What it costs.")]
    category: Annotated[str, Doc("What it is for.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def record_cost(asked: RecordCostInput, call: Call) -> Decision:
    """Record a cost of a line, such as a subcontractor's bill."""
    call.require_engagement(asked.engagement)
    on = _day(asked.on, asked.engagement, call)
    command = RecordCost(asked.line, asked.cost, on, asked.amount.money, asked.category, call.actor)
    return _decided(asked.engagement, call, command)


@dataclass(frozen=True)
class GrantRetainerInput:
    """The next retainer of a line."""

    engagement: Engagement
    line: Line
    grant: Annotated[str, Doc("Its id within the line.")]
    amount: Annotated[Amount | None, Doc("Left out, the amount of the contract.")] = None
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def grant_retainer(asked: GrantRetainerInput, call: Call) -> Decision:
    """Sell the next retainer of a line; it is invoiced, and work draws on it afterwards."""
    call.require_engagement(asked.engagement)
    on = _day(asked.on, asked.engagement, call)
    return _decided(asked.engagement, call, GrantRetainer(asked.line, asked.grant, on, call.now, _money(asked.amount)))


@dataclass(frozen=True)
class RefundRetainerInput:
    """A part of a retainer that is paid back."""

    engagement: Engagement
    line: Line
    grant: Annotated[str, Doc("The retainer.")]
    amount: Annotated[Amount, Doc("What is paid back; at most what is left.")]
    reason: Annotated[str, Doc("Why.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def refund_retainer(asked: RefundRetainerInput, call: Call) -> Decision:
    """Pay back a part of a retainer that was not used."""
    call.require_engagement(asked.engagement)
    on = _day(asked.on, asked.engagement, call)
    command = RefundRetainer(asked.line, asked.grant, asked.amount.money, on, asked.reason, call.actor)
    return _decided(asked.engagement, call, command)


@dataclass(frozen=True)
class GiveServiceCreditInput:
    """What is taken off because service was not as promised."""

    engagement: Engagement
    line: Line
    credit: Annotated[str, Doc("Its id within the line.")]
    amount: Annotated[Amount, Doc("What is taken off, as a positive amount.")]
    reason: Annotated[str, Doc("Which service level was missed.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def give_service_credit(asked: GiveServiceCreditInput, call: Call) -> Decision:
    """Credit the customer for service that was not as promised: a negative item on the next invoice."""
    call.require_engagement(asked.engagement)
    on = _day(asked.on, asked.engagement, call)
    command = GiveServiceCredit(asked.line, asked.credit, on, asked.amount.money, asked.reason, call.actor, call.now)
    return _decided(asked.engagement, call, command)


@dataclass(frozen=True)
class CompleteEngagementInput:
    """What is done."""

    engagement: Engagement
    line: Annotated[str | None, Doc("Only this line; left out, everything.")] = None
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def complete_engagement(asked: CompleteEngagementInput, call: Call) -> Decision:
    """Record that a line, or everything, is done: nothing is promised any more."""
    call.require_engagement(asked.engagement)
    on = _day(asked.on, asked.engagement, call)
    return _decided(asked.engagement, call, CompleteEngagement(on, call.actor, asked.line))


_KINDS: Any = ("engagement",)
SERVICES = (
    Service("agree-line", AgreeLineInput, _KINDS, agree_line),
    Service("propose-change-order", ProposeChangeOrderInput, _KINDS, propose_change_order),
    Service("approve-change-order", ApproveChangeOrderInput, _KINDS, approve_change_order),
    Service("reject-change-order", RejectChangeOrderInput, _KINDS, reject_change_order),
    Service("change-limits", ChangeLimitsInput, _KINDS, change_limits),
    Service("agree-engagement-cap", AgreeEngagementCapInput, _KINDS, agree_engagement_cap),
    Service("agree-billing-limit", AgreeBillingLimitInput, _KINDS, agree_billing_limit),
    Service("measure-progress", MeasureProgressInput, _KINDS, measure_progress),
    Service("revise-estimate", ReviseEstimateInput, _KINDS, revise_estimate),
    Service("record-cost", RecordCostInput, _KINDS, record_cost),
    Service("grant-retainer", GrantRetainerInput, _KINDS, grant_retainer),
    Service("refund-retainer", RefundRetainerInput, _KINDS, refund_retainer),
    Service("give-service-credit", GiveServiceCreditInput, _KINDS, give_service_credit),
    Service("complete-engagement", CompleteEngagementInput, _KINDS, complete_engagement),
)
