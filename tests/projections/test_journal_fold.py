from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from adapters.eventstore.memory import MemoryLedger
from domain import receivables
from domain.billing import adjusting
from domain.billing.credit_wishes import CreditWish
from domain.catalogue import DECIDERS, EVENTS
from domain.contract import ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.engagement import AcceptMilestone, ChangeCap
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.invoice import RecordPayment, RefundBalance, ReleaseHoldback, WriteOffReceivable, invoice_stream
from domain.invoice.totals import AllowanceCharge
from domain.kernel import stream_of
from domain.lots import GiveLotsFree, WriteOffLots
from domain.money import Money
from domain.payment import ReceivePayment, RefundPayment, payment_stream
from domain.receivables import Allocation
from domain.reference.fx_policy import FX_POLICY, FxPolicyTerms, StateFxPolicy
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.timesheet import RejectTime
from projections.invoices.fold import INVOICES
from projections.invoices.payments_fold import PAYMENTS
from projections.journal.tables import BALANCES, LINES, OPEN, POSTINGS, PostingRecord
from tests.cases.books import Firm
from tests.domain.test_crediting import credit
from tests.projections import histories
from tests.projections.books import Rows, fold, folded, given
from tests.projections.test_margin_fold import dollars, rate
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, World, euros

APRIL = date(2026, 4, 1)


def firm() -> World:
    return World().firm().contract()


def postings(rows: Rows) -> list[PostingRecord]:
    return [POSTINGS.row(values) for _, values in sorted(rows.store.all(POSTINGS).items())]


def entries(rows: Rows) -> list[dict[str, Decimal]]:
    """What each entry does to the accounts, in functional money."""
    found: dict[str, dict[str, Decimal]] = {}
    for each in postings(rows):
        accounts = found.setdefault(each.entry, {})
        accounts[each.account] = accounts.get(each.account, Decimal(0)) + each.functional
    return list(found.values())


