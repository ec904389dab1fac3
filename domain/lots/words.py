"""What can be asked of lots, what happens to them, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.kernel import Refused
from domain.lots.lot import Disposition, Lot, LotPart
from domain.money import Money


@dataclass(frozen=True, slots=True)
class SplitLot:
    """Divide an open lot in two at a value, so that the first part fits under a cap.

    ``first_quantity`` is that of the first part where the cap is one of hours; else it is shared as the value is.
    """

    lot: str
    first_value: Money
    first_quantity: Decimal | None = None


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
    """Put an open lot at a multiple of its price or at another one, such as work beyond a retainer."""

    lot: str
    factor: Decimal
    because: str
    price: Decimal | None = None


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
