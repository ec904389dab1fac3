"""The ledger's books of the sample firm are the auditor's, whatever the systems send in whatever order."""

from __future__ import annotations

import random
from functools import cache

import pytest

from adapters.simulation.auditor import Account, Auditor, Place
from adapters.simulation.facts import BillingRun
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Message
from adapters.simulation.stream import stream
from tests.adapters.simulation.in_memory import InMemory

SMALL = Plan(seed=5, consultants=6, months=1)


@cache
def messages_of(plan: Plan) -> tuple[Message, ...]:
    """The messages without those that carry another's id: which of the two comes first says which one is right."""
    items = (item for item in stream(Firm(plan)) if isinstance(item, Message))
    return tuple(message for message in items if message.fault != "same id")


@cache
def audited(plan: Plan) -> dict[Place, Account]:
    auditor = Auditor()
    for message in messages_of(plan):
        if message.fact is not None:
            auditor.hear(message.fact)
    return auditor.accounts()


@pytest.mark.parametrize("plan", [Plan(seed=1, consultants=12, months=3), Plan(seed=2, consultants=8, months=4)])
def test_the_books_agree_before_and_after_every_billing(plan: Plan) -> None:
    ledger, auditor, waiting = InMemory(), Auditor(), list[Message]()
    for item in stream(Firm(plan)):
        if isinstance(item, BillingRun):
            ledger.hear(waiting)
            waiting.clear()
            assert ledger.accounts() == auditor.accounts()
            ledger.bill(item.cut_off)
            auditor.bill(item.cut_off)
            assert ledger.accounts() == auditor.accounts()
            continue
        waiting.append(item)
        if item.fact is not None:
            auditor.hear(item.fact)
    ledger.hear(waiting)
    assert ledger.accounts() == auditor.accounts()
    assert sum(account.billed > 0 for account in ledger.accounts().values()) >= 3
    assert "timesheet.entry_invoiced" in ledger.exceptions()


def test_every_project_is_managed_by_one_of_its_team() -> None:
    firm, ledger = Firm(SMALL), InMemory()
    ledger.hear(messages_of(SMALL))
    people = {worker.employee for worker in firm.consultants}
    managers = {
        fact.stream: ledger.read(fact.stream).manager
        for fact in ledger.ledger.read(0, 1_000_000)
        if fact.name == "project.created.v1"
    }
    assert len(managers) >= 3
    assert set(managers.values()) <= people


@pytest.mark.parametrize("seed", range(6))
def test_any_order_and_any_repetition_lead_to_the_same_books(seed: int) -> None:
    rng = random.Random(seed)
    messages = list(messages_of(SMALL))
    messages += rng.sample(messages, len(messages) // 4)
    rng.shuffle(messages)
    ledger = InMemory()
    ledger.hear(messages, batch=rng.choice([1, 13, 100, 400]))
    assert ledger.accounts() == audited(SMALL)


def test_the_books_are_not_compared_with_nothing() -> None:
    accounts = audited(SMALL)
    assert len(accounts) >= 3
    assert all(account.standard > 0 for account in accounts.values())
    assert {account.expenses > 0 for account in accounts.values()} == {True, False}
    assert any(account.milestones > 0 for account in accounts.values())


def test_the_auditor_finds_books_that_lack_one_message() -> None:
    approvals = [m for m in messages_of(SMALL) if b'"APPROVED"' in m.payload]
    ledger = InMemory()
    ledger.hear(message for message in messages_of(SMALL) if message.payload != approvals[0].payload)
    assert ledger.accounts() != audited(SMALL)
