"""Canonical messages: what the sample firm tells the ledger in the ledger's own words, for want of a system for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from adapters.policy_packs.tax_packs import pack_of, told
from adapters.simulation.crm import engagement_key, project_key
from adapters.simulation.facts import (
    BillRateTold,
    EuroRateTold,
    ExpensesApproved,
    ExpenseTold,
    Fact,
    HoursTold,
    OrderTold,
    StageAccepted,
    TaxTold,
)
from adapters.simulation.message import Message, message


def bill_rate(fact: BillRateTold) -> Iterator[Message]:
    """A row of a rate card."""
    row = {
        "row": fact.row,
        "rate": _money(fact.amount, fact.currency),
        "effective_from": fact.effective_from.isoformat(),
        "role": fact.role,
        "resource": fact.employee,
    }
    owner = f"C-{fact.owner}" if fact.scope == "customer" else fact.owner
    stream = f"rate_card:{fact.scope}:{owner}"
    yield command(fact, "rate_card.set_rate.v1", stream, f"{stream}/{fact.row}", {"row": _present(row)})


def tax(fact: TaxTold) -> Iterator[Message]:
    """The tax pack of a country, as it comes with the ledger."""
    pack = pack_of(fact.country)
    assert pack is not None, "the firm has entities only in countries with a pack"
    stream, key = f"tax_rule:{fact.country}", f"tax/{fact.country}/{pack.version}"
    yield command(fact, "tax_rule.publish_pack.v1", stream, key, {"pack": told(pack)})


def euro_rate(fact: EuroRateTold) -> Iterator[Message]:
    """A reference rate of the central bank."""
    data = {"base": "EUR", "quote": fact.currency, "on": fact.on.isoformat(), "rate": f"{fact.rate:f}", "source": "ECB"}
    stream = f"fx_rate:EUR:{fact.currency}"
    yield command(fact, "fx_rate.publish.v1", stream, f"ecb/{fact.currency}/{fact.on}", data)


def order(fact: OrderTold) -> Iterator[Message]:
    """A customer's purchase order."""
    engagement = engagement_key(fact.engagement)
    data = {"order": {"number": fact.order}}
    name = "engagement.record_purchase_order.v1"
    yield command(fact, name, f"engagement:{engagement}", f"order/{fact.order}", data)


def acceptance(fact: StageAccepted) -> Iterator[Message]:
    """A customer's acceptance of a milestone."""
    engagement = engagement_key(fact.engagement)
    data = {
        "line": f"L{fact.line.number}",
        "milestone": fact.stage.name,
        "accepted_on": fact.on.isoformat(),
        "evidence": fact.evidence,
        "by": "user:delivery-lead",
        "at": fact.said_at.isoformat(),
    }
    key = f"accepted/{engagement}/L{fact.line.number}/{fact.stage.name}"
    yield command(fact, "engagement.accept_milestone.v1", f"engagement:{engagement}", key, data)


def overtime(fact: HoursTold, task: str) -> Iterator[Message]:
    """An evening's hours from the overtime form."""
    person, monday = fact.worker.employee, fact.day - timedelta(days=fact.day.weekday())
    name = f"OT-{fact.entry}"
    data = {
        "resource": person,
        "claim": {"system": "overtime", "id": name, "said_at": fact.said_at.isoformat()},
        "work": {
            "project": project_key(fact.engagement, fact.line),
            "task": task,
            "work_date": fact.day.isoformat(),
            "hours": f"{Decimal(fact.seconds) / 3600:f}",
            "time_type": "overtime",
            "started": fact.started.isoformat(timespec="seconds"),
            "note": fact.note,
        },
    }
    yield command(fact, "timesheet.log_time.v1", f"timesheet:{person}:{monday}", f"overtime/{name}", data)


def expense(fact: ExpenseTold) -> Iterator[Message]:
    """A line of an expense report, handed in."""
    currency = fact.worker.entity.currency
    line = {
        "line": str(fact.number),
        "project": project_key(fact.engagement, fact.line),
        "category": fact.category,
        "spent_on": fact.spent_on.isoformat(),
        "amount": _money(fact.amount, currency),
        "recoverable_tax": _money(fact.recoverable_tax, currency),
        "billable": True,
        "receipt": f"scan-{fact.report}-{fact.number}.pdf",
    }
    data = {"report": fact.report, "resource": fact.worker.employee, "expense": line, "at": fact.said_at.isoformat()}
    stream, key = f"expense_report:{fact.report}", f"expense/{fact.report}/{fact.number}"
    yield command(fact, "expense.record.v1", stream, key, data)


def expenses_approved(fact: ExpensesApproved) -> Iterator[Message]:
    """The approval of an expense report."""
    data = {
        "lines": [str(number) for number in fact.numbers],
        "by": fact.by.employee,
        "at": fact.said_at.isoformat(),
    }
    stream, key = f"expense_report:{fact.report}", f"expense/{fact.report}/approved"
    yield command(fact, "expense.approve.v1", stream, key, data)


def command(fact: Fact, name: str, stream: str, key: str, data: dict[str, Any]) -> Message:
    """A canonical message."""
    decider, verb, _ = name.split(".")
    body = {
        "command": name,
        "stream": stream,
        "id": key.replace(" ", "-"),
        "occurred_at": fact.said_at.isoformat(),
        "data": data,
    }
    return message(fact, "canonical", decider, verb, body)


def _money(amount: Decimal, currency: str) -> dict[str, str]:
    return {"amount": f"{amount:f}", "currency": currency}


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