def balances(rows: Rows) -> dict[str, Decimal]:
    """The functional balance of every account that has one."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for values in rows.store.all(BALANCES).values():
        row = BALANCES.row(values)
        if row.grain == "month":
            found[row.account] += row.functional
    return {account: amount for account, amount in found.items() if amount}


def test_work_costs_and_earns_and_its_invoice_is_owed_and_paid() -> None:
    world = firm()
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    world.tell(invoice_stream("I-1"), RecordPayment("P-1", APRIL, euros(1428)))
    rows = given(world).when(folded)
    assert entries(rows) == [
        {"COST_LABOUR": 480, "LABOUR_ABSORBED": -480},
        {"CONTRACT_ASSET": 1200, "REVENUE_TM": -1200},
        {"AR": 1428, "CONTRACT_ASSET": -1200, "TAX_OUT": -228},
        {"CASH": 1428, "AR": -1428},
    ]
    first = postings(rows)[0]
    assert (first.period, first.effective_on, first.project, first.engagement) == ("2026-03", MONDAY, "P-1-L1", "E-1")
    assert first.event == "timesheet:W-1:2026-03-02@3"
    assert (first.reporting, first.reporting_currency) == (Decimal(480), "EUR")


def test_a_line_that_is_rounded_once_is_owed_so_and_its_cent_is_earned_as_an_adjustment() -> None:
    world = firm()
    sheets = dict.fromkeys(world.work(str(day), "0.333367", day=day) for day in range(3))
    world.draft("I-1", world.lots(*sheets)).approve("I-1").issue("I-1")
    rows = given(world).when(folded)
    assert [each for each in entries(rows) if "COST_LABOUR" not in each][-2:] == [
        {"CONTRACT_ASSET": Decimal("-0.01"), "REVENUE_ADJUSTMENT": Decimal("0.01")},
        {"AR": Decimal("178.52"), "CONTRACT_ASSET": Decimal("-150.02"), "TAX_OUT": Decimal("-28.50")},
    ]
    rows.then(INVOICES, "I-1", net=Decimal("150.02"), due=Decimal("178.52"))
    rows.then(LINES, "E-1", "L1", recognised=Decimal("150.02"), adjusted=Decimal("-0.01"), billed=Decimal("150.02"))
    credit(world, "CN-1", CreditWish(1, lot="jira:1#1"))
    credit(world, "CN-2", CreditWish(1))
    rows = given(world).when(folded)
    rows.then(INVOICES, "I-1", status="credited", due=Decimal(0))
    rows.then(LINES, "E-1", "L1", recognised=Decimal("150.03"), adjusted=Decimal(0), billed=Decimal(0))
    assert balances(rows)["CONTRACT_ASSET"] == Decimal("150.03")


def test_what_is_over_a_cap_earns_when_the_cap_is_raised_and_not_before() -> None:
    world = World().firm().contract(cap=euros(1500))
    world.work("1")
    world.work("2", day=1)
    assert balances(given(world).when(folded))["REVENUE_TM"] == -1500
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(2000)))
    assert balances(given(world).when(folded))["REVENUE_TM"] == -2000
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(1300)))
    assert balances(given(world).when(folded))["REVENUE_TM"] == -1300
    world.tell(ENGAGEMENT, ChangeCap("L1", None))
    rows = given(world).when(folded)
    assert balances(rows)["REVENUE_TM"] == -2400
    rows.then(LINES, "E-1", "L1", recognised=Decimal(2400), over_cap=Decimal(0))


def test_reversed_work_leaves_no_balance_and_makes_room_under_the_cap() -> None:
    world = World().firm().contract(cap=euros(1500))
    sheet = world.work("1")
    world.work("2", day=1)
    world.tell(sheet, RejectTime(("jira:1",), "W-9", NINE + timedelta(days=9), "Not this project."))
    rows = given(world).when(folded)
    assert balances(rows) == {
        "COST_LABOUR": 480,
        "LABOUR_ABSORBED": -480,
        "CONTRACT_ASSET": 1200,
        "REVENUE_TM": -1200,
    }
    assert [each["REVENUE_TM"] for each in entries(rows) if "REVENUE_TM" in each] == [-1200, -300, 1200, -900]


def test_work_that_is_written_off_costs_and_earns_nothing() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(sheet, WriteOffLots(("jira:1#1",), "Goodwill.", "cfo"))
    assert balances(given(world).when(folded)) == {"COST_LABOUR": 480, "LABOUR_ABSORBED": -480}


def test_work_that_is_given_free_costs_and_earns_nothing() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(sheet, GiveLotsFree(("jira:1#1",), "A trial.", "cfo"))
    assert balances(given(world).when(folded)) == {"COST_LABOUR": 480, "LABOUR_ABSORBED": -480}


def test_hours_that_were_not_approved_cost_and_earn_once_they_are() -> None:
    world = firm()
    world.work_approved_for("6")
    costs = {"COST_LABOUR": Decimal(480), "LABOUR_ABSORBED": Decimal(-480)}
    assert balances(given(world).when(folded)) == {**costs, "CONTRACT_ASSET": 900, "REVENUE_TM": -900}
    world.work_approved_for("7", later=1)
    assert balances(given(world).when(folded)) == {**costs, "CONTRACT_ASSET": 1050, "REVENUE_TM": -1050}
    world.work_approved_for("8", later=2)
    assert balances(given(world).when(folded)) == {**costs, "CONTRACT_ASSET": 1200, "REVENUE_TM": -1200}
    world.work_approved_for("10", later=3)
    assert balances(given(world).when(folded)) == {**costs, "CONTRACT_ASSET": 1500, "REVENUE_TM": -1500}


def test_hours_that_were_not_approved_make_room_under_a_cap() -> None:
    world = World().firm().contract(cap=euros(1200))
    world.work_approved_for("8")
    world.work("2", day=1)
    assert balances(given(world).when(folded))["REVENUE_TM"] == -1200
    world.work_approved_for("2", later=1)
    assert balances(given(world).when(folded))["REVENUE_TM"] == -1200
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(2000)))
    assert balances(given(world).when(folded))["REVENUE_TM"] == -1500


def test_a_milestone_earns_when_it_is_accepted_and_its_hours_only_cost() -> None:
    milestones = FixedFeeMilestones(milestones=(Milestone("M1", "Design", euros(5000)),))
    world = World().firm().contract(line=ContractLine("L1", "Design", milestones))
    world.work("1")
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", date(2026, 3, 20), "mail", "pm", NINE))
    rows = given(world).when(folded)
    assert balances(rows)["REVENUE_MILESTONE"] == -5000
    assert balances(rows)["COST_LABOUR"] == 480
    rows.then(LINES, "E-1", "L1", method="point_in_time", price=Decimal(5000), hours=Decimal(8), cost=Decimal(480))


def test_an_expense_costs_its_net_and_the_tax_that_comes_back() -> None:
    world = firm()
    report = expense_stream("ER-1")
    expense = Expense("1", "P-1-L1", "travel", MONDAY, euros(119), euros(19), billable=True, receipt="r.pdf")
    world.tell(report, RecordExpense("ER-1", "W-1", expense, NINE), ApproveExpenses(("1",), "W-9", NINE))
    rows = given(world).when(folded)
    assert entries(rows) == [
        {"COST_EXPENSE": 100, "TAX_IN": 19, "CASH": -119},
        {"CONTRACT_ASSET": 100, "REVENUE_EXPENSE": -100},
    ]


def test_what_a_customer_will_not_pay_is_a_bad_debt() -> None:
    world = firm()
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    lost = WriteOffReceivable(APRIL, date(2026, 3, 2), "cfo", "Insolvent.", euros(428))
    world.tell(invoice_stream("I-1"), lost)
    rows = given(world).when(folded)
    assert (balances(rows)["BAD_DEBT"], balances(rows)["AR"]) == (Decimal(428), Decimal(1000))
    assert postings(rows)[-1].effective_on == MONDAY


def test_amounts_are_kept_in_both_currencies_and_what_a_rate_changed_is_realised() -> None:
    world = dollars()
    rate(world, MONDAY, "1.25")
    sheet = world.work("1")
    rate(world, APRIL, "1.60")
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    rate(world, date(2026, 4, 20), "2.00")
    world.tell(invoice_stream("I-1"), RecordPayment("P-1", date(2026, 4, 20), dollars_of(1904)))
    rows = given(world).when(folded)
    assert entries(rows)[1:] == [
        {"CONTRACT_ASSET": Decimal("1280.00"), "REVENUE_TM": Decimal("-1280.00")},
        {"AR": 1190, "CONTRACT_ASSET": -1280, "TAX_OUT": -190, "FX_REALISED": 280},
        {"CASH": 952, "AR": -1190, "FX_REALISED": 238},
    ]
    assert {each.currency for each in postings(rows)[2:]} == {"USD"}
    cash = next(each for each in postings(rows) if each.account == "CASH")
    assert (cash.amount, cash.rate_id) == (Decimal(1904), "1/fx_rate:EUR:USD@2026-04-20")


def test_a_contract_that_fixes_its_rate_is_earned_and_billed_at_it() -> None:
    firm = Firm(currency="USD")
    for day, published in ((MONDAY, "0.80"), (APRIL, "0.70")):
        firm.rate_on(day, "USD", "EUR", published)
    firm.sells(ContractLine("L1", "Work", TimeAndMaterials(), fixed_fx_rate=Decimal("0.90")))
    firm.bills("I-1", firm.works("8"), APRIL)
    posted = {each.account: (each.functional, each.rate_id) for each in firm.postings()}
    assert posted["REVENUE_TM"] == (Decimal(-1440), "contract")
    assert posted["AR"] == (Decimal(1440), "invoice DE01-2026-000001")
    assert "FX_REALISED" not in posted, "1,600 USD were earned and billed at the rate of the contract"
    folded(firm.ledger)


def test_money_that_is_paid_back_realises_what_its_rate_has_changed_since_it_came() -> None:
    world = dollars()
    back_on = date(2026, 4, 20)
    for day, published in ((MONDAY, "1.25"), (APRIL, "1.25"), (back_on, "1.60")):
        rate(world, day, published)
    receipt = ReceivePayment("P-1", "C-1", "DE01", APRIL, dollars_of(1000))
    world.record(receivables.receive_payment(world.read, receipt, []))
    world.tell(payment_stream("P-1"), RefundPayment("R-1", back_on, dollars_of(400), "Paid twice.", "ann"))
    # 400 USD came at 320.00 EUR and went at 250.00; 600 are on account at what they came at.
    books = {"CASH": Decimal("550.00"), "AR": Decimal("-480.00"), "FX_REALISED": Decimal("-70.00")}
    assert balances(given(world).when(folded)) == books


def test_the_balance_of_a_credited_invoice_is_paid_back_at_the_rate_of_its_day() -> None:
    world = dollars()
    back_on = date(2026, 5, 1)
    for day, published in ((MONDAY, "1.25"), (APRIL, "1.25"), (back_on, "1.60")):
        rate(world, day, published)
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    world.tell(invoice_stream("I-1"), RecordPayment("P-1", APRIL, dollars_of(1904)))
    credit(world, "CN-1", CreditWish(1, disposition="write_off"), on=APRIL)
    before = balances(given(world).when(folded))
    assert before["AR"] == Decimal("-1523.20")
    world.tell(invoice_stream("I-1"), RefundBalance("R-1", back_on, dollars_of(1904), "ann", "Credited in full."))
    after = balances(given(world).when(folded))
    assert {name: after.get(name) for name in ("AR", "CASH", "FX_REALISED")} == {
        "AR": None,
        "CASH": Decimal("333.20"),  # 1,523.20 came and 1,190.00 went
        "FX_REALISED": Decimal("-333.20"),
    }


def test_money_without_an_exchange_rate_is_posted_once_there_is_one() -> None:
    world = World().firm()
    receipt = ReceivePayment("P-1", "C-1", "DE01", APRIL, Money(Decimal(1000), "AED"))
    world.record(receivables.receive_payment(world.read, receipt, []))
    given(world).when(folded).has(POSTINGS, 0)
    world.tell(fx_stream("EUR", "AED"), PublishFxRate("EUR", "AED", date(2026, 4, 2), Decimal(4), "CBUAE"))
    posted = postings(given(world).when(folded))
    assert [(each.account, each.functional, each.effective_on) for each in posted] == [
        ("CASH", Decimal(250), APRIL),
        ("AR", Decimal(-250), APRIL),
    ]
    assert {each.rate_id for each in posted} == {"1/fx_rate:EUR:AED@2026-04-02"}


def test_money_without_an_exchange_rate_is_worth_what_it_settles() -> None:
    world = firm()
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    receipt = ReceivePayment("P-1", "C-1", "DE01", APRIL, Money(Decimal(6000), "AED"))
    used = Allocation("I-1", euros(1428), Money(Decimal(5712), "AED"))
    world.record(receivables.receive_payment(world.read, receipt, [used]))
    settled = balances(given(world).when(folded))
    assert [settled.get(name) for name in ("CASH", "AR", "FX_REALISED")] == [1428, None, None]
    world.record(receivables.unapply_payment(world.read, "P-1", "I-1", APRIL, "Wrong invoice."))
    undone = balances(given(world).when(folded))
    assert [undone.get(name) for name in ("CASH", "AR", "FX_REALISED")] == [None, 1428, None]
    world.tell(payment_stream("P-1"), RefundPayment("R-1", APRIL, Money(Decimal(1000), "AED"), "Too much.", "ann"))
    world.tell(fx_stream("EUR", "AED"), PublishFxRate("EUR", "AED", date(2026, 4, 2), Decimal(4), "CBUAE"))
    rated = balances(given(world).when(folded))
    assert [rated.get(name) for name in ("CASH", "AR", "FX_REALISED")] == [1250, 178, None]


def test_every_amount_in_foreign_money_names_its_rate() -> None:
    firm = Firm(functional="USD", currency="EUR")
    for day, published in ((MONDAY, "1.10"), (APRIL, "1.20")):
        firm.rate_on(day, "EUR", "USD", published)
    firm.sells(ContractLine("L1", "Work", TimeAndMaterials(), holdback_percent=Decimal(10)))
    firm.bills("I-1", firm.works("8"), APRIL)
    firm.tell(invoice_stream("I-1"), ReleaseHoldback(APRIL, APRIL, "cfo", "Taken over."))
    receipt = ReceivePayment("P-1", "C-1", "DE01", APRIL, firm.money(1000))
    firm.record(receivables.receive_payment(firm.read, receipt, [Allocation("I-1", firm.money(900))]))
    firm.tell(invoice_stream("I-1"), WriteOffReceivable(APRIL, APRIL, "cfo", "Insolvent."))
    foreign = [each for each in firm.postings() if each.amount and each.currency != each.functional_currency]
    assert {each.because for each in foreign} >= {
        "revenue is recognised",
        "an invoice is issued",
        "a holdback is released",
        "money settles an invoice",
        "a receivable is given up",
    }
    assert [each.because for each in foreign if not each.rate_id] == []


def test_every_posting_is_reported_at_a_rate_that_it_names() -> None:
    firm = Firm(functional="USD", currency="USD", hourly="125.01")
    firm.tell(FX_POLICY, StateFxPolicy(FxPolicyTerms(NEW_YEAR, "EUR")))
    firm.rate_on(MONDAY, "EUR", "USD", "1.25")
    firm.sells()
    firm.bills("I-1", firm.works("1"), APRIL)  # nothing was published for a month
    posted = firm.postings()
    assert {(each.reporting_currency, each.reporting_rate_id) for each in posted} == {
        ("EUR", "1/fx_rate:EUR:USD@2026-03-02")
    }
    assert {each.account: each.reporting for each in posted}["REVENUE_TM"] == Decimal("-100.01")
    assert sum(each.reporting or 0 for each in posted) == 0
    folded(firm.ledger)


def test_work_waits_for_its_exchange_rate() -> None:
    world = dollars()
    world.work("1")
    given(world).when(folded).has(POSTINGS, 0)
    rate(world, MONDAY, "1.25")
    assert balances(given(world).when(folded))["REVENUE_TM"] == Decimal("-1280.00")


def test_work_for_an_entity_that_is_defined_later_is_posted_then() -> None:
    world = firm()
    lent = ResourceTerms(NEW_YEAR, "Senior", "GB01", "London", "Data", euros(60), Decimal(40), NINE)
    world.tell(stream_of("resource", "W-3"), DescribeResource("W-3", lent))
    world.work("1", person="W-3")
    given(world).when(folded).has(POSTINGS, 0)
    terms = replace(world.read(stream_of("legal_entity", "DE01")).versions[0], name="Firm Ltd", number_prefix="GB01")
    world.tell(stream_of("legal_entity", "GB01"), DefineLegalEntity("GB01", terms))
    rows = given(world).when(folded)
    assert balances(rows) == {
        "COST_LABOUR": 480,
        "LABOUR_ABSORBED": -480,
        "CONTRACT_ASSET": 1200,
        "REVENUE_TM": -1200,
    }


def dollars_of(amount: int) -> Money:
    return Money(Decimal(amount), "USD")


@pytest.mark.parametrize("seed", range(1, 3))
def test_the_journal_of_a_whole_history_agrees_with_its_sub_ledgers(seed: int) -> None:
    ledger = MemoryLedger(EVENTS, DECIDERS)
    histories.write(ledger, 2_500, seed=seed, consultants=5, engagements=4)
    rows = Rows(fold(ledger))
    accounts: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for each in postings(rows):
        accounts[each.entity, each.account, each.currency] += each.amount
    owed: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for values in rows.store.all(INVOICES).values():
        invoice = INVOICES.row(values)
        if invoice.issued_on is not None:
            owed[invoice.selling_entity, "AR", invoice.currency] += invoice.due
            owed[invoice.selling_entity, "RETENTION", invoice.currency] += invoice.held_back
    for values in rows.store.all(PAYMENTS).values():
        receipt = PAYMENTS.row(values)
        owed[receipt.entity, "AR", receipt.currency] -= receipt.on_account
    assert owed
    for key, amount in owed.items():
        assert accounts[key] == amount, key
    positions: dict[str, Decimal] = defaultdict(Decimal)
    for each in postings(rows):
        if each.account in ("CONTRACT_ASSET", "CONTRACT_LIABILITY"):
            positions[each.engagement] += each.amount
    for (kind, name), values in rows.store.all(OPEN).items():
        if kind == "position":
            line_positions = [
                row.recognised - row.billed
                for found in rows.store.all(LINES).values()
                if (row := LINES.row(found)).engagement == name
            ]
            assert positions[name] == OPEN.row(values).amount == sum(line_positions, Decimal(0))


def test_write_downs_and_allowances_adjust_revenue_and_leave_nothing_unbilled() -> None:
    world = firm()
    world.draft("I-1", world.lots(world.work("1")))
    world.record(adjusting.adjust_line(world.read, "I-1", 1, euros(-200), "Goodwill.", "paul"))
    discount = AllowanceCharge("allowance", euros(50), "Discount", "95")
    world.record(adjusting.state_allowances(world.read, "I-1", None, (discount,), "paul"))
    world.approve("I-1").issue("I-1")
    rows = given(world).when(folded)
    assert balances(rows) == {
        "COST_LABOUR": 480,
        "LABOUR_ABSORBED": -480,
        "REVENUE_TM": -1200,
        "REVENUE_ADJUSTMENT": 250,
        "AR": Decimal("1130.50"),
        "TAX_OUT": Decimal("-180.50"),
    }
    rows.then(LINES, "E-1", "L1", recognised=Decimal(950), adjusted=Decimal(-250), billed=Decimal(950))


def test_money_of_another_currency_settles_an_invoice_with_a_clearing_leg_in_each() -> None:
    world = dollars()
    rate(world, MONDAY, "1.25")
    rate(world, APRIL, "1.25")
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    receipt = ReceivePayment("P-1", "C-1", "DE01", APRIL, euros(1600))
    used = [Allocation("I-1", Money(Decimal(1904), "USD"), euros(1500))]
    world.record(receivables.receive_payment(world.read, receipt, used))
    rows = given(world).when(folded)
    settled = [each for each in postings(rows) if each.because == "money settles an invoice"]
    assert {(each.account, each.currency): each.amount for each in settled} == {
        ("AR", "EUR"): 1500,
        ("AR", "USD"): -1904,
        ("FX_REALISED", "EUR"): -1500,
        ("FX_REALISED", "USD"): 1904,
    }
    # 1,904 USD were owed at 1,523.20 EUR and 1,500 arrived; 100 are on account.
    assert balances(rows)["FX_REALISED"] == Decimal("23.20")
    assert balances(rows)["AR"] == -100
    world.record(receivables.unapply_payment(world.read, "P-1", "I-1", APRIL, "Wrong invoice."))
    rows = given(world).when(folded)
    assert balances(rows).get("FX_REALISED") is None
    assert balances(rows)["AR"] == Decimal("1523.20") - 1600
