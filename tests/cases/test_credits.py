"""Published cases of credits: the credited hours alone are open again, at tax and exchange rate of the invoice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.services.crediting import CreditedPartInput
from api.services.drafts import LotInput
from api.services.service import Amount
from domain.credit_note import IssuedCredit, credit_note_stream
from domain.invoice import Issued, invoice_stream
from domain.kernel import StreamId
from domain.money import Money
from domain.ports import LotAt
from domain.processes.pricing import Pricing
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.timesheet import ApproveTime, Claim, DecidePeriod, EntryInvoiced, LogTime, Work, timesheet_stream
from projections.eligibility.items import ITEMS, Item
from projections.invoices.fold import INVOICES
from tests.api.services.desk import APPROVER, PREPARER, Counter
from tests.cases.books import Firm
from tests.cases.report import Record, published
from tests.projections.books import fold
from tests.world import MONDAY, NEW_YEAR, NINE, NoCandidates, World

MAY = date(2026, 5, 4)


def billed(counter: Counter, lots: list[LotAt], invoice: str = "I-1") -> Counter:
    """The lots on an issued invoice, as people at a desk make it."""
    named = tuple(LotInput(each.stream, each.lot) for each in lots)
    cut_off = date(2026, 12, 31)
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice=invoice, lots=named, cut_off=cut_off)
    counter.ask("approve-invoice", APPROVER, invoice=invoice)
    counter.ask("issue-invoice", PREPARER, invoice=invoice, issued_on=date(2026, 4, 1))
    return counter


def credited(counter: Counter, *parts: CreditedPartInput) -> IssuedCredit:
    told: dict[str, Any] = {"invoice": "I-1", "parts": parts, "reason": "Agreed.", "credit_note": "CN-1"}
    counter.ask("draft-credit-note", PREPARER, **told)
    counter.ask("approve-credit-note", APPROVER, credit_note="CN-1")
    counter.ask("issue-credit-note", PREPARER, credit_note="CN-1", issued_on=MAY)
    state = counter.world.react().read(credit_note_stream("CN-1"))
    assert isinstance(state, IssuedCredit)
    return state


def items(world: World, state: str) -> list[Item]:
    """The lots of a state, as billingEligibility tells them."""
    rows = (ITEMS.row(values) for values in fold(world.ledger).all(ITEMS).values())
    return sorted((row for row in rows if row.state == state), key=lambda row: row.work_date)


def hours(world: World, state: str) -> Decimal:
    return sum((row.quantity for row in items(world, state)), Decimal(0))


def repriced(world: World, hourly: Decimal, *sheets: StreamId) -> None:
    """The firm's card says another rate, and the work that is not billed is priced by it."""
    currency = world.read(invoice_stream("I-1")).document.net.currency
    row = RateRow("senior", Money(hourly, currency), NEW_YEAR, role="Senior")
    world.tell(rate_card_stream("firm", "FIRM"), SetRate(row))
    for fact in world.ledger.read(0, 10_000):
        if fact.stream in sheets and fact.name == "timesheet.approved.v1":
            world.record(Pricing().react(fact, world.read, NoCandidates()))


def test_h18_the_credited_day_can_be_billed_again_and_the_other_stays_billed(case: Record) -> None:
    told = published()["H18"]
    firm = Firm(vat="0").sells()
    days = [date(2026, int(day[:2]), int(day[3:])) for day, _ in told["inputs"]["log"]]
    logged = [str(each) for _, each in told["inputs"]["log"]]
    lots: list[LotAt] = []
    for day, each in zip(days, logged, strict=True):
        sheet = firm.work(f"{day}", each, day=(day - MONDAY).days)
        lots += [at for at in firm.lots(sheet) if at not in lots]
    counter = billed(Counter(firm), lots[:2])
    case("H18", "billed hours", Decimal(str(told["inputs"]["billed"])), hours(firm, "billed"))
    credited(counter, CreditedPartInput(1, lots[1].lot, Decimal(str(told["inputs"]["credited"]))))
    case("H18", "hours to bill again", Decimal(str(told["expected"]["rebill_hours"])), hours(firm, "eligible"))
    assert [row.work_date for row in items(firm, "billed")] == days[:1]


def test_e265840_a_credit_of_line_1_opens_line_1_only(case: Record) -> None:
    firm = Firm().sells()
    counter = Counter(firm)
    lots = firm.works("8", "4")
    named = tuple(LotInput(each.stream, each.lot) for each in lots)
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1", lots=named, layout="detail")
    counter.ask("approve-invoice", APPROVER, invoice="I-1")
    counter.ask("issue-invoice", PREPARER, invoice="I-1")
    document = counter.world.read(invoice_stream("I-1")).document
    credited(counter, CreditedPartInput(1))
    first, second = ([lot.lot for lot in line.lots] for line in document.lines)
    reopened = [row.item for row in items(firm, "eligible")]
    assert [row.item for row in items(firm, "billed")] == second
    case("E265840", "reopened", published()["E265840"]["expected"]["reopened"], _line_of(reopened, first))


