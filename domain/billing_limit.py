"""A billing limit caps what a customer may be billed over all engagements, in one currency or in hours.

What drafts and invoices take of it is claimed in its own stream, so that two drafts of different engagements cannot
pass it together. It counts what is drafted from the moment when it is agreed, plus what is stated as billed before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import assert_never

from domain.caps import CapUse, Consumed, Limit, Reached, Room, alerts_of, room_of
from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import Money, zero


def billing_limit_stream(customer: str, currency: str) -> StreamId:
    """The limit of one customer in one currency: ``billing_limit:C-1:EUR``."""
    return stream_of("billing_limit", customer, currency)


@dataclass(frozen=True, slots=True)
class AgreeBillingLimit:
    """Agree, change or lift (None) what a customer may be billed in all."""

    customer: str
    currency: str
    limit: Limit | None
    billed_before: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ClaimLimit:
    """Take part of the limit for an invoice; the newest claim of an invoice replaces its earlier one."""

    invoice: str
    amount: Money
    hours: Decimal


@dataclass(frozen=True, slots=True)
class ReleaseLimit:
    """Give back what a discarded draft had taken."""

    invoice: str


@dataclass(frozen=True, slots=True)
class NoteLimitUse:
    """Say how far a limit is used up by what is billed, drafted, or earned and not billed yet.

    It says nothing of another limit than the one that is agreed.
    """

    limit: Limit
    consumed: Consumed


@dataclass(frozen=True, slots=True)
class BillingLimitAgreed:
    """What a customer may be billed in all was agreed, changed or lifted."""

    customer: str
    currency: str
    limit: Limit | None
    billed_before: Decimal


@dataclass(frozen=True, slots=True)
class LimitClaimed:
    """An invoice took part of the customer's limit."""

    invoice: str
    amount: Money
    hours: Decimal


@dataclass(frozen=True, slots=True)
class LimitReleased:
    """An invoice gave back what it had taken."""

    invoice: str


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A share of the customer's limit is used up."""

    customer: str
    reached: Reached


class LimitExceeded(Refused):
    """The invoice would pass what the customer may be billed in all."""

    code = "billing_limit.exceeded"
    fix = "Bill less, or raise the customer's limit."


class LimitBelowBilled(Refused):
    """A limit cannot be lower than what is already billed or on drafts, and is in its own currency."""

    code = "billing_limit.below_billed"
    fix = "Discard the draft or credit the invoice first, or choose a higher limit."


Event = BillingLimitAgreed | LimitClaimed | LimitReleased | LimitReached
Command = AgreeBillingLimit | ClaimLimit | ReleaseLimit | NoteLimitUse


@dataclass(frozen=True, slots=True)
class BillingLimit:
    """A customer's limit, what each invoice takes of it, and the newest share in each unit that was reached."""

    agreed: BillingLimitAgreed | None = None
    claims: Mapping[str, Consumed] = field(default_factory=dict)
    told: Mapping[str, Reached] = field(default_factory=dict)

    @property
    def limit(self) -> Limit | None:
        return self.agreed.limit if self.agreed else None

    @property
    def consumed(self) -> Consumed:
        """What is billed or on drafts; LookupError before a limit was agreed."""
        if self.agreed is None:
            raise LookupError("no limit was agreed")
        result = Consumed(Money(self.agreed.billed_before, self.agreed.currency))
        for claim in self.claims.values():
            result = result + claim
        return result

    @property
    def room(self) -> Room | None:
        """What is left; None without a limit."""
        if self.agreed is None or self.agreed.limit is None:
            return None
        room = room_of(self.level, self.agreed.limit, self.consumed)
        return replace(room, customer=self.agreed.customer)

    @property
    def level(self) -> str:
        """The limit as people call it."""
        return f"customer {self.agreed.customer}" if self.agreed else ""

    def use(self, earned: Consumed) -> CapUse | None:
        """How far it is used up, with what work that is on no draft has earned; None without a limit."""
        return CapUse(self.level, self.limit, self.consumed, earned) if self.limit else None


def decide(command: Command, state: BillingLimit) -> Sequence[Event]:
    match command:
        case AgreeBillingLimit(customer, currency, limit, before):
            agreed = BillingLimitAgreed(customer, currency, limit, before)
            if state.agreed == agreed:
                return []
            _require_above_billed(replace(state, agreed=agreed))
            return [agreed]
        case ClaimLimit():
            return _claim(command, state)
        case ReleaseLimit(invoice):
            return [LimitReleased(invoice)] if invoice in state.claims else []
        case NoteLimitUse(limit, consumed):
            return _alerts(state, consumed) if state.limit == limit else []
        case _:
            assert_never(command)


def _require_above_billed(state: BillingLimit) -> None:
    assert state.agreed is not None
    limit, currency = state.agreed.limit, state.agreed.currency
    if limit is None:
        return
    if limit.amount is not None and limit.amount.currency != currency:
        raise LimitBelowBilled(f"{limit.amount} for a limit in {currency}.")
    taken = state.consumed
    if limit.amount is not None and limit.amount < taken.amount:
        raise LimitBelowBilled(f"{limit.amount} is less than {taken.amount}.")
    if limit.hours is not None and limit.hours < taken.hours:
        raise LimitBelowBilled(f"{limit.hours} h are less than {taken.hours} h.")


def _claim(command: ClaimLimit, state: BillingLimit) -> Sequence[Event]:
    claim = Consumed(command.amount, command.hours)
    if state.agreed is None or state.claims.get(command.invoice) == claim:
        return []
    own = state.claims.get(command.invoice, Consumed(zero(command.amount.currency)))
    claimed = LimitClaimed(command.invoice, command.amount, command.hours)
    after = evolve(state, claimed).consumed
    limit = state.limit
    if limit is not None and limit.amount is not None and limit.amount < after.amount and own.amount < claim.amount:
        raise LimitExceeded(f"{after.amount} of {limit.amount}.")
    if limit is not None and limit.hours is not None and limit.hours < after.hours and own.hours < claim.hours:
        raise LimitExceeded(f"{after.hours} h of {limit.hours} h.")
    return [claimed, *_alerts(state, after)]


def _alerts(state: BillingLimit, consumed: Consumed) -> list[LimitReached]:
    """The shares of the limit that are reached and were not told yet."""
    if state.agreed is None or state.agreed.limit is None:
        return []
    alerts = alerts_of(state.level, state.agreed.limit, consumed, state.told.values())
    return [LimitReached(state.agreed.customer, reached) for reached in alerts]


def evolve(state: BillingLimit, event: Event) -> BillingLimit:
    match event:
        case BillingLimitAgreed():
            return replace(state, agreed=event)
        case LimitClaimed(invoice, amount, hours):
            return replace(state, claims={**state.claims, invoice: Consumed(amount, hours)})
        case LimitReleased(invoice):
            return replace(state, claims={name: claim for name, claim in state.claims.items() if name != invoice})
        case LimitReached(_, reached):
            return replace(state, told={**state.told, reached.unit: reached})
        case _:
            assert_never(event)


decider: Decider[Command, BillingLimit, Event] = Decider("billing_limit", BillingLimit(), decide, evolve)
