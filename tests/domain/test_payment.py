"""Money that arrives, what it settles, what is on account, and what happens to what is not paid."""

from datetime import date
from decimal import Decimal

import pytest

from domain import payment, receivables
from domain.billing import adjusting
from domain.contract import ContractLine, TimeAndMaterials
from domain.conversion import FxRateMissing
from domain.invoice import (
    DisputeInvoice,
    Draft,
    HandedToCollections,
    HandToCollections,
    HoldbackExceeded,
    InvoiceIsDisputed,
    InvoicePaid,
    InvoicePaymentApplied,
    Issued,
    NotIssued,
    NotOverdue,
    PaymentAboveBalance,
    Prepayment,
    ReceivableWrittenOff,
    ResolveDispute,
    TakePayment,
    UnknownDispute,
    WriteOffAboveBalance,
    WriteOffAboveTax,
    invoice_stream,
)
from domain.invoice import decider as invoice_decider
from domain.kernel import stream_of
from domain.money import Money, UnknownCurrency
from domain.payment import (
    AboveOnAccount,
    AppliedDifferently,
    ApplyPayment,
    MoneyReceived,
    Payment,
    PaymentApplied,
    PaymentOfOtherEntity,
    PaymentRefunded,
    PaymentUnapplied,
    PaymentUnknown,
    ReceiptCurrencyDiffers,
    ReceiptDiffers,
    ReceiptNotPositive,
    ReceivePayment,
    RefundPayment,
    UnapplyPayment,
    payment_stream,
)
from domain.receivables import Allocation, PaymentForUnknownInvoice
from domain.reference.fx_rate import PublishFxRate, fx_stream
from tests.spec import Given, given
from tests.world import World, euros

APRIL = date(2026, 4, 10)
MAY = date(2026, 5, 2)
RECEIPT = ReceivePayment("p-1", "C-1", "DE01", APRIL, euros("1000.00"), "thanks")
RECEIVED = MoneyReceived("p-1", "C-1", "DE01", APRIL, euros("1000.00"), "thanks")


def receipt() -> Given:
    return given(payment.decider, RECEIVED)


# -- one receipt -----------------------------------------------------------------------------------------------------


def test_a_receipt_is_recorded_once() -> None:
    given(payment.decider).when(RECEIPT).then(RECEIVED)
    receipt().when(RECEIPT).stays_quiet()
    receipt().when(ReceivePayment("p-1", "C-1", "DE01", APRIL, euros(1), "")).refuses(ReceiptDiffers, "1,000")
    given(payment.decider).when(ReceivePayment("p", "C-1", "DE01", APRIL, euros(0))).refuses(ReceiptNotPositive)


def test_money_in_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        ReceivePayment("p", "C-1", "DE01", APRIL, Money(Decimal(1), "XXY"))


def test_what_is_not_applied_is_on_account() -> None:
    applied = receipt().and_then(ApplyPayment("I-1", APRIL, euros("600.00"), euros("600.00")))
    assert applied.state.on_account == euros("400.00")
    applied.when(ApplyPayment("I-1", APRIL, euros("600.00"), euros("600.00"))).stays_quiet()
    applied.when(ApplyPayment("I-1", APRIL, euros("500.00"), euros("500.00"))).refuses(AppliedDifferently)
    applied.when(ApplyPayment("I-2", APRIL, euros("400.01"), euros("400.01"))).refuses(AboveOnAccount, "400")
    receipt().when(ApplyPayment("I-1", APRIL, euros(1), Money(Decimal(1), "USD"))).refuses(ReceiptCurrencyDiffers)


def test_what_was_applied_comes_back_on_account() -> None:
    applied = receipt().and_then(ApplyPayment("I-1", APRIL, euros(600), euros(600)))
    undone = applied.when(UnapplyPayment("I-1", MAY, "wrong invoice"))
    undone.then(PaymentUnapplied("I-1", MAY, euros(600), euros(600), "wrong invoice"))
    assert undone.state.on_account == euros("1000.00")
    receipt().when(UnapplyPayment("I-9", MAY, "never was")).stays_quiet()
    given(payment.decider).when(UnapplyPayment("I-1", MAY, "who?")).refuses(PaymentUnknown)


