"""The whole ledger running inside the test, every part in a thread, and the outside world that speaks to it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.broker import IN, OUT, Outgoing
from adapters.broker.jetstream import NatsBroker
from adapters.settings import Settings
from adapters.targets.control import Control
from adapters.targets.names import jira_project_key
from api.roles import role_named
from api.services.catalogue import SERVICES
from api.services.service import Answer
from api.serving.app import open_parts
from api.serving.parts import Parts
from domain.kernel import StreamId
from tests.api.services.desk import APPROVER, MANAGER, PREPARER
from tests.waiting import until

ROLES = ("ingest", "project", "automate", "relay", "connect")
SECONDS_MAX = 120.0


@dataclass
class Running:
    """A running ledger: what is published to it, what is asked of its service desk, and how its books stand."""

    settings: Settings
    broker: NatsBroker
    parts: Parts
    erp: Control
    psa: Control
    stops: list[threading.Event] = field(default_factory=list)
    published: int = field(default=0)

    async def publish(self, subject: str, payload: dict[str, Any], **headers: str) -> None:
        """A source system tells something."""
        self.published += 1
        await self.broker.publish(Outgoing(f"p2c.in.{subject}", json.dumps(payload).encode(), headers))

    async def command(self, command: str, stream: str, **data: Any) -> None:
        """Somebody sends a canonical command."""
        name = command.rpartition(".v")[0]
        body = {"command": command, "stream": stream, "id": f"test-{self.published}", "data": data}
        await self.publish(f"canonical.{name}", {**body, "occurred_at": "2026-01-01T00:00:00Z"})

    async def ask(
        self, service: str, *, approver: bool = False, manager: bool = False, key: str = "", **asked: Any
    ) -> Answer:
        """Somebody at a desk asks a governed service for something."""
        found = SERVICES[service]
        who = MANAGER if manager else APPROVER if approver else PREPARER
        key = key or f"{service}:{sorted(asked.items())}"
        return await asyncio.to_thread(self.parts.desk.run, found, found.input(**asked), who, key)

    def state(self, stream: str) -> Any:
        """An aggregate as it stands."""
        return self.parts.ledger.load([StreamId(stream)])[StreamId(stream)].state

    def names(self, stream: str) -> list[str]:
        """What has happened to an aggregate."""
        return [fact.name for fact in self.parts.ledger.history(StreamId(stream))]

    async def until(self, true: Callable[[], object | Awaitable[object]]) -> None:
        """Waits until something is so; fails when it does not become so in time."""
        await until(true, seconds=SECONDS_MAX)


@asynccontextmanager
async def running(settings: Settings, *, copies: int = 1) -> AsyncIterator[Running]:
    """Every part of the ledger, so many times, from here to the end of the block; each copy has a stop of its own."""
    assert settings.nats_url is not None
    settings.home.mkdir(parents=True, exist_ok=True)
    stops = [threading.Event() for _ in range(copies)]
    async with NatsBroker(settings.nats_url, name="test-world") as broker:
        await broker.ensure(IN, OUT)
        roles = [_started(name, settings, stop) for name in ROLES for stop in stops]
        try:
            with open_parts(settings) as parts:
                erp, psa = Control(broker.client, "erp"), Control(broker.client, "psa")
                world = Running(settings, broker, parts, erp, psa, stops)
                await world.until(lambda: _answers(world.erp))
                await world.until(parts.reader.is_ready)
                yield world
        finally:
            for stop in stops:
                stop.set()
            await _ended(roles)


async def _ended(roles: list[asyncio.Future[None]]) -> None:
    """Waits for every part and then says which failed: none outlives the loop that it reports to."""
    for outcome in await asyncio.gather(*roles, return_exceptions=True):
        if outcome is not None:
            raise outcome


def _started(name: str, settings: Settings, stop: threading.Event) -> asyncio.Future[None]:
    """A part at work in a thread of its own, of which there are more than a pool may have."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()

    def work() -> None:
        problem: BaseException | None = None
        try:
            role_named(name).run(settings, stop)
        except BaseException as raised:  # noqa: BLE001 - whoever waits for the part gets it
            problem = raised
        if problem is None:
            loop.call_soon_threadsafe(done.set_result, None)
        else:
            loop.call_soon_threadsafe(done.set_exception, problem)

    threading.Thread(target=work, name=f"{name}", daemon=True).start()
    return done


async def _answers(control: Control) -> bool:
    try:
        await control.state()
    except Exception:  # noqa: BLE001 - nobody answers yet
        return False
    return True


MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
ACCOUNT = "001000000000001AAA"
DEAL = "006000000000001AAA"
ENGAGEMENT = f"E-{DEAL}"
PROJECT = f"P-{DEAL}-L1"


async def tell_the_firm(world: Running) -> None:
    """The legal entity, a consultant and her manager, tax and rates, as their systems tell them."""
    await world.publish(
        "workday.company.updated",
        {
            "Company": {"WID": "c1", "Company_Reference_ID": "DE01"},
            "Effective_Date": "2020-01-01",
            "Entry_Moment": "2019-12-01T00:00:00Z",
            "Name": "Firm GmbH",
            "Address": {"Line_1": "Linden 1", "City": "Berlin", "Postal_Code": "10117", "Country_ISO_Code": "DE"},
            "Currency": "EUR",
            "Time_Zone": "Europe/Berlin",
            "Tax_ID": "DE123456789",
            "Invoice_Number_Prefix": "DE01",
            "Invoice_Approval_Limit": "25000",
            "Region": "EMEA",
            "Payment_Terms_Days": 30,
        },
    )
    for number in (1, 2):
        await world.publish("workday.worker.updated", _worker(number))
    rule = {"effective_from": "2020-01-01", "customer_country": "DE", "category": "S", "rate": "19"}
    await world.command("tax_rule.set.v1", "tax_rule:DE", jurisdiction="DE", rule=rule)
    senior = {
        "row": "senior",
        "rate": {"amount": "150", "currency": "EUR"},
        "effective_from": "2026-01-01",
        "role": "Senior Consultant",
    }
    await world.command("rate_card.set_rate.v1", "rate_card:firm:FIRM", row=senior)


