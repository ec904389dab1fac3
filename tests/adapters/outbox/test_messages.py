"""Other systems are told what concerns them, by messages that leave with the events that oblige us to."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.eventstore.ledger import Ledger
from adapters.eventstore.memory import MemoryLedger
from adapters.eventstore.rows import OutboxRow
from adapters.outbox.contracts import (
    CONTRACTS,
    SUBJECTS,
    InvoiceCollect,
    InvoicePost,
    ProjectCreate,
    UnknownContract,
    decoded,
    key_of,
)
from adapters.outbox.messages import outgoing
from domain.billing import crediting
from domain.billing.credit_wishes import CreditWish
from domain.catalogue import DECIDERS, EVENTS
from domain.engagement import EngagementNotOpened, OpenEngagement
from domain.invoice import HandToCollections, RejectPosting, RequestPosting
from domain.kernel import Addressed, StreamId
from domain.project import CreateProject, DefineTask, HoldBilling, RequestSetUp, Task
from tests.world import ENGAGEMENT, NEW_YEAR, NINE, PROJECT, World, cause, euros

GOLDEN = Path(__file__).parent / "golden"
INVOICE = StreamId("invoice:I-1")


@pytest.fixture
def world() -> World:
    return World(MemoryLedger(EVENTS, DECIDERS, outgoing=outgoing)).firm()


def sent(world: World) -> list[OutboxRow]:
    return world.ledger.unrelayed(100)


def billed(world: World) -> World:
    """An issued invoice for two days of work."""
    world.contract(cap=euros(2000))
    sheet = world.work("1", hours="8")
    world.work("2", hours="7.5", day=1)
    return world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")


def matches_golden(name: str, payload: bytes) -> None:
    """The bytes that are published are a contract; who changes them on purpose changes the file too."""
    said: Any = json.loads(payload, parse_float=lambda text: pytest.fail(f"{text} is a number that readers may round"))
    assert said == json.loads((GOLDEN / f"{name}.json").read_text())


def test_a_created_project_is_announced_to_every_target_with_its_engagement_customer_days_and_currency(
    world: World,
) -> None:
    world.contract(cap=euros(2000))
    psa, erp = sent(world)
    assert (psa.target, psa.subject) == ("psa", "p2c.out.psa.project.create")
    assert (erp.target, erp.subject) == ("erp", "p2c.out.erp.project.create")
    matches_golden("project.create.v1", psa.payload)


def test_an_issued_invoice_is_sent_to_the_erp_with_lines_tax_and_totals(world: World) -> None:
    invoice = sent(billed(world))[-1]
    assert (invoice.target, invoice.subject) == ("erp", "p2c.out.erp.invoice.post")
    matches_golden("invoice.post.v1", invoice.payload)


def test_collections_are_told_of_an_overdue_invoice(world: World) -> None:
    billed(world).tell(INVOICE, HandToCollections("collections", date(2026, 6, 1), "ann", "Three reminders."))
    told = sent(world)[-1]
    assert (told.target, told.subject) == ("collections", "p2c.out.collections.invoice.collect")
    message = decoded(told.headers["ce-type"], told.payload)
    assert isinstance(message, InvoiceCollect)
    assert (message.due, message.handed_over_on) == (message.gross, date(2026, 6, 1))


def test_a_message_is_named_after_its_event_and_says_what_it_is_about(world: World) -> None:
    row = sent(billed(world))[-1]
    assert row.nats_msg_id == f"{row.stream}@{row.version}" == "invoice:I-1@4"
    assert world.ledger.events([row.nats_msg_id])[0].name == "invoice.posting_requested.v1"
    assert dict(row.headers) == {
        "ce-specversion": "1.0",
        "ce-id": "invoice:I-1@4",
        "ce-source": "p2c-ledger",
        "ce-type": "invoice.post.v1",
        "ce-subject": "invoice:I-1",
        "p2c-correlation": "correlation-1",
    }


def test_what_was_published_can_be_read_again(world: World) -> None:
    *projects, invoice = [decoded(row.headers["ce-type"], row.payload) for row in sent(billed(world))]
    assert all(isinstance(project, ProjectCreate) for project in projects)
    assert isinstance(invoice, InvoicePost)
    assert invoice.gross.amount == invoice.net.amount + invoice.tax.amount
    assert {key_of(message) for message in (*projects, invoice)} == {PROJECT, INVOICE}


def test_a_type_of_message_that_is_not_known_is_not_guessed() -> None:
    with pytest.raises(UnknownContract):
        decoded("invoice.post.v9", b"{}")


def test_every_type_has_its_subject() -> None:
    assert set(CONTRACTS) == set(SUBJECTS)


def test_events_that_concern_nobody_else_send_nothing(world: World) -> None:
    world.contract()
    before = len(sent(world))
    world.tell(PROJECT, HoldBilling("waiting"), DefineTask(Task("T-1", "Design")))
    assert len(sent(world)) == before


def test_a_rejected_posting_that_is_asked_for_again_is_a_new_message_about_the_same_invoice(world: World) -> None:
    billed(world).tell(INVOICE, RejectPosting("erp", "closed period"), RequestPosting("erp"))
    first, second = [row for row in sent(world) if row.stream == INVOICE]
    assert first.nats_msg_id != second.nats_msg_id
    assert first.headers["ce-subject"] == second.headers["ce-subject"]


def test_what_is_taken_back_before_it_is_recorded_is_not_sent(world: World) -> None:
    world.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
    unit = world.ledger.unit()
    unit.decide(
        Addressed(PROJECT, CreateProject("P-1-L1", "E-1", "Work", "L1", "DE01", NEW_YEAR, targets=("psa",))), cause()
    )
    before = unit.savepoint()
    unit.decide(Addressed(PROJECT, RequestSetUp("psa")), cause())
    assert [row.nats_msg_id for row in unit.extras.outbox] == ["project:P-1-L1@2"]
    unit.rollback(before)
    assert unit.extras.outbox == []


def test_a_project_of_an_unknown_engagement_is_not_announced_half_known(world: World) -> None:
    unit = world.ledger.unit()
    unit.decide(
        Addressed(PROJECT, CreateProject("P-1-L1", "E-9", "Work", "L1", "DE01", NEW_YEAR, targets=("psa",))), cause()
    )
    with pytest.raises(EngagementNotOpened):
        unit.decide(Addressed(PROJECT, RequestSetUp("psa")), cause())
    assert [event.version for event in unit.new] == [1]
    assert unit.version(PROJECT) == 1


def test_event_and_message_are_recorded_together_or_not_at_all(database_url: str) -> None:
    with Ledger(database_url, EVENTS, DECIDERS, outgoing=outgoing, pool_size=2) as ledger:
        world = billed(World(ledger).firm())
        asked = {
            fact.id
            for fact in ledger.read(0, 1000)
            if fact.name.endswith(("set_up_requested.v1", "posting_requested.v1"))
        }
        assert {row.nats_msg_id for row in sent(world)} == asked
        assert len(asked) == 3


def test_an_issued_credit_note_is_told_to_the_erp_with_the_invoice_that_it_corrects(world: World) -> None:
    billed(world)
    wishes = [CreditWish(1, quantity=Decimal(2))]
    world.record(
        crediting.draft_credit_note(world.read, "CN-1", "I-1", wishes, form="381", reason="Agreed.", by="paul")
    )
    world.record(crediting.approve_credit_note(world.read, "CN-1", "ann", NINE))
    world.record(crediting.issue_credit_note(world.read, "CN-1", date(2026, 5, 4)))
    row = sent(world.react())[-1]
    assert (row.subject, row.target) == ("p2c.out.erp.credit_note.post", "erp")
    matches_golden("credit_note.post.v1", row.payload)
    assert key_of(decoded("credit_note.post.v1", row.payload)) == "credit_note:CN-1"
