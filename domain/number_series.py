"""A number series gives the invoices of a legal entity their numbers, without gaps, at issue only.

The series is a stream, and a number is taken in the transaction that issues: two issues at once meet in its version,
one of them decides again, and no number is lost or given twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of


def series_stream(entity: str, series: str) -> StreamId:
    """The numbers of one series of a legal entity: ``number_series:DE01:INV-2026``."""
    return stream_of("number_series", entity, series)


@dataclass(frozen=True, slots=True)
class TakeNumber:
    """Give the next number to an invoice; ``expected`` is the number that was printed on it."""

    invoice: str
    expected: int


@dataclass(frozen=True, slots=True)
class NumberTaken:
    """The next number of the series was given to an invoice."""

    number: int
    invoice: str


class NumberOutOfOrder(Refused):
    """A number series has no gaps: only the next number can be taken."""

    code = "number_series.out_of_order"
    fix = "Issue the invoice again; it is given the next free number."


Event = NumberTaken
Command = TakeNumber


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """How far a series has come."""

    last: int = 0
    last_invoice: str = ""

    @property
    def next(self) -> int:
        return self.last + 1


def decide(command: Command, state: NumberSeries) -> Sequence[Event]:
    match command:
        case TakeNumber(invoice, expected):
            if (state.last, state.last_invoice) == (expected, invoice):
                return []
            if expected != state.next:
                raise NumberOutOfOrder(f"{expected} asked, {state.next} is next.")
            return [NumberTaken(expected, invoice)]
        case _:
            assert_never(command)


def evolve(_state: NumberSeries, event: Event) -> NumberSeries:
    return NumberSeries(event.number, event.invoice)


decider: Decider[Command, NumberSeries, Event] = Decider("number_series", NumberSeries(), decide, evolve)
