"""A clean set of books passes; each planted breach is found and names its object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import Connection, sql

from adapters import postgres
from adapters.eventstore.ledger import Ledger
from adapters.eventstore.rows import OutboxRow, ReceivedMessage
from api.verification.books import verify
from api.verification.report import Report
from domain.billing.credit_wishes import CreditWish
from domain.catalogue import DECIDERS, EVENTS
from domain.contract import ContractLine, FixedFeeMilestones, Milestone
from domain.engagement import AcceptMilestone
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.invoice import RecordPayment, invoice_stream
from domain.kernel import Addressed, Cause, StreamId
from domain.timesheet import Claim, LogTime, RejectTime, Work, timesheet_stream
from tests.domain.test_crediting import credit
from tests.world import ENGAGEMENT, MONDAY, NINE, World, euros


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=2) as ledger:
        yield ledger


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection[Any]]:
    with postgres.connect(database_url) as conn:
        yield conn


@pytest.fixture
def books(ledger: Ledger) -> World:
    """Hours billed, split by a cap, on a draft, rejected after approval, and still open; an expense; a payment."""
    world = World(ledger).firm().contract(cap=euros(2000))
    weeks = [world.work(str(n), day=n) for n in range(2)]
    world.draft("I-1", world.lots(weeks[0])).approve("I-1").issue("I-1")
    paid = world.read(invoice_stream("I-1")).document.gross
    world.tell(invoice_stream("I-1"), RecordPayment("p-1", MONDAY, paid))
    rejected = world.work("9", day=3, person="W-2")
    world.tell(rejected, RejectTime(("jira:9",), "W-9", NINE + timedelta(days=9), "which task?"))
    world.work("10", day=4, person="W-2", approve=False)
    expense = Expense("1", "P-1-L1", "travel", MONDAY, euros("119.00"), euros("19.00"), billable=True, receipt="r-1")
    report = expense_stream("ER-1")
    world.tell(report, RecordExpense("ER-1", "W-1", expense, NINE), ApproveExpenses(("1",), "W-9", NINE))
    return world


def checked(ledger: Ledger, conn: Connection[Any]) -> Report:
    return verify(ledger, conn, None, lambda _done, _total, _what: None)


def offenders(report: Report, name: str) -> list[str]:
    check = next(check for check in report.checks if check.name == name)
    return [f"{breach.object}: {breach.detail}" for breach in check.breaches]


def tamper(conn: Connection[Any], statement: str, values: tuple[Any, ...] = ()) -> None:
    """What no program can do: the owner of the database takes the guard away first."""
    with conn.transaction():
        conn.execute("ALTER TABLE stored_events DISABLE TRIGGER stored_events_append_only")
        changed = conn.execute(sql.SQL(statement), values).rowcount
        conn.execute("ALTER TABLE stored_events ENABLE ALWAYS TRIGGER stored_events_append_only")
    assert changed > 0, "the breach was planted"


def rewrite(conn: Connection[Any], name: str, change: Any) -> str:
    """Change the stored form of the first event of a name; returns its id."""
    row = conn.execute(
        "SELECT originator_id, originator_version, state FROM stored_events WHERE topic = %s ORDER BY notification_id"
        " LIMIT 1",
        [name],
    ).fetchone()
    assert row is not None
    body = json.loads(row[2])
    change(body["e"])
    where = "WHERE originator_id = %s AND originator_version = %s"
    tamper(conn, f"UPDATE stored_events SET state = %s {where}", (json.dumps(body).encode(), row[0], row[1]))
    return f"{row[0]}@{row[1]}"


def test_clean_books_pass_every_check(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    report = checked(ledger, conn)
    assert report.holds, [check.breaches for check in report.checks if not check.holds]
    assert {check.name for check in report.checks} == {
        "versions",
        "order",
        "fates",
        "outbox",
        "readable",
        "conservation",
        "billed once",
        "numbers",
        "causes",
        "money",
    }
    assert all(check.looked_at > 0 for check in report.checks if check.name not in ("fates", "outbox"))


def test_books_with_milestones_pass(ledger: Ledger, conn: Connection[Any]) -> None:
    fixed = ContractLine("L1", "Design", FixedFeeMilestones(milestones=(Milestone("M1", "Concept", euros(5000)),)))
    world = World(ledger).firm().contract(line=fixed)
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", MONDAY, "mail of March 2", "user:pm", NINE))
    world.draft("I-1", world.lots(ENGAGEMENT)).approve("I-1").issue("I-1")
    assert checked(ledger, conn).holds


def test_books_with_lines_that_are_rounded_once_pass(ledger: Ledger, conn: Connection[Any]) -> None:
    world = World(ledger).firm().contract()
    sheets = dict.fromkeys(world.work(str(day), "0.333367", day=day) for day in range(3))
    world.draft("I-1", world.lots(*sheets)).approve("I-1").issue("I-1")
    assert world.read(invoice_stream("I-1")).document.lines[0].rounding == euros("-0.01")
    assert checked(ledger, conn).holds
    credit(world, "CN-1", CreditWish(1, lot="jira:1#1"))
    assert checked(ledger, conn).holds
    rewrite(conn, "invoice.issued.v1", lambda event: event["document"]["lines"][0]["net"].update(amount="150.01"))
    assert offenders(checked(ledger, conn), "money")


def test_the_guard_refuses_a_change_without_the_owners_help(books: World, conn: Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation, match="never changed"):
        conn.execute("DELETE FROM stored_events")


def test_a_missing_event_is_a_gap_in_its_stream(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    tamper(conn, "DELETE FROM stored_events WHERE originator_id = 'project:P-1-L1' AND originator_version = 2")
    assert offenders(checked(ledger, conn), "versions") == ["project:P-1-L1: versions 1 to 6, but 5 events"]


def test_a_backdated_event_is_out_of_order(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    tamper(
        conn,
        "UPDATE stored_events SET recorded_at = recorded_at - interval '1 day'"
        " WHERE originator_id = 'invoice:I-1' AND originator_version = 2",
    )
    (found,) = offenders(checked(ledger, conn), "order")
    assert found.startswith("invoice:I-1@2: recorded before the event at position")


def test_more_hours_than_were_approved_break_the_law(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    rewrite(conn, "timesheet.time_logged.v1", lambda event: event["work"].update(hours="7"))
    found = offenders(checked(ledger, conn), "conservation")
    assert "timesheet:W-1:2026-03-02 jira:0: 7 hour approved, 8 in lots" in found
    assert "project P-1-L1: 15 h approved, 16 h accounted for" in found
    assert "legal entity DE01: 15 h approved, 16 h accounted for" in found
    assert "firm: 15 h approved, 16 h accounted for" in found


def test_a_lot_with_another_value_than_price_times_quantity_is_found(
    books: World, ledger: Ledger, conn: Connection[Any]
) -> None:
    rewrite(conn, "lot.rated.v1", lambda event: event["lot"]["value"].update(amount="1300.00"))
    assert any("is 1,200.00 EUR, not 1,300.00 EUR" in each for each in offenders(checked(ledger, conn), "conservation"))


def test_a_split_whose_parts_do_not_add_up_is_found(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    rewrite(conn, "lot.split.v1", lambda event: event["parts"][1].update(quantity="9"))
    assert any("quantity 8, its parts have" in each for each in offenders(checked(ledger, conn), "conservation"))


def test_work_that_counts_without_approval_is_found(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    rewrite(conn, "timesheet.approved.v1", lambda event: event.update(entries=[]))
    found = offenders(checked(ledger, conn), "conservation")
    assert any("counts, although the work is not approved" in each for each in found)


def test_a_lot_on_two_live_invoices_is_found(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    tamper(
        conn,
        "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
        " SELECT 'invoice:I-2', 1, topic, convert_to(replace(convert_from(state, 'UTF8'), 'I-1', 'I-2'), 'UTF8')"
        " FROM stored_events WHERE topic = 'invoice.drafted.v1'",
    )
    found = offenders(checked(ledger, conn), "billed once")
    assert any("jira:0#1: it is on 2 live invoices: I-1, I-2" in each for each in found)
    assert any(each.startswith("invoice:I-2: it bills E-1 L1") for each in found)


def test_an_invoice_that_says_less_than_its_lots_without_writing_them_down_is_found(
    books: World, ledger: Ledger, conn: Connection[Any]
) -> None:
    rewrite(conn, "invoice.issued.v1", lambda event: event["document"]["lines"][0]["net"].update(amount="1.00"))
    (found,) = offenders(checked(ledger, conn), "money")
    assert found.startswith("engagement E-1: 2000")
    assert found.endswith("of lots are billed, its invoices say 1.00")


def test_a_lot_that_names_another_invoice_is_found(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    rewrite(conn, "lot.billed.v1", lambda event: event.update(invoice="I-9"))
    assert any("it is billed for I-9" in each for each in offenders(checked(ledger, conn), "billed once"))


def test_a_gap_in_the_invoice_numbers_is_found(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    rewrite(conn, "number_series.number_taken.v1", lambda event: event.update(number=2))
    found = offenders(checked(ledger, conn), "numbers")
    assert "number_series:DE01:DE01-2026: number 2 was taken, 1 was next" in found
    assert any("which was not taken for it" in each for each in found)


def test_an_event_that_cannot_be_read_is_named(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    broken = rewrite(conn, "customer.described.v1", lambda event: event.pop("customer"))
    (found,) = offenders(checked(ledger, conn), "readable")
    assert found.startswith(f"{broken}: customer.described.v1")


def test_a_message_without_a_fate_that_holds_is_found(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    receive(ledger, "m-1", "recorded", events=("customer:C-1@77",))
    receive(ledger, "m-2", "recorded")
    receive(ledger, "m-3", "parked")
    receive(ledger, "m-4", "quiet", sha=b"1" * 32, business_id="twice")
    receive(ledger, "m-5", "quiet", sha=b"2" * 32, business_id="twice")
    assert sorted(offenders(checked(ledger, conn), "fates")) == [
        "m-1: names customer:C-1@77, which was never recorded",
        "m-2: recorded, but it names no event",
        "m-3: parked, but waits for nothing",
        "m-4: 2 messages with one id were not told apart as a conflict",
    ]


def test_a_cause_that_was_never_received_is_found(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    stream = timesheet_stream("W-1", MONDAY)
    work = Work("P-1-L1", None, MONDAY, Decimal(1), started="19:00:00")
    command = LogTime("W-1", Claim("jira", "77", datetime(2026, 3, 2, tzinfo=UTC)), work)
    ledger.execute([Addressed(stream, command)], Cause("system:jira", "c-1", message_id="jira:77"))
    (found,) = offenders(checked(ledger, conn), "causes")
    assert found.endswith("its cause is message jira:77, which was never received")


def test_outgoing_work_without_an_event_is_found(books: World, ledger: Ledger, conn: Connection[Any]) -> None:
    unit = ledger.unit()
    unit.send(OutboxRow(StreamId("invoice:I-1"), 99, "erp", "p2c.out.erp.invoice.post", "n-1", b"{}", {}))
    ledger.commit(unit)
    assert offenders(checked(ledger, conn), "outbox") == ["n-1: belongs to invoice:I-1@99, which was never recorded"]


def receive(
    ledger: Ledger,
    message_id: str,
    fate: Any,
    *,
    events: tuple[str, ...] = (),
    sha: bytes = b"0" * 32,
    business_id: str | None = None,
) -> None:
    unit = ledger.unit()
    row = ReceivedMessage(
        message_id=message_id,
        system="jira",
        subject="p2c.in.jira.worklog.created",
        business_message_id=business_id or message_id,
        payload_sha256=sha,
        headers={},
        payload=b"{}",
        received_at=NINE,
        broker_sequence=None,
        fate=fate,
        events=events,
    )
    unit.receive(row)
    ledger.commit(unit)
