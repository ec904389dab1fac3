"""How the open lots under some caps share what is left of them, by the allocation that drafts and eligibility use.

Every lot that wants to be billed takes its turn, whether something else holds it or not: what is held may be billed
later, and is earned already. What drafts and invoices take is known by the engagements and customer limits themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.caps import Candidate, Room, allocation
from domain.money import Money
from projections.contexts import Contexts
from projections.journal_tables import LOTS, LotRecord
from projections.registers_fold import RegistersFold
from projections.shelf import Shelf, Source
from projections.tables import Key


@dataclass(frozen=True, slots=True)
class Group:
    """Caps that are shared out together, and the engagements whose lots take from them."""

    name: tuple[str, str]
    rooms: Sequence[Room]
    engagements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Roomy:
    """A group all of whose lots fit, none of negative value: what is left takes up a further lot in any order."""

    rooms: list[Room]


class JournalCaps:
    """The groups of lots under caps, and how each shares out what is left."""

    def __init__(self, source: Source, contexts: Contexts, registers: RegistersFold, lots: Shelf[LotRecord]) -> None:
        self._source = source
        self._contexts = contexts
        self._registers = registers
        self._lots = lots
        self._roomy: dict[tuple[str, str], _Roomy] = {}

    def group_of(self, engagement: str, customer: str, currency: str) -> Group:
        """The caps that the work of an engagement takes from; a customer's limit joins all engagements."""
        limit = self._contexts.billing_limit(customer, currency).room
        if limit is None:
            return Group((engagement, ""), self._rooms(engagement), (engagement,))
        mine = tuple(sorted({*self._registers.engagements_of([customer], []), engagement}))
        return Group((customer, currency), [limit, *(room for name in mine for room in self._rooms(name))], mine)

    def _rooms(self, engagement: str) -> Sequence[Room]:
        state = self._contexts.engagement(engagement)
        return state.rooms() if state.opened else ()

    def forget(self, group: Group) -> None:
        """What the lots of a group take has changed: it is shared out anew with the next one."""
        self._roomy.pop(group.name, None)

    def fits(self, group: Group, row: LotRecord) -> bool:
        """Whether a further lot fits under all caps of a group beside all others, so that nothing else moves."""
        roomy = self._roomy.get(group.name)
        if roomy is None or row.value <= 0:
            return False
        shares, left = allocation(roomy.rooms, [_candidate(row)])
        (share,) = shares.values()
        if share.over:
            return False
        self._roomy[group.name] = _Roomy(left)
        return True

    def share_out(self, group: Group) -> Mapping[Key, tuple[LotRecord, Decimal]]:
        """Every open lot of a group, in its turn, with how much of its value fits."""
        rows = {(row.stream, row.lot): row for name in group.engagements for row in self._open_lots_of(name)}
        candidates = {key: _candidate(row) for key, row in rows.items()}
        shares, left = allocation(group.rooms, candidates.values())
        all_fit = not any(share.over for share in shares.values())
        if all_fit and all(row.value > 0 for row in rows.values()):
            self._roomy[group.name] = _Roomy(left)
        else:
            self._roomy.pop(group.name, None)
        in_turn = sorted(rows, key=lambda key: candidates[key].turn)
        return {key: (rows[key], shares[candidates[key].lot].within.amount) for key in in_turn}

    def _open_lots_of(self, engagement: str) -> Sequence[LotRecord]:
        found = self._source.find(LOTS, {"engagement": engagement, "open": True})
        rows = [*self._lots.keep(found), *self._lots.changing()]
        return [row for row in rows if row.open and row.engagement == engagement]


def _candidate(row: LotRecord) -> Candidate:
    """A lot's id with its stream behind it: the same entry may have been told in two weeks."""
    return Candidate(
        lot=f"{row.lot}\x00{row.stream}",
        work_date=row.work_date,
        approved_at=row.approved_at,
        value=Money(row.value, row.currency),
        hours=row.hours,
        line=row.line,
        resource=row.resource or None,
        engagement=row.engagement,
        customer=row.customer,
    )
