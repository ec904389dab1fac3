"""Drawdown: work on a retainer line is taken off the retainer as it is rated; what is beyond it is overage.

What of a retainer was credited to be billed again pays for nothing until it is: then the work that waits is drawn.

The draw of the retainer and the lots that it pays for are recorded in one transaction, so that no part of a retainer
pays twice. A grant may be drawn once its invoice is issued, or paid where the contract asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.contract import Retainer
from domain.engagement import Engagement
from domain.engagement.retainer import (
    ApplyRetainer,
    Grant,
    MakeGrantUsable,
    RetainerDraw,
    RetainerUsable,
    Wanting,
    draws_for,
)
from domain.invoice import InvoicePaid, Issued
from domain.kernel import Addressed, Recorded, StreamId, decider_name, local_id, stream_of
from domain.lots import DrawLots, Lot, LotHoldsLifted, LotRated, LotsBilled, LotStatus, RepriceLot, SplitLot, parts_left
from domain.money import Money, zero
from domain.ports import Candidates, Read, engagement_of, invoice_of, lots_of


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Reacts to rated work, to grants that become usable, and to invoices that make them so."""

    name: str = "drawdown"

    def needs(self, _fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction surely reads; most facts lead nowhere."""
        return []

    def asks_candidates(self, fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model which work waits for a retainer."""
        return isinstance(fact.event, RetainerUsable) or _bills_retainer(fact)

    def react(self, fact: Recorded[object], read: Read, candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        match fact.event:
            case LotRated(lot) if decider_name(fact.stream) != "engagement" and not lot.non_billable_because:
                return _drawn(engagement_of(read, lot.engagement), lot.line, [(fact.stream, lot.lot)], read)
            case LotHoldsLifted(lots) if decider_name(fact.stream) != "engagement":
                return _lifted(fact.stream, lots, read)
            case RetainerUsable(line):
                return _waiting_drawn(engagement_of(read, local_id(fact.stream)), line, read, candidates)
            case LotsBilled(lots, invoice) if _bills_retainer(fact):
                engagement = engagement_of(read, local_id(fact.stream))
                again = [
                    each
                    for line in _billed_again(engagement, lots)
                    for each in _waiting_drawn(engagement, line, read, candidates)
                ]
                return [*_usable(engagement, lots, invoice, "issued", read), *again]
            case InvoicePaid():
                return _paid(local_id(fact.stream), read)
            case _:
                return []


def _bills_retainer(fact: Recorded[object]) -> bool:
    """Whether an invoice asks for a retainer."""
    lots = fact.event.lots if isinstance(fact.event, LotsBilled) else ()
    return decider_name(fact.stream) == "engagement" and any("/retainer/" in lot for lot in lots)


def _billed_again(engagement: Engagement, lots: Iterable[str]) -> Sequence[str]:
    """The lines of which retainers are billed that could be drawn before: they had been credited."""
    billed = [engagement.lots[name].lot for name in lots if name in engagement.lots]
    found = [lot.line for lot in billed if (grant := _grant_of(engagement, lot)) is not None and grant.usable]
    return list(dict.fromkeys(found))


def _grant_of(engagement: Engagement, lot: Lot) -> Grant | None:
    """The grant that a lot of a contract asks the customer to pay for, if it does."""
    return engagement.account(lot.line).grants.get(lot.source.partition("/retainer/")[2])


def _to_be_billed_again(engagement: Engagement, line: str) -> Mapping[str, Money]:
    """What of each grant of a line was credited to be billed again, and is on no invoice yet."""
    left: dict[str, Money] = {}
    for held in engagement.lots.values():
        grant = _grant_of(engagement, held.lot) if held.lot.line == line else None
        is_open = held.status in (LotStatus.OPEN, LotStatus.RESERVED)
        if grant is not None and is_open and held.credit_note is not None:
            left[grant.grant] = left.get(grant.grant, zero(engagement.currency)) + held.lot.value
    return left


def _waiting_drawn(engagement: Engagement, line: str, read: Read, candidates: Candidates) -> Sequence[Addressed]:
    """The draws of all work that waits for a retainer of a line."""
    sources = candidates.unbilled_of(engagement=engagement.terms.engagement)
    streams = dict.fromkeys(source.stream for source in sources)
    return _drawn(engagement, line, [(stream, lot) for stream in streams for lot in lots_of(read, stream)], read)


def _drawn(engagement: Engagement, line: str, lots: Iterable[tuple[StreamId, str]], read: Read) -> Sequence[Addressed]:
    """The draws of open lots on a retainer line that nothing holds, in order; splits at the edge of each grant.

    A lot that is named may have been split since: its parts stand for it.
    """
    promise = engagement.lines.get(line)
    if engagement.opened is None or promise is None or not isinstance(promise.billing, Retainer):
        return []
    account, terms = engagement.account(line), promise.billing
    open_lots: dict[str, tuple[StreamId, Lot]] = {}
    for stream, named in lots:
        book = lots_of(read, stream)
        for name in parts_left(book, named):
            held = book[name]
            mine = (held.lot.engagement, held.lot.line) == (engagement.terms.engagement, line)
            if mine and held.status is LotStatus.OPEN and not held.holds and held.lot.value.amount >= 0:
                open_lots[name] = (stream, held.lot)
    wanting = [Wanting(lot.lot, lot.work_date, lot.approved_at, lot.value) for _, lot in open_lots.values()]
    waiting = _to_be_billed_again(engagement, line)
    taken = draws_for(account, wanting, waiting)
    commands: list[Addressed] = []
    draws: list[RetainerDraw] = []
    for name, (stream, lot) in open_lots.items():
        rest = _take(stream, lot, taken.get(name, ()), commands, draws)
        if rest is not None and account.grants and not (account.waiting() or waiting):
            commands += [Addressed(stream, beyond) for beyond in _beyond(rest, lot, terms)]
    if draws:
        home = stream_of("engagement", engagement.terms.engagement)
        commands.append(Addressed(home, ApplyRetainer(line, tuple(draws))))
    return commands


def _beyond(name: str, lot: Lot, terms: Retainer) -> Sequence[RepriceLot]:
    """The price of what a retainer does not pay for, where the contract says another than the rate card."""
    because = "beyond the retainer"
    if terms.overage == "multiplier":
        return [RepriceLot(name, terms.overage_multiplier, because)]
    if terms.overage == "rate" and terms.overage_rate is not None and lot.unit == "hour":
        return [RepriceLot(name, Decimal(1), because, terms.overage_rate.amount)]
    return []


def _lifted(stream: StreamId, lots: Sequence[str], read: Read) -> Sequence[Addressed]:
    """The draws of lots that nothing holds any more."""
    book = lots_of(read, stream)
    lines = dict.fromkeys((book[name].lot.engagement, book[name].lot.line) for name in lots)
    named = [(stream, name) for name in lots]
    return [
        command for engagement, line in lines for command in _drawn(engagement_of(read, engagement), line, named, read)
    ]


def _take(
    stream: StreamId,
    lot: Lot,
    parts: Sequence[tuple[str, Money]],
    commands: list[Addressed],
    draws: list[RetainerDraw],
) -> str | None:
    """Adds what one lot takes of each grant; returns the name of what is left of it, None when nothing is."""
    name, value = lot.lot, lot.value
    for grant, amount in parts:
        is_whole = amount == value
        if not is_whole:
            commands.append(Addressed(stream, SplitLot(name, amount)))
        drawn = name if is_whole else f"{name}/1"
        commands.append(Addressed(stream, DrawLots((drawn,), grant)))
        draws.append(RetainerDraw(drawn, grant, amount, lot.work_date, stream))
        if is_whole:
            return None
        name, value = f"{name}/2", value - amount
    return name


def _usable(engagement: Engagement, lots: Iterable[str], invoice: str, once: str, read: Read) -> Sequence[Addressed]:
    """The grants that the billed lots stand for, where the contract lets them be used at this moment."""
    state = invoice_of(read, invoice)
    home = stream_of("engagement", engagement.terms.engagement)
    commands: list[Addressed] = []
    for name in lots:
        held = engagement.lots.get(name)
        promise = engagement.lines.get(held.lot.line) if held else None
        if held is None or promise is None or not isinstance(promise.billing, Retainer):
            continue
        grant = held.lot.source.partition("/retainer/")[2]
        known = engagement.account(promise.line).grants.get(grant)
        if known is None or known.usable or promise.billing.usable_once != once or not isinstance(state, Issued):
            continue
        because = f"invoice {state.document.number} was {once}"
        command = MakeGrantUsable(promise.line, grant, state.document.issued_on, because)
        commands.append(Addressed(home, command))
    return commands


def _paid(invoice: str, read: Read) -> Sequence[Addressed]:
    state = invoice_of(read, invoice)
    if not isinstance(state, Issued):
        return []
    commands: list[Addressed] = []
    for line in state.document.lines:
        for part in line.lots:
            if decider_name(part.stream) == "engagement":
                engagement = engagement_of(read, local_id(part.stream))
                commands += _usable(engagement, (part.lot,), invoice, "paid", read)
    return commands
