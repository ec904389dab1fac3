"""Published cases of exchange differences: unrealised at the end of a period, realised at settlement, advances."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.account_role import AccountRole
from domain.revaluation import (
    ClosingRate,
    OpenBalance,
    RateOfPeriodMissing,
    Unrealised,
    drawn_from_advance,
    in_functional,
    realised,
    revalue,
)

FILE = Path(__file__).parents[3] / "shared" / "spec" / "cases.json"
MARCH = "2026-03"


def case(name: str) -> dict[str, Any]:
    if not FILE.is_file():
        pytest.skip(f"the published cases are not beside this clone: {FILE}")
    found = next(each for each in json.loads(FILE.read_text(encoding="utf-8")) if each["id"].startswith(name))
    return dict(found)


def dec(value: Any) -> Decimal:
    return Decimal(str(value))


def balance(account: AccountRole, amount: Any, functional: Any, currency: str = "EUR") -> OpenBalance:
    return OpenBalance("US01", account, "I-1", currency, dec(amount), "USD", dec(functional))


def test_fx1_a_receivable_loses_at_the_month_end_and_gains_at_settlement_against_its_initial_rate() -> None:
    told = case("FX1")
    amount, (initial, closing, receipt) = dec(told["inputs"]["eur"]), map(dec, told["inputs"]["rates"])
    carried = in_functional(amount, initial, "USD")
    rate = ClosingRate(closing, "fx_rate:EUR:USD@2026-03-31")
    (found,) = revalue([balance(AccountRole.AR, amount, carried)], {"EUR": rate}, MARCH)
    assert isinstance(found, Unrealised)
    assert found.difference == told["expected"]["unrealised"]
    assert (found.effective_on, found.reversed_on) == (date(2026, 3, 31), date(2026, 4, 1))
    assert realised(in_functional(amount, receipt, "USD"), carried) == told["expected"]["realised_total"]


def test_fx2_an_advance_keeps_its_rate_and_is_not_revalued() -> None:
    told = case("FX2")
    paid, drawn = dec(told["inputs"]["eur"]), dec(told["inputs"]["draw_eur"])
    carried = in_functional(paid, dec(told["inputs"]["rate_receipt"]), "USD")
    revenue = drawn_from_advance(paid, carried, drawn, "USD")
    assert (revenue, carried - revenue) == (told["expected"]["revenue_usd"], told["expected"]["liability_left_usd"])
    advance = balance(AccountRole.CONTRACT_LIABILITY, -paid, -carried)
    assert revalue([advance], {"EUR": ClosingRate(dec(told["inputs"]["rate_draw"]), "x")}, MARCH) == ()


def test_h24_a_settlement_realises_what_the_rate_has_changed() -> None:
    told = case("H24")
    amount, expected = dec(told["inputs"]["inv_usd"]), told["expected"]
    carried = in_functional(amount, dec(told["inputs"]["rate_inv"]), "GBP")
    cash = in_functional(amount, dec(told["inputs"]["rate_rcpt"]), "GBP")
    assert (carried, cash, realised(cash, carried)) == tuple(dec(expected[name]) for name in ("ar", "cash", "gain"))


def test_fx3_a_credit_at_the_rate_of_its_invoice_leaves_no_difference() -> None:
    told = case("FX3")["inputs"]
    gross = dec(told["eur"]) * (100 + dec(told["vat"].rstrip("%"))) / 100
    invoiced, credited = (in_functional(gross, dec(told["rate_inv"]), "USD") for _ in range(2))
    assert realised(credited, invoiced) == 0


def test_what_is_not_monetary_in_its_own_currency_or_without_a_rate_is_not_revalued() -> None:
    rates = {"EUR": ClosingRate(dec("1.08"), "fx_rate:EUR:USD@2026-03-31")}
    own = balance(AccountRole.AR, 100, 100, "USD")
    unknown = balance(AccountRole.IC_AP, -100, -125, "GBP")
    unchanged = balance(AccountRole.CONTRACT_ASSET, 100, 108)
    assert revalue([own, unknown, unchanged], rates, MARCH) == (RateOfPeriodMissing(unknown),)
    (payable,) = revalue([balance(AccountRole.IC_AP, -100, -110)], rates, MARCH)
    assert isinstance(payable, Unrealised)
    assert payable.difference == 2, "a debt that is worth less is a gain"
