"""Decides for all work whether it may be billed, again whenever something changes on which that depends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from domain import eligibility
from domain.calendar import FIRM
from domain.caps import Candidate, Room, Share, allocate, allocation
from domain.engagement import BillingClaimed, BillingReleased, Engagement, MilestoneAccepted
from domain.kernel import StreamId, decider_name, local_id
from domain.line_caps import BillingCredited, CapReached
from domain.lots import (
    LotHoldsLifted,
    LotRated,
    LotReversed,
    LotsBilled,
    LotsDrawn,
    LotsGivenFree,
    LotsHeld,
    LotSplit,
    LotsPostponed,
    LotsReleased,
    LotsReserved,
    LotsUndrawn,
    LotsWrittenOff,
)
from domain.money import Money
from domain.reasons import AS_IT_IS, Blocker, Context, Policy
from projections.contexts import Contexts
from projections.items import NOTHING, Item
from projections.lots_fold import LotsFold
from projections.reasons import Verdict, over_cap, verdict, verdict_of_ended
from projections.registers_fold import RegistersFold
from projections.tables import Key

_UNDECIDING: Final = (
    LotRated,
    LotSplit,
    LotsReserved,
    LotsReleased,
    LotsBilled,
    LotReversed,
    LotsWrittenOff,
    LotsHeld,
    LotHoldsLifted,
    LotsGivenFree,
    LotsPostponed,
    LotsDrawn,
    LotsUndrawn,
    CapReached,
    MilestoneAccepted,
)
"""Events of an engagement that say nothing about the eligibility of other work."""


@dataclass(slots=True)
class _Decided:
    """An open item and its blockers, before the cap of its line is shared out."""

    item: Item
    blockers: Sequence[Blocker]


@dataclass(frozen=True, slots=True)
class _Capped:
    """Caps that are shared out together, and the engagements whose lots take from them."""

    rooms: Sequence[Room]
    engagements: tuple[str, ...]


class EligibilityFold:
    """Ends each batch: decides every item that changed, and all open work whose context changed.

    When a generation is filled from the beginning, open work is decided once, at the end, by the same rules: what it
    was in between, nobody sees. ``policy`` is what all decisions are made under.
    """

    def __init__(self, contexts: Contexts, lots: LotsFold, registers: RegistersFold, policy: Policy = AS_IT_IS) -> None:
        self._contexts = contexts
        self._lots = lots
        self._registers = registers
        self._policy = policy
        self._places: dict[tuple[str, str, str, str, object], Context] = {}

    def finish(self) -> None:
        """The batch is complete: every decision that it may have changed is made again."""
        self.decide([*self._lots.items.changed, *self._touched_by_context()])

    def postpone(self) -> None:
        """Only says what became of the lots that ended."""
        for key in list(self._lots.items.changed):
            item = self._lots.items.get(key)
            if item is not None and not item.is_open:
                self._settle(key, item, verdict_of_ended(item))

    def decide(self, keys: Sequence[Key]) -> None:
        """Decides items, and all others of their capped lines."""
        self._places = {}
        concerned = dict.fromkeys(keys)
        self._lots.items.fetch(concerned)
        decided: dict[Key, _Decided] = {}
        for key in concerned:
            item = self._lots.items.get(key)
            if item is not None and item.is_open:
                decided[key] = self._decided(key, item)
            elif item is not None:
                self._settle(key, item, verdict_of_ended(item))
        shared: set[Key] = set()
        for group in self._capped(concerned):
            shared |= self._share_out(group, decided)
        for key, each in decided.items():
            if key not in shared:
                self._settle(key, each.item, self._verdict(each))

    # -- which work is concerned -------------------------------------------------------------------------------------

    def _touched_by_context(self) -> Iterable[Key]:
        """The open work of every engagement, project, customer, entity and country that the batch has changed."""
        engagements: set[str] = set()
        projects: dict[str, set[str]] = {}
        customers: list[str] = []
        entities: list[str] = []
        for stream, events in self._contexts.touched.items():
            match decider_name(stream):
                case "engagement" if self._decides(stream, events):
                    engagements.add(local_id(stream))
                case "project":
                    name = local_id(stream)
                    projects.setdefault(self._engagement_of(name), set()).add(name)
                    projects.setdefault("", set()).add(name)
                case "customer" | "billing_limit":
                    customers.append(local_id(stream).partition(":")[0])
                case "legal_entity":
                    entities.append(local_id(stream))
                case "tax_rule":
                    entities += self._registers.entities_in(local_id(stream))
                case _:
                    pass
        if customers or entities:
            engagements.update(self._registers.engagements_of(customers, entities))
        for engagement in engagements:
            yield from self._lots.open_work.of(engagement)
        for engagement in sorted(projects.keys() - engagements):
            yield from self._lots.open_work.of(engagement, projects[engagement])

    def _decides(self, stream: StreamId, events: Iterable[object]) -> bool:
        """Whether what happened to an engagement can change what is decided about its work."""
        state: Engagement = self._contexts.of(stream).state
        order = state.purchase_order
        limits_all = order is not None and order.amount is not None
        for event in events:
            if isinstance(event, BillingClaimed | BillingReleased | BillingCredited):
                if limits_all or state.rooms():
                    return True
            elif not isinstance(event, _UNDECIDING):
                return True
        return False

    def _engagement_of(self, project: str) -> str:
        created = self._contexts.project(project).created
        return created.engagement if created else ""

    # -- deciding ----------------------------------------------------------------------------------------------------

    def _decided(self, key: Key, item: Item) -> _Decided:
        if not item.is_lot:
            self._place(key, item)
        subject = item.lot_facts if item.is_lot else item.entry_facts
        return _Decided(item, eligibility.decide(subject, self._context(item)))

    def _place(self, key: Key, item: Item) -> None:
        """Where work that is not a lot yet belongs, as far as its project and engagement are known."""
        project = self._contexts.project(item.project)
        engagement = project.created.engagement if project.created else ""
        opened = self._contexts.engagement(engagement).opened if engagement else None
        place = (
            engagement,
            opened.customer if opened else "",
            opened.selling_entity if opened else "",
            project.line_of(item.task) if project.created else None,
        )
        if place != (item.engagement, item.customer, item.selling_entity, item.line):
            self._lots.move(key, *place)

    def _context(self, item: Item) -> Context:
        """What the decision depends on; the same rule as for drafting picks the terms and the tax rules."""
        key = (item.engagement, item.project, item.customer, item.selling_entity, item.work_date)
        known = self._places.get(key)
        if known is None:
            contexts = self._contexts
            entity = contexts.entity(item.selling_entity)
            terms = entity.on(item.work_date) or (entity.versions[0] if entity.versions else None)
            known = self._places[key] = Context(
                engagement=contexts.engagement(item.engagement),
                project=contexts.project(item.project) if item.project else None,
                customer=contexts.customer(item.customer),
                entity=entity,
                tax_rules=contexts.tax_rules(terms.address.country if terms else ""),
                today=self._policy.today or contexts.of(FIRM).state.today,
                policy=self._policy,
            )
        return known

    def _verdict(self, each: _Decided) -> Verdict:
        item = each.item
        if item.is_lot:
            state = "held" if each.blockers else "eligible"
        else:
            state = "held" if item.status == "approved" and each.blockers else item.status
        return verdict(state, item, each.blockers, self._contexts)

    def _settle(self, key: Key, item: Item, new: Verdict, share: Share | None = None) -> None:
        """Writes a verdict down if it says anything new."""
        value = item.value
        if share is not None and value:
            within, over = share.within.amount, share.over.amount
            over_quantity = item.quantity - (item.quantity * within / value).quantize(_QUANTITY)
        else:
            within, over, over_quantity = (value or NOTHING), NOTHING, NOTHING
        is_eligible = new.state == "eligible"
        figures = (
            item.quantity - over_quantity if is_eligible else NOTHING,
            within if is_eligible else NOTHING,
            over_quantity,
            over,
        )
        known = (item.eligible_quantity, item.eligible_value, item.over_cap_quantity, item.over_cap_value)
        if known == figures and (item.state, item.reasons) == (new.state, new.reasons):
            return
        row = self._lots.change(key)
        row.state, row.codes, row.owner_roles, row.reasons = new.state, new.codes, new.owner_roles, new.reasons
        row.eligible_quantity, row.eligible_value, row.over_cap_quantity, row.over_cap_value = figures

    # -- caps --------------------------------------------------------------------------------------------------------

    def _capped(self, keys: Iterable[Key]) -> list[_Capped]:
        """The caps that some lots take from, with the engagements whose lots share them."""
        engagements: dict[str, None] = {}
        customers: dict[tuple[str, str], None] = {}
        for key in keys:
            item = self._lots.items.get(key)
            if item is not None and item.is_lot:
                engagements[item.engagement] = None
                customers[item.customer, item.currency or ""] = None
        groups: list[_Capped] = []
        for customer, currency in customers:
            room = self._contexts.billing_limit(customer, currency).room
            if room is not None:
                mine = self._registers.engagements_of([customer], [])
                rooms = [self._under_policy(room), *(each for name in sorted(mine) for each in self._rooms(name))]
                groups.append(_Capped(rooms, tuple(sorted(mine))))
                engagements = {name: None for name in engagements if name not in mine}
        own = ((name, self._rooms(name)) for name in engagements)
        return [*groups, *(_Capped(rooms, (name,)) for name, rooms in own if rooms)]

    def _rooms(self, engagement: str) -> list[Room]:
        state = self._contexts.engagement(engagement)
        return [self._under_policy(room) for room in state.rooms()] if state.opened else []

    def _under_policy(self, room: Room) -> Room:
        return replace(room, policy=self._policy.cap_policy) if self._policy.cap_policy else room

    def _share_out(self, group: _Capped, decided: Mapping[Key, _Decided]) -> set[Key]:
        """What each open lot under some caps gets: first those that may be billed, then those that are held.

        Only the first are asked by a draft, so that what is shown as eligible is what would be billed.
        """
        keys = [key for name in group.engagements for key in self._lots.open_work.of(name)]
        self._lots.items.fetch(keys)
        mine: dict[Key, _Decided] = {}
        for key in keys:
            item = self._lots.items.get(key)
            if item is not None and item.is_lot and any(room.applies(_candidate(key, item)) for room in group.rooms):
                mine[key] = decided.get(key) or self._decided(key, item)
        free = [_candidate(key, each.item) for key, each in mine.items() if not each.blockers]
        held = [_candidate(key, each.item) for key, each in mine.items() if each.blockers]
        shares, rooms = allocation(group.rooms, free)
        shares.update(allocate(rooms, held))
        for key, each in mine.items():
            share = shares[_turn_id(key)]
            blockers = (*each.blockers, over_cap(each.item, share.cut_by)) if share.over else each.blockers
            within = "eligible" if share.within or not share.over else "over_cap"
            state = "held" if each.blockers else within
            self._settle(
                key, each.item, verdict(state, each.item, eligibility.in_order(blockers), self._contexts), share
            )
        return set(mine)


_QUANTITY: Final = Decimal("0.0001")
"""The precision to which a lot is split (domain.lots)."""


def _turn_id(key: Key) -> str:
    """A lot's id with its stream behind it: the same entry may have been told in two weeks."""
    return f"{key[1]}\x00{key[0]}"


def _candidate(key: Key, item: Item) -> Candidate:
    assert item.approved_at is not None
    assert item.currency is not None
    return Candidate(
        lot=_turn_id(key),
        work_date=item.work_date,
        approved_at=item.approved_at,
        value=Money(item.value or NOTHING, item.currency),
        hours=item.quantity if item.unit == "hour" else NOTHING,
        line=item.line,
        resource=item.resource,
        engagement=item.engagement,
        customer=item.customer,
    )
