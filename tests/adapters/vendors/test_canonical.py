from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from adapters.vendors.canonical.documents import json_schema
from adapters.vendors.canonical.messages import deciders_of, read_message
from domain.catalogue import COMMANDS, DECIDERS
from domain.kernel import StreamId
from domain.money import Money
from domain.reference.rate_card import RateRow, SetRate
from domain.timesheet import Claim, LogTime, Work
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import NINE, Letter, canonical
from tests.adapters.vendors.reading import command, commands, intake, problem

LOG_TIME: dict[str, Any] = {
    "resource": "W-1",
    "claim": {"system": "kimai", "id": "5", "said_at": NINE.isoformat()},
    "work": {"project": "P-1-L1", "task": None, "work_date": "2026-03-03", "hours": "7.5"},
}
WEEK = "timesheet:W-1:2026-03-02"


def logged(**changes: Any) -> Letter:
    return canonical("timesheet.log_time.v1", WEEK, {**LOG_TIME, **changes})


def test_a_canonical_message_carries_the_domains_command_as_it_is() -> None:
    row = {"row": "senior", "rate": {"amount": "150.00", "currency": "EUR"}, "effective_from": "2026-01-01"}
    told = canonical("rate_card.set_rate.v1", "rate_card:firm:FIRM", {"row": row})
    [asked] = commands(told)
    assert asked.stream == "rate_card:firm:FIRM"
    assert asked.command == SetRate(RateRow("senior", Money(Decimal("150.00"), "EUR"), date(2026, 1, 1)))


def test_hours_are_told_by_claims_so_they_have_revisions_and_may_move() -> None:
    told = intake(logged())
    assert (str(told.source), told.said_at, told.clocked) == ("kimai:worklog:5", NINE, True)
    assert told.awaits == (StreamId("project:P-1-L1"), StreamId("resource:W-1"))
    withdrawn, log = commands(logged(), home="timesheet:W-1:2026-02-23")
    assert withdrawn.stream == "timesheet:W-1:2026-02-23"
    assert log.command == LogTime(
        "W-1", Claim("kimai", "5", NINE), Work("P-1-L1", None, date(2026, 3, 3), Decimal("7.5"))
    )


def test_who_did_it_in_the_source_is_who_did_it_in_the_books() -> None:
    office = Office().know_people_and_issues()
    told = canonical("customer.block.v1", "customer:C-1", {"reason": "insolvent"})
    office.deliver(Letter(told.subject, {**told.body, "actor": "user:anna"}))
    [*_, fact] = office.ledger.history(StreamId("customer:C-1"))
    assert (fact.name, fact.cause.actor, fact.cause.occurred_at) == ("customer.blocked.v1", "user:anna", NINE)


MAPPED = {
    "target": "erp",
    "mapping": {"role": "AR", "account": "1200", "effective_from": "2026-01-01"},
    "by": "ann",
}
COST_ROW = {"role": "Senior", "rate": {"amount": "60", "currency": "EUR"}, "effective_from": "2026-01-01"}
OPENED = {"period": "2026-03", "by": "ann", "at": "2026-03-01T00:00:00Z"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_a_message_that_is_accepted_as_its_schema_describes_it(name: str) -> None:
    schema = json_schema(name)
    message = example(schema, schema)
    decider = deciders_of(name)[0]
    assert set(deciders_of(name)) <= DECIDERS.keys()
    read = read_message(orjson.dumps({**message, "stream": f"{decider}:x"}))
    assert type(read.data) is COMMANDS[name]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_command_accepts_a_field_that_its_schema_does_not_have(name: str) -> None:
    schema = json_schema(name)
    message = example(schema, schema)
    message["data"]["surprise"] = 1
    code, detail = problem(Letter(f"p2c.in.canonical.{name.rpartition('.v')[0]}", message))
    assert code == "message.wrong_type"
    assert "surprise" in detail


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (canonical("timesheet.log_time.v2", WEEK, LOG_TIME), "message.future_version"),
        (canonical("timesheet.log_time.v99", WEEK, {"anything": 1}), "message.future_version"),
        (canonical("timesheet.log_time.v0", WEEK, LOG_TIME), "message.unknown_command"),
        (
            Letter("p2c.in.canonical.timesheet.log_time", {**logged().body, "command": "timesheet.log_time"}),
            "message.unknown_command",
        ),
        (canonical("invoice.issue.v1", "invoice:I-1", {}), "message.unknown_command"),
        (Letter("p2c.in.canonical.timesheet.approve", logged().body), "message.unknown_subject"),
        (Letter("p2c.in.canonical.timesheet.log_time", {"id": "m-1", "data": {}}), "message.wrong_type"),
    ],
)
def test_a_command_that_is_not_known_is_named(told: Letter, code: str) -> None:
    assert problem(told)[0] == code


