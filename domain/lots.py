"""A lot is a billable quantity whose price and cost were frozen when it was rated; lots split, they are never edited.

A lot lives in the stream of the work that it came from: a timesheet, an expense report, or the engagement for
milestones. Reserving it on a draft and billing it are therefore decided in that stream, under its version, so that one
lot can never be on two live invoices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal, assert_never

from domain.kernel import Refused
from domain.layers import with_changes
from domain.money import Money, minor_unit, total
from domain.transfer import Transfer, TransferGap

Unit = Literal["hour", "item"]
Presentation = Literal["principal", "agent"]
"""Whether what is billed is revenue in full, or only what exceeds the cost (IFRS 15.B34 to B38)."""
Disposition = Literal["rebill", "rebill_elsewhere", "write_off", "non_billable"]
"""What becomes of credited work: billed again, billed to another customer or engagement, given up, or never billed."""


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
    ``transferred_from`` is the lot of another engagement or customer that this one took the place of.
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
    transferred_from: str | None = None


class LotStatus(StrEnum):
    """What has become of a lot; whether an open one may be billed is decided by eligibility."""

    OPEN = "open"
    RESERVED = "reserved"
    BILLED = "billed"
    DRAWN = "drawn"
    NON_BILLABLE = "non_billable"
    WRITTEN_OFF = "written_off"
    TRANSFERRED = "transferred"
    REVERSED = "reversed"
    SPLIT = "split"


AFTER_CREDIT: Final[Mapping[Disposition, LotStatus]] = {
    "rebill": LotStatus.OPEN,
    "rebill_elsewhere": LotStatus.OPEN,
    "write_off": LotStatus.WRITTEN_OFF,
    "non_billable": LotStatus.NON_BILLABLE,
}
"""What a lot is once it was credited; what is billed elsewhere is transferred in the same transaction."""


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
class LotCredit:
    """How much of a billed lot is credited, and what becomes of it.

    ``lot`` is the lot as the invoice names it, whatever parts it has since. ``effective_on`` is the day from which a
    write-off counts. ``into`` is the lot that bills the work elsewhere, priced there; its id is given by the stream.
    """

    lot: str
    quantity: Decimal
    value: Money
    disposition: Disposition
    effective_on: date | None = None
    into: Lot | None = None


@dataclass(frozen=True, slots=True)
class CreditLots:
    """Reopen, give up or move what a credit note takes off an invoice, in the transaction that issues it."""

    credits: tuple[LotCredit, ...]
    credit_note: str
    number: str
    invoice: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class TransferLot:
    """Bill an open lot to another engagement or customer instead; ``into`` is the lot as it is priced there."""

    lot: str
    into: Lot
    reason: str
    by: str


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


@dataclass(frozen=True, slots=True)
class CreditedLot:
    """A lot that a credit note took off its invoice, all of it, and what becomes of it."""

    lot: str
    disposition: Disposition
    effective_on: date | None = None


@dataclass(frozen=True, slots=True)
class LotsCredited:
    """Lots were taken off an issued invoice by a credit note; what was credited in part had been split before."""

    lots: tuple[CreditedLot, ...]
    credit_note: str
    number: str
    invoice: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class HoldLots:
    """Keep open lots from being billed for a reason of the closed list, until it is lifted."""

    lots: tuple[str, ...]
    code: str
    because: str
    by: str


@dataclass(frozen=True, slots=True)
class LiftLotHolds:
    """Let lots be billed that were held for a reason; who lifts it answers for it."""

    lots: tuple[str, ...]
    code: str
    by: str


@dataclass(frozen=True, slots=True)
class GiveLotsFree:
    """Do the work of open lots for nothing, with the reason that auditors will read."""

    lots: tuple[str, ...]
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class LotTransferred:
    """A lot is billed to another engagement or customer: the lot ``into``, which is rated with it, took its place."""

    lot: str
    into: str
    engagement: str
    line: str
    customer: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class LotsHeld:
    """Lots were kept from being billed, for a reason of the closed list."""

    lots: tuple[str, ...]
    code: str
    because: str
    by: str


@dataclass(frozen=True, slots=True)
class LotHoldsLifted:
    """A reason that kept lots from being billed was lifted, or is no longer true."""

    lots: tuple[str, ...]
    code: str
    by: str


@dataclass(frozen=True, slots=True)
class LotsGivenFree:
    """The work of lots was done for nothing."""

    lots: tuple[str, ...]
    reason: str
    by: str


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
    | CreditLots
    | TransferLot
    | HoldLots
    | LiftLotHolds
    | GiveLotsFree
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
    | LotsCredited
    | LotTransferred
    | LotsHeld
    | LotHoldsLifted
    | LotsGivenFree
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


class CreditAboveLot(Refused):
    """No more of a lot is credited than the invoice still bills."""

    code = "lot.credit_above_billed"
    fix = "Credit at most what is left; invoice.creditNotes shows what was credited before."


COMPLIMENTARY: Final = "COMPLIMENTARY"
"""Why a lot that was given free is not billable: a code of the closed list."""


@dataclass(frozen=True, slots=True)
class LotState:
    """A lot, what has become of it, the invoice it is on, and the day until which somebody postponed billing it.

    ``grant`` is the retainer that a drawn lot was taken off.
    ``intercompany`` is the number of the invoice from the delivering to the selling entity that it is on.
    ``credit_note`` is the one that took it off an invoice last.
    ``holds`` are the reasons for which it was held, by code; ``lifted`` are those that a person has lifted, which are
    not raised again by themselves.
    """

    lot: Lot
    status: LotStatus = LotStatus.OPEN
    invoice: str | None = None
    postponed_until: date | None = None
    grant: str | None = None
    intercompany: str | None = None
    credit_note: str | None = None
    holds: Mapping[str, LotsHeld] = field(default_factory=dict)
    lifted: frozenset[str] = frozenset()

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
    current = (LotStatus.OPEN, LotStatus.NON_BILLABLE, LotStatus.WRITTEN_OFF, LotStatus.TRANSFERRED)
    return tuple(held.lot for held in book.values() if held.lot.source == source and held.status in current)


def live_lot_of(book: LotBook, source: str) -> LotState | None:
    """The lot of an entry that stands on a draft or an invoice, if there is one."""
    return next((held for held in book.values() if held.lot.source == source and held.is_live), None)


def reversals_of(book: LotBook, source: str, reason: str) -> list[LotReversed]:
    """The reversal of everything that stands for an entry, because the entry itself changed."""
    return [LotReversed(lot.lot, reason) for lot in current_lots_of(book, source)]


def decide_rating(rated: Lot, book: LotBook) -> Sequence[LotRated | LotReversed]:
    """The lot of a source under the next free id, in place of open ones with other figures.

    What is on a draft or an invoice, was given up or moved elsewhere stays as it is: then only the open rest of the
    work is rated anew, each part for itself. Quiet when nothing changed, and while a retainer pays for some of it.
    """
    standing = [
        held
        for held in book.values()
        if held.lot.source == rated.source
        and held.lot.transferred_from == rated.transferred_from
        and held.status not in (LotStatus.REVERSED, LotStatus.SPLIT)
    ]
    if any(held.status is LotStatus.DRAWN for held in standing):
        return []
    free = [held.lot for held in standing if _may_be_rated_anew(held)]
    fixed = len(free) < len(standing)
    if not fixed and free and _same_figures(rated, free):
        return []
    wanted = [(lot, portion_of(rated, lot)) for lot in free] if fixed else []
    changed = [(lot, portion) for lot, portion in wanted if not _same_portion(portion, lot)]
    gone = [lot for lot, _ in changed] if fixed else free
    fresh = [portion for _, portion in changed] if fixed else [rated]
    return [
        *(LotReversed(lot.lot, "the price or cost changed") for lot in gone),
        *(
            LotRated(replace(lot, lot=next_lot_id(book, rated.source, after=number)))
            for number, lot in enumerate(fresh)
        ),
    ]


def _may_be_rated_anew(held: LotState) -> bool:
    rated_for_cost = held.status is LotStatus.NON_BILLABLE and held.lot.non_billable_because is not None
    return held.status is LotStatus.OPEN or rated_for_cost


def portion_of(rated: Lot, part: Lot) -> Lot:
    """What a part of some work is rated at, when all of it is rated: its own quantity at that price and cost."""
    share = part.quantity / rated.quantity if rated.quantity else Decimal(1)
    converted = rated.cost_in_billing_currency
    return replace(
        rated,
        quantity=part.quantity,
        value=Money(rated.price * part.quantity, rated.value.currency).rounded(),
        cost=(rated.cost * share).rounded(),
        cost_in_billing_currency=(converted * share).rounded() if converted is not None else None,
    )


def _same_portion(portion: Lot, part: Lot) -> bool:
    """Whether a part has these figures already; a split may have moved a minor unit from one part to another."""
    if (portion.value.currency, portion.cost.currency) != (part.value.currency, part.cost.currency):
        return False
    one, other = portion.cost_in_billing_currency, part.cost_in_billing_currency
    if (one is None) != (other is None) or abs((portion.cost - part.cost).amount) > minor_unit(part.cost.currency):
        return False
    same = replace(
        portion,
        lot=part.lot,
        value=part.value,
        cost=part.cost,
        cost_in_billing_currency=other,
        explanation=part.explanation,
        transfer=part.transfer,
        transfer_gap=part.transfer_gap,
    )
    return same == part


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


def next_lot_id(book: LotBook, source: str, after: int = 0) -> str:
    """``<source>#1``, and ``<source>#2`` after a new rating; ``after`` so many others of the same decision."""
    rated = sum(1 for held in book.values() if held.lot.source == source and "/" not in held.lot.lot.rpartition("#")[2])
    return f"{source}#{rated + 1 + after}"


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
        case CreditLots():
            return _credit(command, book)
        case TransferLot(lot, into, reason, by):
            if _held(book, lot).status is LotStatus.TRANSFERRED:
                return []
            _require_open(book, lot)
            return _transfer(book[lot].lot, into, reason, by, book)
        case HoldLots(lots, code, because, by):
            fresh = tuple(lot for lot in lots if not _is_held_for(book, lot, code, because))
            for lot in fresh:
                _require_open(book, lot)
            return [LotsHeld(fresh, code, because, by)] if fresh else []
        case LiftLotHolds(lots, code, by):
            holding = tuple(lot for lot in lots if code in _held(book, lot).holds)
            return [LotHoldsLifted(holding, code, by)] if holding else []
        case GiveLotsFree(lots, reason, by):
            fresh = tuple(lot for lot in lots if _held(book, lot).lot.non_billable_because != COMPLIMENTARY)
            for lot in fresh:
                _require_open(book, lot)
            return [LotsGivenFree(fresh, reason, by)] if fresh else []
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


