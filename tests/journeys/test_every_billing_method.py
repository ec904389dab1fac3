"""Every billing method of a contract line, told as messages and billed by the ledger itself, on real servers."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.settings import Settings
from api.commands.verify import report_of
from tests.journeys.running import ACCOUNT, Running, running, tell_the_firm, win_the_deal

CUSTOMER = f"C-{ACCOUNT}"
ENGAGEMENT = "engagement:E-ALL"
SHEET = "timesheet:W-1:2026-03-02"
APPROVED = "2026-03-31T12:00:00Z"


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def lines() -> list[dict[str, Any]]:
    """One line for each method that bills by itself."""
    milestone = {"milestone": "M1", "title": "Design", "amount": euros("4000")}
    parts = [
        {"instalment": f"{month:02}", "title": f"Part {month}", "due_on": f"2026-{month:02}-01", "amount": euros("500")}
        for month in (3, 4, 5)
    ]
    progress = {"kind": "percent_complete", "price": euros("10000"), "measure": "hours", "budget": "100"}
    return [
        {"line": "TM", "billing": {"kind": "time_and_materials"}},
        {"line": "MS", "billing": {"kind": "fixed_fee_milestones", "milestones": [milestone]}},
        {"line": "SCHEDULE", "billing": {"kind": "fixed_fee_schedule", "price": euros("1500"), "instalments": parts}},
        {"line": "PROGRESS", "billing": progress},
        {"line": "RETAINER", "billing": {"kind": "retainer", "amount": euros("1000")}},
        {"line": "SERVICE", "billing": {"kind": "managed_service", "fee": euros("310"), "starts": "2026-03-11"}},
    ]


async def sign(world: Running) -> None:
    """The engagement is opened, agreed line by line, and signed; the PSA and the ERP set its projects up."""
    opened = {"engagement": "E-ALL", "title": "Everything", "customer": CUSTOMER, "selling_entity": "DE01"}
    await world.command("engagement.open.v1", ENGAGEMENT, **opened, currency="EUR")
    for line in lines():
        await world.command("engagement.agree_line.v1", ENGAGEMENT, line={"title": line["line"].title(), **line})
    await world.command("engagement.sign.v1", ENGAGEMENT, signed_on="2026-03-01", starts="2026-03-01")
    await world.until(lambda: world.state("project:P-ALL-PROGRESS").open_for_time)


async def work(world: Running, project: str, hours: str, day: int) -> None:
    on = date(2026, 3, day)
    told: dict[str, Any] = {"resource": "W-1", "project": project, "work_date": on, "hours": Decimal(hours)}
    await world.ask("post-approved-time", manager=True, **told, approved_by="W-2", entry=f"{project}-{day}")


async def open_day(world: Running, day: str) -> None:
    await world.command("calendar.open_day.v1", "calendar:firm", day=day, at=f"{day}T00:00:10Z")


def billed(world: Running) -> dict[str, list[str]]:
    """What the contract itself has let be billed, by line, in order."""
    found: dict[str, list[str]] = {}
    for held in world.state(ENGAGEMENT).lots.values():
        found.setdefault(held.lot.line, []).append(f"{held.lot.value.amount:f}")
    return found


def test_every_method_bills_by_itself_as_days_pass_and_work_is_done(settings: Settings) -> None:
    async def scene(world: Running) -> None:
        await tell_the_firm(world)
        await win_the_deal(world)
        await sign(world)
        await open_day(world, "2026-03-01")
        await work(world, "P-ALL-TM", "8", 2)
        await work(world, "P-ALL-PROGRESS", "8", 3)
        await work(world, "P-ALL-PROGRESS", "7", 4)
        await world.until(lambda: len(world.state(SHEET).lots) == 3)
        accepted = {"accepted_on": "2026-03-20", "evidence": "mail of 20 March", "by": "W-2", "at": APPROVED}
        await world.command("engagement.accept_milestone.v1", ENGAGEMENT, line="MS", milestone="M1", **accepted)
        granted = {"line": "RETAINER", "grant": "R1", "on": "2026-03-05", "at": APPROVED}
        await world.command("engagement.grant_retainer.v1", ENGAGEMENT, **granted)
        for day in ("2026-04-01", "2026-05-01"):
            await open_day(world, day)
        expected = {
            "MS": ["4000"],
            "SCHEDULE": ["500", "500", "500"],
            "PROGRESS": ["1500.00"],
            "RETAINER": ["1000"],
            "SERVICE": ["210.00", "310.00", "310.00"],
        }
        await world.until(lambda: billed(world) == expected)

    async def run() -> None:
        async with running(settings) as world:
            await scene(world)
        report = await asyncio.to_thread(report_of, settings, lambda _done, _total, _what: None)
        assert [(check.name, check.breaches) for check in report.checks if not check.holds] == []

    asyncio.run(run())
