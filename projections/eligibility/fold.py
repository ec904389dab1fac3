"""Decides for all work whether it may be billed, again whenever something changes on which that depends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from domain import eligibility
from domain.books.accounting_period import accounting_period_stream
from domain.calendar import FIRM
from domain.caps import Candidate, Room, Share, allocate, allocation
from domain.eligibility.blockers.contract import order_exhausted
from domain.eligibility.reasons import AS_IT_IS, Blocker, Context, Policy
from domain.kernel import stream_of
from domain.money import Money, total
from domain.ports import billing_calendar_of, heard_of
from domain.reason_codes import ReasonCode
from domain.reference.account_map import account_map_stream
from domain.reference.billing_calendar import BillingCalendar
from projections.contexts import Contexts
from projections.eligibility.items import NOTHING, PLANNED, Item
from projections.eligibility.lots import LotsFold
from projections.eligibility.reasons import Verdict, over_cap, verdict, verdict_of_ended
from projections.eligibility.touched_work import TouchedWork
from projections.registers.fold import RegistersFold
from projections.tables import Key


@dataclass(slots=True)
class _Decided:
    """An open item and its blockers, before the cap of its line is shared out."""

    item: Item
    blockers: Sequence[Blocker]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What becomes of an open item, once the caps are shared out."""

    item: Item
    state: str
    blockers: Sequence[Blocker]
    share: Share | None = None

    @property
    def within(self) -> Money:
        """What of it may be billed."""
        item = self.item
        return self.share.within if self.share is not None else Money(item.value or NOTHING, item.currency or "")


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
        self._touched = TouchedWork(contexts, lots, registers)
        self._policy = policy
        self._places: dict[tuple[str, str, str, str, object], Context] = {}
        self._outcomes: dict[Key, _Outcome] = {}

    def finish(self) -> None:
        """The batch is complete: every decision that it may have changed is made again."""
        self.decide([*self._lots.items.changed, *self._touched.work()])

    def postpone(self) -> None:
        """Only says what became of the lots that ended."""
        for key in list(self._lots.items.changed):
            item = self._lots.items.get(key)
            if item is not None and not item.is_open:
                self._settle(key, item, verdict_of_ended(item))

    def decide(self, keys: Sequence[Key]) -> None:
        """Decides items, and all others of their capped lines."""
        self._places = {}
        self._outcomes = {}
        concerned = dict.fromkeys(keys)
        self._lots.items.fetch(concerned)
        least, ordered = self._least_of(concerned), self._orders_of(concerned)
        whole = dict.fromkeys((*least, *ordered))
        concerned.update(dict.fromkeys(key for name in whole for key in self._lots.open_work.of(name)))
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
                self._outcomes[key] = _Outcome(each.item, self._state(each), each.blockers)
        for engagement, room in ordered.items():
            self._require_order(engagement, room)
        for engagement, minimum in least.items():
            self._require_minimum(engagement, minimum)
        for key, outcome in self._outcomes.items():
            blockers = eligibility.in_order(outcome.blockers)
            self._settle(
                key, outcome.item, verdict(outcome.state, outcome.item, blockers, self._contexts), outcome.share
            )

    # -- deciding ----------------------------------------------------------------------------------------------------

    def _decided(self, key: Key, item: Item) -> _Decided:
        if not item.is_lot and item.status != PLANNED:
            self._place(key, item)
        facts, context = item.facts, self._context(item)
        if item.kind == "time" and context.silent_days_max is not None:
            facts = replace(facts, heard=heard_of(self._contexts.read, item.source))
        return _Decided(item, eligibility.decide(facts, context))

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

    @property
    def _today(self) -> date | None:
        today: date | None = self._policy.today or self._contexts.of(FIRM).state.today
        return today

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
                today=self._today,
                calendar=billing_calendar_of(contexts.read, item.selling_entity, terms.address)
                if terms
                else BillingCalendar(),
                periods=contexts.of(accounting_period_stream(item.selling_entity)).state,
                accounts=contexts.of(account_map_stream(item.selling_entity)).state,
                policy=self._policy,
            )
        return known

    def _state(self, each: _Decided) -> str:
        item = each.item
        if item.is_lot:
            return "held" if each.blockers else "eligible"
        return "held" if item.status == "approved" and each.blockers else item.status

    def _settle(self, key: Key, item: Item, new: Verdict, share: Share | None = None) -> None:
        """Writes a verdict down if it says anything new."""
        value = item.value
        if share is not None and value:
            within, over = share.within.amount, share.over.amount
            fitting = (item.quantity * within / value).quantize(_QUANTITY) if share.hours is None else share.hours
            over_quantity = item.quantity - fitting
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
        was = (item.state, item.reasons, item.waits_until)
        if known == figures and was == (new.state, new.reasons, new.until):
            return
        row = self._lots.change(key)
        row.waits, row.waits_until = new.until is not None, new.until
        self._lots.wait(key, new.until)
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
            self._outcomes[key] = _Outcome(each.item, state, blockers, share)
        return set(mine)

    # -- purchase orders ---------------------------------------------------------------------------------------------

    def _orders_of(self, keys: Iterable[Key]) -> dict[str, Room]:
        """The orders that limit some work, and the work that shares a cap with it, each with what it leaves."""
        names = dict.fromkeys(name for group in self._capped(keys) for name in group.engagements)
        items = (self._lots.items.get(key) for key in keys)
        names.update(dict.fromkeys(item.engagement for item in items if item is not None and item.is_lot))
        states = {name: self._contexts.engagement(name) for name in names}
        rooms = {name: state.order_room for name, state in states.items() if state.opened}
        return {name: room for name, room in rooms.items() if room is not None}

    def _require_order(self, engagement: str, room: Room) -> None:
        """What would pass the amount of its order waits for a further one; whole lots take it up in their turn."""
        state = self._contexts.engagement(engagement)
        wanting: dict[str, Key] = {}
        turns: list[Candidate] = []
        for key in self._lots.open_work.of(engagement):
            outcome = self._outcomes.get(key)
            if outcome is None or outcome.state != "eligible" or self._passes_orders(outcome.item):
                continue
            candidate = replace(_candidate(key, outcome.item), value=outcome.within)
            wanting[candidate.lot] = key
            turns.append(candidate)
        for name, share in allocate([room], turns).items():
            if share.over and state.purchase_order is not None:
                outcome = self._outcomes[wanting[name]]
                blocker = order_exhausted(state, state.purchase_order)
                self._outcomes[wanting[name]] = replace(outcome, state="held", blockers=(*outcome.blockers, blocker))

    def _passes_orders(self, item: Item) -> bool:
        return ReasonCode.PO_EXHAUSTED.value in self._context(item).lets_pass(item.work_date)

    # -- the least that is invoiced ----------------------------------------------------------------------------------

    def _least_of(self, keys: Iterable[Key]) -> dict[str, Money]:
        """The engagements of some work whose entity sends no invoice below an amount, each with that amount."""
        found: dict[str, Money] = {}
        for key in keys:
            item = self._lots.items.get(key)
            if item is None or not item.is_lot or item.engagement in found:
                continue
            terms = self._contexts.entity(item.selling_entity).terms_of(self._today)
            if terms is not None and terms.minimum_invoice is not None:
                found[item.engagement] = terms.minimum_invoice
        return found

    def _require_minimum(self, engagement: str, least: Money) -> None:
        """What an engagement has to bill waits for more while it comes to less; each set of payers by itself."""
        state = self._contexts.engagement(engagement)
        groups: dict[object, list[Key]] = {}
        for key in self._lots.open_work.of(engagement):
            outcome = self._outcomes.get(key)
            if outcome is not None and outcome.item.is_lot and outcome.state == "eligible":
                item = outcome.item
                line = state.line_on(item.line or "", item.work_date)
                passing = self._context(item).lets_pass(item.work_date)
                if item.currency == least.currency and ReasonCode.BELOW_MINIMUM_INVOICE.value not in passing:
                    groups.setdefault(line.bill_to if line else (), []).append(key)
        for keys in groups.values():
            worth = total((self._outcomes[key].within for key in keys), least.currency)
            if worth < least:
                for key in keys:
                    self._outcomes[key] = _below(self._outcomes[key], worth, least)


def _below(outcome: _Outcome, worth: Money, least: Money) -> _Outcome:
    what = f"{worth} can be billed, {least} is the least: wait for more, or bill together with other engagements."
    entity = stream_of("legal_entity", outcome.item.selling_entity)
    caused_by = ("legal_entity.defined.v1",)
    blocker = Blocker(ReasonCode.BELOW_MINIMUM_INVOICE, entity, caused_by, "finance_preparer", what, True)
    return replace(outcome, state="held", blockers=(*outcome.blockers, blocker))


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
