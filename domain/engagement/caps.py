"""The caps of an engagement: on each line, on each person of a line, on the whole; and what invoices take of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar, assert_never

from domain.caps import CapUse, Consumed, Earned, Limit, Reached, Room, alerts_of, room_of
from domain.contract import CapPolicy, ContractLine, ResourceCap, TimeAndMaterials
from domain.contract.rules import CurrencyDiffers
from domain.kernel import Refused
from domain.money import Money, zero


@dataclass(frozen=True, slots=True)
class ResourceClaim:
    """What an invoice takes of one person's work on a line."""

    resource: str
    amount: Money
    hours: Decimal


@dataclass(frozen=True, slots=True)
class ChangeCap:
    """Raise, lower or lift the cap of a time and materials line."""

    line: str
    cap: Money | None


@dataclass(frozen=True, slots=True)
class ChangeLimits:
    """State anew the other caps of a time and materials line: its hours, each person's, and how the caps cut."""

    line: str
    hours_cap: Decimal | None
    resource_caps: tuple[ResourceCap, ...]
    cap_policy: CapPolicy


@dataclass(frozen=True, slots=True)
class AgreeEngagementCap:
    """Agree, change or lift (None) what may be billed of the whole engagement."""

    limit: Limit | None


@dataclass(frozen=True, slots=True)
class ClaimBilling:
    """Take part of a line's caps for a draft invoice; the newest claim of an invoice replaces its earlier one.

    ``more_follow``: the invoice claims further lines of the engagement behind this one, in the same transaction.
    ``beyond_order``: the seller's policy lets it pass the amount of its purchase order.
    """

    invoice: str
    line: str
    amount: Money
    hours: Decimal = Decimal(0)
    by_resource: tuple[ResourceClaim, ...] = ()
    more_follow: bool = False
    beyond_order: bool = False

    @property
    def claim(self) -> LineClaim:
        """What the invoice is to take of the line."""
        return LineClaim(self.amount, self.hours, self.by_resource)


@dataclass(frozen=True, slots=True)
class ReleaseBilling:
    """Give back what a discarded draft had taken of the caps."""

    invoice: str


@dataclass(frozen=True, slots=True)
class CreditBilling:
    """Give back to the caps of a line what a credit note took off an invoice; ``more_follow`` as for claims."""

    credit_note: str
    invoice: str
    line: str
    amount: Money
    hours: Decimal = Decimal(0)
    by_resource: tuple[ResourceClaim, ...] = ()
    more_follow: bool = False


@dataclass(frozen=True, slots=True)
class NoteCapUse:
    """Say how far a cap is used up by what is billed, drafted, or earned and not billed yet.

    It says nothing of another limit than the one that is agreed.
    """

    level: str
    limit: Limit
    consumed: Consumed


@dataclass(frozen=True, slots=True)
class CapChanged:
    """The cap of a contract line was raised, lowered or lifted."""

    line: str
    cap: Money | None


@dataclass(frozen=True, slots=True)
class LimitsChanged:
    """The other caps of a contract line were stated anew: hours, people, and how the caps cut."""

    line: str
    hours_cap: Decimal | None
    resource_caps: tuple[ResourceCap, ...]
    cap_policy: CapPolicy


@dataclass(frozen=True, slots=True)
class EngagementCapAgreed:
    """What may be billed of the whole engagement was agreed, changed or lifted."""

    limit: Limit | None


@dataclass(frozen=True, slots=True)
class BillingClaimed:
    """A draft took part of a contract line's cap; what is left is known once no more follow of the same draft."""

    invoice: str
    line: str
    amount: Money
    hours: Decimal = Decimal(0)
    by_resource: tuple[ResourceClaim, ...] = ()
    more_follow: bool = False


@dataclass(frozen=True, slots=True)
class BillingReleased:
    """A discarded draft gave back what it had taken of the caps."""

    invoice: str


@dataclass(frozen=True, slots=True)
class BillingCredited:
    """A credit note gave back to a line's caps what an invoice had taken; ``more_follow`` as for claims."""

    credit_note: str
    invoice: str
    line: str
    amount: Money
    hours: Decimal = Decimal(0)
    by_resource: tuple[ResourceClaim, ...] = ()
    more_follow: bool = False


@dataclass(frozen=True, slots=True)
class CapReached:
    """A share of a cap is used up: 75, 90 or 100 %."""

    line: str | None
    reached: Reached


