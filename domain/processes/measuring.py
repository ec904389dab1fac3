"""Measuring: at each month's end the work that was done says how far a promise is, which bills its progress.

A line that is measured by hours or by cost has done what its approved work took, and what was told of it by name
(IFRS 15.B18). Who measures a line otherwise goes on doing so: the ledger leaves a line alone of which others have told
how far it is. Work that becomes known later counts at the next month's end, as progress is cumulative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from domain.calendar import DayOpened, months_ended
from domain.contract import Measure, PercentComplete
from domain.conversion import fx_rate_or_none
from domain.engagement import Engagement
from domain.engagement.progress import MeasureProgress, whole_of
from domain.kernel import Addressed, Recorded, StreamId, stream_of
from domain.ports import Candidates, Read, WorkDone, engagement_of
from domain.reference.fx_rate import converted

LEDGER: Final = "ledger"
"""Who measured what no person or system did."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """Reacts to days, when a month has ended before them."""

    name: str = "measuring"

    def needs(self, _fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction surely reads."""
        return []

    def asks_candidates(self, fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model for the work that was done."""
        return isinstance(fact.event, DayOpened) and bool(months_ended(fact.event))

    def react(self, fact: Recorded[object], read: Read, candidates: Candidates) -> Sequence[Addressed]:
        """The measurement of the newest month that has ended: one of an earlier month would be its part."""
        if not isinstance(fact.event, DayOpened) or not (ended := months_ended(fact.event)):
            return []
        done = candidates.work_done(ended[-1])
        commands = [(each, _measured(each, ended[-1], fact.recorded_at, read)) for each in done]
        return [Addressed(stream_of("engagement", each.engagement), command) for each, command in commands if command]


def _measured(work: WorkDone, day: date, at: datetime, read: Read) -> MeasureProgress | None:
    """How far a line is; None when that is not for the ledger to say, not known yet, or what it said before."""
    state = engagement_of(read, work.engagement)
    line = state.line_on(work.line, day) if state.signed is not None else None
    if line is None or not isinstance(line.billing, PercentComplete):
        return None
    told = state.progress.measured.get(work.line, ())
    whole = state.progress.total_on(work.line, day, whole_of(line.billing), line.billing.measure)
    done = _done(work, line.billing.measure, state, day, read)
    if whole is None or not done or any(each.by != LEDGER for each in told):
        return None
    known = state.progress.measured_on(work.line, day)
    to_date = min(done, whole)
    if known is not None and known.to_date == to_date:
        return None
    unit = "h" if line.billing.measure == "hours" else state.currency
    evidence = f"{done.normalize():f} of {whole.normalize():f} {unit} of work done"
    return MeasureProgress(work.line, day, to_date, line.billing.measure, evidence, LEDGER, at)


def _done(work: WorkDone, measure: Measure, state: Engagement, day: date, read: Read) -> Decimal | None:
    """The hours or the cost of a line up to a day; None while an exchange rate is missing, or for other measures."""
    if measure == "hours":
        return work.hours
    if measure != "cost" or work.cost is None:
        return None
    done = work.cost
    for (line, _), cost in state.progress.costs.items():
        if line == work.line and cost.on <= day:
            rate = fx_rate_or_none(read, cost.amount.currency, state.currency, cost.on)
            if rate is None:
                return None
            done += converted(cost.amount, state.currency, rate).amount
    return done