def _is_held_for(book: LotBook, lot: str, code: str, because: str) -> bool:
    known = _held(book, lot).holds.get(code)
    return known is not None and known.because == because


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


def _credit(command: CreditLots, book: LotBook) -> Sequence[LotEvent]:
    """Splits what is credited in part, takes it off the invoice, and rates what is billed elsewhere."""
    if any(held.credit_note == command.credit_note for held in book.values()):
        return []
    events: list[LotEvent] = []
    taken: list[tuple[Lot, LotCredit]] = []
    now = book
    for credit in command.credits:
        for piece, left in _pieces(now, credit, command.invoice):
            if left is None:
                taken.append((piece, credit))
                continue
            quantity, value = left
            parts = parts_of(piece, (quantity, piece.quantity - quantity), (value, piece.value - value))
            split = LotSplit(piece.lot, parts)
            now = evolve_lots(now, split)
            events.append(split)
            taken.append((now[parts[1].lot].lot, credit))
        now = with_changes(now, _moved(now, [lot.lot for lot, _ in taken], LotStatus.OPEN, None))
    credited = tuple(CreditedLot(lot.lot, credit.disposition, credit.effective_on) for lot, credit in taken)
    events.append(
        LotsCredited(credited, command.credit_note, command.number, command.invoice, command.reason, command.by)
    )
    for lot, credit in taken:
        if credit.into is not None:
            into = replace(portion_of(credit.into, lot), cost=lot.cost)
            moved = _transfer(lot, into, command.reason, command.by, now)
            events += moved
            for event in moved:
                now = evolve_lots(now, event)
    return events


