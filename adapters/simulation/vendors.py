"""The facts of the sample firm in the words of each system: Workday, Salesforce, Jira, Tempo, and the ledger's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adapters.simulation import atlassian, bookkeeping, crm, own
from adapters.simulation.facts import (
    AccountTold,
    AgreementTold,
    BillRateTold,
    BooksOpened,
    CapRaised,
    CurrencyPolicyTold,
    CustomerTold,
    DealTold,
    EntityTold,
    EuroRateTold,
    ExpensesApproved,
    ExpenseTold,
    Fact,
    HoursDeleted,
    HoursTold,
    IssueTold,
    LeadTold,
    LineTold,
    MonthBegan,
    OrderTold,
    PeriodTold,
    StageAccepted,
    TaxTold,
    WorkerTold,
)
from adapters.simulation.hr import company, worker
from adapters.simulation.message import Message

_WORDS: dict[type[Any], Callable[[Any], Iterator[Message]]] = {
    EntityTold: company,
    WorkerTold: worker,
    CustomerTold: crm.account,
    DealTold: crm.opportunity,
    LineTold: crm.line_item,
    CapRaised: crm.higher_cap,
    LeadTold: atlassian.project,
    IssueTold: atlassian.issue,
    HoursTold: atlassian.hours,
    HoursDeleted: atlassian.deletion,
    PeriodTold: atlassian.approval,
    BillRateTold: own.bill_rate,
    TaxTold: own.tax,
    EuroRateTold: own.euro_rate,
    CurrencyPolicyTold: bookkeeping.policy,
    BooksOpened: bookkeeping.period,
    MonthBegan: bookkeeping.month,
    AccountTold: bookkeeping.account,
    AgreementTold: bookkeeping.agreement,
    OrderTold: own.order,
    StageAccepted: own.acceptance,
    ExpenseTold: own.expense,
    ExpensesApproved: own.expenses_approved,
}


def messages(fact: Fact) -> Iterator[Message]:
    """What is put on the wire when a fact is stated."""
    return _WORDS[type(fact)](fact)
