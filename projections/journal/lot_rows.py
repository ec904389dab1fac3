"""What the journal keeps of a lot: its row when it is rated, and those of its parts when it is split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from domain.contract import ContractLine, Revenue
from domain.kernel import Recorded, decider_name
from domain.lots import Lot, LotPart, LotRated
from domain.revenue.earning import earns_by_itself, revenue_account
from projections.journal.lines import EARNED_APART
from projections.journal.tables import ChargeRecord, LotRecord
from projections.journal.writer import About

_NOTHING: Final = Decimal(0)


def expense_line(lot: Lot) -> str:
    """The line of the expense report that a lot was rated from."""
    return lot.source.partition("/")[2]


def row_of(fact: Recorded[LotRated], line: ContractLine | None, terms: Revenue | None, tax: Decimal) -> LotRecord:
    """A rated lot; ``terms`` are those by which its line is earned, ``tax`` what the firm gets back of an expense."""
    lot = fact.event.lot
    kind = decider_name(fact.stream)
    billable = bool(lot.value) and lot.non_billable_because is None
    came_from_elsewhere = kind == "engagement" and not is_part_of(lot.source, lot.engagement, lot.line)
    earns = billable and (came_from_elsewhere or earns_by_itself(kind, terms, lot.source))
    on_top = earns and terms is not None and terms.method in EARNED_APART
    in_billing_currency = None if on_top else lot.cost_in_billing_currency
    return LotRecord(
        stream=fact.stream,
        lot=lot.lot,
        engagement=lot.engagement,
        line=lot.line,
        customer=lot.customer,
        project=lot.project,
        entity=lot.selling_entity,
        delivering_entity=lot.delivering_entity,
        work_date=lot.work_date,
        resource=lot.resource or "",
        approved_at=lot.approved_at,
        open=billable,
        account=revenue_account(kind, line).value,
        earns=earns,
        is_agent=billable and lot.presentation == "agent",
        hours=lot.quantity if lot.unit == "hour" else _NOTHING,
        currency=lot.value.currency,
        value=lot.value.amount,
        recognised=_NOTHING,
        functional_recognised=_NOTHING,
        cost_currency=lot.cost.currency,
        cost=lot.cost.amount,
        line_cost=in_billing_currency.amount if in_billing_currency else _NOTHING,
        tax=tax,
        cost_rate=None,
        cost_rate_id="",
        waiting=False,
        held_back=False,
    )


def is_part_of(source: str, engagement: str, line: str) -> bool:
    """Whether what a contract lets be billed is of this line, or came from another one."""
    return source.startswith(f"{engagement}/{line}/")


def parts_of(whole: LotRecord, parts: Iterable[LotPart]) -> list[LotRecord]:
    """The parts of a split lot: what it has earned goes to the first ones, as a cap fills; its tax to the first."""
    recognised, functional, tax, made = whole.recognised, whole.functional_recognised, whole.tax, []
    for part in parts:
        earned = min(part.value.amount, recognised) if recognised >= 0 else part.value.amount
        share = _NOTHING
        if whole.recognised:
            share = (whole.functional_recognised * earned / whole.recognised).quantize(whole.functional_recognised)
        in_billing_currency = part.cost_in_billing_currency if whole.line_cost else None
        made.append(
            replace(
                whole,
                lot=part.lot,
                hours=part.quantity if whole.hours else _NOTHING,
                value=part.value.amount,
                recognised=earned,
                functional_recognised=share,
                cost=part.cost.amount,
                line_cost=in_billing_currency.amount if in_billing_currency else _NOTHING,
                tax=tax,
            )
        )
        recognised, functional, tax = recognised - earned, functional - share, _NOTHING
    if functional:
        last = max((row for row in made if row.recognised), key=lambda row: row.lot, default=made[-1])
        last.functional_recognised += functional
    return made


def about(row: LotRecord | ChargeRecord) -> About:
    """What the entries of a lot concern."""
    return About(row.customer, row.engagement, row.line, row.project, row.lot)