def _pieces(book: LotBook, credit: LotCredit, invoice: str) -> Iterator[tuple[Lot, tuple[Decimal, Money] | None]]:
    """The billed parts of a lot that a credit takes, in order, and what is left of the last one."""
    wanted, worth = credit.quantity, credit.value
    for piece in billed_parts(book, credit.lot, invoice):
        if not wanted:
            return
        if piece.quantity <= wanted:
            yield piece, None
            wanted, worth = wanted - piece.quantity, worth - piece.value
        else:
            yield piece, (piece.quantity - wanted, piece.value - worth)
            wanted = Decimal(0)
    if wanted:
        raise CreditAboveLot(f"{credit.lot}: {credit.quantity:f} asked, {credit.quantity - wanted:f} left.")


def billed_parts(book: LotBook, lot: str, invoice: str) -> Sequence[Lot]:
    """What an invoice still bills of a lot, which earlier credits may have divided."""
    return [
        held.lot
        for name, held in book.items()
        if held.status is LotStatus.BILLED and held.invoice == invoice and (name == lot or name.startswith(f"{lot}/"))
    ]


def _transfer(lot: Lot, into: Lot, reason: str, by: str, book: LotBook) -> list[LotTransferred | LotRated]:
    name = next_lot_id(book, lot.source)
    moved = LotTransferred(lot.lot, name, into.engagement, into.line, into.customer, reason, by)
    return [moved, LotRated(replace(into, lot=name, source=lot.source, transferred_from=lot.lot))]


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
        charged - total(filter(None, (part.transfer for part in parts)), charged.currency)
        if charged is not None
        else None,
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
        case LotsCredited(lots=credited, credit_note=credit_note):
            return with_changes(
                book,
                {
                    each.lot: replace(
                        book[each.lot],
                        status=AFTER_CREDIT[each.disposition],
                        invoice=None,
                        credit_note=credit_note,
                        postponed_until=None,
                    )
                    for each in credited
                },
            )
        case LotTransferred(name):
            return with_changes(book, _moved(book, (name,), LotStatus.TRANSFERRED, None))
        case LotsHeld(lots, code, _, _):
            return with_changes(book, {lot: replace(book[lot], holds={**book[lot].holds, code: event}) for lot in lots})
        case LotHoldsLifted(lots, code, by):
            return with_changes(book, {lot: _lifted(book[lot], code, by) for lot in lots})
        case LotsGivenFree(lots, _, _):
            return with_changes(book, {lot: _given_free(book[lot]) for lot in lots})
        case _:
            assert_never(event)


