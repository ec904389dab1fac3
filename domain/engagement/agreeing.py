"""Agreeing: an engagement is opened, its lines are agreed, it is signed, held, ordered and completed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from domain.contract import ContractLine, FixedFeeMilestones, FixedFeeSchedule, PercentComplete
from domain.contract.rules import CurrencyDiffers, require_consistent, require_known_currency
from domain.engagement.agreement import (
    AgreeLine,
    AgreementCommand,
    AgreementEvent,
    CompleteEngagement,
    DatesContradict,
    EngagementAlreadyOpened,
    EngagementCompleted,
    EngagementHeld,
    EngagementOpened,
    EngagementSigned,
    HoldEngagement,
    HoldLifted,
    LiftHold,
    LineAgreed,
    LineIsBilled,
    LineIsChanged,
    OpenEngagement,
    PurchaseOrderRecorded,
    RecordPurchaseOrder,
    SignEngagement,
)
from domain.engagement.state import Engagement
from domain.money import Money


def open_engagement(command: OpenEngagement, state: Engagement) -> Sequence[AgreementEvent]:
    """An engagement is opened once, in a currency that is known."""
    require_known_currency(command.currency)
    opened = EngagementOpened(
        command.engagement,
        command.title,
        command.customer,
        command.selling_entity,
        command.currency,
        command.opportunity,
        command.purchase_order_required,
    )
    if state.opened == opened:
        return []
    if state.opened is not None:
        raise EngagementAlreadyOpened(command.engagement)
    return [opened]


def decide_agreement(command: AgreementCommand, state: Engagement) -> Sequence[AgreementEvent]:
    """What becomes of the agreement as a whole; what is so already is no news."""
    match command:
        case AgreeLine():
            return _agree(command, state)
        case SignEngagement(signed_on, starts, ends):
            if ends is not None and ends < starts:
                raise DatesContradict(f"{starts} to {ends}.")
            signed = EngagementSigned(signed_on, starts, ends)
            return [] if state.signed == signed else [signed]
        case HoldEngagement(reason):
            return [] if state.held_because == reason else [EngagementHeld(reason)]
        case LiftHold():
            return [] if state.held_because is None else [HoldLifted()]
        case RecordPurchaseOrder(order):
            if order.amount is not None and order.amount.currency != state.currency:
                raise CurrencyDiffers(f"{order.amount} in an engagement in {state.currency}.")
            return [] if state.purchase_order == order else [PurchaseOrderRecorded(order)]
        case CompleteEngagement(on, by, line):
            if line is not None:
                state.line(line)
            return [] if line in state.completed else [EngagementCompleted(on, by, line)]
        case _:
            assert_never(command)


def _agree(command: AgreeLine, state: Engagement) -> Sequence[AgreementEvent]:
    line = command.line
    require_consistent(line, state.currency)
    versions = state.versions.get(line.line, ())
    if state.lines.get(line.line) == line or any(version.line == line for version in versions):
        return []
    if any(version.change_order for version in versions):
        if any(version.change_order is None for version in versions):
            raise LineIsChanged(line.line)
        return [LineAgreed(line)]  # its change orders were told before it: they go on from their days
    if line.line in state.lines and state.claimed(line.line):
        raise LineIsBilled(f"{line.line}: {state.claimed(line.line)} billed or on drafts.")
    require_keeps_what_fell_due(line, state)
    _require_keeps_sharing(line, state)
    moves_what_was_earned = line.line in state.lines or line.stand_alone_price is not None
    return [LineAgreed(line, command.on if moves_what_was_earned else None)]


def _require_keeps_sharing(line: ContractLine, state: Engagement) -> None:
    """What earned its share of a price goes on so: change orders remember that, a line that is agreed anew does not."""
    before = state.lines.get(line.line)
    fell_due = [name for _, name in (*state.accepted, *state.schedule.instalments)]
    if before is None or not fell_due:
        return
    was_alone = before.stand_alone_price is None and not (before.revenue and before.revenue.constrained)
    is_alone = line.stand_alone_price is None and not (line.revenue and line.revenue.constrained)
    if is_alone and not was_alone:
        raise LineIsBilled(f"{line.line}: its price was divided or not certain when {', '.join(fell_due)} fell due.")


def require_keeps_what_fell_due(line: ContractLine, state: Engagement) -> None:
    """New terms leave alone what was accepted, fell due or was granted under the old ones."""
    before = state.lines.get(line.line)
    if before is None:
        return
    accepted = [name for of_line, name in state.accepted if of_line == line.line]
    dues = [name for of_line, name in state.schedule.instalments if of_line == line.line]
    periods = [str(day) for of_line, day in state.schedule.periods if of_line == line.line]
    measured = [f"progress on {each.on}" for each in state.progress.measured.get(line.line, ())]
    if type(line.billing) is not type(before.billing):
        broken = [*accepted, *dues, *periods, *measured, *state.account(line.line).grants]
    else:
        old, new = _amounts_of_parts(before), _amounts_of_parts(line)
        broken = [name for name in (*accepted, *dues) if new.get(name) != old.get(name)]
    if broken:
        raise LineIsBilled(f"{line.line}: {', '.join(broken)}.")


def _amounts_of_parts(line: ContractLine) -> Mapping[str, Money]:
    match line.billing:
        case FixedFeeMilestones(milestones=milestones) | PercentComplete(milestones=milestones):
            return {each.milestone: each.amount for each in milestones}
        case FixedFeeSchedule(instalments=instalments):
            return {each.instalment: each.amount for each in instalments}
        case _:
            return {}
