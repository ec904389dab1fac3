"""A retainer is work paid in advance: grants that are drawn down as work is rated, the oldest expiry first.

Of each grant: granted = applied + expired + refunded + available. A grant may be used once its invoice is issued or
paid, as the contract says; what is not used lapses with its last day, the roll-over window included. What the
customer is expected never to use stays in the terms (breakage, ASC 606-10-55-46 to 49): it is a matter of revenue.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final, assert_never

from domain.contract import ContractLine, Retainer
from domain.engagement.promised import Agreement, Promised, promised_lot
from domain.kernel import Refused
from domain.lots import LotBook, LotRated
from domain.money import Money, total, zero


@dataclass(frozen=True, slots=True)
class RetainerDraw:
    """What one lot takes of one grant; ``stream`` holds the lot."""

    lot: str
    grant: str
    amount: Money
    work_date: date
    stream: str = ""


@dataclass(frozen=True, slots=True)
class GrantRetainer:
    """Sell the next retainer of a line: it is invoiced, and drawn down afterwards."""

    line: str
    grant: str
    on: date
    at: datetime
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class MakeGrantUsable:
    """Let a grant be drawn, because its invoice was issued or paid."""

    line: str
    grant: str
    on: date
    because: str


@dataclass(frozen=True, slots=True)
class ApplyRetainer:
    """Take the value of work off grants, in the transaction in which its lots are drawn."""

    line: str
    draws: tuple[RetainerDraw, ...]


@dataclass(frozen=True, slots=True)
class UnapplyRetainer:
    """Give back to grants what lots had taken, in the transaction in which these lots are opened again."""

    line: str
    lots: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class RefundRetainer:
    """Pay back a part of a grant that was not used."""

    line: str
    grant: str
    amount: Money
    on: date
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class RetainerGranted:
    """A retainer was sold; ``last_day`` is the last work date that may draw it, None when it never lapses."""

    line: str
    grant: str
    amount: Money
    on: date
    expires_on: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class RetainerUsable:
    """A grant may be drawn from now on."""

    line: str
    grant: str
    on: date
    because: str


@dataclass(frozen=True, slots=True)
class RetainerApplied:
    """Work was taken off grants."""

    line: str
    draws: tuple[RetainerDraw, ...]


@dataclass(frozen=True, slots=True)
class RetainerUnapplied:
    """Grants got back what work had taken of them."""

    line: str
    draws: tuple[RetainerDraw, ...]
    because: str


@dataclass(frozen=True, slots=True)
class RetainerExpired:
    """What was left of a grant lapsed."""

    line: str
    grant: str
    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class RetainerRefunded:
    """A part of a grant was paid back."""

    line: str
    grant: str
    amount: Money
    on: date
    reason: str
    by: str


class GrantKnownOtherwise(Refused):
    """The retainer was granted before with another amount."""

    code = "engagement.grant_known_otherwise"
    fix = "Grant a further retainer under another name."


class UnknownGrant(Refused):
    """The contract line has no such retainer."""

    code = "engagement.unknown_grant"
    fix = "Use the name of one of the line's retainers."


class AmountNotPositive(Refused):
    """A retainer is granted, drawn and refunded in positive amounts."""

    code = "engagement.retainer_amount_not_positive"
    fix = "Send a positive amount."


class RetainerNotUsable(Refused):
    """The retainer may not be drawn yet."""

    code = "engagement.retainer_not_usable"
    fix = "Issue its invoice, or wait for the payment where the contract asks for it."


class RetainerOverdrawn(Refused):
    """No more can be taken of a retainer than is available."""

    code = "engagement.retainer_overdrawn"
    fix = "Take at most what is available; the rest is overage."


RetainerCommand = GrantRetainer | MakeGrantUsable | ApplyRetainer | UnapplyRetainer | RefundRetainer
RetainerEvent = (
    RetainerGranted | RetainerUsable | RetainerApplied | RetainerUnapplied | RetainerExpired | RetainerRefunded
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One retainer as it stands."""

    grant: str
    amount: Money
    granted_on: date
    last_day: date | None
    applied: Money
    expired: Money
    refunded: Money
    usable: bool = False

    @property
    def available(self) -> Money:
        """What is left of it."""
        return self.amount - self.applied - self.expired - self.refunded

    @property
    def turn(self) -> tuple[date, date, str]:
        """The order in which grants are drawn: the first to lapse, then the first that was granted."""
        return (self.last_day or date.max, self.granted_on, self.grant)