LEDGER: Final = "ledger"
"""Who raises and lifts holds by rule; everybody else is a person."""


def _lifted(held: LotState, code: str, by: str) -> LotState:
    rest = {name: hold for name, hold in held.holds.items() if name != code}
    return replace(held, holds=rest, lifted=held.lifted | {code} if by != LEDGER else held.lifted)


def _given_free(held: LotState) -> LotState:
    return replace(held, status=LotStatus.NON_BILLABLE, lot=replace(held.lot, non_billable_because=COMPLIMENTARY))


def _share_of(transfer: Transfer | None, value: Money | None) -> Transfer | None:
    """What is charged between the entities for a part; parts that were told before transfers were have the whole's."""
    return replace(transfer, value=value) if transfer is not None and value is not None else transfer


def part_of(whole: Lot, part: LotPart) -> Lot:
    """The lot that one part of a split is: its own quantity and amounts, all else as the whole."""
    return replace(
        whole,
        lot=part.lot,
        quantity=part.quantity,
        value=part.value,
        cost=part.cost,
        cost_in_billing_currency=part.cost_in_billing_currency,
        transfer=_share_of(whole.transfer, part.transfer),
    )


def _moved(book: LotBook, lots: Sequence[str], status: LotStatus, invoice: str | None) -> dict[str, LotState]:
    return {lot: replace(book[lot], status=status, invoice=invoice) for lot in lots}