def _line_of(reopened: list[str], first: list[str]) -> str:
    return "line 1 only" if reopened == first else f"{reopened}"


def test_s1b_two_of_eight_hours_are_credited_and_billed_at_another_rate(case: Record) -> None:
    told = published()["S1b"]
    inputs = told["inputs"]
    firm = Firm(vat=inputs["vat"].rstrip("%"), hourly=str(inputs["rate"])).sells()
    lots = firm.works(str(inputs["invoiced_h"]))
    counter = billed(Counter(firm), lots)
    note = credited(counter, CreditedPartInput(1, quantity=Decimal(inputs["credit_h"])))
    case("S1b", "credited gross", Decimal(480), note.credit.gross.amount)
    case("S1b", "credited tax", Decimal(80), note.credit.tax.amount)
    repriced(firm, Decimal(inputs["rebill_rate"]), lots[0].stream)
    (reopened,) = items(firm, "eligible")
    assert (reopened.quantity, reopened.price) == (Decimal(inputs["credit_h"]), Decimal(inputs["rebill_rate"]))
    billed(counter, [LotAt(StreamId(reopened.stream), reopened.item)], "I-2")
    rows = [INVOICES.row(values) for values in fold(firm.ledger).all(INVOICES).values()]
    case(
        "S1b",
        "billed net",
        Decimal(told["expected"]["net_revenue"]),
        sum(row.net for row in rows) - note.credit.net.amount,
    )
    case("S1b", "due", Decimal(told["expected"]["ar"]), sum(row.due for row in rows))


def test_fx3_a_credit_keeps_the_rate_and_the_amounts_of_its_invoice(case: Record) -> None:
    inputs = published()["FX3"]["inputs"]
    firm = Firm(functional="USD", currency="EUR", hourly="125", vat=inputs["vat"].rstrip("%"))
    for day in (MONDAY, date(2026, 4, 1)):
        firm.rate_on(day, "EUR", "USD", inputs["rate_inv"])
    firm.rate_on(MAY, "EUR", "USD", inputs["rate_credit_date"])
    firm.rate_on(date(2026, 5, 1), "EUR", "USD", inputs["rate_credit_date"])
    firm.sells()
    counter = billed(Counter(firm), firm.works("8"))
    note = credited(counter, CreditedPartInput(1))
    case("FX3", "rate of the credit", Decimal(inputs["rate_inv"]), note.credit.fx_rate)
    case("FX3", "credited in EUR", Decimal(1200), note.credit.gross.amount)
    case("FX3", "credited in USD", Decimal(1320), note.credit.gross.amount * note.credit.fx_rate)


def h15_firm() -> tuple[Firm, Mapping[str, Any]]:
    told = published()["H15"]
    inputs = told["inputs"]
    return Firm(hourly=str(inputs["bill_rate"]), cost=str(inputs["cost_rate"])).sells(), told["expected"]


def approved_for(firm: Firm, hours: str | None) -> list[LotAt]:
    """Eight hours that were approved for so many, or as they were worked."""
    sheet, at = firm.work("1", "8", approve=False), NINE + timedelta(hours=10)
    firm.tell(sheet, ApproveTime(("jira:1",), "W-9", at, {"jira:1": Decimal(hours)} if hours else {}))
    return firm.lots(sheet)


