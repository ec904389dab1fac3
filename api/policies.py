"""Policies become facts: tax packs and billing calendars are published into the log, each version once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

from adapters.eventstore.base import BaseLedger
from adapters.policy_packs import calendars, tax_packs
from adapters.policy_packs.calendars import ShippedCalendar
from domain.kernel import Addressed, Cause, stream_of
from domain.reference.billing_calendar import BillingCalendar, DefineCalendar, calendar_stream
from domain.reference.tax_rule import PublishTaxPack

ACTOR: Final = "system:policies"


def publish(ledger: BaseLedger, files: Sequence[Path] = ()) -> list[str]:
    """Publish tax packs from files, or all that come with the ledger; returns what is new, as stream@version.

    What was published before is quiet. A pack that differs under the same version is refused, and nothing is recorded.
    """
    packs = [tax_packs.read(file) for file in files] if files else list(tax_packs.shipped())
    addressed = [Addressed(stream_of("tax_rule", pack.jurisdiction), PublishTaxPack(pack)) for pack in packs]
    if not files:
        addressed += _missing_calendars(ledger, calendars.shipped())
    outcome = ledger.execute(addressed, Cause(ACTOR, f"policies-{uuid4().hex}"))
    return [each.id for each in outcome.events]


def _missing_calendars(ledger: BaseLedger, known: Iterable[ShippedCalendar]) -> Iterator[Addressed]:
    """Calendars that were not published yet, and their years; what a firm has defined itself is left as it is."""
    shipped = {calendar_stream(each.name): each for each in known}
    for stream, loaded in ledger.load(shipped).items():
        state, calendar = loaded.state, shipped[stream]
        assert isinstance(state, BillingCalendar)
        if not state.is_defined:
            yield Addressed(stream, DefineCalendar(calendar.name, calendar.terms))
        for year in calendar.years:
            if year not in state.years:
                holidays = calendars.holidays_of(calendar.name, calendar.country, calendar.part, year)
                yield Addressed(stream, holidays)
