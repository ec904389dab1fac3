"""The rules of posting balance whatever the amounts and rates, and what is open follows from them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import Carried, Entry, Posting, Rate, class_of, same
from domain.books.postings import BilledOf

MONDAY = date(2026, 3, 2)
EURO = same("EUR")
amounts = st.decimals(min_value=-10_000, max_value=10_000, places=2).filter(bool)
positive = st.decimals(min_value=Decimal("0.01"), max_value=10_000, places=2)
rates = st.decimals(min_value=Decimal("0.0100"), max_value=200, places=4).map(lambda value: Rate(value, "EUR", "x"))


def entry(posted: tuple[Posting, ...]) -> Entry:
    return Entry("DE01", "a rule", MONDAY, MONDAY, posted)


def sums(posted: tuple[Posting, ...]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for each in posted:
        found[each.account] = found.get(each.account, Decimal(0)) + each.functional
    return found


@given(st.lists(st.tuples(amounts, rates, st.booleans()), min_size=1, max_size=8))
def test_any_run_of_earning_and_billing_balances_and_leaves_one_side(
    steps: list[tuple[Decimal, Rate, bool]],
) -> None:
    position, asset, liability = Carried(), Carried(), Carried()
    for amount, rate, earns in steps:
        if earns:
            moved = postings.recognise(position, amount, "USD", rate, AccountRole.REVENUE_TM)
            posted, position = moved.postings, moved.left
        else:
            issued = postings.issue([BilledOf("E", amount, position)], Decimal(0), Decimal(0), Decimal(0), "USD", rate)
            posted, position = issued.postings, issued.positions["E"]
        assert entry(posted).balances
        for each in posted:
            if each.account == AccountRole.CONTRACT_ASSET:
                asset = asset.plus(each.amount, each.functional)
            if each.account == AccountRole.CONTRACT_LIABILITY:
                liability = liability.plus(each.amount, each.functional)
        assert position == Carried(asset.amount + liability.amount, asset.functional + liability.functional)
        assert asset.amount >= 0 >= liability.amount
        assert not (asset.amount and liability.amount)


@given(positive, positive, rates, rates, st.booleans())
def test_settlements_balance_in_every_currency_and_leave_nothing_of_what_is_settled(
    amount: Decimal, settled: Decimal, invoice_rate: Rate, receipt_rate: Rate, same_currency: bool
) -> None:
    settled = amount if same_currency else settled
    currency = "USD" if same_currency else "GBP"
    received = postings.receive(settled, currency, receipt_rate)
    owed = Carried(amount, invoice_rate.of(amount))
    applied = postings.apply(owed, received.left, amount, "USD", settled, currency, "EUR")
    assert entry(received.postings).balances
    assert entry(applied.postings).balances
    assert (applied.receivable, applied.on_account) == (Carried(), Carried())
    realised = sums(applied.postings).get(AccountRole.FX_REALISED, Decimal(0))
    assert realised == invoice_rate.of(amount) - receipt_rate.of(settled)


@given(positive, positive, rates)
def test_a_credit_note_at_the_rate_of_its_invoice_realises_nothing(net: Decimal, tax: Decimal, rate: Rate) -> None:
    issued = postings.issue([BilledOf("E", net, Carried())], tax, Decimal(0), Decimal(0), "USD", rate)
    posted, receivable, position = postings.credit(issued.receivable, issued.positions["E"], net, tax, "USD", rate)
    assert entry(posted).balances
    assert receivable.amount == position.amount == 0
    whole = sums((*issued.postings, *posted))
    assert abs(whole.get(AccountRole.FX_REALISED, Decimal(0))) <= Decimal("0.02"), "no more than what is rounded"


@given(positive, rates, rates)
def test_a_revaluation_and_its_reversal_leave_nothing(amount: Decimal, initial: Rate, closing: Rate) -> None:
    posted = postings.revalue(AccountRole.AR, Carried(amount, initial.of(amount)), "USD", closing)
    assert not any(sums((*posted, *postings.reversed_of(posted))).values())
    assert entry(posted).balances


def test_work_for_another_entity_is_revenue_here_and_cost_there() -> None:
    pounds, nets = Rate(Decimal("0.8"), "GBP", "x"), [("E-1", Decimal(1200))]
    legs = postings.intercompany("GB01", "US01", nets, Decimal(0), "USD", pounds, same("USD"))
    assert sums(legs.lender) == {"IC_AR": 960, "REVENUE_IC": -960}
    assert sums(legs.borrower) == {"COST_IC": 1200, "IC_AP": -1200}
    between = [each.amount for each in (*legs.lender, *legs.borrower) if each.account in ("IC_AR", "IC_AP")]
    assert sum(between) == 0
    assert {each.counterparty for each in legs.lender} == {"US01"}


def test_what_rounding_leaves_between_engagements_is_on_the_last_and_the_tax_is_recovered() -> None:
    nets = [(name, Decimal("33.33")) for name in ("E-1", "E-2", "E-3")]
    rate = Rate(Decimal("0.805"), "GBP", "x")
    legs = postings.intercompany("GB01", "US01", nets, Decimal("20.00"), "USD", rate, rate)
    assert entry(legs.lender).balances
    assert entry(legs.borrower).balances
    assert sums(legs.lender) == {key: Decimal(value) for key, value in
        (("IC_AR", "96.59"), ("REVENUE_IC", "-80.49"), ("TAX_OUT", "-16.10"))}  # fmt: skip
    assert sums(legs.borrower)["TAX_IN"] == Decimal("16.10")


def test_an_agent_keeps_its_fee_alone() -> None:
    spent = postings.expense(Decimal(500), Decimal(0), "EUR", EURO, AccountRole.REVENUE_EXPENSE)
    earned = postings.recognise(Carried(), Decimal(550), "EUR", EURO, AccountRole.REVENUE_EXPENSE)
    assert sums((*spent, *earned.postings))["REVENUE_EXPENSE"] == -50


def test_an_entry_that_does_not_balance_says_where() -> None:
    one = postings.posting(AccountRole.AR, Decimal(100), "USD", Rate(Decimal("0.9"), "EUR", "x"))
    assert list(entry((one,)).imbalances()) == [
        "functional amounts of a rule in DE01 leave 90.00 EUR",
        "transaction amounts of a rule in DE01 leave 100 USD",
    ]


@pytest.mark.parametrize("account", list(AccountRole))
def test_every_account_has_a_class(account: AccountRole) -> None:
    assert class_of(account).value in ("Assets", "Liabilities", "Income", "Expenses")
