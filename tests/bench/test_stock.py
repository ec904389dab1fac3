"""The stock contestant does the same work: the same facts, read back as they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.bench.stock import Decided, StockLedger
from tests.bench.tiles import KINDS, Kind, play


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_stock_application_keeps_every_event_of_an_engagement_as_it_was(kind: Kind) -> None:
    with StockLedger() as app:
        for event in (event for phase in play(kind) for event in phase):
            stored = Decided(event.stream, event.version, datetime.now(UTC), event.event, event.cause)
            app.save(stored)
            (last,) = app.recorder.select_notifications(start=app.recorder.max_notification_id() or 0, limit=1)
            assert app.mapper.to_domain_event(last) == stored


def test_the_stock_application_folds_a_stream_as_we_do() -> None:
    events = [event for phase in play(KINDS[0]) for event in phase]
    sheet = next(event.stream for event in events if event.stream.startswith("timesheet:"))
    with StockLedger() as app:
        for event in (event for event in events if event.stream == sheet):
            app.save(Decided(event.stream, event.version, datetime.now(UTC), event.event, event.cause))
        known = app.known(sheet)
        assert known.version == max(event.version for event in events if event.stream == sheet)
        assert len(known.state.entries) >= 5