def test_no_more_is_refunded_than_is_on_account() -> None:
    refund = RefundPayment("r-1", MAY, euros(400), "overpaid", "ann")
    refunded = receipt().and_then(refund)
    receipt().when(refund).then(PaymentRefunded("r-1", MAY, euros(400), "overpaid", "ann"))
    assert refunded.state.on_account == euros("600.00")
    refunded.when(refund).stays_quiet()
    refunded.when(RefundPayment("r-2", MAY, euros(601), "more", "ann")).refuses(AboveOnAccount)


# -- receipts and invoices -------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> World:
    """Two issued invoices of 1,428 each."""
    world = World().firm().contract()
    for name in ("1", "2"):
        sheet = world.work(name, day=int(name))
        lots = [lot for lot in world.lots(sheet) if lot.lot == f"jira:{name}#1"]
        world.draft(f"I-{name}", lots).approve(f"I-{name}").issue(f"I-{name}")
    return world


def issued(world: World, name: str) -> Issued:
    state = world.read(invoice_stream(name))
    assert isinstance(state, Issued)
    return state


def receive(
    world: World, amount: str, *allocations: Allocation, payment: str = "p-1", currency: str = "EUR"
) -> Payment:
    asked = ReceivePayment(payment, "C-1", "DE01", APRIL, Money(Decimal(amount), currency))
    world.record(receivables.receive_payment(world.read, asked, allocations))
    state: Payment = world.read(payment_stream(payment))
    return state


def test_one_payment_settles_several_invoices_and_the_rest_is_on_account(world: World) -> None:
    paid = receive(world, "3000", Allocation("I-1"), Allocation("I-2", euros("1428.00")))
    assert [issued(world, name).paid_on for name in ("I-1", "I-2")] == [APRIL, APRIL]
    assert paid.on_account == euros("144.00")


def test_the_same_message_again_changes_nothing(world: World) -> None:
    receive(world, "3000", Allocation("I-1"), Allocation("I-2", euros("1428.00")))
    before = world.names()
    receive(world, "3000", Allocation("I-1"), Allocation("I-2", euros("1428.00")))
    assert world.names() == before


def test_a_part_payment_leaves_the_rest_due(world: World) -> None:
    receive(world, "1000", Allocation("I-1"))
    assert (issued(world, "I-1").due, issued(world, "I-1").paid_on) == (euros("428.00"), None)


def test_more_than_is_due_is_not_taken_by_the_invoice(world: World) -> None:
    with pytest.raises(PaymentAboveBalance):
        receive(world, "2000", Allocation("I-1", euros("1428.01")))
    assert receive(world, "2000", Allocation("I-1")).on_account == euros("572.00")


def test_money_for_an_invoice_that_is_paid_already_is_on_account(world: World) -> None:
    due = issued(world, "I-1").due
    receive(world, str(due.amount), Allocation("I-1"))
    again = receive(world, "500", Allocation("I-1"), Allocation("I-2"), payment="p-2")
    assert (again.on_account, issued(world, "I-1").due) == (euros(0), euros(0))
    assert issued(world, "I-2").applied["p-2"].amount == euros(500)
    more = receive(world, "70", Allocation("I-1"), payment="p-3")
    assert more.on_account == euros(70)


def test_a_payment_names_issued_invoices_only(world: World) -> None:
    with pytest.raises(PaymentForUnknownInvoice):
        receive(world, "10", Allocation("I-9"))
    world.draft("I-3", [lot for lot in world.lots(world.work("3", day=3)) if lot.lot == "jira:3#1"])
    with pytest.raises(NotIssued):
        receive(world, "10", Allocation("I-3"))


