"""A piece of work on its way to an invoice: a lot, or an entry that is not a lot yet, as the read models keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

import orjson

from domain.eligibility.reasons import EntryFacts, Hold, LotFacts, PlannedFacts, Subject
from domain.engagement.planned import Planned
from domain.engagement.promised import Agreement
from domain.kernel import Recorded, StreamId, decider_name
from domain.lots import Explanation, Lot, LotPart, LotRated, LotStatus, Unit
from domain.lots.transfer import TransferGap
from domain.money import Money
from projections.registers.timesheets_fold import EntryRecord
from projections.row_security import of_entity
from projections.tables import Table

NOTHING: Final = Decimal(0)
NO_HOLDS: Final = "[]"
ONE: Final = Decimal(1)
_KINDS: Final = {"timesheet": "time", "expense_report": "expense", "engagement": "milestone"}
_UNITS: Final[dict[str, Unit]] = {"hour": "hour", "item": "item"}


@dataclass(slots=True)
class Item:
    """One row of ``item``. ``status`` is what events say, ``state`` what eligibility makes of it.

    ``functional_...`` are in the functional currency of the selling entity: value and cost at the rate of the work
    date, ``functional_billed`` at the rate on the invoice. ``recorded_version`` is the event since which the item is
    as it is: the rating of a lot, the last move of an entry.
    """

    stream: str
    item: str
    is_lot: bool
    kind: str
    source: str
    status: str
    is_open: bool
    state: str
    engagement: str
    project: str
    customer: str
    selling_entity: str
    work_date: date
    quantity: Decimal
    unit: str
    description: str
    status_version: int
    status_at: datetime
    recorded_version: int
    recorded_at: datetime
    delivering_entity: str | None = None
    line: str | None = None
    task: str | None = None
    resource: str | None = None
    role: str | None = None
    practice: str | None = None
    currency: str | None = None
    price: Decimal | None = None
    value: Decimal | None = None
    eligible_quantity: Decimal = NOTHING
    eligible_value: Decimal = NOTHING
    over_cap_quantity: Decimal = NOTHING
    over_cap_value: Decimal = NOTHING
    cost: Decimal | None = None
    cost_currency: str | None = None
    cost_in_billing_currency: Decimal | None = None
    functional_currency: str | None = None
    functional_rate: Decimal | None = None
    functional_value: Decimal | None = None
    functional_cost: Decimal | None = None
    functional_billed: Decimal | None = None
    invoice: str | None = None
    number: str | None = None
    approved_at: datetime | None = None
    non_billable_because: str | None = None
    receipt_missing: bool = False
    was_revoked: bool = False
    unrated_code: str | None = None
    unrated_detail: str | None = None
    codes: tuple[str, ...] = ()
    owner_roles: tuple[str, ...] = ()
    reasons: str = "[]"
    waits: bool = False
    waits_until: date | None = None
    told_at: datetime | None = None
    transfer_gap: str | None = None
    transfer_gap_detail: str | None = None
    postponed_until: date | None = None
    holds: str = "[]"

    @property
    def lot_facts(self) -> LotFacts:
        """The lot as eligibility looks at it; why it has its price is not part of that."""
        assert self.currency is not None
        assert self.cost_currency is not None
        assert self.value is not None
        assert self.cost is not None
        assert self.price is not None
        assert self.approved_at is not None
        converted = self.cost_in_billing_currency
        lot = Lot(
            lot=self.item,
            source=self.source,
            project=self.project,
            engagement=self.engagement,
            line=self.line or "",
            customer=self.customer,
            selling_entity=self.selling_entity,
            delivering_entity=self.delivering_entity or "",
            work_date=self.work_date,
            quantity=self.quantity,
            unit=_UNITS[self.unit],
            price=self.price,
            value=Money(self.value, self.currency),
            cost=Money(self.cost, self.cost_currency),
            cost_in_billing_currency=None if converted is None else Money(converted, self.currency),
            approved_at=self.approved_at,
            explanation=_UNEXPLAINED,
            resource=self.resource,
            role=self.role,
            practice=self.practice,
            transfer_gap=_GAPS[self.transfer_gap](self.transfer_gap_detail or "") if self.transfer_gap else None,
        )
        stream = StreamId(self.stream)
        return LotFacts(stream, lot, self.receipt_missing, self.held_for, self.postponed_until, self.told_at)

    @property
    def facts(self) -> Subject:
        """What eligibility decides about: a lot, work on its way to one, or what a contract is going to bill."""
        if self.is_lot:
            return self.lot_facts
        if self.status != PLANNED:
            return self.entry_facts
        line = self.line or ""
        name = self.source.removeprefix(f"{self.engagement}/{line}/")
        return PlannedFacts(StreamId(self.stream), line, name, self.work_date)

    @property
    def held_for(self) -> tuple[Hold, ...]:
        """What the lot was held for, with the facts that say so."""
        if self.holds == NO_HOLDS:
            return ()
        return tuple(
            Hold(hold["code"], hold["because"], hold["event"], datetime.fromisoformat(hold["since"]))
            for hold in orjson.loads(self.holds)
        )

    @property
    def entry_facts(self) -> EntryFacts:
        """The entry as eligibility looks at it."""
        return EntryFacts(
            stream=StreamId(self.stream),
            status=self.status,
            resource=self.resource or "",
            work_date=self.work_date,
            task=self.task,
            was_revoked=self.was_revoked,
            unrated_code=self.unrated_code,
            unrated_detail=self.unrated_detail or "",
            receipt_missing=self.receipt_missing,
            told_at=self.told_at,
        )


_UNEXPLAINED: Final = Explanation("", "")
_GAPS: Final[Mapping[str, Callable[[str], TransferGap]]] = {
    "INTERCOMPANY_AGREEMENT_MISSING": partial(TransferGap, "INTERCOMPANY_AGREEMENT_MISSING"),
    "TRANSFER_PRICE_MISSING": partial(TransferGap, "TRANSFER_PRICE_MISSING"),
}
ITEMS: Final = Table(
    "item", Item, ("stream", "item"), json=("reasons", "holds"), shown=of_entity("selling_entity", "delivering_entity")
)


def item_of_lot(fact: Recorded[LotRated], entry: EntryRecord | None) -> Item:
    """The item of a lot that was just rated; ``entry`` is the work behind it, none for a milestone."""
    lot = fact.event.lot
    status = LotStatus.NON_BILLABLE if lot.non_billable_because else LotStatus.OPEN
    converted = lot.cost_in_billing_currency
    return Item(
        stream=fact.stream,
        item=lot.lot,
        is_lot=True,
        kind=_KINDS[decider_name(fact.stream)],
        source=lot.source,
        status=status.value,
        is_open=status is LotStatus.OPEN,
        state=status.value,
        engagement=lot.engagement,
        project=lot.project,
        customer=lot.customer,
        selling_entity=lot.selling_entity,
        delivering_entity=lot.delivering_entity,
        line=lot.line,
        task=entry.task if entry else None,
        resource=lot.resource,
        role=lot.role,
        practice=lot.practice,
        work_date=lot.work_date,
        quantity=lot.quantity,
        unit=lot.unit,
        currency=lot.value.currency,
        price=lot.price,
        value=lot.value.amount,
        cost=lot.cost.amount,
        cost_currency=lot.cost.currency,
        cost_in_billing_currency=None if converted is None else converted.amount,
        description=lot.description,
        approved_at=lot.approved_at,
        non_billable_because=lot.non_billable_because,
        receipt_missing=_lacks_receipt(entry),
        status_version=fact.version,
        status_at=fact.recorded_at,
        recorded_version=fact.version,
        recorded_at=fact.recorded_at,
        told_at=entry.told_at if entry else None,
        transfer_gap=lot.transfer_gap.code if lot.transfer_gap else None,
        transfer_gap_detail=lot.transfer_gap.detail if lot.transfer_gap else None,
    )


def part_of(whole: Item, part: LotPart, fact: Recorded[Any]) -> Item:
    """The item of one part of a split lot; what has to be converted is converted anew.

    Parts of a lot that is billed, which is split by a credit, are billed.
    """
    converted = part.cost_in_billing_currency
    return replace(
        whole,
        item=part.lot,
        quantity=part.quantity,
        value=part.value.amount,
        eligible_quantity=NOTHING,
        eligible_value=NOTHING,
        over_cap_quantity=NOTHING,
        over_cap_value=NOTHING,
        cost=part.cost.amount,
        cost_in_billing_currency=None if converted is None else converted.amount,
        status_version=fact.version,
        status_at=fact.recorded_at,
    )


def item_of_entry(entry: EntryRecord) -> Item:
    """The item of work that is not a lot yet; where it belongs is found when it is decided."""
    unrated = entry.unrated_version is not None and entry.unrated_at is not None
    return Item(
        stream=entry.stream,
        item=entry.entry,
        is_lot=False,
        kind=entry.kind,
        source=entry.entry,
        status=entry.status,
        is_open=True,
        state=entry.status,
        engagement="",
        project=entry.project,
        customer="",
        selling_entity="",
        task=entry.task,
        resource=entry.resource,
        work_date=entry.work_date,
        quantity=entry.hours if entry.hours is not None else ONE,
        unit="hour" if entry.kind == "time" else "item",
        # What an expense was paid in; an entry that only lacks that currency's rate is found by it.
        cost_currency=entry.currency,
        description=entry.note,
        approved_at=entry.approved_at,
        receipt_missing=_lacks_receipt(entry),
        was_revoked=entry.was_revoked,
        unrated_code=entry.unrated_code,
        unrated_detail=entry.unrated_detail,
        status_version=entry.status_version,
        status_at=entry.status_at,
        recorded_version=entry.unrated_version if unrated and entry.unrated_version else entry.status_version,
        recorded_at=entry.unrated_at if unrated and entry.unrated_at else entry.status_at,
        told_at=entry.told_at,
    )


PLANNED: Final = "planned"
"""Where a milestone, an instalment or a month of service stands that its contract names and that is no lot yet."""


def item_of_plan(
    stream: StreamId, agreement: Agreement, planned: Planned, day: date, version: int, at: datetime
) -> Item:
    """The item of what a contract is going to bill; ``version`` and ``at`` are those of the fact that says so."""
    amount = planned.amount
    return Item(
        stream=stream,
        item=planned.source,
        is_lot=False,
        kind=_KINDS["engagement"],
        source=planned.source,
        status=PLANNED,
        is_open=True,
        state=PLANNED,
        engagement=agreement.engagement,
        project=planned.project,
        customer=agreement.customer,
        selling_entity=agreement.selling_entity,
        line=planned.line,
        work_date=day,
        quantity=ONE,
        unit="item",
        currency=amount.currency,
        price=amount.amount,
        value=amount.amount,
        description=planned.title,
        status_version=version,
        status_at=at,
        recorded_version=version,
        recorded_at=at,
    )


def _lacks_receipt(entry: EntryRecord | None) -> bool:
    """Expenses are passed on with their receipt only; one that the firm bears itself needs none here."""
    return entry is not None and entry.kind == "expense" and entry.billable and not entry.receipt