def _worker(number: int) -> dict[str, Any]:
    return {
        "Worker": {"WID": f"w{number}", "Employee_ID": f"W-{number}"},
        "Effective_Date": "2026-01-01",
        "Entry_Moment": "2025-12-15T10:00:00.000-08:00",
        "Job_Profile": "Senior Consultant",
        "Company": {"Company_Reference_ID": "DE01"},
        "Location": "Berlin",
        "Practice": "Data",
        "Cost_Rate": {"Amount": "62.50", "Currency": "EUR"},
        "Scheduled_Weekly_Hours": "40",
        "Other_IDs": [{"Type": "Atlassian_Account_ID", "ID": f"5f6{number}"}],
    }


async def win_the_deal(world: Running, cap: str | None = None) -> None:
    """Salesforce tells the customer, the won deal and its one line."""
    at = "2026-01-05T09:30:00.000+0000"
    await world.publish(
        "salesforce.account.row",
        {
            "attributes": {"type": "Account"},
            "Id": ACCOUNT,
            "Name": "Acme",
            "BillingStreet": "Am Markt 2",
            "BillingCity": "Bonn",
            "BillingPostalCode": "53111",
            "BillingCountryCode": "DE",
            "LastModifiedDate": at,
        },
    )
    await world.publish(
        "salesforce.opportunity.row",
        {
            "attributes": {"type": "Opportunity"},
            "Id": DEAL,
            "Name": "Data platform",
            "AccountId": ACCOUNT,
            "StageName": "Closed Won",
            "IsWon": True,
            "CloseDate": "2026-01-05",
            "CurrencyIsoCode": "EUR",
            "Selling_Entity__c": "DE01",
            "PO_Required__c": False,
            "LastModifiedDate": at,
        },
    )
    await world.publish(
        "salesforce.opportunity-line-item.row",
        {
            "attributes": {"type": "OpportunityLineItem"},
            "Id": "00k000000000001AAA",
            "OpportunityId": DEAL,
            "Name": "Build",
            "Billing_Method__c": "T&M",
            "Cap__c": cap,
            "CurrencyIsoCode": "EUR",
            "Line_Code__c": "L1",
            "LastModifiedDate": at,
        },
    )


async def log_time(world: Running, number: int, day: int, hours: int = 8) -> None:
    """One day of work, as Jira and then Tempo tell it."""
    started = MONDAY + timedelta(days=day)
    local, seconds = started + timedelta(hours=1), hours * 3600
    stamp = int(started.timestamp() * 1000) + number
    await world.publish(
        "jira.worklog.created",
        {
            "timestamp": stamp,
            "webhookEvent": "worklog_created",
            "worklog": {
                "author": {"accountId": "5f61", "timeZone": "Europe/Berlin"},
                "updateAuthor": {"accountId": "5f61"},
                "comment": "build",
                "created": f"{started:%Y-%m-%dT%H:%M:%S}.000+0000",
                "updated": f"{started:%Y-%m-%dT%H:%M:%S}.000+0000",
                "started": f"{local:%Y-%m-%dT%H:%M:%S}.000+0100",
                "timeSpentSeconds": seconds,
                "id": str(10_000 + number),
                "issueId": "12463",
            },
        },
        **{"x-atlassian-webhook-identifier": f"hook-{number}"},
    )
    await world.publish(
        "tempo.worklog.created",
        {
            "eventId": f"tempo-{number}",
            "eventType": "worklog.created",
            "payload": {
                "author": {"accountId": "5f61"},
                "billableSeconds": seconds,
                "createdAt": f"{started:%Y-%m-%dT%H:%M:%S}.500Z",
                "description": "build",
                "issue": {"id": 12463},
                "startDate": f"{local:%Y-%m-%d}T00:00:00.000Z",
                "startTime": local.hour * 3600,
                "tempoWorklogId": number,
                "timeSpentSeconds": seconds,
                "updatedAt": f"{started:%Y-%m-%dT%H:%M:%S}.500Z",
                "updater": {"accountId": "5f61"},
            },
        },
    )


async def tell_the_issue(world: Running) -> None:
    """Jira tells an issue of the project that the PSA has named."""
    fields = {"summary": "Build", "project": {"id": "100", "key": jira_project_key(PROJECT)}, "labels": []}
    issue = {"id": "12463", "key": f"{jira_project_key(PROJECT)}-1", "fields": fields}
    timestamp = int(MONDAY.timestamp() * 1000) - 1
    payload = {"timestamp": timestamp, "webhookEvent": "jira:issue_created", "issue": issue}
    await world.publish("jira.issue.created", payload, **{"x-atlassian-webhook-identifier": "hook-issue"})


async def approve_the_week(world: Running) -> None:
    """Tempo tells that the manager approved the week."""
    await world.publish(
        "tempo.timesheet-approval.updated",
        {
            "user": {"accountId": "5f61"},
            "period": {"from": "2026-03-02", "to": "2026-03-08"},
            "status": {"key": "APPROVED", "actor": {"accountId": "5f62"}, "updatedAt": "2026-03-09T08:00:00Z"},
        },
    )
