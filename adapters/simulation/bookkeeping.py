"""How the sample firm keeps its books: its months, its accounts, what its companies charge each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import permutations
from typing import Final

from adapters.simulation.facts import AccountTold, AgreementTold, BooksOpened, CurrencyPolicyTold, Fact, MonthBegan
from adapters.simulation.firm import Firm
from adapters.simulation.message import Message
from adapters.simulation.own import command
from domain.periods import months_later

TARGET: Final = "erp"
CONTROLLER: Final = "user:controller"
ACCOUNTS: Final = {
    "AR": "1200",
    "IC_AR": "1260",
    "RETENTION": "1280",
    "CONTRACT_ASSET": "1300",
    "TAX_IN": "1570",
    "CASH": "1800",
    "IC_AP": "3260",
    "CONTRACT_LIABILITY": "3300",
    "TAX_OUT": "3800",
    "LOSS_PROVISION": "3070",
    "REVENUE_TM": "4000",
    "REVENUE_FIXED": "4010",
    "REVENUE_MILESTONE": "4020",
    "REVENUE_EXPENSE": "4030",
    "REVENUE_IC": "4060",
    "REVENUE_ADJUSTMENT": "4090",
    "COST_LABOUR": "5000",
    "LABOUR_ABSORBED": "5090",
    "COST_EXPENSE": "5100",
    "COST_IC": "5260",
    "FX_REALISED": "6880",
    "FX_UNREALISED": "6890",
    "BAD_DEBT": "6930",
}
"""The firm's chart of accounts, the same in all its companies."""
_MODELS: Final = (
    ("cost_plus_percent", Decimal(12)),
    ("percent_of_sales", Decimal(65)),
    ("contribution_ratio", Decimal(15)),
)
"""What the companies agreed with each other, in turn."""


def books(firm: Firm, since: date, said: datetime) -> Iterator[Fact]:
    """What is in place before the first hour: the currency policy, open months, accounts, and agreements."""
    yield CurrencyPolicyTold("EUR", ("ECB", "ecb"), since, said)
    for entity in firm.entities:
        first = firm.plan.starts.replace(day=1)
        while first <= months_later(firm.plan.ends.replace(day=1), 1):
            yield BooksOpened(entity, f"{first:%Y-%m}", said)
            first = months_later(first, 1)
        for role, account_ in ACCOUNTS.items():
            yield AccountTold(entity, role, account_, since, said)
    for place, (lender, borrower) in enumerate(permutations(firm.entities, 2)):
        model, parameter = _MODELS[place % len(_MODELS)]
        yield AgreementTold(lender, borrower, model, parameter, since, said)


def policy(fact: CurrencyPolicyTold) -> Iterator[Message]:
    """The firm's currency policy."""
    terms = {
        "effective_from": fact.effective_from.isoformat(),
        "reporting_currency": fact.reporting_currency,
        "sources": list(fact.sources),
    }
    yield command(fact, "fx_policy.state.v1", "fx_policy:FIRM", f"fx-policy/{fact.effective_from}", {"terms": terms})


def period(fact: BooksOpened) -> Iterator[Message]:
    """A month that is opened."""
    code = fact.entity.code
    data = {"entity": code, "period": fact.period, "by": CONTROLLER, "at": fact.said_at.isoformat()}
    stream, key = f"accounting_period:{code}", f"period/{code}/{fact.period}"
    yield command(fact, "accounting_period.open.v1", stream, key, data)


def month(fact: MonthBegan) -> Iterator[Message]:
    """A month that begins."""
    data = {"day": fact.day.isoformat(), "at": fact.said_at.isoformat()}
    yield command(fact, "calendar.open_day.v1", "calendar:FIRM", f"calendar/{fact.day}", data)


def account(fact: AccountTold) -> Iterator[Message]:
    """An account of the ERP."""
    code = fact.entity.code
    mapping = {"role": fact.role, "account": fact.account, "effective_from": fact.effective_from.isoformat()}
    data = {"entity": code, "target": TARGET, "mapping": mapping, "by": CONTROLLER}
    yield command(fact, "account_map.map.v1", f"account_map:{code}:{TARGET}", f"account/{code}/{fact.role}", data)


def agreement(fact: AgreementTold) -> Iterator[Message]:
    """What one company charges another; between countries the borrower accounts for the tax."""
    lender, borrower = fact.lender, fact.borrower
    terms = {
        "effective_from": fact.effective_from.isoformat(),
        "model": fact.model,
        "currency": lender.currency,
        "parameter": f"{fact.parameter:f}",
        "tax": {"category": "O", "percent": "0", "reason": "Taxed where the borrower is"},
    }
    data = {"lender": lender.code, "borrower": borrower.code, "terms": terms, "by": CONTROLLER}
    stream, key = f"intercompany_agreement:{lender.code}:{borrower.code}", f"agreement/{lender.code}/{borrower.code}"
    yield command(fact, "intercompany_agreement.state.v1", stream, key, data)
