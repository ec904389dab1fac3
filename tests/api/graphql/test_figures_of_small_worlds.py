"""Figures where they are easily wrong: whose hours, parts over a cap, credits, postings that were sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from domain.billing import crediting
from domain.billing.credit_wishes import CreditWish
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine, OpenEngagement
from domain.invoice import ConfirmPosting, RejectPosting, ReportPostingSent, RequestPosting, invoice_stream
from domain.kernel import Addressed, Cause
from domain.project import CloseProject, ConfirmSetUp
from domain.timesheet import ApproveTime, SubmitTime, timesheet_stream
from tests.api.asker import Asker, asking, two_entities
from tests.world import ENGAGEMENT, MONDAY, NINE, PROJECT, euros


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    """An empty firm."""
    with asking(settings) as asker:
        yield asker


def rows(asker: Asker, question: str, fields: str, asked: str = "", **who: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asker.ask(f"{{ {question}{asked} {{ rows {{ {fields} }} }} }}", **who)[question][
        "rows"
    ]
    return found


def test_hours_that_an_entity_lends_are_its_own_and_the_customer_is_the_sellers(asker: Asker) -> None:
    two_entities(asker.world)
    asker.fold()
    by_entity = {
        row["key"]: row for row in rows(asker, "figures", "key billableHours standard", "(by: SELLING_ENTITY)")
    }
    assert Decimal(by_entity["DE01"]["billableHours"]) == 25, "three days, and the hour that W-2 worked for FR01"
    assert _hours(asker) == {"E-1": 24, "E-2": 1}
    german, french = (asker.token(Role.AUDITOR, entities=[entity]) for entity in ("DE01", "FR01"))
    assert _hours(asker, token=german) == {"E-1": 24}, "that of the other engagement it sees the cost of alone"
    assert _hours(asker, token=french) == {"E-2": 1}


def _hours(asker: Asker, **who: Any) -> dict[str, Decimal]:
    found = rows(asker, "figures", "key billableHours", "(by: ENGAGEMENT)", **who)
    return {row["key"]: Decimal(row["billableHours"]) for row in found if Decimal(row["billableHours"])}


def test_a_lot_that_is_over_its_cap_in_part_is_unbilled_for_two_reasons(asker: Asker) -> None:
    world = asker.world.firm().contract(cap=euros(1500))
    world.work("1")
    world.work("2", day=1)
    asker.fold()
    found = rows(asker, "unbilledWork", "reason state lots hours value")
    assert [(r["reason"], r["state"], r["lots"], Decimal(r["hours"]), Decimal(r["value"])) for r in found] == [
        ("CAP_EXCEEDED", "over_cap", 1, Decimal(6), Decimal(900)),
        ("ELIGIBLE", "eligible", 2, Decimal(10), Decimal(1500)),
    ]
    (backlog,) = rows(asker, "billingBacklog", "eligible overCap")
    assert [Decimal(backlog[name]) for name in ("eligible", "overCap")] == [1500, 900]


def test_what_is_credited_was_never_billed_and_nobody_waits_for_its_payment(asker: Asker) -> None:
    world = asker.world.firm().contract()
    sheet = world.work("1")
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1", date(2026, 4, 1))
    world.work("2", day=1)
    world.draft("I-2", world.lots(sheet)[1:]).approve("I-2").issue("I-2", date(2026, 4, 1))
    before = world.ledger.head()
    wishes = [CreditWish(1, disposition="write_off")]
    drafted = crediting.draft_credit_note(world.read, "CN-1", "I-1", wishes, form="381", reason="Wrong.", by="paul")
    world.record(drafted)
    world.record(crediting.approve_credit_note(world.read, "CN-1", "ann", NINE + timedelta(days=40)))
    world.record(crediting.issue_credit_note(world.read, "CN-1", date(2026, 4, 20)))
    asker.fold()
    fields = "billed receivable trailingBillings dsoDays"
    april = 'where: {monthTo: "2026-04"}'
    (row,) = rows(asker, "figures", fields, f"({april})")
    assert [Decimal(row[name]) for name in fields.split()] == [1200, 1428, 1428, 90]
    (row,) = rows(asker, "figures", fields, f"({april}, asOf: {{position: {before}}})")
    assert [Decimal(row[name]) for name in fields.split()] == [2400, 2856, 2856, 90]


def test_the_day_of_an_approval_is_that_at_the_sellers_place(asker: Asker) -> None:
    """Half past eleven at night in London is half past midnight in Berlin, on which the invoice is issued."""
    world = asker.world.firm().contract()
    sheet = world.work("1", approve=False)
    world.tell(sheet, ApproveTime(("jira:1",), "W-9", datetime(2026, 3, 31, 22, 30, tzinfo=UTC)))
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1", date(2026, 4, 1))
    asker.fold()
    (row,) = rows(asker, "invoiceCycle", "fromApprovalDaysMedian fromServiceDaysMedian")
    assert [Decimal(row[name]) for name in ("fromApprovalDaysMedian", "fromServiceDaysMedian")] == [0, 30]


def test_the_way_to_the_books_begins_with_the_first_sending(asker: Asker) -> None:
    world = asker.world.firm().contract()
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    invoice = invoice_stream("I-1")
    world.tell(invoice, ReportPostingSent("erp"), RejectPosting("erp", "Unknown account."))
    world.tell(invoice, RequestPosting("erp"), ReportPostingSent("erp"), ConfirmPosting("erp", "DOC-1"))
    asker.fold()
    with asker.parts.reader.view() as view:
        ((first_sent_at, sent_at),) = view.rows("SELECT first_sent_at, sent_at FROM sync WHERE kind = 'invoice'")
    sent = [f.recorded_at for f in asker.parts.ledger.read(0, 1000) if f.name == "invoice.posting_sent.v1"]
    assert (first_sent_at, sent_at) == (sent[0], sent[1])


def test_a_system_takes_as_long_as_from_our_fact_to_its_confirmation(asker: Asker) -> None:
    world = asker.world.firm().contract()
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    world.tell(invoice_stream("I-1"), ReportPostingSent("erp"), ConfirmPosting("erp", "DOC-1"))
    asker.fold()
    at = {(fact.name, getattr(fact.event, "target", "")): fact.recorded_at for fact in world.ledger.read(0, 1000)}
    created, issued = at["project.created.v1", ""], at["invoice.issued.v1", ""]
    expected = sorted(
        (end - start).total_seconds()
        for start, end in (
            (created, at["project.set_up_confirmed.v1", "erp"]),
            (issued, at["invoice.posting_confirmed.v1", "erp"]),
        )
    )
    query = "{ synchronisation { latencies { system confirmed p50Seconds p95Seconds maxSeconds } } }"
    erp = next(each for each in asker.ask(query)["synchronisation"]["latencies"] if each["system"] == "erp")
    assert (erp["confirmed"], expected[1] > 0) == (2, True)
    for name, seconds in (("p50Seconds", expected[0]), ("p95Seconds", expected[1]), ("maxSeconds", expected[1])):
        assert abs(float(erp[name]) - seconds) < 0.001, name


def test_a_project_is_synchronised_once_the_erp_has_confirmed_it_and_active_until_it_is_closed(asker: Asker) -> None:
    def told() -> tuple[int, int, Decimal | None]:
        asker.fold()
        found = asker.ask("{ synchronisation { activeProjects synchronisedProjects share } }")["synchronisation"]
        share = None if found["share"] is None else Decimal(found["share"])
        return found["activeProjects"], found["synchronisedProjects"], share

    world = asker.world.firm()
    world.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
    world.contract_lines(confirmed=("psa",))
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "More work", TimeAndMaterials())))
    assert told() == (2, 0, Decimal(0))
    world.tell(PROJECT, ConfirmSetUp("erp", "erp-1"))
    assert told() == (2, 1, Decimal("0.5"))
    world.tell(PROJECT, CloseProject(date(2026, 6, 30)))
    assert told() == (1, 0, Decimal(0))


@pytest.mark.parametrize(
    ("where", "waiting"),
    [
        ('engagement: "E-1"', 8),
        ('engagement: "E-2"', None),
        ('region: "EMEA"', 8),
        ('customer: "C-1", project: "P-1-L1"', 8),
        ('monthFrom: "2026-04"', None),
    ],
)
def test_what_waits_for_managers_is_told_of_some_work_alone(asker: Asker, where: str, waiting: int | None) -> None:
    two_entities(asker.world)
    asker.world.tell(timesheet_stream("W-2", MONDAY), SubmitTime(("jira:4",)))
    asker.fold()
    found = rows(asker, "approvalBottlenecks", "hours", f"(where: {{{where}}})")
    assert [Decimal(row["hours"]) for row in found] == ([] if waiting is None else [waiting])


def test_work_waits_since_its_source_says_so_not_since_that_was_heard(asker: Asker) -> None:
    world = asker.world.firm().contract()
    sheet = world.work("1", approve=False)
    unit, monday = world.ledger.unit(), datetime(2026, 3, 9, 8, tzinfo=UTC)
    unit.decide(Addressed(sheet, SubmitTime(("jira:1",))), Cause("system:tempo", "c-1", occurred_at=monday))
    world.ledger.commit(unit)
    asker.fold()
    (row,) = rows(asker, "approvalBottlenecks", "oldestAt daysMedian")
    assert datetime.fromisoformat(row["oldestAt"]) == monday
    waited = (datetime.now(UTC) - monday).total_seconds() / 86_400
    assert abs(float(row["daysMedian"]) - waited) < 0.02


def test_what_other_systems_know_is_told_of_some_projects_alone(asker: Asker) -> None:
    two_entities(asker.world)
    asker.fold()

    def active(where: str) -> tuple[int, list[int]]:
        found = asker.ask(f"{{ synchronisation(where: {{{where}}}) {{ activeProjects latencies {{ confirmed }} }} }}")
        return found["synchronisation"]["activeProjects"], [
            each["confirmed"] for each in found["synchronisation"]["latencies"]
        ]

    assert active("") == (2, [2, 2])
    assert active('region: "APAC"') == (1, [1, 1])
    assert active('engagement: "E-1"') == (1, [1, 1])
    assert active('monthTo: "2020-01"') == (2, []), "no confirmation is that old"
    for question in ("synchronisation", "approvalBottlenecks"):
        assert asker.codes(f'{{ {question}(where: {{practice: "Data"}}) {{ __typename }} }}') == ["figures.unknown"]