def values(firm: Firm) -> dict[str, Decimal]:
    """What work is worth by its state, and what it costs, of everything that counts."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for state in ("eligible", "held", "billed"):
        for row in items(firm, state):
            found[state] += row.value or 0
            found["cost"] += row.cost or 0
    return found


def test_h15_eight_hours_are_approved(case: Record) -> None:
    firm, expected = h15_firm()
    approved_for(firm, None)
    case("H15", "approve: cost", Decimal(expected["approve"]["cost"]), values(firm)["cost"])
    case("H15", "approve: unbilled", Decimal(expected["approve"]["unbilled"]), values(firm)["eligible"])


def test_h15_six_of_eight_hours_are_approved(case: Record) -> None:
    firm, expected = h15_firm()
    approved_for(firm, "6")
    figures = expected["approve_6_of_8"]
    case("H15", "approve 6 of 8: chargeable", Decimal(figures["chargeable"]), values(firm)["eligible"])
    case("H15", "approve 6 of 8: non_chargeable", Decimal(figures["non_chargeable"]), values(firm)["held"])
    case("H15", "approve 6 of 8: cost", Decimal(figures["cost"]), values(firm)["cost"])
    (held,) = items(firm, "held")
    assert list(held.codes) == ["APPROVER_REDUCED"]


def test_h15_ten_hours_are_approved_of_eight(case: Record) -> None:
    firm, expected = h15_firm()
    approved_for(firm, "10")
    chargeable = Decimal(expected["approve_10_of_8"]["chargeable"])
    case("H15", "approve 10 of 8: chargeable", chargeable, values(firm)["eligible"])
    assert values(firm)["cost"] == 800


def test_h15_the_approval_is_cancelled(case: Record) -> None:
    firm, expected = h15_firm()
    approved_for(firm, None)
    before = values(firm)
    week = MONDAY + timedelta(days=6)
    later = NINE + timedelta(days=1)
    verdict = DecidePeriod("W-1", MONDAY, MONDAY, week, "open", "W-9", later)
    firm.tell(timesheet_stream("W-1", MONDAY), verdict)
    after, figures = values(firm), expected["cancel_approval"]
    case("H15", "cancelled: cost", Decimal(figures["cost"]), after["cost"] - before["cost"])
    case("H15", "cancelled: unbilled", Decimal(figures["unbilled"]), after["eligible"] - before["eligible"])


def test_h15_what_is_invoiced_as_it_was_approved_is_unbilled_no_more(case: Record) -> None:
    firm, expected = h15_firm()
    lots = approved_for(firm, None)
    before = values(firm)
    billed(Counter(firm), lots)
    after, figures = values(firm), expected["invoice_unchanged"]
    case("H15", "invoiced: unbilled", Decimal(figures["unbilled"]), after["eligible"] - before["eligible"])
    case("H15", "invoiced: billed", Decimal(figures["billed"]), after["billed"] - before["billed"])


def test_h15_six_of_eight_hours_are_charged_on_the_invoice(case: Record) -> None:
    """Two hours are written down on the draft, visibly: the lot is billed in full, and its line for less."""
    firm, expected = h15_firm()
    counter = Counter(firm)
    named = tuple(LotInput(each.stream, each.lot) for each in approved_for(firm, None))
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1", lots=named)
    down: dict[str, Any] = {
        "invoice": "I-1",
        "line": 1,
        "amount": Amount(Decimal(-400), "EUR"),
        "reason": "Two hours are free.",
    }
    counter.ask("adjust-invoice-line", PREPARER, **down)
    counter.ask("approve-invoice", APPROVER, invoice="I-1")
    counter.ask("issue-invoice", PREPARER, invoice="I-1")
    net = firm.read(invoice_stream("I-1")).document.net.amount
    figures = expected["invoice_6_of_8"]
    case("H15", "invoiced 6 of 8: billed_chargeable", Decimal(figures["billed_chargeable"]), net)
    given = values(firm)["billed"] - net
    case("H15", "invoiced 6 of 8: billed_non_chargeable", Decimal(figures["billed_non_chargeable"]), given)


def test_h15_a_posted_invoice_of_eight_hours_is_corrected_to_six(case: Record) -> None:
    told = published()["H15"]
    expected = told["expected"]["correct_posted_invoice_to_6"]
    firm = Firm(hourly=str(told["inputs"]["bill_rate"]), cost=str(told["inputs"]["cost_rate"])).sells()
    counter = billed(Counter(firm), firm.works(str(told["inputs"]["hours"])))
    credited(counter, CreditedPartInput(1, quantity=Decimal(2)))
    for figure, state in (("billed_net", "billed"), ("left_open", "eligible")):
        value = sum((row.value for row in items(firm, state) if row.value is not None), Decimal(0))
        case("H15", f"corrected to 6: {figure}", Decimal(expected[figure]), value)


def test_hours_that_were_corrected_at_their_source_are_taken_up_once_they_were_credited() -> None:
    firm = Firm().sells()
    (lot,) = firm.works("8")
    counter = billed(Counter(firm), [lot])
    work = Work("P-1-L1", None, MONDAY, Decimal(6), started="09:00:00")
    correction = LogTime("W-1", Claim("jira", "0", NINE + timedelta(days=40)), work)
    with pytest.raises(EntryInvoiced):
        firm.tell(lot.stream, correction)
    credited(counter, CreditedPartInput(1))
    firm.tell(lot.stream, correction)
    assert firm.read(lot.stream).entries["jira:0"].work.hours == 6
    state = firm.read(invoice_stream("I-1"))
    assert isinstance(state, Issued)
    assert not state.due
