"""How the open lots under some caps share what is left of them, by the allocation that drafts and eligibility use.

Every lot that wants to be billed takes its turn, whether something else holds it or not: what is held may be billed
later, and is earned already. What drafts and invoices take is known by the engagements and customer limits themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from domain.caps import Candidate, Room, allocation, given_back
from domain.money import Money
from projections.contexts import Contexts
from projections.journal.tables import LOTS, LotRecord
from projections.shelf import Shelf, Source
from projections.tables import Key

ENGAGEMENTS_KEPT_MAX: Final = 2_000
Turn = tuple[date, datetime, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Caps that are shared out together, and the engagements whose lots take from them."""

    name: tuple[str, str]
    rooms: Sequence[Room]
    engagements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shared:
    """How a group shared out its caps: what they leave, whether all lots fit, and the turn of the last that got any.

    A further lot behind that turn, or one that fits where all did, takes what is left and moves no other.
    """

    engagements: tuple[str, ...]
    rooms: list[Room]
    all_fit: bool
    last: Turn | None


class JournalCaps:
    """The groups of lots under caps, and how each shares out what is left."""

    def __init__(self, source: Source, contexts: Contexts, lots: Shelf[LotRecord]) -> None:
        self._source = source
        self._contexts = contexts
        self._lots = lots
        self._shared: dict[tuple[str, str], _Shared] = {}
        self._members: dict[tuple[str, str], set[str]] = {}
        self._open: dict[str, dict[Key, Candidate]] = {}

    def shrink(self) -> None:
        """Forgets what is known of open lots, to be found again, before it grows without bound."""
        if len(self._open) > ENGAGEMENTS_KEPT_MAX:
            self._open.clear()

    def group_of(self, engagement: str, customer: str, currency: str) -> Group:
        """The caps that the work of an engagement takes from; a customer's limit joins all engagements."""
        limit = self._contexts.billing_limit(customer, currency).room
        if limit is None:
            return Group((engagement, ""), self._rooms(engagement), (engagement,))
        mine = tuple(sorted({*self.engagements_of(customer, currency), engagement}))
        return Group((customer, currency), [limit, *(room for name in mine for room in self._rooms(name))], mine)

    def engagements_of(self, customer: str, currency: str) -> set[str]:
        """The engagements whose open lots take from a customer's limit in a currency."""
        key = (customer, currency)
        if key not in self._members:
            found = self._lots.keep(self._source.find(LOTS, {"customer": customer, "open": True}))
            rows = (row for row in (*found, *self._lots.changing()) if row.open)
            self._members[key] = {row.engagement for row in rows if (row.customer, row.currency) == key}
        return self._members[key]

    def opened(self, row: LotRecord) -> None:
        """A lot wants to be billed from now on."""
        if (mine := self._open.get(row.engagement)) is not None:
            mine[row.stream, row.lot] = _candidate(row)
        if (members := self._members.get((row.customer, row.currency))) is not None:
            members.add(row.engagement)

    def _rooms(self, engagement: str) -> Sequence[Room]:
        state = self._contexts.engagement(engagement)
        return state.rooms() if state.opened else ()

    def forget(self, group: Group) -> None:
        """What the lots of a group take has changed: it is shared out anew with the next one."""
        self._shared.pop(group.name, None)

    def taken_up(self, group: Group, row: LotRecord) -> Decimal | None:
        """How much of a further lot fits, where it moves no other; None where all have to share anew."""
        if not group.rooms:
            return row.value
        shared = self._shared.get(group.name)
        if shared is None or row.value <= 0 or not set(group.engagements) <= set(shared.engagements):
            return None
        candidate = _candidate(row)
        shares, left = allocation(shared.rooms, [candidate])
        share = shares[candidate.lot]
        is_behind = shared.last is None or candidate.turn > shared.last
        if not is_behind and not (shared.all_fit and not share.over):
            return None
        last = max(shared.last or candidate.turn, candidate.turn) if share.within else shared.last
        self._shared[group.name] = replace(shared, rooms=left, all_fit=shared.all_fit and not share.over, last=last)
        return share.within.amount

    def gives_back(self, group: Group, row: LotRecord) -> bool:
        """Whether a lot that takes nothing any more moves no other, because all had fitted."""
        shared = self._shared.get(group.name)
        if shared is None or not shared.all_fit or row.engagement not in shared.engagements:
            return False
        self._shared[group.name] = replace(shared, rooms=given_back(shared.rooms, _candidate(row)))
        return True

    def share_out(self, group: Group) -> Mapping[Key, tuple[LotRecord, Decimal]]:
        """Every open lot of a group, in its turn, with how much of its value fits."""
        candidates = {key: each for name in group.engagements for key, each in self._open_lots_of(name).items()}
        rows = {key: row for key in candidates if (row := self._lots.get(key)) is not None}
        shares, left = allocation(group.rooms, candidates.values())
        in_turn = sorted(rows, key=lambda key: candidates[key].turn)
        found = {key: (rows[key], shares[candidates[key].lot].within.amount) for key in in_turn}
        if all(row.value > 0 for row in rows.values()):
            takers = [candidates[key].turn for key, (_, within) in found.items() if within]
            all_fit = not any(share.over for share in shares.values())
            self._shared[group.name] = _Shared(group.engagements, left, all_fit, takers[-1] if takers else None)
        else:
            self.forget(group)
        return found

    def _open_lots_of(self, engagement: str) -> Mapping[Key, Candidate]:
        """The open lots of an engagement; those that were, and are not any more, are left out from now on."""
        known = self._open.get(engagement)
        if known is None:
            found = self._lots.keep(self._source.find(LOTS, {"engagement": engagement, "open": True}))
            rows = (row for row in (*found, *self._lots.changing()) if row.engagement == engagement)
            known = {(row.stream, row.lot): _candidate(row) for row in rows}
        self._lots.fetch(known)
        kept = {key: each for key, each in known.items() if (row := self._lots.get(key)) is not None and row.open}
        self._open[engagement] = kept
        return kept


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