class WrongBillingMethod(Refused):
    """The contract line is billed by another method."""

    code = "engagement.wrong_billing_method"
    fix = "Caps belong to time and materials lines, milestones to fixed-fee lines, retainers to retainer lines."


class CapBelowBilled(Refused):
    """A cap cannot be lower than what is already billed or on a draft."""

    code = "engagement.cap_below_billed"
    fix = "Discard the draft or credit the invoice first, or choose a higher cap."


class CapExceeded(Refused):
    """The draft would pass the cap of the contract line."""

    code = "engagement.cap_exceeded"
    fix = "Bill less, take back first what was billed in the room of what was given back, or raise the cap."


CapCommand = ChangeCap | ChangeLimits | AgreeEngagementCap | ClaimBilling | ReleaseBilling | CreditBilling | NoteCapUse
CapEvent = (
    CapChanged | LimitsChanged | EngagementCapAgreed | BillingClaimed | BillingReleased | BillingCredited | CapReached
)


@dataclass(frozen=True, slots=True)
class LineClaim:
    """What one invoice, or one credit note, takes of a line, and of each person's work on it."""

    amount: Money
    hours: Decimal = Decimal(0)
    by_resource: tuple[ResourceClaim, ...] = ()

    @property
    def consumed(self) -> Consumed:
        return Consumed(self.amount, self.hours)

    def of(self, resource: str) -> Consumed:
        """What of it is one person's work."""
        result = Consumed(zero(self.amount.currency))
        for each in self.by_resource:
            if each.resource == resource:
                result = result + Consumed(each.amount, each.hours)
        return result


@dataclass(frozen=True, slots=True)
class LineCaps:
    """The cap of the whole engagement, what invoices take by (invoice, line), and what credits gave back.

    ``told``: the newest share of each cap, by level and unit, that was reached.
    """

    limit: Limit | None = None
    claims: Mapping[tuple[str, str], LineClaim] = field(default_factory=dict)
    credits: Mapping[tuple[str, str, str], LineClaim] = field(default_factory=dict)
    told: Mapping[tuple[str, str], Reached] = field(default_factory=dict)

    def claim_of(self, invoice: str, line: str, currency: str) -> LineClaim:
        """What an invoice takes of a line; nothing before it claims something."""
        return self.claims.get((invoice, line), LineClaim(zero(currency)))

    def taken(
        self,
        currency: str,
        line: str | None = None,
        resource: str | None = None,
        invoices: Collection[str] | None = None,
    ) -> Consumed:
        """What drafts and invoices take, net of credits: all or some, of all lines or one, of everybody or one."""
        result = Consumed(zero(currency))
        for (invoice, of_line), claim in self.claims.items():
            if line in (None, of_line) and (invoices is None or invoice in invoices):
                result = result + (claim.consumed if resource is None else claim.of(resource))
        for (_, invoice, of_line), credit in self.credits.items():
            if line in (None, of_line) and (invoices is None or invoice in invoices):
                given = credit.consumed if resource is None else credit.of(resource)
                result = result + Consumed(-given.amount, -given.hours)
        return result


@dataclass(frozen=True, slots=True)
class _Capped:
    """One cap, with what it limits."""

    level: str
    limit: Limit
    line: str | None
    resource: str | None


def _caps_of(name: str, lines: Mapping[str, ContractLine], limit: Limit | None) -> Iterator[_Capped]:
    """The caps of an engagement, the whole one first, then by line and person."""
    if limit is not None:
        yield _Capped(f"engagement {name}", limit, None, None)
    for line in lines.values():
        billing = line.billing
        if not isinstance(billing, TimeAndMaterials):
            continue
        if billing.cap is not None or billing.hours_cap is not None:
            own = Limit(billing.cap, billing.hours_cap, billing.cap_policy)
            yield _Capped(f"line {line.line}", own, line.line, None)
        for each in billing.resource_caps:
            of_person = Limit(each.amount, each.hours, billing.cap_policy)
            yield _Capped(f"{each.resource} on line {line.line}", of_person, line.line, each.resource)


def rooms_of(name: str, lines: Mapping[str, ContractLine], state: LineCaps, currency: str) -> list[Room]:
    """Every cap of an engagement with what drafts and invoices leave of it."""
    return [
        replace(
            room_of(cap.level, cap.limit, state.taken(currency, cap.line, cap.resource)),
            engagement=name,
            line=cap.line,
            resource=cap.resource,
        )
        for cap in _caps_of(name, lines, state.limit)
    ]


