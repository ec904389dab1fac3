"""The figures for management, each with its definition: what work earns, how fast money comes, and what holds it up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

import strawberry

from api.graphql.asking import Asked, AsOfArgument, Info, WaitFor, Watermark, ask, filter_of
from projections.figures import asked as figure_filters
from projections.figures import cycle, earnings, synchronised, unbilled, waiting, waterfall

Answer = TypeVar("Answer")
_CURRENCY: Final = (
    "The currency of the amounts: as asked, else that of the firm's policy. Revenue and cost are what the journal"
    " reports; all else is converted from the selling entity's currency at the rate of the last day of its month."
)
_UNCONVERTED: Final = "Lots or sums that an exchange rate is missing for; they are in no amount."
_FROM_SERVICE: Final = "Issue - end of the service period, the last day that was worked."
_FROM_APPROVAL: Final = "Issue - last approval of the work that it still bills, on the calendar of the selling entity."
_TO_BOOKS: Final = "Confirmation by the ERP - first sending to it."
_TITLE: Final = "Its name: that of the customer or legal entity, the title of the engagement or project; else the key."
_KEY: Final = (
    "The object, month or region; empty for the firm, and for what belongs to none. An hour belongs to the practice of"
    " who worked it; what nobody works by the hour, such as a milestone, is shared by the approved hours on its"
    " contract line, and an invoice, with its open balance, by the value of the lots that it still bills."
)


@strawberry.enum(description="What figures are added up by.")
class FigureBy(StrEnum):
    """See the description."""

    FIRM = "firm"
    SELLING_ENTITY = "selling_entity"
    REGION = "region"
    PRACTICE = "practice"
    CUSTOMER = "customer"
    ENGAGEMENT = "engagement"
    PROJECT = "project"
    MONTH = "month"


@strawberry.input(description="Which work; months as 2026-03, both included: of the work, and of the books.")
class FigureFilter:
    """See the description."""

    month_from: str | None = strawberry.field(default=None)
    month_to: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    region: str | None = strawberry.field(default=None)
    practice: str | None = strawberry.field(default=None)
    customer: str | None = strawberry.field(default=None)
    engagement: str | None = strawberry.field(default=None)
    project: str | None = strawberry.field(default=None)
    manager: str | None = strawberry.field(default=None, description="Only the projects that this person manages.")
    currency: str | None = strawberry.field(default=None, description="Of the answer, as ISO 4217 code.")


@strawberry.type(description="The figures of one object, side by side; a figure that it cannot have is null.")
class FigureRow:
    """See the description."""

    by: str = strawberry.field(description="What kind of object it is.")
    key: str = strawberry.field(description=_KEY)
    title: str = strawberry.field(description=_TITLE)
    currency: str = strawberry.field(description=_CURRENCY)
    billable_hours: Decimal = strawberry.field(
        description="Approved hours that are billed, may be billed, or that a fixed price or a retainer pays for; by"
        " firm, entity, region, practice and month those of the employer of who worked them, otherwise of who sells."
    )
    capacity_hours: Decimal | None = strawberry.field(
        description="Contractual hours: a fifth of the week for each day from Monday to Friday. Holidays and"
        " absences are not taken off. Null where people do not belong to the object."
    )
    utilisation: Decimal | None = strawberry.field(description="Billable hours / capacity.")
    standard: Decimal = strawberry.field(
        description="The value of approved work at the rate card; hours that a fixed price or a retainer pays for have"
        " none, their milestone, progress or retainer has it."
    )
    unbilled: Decimal = strawberry.field(
        description="Unbilled approved time: standard value of lots eligible, held, over_cap, reserved."
    )
    billed: Decimal = strawberry.field(description="What invoices ask for it before tax, net of credits.")
    collected: Decimal = strawberry.field(description="The share of billed that was paid of the invoices.")
    billed_standard: Decimal = strawberry.field(description="The standard value of what is billed.")
    billing_realisation: Decimal | None = strawberry.field(
        description="Billed / standard. Work that is not billed yet lowers it: ask for months that are billed, or see"
        " priceRealisation."
    )
    price_realisation: Decimal | None = strawberry.field(
        description="Billed / standard value of what is billed: what write-downs, allowances and credits leave."
    )
    collection_realisation: Decimal | None = strawberry.field(description="Collected / billed.")
    recognised: Decimal = strawberry.field(
        description="Revenue to date in the journal, by month of the books. Of one legal entity with what it charges"
        " other entities; elsewhere that cancels out."
    )
    cost: Decimal = strawberry.field(description="Labour and expenses to date in the journal, likewise.")
    margin: Decimal = strawberry.field(description="Recognised less cost.")
    margin_ratio: Decimal | None = strawberry.field(description="Margin / recognised.")
    forecast_margin: Decimal = strawberry.field(
        description="Margin, and what is still to come of contract lines with a price or a cap: the price that is not"
        " earned yet, less what the work that is left will cost. That is the estimate at completion of the line, or"
        " its budget, less what was spent; hours at what an hour has cost so far; for a line with neither, cost in"
        " proportion to the price as so far. By project where a line has one alone; by practice by the hours on the"
        " line; by month, or of some months, evenly until the project ends, else in the present month."
    )
    forecast_basis: str | None = strawberry.field(
        description="By what it is known what is still to come: estimate, margin_so_far, or both of several lines;"
        " null where no line promises more."
    )
    contract_asset: Decimal | None = strawberry.field(
        description="Earned and not billed, on the last day of the span; by month, of the month. Net for each"
        " engagement: a practice whose work is billed ahead of that of others may be below zero. Null by project."
    )
    receivable: Decimal | None = strawberry.field(
        description="Billed with tax and not paid, on that day. Null by project."
    )
    trailing_revenue: Decimal | None = strawberry.field(description="Revenue of the 90 days up to that day.")
    trailing_billings: Decimal | None = strawberry.field(
        description="Invoices less credit notes, with tax, of the 90 days up to that day."
    )
    wip_days: Decimal | None = strawberry.field(description="Contract asset / trailing revenue per day.")
    dso_days: Decimal | None = strawberry.field(description="Receivables / billings per day.")
    lock_up_days: Decimal | None = strawberry.field(description="WIP days + DSO.")
    unconverted: int = strawberry.field(description=_UNCONVERTED)


@strawberry.type(description="The figures of each object.")
class Figures:
    """See the description."""

    rows: list[FigureRow]
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="A part of the standard value of work: where it is, or how it was lost.")
class WaterfallStep:
    """See the description."""

    step: str = strawberry.field(
        description="non_billable, written_off, over_cap, held, eligible, on_draft, written_down (what invoices ask"
        " less than the standard value, with allowances; below zero is written up), bad_debt, receivable, cash."
    )
    amount: Decimal = strawberry.field(description="The part of the standard value that is in this step.")
    percent: Decimal | None = strawberry.field(
        description="Of the standard value, in hundredths; all steps together are 100 (largest remainder)."
    )
    left: Decimal = strawberry.field(description="What is left of the standard value after this step.")


@strawberry.type(description="From the standard value of approved work to cash; the steps add up to it.")
class Waterfall:
    """See the description."""

    key: str = strawberry.field(description=_KEY)
    title: str = strawberry.field(description=_TITLE)
    currency: str = strawberry.field(description=_CURRENCY)
    standard: Decimal = strawberry.field(description="The value of approved work at the rate card.")
    steps: list[WaterfallStep] = strawberry.field(description="In the order from the work to the bank.")
    unconverted: int = strawberry.field(description=_UNCONVERTED)


@strawberry.type(description="The leakage waterfall of each object.")
class Waterfalls:
    """See the description."""

    rows: list[Waterfall]
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="Unbilled approved work of one age and reason.")
class UnbilledRow:
    """See the description."""

    key: str = strawberry.field(description=_KEY)
    title: str = strawberry.field(description=_TITLE)
    age: str = strawberry.field(description="Days since the work: 0-30, 31-60, 61-90, over 90.")
    reason: str = strawberry.field(
        description="The first reason of the closed list that blocks it; ELIGIBLE or RESERVED_ON_DRAFT where none does."
        " A lot that is over its cap in part counts with each part."
    )
    state: str = strawberry.field(description="eligible, held, over_cap, reserved.")
    currency: str = strawberry.field(description=_CURRENCY)
    lots: int = strawberry.field(description="How many; one that several practices share counts for each of them.")
    hours: Decimal = strawberry.field(description="Of those that are hours.")
    value: Decimal = strawberry.field(description="Standard value.")
    unconverted: int = strawberry.field(description=_UNCONVERTED)


@strawberry.type(description="Unbilled approved time: standard value of lots eligible, held, over_cap, reserved.")
class UnbilledWork:
    """See the description."""

    rows: list[UnbilledRow]
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="How long invoices take, in days: the middle, and the 90th percentile that was reached.")
class CycleTimes:
    """See the description."""

    key: str = strawberry.field(description=_KEY)
    title: str = strawberry.field(description=_TITLE)
    invoices: int = strawberry.field(
        description="Issued invoices, by month of the issue; one counts once for each practice that it bills work of."
    )
    from_service_days_median: Decimal | None = strawberry.field(description=_FROM_SERVICE)
    from_service_days_p90: Decimal | None = strawberry.field(description=_FROM_SERVICE)
    from_approval_days_median: Decimal | None = strawberry.field(description=_FROM_APPROVAL)
    from_approval_days_p90: Decimal | None = strawberry.field(description=_FROM_APPROVAL)
    to_books_days_median: Decimal | None = strawberry.field(description=_TO_BOOKS)
    to_books_days_p90: Decimal | None = strawberry.field(description=_TO_BOOKS)


@strawberry.type(description="Invoice cycle time of each object.")
class InvoiceCycle:
    """See the description."""

    rows: list[CycleTimes]
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="How long a system takes: confirmation recorded - event recorded.")
class SyncLatency:
    """See the description."""

    system: str
    confirmed: int = strawberry.field(description="How many objects it has confirmed.")
    p50_seconds: Decimal = strawberry.field(description="What half of them took at most.")
    p95_seconds: Decimal = strawberry.field(description="What 95 % of them took at most.")
    max_seconds: Decimal = strawberry.field(description="What the slowest of them took.")


@strawberry.type(description="What the other systems know of us.")
class Synchronisation:
    """See the description."""

    active_projects: int = strawberry.field(description="Not closed and not internal.")
    synchronised_projects: int = strawberry.field(description="Those whose ERP-confirmed version equals ours.")
    share: Decimal | None = strawberry.field(
        description="Projects with synchronised financial status / active projects."
    )
    latencies: list[SyncLatency] = strawberry.field(description="Of each system.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="Work that waits for the approval of one project manager.")
class ApprovalBottleneck:
    """See the description."""

    manager: str = strawberry.field(description="The resource who manages the projects; empty where nobody does.")
    projects: int = strawberry.field(description="Projects whose work waits.")
    entries: int = strawberry.field(description="Entries that are submitted and neither approved nor rejected.")
    hours: Decimal = strawberry.field(description="The hours of these entries.")
    oldest_at: datetime = strawberry.field(
        description="Since when the oldest of it waits, by the clock of the system in which it was submitted."
    )
    days_median: Decimal = strawberry.field(description="How long half of it has waited, in days.")


@strawberry.type(description="For whom work waits, who keeps most hours first.")
class ApprovalBottlenecks:
    """See the description."""

    rows: list[ApprovalBottleneck]
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="Unbilled approved work of one region, at standard value.")
class RegionBacklog:
    """See the description."""

    region: str = strawberry.field(description="Of the selling entity.")
    currency: str = strawberry.field(description=_CURRENCY)
    lots: int = strawberry.field(description="Unbilled approved lots.")
    eligible: Decimal = strawberry.field(description="May be billed.")
    held: Decimal = strawberry.field(description="Held back for a reason of the closed list.")
    over_cap: Decimal = strawberry.field(description="Above a cap.")
    reserved: Decimal = strawberry.field(description="On drafts.")
    total: Decimal = strawberry.field(description="All of it: eligible, held, over cap and reserved.")
    unconverted: int = strawberry.field(description=_UNCONVERTED)


@strawberry.type(description="The billing backlog by region of the selling entity.")
class BillingBacklog:
    """See the description."""

    rows: list[RegionBacklog]
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


def _titled(kind: Callable[..., Answer], by: FigureBy, rows: Any, asked: Asked) -> Answer:
    """Rows with the names of their objects, and with the watermark of the moment that they are from."""
    return _rows(kind, asked.titled(by.value, rows), asked)


def _rows(kind: Callable[..., Answer], rows: Any, asked: Asked) -> Answer:
    """Rows with the watermark of the moment that they are from."""
    return kind(rows=rows, watermark=asked.view.watermark)


def _by_object(kind: Callable[..., Answer], question: Callable[..., Any]) -> Any:
    """A resolver that answers for each object of a kind, over some of the work."""

    async def resolver(
        info: Info,
        by: FigureBy = FigureBy.FIRM,
        where: FigureFilter | None = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> Any:
        criteria = filter_of(figure_filters.FigureFilter, where)

        def answer(asked: Asked) -> Answer:
            return _titled(kind, by, question(asked.view, by.value, criteria, asked.scope), asked)

        return await ask(info, "figures", answer, as_of=as_of, wait_for=wait_for)

    return resolver


def _of_some(answer: Callable[[Asked, figure_filters.FigureFilter], Any]) -> Any:
    """A resolver that answers once, over some of the work."""

    async def resolver(
        info: Info, where: FigureFilter | None = None, as_of: AsOfArgument = None, wait_for: WaitFor = None
    ) -> Any:
        criteria = filter_of(figure_filters.FigureFilter, where)
        return await ask(info, "figures", lambda asked: answer(asked, criteria), as_of=as_of, wait_for=wait_for)

    return resolver


def _synchronisation(asked: Asked, where: figure_filters.FigureFilter) -> Synchronisation:
    projects = synchronised.synchronised_projects(asked.view, where, asked.scope)
    latencies = synchronised.sync_latencies(asked.view, where, asked.scope)
    return Synchronisation(
        active_projects=projects.active,
        synchronised_projects=projects.synchronised,
        share=projects.share,
        latencies=cast(list[SyncLatency], latencies),
        watermark=cast(Watermark, asked.view.watermark),
    )


def _bottlenecks(asked: Asked, where: figure_filters.FigureFilter) -> ApprovalBottlenecks:
    """Ages are counted to now, or to the moment that is asked about."""
    recorded = None if asked.at is None else asked.view.watermark.recorded_at
    rows = waiting.bottlenecks(asked.view, where, asked.scope, recorded or datetime.now(UTC))
    return _rows(ApprovalBottlenecks, rows, asked)


def _backlogs(asked: Asked, where: figure_filters.FigureFilter) -> BillingBacklog:
    return _rows(BillingBacklog, waiting.backlogs(asked.view, where, asked.scope), asked)


@strawberry.type
class FigureQueries:
    """What management may ask."""

    figures: Figures = strawberry.field(
        resolver=_by_object(Figures, earnings.figures),
        description="Utilisation, realisation, WIP days, DSO, lock-up, revenue, cost, margin and forecast margin.",
    )
    leakage: Waterfalls = strawberry.field(
        resolver=_by_object(Waterfalls, waterfall.waterfalls),
        description="From standard value to cash, in steps that add up to 100 %.",
    )
    invoice_cycle: InvoiceCycle = strawberry.field(
        resolver=_by_object(InvoiceCycle, cycle.cycle_times),
        description="How long it takes from the work to the invoice, and on to the ERP.",
    )
    synchronisation: Synchronisation = strawberry.field(
        resolver=_of_some(_synchronisation),
        description="Projects whose financial status is synchronised, and how long systems take; months are those of"
        " the confirmations, projects are counted as they stand.",
    )
    approval_bottlenecks: ApprovalBottlenecks = strawberry.field(
        resolver=_of_some(_bottlenecks), description="For which project managers work waits to be approved."
    )
    billing_backlog: BillingBacklog = strawberry.field(
        resolver=_of_some(_backlogs), description="Unbilled approved work by region."
    )

    @strawberry.field(description="Unbilled approved work, aged by the day of the work, by reason.")
    async def unbilled_work(
        self,
        info: Info,
        by: FigureBy = FigureBy.FIRM,
        where: FigureFilter | None = None,
        on: date | None = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> UnbilledWork:
        """See the description."""
        criteria = filter_of(figure_filters.FigureFilter, where)
        dimension: figure_filters.By = by.value

        def answer(asked: Asked) -> UnbilledWork:
            return _titled(UnbilledWork, by, unbilled.unbilled(asked.view, dimension, criteria, asked.scope, on), asked)

        return await ask(info, "figures", answer, as_of=as_of, wait_for=wait_for)
