"""Whatever a source system sends by mistake, somebody is told what is wrong with which object, and what to do."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapters.broker import Outgoing
from adapters.settings import Settings
from adapters.vendors.letter import PAYLOAD_BYTES_MAX
from api.commands.verify import report_of
from tests.api.asker import Asker
from tests.journeys.running import (
    ACCOUNT,
    ENGAGEMENT,
    MONDAY,
    PROJECT,
    Running,
    approve_the_week,
    log_time,
    running,
    tell_the_firm,
    tell_the_issue,
    win_the_deal,
)
from tests.world import World

CUSTOMER = f"C-{ACCOUNT}"
WORKED = {"resource": "W-1", "project": PROJECT, "engagement": ENGAGEMENT, "customer": CUSTOMER}


@dataclass(frozen=True)
class Bad:
    """A message, and what must be said about it over GraphQL."""

    subject: str
    body: Any
    kind: str
    code: str
    about: str
    says: str
    owner: str
    context: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def worklog(number: int, *, hook: str = "", **changes: Any) -> tuple[str, dict[str, Any], dict[str, str]]:
    """An hour of the consultant as Jira tells it, with something about it changed."""
    at = MONDAY + timedelta(days=1)
    log = {
        "author": {"accountId": "5f61", "timeZone": "Europe/Berlin"},
        "updateAuthor": {"accountId": "5f61"},
        "comment": "build",
        "created": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "updated": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "started": f"{at:%Y-%m-%dT%H:%M:%S}.000+0000",
        "timeSpentSeconds": 3600,
        "id": str(number),
        "issueId": "12463",
    }
    body = {"timestamp": int(at.timestamp() * 1000), "webhookEvent": "worklog_created", "worklog": {**log, **changes}}
    return "jira.worklog.created", body, {"x-atlassian-webhook-identifier": hook or f"bad-{number}"}


def command(name: str, stream: str, **data: Any) -> tuple[str, dict[str, Any], dict[str, str]]:
    """A canonical command."""
    body = {"command": name, "stream": stream, "id": f"bad/{name}", "occurred_at": "2026-03-02T09:00:00Z", "data": data}
    return f"canonical.{name.rpartition('.v')[0]}", body, {}


def bad(
    told: tuple[str, Any, dict[str, str]], kind: str, code: str, *, about: str, says: str, owner: str, **context: Any
) -> Bad:
    subject, body, headers = told
    return Bad(f"p2c.in.{subject}", body, kind, code, about, says, owner, context, headers)


ENTITY = {
    "effective_from": "2026-01-01",
    "name": "Firm Ltd",
    "address": {"street": "1 Road", "city": "London", "postal_code": "N1", "country": "GB"},
    "functional_currency": "GBP",
    "time_zone": "Europe/Nowhere",
    "tax_id": "GB1",
    "number_prefix": "GB01",
    "approval_limit": {"amount": "1000", "currency": "GBP"},
    "region": "EMEA",
}
EUX = {"row": "typo", "rate": {"amount": "150", "currency": "EUX"}, "effective_from": "2026-01-01", "role": "Senior"}
STRANGER = {"accountId": "nobody-knows-me", "timeZone": "Europe/Berlin"}
FX = {"base": "EUR", "quote": "USD", "on": "2026-03-02", "rate": "1.1", "source": "ECB", "bid": "1.0"}

CASES = {
    "malformed JSON": bad(
        ("jira.worklog.created", b'{"timestamp": 1772440000000, "worklog": {"id": "77', {"Nats-Msg-Id": "cut-short"}),
        "quarantined", "message.malformed_json", about="jira:cut-short", says="JSON", owner="integration",
    ),
    "wrong type": bad(
        worklog(20_001, timeSpentSeconds={"eight": "hours"}),
        "quarantined", "message.wrong_type", about="jira:bad-20001", says="timeSpentSeconds", owner="integration",
    ),
    "unknown currency": bad(
        command("rate_card.set_rate.v1", "rate_card:firm:FIRM", row=EUX),
        "refused", "money.unknown_currency", about="canonical:rate_card.set_rate:bad/rate_card.set_rate.v1", says="EUX",
        owner="integration",
    ),
    "unknown time zone": bad(
        command("legal_entity.define.v1", "legal_entity:GB01", entity="GB01", terms=ENTITY),
        "refused", "legal_entity.unknown_time_zone", about="canonical:stated:legal_entity:GB01/terms/2026-01-01",
        says="Europe/Nowhere", owner="integration",
    ),
    "a negative day": bad(
        worklog(20_002, timeSpentSeconds=-3600),
        "refused", "timesheet.hours_out_of_range", about="jira:worklog:20002", says="-1", owner="project_manager",
        **WORKED,
    ),
    "a day of thirty hours": bad(
        worklog(20_003, timeSpentSeconds=108_000),
        "refused", "timesheet.hours_out_of_range", about="jira:worklog:20003", says="30 h",
        owner="project_manager", **WORKED,
    ),
    "one day of thirty hours in two entries": bad(
        worklog(20_008, timeSpentSeconds=79_200, started=f"{MONDAY:%Y-%m-%d}T20:00:00.000+0100"),
        "refused", "timesheet.day_too_long", about="jira:worklog:20008", says="30 h", owner="project_manager",
        **{**WORKED, "hoursAtRisk": "22"},
    ),
    "unknown worker": bad(
        worklog(20_004, author=STRANGER, updateAuthor=STRANGER),
        "waiting", "message.waits", about="jira:user:nobody-knows-me", says="jira:user:nobody-knows-me",
        owner="project_manager", hoursAtRisk="1",
    ),
    "unknown project": bad(
        worklog(20_005, issueId="99999"),
        "waiting", "message.waits", about="jira:issue:99999", says="jira:issue:99999", owner="project_manager",
        resource="W-1", hoursAtRisk="1",
    ),
    "a future version": bad(
        command("fx_rate.publish.v9", "fx_rate:EUR:USD", **FX),
        "quarantined", "message.future_version", about="canonical:bad/fx_rate.publish.v9", says="fx_rate.publish",
        owner="integration",
    ),
    "the id of another message": bad(
        worklog(20_006, hook="hook-0"),
        "conflict", "message.id_reused", about="jira:hook-0#", says="hook-0", owner="integration",
        **{**WORKED, "hoursAtRisk": "1"},
    ),
    "too large": bad(
        worklog(20_007, comment="x" * (PAYLOAD_BYTES_MAX + 1)),
        "quarantined", "message.oversize", about="jira:sha256:", says=str(PAYLOAD_BYTES_MAX), owner="integration",
    ),
}  # fmt: skip

QUESTION = """{ exceptions(where: {isOpen: true}, first: 100) { nodes {
    kind code about message whatToDo ownerRole resource project engagement customer hoursAtRisk occurrences } } }"""


async def _story(settings: Settings) -> list[dict[str, Any]]:
    """A firm that works, then every bad message, twice, then more good work."""
    async with running(settings) as world:
        await tell_the_firm(world)
        await win_the_deal(world)
        await world.until(lambda: world.state(f"project:{PROJECT}").open_for_time)
        await tell_the_issue(world)
        await log_time(world, 0, 0)
        await world.until(lambda: world.state("timesheet:W-1:2026-03-02").entries)
        for _ in range(2):
            for case in CASES.values():
                await world.broker.publish(Outgoing(case.subject, case.payload, case.headers))
        await _a_null_that_means_unchanged(world)
        await log_time(world, 1, 2)
        await approve_the_week(world)
        await world.until(lambda: len(world.state("timesheet:W-1:2026-03-02").lots) == 2)
        asker = Asker(world.parts, World(world.parts.ledger))
        head = world.parts.ledger.head()
        assert await asyncio.to_thread(world.parts.reader.wait_for, head, 20.0)
        found = await asyncio.to_thread(asker.ask, QUESTION)
        assert world.state(f"customer:{CUSTOMER}").bill_to.city == "Bonn"
        shown: list[dict[str, Any]] = found["exceptions"]["nodes"]
        return shown


async def _a_null_that_means_unchanged(world: Running) -> None:
    """A change event names what was emptied; a null beside that tells nothing."""
    header = {
        "entityName": "Account",
        "recordIds": [ACCOUNT],
        "changeType": "UPDATE",
        "transactionKey": "null",
        "sequenceNumber": 1,
        "commitTimestamp": int(MONDAY.timestamp() * 1000),
        "commitNumber": 1,
        "commitUser": "005000000000001AAA",
        "nulledFields": [],
        "changedFields": ["0x400000"],
    }
    body = {"ChangeEventHeader": header, "Name": "Acme AG", "BillingAddress": None, "Tax_Id__c": None}
    await world.publish("salesforce.account.changed", body)
    await world.until(lambda: world.state(f"customer:{CUSTOMER}").name == "Acme AG")


def test_each_mistake_of_a_source_is_an_exception_that_names_its_object_and_what_to_do(settings: Settings) -> None:
    shown = asyncio.run(_story(settings))
    for name, case in CASES.items():
        found = [each for each in shown if each["code"] == case.code and each["about"].startswith(case.about)]
        assert len(found) == 1, f"{name}: {found} of {shown}"
        (item,) = found
        assert (item["kind"], item["ownerRole"]) == (case.kind, case.owner), name
        assert case.says in item["message"], f"{name}: {item['message']}"
        assert item["whatToDo"], name
        assert {field: item[field] for field in case.context} == case.context, name
    assert len(shown) == len(CASES), "nothing else went wrong"
    report = report_of(settings, lambda _done, _total, _what: None)
    assert [(check.name, check.breaches) for check in report.checks if not check.holds] == []