@dataclass(frozen=True, slots=True)
class RetainerAccount:
    """The grants of one line by name, and what each lot takes of them."""

    grants: Mapping[str, Grant]
    draws: Mapping[tuple[str, str], RetainerDraw]

    def available(self, on: date | None = None) -> Money | None:
        """What may be drawn for work on a day, or at all; None before the first grant."""
        usable = [each for each in self.grants.values() if each.usable and (on is None or _covers(each, on))]
        currency = next((each.amount.currency for each in self.grants.values()), None)
        return total((each.available for each in usable), currency) if currency else None

    def waiting(self) -> Money | None:
        """What is granted and may not be drawn yet."""
        held = [each for each in self.grants.values() if not each.usable]
        currency = next((each.amount.currency for each in self.grants.values()), None)
        return total((each.available for each in held), currency) if currency else None

    def in_turn(self, on: date) -> Sequence[Grant]:
        """The grants that work on a day may draw, the oldest expiry first."""
        fit = (each for each in self.grants.values() if each.usable and each.available and _covers(each, on))
        return sorted(fit, key=lambda each: each.turn)


EMPTY = RetainerAccount({}, {})


def _covers(grant: Grant, day: date) -> bool:
    return grant.last_day is None or day <= grant.last_day


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def decide_retainer(
    command: RetainerCommand,
    line: ContractLine,
    terms: Retainer,
    state: RetainerAccount,
    place: Agreement,
    book: LotBook,
) -> Sequence[RetainerEvent | LotRated]:
    """What a command does to the grants of a line."""
    match command:
        case GrantRetainer():
            return _grant(command, line, terms, state, place, book)
        case MakeGrantUsable(name, grant, on, because):
            held = _held(grant, state)
            return [] if held.usable else [RetainerUsable(name, grant, on, because)]
        case ApplyRetainer(name, draws):
            return _apply(name, draws, state)
        case UnapplyRetainer(name, lots, because):
            given_back = tuple(draw for draw in state.draws.values() if draw.lot in lots)
            return [RetainerUnapplied(name, given_back, because)] if given_back else []
        case RefundRetainer(name, grant, amount, on, reason, by):
            _require_positive(amount)
            if _held(grant, state).available < amount:
                raise RetainerOverdrawn(f"{grant}: {amount} of {state.grants[grant].available}.")
            return [RetainerRefunded(name, grant, amount, on, reason, by)]
        case _:
            assert_never(command)


def _grant(
    command: GrantRetainer, line: ContractLine, terms: Retainer, state: RetainerAccount, place: Agreement, book: LotBook
) -> Sequence[RetainerEvent | LotRated]:
    amount = terms.amount if command.amount is None else command.amount
    _require_positive(amount)
    known = state.grants.get(command.grant)
    if known is not None:
        if (known.amount, known.granted_on) != (amount, command.on):
            raise GrantKnownOtherwise(f"{command.grant}: {known.amount} on {known.granted_on}.")
        return []
    months = terms.expires_after_months
    expires_on = months_after(command.on, months) if months is not None else None
    # Counted from the grant in one go: 31 January and two months is 31 March, not 28 February and one more.
    last_day = months_after(command.on, months + terms.rolls_over_months) if months is not None else None
    promised = Promised(
        name=f"retainer/{command.grant}",
        day=command.on,
        amount=amount,
        title=f"{line.title}: retainer {command.grant}",
        because=f"granted on {command.on}" + (f", to be used by {last_day}" if last_day else ""),
        known_at=command.at,
    )
    granted = RetainerGranted(line.line, command.grant, amount, command.on, expires_on, last_day)
    return [granted, LotRated(promised_lot(place, line, promised, book))]


def _held(grant: str, state: RetainerAccount) -> Grant:
    if grant not in state.grants:
        raise UnknownGrant(grant)
    return state.grants[grant]


def _require_positive(amount: Money) -> None:
    if not amount.amount > 0:
        raise AmountNotPositive(str(amount))


