"""The sample firm's finance department: bills each month through the governed services, as people would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from nats.aio.client import Client
from nats.errors import Error as NatsError

from adapters.simulation.facts import BillingRun
from adapters.simulation.firm import Firm
from api.access import Role
from api.serving.nats_services import SUBJECT
from api.tokens import local_token
from domain.money import Money

ANSWER_SECONDS_MAX: Final = 30.0
ATTEMPTS_MAX: Final = 20
PAUSE_SECONDS: Final = 0.25
AT_ONCE_MAX: Final = 4
NOTHING_TO_BILL: Final = "invoice.nothing_to_bill"
DAYS_TO_PAY: Final = 21
DAYS_TO_CREDIT: Final = 4


class ServiceRefused(Exception):
    """A governed service did not do what the sample firm asked."""

    def __init__(self, service: str, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{service}: {code}: {message}")


@dataclass(frozen=True, slots=True)
class Services:
    """The governed services on NATS, as one person may use them; a call without an answer is repeated under its key."""

    client: Client
    token: str

    async def call(self, service: str, key: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of a service; raises ServiceRefused."""
        body = json.dumps({"idempotencyKey": key, "input": asked}).encode()
        headers = {"Authorization": f"Bearer {self.token}"}
        for attempt in range(ATTEMPTS_MAX):
            try:
                answer = await self.client.request(f"{SUBJECT}.{service}", body, ANSWER_SECONDS_MAX, headers=headers)
            except (TimeoutError, NatsError):
                if attempt == ATTEMPTS_MAX - 1:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            told = answer.headers or {}
            if code := told.get("Nats-Service-Error-Code"):
                raise ServiceRefused(service, code, told.get("Nats-Service-Error", ""))
            result: Mapping[str, Any] = json.loads(answer.data)
            return result
        raise AssertionError("every attempt returns or raises")


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice that was issued."""

    invoice: str
    number: str
    engagement: str
    customer: str
    issued_on: date
    gross: Decimal
    currency: str
    month: str
    first_hours: tuple[int, str] | None = None
    """The number of its first line that bills hours, and the first lot on that."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that a customer sent for a bill."""

    bill: Bill
    payment: str
    amount: Money
    received_on: date
    is_all: bool