@pytest.mark.parametrize(
    ("command_name", "stream", "data"),
    [
        ("timesheet.log_time.v1", "timesheet:W-2:2026-03-02", LOG_TIME),
        ("timesheet.log_time.v1", "timesheet:W-1:2026-03-03", LOG_TIME),
        ("timesheet.log_time.v1", "project:P-1", LOG_TIME),
        ("customer.block.v1", "customer:", {"reason": "x"}),
        ("customer.block.v1", "customer:a b", {"reason": "x"}),
        ("customer.block.v1", "customer:a@1", {"reason": "x"}),
        ("customer.block.v1", "customer:" + "x" * 300, {"reason": "x"}),
        ("customer.block.v1", "customer:nul\x00", {"reason": "x"}),
        ("expense.submit.v1", "expense:ER-1", {"lines": []}),
        ("lot.write_off.v1", "invoice:I-1", {"lots": ["l"], "reason": "x", "by": "y"}),
        ("billing_limit.agree.v1", "billing_limit:C-1:USD", {"customer": "C-1", "currency": "EUR", "limit": None}),
        ("account_map.map.v1", "account_map:DE01:erp", {**MAPPED, "entity": "GB01"}),
        ("cost_card.set_rate.v1", "cost_card:DE01", {"entity": "GB01", "row": COST_ROW}),
        ("accounting_period.open.v1", "accounting_period:DE01", {**OPENED, "entity": "GB01"}),
    ],
)
def test_a_command_on_a_stream_that_it_does_not_belong_to_is_named(command_name: str, stream: str, data: Any) -> None:
    assert problem(canonical(command_name, stream, data))[0] == "message.wrong_stream"


def test_lots_are_written_off_where_they_are() -> None:
    data = {"lots": ["l#1"], "reason": "goodwill", "by": "user:ann"}
    for stream in (WEEK, "expense_report:ER-1", "engagement:E-1"):
        assert command(canonical("lot.write_off.v1", stream, data)).reason == "goodwill"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_that_no_business_has_is_named(day: str) -> None:
    code, detail = problem(logged(work={**LOG_TIME["work"], "work_date": day}))
    assert (code, detail.partition(":")[0]) == ("message.wrong_type", "data.work.work_date")


@pytest.mark.parametrize("amount", ["1e999999", "1e40", "-1e13", "1e-999999"])
def test_a_number_that_nobody_can_count_is_named_before_anything_is_made_of_it(amount: str) -> None:
    row = {"row": "x", "rate": {"amount": amount, "currency": "EUR"}, "effective_from": "2026-01-01"}
    code, detail = problem(canonical("rate_card.set_rate.v1", "rate_card:firm:FIRM", {"row": row}))
    assert (code, detail.partition(":")[0]) == ("message.wrong_type", "data.row.rate.amount")


@pytest.mark.parametrize("hours", [7.5, 1e2, float("inf")])
def test_hours_and_amounts_are_text_because_a_json_number_is_not_exact(hours: float) -> None:
    text = orjson.dumps(logged().body).replace(b'"7.5"', repr(hours).replace("inf", "Infinity").encode())
    code, detail = problem(Letter("p2c.in.canonical.timesheet.log_time", text))
    assert (code, detail.endswith("a JSON number is not exact.")) == ("message.wrong_type", True)


def test_a_time_without_its_offset_is_named() -> None:
    claim = {**LOG_TIME["claim"], "said_at": "2026-03-02T09:00:00"}
    assert problem(logged(claim=claim)) == (
        "message.wrong_type",
        "data.claim.said_at: 2026-03-02T09:00:00 is without its offset.",
    )


def test_an_unknown_currency_is_refused_as_a_value_not_as_a_shape() -> None:
    office = Office()
    row = {"row": "x", "rate": {"amount": "1", "currency": "DEM"}, "effective_from": "2026-01-01"}
    told = canonical("rate_card.set_rate.v1", "rate_card:firm:FIRM", {"row": row})
    office.deliver(told)
    assert office.fate(told) == ("refused", "money.unknown_currency")


def example(schema: Any, root: Any) -> Any:
    """The smallest value that a schema describes."""
    if "$ref" in schema:
        return example(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][0], root)
    if schema.get("type") == "object":
        return {name: example(schema["properties"][name], root) for name in schema.get("required", [])}
    if schema.get("type") == "array":
        return [example(schema["items"], root)]
    return {"boolean": True, "integer": 1}.get(schema.get("type", ""), _text(schema))


def _text(schema: Any) -> str:
    formats = {"date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z"}
    if "format" in schema:
        return formats[schema["format"]]
    if "[0-9]" in schema.get("pattern", ""):
        return "1.5"
    return "EUR"