def _apply(line: str, draws: Sequence[RetainerDraw], state: RetainerAccount) -> Sequence[RetainerApplied]:
    fresh = tuple(draw for draw in draws if (draw.lot, draw.grant) not in state.draws)
    taken: dict[str, Money] = {}
    for draw in fresh:
        _require_positive(draw.amount)
        grant = _held(draw.grant, state)
        if not grant.usable:
            raise RetainerNotUsable(draw.grant)
        taken[draw.grant] = taken.get(draw.grant, zero(draw.amount.currency)) + draw.amount
        if grant.available < taken[draw.grant] or not _covers(grant, draw.work_date):
            raise RetainerOverdrawn(f"{draw.grant}: {taken[draw.grant]} of {grant.available}, {draw.lot}.")
    return [RetainerApplied(line, fresh)] if fresh else []


def lapsed(line: str, state: RetainerAccount, on: date) -> Sequence[RetainerExpired]:
    """What of a line's grants lapses because their last day has passed."""
    return [
        RetainerExpired(line, grant.grant, grant.available, on)
        for grant in sorted(state.grants.values(), key=lambda each: each.turn)
        if grant.last_day is not None and grant.last_day < on and grant.available
    ]


NOTHING_WAITS: Final[Mapping[str, Money]] = {}
"""No part of any grant is to be billed again."""


@dataclass(frozen=True, slots=True)
class Wanting:
    """An open lot on a retainer line, in the order in which lots draw: work date, approval time, id."""

    lot: str
    work_date: date
    approved_at: datetime
    value: Money


def draws_for(
    state: RetainerAccount, lots: Iterable[Wanting], waiting: Mapping[str, Money] = NOTHING_WAITS
) -> Mapping[str, Sequence[tuple[str, Money]]]:
    """What each lot takes of which grants; a lot that gets less than its value is overage for the rest.

    ``waiting`` is what of each grant was credited, and pays for nothing until it is billed again.
    """
    left = {name: grant.available for name, grant in state.grants.items()}
    left = {name: each - waiting[name] if name in waiting else each for name, each in left.items()}
    result: dict[str, Sequence[tuple[str, Money]]] = {}
    for lot in sorted(lots, key=lambda each: (each.work_date, each.approved_at, each.lot)):
        wanted, taken = lot.value, []
        for grant in state.in_turn(lot.work_date):
            part = min(wanted, left[grant.grant])
            if part.amount > 0:
                taken.append((grant.grant, part))
                left[grant.grant], wanted = left[grant.grant] - part, wanted - part
        if taken:
            result[lot.lot] = taken
    return result


def evolve_retainer(state: RetainerAccount, event: RetainerEvent) -> RetainerAccount:
    """The grants of a line after one more event."""
    match event:
        case RetainerGranted(_, grant, amount, on, _, last_day):
            nothing = zero(amount.currency)
            fresh = Grant(grant, amount, on, last_day, nothing, nothing, nothing)
            return replace(state, grants={**state.grants, grant: fresh})
        case RetainerUsable(_, grant):
            return _with(state, replace(state.grants[grant], usable=True))
        case RetainerApplied(_, draws):
            return replace(_moved(state, draws, Decimal(1)), draws={**state.draws, **_keyed(draws)})
        case RetainerUnapplied(_, draws, _):
            gone = _keyed(draws)
            kept = {key: draw for key, draw in state.draws.items() if key not in gone}
            return replace(_moved(state, draws, Decimal(-1)), draws=kept)
        case RetainerExpired(_, grant, amount, _):
            held = state.grants[grant]
            return _with(state, replace(held, expired=held.expired + amount))
        case RetainerRefunded(_, grant, amount):
            held = state.grants[grant]
            return _with(state, replace(held, refunded=held.refunded + amount))
        case _:
            assert_never(event)


def _keyed(draws: Iterable[RetainerDraw]) -> dict[tuple[str, str], RetainerDraw]:
    return {(draw.lot, draw.grant): draw for draw in draws}


def _moved(state: RetainerAccount, draws: Iterable[RetainerDraw], factor: Decimal) -> RetainerAccount:
    for draw in draws:
        held = state.grants[draw.grant]
        state = _with(state, replace(held, applied=held.applied + draw.amount * factor))
    return state


def _with(state: RetainerAccount, grant: Grant) -> RetainerAccount:
    return replace(state, grants={**state.grants, grant.grant: grant})
