"""A lot is a billable quantity whose price and cost were frozen when it was rated; lots split, they are never edited.

A lot lives in the stream of the work that it came from: a timesheet, an expense report, or the engagement for
milestones. Reserving it on a draft and billing it are therefore decided in that stream, under its version, so that one
lot can never be on two live invoices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, assert_never

from domain.kernel import Refused
from domain.layers import with_changes
from domain.money import Money, total
from domain.transfer import Transfer, TransferGap

Unit = Literal["hour", "item"]
Presentation = Literal["principal", "agent"]
"""Whether what is billed is revenue in full, or only what exceeds the cost (IFRS 15.B34 to B38)."""


@dataclass(frozen=True, slots=True)
class RowConsidered:
    """A rate row that was looked at, and what became of it: ``won``, ``less specific``, ``other role`` ..."""

    card: str
    row: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a lot has its price and cost: the row that won, the others that were looked at, and the cost's source."""

    winner: str
    because: str
    considered: tuple[RowConsidered, ...] = ()
    cost_because: str = ""


@dataclass(frozen=True, slots=True)
class Lot:
    """A quantity with its price and cost, as frozen at rating.

    ``source`` is the entry, expense line or milestone; ``price`` is per unit, uplift included; ``value`` is
    price x quantity and ``cost`` the cost of the quantity, both at the minor unit of their currencies.
    ``cost_in_billing_currency`` uses the exchange rate of the work date; None when that rate is missing.
    ``non_billable_because`` is a reason code for work that was rated for its cost alone, e.g. INCLUDED_IN_FIXED_FEE.
    ``transfer`` is what the delivering entity charges the selling one; ``transfer_gap`` why it cannot.
    """

    lot: str
    source: str
    project: str
    engagement: str
    line: str
    customer: str
    selling_entity: str
    delivering_entity: str
    work_date: date
    quantity: Decimal
    unit: Unit
    price: Decimal
    value: Money
    cost: Money
    cost_in_billing_currency: Money | None
    approved_at: datetime
    explanation: Explanation
    resource: str | None = None
    role: str | None = None
    practice: str | None = None
    description: str = ""
    non_billable_because: str | None = None
    tax_category: str = "standard"
    presentation: Presentation = "principal"
    transfer: Transfer | None = None
    transfer_gap: TransferGap | None = None


class LotStatus(StrEnum):
    """What has become of a lot; whether an open one may be billed is decided by eligibility."""

    OPEN = "open"
    RESERVED = "reserved"
    BILLED = "billed"
    DRAWN = "drawn"
    NON_BILLABLE = "non_billable"
    WRITTEN_OFF = "written_off"
    REVERSED = "reversed"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class LotPart:
    """One part of a split: its new lot id and its share of quantity, value, cost and transfer."""

    lot: str
    quantity: Decimal
    value: Money
    cost: Money
    cost_in_billing_currency: Money | None
    transfer: Money | None = None


@dataclass(frozen=True, slots=True)
class SplitLot:
    """Divide an open lot in two at a value, so that the first part fits under a cap."""

    lot: str
    first_value: Money


@dataclass(frozen=True, slots=True)
class ShareLot:
    """Divide an open lot among several payers: quantity and cost by ``weights``, its value as ``values`` say."""

    lot: str
    weights: tuple[Decimal, ...]
    values: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class ReserveLots:
    """Put open lots on a draft invoice."""

    lots: tuple[str, ...]
    invoice: str


@dataclass(frozen=True, slots=True)
class ReleaseLots:
    """Take lots off a draft that is discarded."""

    lots: tuple[str, ...]
    invoice: str


@dataclass(frozen=True, slots=True)
class BillLots:
    """Bill the lots of an invoice that is issued in the same transaction."""

    lots: tuple[str, ...]
    invoice: str
    number: str


@dataclass(frozen=True, slots=True)
class WriteOffLots:
    """Give up billing open lots, with the reason that auditors will read."""

    lots: tuple[str, ...]
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class PostponeLots:
    """Leave open lots out of invoices until a day, with the reason; no day lets them be billed again."""

    lots: tuple[str, ...]
    until: date | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class DrawLots:
    """Take open lots off a retainer that the same transaction draws: they count as billed."""

    lots: tuple[str, ...]
    grant: str


@dataclass(frozen=True, slots=True)
class UndrawLots:
    """Open lots again that were taken off a retainer, in the transaction that gives it back."""

    lots: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class RepriceLot:
    """Put an open lot at a multiple of its price, such as work beyond a retainer."""

    lot: str
    factor: Decimal
    because: str


@dataclass(frozen=True, slots=True)
class LotRated:
    """The price and cost of work were frozen as a lot."""

    lot: Lot


@dataclass(frozen=True, slots=True)
class LotSplit:
    """A lot was divided into parts that add up to it."""

    lot: str
    parts: tuple[LotPart, ...]