def uses_of(
    name: str, lines: Mapping[str, ContractLine], state: LineCaps, currency: str, earned: Sequence[Earned]
) -> list[CapUse]:
    """How far each cap of an engagement is used up; ``earned`` is what work that is on no draft has earned."""
    return [
        CapUse(
            cap.level,
            cap.limit,
            state.taken(currency, cap.line, cap.resource),
            _earned_under(cap, earned, currency),
            cap.line,
            cap.resource,
        )
        for cap in _caps_of(name, lines, state.limit)
    ]


def _earned_under(cap: _Capped, earned: Iterable[Earned], currency: str) -> Consumed:
    result = Consumed(zero(currency))
    for each in earned:
        if cap.line in (None, each.line) and cap.resource in (None, each.resource):
            result = result + each.consumed
    return result


def decide_caps(
    command: CapCommand, name: str, lines: Mapping[str, ContractLine], state: LineCaps, currency: str
) -> Sequence[CapEvent]:
    """What a command does to the caps of an engagement and to what is taken of them."""
    match command:
        case ChangeCap(line, cap):
            billing = _time_and_materials(lines[line])
            event: CapChanged | LimitsChanged = CapChanged(line, cap)
            return [] if billing.cap == cap else _changed(event, name, lines, state, currency)
        case ChangeLimits(line, hours, people, policy):
            billing = _time_and_materials(lines[line])
            if (billing.hours_cap, billing.resource_caps, billing.cap_policy) == (hours, people, policy):
                return []
            return _changed(LimitsChanged(line, hours, people, policy), name, lines, state, currency)
        case AgreeEngagementCap(limit):
            if state.limit == limit:
                return []
            _require_currency(limit.amount if limit else None, currency)
            require_above_billed(name, lines, replace(state, limit=limit), currency)
            return [EngagementCapAgreed(limit)]
        case ClaimBilling():
            return _claim(command, name, lines, state, currency)
        case ReleaseBilling(invoice):
            if not any(claimed_by == invoice for claimed_by, _ in state.claims):
                return []
            _require_room_after(BillingReleased(invoice), name, lines, state, currency)
            return [BillingReleased(invoice)]
        case CreditBilling():
            return _credit(command, name, lines, state, currency)
        case NoteCapUse(level, limit, consumed):
            mine = (cap for cap in _caps_of(name, lines, state.limit) if (cap.level, cap.limit) == (level, limit))
            return [event for cap in mine for event in _alerts(cap, consumed, state)]
        case _:
            assert_never(command)


def _alerts(cap: _Capped, consumed: Consumed, state: LineCaps) -> Iterator[CapReached]:
    """The shares of a cap that are reached and were not told yet."""
    for reached in alerts_of(cap.level, cap.limit, consumed, state.told.values()):
        yield CapReached(cap.line, reached)


def _time_and_materials(line: ContractLine) -> TimeAndMaterials:
    if not isinstance(line.billing, TimeAndMaterials):
        raise WrongBillingMethod(f"{line.line} is {line.billing.kind}.")
    return line.billing


def _require_currency(amount: Money | None, currency: str) -> None:
    if amount is not None and amount.currency != currency:
        raise CurrencyDiffers(f"{amount} in an engagement in {currency}.")


def _changed(
    event: CapChanged | LimitsChanged,
    name: str,
    lines: Mapping[str, ContractLine],
    state: LineCaps,
    currency: str,
) -> Sequence[CapEvent]:
    if isinstance(event, CapChanged):
        _require_currency(event.cap, currency)
    else:
        for each in event.resource_caps:
            _require_currency(each.amount, currency)
    after = {**lines, event.line: with_caps(lines[event.line], event)}
    require_above_billed(name, after, state, currency)
    return [event]


def require_above_billed(name: str, lines: Mapping[str, ContractLine], state: LineCaps, currency: str) -> None:
    """Refuses caps that are lower than what is billed or on drafts."""
    for cap in _caps_of(name, lines, state.limit):
        taken, most, hours = state.taken(currency, cap.line, cap.resource), cap.limit.amount, cap.limit.hours
        if most is not None and most < taken.amount:
            raise CapBelowBilled(f"{cap.level}: {most} is less than {taken.amount}.")
        if hours is not None and hours < taken.hours:
            raise CapBelowBilled(f"{cap.level}: {hours} h are less than {taken.hours} h.")