def test_money_of_one_legal_entity_does_not_settle_what_is_owed_to_another(world: World) -> None:
    elsewhere = ReceivePayment("p-1", "C-1", "FR01", APRIL, euros(2000))
    with pytest.raises(PaymentOfOtherEntity, match="I-1 is of DE01, the money is with FR01"):
        world.record(receivables.receive_payment(world.read, elsewhere, [Allocation("I-1")]))
    world.record(receivables.receive_payment(world.read, elsewhere, []))
    with pytest.raises(PaymentOfOtherEntity):
        world.record(receivables.apply_payment(world.read, "p-1", [Allocation("I-1")], MAY))
    world.draft("I-3", [lot for lot in world.lots(world.work("3", day=3)) if lot.lot == "jira:3#1"])
    with pytest.raises(PaymentOfOtherEntity):
        world.record(adjusting.state_prepayments(world.read, "I-3", (Prepayment("p-1", euros(10)),)))


def test_money_on_account_is_applied_later_and_taken_back(world: World) -> None:
    receive(world, "2000")
    world.record(receivables.apply_payment(world.read, "p-1", [Allocation("I-1")], MAY))
    assert issued(world, "I-1").paid_on == MAY
    world.record(receivables.unapply_payment(world.read, "p-1", "I-1", MAY, "It was for another."))
    assert (issued(world, "I-1").due, issued(world, "I-1").paid_on) == (euros("1428.00"), None)
    assert world.read(payment_stream("p-1")).on_account == euros(2000)
    with pytest.raises(PaymentUnknown):
        receivables.apply_payment(world.read, "p-9", [Allocation("I-1")], MAY)


def test_money_in_another_currency_settles_at_the_receipts_rate_and_both_amounts_are_kept(world: World) -> None:
    with pytest.raises(FxRateMissing):
        receive(world, "1600", Allocation("I-1"), currency="USD")
    world.tell(fx_stream("EUR", "USD"), PublishFxRate("EUR", "USD", APRIL, Decimal("1.10"), "ECB"))
    paid = receive(world, "1600", Allocation("I-1"), currency="USD")
    settled = Money(Decimal("1570.80"), "USD")
    assert issued(world, "I-1").applied["p-1"] == InvoicePaymentApplied("p-1", APRIL, euros("1428.00"), settled)
    assert paid.applied["I-1"] == PaymentApplied("I-1", APRIL, euros("1428.00"), settled)
    assert paid.on_account == Money(Decimal("29.20"), "USD")


def test_the_bank_may_say_itself_what_another_currency_settles(world: World) -> None:
    told = Allocation("I-1", euros("1428.00"), Money(Decimal("1555.55"), "USD"))
    assert receive(world, "1555.55", told, currency="USD").on_account == Money(Decimal("0.00"), "USD")
    assert issued(world, "I-1").paid_on == APRIL


def test_what_was_paid_before_reduces_what_is_asked_for_and_is_applied_at_issue(world: World) -> None:
    receive(world, "1000")
    world.draft("I-3", [lot for lot in world.lots(world.work("3", day=3)) if lot.lot == "jira:3#1"])
    world.record(adjusting.state_prepayments(world.read, "I-3", (Prepayment("p-1", euros("1000.00")),)))
    world.approve("I-3").issue("I-3")
    state = issued(world, "I-3")
    assert (state.document.gross, state.document.prepaid) == (euros("1428.00"), euros("1000.00"))
    assert (state.document.payable, state.due) == (euros("428.00"), euros("428.00"))
    assert not world.read(payment_stream("p-1")).on_account


def test_no_more_is_prepaid_than_is_on_account(world: World) -> None:
    world.draft("I-3", [lot for lot in world.lots(world.work("3", day=3)) if lot.lot == "jira:3#1"])
    with pytest.raises(PaymentUnknown):
        adjusting.state_prepayments(world.read, "I-3", (Prepayment("p-1", euros(1)),))
    receive(world, "1000")
    with pytest.raises(AboveOnAccount):
        adjusting.state_prepayments(world.read, "I-3", (Prepayment("p-1", euros("1000.01")),))


# -- what is not paid ------------------------------------------------------------------------------------------------


