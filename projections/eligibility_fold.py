"""Decides for all work whether it may be billed, again whenever something changes on which that depends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain import eligibility
from domain.caps import Candidate, Share, allocate
from domain.engagement import (
    BillingClaimed,
    BillingReleased,
    Engagement,
    MilestoneAccepted,
    TimeAndMaterials,
)
from domain.kernel import StreamId, decider_name, local_id
from domain.lots import (
    LotRated,
    LotReversed,
    LotsBilled,
    LotSplit,
    LotsPostponed,
    LotsReleased,
    LotsReserved,
    LotsWrittenOff,
)
from domain.money import Money, total
from domain.reasons import Blocker, Context
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
    LotsPostponed,
    MilestoneAccepted,
)
"""Events of an engagement that say nothing about the eligibility of other work."""


@dataclass(slots=True)
class _Decided:
    """An open item and its blockers, before the cap of its line is shared out."""

    item: Item
    blockers: Sequence[Blocker]


class EligibilityFold:
    """Ends each batch: decides every item that changed, and all open work whose context changed.

    When a generation is filled from the beginning, open work is decided once, at the end, by the same rules: what it
    was in between, nobody sees.
    """

    def __init__(self, contexts: Contexts, lots: LotsFold, registers: RegistersFold) -> None:
        self._contexts = contexts
        self._lots = lots
        self._registers = registers
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
        capped = self._capped_lines(concerned)
        for key, each in decided.items():
            if (each.item.engagement, each.item.line) not in capped or not each.item.is_lot:
                self._settle(key, each.item, self._verdict(each))
        for (engagement, line), left in capped.items():
            self._share_out(engagement, line, left, decided)

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
                case "customer":
                    customers.append(local_id(stream))
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
            if isinstance(event, BillingClaimed | BillingReleased):
                if limits_all or any(_is_capped(state, line) for line in state.lines):
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

    def _capped_lines(self, keys: Iterable[Key]) -> dict[tuple[str, str], Money]:
        """The capped lines of some lots, and what is left of each cap."""
        lines: dict[tuple[str, str], None] = {}
        for key in keys:
            item = self._lots.items.get(key)
            if item is not None and item.is_lot and item.line is not None:
                lines[item.engagement, item.line] = None
        found: dict[tuple[str, str], Money] = {}
        for engagement, line in lines:
            state = self._contexts.engagement(engagement)
            left = state.cap_left(line) if line in state.lines and state.opened else None
            if left is not None:
                found[engagement, line] = left
        return found

    def _share_out(self, engagement: str, line: str, left: Money, decided: Mapping[Key, _Decided]) -> None:
        """What each open lot of a capped line gets: first those that may be billed, then those that are held.

        Only the first are asked by a draft, so that what is shown as eligible is what would be billed.
        """
        keys = self._lots.open_work.of(engagement)
        self._lots.items.fetch(keys)
        mine: dict[Key, _Decided] = {}
        for key in keys:
            item = self._lots.items.get(key)
            if item is not None and item.is_lot and item.line == line:
                mine[key] = decided.get(key) or self._decided(key, item)
        billing = self._contexts.engagement(engagement).line(line).billing
        policy = billing.cap_policy if isinstance(billing, TimeAndMaterials) else "partial"
        free = {key: each for key, each in mine.items() if not each.blockers}
        shares = allocate(left, policy, (_candidate(key, each.item) for key, each in free.items()))
        rest = left - total((share.within for share in shares.values()), left.currency)
        held = (_candidate(key, each.item) for key, each in mine.items() if each.blockers)
        shares.update(allocate(rest, policy, held))
        for key, each in mine.items():
            share = shares[_turn_id(key)]
            blockers = (*each.blockers, over_cap(engagement, line)) if share.over else each.blockers
            within = "eligible" if share.within or not share.over else "over_cap"
            state = "held" if each.blockers else within
            self._settle(
                key, each.item, verdict(state, each.item, eligibility.in_order(blockers), self._contexts), share
            )


_QUANTITY: Final = Decimal("0.0001")
"""The precision to which a lot is split (domain.lots)."""


def _is_capped(engagement: Engagement, line: str) -> bool:
    billing = engagement.lines[line].billing
    return isinstance(billing, TimeAndMaterials) and billing.cap is not None


def _turn_id(key: Key) -> str:
    """A lot's id with its stream behind it: the same entry may have been told in two weeks."""
    return f"{key[1]}\x00{key[0]}"


def _candidate(key: Key, item: Item) -> Candidate:
    assert item.approved_at is not None
    assert item.currency is not None
    return Candidate(_turn_id(key), item.work_date, item.approved_at, Money(item.value or NOTHING, item.currency))
