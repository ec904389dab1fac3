"""Every process at work can be shown every kind of event: one that fails on a fact stands still for ever."""

from __future__ import annotations

import pytest

from adapters.automation.process import Automated
from api.roles.automate import PROCESSES
from domain.catalogue import EVENTS
from domain.kernel import Recorded, StreamId
from tests.golden.test_golden_events import CAUSE, MOMENT, example


@pytest.mark.parametrize("run", PROCESSES, ids=lambda run: run.name)
def test_every_process_says_of_every_event_what_it_needs_and_whether_it_asks(run: Automated) -> None:
    for name, kind in EVENTS.items():
        fact = Recorded(StreamId(f"{name.partition('.')[0]}:1"), 1, 1, name, example(kind), CAUSE, MOMENT)
        run.process.needs(fact)
        run.process.asks_candidates(fact)
