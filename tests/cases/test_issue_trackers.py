"""What other systems were found to bill wrongly, as their issue trackers tell it, with what should have come out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from api.services.crediting import CreditedPartInput
from api.services.drafts import LotInput, PrepaymentInput
from api.services.service import Amount
from domain.invoice import invoice_stream
from domain.ports import LotAt
from domain.timesheet import ApproveTime
from tests.api.services.desk import APPROVER, PREPARER, Counter
from tests.cases.books import Firm
from tests.cases.report import Record
from tests.cases.test_credits import hours, items
from tests.cases.test_documents import document_of
from tests.cases.test_published_taxes import firm_in, invoiced, sold
from tests.world import MONDAY, NINE

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


class Desk(Counter):
    """Work is logged, drafted, issued and credited; every question is a new one."""

    def __init__(self, hourly: str = "100") -> None:
        super().__init__(Firm(hourly=hourly).sells())

    def log(self, on: date, length: str) -> list[LotAt]:
        before = self._lots()
        self.world.work(f"{on}-{len(before)}", length, day=(on - MONDAY).days)
        return [at for at in self._lots() if at not in before]

    def _lots(self) -> list[LotAt]:
        streams = {fact.stream: None for fact in self.world.ledger.read(0, 10_000) if fact.name == "lot.rated.v1"}
        return self.world.lots(*streams)

    def does(self, service: str, who: Any = PREPARER, **fields: Any) -> None:
        self.ask(service, who, key=f"{service}-{len(self.world.names())}", **fields)

    def drafts(self, invoice: str, lots: Sequence[LotAt] | None = None) -> Decimal:
        """What is billed, of all that is open or of these lots; its hours."""
        named = None if lots is None else tuple(LotInput(each.stream, each.lot) for each in lots)
        told: dict[str, Any] = {"engagement": "E-1", "invoice": invoice, "cut_off": date(2026, 12, 31)}
        self.does("request-invoice", **told, **({} if named is None else {"lots": named}))
        lines = self.world.read(invoice_stream(invoice)).lines
        return sum((line.quantity for line in lines), Decimal(0))

    def issues(self, invoice: str) -> None:
        self.does("approve-invoice", APPROVER, invoice=invoice)
        self.does("issue-invoice", invoice=invoice)

    def credits(self, quantity: str | None) -> None:
        told = Decimal(quantity) if quantity is not None else None
        self.does(
            "draft-credit-note",
            invoice="I-1",
            parts=(CreditedPartInput(1, quantity=told),),
            reason="Agreed.",
            credit_note="CN-1",
        )
        self.does("approve-credit-note", APPROVER, credit_note="CN-1")
        self.does("issue-credit-note", credit_note="CN-1")


def test_a_bill_of_a_later_period_is_not_less_by_an_earlier_credit(case: Record) -> None:
    desk = Desk()
    desk.drafts("I-1", desk.log(MONDAY, "10"))
    desk.issues("I-1")
    desk.credits("4")
    case("O277727", "hours of the later period", Decimal(15), desk.drafts("I-2", desk.log(JULY, "15")))
    case("O277727", "hours to bill again", Decimal(4), hours(desk.world, "eligible"))


def test_credited_hours_are_billed_again_once(case: Record) -> None:
    desk = Desk()
    desk.drafts("I-1", desk.log(MONDAY, "20"))
    desk.issues("I-1")
    desk.credits("11")
    desk.log(MONDAY + timedelta(days=1), "5")
    case("O268025", "hours of the second bill", Decimal(16), desk.drafts("I-2"))
    desk.issues("I-2")
    desk.log(MONDAY + timedelta(days=2), "3")
    case("O278800", "hours of the third bill", Decimal(3), desk.drafts("I-3"))


def test_a_bill_that_is_written_up_covers_no_later_hours(case: Record) -> None:
    desk = Desk()
    first = desk.log(JUNE, "1")
    later = desk.log(JULY, "1")
    desk.drafts("I-1", first)
    desk.does("adjust-invoice-line", invoice="I-1", line=1, amount=Amount(Decimal(200), "EUR"), reason="Agreed.")
    desk.issues("I-1")
    case("O284470", "hours of July", Decimal(1), desk.drafts("I-2", later))


def test_a_credit_in_full_makes_the_hours_billable_again(case: Record) -> None:
    desk = Desk()
    desk.drafts("I-1", desk.log(MONDAY, "8"))
    desk.issues("I-1")
    desk.credits(None)
    case("E51131", "hours to bill again", Decimal(8), hours(desk.world, "eligible"))
    case("E51131", "hours that are billed", Decimal(0), hours(desk.world, "billed"))


def test_goodwill_lowers_the_bill_and_not_the_cost(case: Record) -> None:
    firm = Firm(hourly="100", cost="50").sells()
    sheet, at = firm.work("1", "4", approve=False), NINE + timedelta(hours=10)
    firm.tell(sheet, ApproveTime(("jira:1",), "W-9", at, {"jira:1": Decimal(3)}))
    billable, held = items(firm, "eligible"), items(firm, "held")
    case("E50392", "billed", Decimal(300), sum((row.value or 0 for row in billable), Decimal(0)))
    case("E50392", "cost", Decimal(200), sum((row.cost or 0 for row in (*billable, *held)), Decimal(0)))


def test_half_a_cent_and_half_a_yen_of_tax_are_rounded_up(case: Record) -> None:
    case("O23563", "tax of 34.55 at 10 %", Decimal("3.46"), document_of(10, "34.55").tax.amount)
    yen = invoiced(sold(firm_in("JP", "JPY"), "12345"))
    case(
        "O100478",
        "tax and total of 12,345 at 10 %",
        [Decimal(1235), Decimal(13580)],
        [yen.tax.amount, yen.gross.amount],
    )


def test_a_line_is_rounded_before_it_is_converted(case: Record) -> None:
    """0.80 x 894.34 is 715.47 in its currency, and that at 1,189.5 in the books."""
    firm = Firm(functional="ARS", currency="USD", hourly="894.34")
    for day in (MONDAY, date(2026, 4, 1)):
        firm.rate_on(day, "USD", "ARS", "1189.5")
    firm.sells()
    firm.bills("I-1", firm.works("0.80"))
    case("O225407", "receivable in the books", Decimal("851051.57"), firm.balances()["AR"])


def with_an_advance(desk: Counter, advance: str, currency: str) -> Counter:
    """Money that came on 4 January, before the work that it is stated on the invoice of."""
    firm, money = desk.world, Amount(Decimal(advance), currency)
    told: dict[str, Any] = {"payment": "p-1", "customer": "C-1", "entity": "DE01", "amount": money}
    desk.ask("receive-payment", PREPARER, key="paid", **told, received_on=date(2026, 1, 4))
    lots = tuple(LotInput(at.stream, at.lot) for at in firm.lots(firm.work("1", "8")))
    desk.ask("request-invoice", PREPARER, key="draft", engagement="E-1", invoice="I-1", lots=lots)
    prepaid = (PrepaymentInput("p-1", money),)
    desk.ask("state-prepayments", PREPARER, key="prepaid", invoice="I-1", prepayments=prepaid)
    desk.ask("approve-invoice", APPROVER, key="approve", invoice="I-1")
    desk.ask("issue-invoice", PREPARER, key="issue", invoice="I-1")
    firm.react()
    return desk


def priced_abroad(functional: str, currency: str, hourly: str, before: str, now: str) -> Firm:
    """A firm whose customer pays in another currency, at one rate in January and at another from March on."""
    firm = Firm(functional=functional, currency=currency, hourly=hourly)
    for day, rate in ((date(2026, 1, 4), before), (MONDAY, now), (date(2026, 4, 1), now)):
        firm.rate_on(day, currency, functional, rate)
    firm.sells()
    return firm


def test_a_difference_of_exchange_is_no_payment(case: Record) -> None:
    firm = priced_abroad("CNY", "USD", "25", "6", "8")
    with_an_advance(Counter(firm), "100", "USD")
    case("E35301", "outstanding, USD", Decimal(100), firm.read(invoice_stream("I-1")).due.amount)
    case("E35301", "outstanding at the rate of the invoice, CNY", Decimal(800), firm.balances()["AR"])
    case("E35301", "loss of the advance, CNY", Decimal(200), firm.balances()["FX_REALISED"])


def test_an_advance_that_settles_the_whole_invoice_leaves_nothing_in_the_books(case: Record) -> None:
    firm = priced_abroad("USD", "MMK", "165000", "0.000247219", "0.000248756")
    with_an_advance(Counter(firm), "1320000", "MMK")
    case("E54153", "left of the receivable, USD", Decimal(0), firm.balances()["AR"])
    case("E54153", "difference, USD", Decimal("2.03"), firm.balances()["FX_REALISED"])
