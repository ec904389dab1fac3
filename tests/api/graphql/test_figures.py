"""The figures for management, calculated by hand from one week of work, over HTTP on real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from domain.billing import adjusting
from domain.invoice import RecordPayment, invoice_stream
from domain.lots import WriteOffLots
from domain.ports import LotAt
from domain.project import AppointManager
from domain.timesheet import ApproveTime, SubmitTime
from tests.api.asker import Asker, asking
from tests.world import NINE, PROJECT, euros

FIGURES = """
query ($by: FigureBy!, $where: FigureFilter, $at: AsOf) { figures(by: $by, where: $where, asOf: $at) { rows {
  key currency billableHours capacityHours utilisation standard unbilled billed collected billedStandard
  billingRealisation priceRealisation collectionRealisation recognised cost margin marginRatio forecastMargin
  contractAsset receivable trailingRevenue trailingBillings wipDays dsoDays lockUpDays
  unconverted } watermark { position isLive } } }
"""


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    """Five days of eight hours at 150: billed, given up, open, approved in part, and waiting for approval.

    The first is written down by 100, billed on 1 April, and half of its 1,309 is paid.
    """
    with asking(settings) as asker:
        world = asker.world.firm().contract()
        sheet = world.work("0")
        world.draft("I-1", [LotAt(sheet, "jira:0#1")])
        world.record(adjusting.adjust_line(world.read, "I-1", 1, euros("-100.00"), "Goodwill.", "paul"))
        world.approve("I-1").issue("I-1", date(2026, 4, 1))
        world.tell(invoice_stream("I-1"), RecordPayment("p-1", date(2026, 4, 20), euros("654.50")))
        world.work("1", day=1)
        world.tell(sheet, WriteOffLots(("jira:1#1",), "Goodwill.", "cfo"))
        world.work("2", day=2)
        world.work("3", day=3, approve=False)
        fewer = {"jira:3": Decimal(6)}
        world.tell(sheet, ApproveTime(("jira:3",), "W-9", NINE + timedelta(days=3, hours=10), fewer))
        world.work("4", day=4, approve=False)
        world.tell(sheet, SubmitTime(("jira:4",)))
        asker.fold()
        yield asker


def rows(asker: Asker, by: str, where: dict[str, str] | None = None, **who: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asker.ask(FIGURES, {"by": by, "where": where}, **who)["figures"]["rows"]
    return found


def numbers(row: dict[str, Any], names: str) -> list[Decimal | None]:
    return [None if row[name] is None else Decimal(row[name]) for name in names.split()]


def test_objects_are_told_with_the_names_that_people_know(asker: Asker) -> None:
    question = """{ figures(by: CUSTOMER) { rows { key title } } leakage(by: ENGAGEMENT) { rows { key title } }
        unbilledWork(by: PROJECT) { rows { key title } } invoiceCycle(by: SELLING_ENTITY) { rows { key title } }
        margin(by: SELLING_ENTITY) { nodes { key title } } }"""
    found = asker.ask(question)
    named = {(row["key"], row["title"]) for each in found.values() for row in each.get("rows") or each["nodes"]}
    assert named == {
        ("C-1", "Acme"),
        ("E-1", "Data platform"),
        ("P-1-L1", "Data platform: Work"),
        ("DE01", "Firm GmbH"),
    }


def test_the_firm_at_a_glance(asker: Asker) -> None:
    (row,) = rows(asker, "FIRM", {"monthFrom": "2026-03", "monthTo": "2026-04"})
    assert (row["currency"], row["unconverted"]) == ("EUR", 0)
    assert numbers(row, "standard unbilled billedStandard billed collected") == [4800, 2400, 1200, 1100, 550]
    assert numbers(row, "billingRealisation priceRealisation") == [Decimal("0.2292"), Decimal("0.9167")]
    assert numbers(row, "collectionRealisation") == [Decimal("0.5")]
    assert numbers(row, "recognised cost margin") == [4400, 1920, 2480]
    assert numbers(row, "contractAsset receivable trailingRevenue trailingBillings") == [
        3300,
        Decimal("654.5"),
        4400,
        1309,
    ]
    assert numbers(row, "wipDays dsoDays lockUpDays") == [Decimal("67.5"), 45, Decimal("112.5")]
    assert numbers(row, "forecastMargin") == [2480], "work by the hour promises nothing beyond what was done"


def test_utilisation_is_what_customers_pay_for_of_what_people_can_work(asker: Asker) -> None:
    (row,) = rows(asker, "FIRM", {"monthFrom": "2026-03", "monthTo": "2026-03"})
    people = len({fact.stream for fact in asker.parts.ledger.read(0, 1000) if fact.name == "resource.described.v1"})
    assert numbers(row, "billableHours capacityHours") == [22, 176 * people]
    assert Decimal(row["utilisation"]) == (Decimal(22) / (176 * people)).quantize(Decimal("0.0001"))
    (by_practice,) = [row for row in rows(asker, "PRACTICE") if Decimal(row["billableHours"])]
    assert Decimal(by_practice["billableHours"]) == 22


@pytest.mark.parametrize("by", ["SELLING_ENTITY", "REGION", "CUSTOMER", "ENGAGEMENT", "PROJECT", "PRACTICE"])
def test_every_way_of_adding_up_comes_to_the_same(asker: Asker, by: str) -> None:
    found = rows(asker, by)
    names = "standard billed collected billableHours unbilled recognised cost"
    for name in names.split():
        total = sum(Decimal(row[name]) for row in found)
        assert total == Decimal(rows(asker, "FIRM")[0][name]), name


def test_months_are_those_of_the_work_and_of_the_books(asker: Asker) -> None:
    march, april, *later = rows(asker, "MONTH")
    assert (march["key"], april["key"]) == ("2026-03", "2026-04")
    assert numbers(march, "standard billed recognised") == [4800, 1100, 4500]
    assert numbers(april, "standard billed recognised") == [0, 0, -100]
    assert sum(Decimal(row["recognised"]) for row in later) == -1200, "the write-off counts when it is decided"
    assert numbers(march, "contractAsset receivable wipDays dsoDays") == [4500, 0, 90, None]
    assert numbers(april, "contractAsset receivable wipDays dsoDays") == [3300, Decimal("654.5"), Decimal("67.5"), 45]


def test_the_past_is_answered_as_it_was(asker: Asker) -> None:
    paid = next(f.position for f in asker.parts.ledger.read(0, 1000) if f.name == "invoice.payment_received.v1")
    before = asker.ask(FIGURES, {"by": "FIRM", "where": None, "at": {"position": paid - 1}})["figures"]
    assert numbers(before["rows"][0], "billed collected") == [1100, 0]
    assert before["watermark"]["isLive"] is False


def test_the_leakage_leads_from_the_work_to_the_bank_in_steps_of_a_hundred_percent(asker: Asker) -> None:
    query = "{ leakage { rows { currency standard steps { step amount percent left } } } }"
    (found,) = asker.ask(query)["leakage"]["rows"]
    steps = {step["step"]: (Decimal(step["amount"]), Decimal(step["percent"])) for step in found["steps"]}
    assert Decimal(found["standard"]) == 4800
    assert {name: told for name, told in steps.items() if told[0]} == {
        "written_off": (Decimal(1200), Decimal(25)),
        "held": (Decimal(300), Decimal("6.25")),
        "eligible": (Decimal(2100), Decimal("43.75")),
        "written_down": (Decimal(100), Decimal("2.08")),
        "receivable": (Decimal(550), Decimal("11.46")),
        "cash": (Decimal(550), Decimal("11.46")),
    }
    assert sum(percent for _, percent in steps.values()) == 100
    assert Decimal(found["steps"][-1]["left"]) == 0


def test_unbilled_work_is_aged_by_the_day_of_the_work_and_by_reason(asker: Asker) -> None:
    query = """{ unbilledWork(by: ENGAGEMENT, on: "2026-04-10") { rows { key age reason lots hours value } } }"""
    found = asker.ask(query)["unbilledWork"]["rows"]
    assert sorted((row["age"], row["reason"], row["lots"], Decimal(row["value"])) for row in found) == [
        ("31-60", "APPROVER_REDUCED", 1, Decimal(300)),
        ("31-60", "ELIGIBLE", 2, Decimal(2100)),
    ]
    assert {row["key"] for row in found} == {"E-1"}


def test_the_invoice_cycle_is_counted_from_the_work_and_from_its_approval(asker: Asker) -> None:
    query = """{ invoiceCycle(by: CUSTOMER) { rows { key invoices fromServiceDaysMedian fromServiceDaysP90
        fromApprovalDaysMedian toBooksDaysMedian } } }"""
    (row,) = asker.ask(query)["invoiceCycle"]["rows"]
    assert (row["key"], row["invoices"]) == ("C-1", 1)
    assert [Decimal(row[n]) for n in ("fromServiceDaysMedian", "fromServiceDaysP90", "fromApprovalDaysMedian")] == [
        30,
        30,
        30,
    ]
    assert row["toBooksDaysMedian"] is None, "the ERP has not confirmed it"
    refused = asker.post("{ invoiceCycle(by: PROJECT) { rows { key } } }")
    assert refused["errors"][0]["extensions"]["code"] == "figures.unknown"


def test_managers_see_what_waits_for_them_and_regions_what_they_could_bill(asker: Asker) -> None:
    query = """{ approvalBottlenecks { rows { manager projects entries hours daysMedian } }
        billingBacklog { rows { region currency lots eligible held overCap reserved total } }
        synchronisation { activeProjects synchronisedProjects share latencies { system confirmed p50Seconds } } }"""
    found = asker.ask(query)
    (waiting,) = found["approvalBottlenecks"]["rows"]
    assert (waiting["manager"], waiting["projects"], waiting["entries"]) == ("", 1, 1)
    assert Decimal(waiting["hours"]) == 8
    asker.world.tell(PROJECT, AppointManager("W-2"))
    asker.fold()
    (waiting,) = asker.ask(query)["approvalBottlenecks"]["rows"]
    assert waiting["manager"] == "W-2"
    assert Decimal(waiting["hours"]) == 8
    (backlog,) = found["billingBacklog"]["rows"]
    assert (backlog["region"], backlog["lots"]) == ("EMEA", 3)
    assert [Decimal(backlog[name]) for name in ("eligible", "held", "overCap", "reserved", "total")] == [
        2100,
        300,
        0,
        0,
        2400,
    ]
    known = found["synchronisation"]
    assert (known["activeProjects"], known["synchronisedProjects"]) == (1, 1)
    assert {each["system"] for each in known["latencies"]} == {"erp", "psa"}


def test_who_may_not_see_an_entity_sees_none_of_its_figures(asker: Asker) -> None:
    elsewhere = asker.token(Role.AUDITOR, entities=["US01"])
    assert rows(asker, "FIRM", token=elsewhere) == []
    for query in ("leakage", "unbilledWork", "invoiceCycle", "approvalBottlenecks", "billingBacklog"):
        found = asker.ask(f"{{ {query} {{ rows {{ __typename }} }} }}", token=elsewhere)
        assert found[query]["rows"] == [], query
    assert asker.ask("{ synchronisation { activeProjects } }", token=elsewhere)["synchronisation"] == {
        "activeProjects": 0
    }