@dataclass(slots=True)
class Finance:
    """Bills month by month. What it does depends on the plan alone, and doing it again changes nothing."""

    firm: Firm
    preparer: Services
    approver: Services
    bills: list[Bill] = field(default_factory=list)
    asked_to_pay: set[str] = field(default_factory=set)
    drafts_left: int = 0
    credit_notes: int = 0
    charged: list[tuple[str, str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, firm: Firm, client: Client, home: Path) -> Finance:
        """Two people, because nobody approves what they prepared."""
        preparer = local_token(home, Role.FINANCE_PREPARER, hours=2, subject="finance-preparer")
        approver = local_token(home, Role.FINANCE_APPROVER, hours=2, subject="finance-approver")
        return cls(firm, Services(client, preparer), Services(client, approver))

    async def draft(self, run: BillingRun) -> list[str]:
        """A draft for every engagement that has something to bill, entity by entity."""
        drafts: list[str] = []
        for entity in entities_of(run, self.firm):
            asked = {"sellingEntity": entity, "cutOff": run.cut_off.isoformat()}
            try:
                answer = await self.preparer.call("request-invoice", self._key(run, entity), asked)
            except ServiceRefused as refused:
                if refused.code != NOTHING_TO_BILL:
                    raise
                continue
            drafts += sorted(stream.partition(":")[2] for stream in answer["objects"])
        return drafts

    async def approve(self, run: BillingRun, drafts: Sequence[str]) -> list[str]:
        """Approve the drafts; of the last run every second one is left for others to look at."""
        wanted = list(drafts) if run.everything else list(drafts)[::2]
        self.drafts_left += len(drafts) - len(wanted)
        places = asyncio.Semaphore(AT_ONCE_MAX)

        async def one(invoice: str) -> None:
            async with places:
                asked = {"invoice": invoice, "approvedOn": run.on.isoformat()}
                await self.approver.call("approve-invoice", self._key(run, invoice), asked)

        await asyncio.gather(*(one(invoice) for invoice in wanted))
        return wanted

    async def issue(self, run: BillingRun, approved: Sequence[str]) -> list[Bill]:
        """Issue one after the other, so that the numbers are the same in every run."""
        issued = []
        for invoice in approved:
            asked = {"invoice": invoice, "issuedOn": run.on.isoformat()}
            answer = await self.preparer.call("issue-invoice", self._key(run, invoice), asked)
            contents = {each["name"]: each["content"] for each in answer["events"]}
            issued.append(_bill(invoice, contents["invoice.issued.v1"]["document"], run))
        self.bills += issued
        return issued

    async def credit(self, run: BillingRun, issued: Sequence[Bill]) -> None:
        """Every second month a customer who does not pay is credited some hours: to be billed again, or given up."""
        place = run.cut_off.month
        bill = next((each for each in issued if each.first_hours and not self._pays(each)), None)
        if place % 2 or bill is None or bill.first_hours is None:
            return
        line, lot = bill.first_hours
        part = {"line": line, "lot": lot, "disposition": "rebill" if place % 4 else "write_off"}
        name, on = f"CN-{bill.number}", (run.on + timedelta(days=DAYS_TO_CREDIT)).isoformat()
        drafted = {"invoice": bill.invoice, "parts": [part], "reason": "The hours were disputed.", "creditNote": name}
        await self.preparer.call("draft-credit-note", self._key(run, f"{name}/draft"), drafted)
        approved = {"creditNote": name, "approvedOn": on}
        await self.approver.call("approve-credit-note", self._key(run, f"{name}/approve"), approved)
        await self.preparer.call("issue-credit-note", self._key(run, name), {"creditNote": name, "issuedOn": on})
        self.credit_notes += 1

    def _pays(self, bill: Bill) -> bool:
        return payment_of(bill, self.firm.plan.seed) is not None

    async def charge_within(self, run: BillingRun) -> None:
        """The companies invoice each other what their people did for the others' customers in the month."""
        answer = await self.preparer.call("run-intercompany", self._key(run, "intercompany"), {"period": run.month})
        pairs = (stream.split(":") for stream in answer["objects"])
        self.charged += [(run.month, lender, borrower) for _, lender, borrower in pairs]

    async def settle_within(self, run: BillingRun) -> None:
        """The companies pay each other what they invoiced a month ago."""
        due, self.charged = self.charged, []
        for month, lender, borrower in due:
            name = f"IC-{month}-{lender}-{borrower}"
            asked = {"settlement": name, "lender": lender, "borrower": borrower, "paidOn": run.on.isoformat()}
            await self.preparer.call("settle-intercompany", self._key(run, name), asked)

    def payments_before(self, run: BillingRun) -> list[Payment]:
        """What customers have paid by a run of the bills that are weeks old by then."""
        due = (bill for bill in self.bills if bill.issued_on + timedelta(days=DAYS_TO_PAY) <= run.on)
        fresh = (bill for bill in due if bill.invoice not in self.asked_to_pay)
        found = [(bill, payment_of(bill, self.firm.plan.seed)) for bill in fresh]
        self.asked_to_pay |= {bill.invoice for bill, _ in found}
        return [payment for _, payment in found if payment is not None]

    def _key(self, run: BillingRun, about: str) -> str:
        return f"sample/{self.firm.plan.seed}/{run.month}/{about}"


def entities_of(run: BillingRun, firm: Firm) -> list[str]:
    """Whose engagements a run bills: all, or in the last run of a history only those of the first half."""
    entities = [entity.code for entity in firm.entities]
    return entities if run.everything else entities[: len(entities) // 2]


def _bill(invoice: str, document: Mapping[str, Any], run: BillingRun) -> Bill:
    return Bill(
        invoice=invoice,
        number=document["number"],
        engagement=document["header"]["engagement"],
        customer=document["header"]["customer"],
        issued_on=date.fromisoformat(document["issued_on"]),
        gross=Decimal(document["gross"]["amount"]),
        currency=document["gross"]["currency"],
        month=run.month,
        first_hours=_first_hours(document),
    )


def _first_hours(document: Mapping[str, Any]) -> tuple[int, str] | None:
    hours = (line for line in document["lines"] if line["unit"] == "hour" and line["lots"])
    return next(((line["line"], line["lots"][0]["lot"]) for line in hours), None)


def payment_of(bill: Bill, seed: int) -> Payment | None:
    """What a customer pays within a month: mostly all of it, sometimes a part, sometimes nothing."""
    lot = Random(f"{seed}/payment/{bill.engagement}/{bill.month}").random()  # noqa: S311 - the same in every run
    if lot > 0.85 or not bill.gross:
        return None
    share = Decimal("0.4") if lot > 0.75 else Decimal(1)
    amount = Money(bill.gross * share, bill.currency).rounded()
    received_on = bill.issued_on + timedelta(days=DAYS_TO_PAY)
    return Payment(bill, f"BANK-{bill.number}", amount, received_on, is_all=share == 1)
