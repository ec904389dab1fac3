"""The conservation law: approved work is billed, reserved, still open, not billable or given up, and never else.

    approved = billed + reserved + open + non-billable + written off + transferred out - transferred in + not priced yet

in hours, and in money from the rated value down to the parts, for every piece of work and for every project,
engagement, customer and legal entity and for the firm, after every commit. What was approved is read from the facts of
the work, what became of it from the facts of its lots: two accounts of the same, that must agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from api.verification.report import Breach
from domain.engagement.agreement import EngagementOpened
from domain.engagement.milestones import MilestoneAccepted
from domain.engagement.retainer import RetainerGranted
from domain.engagement.schedule import InstalmentDue, ServiceCreditGiven, ServicePeriodDue
from domain.expense import ExpenseRecorded, ExpensesApproved, ExpensesRejected, ExpensesSubmitted
from domain.kernel import Recorded, StreamId, local_id, stream_of
from domain.lots import (
    AFTER_CREDIT,
    Lot,
    LotPart,
    LotRated,
    LotReversed,
    LotsBilled,
    LotsCredited,
    LotsDrawn,
    LotsGivenFree,
    LotSplit,
    LotsReleased,
    LotsReserved,
    LotStatus,
    LotsUndrawn,
    LotsWrittenOff,
    LotTransferred,
)
from domain.money import Money
from domain.project import ProjectCreated
from domain.timesheet import (
    ApprovalRevoked,
    EntriesMerged,
    TimeApproved,
    TimeCorrected,
    TimeLogged,
    TimeRejected,
    TimeSubmitted,
    TimeWithdrawn,
)

State = Literal[
    "open", "reserved", "billed", "drawn", "non-billable", "written off", "transferred", "split", "reversed"
]
ENDED = ("split", "reversed")
_STATES: dict[LotStatus, State] = {
    LotStatus.OPEN: "open",
    LotStatus.WRITTEN_OFF: "written off",
    LotStatus.NON_BILLABLE: "non-billable",
}
LEVELS = ("project", "engagement", "customer", "legal entity")

Key = tuple[StreamId, str]
"""A stream and a name within it: of a piece of work, or of a lot."""
Groups = tuple[str, str, str, str]
"""The project, engagement, customer and selling entity of a lot."""


@dataclass(slots=True)
class Piece:
    """A lot or a part of one: how much it is, and what has become of it. ``root`` is the lot that was rated.

    ``came_in``: it took the place of a lot that was transferred out.
    """

    stream: StreamId
    lot: str
    source: str
    root: str
    quantity: Decimal
    value: Decimal
    cost: Decimal
    unit: str
    groups: Groups
    state: State = "open"
    invoice: str | None = None
    came_in: bool = False

    @property
    def name(self) -> str:
        """How a breach names it."""
        return f"{self.stream} {self.lot}"


@dataclass(slots=True)
class Family:
    """One piece of work and everything that was ever rated of it.

    ``quantity`` is what its lots add up to: the hours ``worked``, or more if more were approved; ``values`` is what
    each rating came to.
    """

    quantity: Decimal = Decimal(0)
    worked: Decimal = Decimal(0)
    approved: bool = False
    project: str = ""
    unit: str = "hour"
    values: dict[str, Decimal] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)

    @property
    def live(self) -> list[Piece]:
        """The pieces that count."""
        return [piece for piece in self.pieces if piece.state not in ENDED]


class Law:
    """Follows the log and tells who breaks the law; ``see`` takes every fact in order, ``settle`` ends a commit."""

    def __init__(self) -> None:
        self.families: dict[Key, Family] = {}
        self.pieces: dict[Key, Piece] = {}
        self._touched: set[Key] = set()
        self._engagement_of: dict[str, str] = {}
        self._sold_by: dict[str, tuple[str, str]] = {}
        self._groups: dict[Groups, Groups] = {}

    def see(self, fact: Recorded[Any]) -> Iterator[Breach]:
        """Take up one fact; what can never be right is told at once."""
        stream, event = fact.stream, fact.event
        match event:
            case ProjectCreated():
                self._engagement_of[event.project] = event.engagement
            case EngagementOpened():
                self._sold_by[event.engagement] = (event.customer, event.selling_entity)
            case LotRated(lot):
                self._see_promise(stream, event)
                yield from self._rate(stream, lot)
            case LotSplit(lot, parts):
                yield from self._split(stream, lot, parts)
            case _:
                yield from self._see_move(stream, event)

    def _see_move(self, stream: StreamId, event: object) -> Iterator[Breach]:
        match event:
            case LotsReserved(lots, invoice):
                yield from self._move(stream, lots, "reserved", invoice)
            case LotsReleased(lots) | LotsUndrawn(lots):
                yield from self._move(stream, lots, "open", None)
            case LotsBilled(lots, invoice, _):
                yield from self._move(stream, lots, "billed", invoice)
            case LotsDrawn(lots, _):
                yield from self._move(stream, lots, "drawn", None)
            case LotReversed(lot, _):
                yield from self._move(stream, (lot,), "reversed", None)
            case LotsWrittenOff(lots) | LotsGivenFree(lots):
                given_up: State = "written off" if isinstance(event, LotsWrittenOff) else "non-billable"
                yield from self._move(stream, lots, given_up, None)
            case LotsCredited(lots=credited):
                for each in credited:
                    yield from self._move(stream, (each.lot,), _STATES[AFTER_CREDIT[each.disposition]], None)
            case LotTransferred(lot):
                yield from self._move(stream, (lot,), "transferred", None)
            case _:
                self._see_work(stream, event)

    def _see_work(self, stream: StreamId, event: object) -> None:
        match event:
            case TimeLogged() | TimeCorrected():
                family = self._family(stream, event.entry)
                family.quantity, family.project, family.approved = event.work.hours, event.work.project, False
                family.worked = event.work.hours
            case TimeApproved(entries, hours=hours):
                self._approve(stream, entries, approved=True)
                for entry in entries:
                    family = self._family(stream, entry)
                    family.quantity = max(family.worked, hours.get(entry, family.worked))
            case TimeSubmitted(entries) | TimeRejected(entries) | ApprovalRevoked(entries):
                self._approve(stream, entries, approved=False)
            case TimeWithdrawn(entry) | EntriesMerged(dropped=entry):
                self._approve(stream, (entry,), approved=False)
            case ExpenseRecorded(report, _, expense):
                family = self._family(stream, f"{report}/{expense.line}")
                family.quantity, family.unit, family.approved = Decimal(1), "item", False
                family.project = expense.project
            case ExpensesApproved(lines):
                self._approve(stream, _sources(stream, lines), approved=True)
            case ExpensesSubmitted(lines) | ExpensesRejected(lines):
                self._approve(stream, _sources(stream, lines), approved=False)
            case _:
                self._see_promise(stream, event)

    def _see_promise(self, stream: StreamId, event: object) -> None:
        """What a contract itself lets be billed is one item, approved by the fact that made it due."""
        match event:
            case MilestoneAccepted(line, milestone):
                self._promise(stream, line, milestone)
            case InstalmentDue(line, instalment):
                self._promise(stream, line, instalment)
            case ServicePeriodDue(line, starts):
                self._promise(stream, line, f"service/{starts}")
            case ServiceCreditGiven(line, credit):
                self._promise(stream, line, f"credit/{credit}")
            case RetainerGranted(line, grant):
                self._promise(stream, line, f"retainer/{grant}")
            case LotRated(lot) if _adds_to_promise(stream, lot):
                # Measurements, estimates and change orders may all change what is billed: each time by a lot.
                self._promise(stream, lot.line, lot.source.split("/", 2)[2])
            case _:
                return

    def _promise(self, stream: StreamId, line: str, name: str) -> None:
        family = self._family(stream, f"{local_id(stream)}/{line}/{name}")
        family.quantity, family.unit, family.approved = Decimal(1), "item", True

    def settle(self) -> Iterator[Breach]:
        """At the end of a commit every piece of work that it touched obeys the law."""
        for stream, source in self._touched:
            yield from (Breach(f"{stream} {source}", detail) for detail in _broken(self.families[stream, source]))
        self._touched.clear()

    def totals(self) -> Iterator[Breach]:
        """The law in hours for every project, engagement, customer and legal entity, and for the firm."""
        approved: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        accounted: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for family in self.families.values():
            live = [piece for piece in family.live if piece.unit == "hour"]
            if family.approved and family.unit == "hour":
                for group in _levels(self._groups_of(family)):
                    approved[group] += family.quantity
                    accounted[group] += 0 if live else family.quantity
            for piece in live:
                for group in _levels(piece.groups):
                    accounted[group] += 0 if piece.came_in else piece.quantity
        for group in sorted({*approved, *accounted}):
            if approved[group] != accounted[group]:
                level, name = group
                detail = f"{approved[group].normalize():f} h approved, {accounted[group].normalize():f} h accounted for"
                yield Breach(f"{level} {name}".rstrip(), detail)

    def _groups_of(self, family: Family) -> Groups:
        engagement = self._engagement_of.get(family.project, "")
        customer, entity = self._sold_by.get(engagement, ("", ""))
        return (family.project, engagement, customer, entity)

    def _family(self, stream: StreamId, source: str) -> Family:
        self._touched.add((stream, source))
        return self.families.setdefault((stream, source), Family())

    def _approve(self, stream: StreamId, sources: Iterable[str], *, approved: bool) -> None:
        for source in sources:
            self._family(stream, source).approved = approved

    def _rate(self, stream: StreamId, lot: Lot) -> Iterator[Breach]:
        """The value of a lot is price times quantity, rounded once at the minor unit."""
        exact = Money(lot.price * lot.quantity, lot.value.currency).rounded()
        if exact != lot.value:
            yield Breach(f"{stream} {lot.lot}", f"{lot.price} x {lot.quantity} is {exact}, not {lot.value}")
        groups = (lot.project, lot.engagement, lot.customer, lot.selling_entity)
        piece = Piece(
            stream,
            lot.lot,
            lot.source,
            lot.lot,
            lot.quantity,
            lot.value.amount,
            lot.cost.amount,
            lot.unit,
            self._groups.setdefault(groups, groups),
            "non-billable" if lot.non_billable_because else "open",
            came_in=lot.transferred_from is not None,
        )
        self._family(stream, lot.source).values[lot.lot] = lot.value.amount
        yield from self._add(piece)

    def _add(self, piece: Piece) -> Iterator[Breach]:
        if (piece.stream, piece.lot) in self.pieces:
            yield Breach(piece.name, "the lot exists twice")
        self.pieces[piece.stream, piece.lot] = piece
        self._family(piece.stream, piece.source).pieces.append(piece)

    def _split(self, stream: StreamId, lot: str, parts: tuple[LotPart, ...]) -> Iterator[Breach]:
        whole = self.pieces.get((stream, lot))
        if whole is None:
            yield Breach(f"{stream} {lot}", "a lot was split that was never rated")
            return
        for part in parts:
            value, cost = part.value.amount, part.cost.amount
            yield from self._add(replace(whole, lot=part.lot, quantity=part.quantity, value=value, cost=cost))
        yield from self._move(stream, (lot,), "split", None)
        sums = (
            ("quantity", whole.quantity, sum(part.quantity for part in parts)),
            ("value", whole.value, sum(part.value.amount for part in parts)),
            ("cost", whole.cost, sum(part.cost.amount for part in parts)),
        )
        yield from (Breach(whole.name, f"{name} {was}, its parts have {now}") for name, was, now in sums if was != now)

    def _move(self, stream: StreamId, lots: Iterable[str], state: State, invoice: str | None) -> Iterator[Breach]:
        for lot in lots:
            piece = self.pieces.get((stream, lot))
            if piece is None:
                yield Breach(f"{stream} {lot}", f"it became {state}, but was never rated")
                continue
            self._touched.add((stream, piece.source))
            if piece.state in ENDED:
                yield Breach(piece.name, f"it was {piece.state} and became {state}")
            piece.state, piece.invoice = state, invoice


def _levels(groups: Groups) -> Iterator[tuple[str, str]]:
    """What a piece of work counts for: each of its groups, and the firm, which has no name here."""
    yield from zip(LEVELS, groups, strict=True)
    yield "firm", ""


def _adds_to_promise(stream: StreamId, lot: Lot) -> bool:
    at_home = stream == stream_of("engagement", lot.engagement) and lot.transferred_from is None
    return at_home and ("/progress/" in lot.source or "/service/" in lot.source)


def _sources(stream: StreamId, lines: Iterable[str]) -> list[str]:
    return [f"{local_id(stream)}/{line}" for line in lines]


def _broken(family: Family) -> Iterator[str]:
    """How a piece of work breaks the law, if it does."""
    live = family.live
    if live and not family.approved:
        yield f"{', '.join(piece.lot for piece in live)} counts, although the work is not approved"
    roots = sorted({piece.root for piece in live})
    if not roots:
        return
    quantity = sum((piece.quantity for piece in live if not piece.came_in), Decimal(0))
    if len(roots) > 1 and quantity > family.quantity:
        yield f"{', '.join(roots)} all stand for the same work"
    elif family.approved and quantity != family.quantity:
        yield f"{family.quantity} {family.unit} approved, {quantity} in lots"
    out = sum((piece.quantity for piece in live if piece.state == "transferred"), Decimal(0))
    came = sum((piece.quantity for piece in live if piece.came_in), Decimal(0))
    if out != came:
        yield f"{out} {family.unit} transferred out, {came} came in"
    for root in roots:
        value = sum(
            (piece.value for piece in family.pieces if piece.root == root and piece.state != "split"), Decimal(0)
        )
        if value != family.values[root]:
            yield f"rated at {family.values[root]}, {value} in lots"