def _claim(
    command: ClaimBilling, name: str, lines: Mapping[str, ContractLine], state: LineCaps, currency: str
) -> Sequence[CapEvent]:
    if state.claim_of(command.invoice, command.line, currency) == command.claim:
        return []
    claimed = BillingClaimed(
        command.invoice, command.line, command.amount, command.hours, command.by_resource, command.more_follow
    )
    after = evolve_caps(state, claimed)
    alerts: list[CapReached] = []
    for cap in _caps_of(name, lines, state.limit):
        if cap.line not in (None, command.line):
            continue
        was, now = (each.taken(currency, cap.line, cap.resource) for each in (state, after))
        _require_room(cap, was, now)
        alerts += _alerts(cap, now, state)
    return [claimed, *alerts]


def _require_room(cap: _Capped, was: Consumed, now: Consumed) -> None:
    """Refuses a claim that takes more than is left; one that takes less than before always may."""
    most, hours = cap.limit.amount, cap.limit.hours
    if most is not None and was.amount < now.amount and most < now.amount:
        raise CapExceeded(f"{cap.level}: {now.amount - was.amount} asked, {most - was.amount} left.")
    if hours is not None and was.hours < now.hours and hours < now.hours:
        raise CapExceeded(f"{cap.level}: {now.hours - was.hours} h asked, {hours - was.hours} h left.")


def _require_room_after(
    event: BillingReleased | BillingCredited,
    name: str,
    lines: Mapping[str, ContractLine],
    state: LineCaps,
    currency: str,
) -> None:
    """Refuses to take back what was given back below zero, once other work was billed in its room."""
    after = evolve_caps(state, event)
    for cap in _caps_of(name, lines, state.limit):
        was, now = (each.taken(currency, cap.line, cap.resource) for each in (state, after))
        _require_room(cap, was, now)


def _credit(
    command: CreditBilling, name: str, lines: Mapping[str, ContractLine], state: LineCaps, currency: str
) -> Sequence[CapEvent]:
    key = (command.credit_note, command.invoice, command.line)
    credit = LineClaim(command.amount, command.hours, command.by_resource)
    if state.credits.get(key) == credit:
        return []
    credited = BillingCredited(
        command.credit_note,
        command.invoice,
        command.line,
        command.amount,
        command.hours,
        command.by_resource,
        command.more_follow,
    )
    _require_room_after(credited, name, lines, state, currency)
    return [credited]


def evolve_caps(state: LineCaps, event: CapEvent) -> LineCaps:
    """What is taken of the caps after one more event; the caps of lines themselves are part of the lines."""
    match event:
        case EngagementCapAgreed(limit):
            return replace(state, limit=limit)
        case BillingClaimed(invoice, line):
            claim = LineClaim(event.amount, event.hours, event.by_resource)
            return replace(state, claims={**state.claims, (invoice, line): claim})
        case BillingReleased(invoice):
            kept = {key: claim for key, claim in state.claims.items() if key[0] != invoice}
            return replace(state, claims=kept)
        case BillingCredited(note, invoice, line):
            credit = LineClaim(event.amount, event.hours, event.by_resource)
            return replace(state, credits={**state.credits, (note, invoice, line): credit})
        case CapReached(_, reached):
            return replace(state, told={**state.told, (reached.level, reached.unit): reached})
        case CapChanged() | LimitsChanged():
            return state
        case _:
            assert_never(event)


def with_caps(line: ContractLine, event: CapChanged | LimitsChanged) -> ContractLine:
    """A line under its new caps; a line of another method stays as it is."""
    billing = line.billing
    if not isinstance(billing, TimeAndMaterials):
        return line
    match event:
        case CapChanged(_, cap):
            return replace(line, billing=replace(billing, cap=cap))
        case LimitsChanged(_, hours, people, policy):
            return replace(line, billing=replace(billing, hours_cap=hours, resource_caps=people, cap_policy=policy))


_Told = TypeVar("_Told", ClaimBilling, CreditBilling)


def together(told: Sequence[_Told]) -> list[_Told]:
    """What one document takes of several lines of an engagement, or gives back to them: each says whether more follow.

    Nobody shares out what is left of the engagement's caps between them.
    """
    return [replace(each, more_follow=each is not told[-1]) for each in told]


def resource_claims(parts: Iterable[tuple[str | None, Money, Decimal]]) -> tuple[ResourceClaim, ...]:
    """What each person's lots come to, in the order of their names."""
    found: dict[str, Consumed] = {}
    for resource, amount, hours in parts:
        if resource:
            found[resource] = found.get(resource, Consumed(zero(amount.currency))) + Consumed(amount, hours)
    return tuple(ResourceClaim(name, found[name].amount, found[name].hours) for name in sorted(found))