def test_a_disputed_invoice_is_not_handed_to_collections(world: World) -> None:
    stream = invoice_stream("I-1")
    world.tell(stream, DisputeInvoice("d-1", MAY, "Too many hours.", "eve", euros(100)))
    hand = HandToCollections("collections", MAY, "ann", "Three reminders.")
    with pytest.raises(InvoiceIsDisputed):
        world.tell(stream, hand)
    with pytest.raises(UnknownDispute):
        world.tell(stream, ResolveDispute("d-9", MAY, "?", "ann"))
    world.tell(stream, ResolveDispute("d-1", MAY, "The hours are right.", "ann"), hand)
    handed = HandedToCollections("collections", MAY, euros("1428.00"), "ann", "Three reminders.")
    assert issued(world, "I-1").collections == handed


def test_only_what_is_overdue_is_handed_to_collections(world: World) -> None:
    with pytest.raises(NotOverdue):
        world.tell(invoice_stream("I-1"), HandToCollections("collections", date(2026, 5, 1), "ann", "Too early."))
    receive(world, "1428", Allocation("I-1"))
    with pytest.raises(NotOverdue):
        world.tell(invoice_stream("I-1"), HandToCollections("collections", MAY, "ann", "It is paid."))


def test_what_is_due_is_written_off_once(world: World) -> None:
    receive(world, "1000", Allocation("I-1"))
    with pytest.raises(WriteOffAboveBalance):
        world.record(receivables.write_off(world.read, "I-1", euros("428.01"), "Insolvent.", "cfo", MAY))
    world.record(receivables.write_off(world.read, "I-1", None, "Insolvent.", "cfo", MAY))
    assert issued(world, "I-1").write_offs == (ReceivableWrittenOff(euros("428.00"), MAY, MAY, "cfo", "Insolvent."),)
    assert not issued(world, "I-1").due
    assert not receivables_again(world)


def test_no_more_tax_is_claimed_back_than_was_charged_and_is_written_off(world: World) -> None:
    """1,428.00 with 228.00 of tax: half of it is written off with its tax, then no more than the other half."""
    half = receivables.write_off(world.read, "I-1", euros(714), "Insolvent.", "cfo", MAY, euros(114))
    world.record(half)
    for amount, tax in (("714", "114.01"), ("100", "100.01"), ("714", "0")):
        with pytest.raises(WriteOffAboveTax):
            world.record(receivables.write_off(world.read, "I-1", euros(amount), "Insolvent.", "cfo", MAY, euros(tax)))
    rest = receivables.write_off(world.read, "I-1", None, "Insolvent.", "cfo", MAY, euros(114))
    world.record(rest)
    assert [each.tax for each in issued(world, "I-1").write_offs] == [euros(114), euros(114)]


def test_nothing_is_not_taken_for_all_that_is_due_or_kept_back() -> None:
    line = ContractLine("L1", "Work", TimeAndMaterials(), holdback_percent=Decimal(10))
    world = World().firm().contract(line=line)
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    with pytest.raises(WriteOffAboveBalance):
        world.record(receivables.write_off(world.read, "I-1", euros(0), "Insolvent.", "cfo", MAY))
    for into in (None, "I-9"):
        with pytest.raises(HoldbackExceeded):
            world.record(receivables.release_holdback(world.read, "I-1", euros(0), "Accepted.", "ann", MAY, into))
    assert (issued(world, "I-1").due, issued(world, "I-1").held_back) == (euros("1308.00"), euros("120.00"))


def receivables_again(world: World) -> list[object]:
    unit = world.ledger.unit()
    for each in receivables.write_off(world.read, "I-1", None, "Insolvent.", "cfo", MAY):
        unit.decide(each, None)  # type: ignore[arg-type]  # nothing is caused
    return list(unit.new)


def test_a_paid_invoice_says_when(world: World) -> None:
    state = issued(world, "I-1")
    events = invoice_decider.decide(TakePayment("p", APRIL, euros("1428.00"), euros("1428.00")), state)
    assert events == [InvoicePaymentApplied("p", APRIL, euros("1428.00"), euros("1428.00")), InvoicePaid(APRIL)]


def test_nothing_is_released_where_nothing_is_kept_back(world: World) -> None:
    with pytest.raises(HoldbackExceeded):
        receivables.release_holdback(world.read, "I-1", None, "Accepted.", "ann", MAY, "I-9")
    assert not isinstance(world.read(stream_of("invoice", "I-9")), Draft)
