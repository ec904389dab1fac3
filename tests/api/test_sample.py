from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from graphql import parse, validate

from adapters.simulation.facts import BillingRun, BillRateTold, DealTold, HoursTold
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Message
from adapters.simulation.stream import stream
from api.graphql.schema import make_schema
from api.sample import SAMPLE, segments, story_of
from api.sample_finance import Bill, entities_of, payment_of

FIRM = Firm(SAMPLE)
ITEMS = tuple(stream(FIRM))


def bill(engagement: str, gross: str = "119.00", currency: str = "EUR") -> Bill:
    return Bill("INV-1", "DE01-2026-000001", engagement, "C-1", date(2026, 2, 8), Decimal(gross), currency, "2026-01")


def test_the_pieces_are_the_whole_stream_in_its_order() -> None:
    whole = [item for item in ITEMS if isinstance(item, Message)]
    assert [message for segment in segments(ITEMS) for message in segment.messages] == whole
    runs = [item for item in ITEMS if isinstance(item, BillingRun)]
    assert [segment.run for segment in segments(ITEMS) if segment.run] == runs


def test_a_night_lies_between_a_deal_and_the_first_hours_on_it() -> None:
    won_in: dict[int, int] = {}
    for number, segment in enumerate(segments(ITEMS)):
        for message in segment.messages:
            match message.fact:
                case DealTold(stage="Closed Won", engagement=engagement):
                    won_in.setdefault(engagement.number, number)
                case HoursTold(engagement=engagement):
                    assert won_in[engagement.number] < number
                case _:
                    continue
    assert len(won_in) == 25


def test_a_night_follows_a_new_price_list() -> None:
    for segment in segments(ITEMS):
        told = [
            message.at
            for message in segment.messages
            if isinstance(fact := message.fact, BillRateTold)
            and fact.scope == "firm"
            and fact.effective_from > fact.said_at.date()
        ]
        if told:
            last = max(message.at for message in segment.messages)
            assert last.astimezone(UTC).date() == max(told).astimezone(UTC).date()
            return
    raise AssertionError("the sample has no new price list")


def test_there_are_few_pieces_because_each_one_waits_for_the_ledger_to_come_to_rest() -> None:
    assert len(list(segments(ITEMS))) <= 12


def test_the_story_of_an_invoice_is_a_query_that_the_schema_answers() -> None:
    schema = make_schema(local=True)._schema
    assert validate(schema, parse(story_of("INV-K7Q2M4XA5C"))) == []


def test_the_last_run_bills_a_part_of_the_firm_only() -> None:
    runs = [item for item in ITEMS if isinstance(item, BillingRun)]
    assert [len(entities_of(run, FIRM)) for run in runs] == [4, 4, 4, 4, 4, 2]


def test_most_customers_pay_all_some_a_part_and_some_nothing_and_always_the_same() -> None:
    found = [payment_of(bill(f"E-{number}"), seed=1) for number in range(200)]
    assert found == [payment_of(bill(f"E-{number}"), seed=1) for number in range(200)]
    all_of_it = sum(payment is not None and payment.is_all for payment in found)
    in_part = sum(payment is not None and not payment.is_all for payment in found)
    assert all_of_it > 120
    assert in_part > 5
    assert found.count(None) > 10
    assert all(payment.amount.amount <= Decimal("119.00") for payment in found if payment)


def test_a_part_is_paid_in_whole_units_of_the_currency() -> None:
    payments = (payment_of(bill(f"E-{number}", "1001", "JPY"), seed=1) for number in range(200))
    assert {payment.amount.amount for payment in payments if payment} == {Decimal(1001), Decimal(400)}


def test_the_calendar_of_the_sample_does_not_depend_on_the_day_that_it_is() -> None:
    assert Plan(seed=1, consultants=60, months=6, starts=date(2026, 1, 1)) == SAMPLE
    assert max(item.at for item in ITEMS) < datetime(2026, 8, 1, tzinfo=UTC)
