"""An invoice from draft to paid, and what each state refuses."""

from datetime import UTC, date, datetime
from decimal import Decimal

from domain import invoice
from domain.invoice import (
    AddLines,
    ApproveInvoice,
    ConfirmPosting,
    DiscardDraft,
    DraftDiscarded,
    DraftInvoice,
    Header,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceExists,
    InvoiceIssued,
    InvoiceLine,
    InvoiceNotFound,
    InvoicePaid,
    IssueInvoice,
    LinesAdded,
    NotADraft,
    NotApproved,
    NothingToBill,
    NotIssued,
    Party,
    PaymentAboveBalance,
    PaymentCurrencyDiffers,
    PaymentDiffers,
    PaymentNotPositive,
    PaymentReceived,
    PostingConfirmed,
    PostingInDoubt,
    PostingRejected,
    PostingRequested,
    PostingSent,
    PreparerApproves,
    RecordPayment,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    RequestPosting,
)
from domain.money import Money
from domain.reference.legal_entity import Address
from domain.tax import TaxTreatment
from tests.spec import Given, given

HEADER = Header("E-1", "C-1", "DE01", "EUR", None, date(2026, 3, 31), "paul")
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def line(number: int = 1, net: str = "1600") -> InvoiceLine:
    day = date(2026, 3, 2)
    return InvoiceLine(number, "Senior", Decimal(8), "hour", Decimal(200), euros(net), "P-1", "L1", day, day, ())


DRAFT = DraftInvoice("I-1", HEADER, (line(),))
APPROVE = ApproveInvoice("ann", NOON, euros("1000"))
ISSUE = IssueInvoice(
    number="DE01-2026-000001",
    issued_on=date(2026, 4, 1),
    due_on=date(2026, 5, 1),
    seller=Party("DE01", "Firm", Address("S", "Berlin", "1", "DE"), "DE1"),
    buyer=Party("C-1", "Acme", Address("S", "Bonn", "2", "DE"), None),
    treatments={1: (TaxTreatment("S", Decimal(20)),)},
    functional_currency="EUR",
    fx_rate=Decimal(1),
)


def pay(amount: str = "1920", payment: str = "PAY-1", currency: str = "EUR") -> RecordPayment:
    return RecordPayment(payment, date(2026, 4, 20), Money(Decimal(amount), currency), "bank")


def nothing() -> Given:
    return given(invoice.decider)


def drafted() -> Given:
    return nothing().and_then(DRAFT)


def issued() -> Given:
    return drafted().and_then(APPROVE, ISSUE)


class TestDraft:
    def test_a_draft_is_made_once(self) -> None:
        nothing().when(DRAFT).then(InvoiceDrafted("I-1", HEADER, (line(),)))
        drafted().when(DRAFT).stays_quiet()

    def test_an_empty_draft_or_a_taken_id_is_refused(self) -> None:
        nothing().when(DraftInvoice("I-1", HEADER, ())).refuses(NothingToBill)
        drafted().when(DraftInvoice("I-1", HEADER, (line(2),))).refuses(InvoiceExists, "I-1")

    def test_late_lots_join_until_it_is_approved(self) -> None:
        drafted().when(AddLines((line(2),))).then(LinesAdded((line(2),)))
        drafted().and_then(AddLines((line(2),))).when(AddLines((line(2),))).stays_quiet()
        drafted().and_then(APPROVE).when(AddLines((line(2),))).refuses(NotADraft, "approved")

    def test_it_is_discarded_once(self) -> None:
        drafted().when(DiscardDraft("paul", "wrong")).then(DraftDiscarded("paul", "wrong"))
        drafted().and_then(DiscardDraft("paul", "wrong")).when(DiscardDraft("paul", "wrong")).stays_quiet()
        nothing().when(DiscardDraft("paul", "wrong")).refuses(InvoiceNotFound)
        issued().when(DiscardDraft("paul", "wrong")).refuses(NotADraft, "issued")


class TestApproval:
    def test_another_person_approves_once(self) -> None:
        drafted().when(APPROVE).then(InvoiceApproved("ann", NOON))
        drafted().and_then(APPROVE).when(APPROVE).stays_quiet()

    def test_the_preparer_may_approve_up_to_the_limit_only(self) -> None:
        drafted().when(ApproveInvoice("paul", NOON, euros("1599.99"))).refuses(PreparerApproves, "1,600", "1,599.99")
        drafted().when(ApproveInvoice("paul", NOON, euros("1600"))).then_happens(InvoiceApproved)


class TestIssue:
    def test_it_is_issued_once_with_its_tax_rounded_once(self) -> None:
        drafted().and_then(APPROVE).when(ISSUE).then_happens(InvoiceIssued)
        document = issued().state.document
        assert (document.net, document.tax, document.gross) == (euros("1600"), euros("320.00"), euros("1920.00"))
        issued().when(ISSUE).stays_quiet()

    def test_only_what_is_approved_is_issued(self) -> None:
        drafted().when(ISSUE).refuses(NotApproved)
        nothing().when(ISSUE).refuses(InvoiceNotFound)


class TestPosting:
    def test_it_is_requested_once_and_again_after_a_rejection(self) -> None:
        issued().when(RequestPosting("erp")).then(PostingRequested("erp"))
        asked = issued().and_then(RequestPosting("erp"))
        asked.when(RequestPosting("erp")).stays_quiet()
        asked.when(RejectPosting("erp", "period closed")).then(PostingRejected("erp", "period closed"))
        rejected = asked.and_then(RejectPosting("erp", "period closed"))
        rejected.when(RejectPosting("erp", "period closed")).stays_quiet()
        rejected.when(RequestPosting("erp")).then(PostingRequested("erp"))

    def test_what_is_sent_may_be_in_doubt_until_it_is_confirmed(self) -> None:
        asked = issued().and_then(RequestPosting("erp"))
        asked.when(ReportPostingSent("erp")).then(PostingSent("erp"))
        asked.when(ReportPostingInDoubt("erp", "timeout")).then(PostingInDoubt("erp", "timeout"))
        asked.when(ConfirmPosting("erp", "D-1")).then(PostingConfirmed("erp", "D-1"))
        done = asked.and_then(ConfirmPosting("erp", "D-1"))
        done.when(ConfirmPosting("erp", "D-1"), ReportPostingSent("erp"), RejectPosting("erp", "late")).stays_quiet()

    def test_a_draft_is_not_posted(self) -> None:
        drafted().when(RequestPosting("erp")).refuses(NotIssued, "draft")


class TestPayment:
    def test_the_last_payment_settles_the_invoice(self) -> None:
        issued().when(pay("1000")).then_happens(PaymentReceived)
        issued().and_then(pay("1000")).when(pay("920", "PAY-2")).then_happens(PaymentReceived, InvoicePaid)

    def test_a_payment_is_recorded_once(self) -> None:
        issued().and_then(pay()).when(pay()).stays_quiet()

    def test_a_wrong_payment_is_refused(self) -> None:
        issued().when(pay("1920.01")).refuses(PaymentAboveBalance, "1,920.01")
        issued().when(pay("0")).refuses(PaymentNotPositive)
        issued().when(pay(currency="USD")).refuses(PaymentCurrencyDiffers, "USD")
        issued().and_then(pay("10")).when(pay("20")).refuses(PaymentDiffers, "PAY-1")
        drafted().when(pay()).refuses(NotIssued)
