"""Whether every target system knows what it should, and if not, how long it has been waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class SyncRow:
    """How far one target is with one project or invoice; ``since`` is when it came to its state."""

    stream: str
    kind: str
    object: str
    target: str
    state: str
    since: datetime
    external_id: str | None
    reason: str | None
    our_version: int
    confirmed_version: int | None
    attempts: int
    pending_at: datetime
    requested_at: datetime | None
    sent_at: datetime | None
    in_doubt_at: datetime | None
    confirmed_at: datetime | None
    rejected_at: datetime | None
    engagement: str
    customer: str
    selling_entity: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SyncFilter:
    """Which objects and targets."""

    kind: str | None = None
    target: str | None = None
    states: tuple[str, ...] | None = None
    selling_entity: str | None = None
    engagement: str | None = None
    customer: str | None = None
    stream: str | None = None


@dataclass(frozen=True, slots=True)
class SyncTotals:
    """How many objects are in a state, and since when the oldest; None for those that are confirmed."""

    kind: str
    target: str
    state: str
    count: int
    oldest_since: datetime | None


SORTS: Final = {
    "updated_at": Sort((("s.updated_at", "timestamptz"), ("s.stream", "text"), ("s.target", "text"))),
    "since": Sort((("s.since", "timestamptz"), ("s.stream", "text"), ("s.target", "text"))),
}
_SELECT: Final = (
    "SELECT s.stream, s.kind, s.object, s.target, s.state, s.since, s.external_id, s.reason, s.our_version,"
    " s.confirmed_version, s.attempts, s.pending_at, s.requested_at, s.sent_at, s.in_doubt_at, s.confirmed_at,"
    " s.rejected_at, s.engagement, s.customer, s.selling_entity, s.updated_at"
)
TARGETS_MAX: Final = 100


def find(view: View, where: SyncFilter, scope: Scope, page: PageRequest) -> Page[SyncRow]:
    """One page of objects with their targets."""
    return paged(view, _SELECT, "sync s", _conditions(where, scope), SORTS, page, _row)


def get(view: View, stream: str, scope: Scope) -> tuple[SyncRow, ...]:
    """One object in all its target systems."""
    return find(view, SyncFilter(stream=stream), scope, PageRequest(first=TARGETS_MAX)).items


def totals(view: View, where: SyncFilter, scope: Scope) -> tuple[SyncTotals, ...]:
    """How many are in which state; the firm's and each entity's are kept as sums, others are counted."""
    open_ones = _conditions(where, scope)
    open_ones.add("s.state <> 'confirmed'")
    oldest = (
        f"SELECT s.kind, s.target, s.state, count(*), min(s.since) FROM sync s {open_ones.where}"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    waiting = [SyncTotals(*row) for row in view.rows(oldest, open_ones.values)]
    is_kept = where.engagement is None and where.customer is None and where.stream is None
    confirmed = _conditions(where, scope, narrow=not is_kept)
    confirmed.add("s.state = 'confirmed'")
    count, table = ("sum(s.objects)::bigint", "sync_sum") if is_kept else ("count(*)", "sync")
    query = f"SELECT s.kind, s.target, s.state, {count} FROM {table} s {confirmed.where} GROUP BY 1, 2, 3"
    done = [SyncTotals(*(*row, None)) for row in view.rows(query, confirmed.values)]
    return tuple(sorted([*waiting, *done], key=lambda each: (each.kind, each.target, each.state)))


def _conditions(where: SyncFilter, scope: Scope, *, narrow: bool = True) -> Conditions:
    conditions = Conditions()
    conditions.equal("s.kind", where.kind)
    conditions.equal("s.target", where.target)
    conditions.one_of("s.state", where.states)
    conditions.equal("s.selling_entity", where.selling_entity)
    if narrow:
        conditions.equal("s.engagement", where.engagement)
        conditions.equal("s.customer", where.customer)
        conditions.equal("s.stream", where.stream)
    conditions.within(scope, "s.selling_entity")
    return conditions


def _row(values: Sequence[Any]) -> SyncRow:
    return SyncRow(*values)
