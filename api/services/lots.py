"""Services around lots: hold them for a dispute, lift what holds them, write work off, give it free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from typing_extensions import Doc

from api.services.drafts import LotInput
from api.services.service import Call, Decision, InputIncomplete, Kind, Service
from domain.billing.giving_up import GivenUp, GiveUp, give_up
from domain.kernel import Addressed, StreamId
from domain.lots import GiveLotsFree, HoldLots, LiftLotHolds, WriteOffLots
from domain.ports import lots_of
from domain.reason_codes import ReasonCode

_HOLDABLE = frozenset({ReasonCode.DISPUTED, ReasonCode.ZERO_RATE_UNCONFIRMED, ReasonCode.EXPENSE_POLICY_VIOLATION})
"""The reasons for which people hold lots; the others are raised by rule."""


@dataclass(frozen=True)
class HoldLotsInput:
    """Which lots are held, and why."""

    lots: Annotated[tuple[LotInput, ...], Doc("The lots, as billingEligibility names them.")]
    because: Annotated[str, Doc("What people will read.")]
    reason: Annotated[str, Doc("DISPUTED, ZERO_RATE_UNCONFIRMED or EXPENSE_POLICY_VIOLATION.")] = "DISPUTED"


@dataclass(frozen=True)
class LiftLotHoldsInput:
    """Which lots are no longer held for a reason."""

    lots: Annotated[tuple[LotInput, ...], Doc("The lots, as billingEligibility names them.")]
    reason: Annotated[str, Doc("The reason that is lifted, e.g. DUPLICATE_ENTRY: both tellings count.")]


@dataclass(frozen=True)
class PartOfLotInput(LotInput):
    """A lot, as billingEligibility names it, or a part of it."""

    quantity: Annotated[Decimal | None, Doc("So many hours or units of it; left out, all of it.")] = None

    @property
    def given_up(self) -> GivenUp:
        """What the domain calls it."""
        return GivenUp(self.at, self.quantity)


@dataclass(frozen=True)
class WriteOffLotsInput:
    """Which work is not billed after all, and why."""

    lots: Annotated[tuple[PartOfLotInput, ...], Doc("The open lots, or parts of them.")]
    because: Annotated[str, Doc("What auditors will read.")]


@dataclass(frozen=True)
class GiveLotsFreeInput:
    """Which work is done for nothing, and why."""

    lots: Annotated[tuple[PartOfLotInput, ...], Doc("The lots, as billingEligibility names them, or parts of them.")]
    because: Annotated[str, Doc("What auditors will read.")]


def hold_lots(asked: HoldLotsInput, call: Call) -> Decision:
    """Keep lots from being billed until the hold is lifted, for a dispute or another reason that people raise."""
    if asked.reason not in {code.value for code in _HOLDABLE}:
        raise InputIncomplete(f"{asked.reason} is not a reason that people raise.")
    return _each(asked.lots, call, lambda lots: HoldLots(lots, asked.reason, asked.because, call.actor))


def lift_lot_holds(asked: LiftLotHoldsInput, call: Call) -> Decision:
    """Let lots be billed that are held for a reason of their own; who lifts it answers for it."""
    return _each(asked.lots, call, lambda lots: LiftLotHolds(lots, asked.reason, call.actor))


def write_off_lots(asked: WriteOffLotsInput, call: Call) -> Decision:
    """Give up billing open work, or a part of it; the entity's policy says on which day the loss counts."""
    if not asked.because.strip():
        raise InputIncomplete("Say why the work is written off.")
    return _given_up(asked.lots, call, lambda lots: WriteOffLots(lots, asked.because, call.actor))


def give_lots_free(asked: GiveLotsFreeInput, call: Call) -> Decision:
    """Do the work of open lots, or a part of it, for nothing: it costs, and earns nothing."""
    if not asked.because.strip():
        raise InputIncomplete("Say why the work is free.")
    return _given_up(asked.lots, call, lambda lots: GiveLotsFree(lots, asked.because, call.actor))


def _given_up(lots: tuple[PartOfLotInput, ...], call: Call, command: Callable[[tuple[str, ...]], GiveUp]) -> Decision:
    _require_entities(lots, call)
    by_stream = give_up(call.read, [each.given_up for each in lots], command)
    return Decision([each for commands in by_stream.values() for each in commands], tuple(by_stream))


def _each(lots: tuple[LotInput, ...], call: Call, command: Callable[[tuple[str, ...]], Any]) -> Decision:
    _require_entities(lots, call)
    by_stream: dict[StreamId, list[str]] = {}
    for each in lots:
        by_stream.setdefault(each.at.stream, []).append(each.lot)
    commands = [Addressed(stream, command(tuple(names))) for stream, names in by_stream.items()]
    return Decision(commands, tuple(by_stream))


def _require_entities(lots: tuple[LotInput, ...], call: Call) -> None:
    for each in lots:
        held = lots_of(call.read, each.at.stream).get(each.lot)
        if held is not None:
            call.require_entity(held.lot.selling_entity)


_WORK: Final[tuple[Kind, ...]] = ("timesheet", "expense_report", "engagement")
SERVICES = (
    Service("hold-lots", HoldLotsInput, _WORK, hold_lots),
    Service("lift-lot-holds", LiftLotHoldsInput, _WORK, lift_lot_holds),
    Service("write-off-lots", WriteOffLotsInput, _WORK, write_off_lots),
    Service("give-lots-free", GiveLotsFreeInput, _WORK, give_lots_free),
)
