"""A cap limits what may be billed on a contract line; what is over it earns nothing until the cap is raised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from domain.engagement import CapPolicy
from domain.money import Money, zero


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open lot that wants to be billed on a capped line."""

    lot: str
    work_date: date
    approved_at: datetime
    value: Money

    @property
    def turn(self) -> tuple[date, datetime, str]:
        """The order in which lots take up a cap: work date, approval time, lot id."""
        return (self.work_date, self.approved_at, self.lot)


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a lot's value fits under the cap, and how much is over it."""

    within: Money
    over: Money


def allocate(left: Money, policy: CapPolicy, candidates: Iterable[Candidate]) -> dict[str, Share]:
    """What each lot gets of what is left of a cap, in their order.

    ``partial`` fills the cap to the cent and splits the lot that crosses it; ``whole_item`` leaves that lot out and
    goes on with the next that fits. A lot of no value never takes anything.
    """
    nothing = zero(left.currency)
    shares: dict[str, Share] = {}
    for candidate in sorted(candidates, key=lambda each: each.turn):
        available = max(left, nothing)
        of_the_rest = available if policy == "partial" else nothing
        within = candidate.value if candidate.value <= available else of_the_rest
        shares[candidate.lot] = Share(within, candidate.value - within)
        left = left - within
    return shares
