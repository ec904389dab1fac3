"""A returned ticket, from its report to the trial balance: through governed services and questions alone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.postgres import connect
from adapters.settings import Settings
from api.access import Role
from api.verification.books import verify
from api.verification.journal import checks_of
from domain.contract import CategoryTerms, ContractLine, ExpenseTerms, TimeAndMaterials
from tests.api.asker import asking
from tests.api.service_desk import ServiceDesk
from tests.world import MONDAY, World

PREPARER, MANAGER = Role.FINANCE_PREPARER, Role.PROJECT_MANAGER


class Books(ServiceDesk):
    """The small firm, which passes costs on with a tenth more."""

    def spends(self, line: str, amount: str, tax: str) -> None:
        told = {"project": "P-1-L1", "category": "travel", "spentOn": str(MONDAY), "receipt": "scan"}
        money = {"amount": {"amount": amount, "currency": "EUR"}, "recoverableTax": tax}
        assert self.events("submitBillableExpense", MANAGER, report="ER-1", line=line, resource="W-1", **told, **money)
        assert self.events("approveExpense", MANAGER, report="ER-1", lines=[line])

    def balances(self) -> dict[str, Decimal]:
        """What every account comes to, debits less credits."""
        found = self.ask("trialBalance { accounts { account balance } }")["accounts"]
        return {each["account"]: Decimal(each["balance"]) for each in found if Decimal(each["balance"])}

    def bills(self, invoice: str) -> None:
        assert self.events("requestInvoice", PREPARER, engagement="E-1", invoice=invoice)
        assert self.events("approveInvoice", invoice=invoice)
        assert self.events("issueInvoice", invoice=invoice)

    def eligible(self) -> dict[str, Decimal]:
        found = self.ask("billingEligibility(first: 100, where: {states: [ELIGIBLE]}) { nodes { item value } }")[
            "nodes"
        ]
        return {each["item"]: Decimal(each["value"]) for each in found}

    def breaches(self, settings: Settings) -> list[str]:
        """What every proof of the log and of the read models finds."""
        self.fold()
        live = self.asker.generations.live()
        assert live is not None
        with connect(settings.database_url or "", settings.db_schema) as conn:
            ledger = self.asker.parts.ledger
            report = verify(ledger, conn, None, lambda *_: None, lambda: checks_of(conn, live.schema))
        return [f"{check.name}: {each.object} {each.detail}" for check in report.checks for each in check.breaches]


@pytest.fixture
def books(settings: Settings) -> Iterator[Books]:
    terms = ExpenseTerms(CategoryTerms("*", markup_percent=Decimal(10)))
    with asking(settings) as asker:
        world = World(asker.parts.ledger).firm()
        yield Books(asker, world.contract(line=ContractLine("L1", "Work", TimeAndMaterials(), expenses=terms)))


def test_a_return_lowers_cost_revenue_tax_and_the_bill_and_every_proof_holds(books: Books, settings: Settings) -> None:
    books.spends("1", "595", "95")
    books.spends("2", "-238", "-38")
    assert books.eligible() == {"ER-1/1#1": Decimal(550), "ER-1/2#1": Decimal(-220)}
    rated = {"COST_EXPENSE": 300, "TAX_IN": 57, "CASH": -357, "CONTRACT_ASSET": 330, "REVENUE_EXPENSE": -330}
    assert books.balances() == rated
    assert books.breaches(settings) == []
    books.bills("I-1")
    (invoice,) = books.ask("invoices { nodes { net lines { net { amount } } } }")["nodes"]
    assert Decimal(invoice["net"]) == 330
    assert [line["net"]["amount"] for line in invoice["lines"]] == ["550.00", "-220.00"]
    billed = {"AR": Decimal("392.70"), "TAX_OUT": Decimal("-62.70")}
    assert books.balances() == {**{name: each for name, each in rated.items() if name != "CONTRACT_ASSET"}, **billed}
    assert books.breaches(settings) == []


def test_a_return_alone_is_no_invoice_and_is_settled_by_a_credit_of_what_was_billed(
    books: Books, settings: Settings
) -> None:
    books.spends("1", "595", "95")
    books.bills("I-1")
    books.spends("2", "-238", "-38")
    assert books.refusals("requestInvoice", PREPARER, engagement="E-1") == ["billing.below_zero"]
    part: dict[str, Any] = {"line": 1, "amount": {"amount": "220", "currency": "EUR"}, "disposition": "non_billable"}
    drafted = {"invoice": "I-1", "creditNote": "CN-1", "reason": "The ticket was given back.", "parts": [part]}
    assert books.events("draftCreditNote", PREPARER, **drafted)
    assert books.events("approveCreditNote", creditNote="CN-1")
    assert books.events("issueCreditNote", creditNote="CN-1")
    returned = {"stream": "expense_report:ER-1", "lot": "ER-1/2#1"}
    assert books.events("giveLotsFree", lots=[returned], because="Settled by the credit note.")
    assert books.eligible() == {}
    balances = books.balances()
    assert {name: balances.get(name, 0) for name in ("AR", "REVENUE_EXPENSE", "COST_EXPENSE", "CONTRACT_ASSET")} == {
        "AR": Decimal("392.70"), "REVENUE_EXPENSE": -330, "COST_EXPENSE": 300, "CONTRACT_ASSET": 0,
    }  # fmt: skip
    assert books.breaches(settings) == []


@pytest.mark.parametrize("returned", ["-238", "-595"])
def test_margins_and_figures_count_a_return_against_what_was_spent(
    books: Books, settings: Settings, returned: str
) -> None:
    """Also where it takes off all that was spent, so that the invoice asks for nothing."""
    books.spends("1", "595", "0")
    books.spends("2", returned, "0")
    spent = 595 + Decimal(returned)
    worth = spent * Decimal("1.1")
    unbilled = books.ask("unbilledWork { rows { value } }")["rows"]
    assert sum(Decimal(row["value"]) for row in unbilled) == worth
    books.bills("I-1")
    (margin,) = books.ask("margin { nodes { standard billed cost margin } }")["nodes"]
    assert {name: Decimal(each) for name, each in margin.items()} == {
        "standard": worth, "billed": worth, "cost": spent, "margin": worth - spent,
    }  # fmt: skip
    (leakage,) = books.ask("leakage { rows { standard steps { step amount } } }")["rows"]
    steps = {each["step"]: Decimal(each["amount"]) for each in leakage["steps"]}
    assert Decimal(leakage["standard"]) == worth
    assert sum(steps.values()) == worth
    assert books.breaches(settings) == []