@dataclass(frozen=True, slots=True)
class LotsReserved:
    """Lots were put on a draft invoice."""

    lots: tuple[str, ...]
    invoice: str


@dataclass(frozen=True, slots=True)
class LotsReleased:
    """Lots were taken off a draft that was discarded."""

    lots: tuple[str, ...]
    invoice: str


@dataclass(frozen=True, slots=True)
class LotsBilled:
    """Lots were billed by an invoice that was issued."""

    lots: tuple[str, ...]
    invoice: str
    number: str


@dataclass(frozen=True, slots=True)
class LotReversed:
    """The work behind the lot was corrected or its price changed: the lot no longer counts."""

    lot: str
    reason: str


@dataclass(frozen=True, slots=True)
class LotsWrittenOff:
    """Billing of lots was given up."""

    lots: tuple[str, ...]
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class LotsPostponed:
    """Lots were left out of invoices until a day; without a day they may be billed again."""

    lots: tuple[str, ...]
    until: date | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class LotsDrawn:
    """Lots were taken off a retainer; they count as billed by the invoice of its grant."""

    lots: tuple[str, ...]
    grant: str


@dataclass(frozen=True, slots=True)
class LotsUndrawn:
    """Lots that were taken off a retainer are open again."""

    lots: tuple[str, ...]
    because: str


LotCommand = (
    SplitLot
    | ShareLot
    | ReserveLots
    | ReleaseLots
    | BillLots
    | WriteOffLots
    | PostponeLots
    | DrawLots
    | UndrawLots
    | RepriceLot
)
LotEvent = (
    LotRated
    | LotSplit
    | LotsReserved
    | LotsReleased
    | LotsBilled
    | LotReversed
    | LotsWrittenOff
    | LotsPostponed
    | LotsDrawn
    | LotsUndrawn
)


class UnknownLot(Refused):
    """The stream has no such lot."""

    code = "lot.unknown"
    fix = "Ask billingEligibility for the lots of the engagement and use their ids."


class LotNotOpen(Refused):
    """The lot is not open: it is on another draft, billed, or ended."""

    code = "lot.not_open"
    fix = "Leave the lot out; its history shows which invoice it is on."


class LotNotReserved(Refused):
    """The lot is not reserved for this invoice."""

    code = "lot.not_reserved"
    fix = "Only lots on the draft itself can be released or billed by it."


@dataclass(frozen=True, slots=True)
class LotState:
    """A lot, what has become of it, the invoice it is on, and the day until which somebody postponed billing it.

    ``grant`` is the retainer that a drawn lot was taken off.
    ``intercompany`` is the number of the invoice from the delivering to the selling entity that it is on.
    """

    lot: Lot
    status: LotStatus = LotStatus.OPEN
    invoice: str | None = None
    postponed_until: date | None = None
    grant: str | None = None
    intercompany: str | None = None

    @property
    def is_live(self) -> bool:
        """Whether the lot is on a draft or an issued invoice, or paid by a retainer."""
        return self.status in (LotStatus.RESERVED, LotStatus.BILLED, LotStatus.DRAWN)

    @property
    def place(self) -> str:
        """Where a live lot stands, for people."""
        return f"retainer {self.grant}" if self.status is LotStatus.DRAWN else f"invoice {self.invoice}"


LotBook = Mapping[str, LotState]
"""All lots of one stream, by id, ended ones included."""


def current_lots_of(book: LotBook, source: str) -> tuple[Lot, ...]:
    """The lots that stand for an entry and are on no invoice; several when it was split."""
    current = (LotStatus.OPEN, LotStatus.NON_BILLABLE, LotStatus.WRITTEN_OFF)
    return tuple(held.lot for held in book.values() if held.lot.source == source and held.status in current)


def live_lot_of(book: LotBook, source: str) -> LotState | None:
    """The lot of an entry that stands on a draft or an invoice, if there is one."""
    return next((held for held in book.values() if held.lot.source == source and held.is_live), None)


def reversals_of(book: LotBook, source: str, reason: str) -> list[LotReversed]:
    """The reversal of everything that stands for an entry, because the entry itself changed."""
    return [LotReversed(lot.lot, reason) for lot in current_lots_of(book, source)]


def decide_rating(rated: Lot, book: LotBook) -> Sequence[LotRated | LotReversed]:
    """The lot of a source under the next free id, in place of open ones with other figures.

    Quiet while the source is on a draft or an invoice, when its billing was given up, and when nothing changed.
    """
    current = current_lots_of(book, rated.source)
    given_up = any(book[lot.lot].status is LotStatus.WRITTEN_OFF for lot in current)
    if live_lot_of(book, rated.source) or given_up or (current and _same_figures(rated, current)):
        return []
    fresh = LotRated(replace(rated, lot=next_lot_id(book, rated.source)))
    return [*reversals_of(book, rated.source, "the price or cost changed"), fresh]


