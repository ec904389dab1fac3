"""The services around drafts, receivables and receipts, as people at a desk use them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.access import NotPermitted
from api.services.drafts import AllowanceInput, LotInput, PrepaymentInput, RequestInvoiceInput
from api.services.inputs import RequestInvalid, read_input
from api.services.lots import PartOfLotInput
from api.services.payments import AllocationInput
from api.services.service import Amount, InputIncomplete
from domain.caps import Limit
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine, ChangeCap
from domain.engagement.caps import AgreeEngagementCap
from domain.invoice import (
    Approved,
    BaseQuantityNotPositive,
    Draft,
    InvoiceIsDisputed,
    InvoiceNotFound,
    Issued,
    NothingToBill,
    NotIssued,
    PreparerApproves,
    invoice_stream,
)
from domain.kernel import StreamId, stream_of
from domain.lots import UnknownLot
from domain.payment import PaymentUnknown, payment_stream
from domain.project import ConfirmSetUp
from domain.receivables import PaymentForUnknownInvoice
from domain.reference.billing_calendar import CalendarTerms, DayRule, DefineCalendar, calendar_stream
from domain.reference.customer import UnknownCustomer
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.api.services.desk import ADMIN, APPROVER, MANAGER, PREPARER, Counter
from tests.world import ENGAGEMENT, MONDAY, NINE, World, euros


@pytest.fixture
def world() -> World:
    return World().firm().contract()


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


def amount(value: str, currency: str = "EUR") -> Amount:
    return Amount(Decimal(value), currency)


def names(answer: Any) -> list[str]:
    return [event.name for event in answer.events]


def issued(counter: Counter, invoice: str, day: int) -> Issued:
    """An issued invoice of eight hours on one day: 1,428 with tax."""
    sheet = counter.world.work(invoice, day=day)
    lots = (LotInput(sheet, f"jira:{invoice}#1"),)
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice=invoice, lots=lots)
    counter.ask("approve-invoice", APPROVER, invoice=invoice)
    counter.ask("issue-invoice", PREPARER, invoice=invoice)
    state = counter.world.read(invoice_stream(invoice))
    assert isinstance(state, Issued)
    return state


def state_of(counter: Counter, invoice: str) -> Any:
    return counter.world.read(invoice_stream(invoice))


def test_a_preview_shows_the_invoice_with_its_tax_and_records_nothing(counter: Counter) -> None:
    counter.world.work("1")
    before = counter.world.names()
    answer = counter.ask("preview-invoice", PREPARER, engagement="E-1", invoice="I-1", issued_on=date(2026, 4, 1))
    shown = answer.states[invoice_stream("I-1")]
    document = shown.document
    assert (document.net, document.tax, document.gross) == (euros("1200.00"), euros("228.00"), euros("1428.00"))
    assert (shown.document.number, shown.document.due_on, answer.dry_run) == ("", date(2026, 5, 1), True)
    assert counter.world.names() == before
    with pytest.raises(NothingToBill):
        counter.ask("preview-invoice", PREPARER, engagement="E-1", cut_off=date(2026, 1, 1), lots=())


def test_a_draft_is_previewed_with_its_adjustments(counter: Counter) -> None:
    counter.world.work("1")
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    adjusted = counter.ask(
        "adjust-invoice-line", PREPARER, invoice="I-1", line=1, amount=amount("-200"), reason="Goodwill."
    )
    assert names(adjusted) == ["invoice.lines_adjusted.v1", "engagement.billing_claimed.v1"]
    answer = counter.ask("preview-invoice", PREPARER, draft="I-1")
    assert answer.states[invoice_stream("I-1")].document.gross == euros("1190.00")
    assert isinstance(state_of(counter, "I-1"), Draft)


def test_a_billing_run_adds_late_lots_to_the_draft_that_is_there(counter: Counter) -> None:
    counter.world.work("1")
    first = counter.ask("request-invoice", PREPARER, selling_entity="DE01", group_by="customer")
    (stream,) = first.states
    counter.world.work("2", day=1)
    again = counter.ask("request-invoice", PREPARER, selling_entity="DE01", group_by="customer")
    assert tuple(again.states) == (stream,)
    assert "invoice.lines_added.v1" in names(again)
    counter.world.work("3", day=2)
    refreshed = counter.ask("refresh-draft", PREPARER, invoice=stream.partition(":")[2])
    assert names(refreshed)[-1] == "invoice.lines_added.v1"
    assert len(counter.world.read(stream).lines) == 3
    assert names(counter.ask("refresh-draft", PREPARER, invoice=stream.partition(":")[2])) == []


def test_lots_that_are_named_alone_leave_earlier_work_its_part_of_the_cap(counter: Counter) -> None:
    counter.world.tell(ENGAGEMENT, ChangeCap("L1", euros(1500)))
    counter.world.work("1")
    later = LotInput(counter.world.work("2", day=1), "jira:2#1")
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-2", lots=(later,))
    assert state_of(counter, "I-2").net == euros("300.00")
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    assert state_of(counter, "I-1").net == euros("1200.00")


def test_a_project_that_is_billed_alone_leaves_an_earlier_one_its_part_of_the_cap(counter: Counter) -> None:
    world = counter.world
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "More", TimeAndMaterials())))
    world.tell(ENGAGEMENT, AgreeEngagementCap(Limit(euros(1500))))
    world.tell(stream_of("project", "P-1-L2"), ConfirmSetUp("psa", "p"), ConfirmSetUp("erp", "e"))
    world.work("1")
    sheet, tuesday = timesheet_stream("W-2", MONDAY), MONDAY + timedelta(days=1)
    hours = LogTime("W-2", Claim("jira", "2", NINE), Work("P-1-L2", None, tuesday, Decimal(8)))
    world.tell(sheet, hours, ApproveTime(("jira:2",), "W-9", NINE))
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-2", project="P-1-L2")
    assert state_of(counter, "I-2").net == euros("300.00")


def test_groups_and_layouts_are_known_words(counter: Counter) -> None:
    counter.world.work("1")
    with pytest.raises(InputIncomplete, match="groupBy is one of engagement, customer, project, purchase_order"):
        counter.ask("request-invoice", PREPARER, selling_entity="DE01", group_by="moon")
    with pytest.raises(InputIncomplete, match="layout"):
        counter.ask("request-invoice", PREPARER, engagement="E-1", layout="poem")
    with pytest.raises(NothingToBill):
        counter.ask("request-invoice", PREPARER, selling_entity="DE01", customer="C-9")


def test_postponed_lots_are_not_billed_until_they_may_be(counter: Counter) -> None:
    sheet = counter.world.work("1")
    lots = (LotInput(sheet, "jira:1#1"),)
    asked: dict[str, Any] = {"lots": lots, "until": date(2026, 5, 1), "reason": "The customer asked."}
    assert names(counter.ask("postpone-lots", MANAGER, **asked)) == ["lot.postponed.v1"]
    assert names(counter.ask("postpone-lots", MANAGER, **asked)) == []
    with pytest.raises(NothingToBill):
        counter.ask("request-invoice", PREPARER, engagement="E-1")
    counter.ask("postpone-lots", MANAGER, lots=lots, reason="Now.")
    assert counter.ask("request-invoice", PREPARER, engagement="E-1").states


def test_allowances_in_percent_are_of_the_line_or_of_a_base(counter: Counter) -> None:
    counter.world.work("1")
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    ten = AllowanceInput("allowance", "Volume", percent=Decimal(10))
    counter.ask("state-allowances", PREPARER, invoice="I-1", line=1, allowances=(ten,))
    assert state_of(counter, "I-1").net == euros("1080.00")
    travel = AllowanceInput("charge", "Travel", percent=Decimal(5), base=Decimal(100))
    counter.ask("state-allowances", PREPARER, invoice="I-1", allowances=(travel,))
    assert state_of(counter, "I-1").net == euros("1085.00")
    both = AllowanceInput("allowance", "Both", amount=Decimal(1), percent=Decimal(1))
    for wrong in (both, AllowanceInput("gift", "No such kind", amount=Decimal(1))):
        with pytest.raises(InputIncomplete):
            counter.ask("state-allowances", PREPARER, invoice="I-1", allowances=(wrong,))


def test_an_issued_invoice_is_delivered_and_a_draft_is_not(counter: Counter) -> None:
    issued(counter, "1", 0)
    sent = counter.ask("deliver-invoice", PREPARER, invoice="1", channel="email")
    assert names(sent) == ["invoice.delivered.v1"]
    counter.world.work("2", day=1)
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-2")
    with pytest.raises(NotIssued):
        counter.ask("deliver-invoice", PREPARER, invoice="I-2", channel="email")


def test_a_price_for_no_units_is_refused(counter: Counter) -> None:
    counter.world.work("1")
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    with pytest.raises(BaseQuantityNotPositive):
        counter.ask("state-allowances", PREPARER, invoice="I-1", line=1, allowances=(), base_quantity=Decimal(0))


def test_a_percentage_of_a_line_is_of_what_it_asks_for_rounded_once(counter: Counter) -> None:
    for day in range(3):
        counter.world.work(str(day), "0.333367", day=day)  # 50.00505 is 50.01 each, 150.01515 in all
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    assert state_of(counter, "I-1").net == euros("150.02")
    whole = AllowanceInput("allowance", "Goodwill", percent=Decimal(100))
    counter.ask("state-allowances", PREPARER, invoice="I-1", line=1, allowances=(whole,))
    assert not state_of(counter, "I-1").net


def test_the_adjuster_of_a_draft_may_not_approve_it(counter: Counter) -> None:
    counter.world.work("1")
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    counter.ask("adjust-invoice-line", ADMIN, invoice="I-1", line=1, amount=amount("-1"), reason="Goodwill.")
    with pytest.raises(PreparerApproves):
        counter.ask("approve-invoice", ADMIN, invoice="I-1")
    counter.ask("approve-invoice", APPROVER, invoice="I-1")
    assert isinstance(state_of(counter, "I-1"), Approved)
    with pytest.raises(NotPermitted):
        counter.ask("adjust-invoice-line", APPROVER, invoice="I-1", line=1, amount=amount("-1"), reason="Late.")


def test_a_receipt_pays_two_invoices_and_the_rest_is_refunded(counter: Counter) -> None:
    issued(counter, "I-1", 0)
    issued(counter, "I-2", 1)
    answer = counter.ask(
        "receive-payment",
        PREPARER,
        payment="p-1",
        customer="C-1",
        entity="DE01",
        amount=amount("3000"),
        received_on=date(2026, 4, 10),
        invoices=(AllocationInput("I-1"), AllocationInput("I-2", amount("1000"))),
    )
    assert tuple(answer.states) == (payment_stream("p-1"), invoice_stream("I-1"), invoice_stream("I-2"))
    assert (state_of(counter, "I-1").paid_on, state_of(counter, "I-2").due) == (date(2026, 4, 10), euros("428.00"))
    counter.ask("unapply-payment", PREPARER, payment="p-1", invoice="I-2", reason="Not theirs.")
    counter.ask("apply-payment", PREPARER, payment="p-1", invoices=(AllocationInput("I-2"),))
    refund: dict[str, Any] = {"payment": "p-1", "refund": "r-1", "amount": amount("144"), "reason": "Overpaid."}
    assert names(counter.ask("refund-payment", APPROVER, **refund)) == ["payment.refunded.v1"]
    assert not counter.world.read(payment_stream("p-1")).on_account


def test_payments_of_nothing_known_are_refused(counter: Counter) -> None:
    told: dict[str, Any] = {"payment": "p-1", "customer": "C-1", "entity": "DE01", "amount": amount("10")}
    with pytest.raises(PaymentForUnknownInvoice):
        counter.ask("receive-payment", PREPARER, **told, invoices=(AllocationInput("I-9"),))
    with pytest.raises(PaymentUnknown):
        counter.ask("apply-payment", PREPARER, payment="p-9", invoices=(AllocationInput("I-9"),))


def test_money_of_a_customer_whom_nobody_knows_is_refused(counter: Counter) -> None:
    told: dict[str, Any] = {"payment": "p-1", "entity": "DE01", "amount": amount("10")}
    with pytest.raises(UnknownCustomer, match="C-8"):
        counter.ask("receive-payment", PREPARER, **told, customer="C-8")


@pytest.mark.parametrize("service", ["write-off-receivable", "release-holdback"])
def test_what_is_asked_of_an_invoice_that_there_is_not_is_refused(counter: Counter, service: str) -> None:
    with pytest.raises(InvoiceNotFound, match="I-9"):
        counter.ask(service, APPROVER, invoice="I-9", reason="Insolvent.")


def test_what_was_paid_before_is_stated_on_the_draft(counter: Counter) -> None:
    counter.world.work("1")
    told: dict[str, Any] = {"payment": "p-1", "customer": "C-1", "entity": "DE01", "amount": amount("1000")}
    counter.ask("receive-payment", PREPARER, **told)
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    counter.ask("state-prepayments", PREPARER, invoice="I-1", prepayments=(PrepaymentInput("p-1", amount("1000")),))
    counter.ask("approve-invoice", APPROVER, invoice="I-1")
    assert "invoice.payment_applied.v1" in names(counter.ask("issue-invoice", PREPARER, invoice="I-1"))
    assert state_of(counter, "I-1").due == euros("428.00")


def test_a_disputed_invoice_goes_to_collections_when_the_dispute_is_over_and_is_written_off_in_the_end(
    counter: Counter,
) -> None:
    issued(counter, "I-1", 0)
    late: dict[str, Any] = {"invoice": "I-1", "on": date(2026, 7, 1)}
    counter.ask("dispute-invoice", MANAGER, **late, dispute="d-1", reason="Too many hours.", amount=amount("100"))
    with pytest.raises(InvoiceIsDisputed):
        counter.ask("hand-to-collections", PREPARER, **late, reason="Three reminders.")
    counter.ask("resolve-dispute", PREPARER, **late, dispute="d-1", outcome="They were worked.")
    counter.ask("hand-to-collections", PREPARER, **late, reason="Three reminders.")
    with pytest.raises(NotPermitted):
        counter.ask("write-off-receivable", PREPARER, **late, reason="Insolvent.")
    counter.ask("write-off-receivable", APPROVER, **late, reason="Insolvent.")
    assert not state_of(counter, "I-1").due
    assert counter.world.names()[-3:] == [
        "invoice.dispute_resolved.v1",
        "invoice.handed_to_collections.v1",
        "invoice.written_off.v1",
    ]


def test_a_payment_service_is_about_its_payment(counter: Counter) -> None:
    assert payment_stream("p-1") == StreamId("payment:p-1")
    told: dict[str, Any] = {"payment": "p-1", "customer": "C-1", "entity": "DE01", "amount": amount("10")}
    first = counter.ask("receive-payment", PREPARER, key="same", **told)
    again = counter.ask("receive-payment", PREPARER, key="same", **told)
    assert (again.repeated, again.states.keys()) == (True, first.states.keys())


def test_a_billing_run_bills_the_newest_month_whose_billing_day_has_come(counter: Counter) -> None:
    """Work of a month is billed on the first business day behind it; today is 1 April."""
    first = DayRule("business_day", 1)
    terms = CalendarTerms(date(2020, 1, 1), first, first, "Europe/Berlin")
    counter.world.tell(calendar_stream("DE01"), DefineCalendar("DE01", terms))
    counter.world.work("1")
    counter.world.work("2", day=30)  # on 1 April
    (stream,) = counter.ask("request-invoice", PREPARER, selling_entity="DE01").states
    assert counter.world.read(stream).header.cut_off == date(2026, 3, 31)


@pytest.mark.parametrize("stream", ["DE01", "", "project:P-1", "timesheet:W-1:2026-03-02"])
def test_lots_of_a_stream_that_has_none_are_unknown(counter: Counter, stream: str) -> None:
    lots = (PartOfLotInput(stream, "jira:1#1"),)
    asked: dict[str, dict[str, Any]] = {
        "hold-lots": {"reason": "DISPUTED", "because": "Unclear."},
        "write-off-lots": {"because": "Not worth it."},
        "give-lots-free": {"because": "Goodwill."},
        "postpone-lots": {"reason": "Wait."},
        "transfer-lots": {"engagement": "E-1", "contract_line": "L1", "reason": "Moved."},
    }
    for service, fields in asked.items():
        with pytest.raises(UnknownLot):
            counter.ask(service, ADMIN, lots=lots, **fields)


@pytest.mark.parametrize(
    ("field", "told"), [("cutOff", "9999-12-31"), ("cutOff", "0001-01-01"), ("cutOff", "2026-02-29")]
)
def test_a_day_that_no_business_has_is_named(field: str, told: str) -> None:
    with pytest.raises(RequestInvalid, match="is a date"):
        read_input(RequestInvoiceInput, {field: told})


@pytest.mark.parametrize("told", ["1E29", "1e999999", "10000000000000", "NaN"])
def test_a_number_that_nobody_can_count_is_named(told: str) -> None:
    with pytest.raises(RequestInvalid, match="is a decimal number"):
        read_input(Amount, {"amount": told, "currency": "EUR"})


def test_a_refusal_names_the_object_that_refused(counter: Counter) -> None:
    with pytest.raises(InvoiceNotFound, match="no such invoice") as refused:
        counter.ask("approve-invoice", APPROVER, invoice="I-9")
    assert refused.value.message.endswith("I-9")
    with pytest.raises(PaymentUnknown, match="B-9"):
        counter.ask("apply-payment", PREPARER, payment="B-9", invoices=())
