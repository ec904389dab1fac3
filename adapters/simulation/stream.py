"""The whole of the sample firm as a stream: every message that its systems send, and when finance bills."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.simulation.facts import BillingRun
from adapters.simulation.faults import Faults, with_faults
from adapters.simulation.firm import Firm
from adapters.simulation.message import Item
from adapters.simulation.timeline import timeline
from adapters.simulation.vendors import messages


def stream(firm: Firm, faults: Faults | None = None) -> Iterator[Item]:
    """The messages of a firm in the order of their delivery, and its billing runs, one at a time.

    The same plan gives the same bytes. Memory depends on how many people there are, not on how long the history is.
    """
    return with_faults(_in_order(firm), faults if faults is not None else Faults(), firm.plan.seed)


def _in_order(firm: Firm) -> Iterator[Item]:
    for fact in timeline(firm):
        if isinstance(fact, BillingRun):
            yield fact
        else:
            yield from messages(fact)