def _same_figures(rated: Lot, current: Sequence[Lot]) -> bool:
    """Whether the lots that stand for a source add up to what it would be rated at now."""
    first, currency = current[0], rated.value.currency
    converted = [lot.cost_in_billing_currency for lot in current]
    if (first.value.currency, first.cost.currency) != (currency, rated.cost.currency):
        return False
    whole = replace(
        first,
        quantity=sum((lot.quantity for lot in current), Decimal(0)),
        value=total((lot.value for lot in current), currency),
        cost=total((lot.cost for lot in current), rated.cost.currency),
        cost_in_billing_currency=None if None in converted else total(filter(None, converted), currency),
    )
    # A transfer is priced by commands of its own: it may change when the price for the customer must not.
    return (
        replace(
            rated,
            lot=whole.lot,
            explanation=whole.explanation,
            transfer=whole.transfer,
            transfer_gap=whole.transfer_gap,
        )
        == whole
    )


def next_lot_id(book: LotBook, source: str) -> str:
    """``<source>#1``, and ``<source>#2`` after a new rating."""
    rated = sum(1 for held in book.values() if held.lot.source == source and "/" not in held.lot.lot.rpartition("#")[2])
    return f"{source}#{rated + 1}"


def decide_lots(command: LotCommand, book: LotBook) -> Sequence[LotEvent]:
    """The lot events that a command causes in the stream that holds the lots."""
    match command:
        case SplitLot(lot, first_value):
            return _split(_held(book, lot), first_value)
        case ShareLot(lot, weights, values):
            _require_open(book, lot)
            return [LotSplit(lot, parts_of(book[lot].lot, weights, values))]
        case ReserveLots(lots, invoice):
            fresh = tuple(lot for lot in lots if not _is(book, lot, LotStatus.RESERVED, invoice))
            for lot in fresh:
                _require_open(book, lot)
            return [LotsReserved(fresh, invoice)] if fresh else []
        case ReleaseLots(lots, invoice):
            held = tuple(lot for lot in lots if _is(book, lot, LotStatus.RESERVED, invoice))
            return [LotsReleased(held, invoice)] if held else []
        case BillLots(lots, invoice, number):
            fresh = tuple(lot for lot in lots if not _is(book, lot, LotStatus.BILLED, invoice))
            for lot in fresh:
                if not _is(book, lot, LotStatus.RESERVED, invoice):
                    raise LotNotReserved(f"{lot} for invoice {invoice}.")
            return [LotsBilled(fresh, invoice, number)] if fresh else []
        case WriteOffLots(lots, reason, by):
            fresh = tuple(lot for lot in lots if _held(book, lot).status is not LotStatus.WRITTEN_OFF)
            for lot in fresh:
                _require_open(book, lot)
            return [LotsWrittenOff(fresh, reason, by)] if fresh else []
        case PostponeLots(lots, until, reason, by):
            fresh = tuple(lot for lot in lots if _held(book, lot).postponed_until != until)
            for lot in fresh:
                _require_open(book, lot)
            return [LotsPostponed(fresh, until, reason, by)] if fresh else []
        case DrawLots(lots, grant):
            fresh = tuple(lot for lot in lots if not _is_drawn(book, lot, grant))
            for lot in fresh:
                _require_open(book, lot)
            return [LotsDrawn(fresh, grant)] if fresh else []
        case UndrawLots(lots, because):
            drawn = tuple(lot for lot in lots if _held(book, lot).status is LotStatus.DRAWN)
            return [LotsUndrawn(drawn, because)] if drawn else []
        case RepriceLot(lot, factor, because):
            _require_open(book, lot)
            return _reprice(book[lot].lot, factor, because, book)
        case _:
            assert_never(command)


def _held(book: LotBook, lot: str) -> LotState:
    if lot not in book:
        raise UnknownLot(lot)
    return book[lot]


def _is(book: LotBook, lot: str, status: LotStatus, invoice: str) -> bool:
    held = _held(book, lot)
    return held.status is status and held.invoice == invoice


def _require_open(book: LotBook, lot: str) -> None:
    held = _held(book, lot)
    if held.status is not LotStatus.OPEN:
        raise LotNotOpen(f"{lot} is {held.status.value}" + (f" on {held.invoice}." if held.invoice else "."))


def _is_drawn(book: LotBook, lot: str, grant: str) -> bool:
    held = _held(book, lot)
    return held.status is LotStatus.DRAWN and held.grant == grant


