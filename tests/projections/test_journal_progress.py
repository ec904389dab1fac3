"""Lines that earn by progress, by days and by drawing; foreign balances over a month end; however the log is cut."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain import receivables
from domain.calendar import FIRM, OpenDay
from domain.contract import (
    ContractLine,
    FixedFeeMilestones,
    ManagedService,
    Milestone,
    PercentComplete,
    Retainer,
    Revenue,
    TimeAndMaterials,
)
from domain.engagement.progress import MeasureProgress
from domain.engagement.retainer import GrantRetainer
from domain.intercompany.run import Run, run_intercompany
from domain.invoice import RecordPayment, invoice_stream
from domain.money import Money
from domain.payment import ReceivePayment
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.intercompany_agreement import AgreementTerms, StateAgreement, agreement_stream
from projections.journal.tables import LINES, POSTINGS
from tests.api.group import BORROWER, LENDER, Group, Transfers
from tests.cases.books import Firm
from tests.projections.books import Rows, folded
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE


def euros(amount: int) -> Money:
    return Money(Decimal(amount), "EUR")


def test_a_service_earns_month_by_month_until_it_ends() -> None:
    service = ManagedService(euros(3000), date(2026, 3, 11), date(2026, 5, 10))
    firm = Firm().sells(ContractLine("L1", "Operation", service))
    firm.opens(date(2026, 3, 1), date(2026, 3, 20), date(2026, 4, 1), date(2026, 5, 2), date(2026, 5, 12))
    firm.opens(date(2026, 6, 1))
    earned = {each.effective_on: -each.functional for each in firm.postings() if each.account == "REVENUE_FIXED"}
    assert earned == {
        date(2026, 3, 31): Decimal("2032.26"),
        date(2026, 4, 30): Decimal(3000),
        date(2026, 5, 10): Decimal("967.74"),
    }
    Rows(folded(firm.ledger)).then(LINES, "E-1", "L1", running=False, recognised=Decimal("6000.00"))


def test_days_that_nobody_opened_are_earned_in_their_own_months() -> None:
    firm = Firm().sells(ContractLine("L1", "Operation", ManagedService(euros(3100), date(2026, 3, 1))))
    firm.opens(date(2026, 3, 1), date(2026, 6, 15))
    months = [each.period for each in firm.postings() if each.account == "REVENUE_FIXED"]
    assert months == ["2026-03", "2026-04", "2026-05"]


def test_a_new_estimate_catches_up_and_a_loss_is_provided_for_and_given_back() -> None:
    billing = PercentComplete(euros(100_000), "cost", Decimal(80_000))
    firm = Firm().sells(ContractLine("L1", "Building", billing))
    firm.costs("a", 60_000, date(2026, 3, 31))
    assert firm.line().recognised == 75_000
    firm.expects(120_000, date(2026, 4, 30))
    assert (firm.line().recognised, firm.line().provision) == (Decimal(50_000), Decimal(10_000))
    firm.expects(90_000, date(2026, 5, 31))
    assert (firm.line().recognised, firm.line().provision) == (Decimal("66666.67"), Decimal(0))
    assert Rows(folded(firm.ledger)).row(LINES, "E-1", "L1").cost == 60_000


def test_a_loss_is_provided_for_by_what_the_whole_costs_though_hours_measure_what_is_earned() -> None:
    parts = (Milestone("all", "All", euros(100_000)),)
    by_hours = Revenue("percent_complete", "hours", Decimal(1_000))
    firm = Firm().sells(ContractLine("L1", "Building", FixedFeeMilestones(milestones=parts), by_hours))
    firm.costs("a", 60_000, date(2026, 3, 31))
    firm.tell(ENGAGEMENT, MeasureProgress("L1", date(2026, 3, 31), Decimal(500), "hours", "report", "pm", NINE))
    assert (firm.line().recognised, firm.line().provision) == (Decimal(50_000), Decimal(0))
    firm.expects(120_000, date(2026, 4, 30))  # of cost: the whole still takes 1,000 hours
    assert (firm.line().recognised, firm.line().provision) == (Decimal(50_000), Decimal(10_000))
    firm.costs("b", 60_000, date(2026, 6, 30))
    firm.tell(ENGAGEMENT, MeasureProgress("L1", date(2026, 6, 30), Decimal(1_000), "hours", "report", "pm", NINE))
    assert (firm.line().recognised, firm.line().provision) == (Decimal(100_000), Decimal(0))
    folded(firm.ledger)


def test_what_becomes_known_of_an_earlier_day_does_not_take_back_what_was_earned_since() -> None:
    billing = PercentComplete(euros(100_000), "cost", Decimal(80_000))
    firm = Firm().sells(ContractLine("L1", "Building", billing))
    firm.costs("a", 40_000, date(2026, 4, 30))
    firm.costs("b", 20_000, date(2026, 3, 31))
    assert firm.line().recognised == 75_000
    assert [each.effective_on for each in firm.postings() if each.account == "REVENUE_FIXED"] == [date(2026, 4, 30)] * 2


def test_a_retainer_is_drawn_at_the_rate_of_its_advance_however_the_log_is_cut() -> None:
    firm = Firm(functional="USD", currency="EUR", hourly="500")
    firm.rate_on(MONDAY, "EUR", "USD", "1.10")
    firm.rate_on(date(2026, 4, 1), "EUR", "USD", "1.10")
    firm.sells(ContractLine("L1", "Advice", Retainer(euros(10_000), expected_breakage=euros(2_000))))
    firm.tell(ENGAGEMENT, GrantRetainer("L1", "G-1", MONDAY, NINE))
    firm.bills("I-1", firm.lots(ENGAGEMENT), MONDAY)
    firm.works("8", first_day=1)
    assert firm.line().recognised == 5_000
    assert firm.balances()["CONTRACT_LIABILITY"] == -5_500
    folded(firm.ledger)


def test_month_ends_revalue_what_is_monetary_however_the_log_is_cut() -> None:
    firm = Firm(functional="USD", currency="EUR", hourly="1250")
    for day, rate in ((MONDAY, "1.10"), (date(2026, 3, 31), "1.20"), (date(2026, 4, 30), "1.08")):
        firm.rate_on(day, "EUR", "USD", rate)
    firm.sells(ContractLine("L1", "Work", TimeAndMaterials()))
    lots = firm.works("8", "8")
    firm.bills("I-1", lots[:1], MONDAY)
    firm.opens(MONDAY, date(2026, 4, 1), date(2026, 5, 1))
    firm.tell(invoice_stream("I-1"), RecordPayment("P-1", date(2026, 4, 30), firm.money(4000)))
    unrealised = {
        (each.effective_on, bool(each.invoice)): each.functional
        for each in firm.postings()
        if each.account == "FX_UNREALISED"
    }
    assert unrealised == {
        (date(2026, 3, 31), False): -1000,
        (date(2026, 3, 31), True): -1000,
        (date(2026, 4, 1), False): 1000,
        (date(2026, 4, 1), True): 1000,
        (date(2026, 4, 30), False): 200,
        (date(2026, 4, 30), True): 200,
        (date(2026, 5, 1), False): -200,
        (date(2026, 5, 1), True): -200,
    }
    assert firm.balances()["FX_REALISED"] == 80
    folded(firm.ledger)


def test_what_is_kept_back_and_what_is_on_account_are_carried_at_the_closing_rate_and_back_again() -> None:
    firm = Firm(functional="USD", currency="EUR", hourly="1250")
    for day, rate in ((MONDAY, "1.10"), (date(2026, 3, 31), "1.20")):
        firm.rate_on(day, "EUR", "USD", rate)
    firm.sells(ContractLine("L1", "Work", TimeAndMaterials(), holdback_percent=Decimal(10)))
    firm.bills("I-1", firm.works("8"), MONDAY)
    receipt = ReceivePayment("P-1", "C-1", "DE01", MONDAY, firm.money(500))
    firm.record(receivables.receive_payment(firm.read, receipt, []))
    firm.opens(MONDAY, date(2026, 4, 1))
    moved = {
        (each.account, each.invoice or each.payment, each.effective_on): each.functional
        for each in firm.postings()
        if not each.amount and each.account != "FX_UNREALISED"
    }
    at_the_end = {("AR", "I-1"): Decimal(900), ("RETENTION", "I-1"): Decimal(100), ("AR", "P-1"): Decimal(-50)}
    assert moved == {
        (*what, day): sign * amount
        for what, amount in at_the_end.items()
        for sign, day in ((1, date(2026, 3, 31)), (-1, date(2026, 4, 1)))
    }
    folded(firm.ledger)


def test_what_entities_owe_each_other_is_carried_at_the_closing_rate_by_both() -> None:
    group = Group().set_up()
    for day, dollars, pounds in ((date(2026, 3, 30), "1.10", "0.80"), (date(2026, 4, 30), "1.20", "0.90")):
        for quote, rate in (("USD", dollars), ("GBP", pounds)):
            group.tell(fx_stream("EUR", quote), PublishFxRate("EUR", quote, day, Decimal(rate), "ECB"))
    terms = AgreementTerms(NEW_YEAR, "fixed", "EUR", Decimal(120))
    group.tell(agreement_stream(LENDER, BORROWER), StateAgreement(LENDER, BORROWER, terms, "cfo"))
    group.deliver("1", "10")
    run = Run(LENDER, BORROWER, "2026-03", date(2026, 3, 31), "cfo")
    group.record(run_intercompany(group.read, run, Transfers(group).transfers_of()))
    group.tell(FIRM, *(OpenDay(day, NINE) for day in (date(2026, 4, 1), date(2026, 5, 1))))
    rows = [POSTINGS.row(values) for values in folded(group.ledger).all(POSTINGS).values()]
    assert {each.invoice for each in rows if each.counterparty} == {"IC-GBPM-USPM-0001"}, "one number for both"
    moved = {
        (each.entity, each.account, each.effective_on): f"{each.functional} {each.functional_currency}"
        for each in rows
        if each.account in ("IC_AR", "IC_AP") and not each.amount
    }
    ends, begins = date(2026, 4, 30), date(2026, 5, 1)
    assert moved == {  # 1,200 EUR
        (LENDER, "IC_AR", ends): "120.00 GBP",
        (LENDER, "IC_AR", begins): "-120.00 GBP",
        (BORROWER, "IC_AP", ends): "-120.00 USD",
        (BORROWER, "IC_AP", begins): "120.00 USD",
    }
