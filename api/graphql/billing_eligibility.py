"""The question of eligibility: what may be billed, and if not, every reason why, and who can change it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import cast

import strawberry

from api.access import may
from api.graphql.asking import Asked, AsOfArgument, Info, Seen, WaitFor, Watermark, ask, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from api.graphql.values import Money
from projections.eligibility import billing_eligibility
from projections.eligibility.billing_eligibility import EligibilityRow as ItemRow


@strawberry.enum(
    description="Where work stands. Lots: eligible to split. Work that has no price yet: captured to approved."
    " Milestones, instalments and months of service that are no lots yet: planned."
)
class EligibilityState(StrEnum):
    """See the description."""

    ELIGIBLE = "eligible"
    HELD = "held"
    OVER_CAP = "over_cap"
    NON_BILLABLE = "non_billable"
    RESERVED = "reserved"
    BILLED = "billed"
    DRAWN = "drawn"
    WRITTEN_OFF = "written_off"
    TRANSFERRED = "transferred"
    REVERSED = "reversed"
    SPLIT = "split"
    CAPTURED = "captured"
    SUBMITTED = "submitted"
    REJECTED = "rejected"
    APPROVED = "approved"
    PLANNED = "planned"


@strawberry.enum(
    description="What work can be sorted by; values stand in one order whatever their currency, so ask for one."
)
class EligibilitySort(StrEnum):
    """See the description."""

    WORK_DATE = "work_date"
    VALUE = "value"


@strawberry.type(description="Why work is not billed: what blocks it, since when, and who can remove it.")
class Reason:
    """See the description."""

    code: str = strawberry.field(description="One of a closed list; programs rely on it.")
    blocking: str = strawberry.field(description="The stream of the object that blocks.")
    events: list[str] = strawberry.field(description="The facts behind it, as stream@version.")
    since: datetime
    owner_role: str = strawberry.field(description="Who can remove it.")
    what_to_do: str
    resolves_itself: bool = strawberry.field(
        description="Whether it goes by itself once the cause is gone; otherwise a person has to lift it."
    )
    money_at_risk: Money | None = strawberry.field(description="What waits for it.")


def _for_cost(info: Info) -> bool:
    principal = info.context.principal
    return principal is not None and may(principal, "cost")


def _cost(root: strawberry.Parent[Seen[ItemRow]], info: Info) -> Decimal | None:
    return root.row.cost if _for_cost(info) else None


def _cost_currency(root: strawberry.Parent[Seen[ItemRow]], info: Info) -> str | None:
    return root.row.cost_currency if _for_cost(info) else None


def _cost_in_billing_currency(root: strawberry.Parent[Seen[ItemRow]], info: Info) -> Decimal | None:
    return root.row.cost_in_billing_currency if _for_cost(info) else None


@strawberry.type(description="A lot, or work that is not a lot yet.")
class EligibleItem:
    """See the description."""

    stream: str = strawberry.field(description="The stream that holds it.")
    item: str = strawberry.field(description="The lot or the entry.")
    is_lot: bool = strawberry.field(description="Whether it has a price; otherwise it is work on its way there.")
    kind: str = strawberry.field(description="time, expense or milestone.")
    source: str = strawberry.field(description="The entry, expense line or milestone that it came from.")
    state: EligibilityState
    engagement: str
    project: str
    customer: str = strawberry.field(description="The customer's id.")
    selling_entity: str = strawberry.field(description="The legal entity that signs and invoices.")
    delivering_entity: str | None
    line: str | None
    task: str | None
    resource: str | None = strawberry.field(description="The person, by an opaque id.")
    role: str | None
    practice: str | None
    work_date: date
    quantity: Decimal
    unit: str
    currency: str | None = strawberry.field(description="ISO 4217 code.")
    price: Decimal | None = strawberry.field(description="Per unit, uplift included.")
    value: Decimal | None = strawberry.field(description="Price x quantity, at the minor unit.")
    eligible_quantity: Decimal = strawberry.field(description="The part that may be billed now.")
    eligible_value: Decimal
    over_cap_quantity: Decimal = strawberry.field(description="The part that is over the cap of its contract line.")
    over_cap_value: Decimal
    cost: Decimal | None = strawberry.field(
        resolver=_cost, description="What it costs the firm; null for roles that see no cost."
    )
    cost_currency: str | None = strawberry.field(
        resolver=_cost_currency, description="The currency of the employing entity."
    )
    cost_in_billing_currency: Decimal | None = strawberry.field(
        resolver=_cost_in_billing_currency, description="At the exchange rate of the work date; null: no rate yet."
    )
    invoice: str | None = strawberry.field(description="The draft or invoice that it is on.")
    number: str | None = strawberry.field(description="The number of that invoice.")
    description: str
    approved_at: datetime | None
    recorded_at: datetime
    reasons: list[Reason] = strawberry.field(description="All reasons at once; empty: nothing holds it up.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which work.")
class EligibilityFilter:
    """See the description."""

    states: list[EligibilityState] | None = strawberry.field(default=None)
    engagement: str | None = strawberry.field(default=None)
    project: str | None = strawberry.field(default=None)
    manager: str | None = strawberry.field(default=None, description="Only the projects that this person manages.")
    currency: str | None = strawberry.field(default=None, description="Only money in this currency.")
    customer: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    resource: str | None = strawberry.field(default=None)
    line: str | None = strawberry.field(default=None)
    reason: str | None = strawberry.field(default=None, description="Only work that is held up by this reason.")
    owner_role: str | None = strawberry.field(
        default=None, description="Only work that is held up by something this role can remove."
    )
    invoice: str | None = strawberry.field(default=None)
    work_from: date | None = strawberry.field(default=None)
    work_to: date | None = strawberry.field(default=None)
    unbilled: bool | None = strawberry.field(
        default=None, description="Only approved work that is not billed and not given up."
    )
    lots_only: bool | None = strawberry.field(default=None, description="Leave out work that has no price yet.")
    stream: str | None = strawberry.field(default=None)
    item: str | None = strawberry.field(default=None)


@strawberry.type(
    description="What the work of a state adds up to; a lot that crosses its cap is one eligible item, whose hours and"
    " value count in two states by their parts."
)
class EligibilityTotals:
    """See the description."""

    state: EligibilityState
    currency: str = strawberry.field(description="ISO 4217 code.")
    items: int
    hours: Decimal
    value: Decimal


@strawberry.type(description="How much open work a reason holds up; work with several reasons counts for each.")
class ReasonTotals:
    """See the description."""

    code: str
    owner_role: str
    currency: str = strawberry.field(description="ISO 4217 code.")
    items: int
    value: Decimal


@strawberry.type(description="One page of work.")
class EligibilityConnection(Connection[EligibleItem]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[EligibilityTotals] = strawberry.field(description="What all of it adds up to, beyond the page.")


@strawberry.type
class EligibilityQueries:
    """What may be asked about eligibility."""

    @strawberry.field(description="What may be billed, what not, and why not.")
    async def billing_eligibility(
        self,
        info: Info,
        where: EligibilityFilter | None = None,
        sort: EligibilitySort = EligibilitySort.WORK_DATE,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> EligibilityConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(billing_eligibility.EligibilityFilter, where)
        return await listed(
            info,
            "billing_eligibility",
            page,
            lambda asked, request: billing_eligibility.find(asked.view, criteria, asked.scope, request),
            lambda asked: billing_eligibility.totals(asked.view, criteria, asked.scope),
            lambda each: each.items,
            EligibilityConnection,
        )

    @strawberry.field(description="How much work each reason holds up, over everything that the filter lets through.")
    async def blocking_reasons(
        self,
        info: Info,
        where: EligibilityFilter | None = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> list[ReasonTotals]:
        """See the description."""
        criteria = filter_of(billing_eligibility.EligibilityFilter, where)

        def question(asked: Asked) -> tuple[billing_eligibility.ReasonTotals, ...]:
            return billing_eligibility.reason_totals(asked.view, criteria, asked.scope)

        found = await ask(info, "billing_eligibility", question, as_of=as_of, wait_for=wait_for)
        return cast(list[ReasonTotals], found)