def _reprice(lot: Lot, factor: Decimal, because: str, book: LotBook) -> Sequence[LotReversed | LotRated]:
    if factor == 1 or lot.explanation.winner.endswith(f" x {factor}"):
        return []
    price = lot.price * factor
    value = Money(price * lot.quantity, lot.value.currency).rounded()
    explained = replace(
        lot.explanation,
        winner=f"{lot.explanation.winner} x {factor}",
        because=f"{lot.explanation.because}; x {factor}: {because}",
    )
    fresh = replace(lot, lot=next_lot_id(book, lot.source), price=price, value=value, explanation=explained)
    return [LotReversed(lot.lot, because), LotRated(fresh)]


def _split(held: LotState, first_value: Money) -> Sequence[LotSplit]:
    _require_open({held.lot.lot: held}, held.lot.lot)
    lot = held.lot
    if not (Money(Decimal(0), lot.value.currency) < first_value < lot.value):
        return []
    rest = lot.value - first_value
    return [LotSplit(lot.lot, parts_of(lot, (first_value.amount, rest.amount), (first_value, rest)))]


def parts_of(lot: Lot, weights: Sequence[Decimal], values: Sequence[Money]) -> tuple[LotPart, ...]:
    """The parts ``<lot>/1``, ``<lot>/2`` ... of a lot: values as given, all else by weight, the last with the rest."""
    whole = sum(weights, Decimal(0))
    parts: list[LotPart] = []
    for number, (weight, value) in enumerate(zip(weights[:-1], values[:-1], strict=True), start=1):
        share, converted = weight / whole, lot.cost_in_billing_currency
        parts.append(
            LotPart(
                f"{lot.lot}/{number}",
                (lot.quantity * share).quantize(Decimal("0.0001")),
                value,
                (lot.cost * share).rounded(),
                (converted * share).rounded() if converted is not None else None,
                (lot.transfer.value * share).rounded() if lot.transfer is not None else None,
            )
        )
    return (*parts, _last_part(lot, parts, values[-1]))


def _last_part(lot: Lot, parts: Sequence[LotPart], value: Money) -> LotPart:
    converted = lot.cost_in_billing_currency
    taken = (part.cost_in_billing_currency for part in parts)
    charged = lot.transfer.value if lot.transfer is not None else None
    return LotPart(
        f"{lot.lot}/{len(parts) + 1}",
        lot.quantity - sum((part.quantity for part in parts), Decimal(0)),
        value,
        lot.cost - total((part.cost for part in parts), lot.cost.currency),
        converted - total(filter(None, taken), converted.currency) if converted is not None else None,
        charged - total(filter(None, (part.transfer for part in parts)), charged.currency) if charged else None,
    )


def evolve_lots(book: LotBook, event: LotEvent) -> LotBook:
    """The lots after one event."""
    match event:
        case LotRated(lot):
            status = LotStatus.NON_BILLABLE if lot.non_billable_because else LotStatus.OPEN
            return with_changes(book, {lot.lot: LotState(lot, status)})
        case LotSplit(name, parts):
            whole = book[name]
            split = {part.lot: replace(whole, lot=part_of(whole.lot, part)) for part in parts}
            return with_changes(book, {name: replace(whole, status=LotStatus.SPLIT), **split})
        case LotsReserved(lots, invoice):
            return with_changes(book, _moved(book, lots, LotStatus.RESERVED, invoice))
        case LotsReleased(lots, _):
            return with_changes(book, _moved(book, lots, LotStatus.OPEN, None))
        case LotsBilled(lots, invoice, _):
            return with_changes(book, _moved(book, lots, LotStatus.BILLED, invoice))
        case LotReversed(name, _):
            return with_changes(book, _moved(book, (name,), LotStatus.REVERSED, None))
        case LotsWrittenOff(lots, _, _):
            return with_changes(book, _moved(book, lots, LotStatus.WRITTEN_OFF, None))
        case LotsPostponed(lots, until, _, _):
            return with_changes(book, {lot: replace(book[lot], postponed_until=until) for lot in lots})
        case LotsDrawn(lots, grant):
            drawn = {lot: replace(book[lot], status=LotStatus.DRAWN, grant=grant) for lot in lots}
            return with_changes(book, drawn)
        case LotsUndrawn(lots, _):
            return with_changes(book, {lot: replace(book[lot], status=LotStatus.OPEN, grant=None) for lot in lots})
        case _:
            assert_never(event)


def part_of(whole: Lot, part: LotPart) -> Lot:
    """The lot that one part of a split is: its own quantity and amounts, all else as the whole."""
    return replace(
        whole,
        lot=part.lot,
        quantity=part.quantity,
        value=part.value,
        cost=part.cost,
        cost_in_billing_currency=part.cost_in_billing_currency,
        transfer=replace(whole.transfer, value=part.transfer) if whole.transfer and part.transfer else whole.transfer,
    )


def _moved(book: LotBook, lots: Sequence[str], status: LotStatus, invoice: str | None) -> dict[str, LotState]:
    return {lot: replace(book[lot], status=status, invoice=invoice) for lot in lots}
