from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from graphql import parse, validate

from adapters.simulation.facts import BillingRun, BillRateTold, DealTold, HoursTold, MonthBegan
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Message
from adapters.simulation.stream import stream
from api.graphql.schema import make_schema
from api.sample.finance import Bill, Finance, entities_of, payment_of
from api.sample.firm import SAMPLE, segments
from api.sample.mark import story_of

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


class Told:
    """A finance service desk that writes down what it is asked."""

    def __init__(self, objects: tuple[str, ...] = ()) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._objects = objects

    async def call(self, service: str, key: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((service, key, asked))
        return {"objects": self._objects, "events": []}


def finance(*objects: str) -> tuple[Finance, Told, Told]:
    preparer, approver = Told(objects), Told()
    return Finance(FIRM, cast(Any, preparer), cast(Any, approver)), preparer, approver


def unpaid() -> Bill:
    found = (replace(bill(f"E-{number}"), first_hours=(2, "jira:7#1")) for number in range(200))
    return next(each for each in found if payment_of(each, SAMPLE.seed) is None)


RUNS = [item for item in ITEMS if isinstance(item, BillingRun)]


def test_a_customer_who_does_not_pay_is_credited_hours_every_second_month_in_two_ways() -> None:
    dispositions = []
    for run in RUNS[:4]:
        desk, preparer, approver = finance()
        asyncio.run(desk.credit(run, [replace(unpaid(), engagement="E-1"), unpaid()]))
        services = [service for service, _, _ in (*preparer.asked, *approver.asked)]
        assert services in ([], ["draft-credit-note", "issue-credit-note", "approve-credit-note"])
        dispositions += [asked["parts"][0]["disposition"] for _, _, asked in preparer.asked if "parts" in asked]
        assert desk.credit_notes == bool(services)
    assert dispositions == ["rebill", "write_off"]


def test_nobody_is_credited_where_all_pay_or_no_hours_are_billed() -> None:
    desk, preparer, _ = finance()
    asyncio.run(desk.credit(RUNS[1], [replace(unpaid(), first_hours=None)]))
    assert preparer.asked == []


def test_companies_pay_in_the_next_run_what_they_invoiced_each_other_and_only_once() -> None:
    desk, preparer, _ = finance("intercompany:GB01:DE01")
    asyncio.run(desk.charge_within(RUNS[0]))
    asyncio.run(desk.settle_within(RUNS[1]))
    asyncio.run(desk.settle_within(RUNS[2]))
    assert [(service, asked) for service, _, asked in preparer.asked] == [
        ("run-intercompany", {"period": "2026-01"}),
        (
            "settle-intercompany",
            {"settlement": "IC-2026-01-GB01-DE01", "lender": "GB01", "borrower": "DE01", "paidOn": "2026-03-08"},
        ),
    ]


def test_every_month_of_the_sample_begins_so_that_the_one_before_it_is_measured() -> None:
    begun = [item.fact.day for item in ITEMS if isinstance(item, Message) and isinstance(item.fact, MonthBegan)]
    assert [f"{day:%Y-%m}" for day in dict.fromkeys(begun)] == [f"2026-0{month}" for month in range(1, 8)]
