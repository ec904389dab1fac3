"""Cap alerts: when 75, 90 or 100 % of a cap is used up, the project manager gets a work item, once.

Used is what is billed, drafted, or earned and not billed yet: the alert comes with the approval of the work, not with
its invoice. A work item ends by itself when the cap is changed so that its share is not used any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.billing_limit import BillingLimitAgreed, LimitReached, NoteLimitUse, billing_limit_stream
from domain.caps import ALERTS_AT_PERCENT, CapUse, Reached, measures
from domain.engagement import CapChanged, LineAgreed
from domain.engagement.caps import CapReached, EngagementCapAgreed, LimitsChanged, NoteCapUse
from domain.engagement.change_orders import ChangeOrderApproved
from domain.exception import ExceptionItem, Problem, RaiseException, ResolveException, exception_stream
from domain.kernel import Addressed, Recorded, StreamId, local_id, stream_of
from domain.lots import LotRated
from domain.ports import Candidates, Read, billing_limit_of, engagement_of

_CHANGES_CAPS = (CapChanged, LimitsChanged, EngagementCapAgreed, LineAgreed, ChangeOrderApproved)


@dataclass(frozen=True, slots=True)
class CapAlerts:
    """Reacts to rated work and to changed caps by asking how far the caps are used up, and to what is reached."""

    name: str = "cap_alerts"

    def needs(self, fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction reads."""
        match fact.event:
            case LotRated(lot):
                return [stream_of("engagement", lot.engagement), billing_limit_stream(lot.customer, lot.value.currency)]
            case CapReached():
                return [fact.stream]
            case _:
                return []

    def asks_candidates(self, fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model how far caps are used up."""
        return isinstance(fact.event, (LotRated, BillingLimitAgreed, *_CHANGES_CAPS))

    def react(self, fact: Recorded[object], read: Read, candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        match fact.event:
            case LotRated(lot) if not lot.non_billable_because:
                limit = _limit_noted(lot.customer, lot.value.currency, read, candidates)
                return [*_caps_noted(lot.engagement, read, candidates), *limit]
            case event if isinstance(event, _CHANGES_CAPS):
                return _caps_changed(local_id(fact.stream), read, candidates)
            case BillingLimitAgreed(customer, currency):
                return _limit_changed(customer, currency, read, candidates)
            case CapReached(_, reached):
                terms = engagement_of(read, local_id(fact.stream)).terms
                return [_work_item(reached, fact.stream, terms.customer, terms.engagement)]
            case LimitReached(customer, reached):
                return [_work_item(reached, fact.stream, customer, None)]
            case _:
                return []


def _caps_noted(engagement: str, read: Read, candidates: Candidates) -> list[Addressed]:
    """How far the caps of an engagement are used up, for the engagement to say what was not told yet."""
    state = engagement_of(read, engagement)
    uses = candidates.use_of_caps(engagement) if state.opened and state.rooms() else ()
    home = stream_of("engagement", engagement)
    return [Addressed(home, NoteCapUse(use.level, use.limit, use.consumed)) for use in uses if _any_share(use)]


def _limit_noted(customer: str, currency: str, read: Read, candidates: Candidates) -> list[Addressed]:
    """How far the limit of a customer is used up, in the same way."""
    limited = billing_limit_of(read, customer, currency).limit is not None
    use = candidates.use_of_limit(customer, currency) if limited else None
    home = billing_limit_stream(customer, currency)
    return [Addressed(home, NoteLimitUse(use.limit, use.consumed))] if use is not None and _any_share(use) else []


def _any_share(use: CapUse) -> bool:
    """Whether the lowest share that anybody is told of is reached."""
    return any(now * 100 >= most * min(ALERTS_AT_PERCENT) for now, most, _ in measures(use.limit, use.consumed))


def _caps_changed(engagement: str, read: Read, candidates: Candidates) -> list[Addressed]:
    home = stream_of("engagement", engagement)
    uses = candidates.use_of_caps(engagement)
    ended = [each for use in uses for each in _ended(use, home, read)]
    return [*ended, *_caps_noted(engagement, read, candidates)]


def _limit_changed(customer: str, currency: str, read: Read, candidates: Candidates) -> list[Addressed]:
    use = candidates.use_of_limit(customer, currency)
    ended = _ended(use, billing_limit_stream(customer, currency), read) if use is not None else ()
    return [*ended, *_limit_noted(customer, currency, read, candidates)]


def _ended(use: CapUse, about: StreamId, read: Read) -> Iterator[Addressed]:
    """The work items of shares that are not used any more, now that the cap is another."""
    for now, most, unit in measures(use.limit, use.consumed):
        for percent in ALERTS_AT_PERCENT:
            stream = _stream_of_item(about, use.level, percent, unit)
            item: ExceptionItem = read(stream)
            if item.is_open and now * 100 < most * percent:
                how = f"The cap is {most:,} {unit} now, of which {now:,} is used."
                yield Addressed(stream, ResolveException("process:cap_alerts", how))


def _work_item(reached: Reached, about: StreamId, customer: str, engagement: str | None) -> Addressed:
    used = f"{reached.consumed:,} of {reached.limit:,} {reached.unit}"
    problem = Problem(
        kind="limit_reached",
        code="CAP_EXCEEDED" if reached.percent == 100 else "CAP_NEARLY_USED",
        about=about,
        message=f"{reached.percent} % of the cap of {reached.level} is used: {used}.",
        what_to_do="Agree a higher cap with the customer, or plan the remaining work within it.",
        owner_role="project_manager",
        engagement=engagement,
        customer=customer,
    )
    return Addressed(_stream_of_item(about, reached.level, reached.percent, reached.unit), RaiseException(problem))


def _stream_of_item(about: StreamId, level: str, percent: int, unit: str) -> StreamId:
    return exception_stream("limit_reached", about, level.replace(" ", "_"), f"{percent}", unit)
