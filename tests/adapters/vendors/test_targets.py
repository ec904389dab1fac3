from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.invoice import (
    ConfirmPosting,
    RecordPayment,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    TakePayment,
)
from domain.money import Money
from domain.payment import ApplyPayment, ReceivePayment
from domain.project import ConfirmSetUp, RejectSetUp, ReportSetUpInDoubt, ReportSetUpSent
from domain.reference.identifier import AssignIdentifier, ExternalRef
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import NINE, Letter, target_answer
from tests.adapters.vendors.reading import command, commands, intake, mail, problem

JIRA_KEY = {"system": "jira", "object": "project", "id": "ACME"}


def test_a_confirmed_project_is_set_up_and_known_by_the_targets_names() -> None:
    told = target_answer("psa.project.confirmed", id="1", project="P-1", externalId="PSA-88", identifiers=[JIRA_KEY])
    assert [(each.stream, each.command) for each in commands(told)] == [
        ("project:P-1", ConfirmSetUp("psa", "PSA-88")),
        ("identifier:psa:project:PSA-88", AssignIdentifier(ExternalRef("psa", "project", "PSA-88"), "P-1")),
        ("identifier:jira:project:ACME", AssignIdentifier(ExternalRef("jira", "project", "ACME"), "P-1")),
    ]


@pytest.mark.parametrize(
    ("subject", "fields", "expected"),
    [
        ("erp.project.sent", {"project": "P-1"}, ReportSetUpSent("erp")),
        ("erp.project.in_doubt", {"project": "P-1", "reason": "timeout"}, ReportSetUpInDoubt("erp", "timeout")),
        ("psa.project.rejected", {"project": "P-1", "reason": "no customer"}, RejectSetUp("psa", "no customer")),
        ("erp.invoice.sent", {"invoice": "I-1"}, ReportPostingSent("erp")),
        ("erp.invoice.in_doubt", {"invoice": "I-1", "reason": "timeout"}, ReportPostingInDoubt("erp", "timeout")),
        ("erp.invoice.posted", {"invoice": "I-1", "externalId": "4711"}, ConfirmPosting("erp", "4711")),
        ("erp.invoice.rejected", {"invoice": "I-1", "reason": "closed"}, RejectPosting("erp", "closed")),
    ],
)
def test_each_answer_is_what_it_says(subject: str, fields: dict[str, Any], expected: Any) -> None:
    assert command(target_answer(subject, id="1", **fields)) == expected


def test_a_payment_is_money_for_an_invoice() -> None:
    amount = {"amount": "119.00", "currency": "EUR"}
    told = target_answer(
        "erp.payment.received", id="1", invoice="I-1", payment="B-9", receivedOn="2026-04-01", amount=amount
    )
    assert command(told) == RecordPayment("B-9", date(2026, 4, 1), Money(Decimal("119.00"), "EUR"), "")


def test_a_bank_receipt_for_several_invoices_is_one_statement() -> None:
    amount = {"amount": "300.00", "currency": "EUR"}
    of_each = [
        {"invoice": "I-1", "amount": {"amount": "100.00", "currency": "EUR"}},
        {
            "invoice": "I-2",
            "amount": {"amount": "110.00", "currency": "USD"},
            "settled": {"amount": "99.00", "currency": "EUR"},
        },
    ]
    told = target_answer(
        "erp.receipt.received",
        id="1",
        payment="B-9",
        customer="C-1",
        entity="DE01",
        receivedOn="2026-04-01",
        amount=amount,
        invoices=of_each,
    )
    on, euros, dollars = date(2026, 4, 1), Money(Decimal("99.00"), "EUR"), Money(Decimal("110.00"), "USD")
    hundred, received = Money(Decimal("100.00"), "EUR"), Money(Decimal("300.00"), "EUR")
    assert [(each.stream, each.command) for each in commands(told)] == [
        ("payment:B-9", ReceivePayment("B-9", "C-1", "DE01", on, received, "")),
        ("invoice:I-1", TakePayment("B-9", on, hundred, hundred)),
        ("payment:B-9", ApplyPayment("I-1", on, hundred, hundred)),
        ("invoice:I-2", TakePayment("B-9", on, dollars, euros)),
        ("payment:B-9", ApplyPayment("I-2", on, dollars, euros)),
    ]


def test_an_answer_is_known_by_the_connectors_id() -> None:
    told = target_answer("psa.project.sent", id="answer-1", project="P-1")
    assert mail(told).message_id == "psa:answer-1"
    assert (intake(told).said_at, intake(told).clocked) == (NINE, True)


@pytest.mark.parametrize(
    "told",
    [
        target_answer("psa.project.confirmed", id="1", project="P-1"),
        target_answer("erp.invoice.posted", id="1", invoice="I-1"),
        target_answer("erp.invoice.posted", id="", invoice="I-1", externalId="1"),
        target_answer("psa.project.sent", id="1", project="P:1"),
        target_answer("psa.project.sent", id="1", project="P-1", at="2026-01-01T00:00:00"),
        target_answer("erp.payment.received", id="1", invoice="I-1", payment="p", receivedOn="today", amount={}),
    ],
)
def test_an_answer_that_lacks_its_point_is_named(told: Letter) -> None:
    assert problem(told)[0] == "message.wrong_type"


def test_an_answer_of_another_kind_is_named() -> None:
    assert problem(target_answer("psa.timecard.sent", id="1"))[0] == "message.unknown_subject"


def test_a_confirmation_counts_whatever_clock_it_was_given_by() -> None:
    office = Office().know_people_and_issues()
    doubtful = target_answer("psa.project.in_doubt", id="2", project="P-1-L1", reason="x", at="2026-03-02T10:00:00Z")
    confirmed = target_answer("psa.project.confirmed", id="1", project="P-1-L1", externalId="PSA-1")
    office.deliver(doubtful)
    office.deliver(confirmed)
    assert office.state("project:P-1-L1").set_ups["psa"].external_id == "PSA-1"


def test_a_sent_that_comes_after_its_confirmation_changes_nothing() -> None:
    office = Office().know_people_and_issues()
    confirmed = target_answer(
        "psa.project.confirmed", id="2", project="P-1-L1", externalId="PSA-1", at="2026-03-02T10:00:00Z"
    )
    sent = target_answer("psa.project.sent", id="1", project="P-1-L1")
    office.deliver(confirmed)
    office.deliver(sent)
    assert office.fate(sent) == ("quiet", "nothing_new")


def test_money_for_an_invoice_that_nobody_knows_waits_for_it() -> None:
    office = Office()
    amount = {"amount": "1", "currency": "EUR"}
    told = target_answer(
        "erp.payment.received", id="1", invoice="I-9", payment="p", receivedOn="2026-04-01", amount=amount
    )
    office.deliver(told)
    assert office.row(told).detail == "Waits for after:invoice:I-9@0."
    assert office.problem("waiting", "invoice", "I-9").money_at_risk == Money(Decimal(1), "EUR")
