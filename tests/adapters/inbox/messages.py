"""What the systems of a firm tell of one engagement: its contract, its work and expenses, its money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.adapters.vendors.payloads import (
    ANNA,
    BORIS,
    ISSUE,
    LEAD,
    NINE,
    OTHER_ISSUE,
    Letter,
    canonical,
    identifier,
    jira_worklog,
    tempo_approval,
    tempo_worklog,
    worker,
)

MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
AT = NINE.isoformat()
ENGAGEMENT, REPORT, LINE_CARD = "engagement:E-1", "expense_report:ER-1", "rate_card:line:E-1:L1"
INVOICE = "invoice:INV-2"


def told(command: str, stream: str, name: str, *, clock: datetime = NINE, **data: Any) -> Letter:
    return canonical(f"{command}.v1", stream, data, name=name, at=clock)


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


# -- the contract ------------------------------------------------------------------------------------------------------


def agreed(line: str, **billing: Any) -> Letter:
    return told("engagement.agree_line", ENGAGEMENT, f"line-{line}", line=terms(line, **billing))


def terms(line: str, **billing: Any) -> dict[str, Any]:
    return {"line": line, "title": f"Promise {line}", "billing": billing}


def milestone(name: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"milestone": name, "title": f"Stage {name}", "amount": money(amount), **more}


def rate(card: str, row: str, amount: str, since: str, name: str, *, clock: datetime = NINE) -> Letter:
    of_seniors = {"row": row, "rate": money(amount), "effective_from": since, "role": "Senior"}
    return told("rate_card.set_rate", card, name, clock=clock, row=of_seniors)


def accepted(line: str, name: str, on: str) -> Letter:
    fields = {"line": line, "milestone": name, "accepted_on": on, "evidence": "a mail", "by": "pam", "at": AT}
    return canonical("engagement.accept_milestone.v1", ENGAGEMENT, fields, name=f"accept-{name}")


def measured(to_date: str, on: str) -> Letter:
    fields = {
        "line": "L4",
        "to_date": to_date,
        "on": on,
        "measure": "manual",
        "evidence": "a report",
        "by": "pam",
        "at": AT,
    }
    return canonical("engagement.measure_progress.v1", ENGAGEMENT, fields, name=f"measured-{on}")


NAMES = [
    identifier("jira", "user", ANNA, "W-1"),
    identifier("jira", "user", BORIS, "W-2"),
    identifier("jira", "user", LEAD, "W-9"),
    identifier("jira", "issue", ISSUE, "P-1-L1/ACME-7"),
    identifier("jira", "issue", OTHER_ISSUE, "P-1-L1/ACME-8"),
]
BY_THE_HOUR: Mapping[str, Any] = {"kind": "time_and_materials", "cap": money("5000")}
BY_PROGRESS: Mapping[str, Any] = {"kind": "percent_complete", "price": money("9000"), "measure": "manual"}
MORE = money("12000")
STAGES = [milestone("N1", "30"), milestone("N2", "70")]
SIGNED = [
    told(
        "engagement.open", ENGAGEMENT, "open",
        engagement="E-1", title="Data platform", customer="C-1", selling_entity="DE01", currency="EUR",
    ),
    told("engagement.sign", ENGAGEMENT, "sign", signed_on="2026-01-01", starts="2026-01-01"),
    agreed("L1", **BY_THE_HOUR),
]  # fmt: skip
PROMISES = [
    agreed(
        "L2",
        kind="fixed_fee_milestones",
        milestones=[milestone("M1", "5000"), milestone("M2", "7000", after=["M1"])],
    ),
    agreed("L3", kind="percent_complete", price=money("10000"), measure="milestones", milestones=STAGES),
    agreed("L4", **BY_PROGRESS),
    agreed("L5", kind="retainer", amount=money("1200")),
    agreed("L6", kind="managed_service", fee=money("310"), starts="2026-03-10"),
    accepted("L2", "M1", "2026-03-20"),
    accepted("L2", "M2", "2026-03-25"),
    accepted("L3", "N1", "2026-03-20"),
    accepted("L3", "N2", "2026-04-20"),
    measured("0.4", "2026-03-31"),
    measured("0.6", "2026-04-30"),
    told("engagement.grant_retainer", ENGAGEMENT, "grant", line="L5", grant="R1", on="2026-03-01", at=AT),
    told(
        "engagement.refund_retainer", ENGAGEMENT, "refund",
        line="L5", grant="R1", amount=money("200"), on="2026-03-15", reason="Less is needed.", by="pam",
    ),
    told(
        "engagement.propose_change_order", ENGAGEMENT, "propose",
        change_order="CO-1", effective_from="2026-04-01", because="More is needed.", by="pam", at=AT,
        lines=[terms("L1", **{**BY_THE_HOUR, "cap": money("7000")}), terms("L4", **{**BY_PROGRESS, "price": MORE})],
        adds_distinct=False, at_stand_alone_price=False, remaining_distinct=False,
    ),
    told("engagement.approve_change_order", ENGAGEMENT, "approve", change_order="CO-1", by="ann", at=AT),
    told("engagement.hold", ENGAGEMENT, "hold", reason="The budget is not clear."),
    told("engagement.lift_hold", ENGAGEMENT, "lift", clock=NINE + DAY),
]  # fmt: skip
RATES = [
    rate("rate_card:engagement:E-1", "own", "120", "2026-03-04", "rate-1"),
    rate(LINE_CARD, "mine", "99", "2026-03-03", "rate-2"),
    told("rate_card.withdraw_rate", LINE_CARD, "rate-3", clock=NINE + DAY, row="mine"),
    rate("rate_card:customer:C-1", "theirs", "140", "2026-03-02", "rate-4"),
    rate("rate_card:customer:C-1", "theirs", "145", "2026-03-02", "rate-5", clock=NINE + DAY),
]

PEOPLE = [
    worker("W-1", ANNA, rate="65", entered=NINE - DAY, effective="2026-03-02"),
    worker("W-1", ANNA, rate="70", entered=NINE, effective="2026-03-02"),
    worker("W-2", BORIS, rate="90", entered=NINE, effective="2026-03-04", role="Principal"),
    worker("W-2", BORIS, rate="80", entered=NINE + DAY, effective="2026-03-04"),
]

# -- the work ----------------------------------------------------------------------------------------------------------

HOURS = [
    jira_worklog("10", at=NINE),
    tempo_worklog(110, at=NINE + MINUTE),
    jira_worklog("10", at=NINE + HOUR, verb="updated", seconds=10_800),
    tempo_worklog(110, at=NINE + HOUR + MINUTE, verb="updated", seconds=10_800),
    jira_worklog("11", issue=OTHER_ISSUE, at=NINE, started=NINE + DAY),
    jira_worklog("11", issue=OTHER_ISSUE, at=NINE + 3 * HOUR, started=NINE + DAY, verb="deleted"),
    jira_worklog("12", issue=OTHER_ISSUE, author=BORIS, at=NINE + DAY, started=NINE + 2 * DAY, seconds=28_800),
    jira_worklog("13", at=NINE + DAY, started=NINE + 3 * DAY, seconds=7_200),
    jira_worklog("14", at=NINE + DAY, started=NINE + 4 * DAY, seconds=14_400),
]


def decided(name: str, verb: str, entry: str, days: int, **more: Any) -> Letter:
    at = NINE + days * DAY
    stream = "timesheet:W-1:2026-03-02"
    return canonical(
        f"timesheet.{verb}.v1",
        stream,
        {"entries": [entry], "by": "W-9", "at": at.isoformat(), **more},
        name=name,
        at=at,
    )


DECISIONS = [
    tempo_approval("IN_REVIEW", at=NINE + 8 * DAY, actor=ANNA),
    tempo_approval("APPROVED", at=NINE + 9 * DAY),
    tempo_approval("APPROVED", at=NINE + 9 * DAY, user=BORIS, starts="2026-03-01", ends="2026-03-31"),
    tempo_approval("OPEN", at=NINE + 10 * DAY, user=BORIS),
    tempo_approval("APPROVED", at=NINE + 11 * DAY, user=BORIS, starts="2026-03-01", ends="2026-03-31", comment="again"),
    decided("part", "approve", "jira:10", 5, hours={"jira:10": "2.5"}),
    decided("back", "reject", "jira:13", 12, reason="Which task?"),
    decided("late", "approve", "jira:14", 6),
    decided("no", "reject", "jira:14", 7, reason="Which task?"),
]


def expense(line: str, amount: str, name: str, at: datetime, currency: str = "EUR") -> Letter:
    spent = {
        "line": line, "project": "P-1-L1", "category": "Travel", "spent_on": "2026-03-05", "billable": True,
        "amount": money(amount, currency), "recoverable_tax": money("0", currency), "receipt": "receipt.pdf",
    }  # fmt: skip
    stated = {"report": "ER-1", "resource": "W-1", "expense": spent, "at": at.isoformat()}
    return canonical("expense.record.v1", REPORT, stated, name=name, at=at)


def expenses(verb: str, lines: list[str], name: str, at: datetime, **more: str) -> Letter:
    decision = {"lines": lines, "by": "W-9", "at": at.isoformat(), **more}
    return canonical(f"expense.{verb}.v1", REPORT, decision, name=name, at=at)


EXPENSES = [
    expense("1", "100", "expense-1", NINE),
    expense("1", "110", "expense-2", NINE + DAY),
    expense("2", "80", "expense-3", NINE, "GBP"),
    expense("3", "33", "expense-4", NINE),
    expenses("approve", ["1", "2"], "expense-5", NINE + 3 * DAY),
    expenses("approve", ["3"], "expense-6", NINE + 3 * DAY),
    expenses("reject", ["3"], "expense-7", NINE + 4 * DAY, reason="It is private."),
    told(
        "fx_rate.publish", "fx_rate:GBP:EUR", "fx", base="GBP", quote="EUR", on="2026-03-05", rate="1.17", source="ecb"
    ),
]

# -- money -------------------------------------------------------------------------------------------------------------


def answer(subject: str, name: str, at: datetime = NINE, **fields: Any) -> Letter:
    return Letter(f"p2c.in.erp.{subject}", {"at": at.isoformat(), "id": name, **fields})


def refunded(payment: str, amount: str) -> Letter:
    fields = {
        "refund": f"R-{payment}",
        "amount": money(amount),
        "on": "2026-04-20",
        "reason": "Paid twice.",
        "by": "ann",
    }
    return canonical("payment.refund.v1", f"payment:{payment}", fields, name=f"refund-{payment}")


def receipt(payment: str, amount: str, settled: Mapping[str, str]) -> Letter:
    return answer(
        "receipt.received", payment, payment=payment, customer="C-1", entity="DE01", receivedOn="2026-04-12",
        amount=money(amount), invoices=[{"invoice": name, "amount": money(part)} for name, part in settled.items()],
    )  # fmt: skip


CASH = [
    answer("invoice.sent", "sent-1", invoice="INV-1"),
    answer("invoice.in_doubt", "doubt-1", invoice="INV-1", reason="No answer."),
    answer("invoice.posted", "posted-1", invoice="INV-1", externalId="D1"),
    answer("invoice.rejected", "rejected-2", invoice="INV-2", reason="The period is closed."),
    answer("invoice.posted", "posted-2", NINE + DAY, invoice="INV-2", externalId="D2"),
    answer("payment.received", "B-1", payment="B-1", invoice="INV-1", receivedOn="2026-04-10", amount=money("100.00")),
    receipt("B-2", "500.00", {"INV-1": "250.00", "INV-2": "50.00"}),
    receipt("B-3", "80.00", {}),
    refunded("B-2", "150.00"),
    refunded("B-3", "80.00"),
    told(
        "invoice.record_payment", "invoice:INV-2", "B-9", payment="B-9", received_on="2026-04-22", amount=money("25.00")
    ),
    told("invoice.dispute", INVOICE, "dispute", dispute="D-1", on="2026-04-15", reason="Which hours?", by="ann"),
    told("invoice.resolve_dispute", INVOICE, "settled", dispute="D-1", on="2026-04-25", outcome="Paid.", by="ann"),
    told("customer.block", "customer:C-1", "block", reason="It does not pay."),
    told("customer.unblock", "customer:C-1", "unblock", clock=NINE + DAY),
]
