"""From a won deal to money in the bank, through every part of the ledger, on real PostgreSQL and NATS."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal

import pytest

from adapters.settings import Settings
from api.commands.verify import report_of
from api.services.drafts import LotInput
from domain.kernel import StreamId
from projections.history import lineage
from tests.journeys.running import (
    ENGAGEMENT,
    PROJECT,
    Running,
    approve_the_week,
    log_time,
    running,
    tell_the_firm,
    tell_the_issue,
    win_the_deal,
)
from tests.world import euros

SHEET = "timesheet:W-1:2026-03-02"
END_OF_MARCH = date(2026, 3, 31)


@pytest.fixture
def play(settings: Settings) -> Callable[[Callable[[Running], Awaitable[None]]], None]:
    """Plays a scene on a running ledger, and proves afterwards that its books are right."""

    async def run(scene: Callable[[Running], Awaitable[None]]) -> None:
        async with running(settings) as world:
            await scene(world)
        report = await asyncio.to_thread(report_of, settings, lambda _done, _total, _what: None)
        assert [(check.name, check.breaches) for check in report.checks if not check.holds] == []

    return lambda scene: asyncio.run(run(scene))


async def worked_and_approved(world: Running, days: int = 3) -> None:
    """The contract is won, its project is set up everywhere, and a week of work is approved."""
    await tell_the_firm(world)
    await win_the_deal(world, cap="3000")
    await world.until(lambda: world.state(f"project:{PROJECT}").open_for_time)
    await tell_the_issue(world)
    for number in range(days):
        await log_time(world, number, number)
    await approve_the_week(world)
    await world.until(lambda: len(world.state(SHEET).lots) == days)


async def issued(world: Running, name: str, lot: str | None = None) -> str:
    """An invoice of all that is eligible, or of one lot, and its number."""
    lots = (LotInput(SHEET, lot),) if lot else None
    await world.ask("request-invoice", engagement=ENGAGEMENT, cut_off=END_OF_MARCH, invoice=name, lots=lots)
    await world.ask("approve-invoice", approver=True, invoice=name, approved_on=date(2026, 4, 1))
    await world.ask("issue-invoice", approver=True, invoice=name, issued_on=date(2026, 4, 1))
    number: str = world.state(f"invoice:{name}").document.number
    return number


def posting(world: Running, name: str) -> str:
    postings = world.state(f"invoice:{name}").postings
    return postings["erp"].state if "erp" in postings else "none"


def test_a_won_deal_becomes_a_paid_invoice_and_every_cent_leads_back_to_what_was_told(
    play: Callable[..., None],
) -> None:
    async def scene(world: Running) -> None:
        await worked_and_approved(world)
        set_ups = world.state(f"project:{PROJECT}").set_ups
        assert set_ups["psa"].external_id.startswith("PSA-")
        assert set_ups["erp"].external_id.startswith("ERP-")
        assert len(world.state(SHEET).entries) == 3, "Jira and Tempo told the same hours"

        assert await issued(world, "I-1") == "DE01-2026-000001"
        document = world.state("invoice:I-1").document
        assert (document.net, document.gross) == (euros("3000.00"), euros("3570.00")), "24 h at 150 are above the cap"
        await world.until(lambda: posting(world, "I-1") == "confirmed")

        await world.erp.pay("I-1", date(2026, 4, 20), amount=Decimal(570))
        await world.erp.pay("I-1", date(2026, 4, 25))
        await world.until(lambda: world.state("invoice:I-1").paid_on == date(2026, 4, 25))

        traced = lineage.of_invoice(world.parts.ledger, "I-1")
        assert traced.number == "DE01-2026-000001"
        messages = {message for line in traced.lines for lot in line.lots for message in lot.messages}
        assert {message.split(":")[0] for message in messages} == {"jira", "tempo"}
        for message in messages:
            received = world.parts.ledger.message(message)
            assert received is not None
            assert received.payload
        assert [(step.target, step.state) for step in traced.postings][-1] == ("erp", "confirmed")

    play(scene)


def test_a_posting_that_the_erp_refuses_and_then_leaves_in_doubt_ends_as_one_document(
    play: Callable[..., None],
) -> None:
    async def scene(world: Running) -> None:
        await worked_and_approved(world)
        await world.erp.refuse("buyer.id", "C-001000000000001AAA", "the customer is not in the ERP")
        await issued(world, "I-1")
        await world.until(lambda: posting(world, "I-1") == "rejected")
        refused = "exception:rejected_by_target:erp:invoice:I-1"
        await world.until(lambda: world.state(refused).is_open)
        problem = world.state(refused).problem
        assert "the customer is not in the ERP" in problem.message
        assert problem.money_at_risk == euros("3570.00")

        await world.erp.accept_all()
        await world.erp.lose_replies(1)
        await world.ask("retry-exception", exception=refused)
        await world.until(lambda: posting(world, "I-1") == "confirmed")
        await world.until(lambda: not world.state(refused).is_open)
        names = [name for name in world.names("invoice:I-1") if "posting" in name]
        assert names == [
            "invoice.posting_requested.v1",
            "invoice.posting_rejected.v1",
            "invoice.posting_requested.v1",
            "invoice.posting_in_doubt.v1",
            "invoice.posting_confirmed.v1",
        ]
        assert (await world.erp.state())["keys"].count("invoice:I-1") == 1
        await world.until(lambda: not world.state("exception:in_doubt:erp:invoice:I-1").is_open)

    play(scene)


def test_while_the_erp_is_down_invoices_are_issued_and_all_are_posted_in_order_afterwards(
    play: Callable[..., None],
) -> None:
    async def scene(world: Running) -> None:
        await worked_and_approved(world, days=4)
        await world.erp.outage()
        names = ["I-1", "I-2"]
        for name, lot in zip(names, sorted(world.state(SHEET).lots), strict=False):
            await issued(world, name, lot)
        await world.until(lambda: [posting(world, name) for name in names] == ["requested"] * 2)
        await log_time(world, 50, 4)
        await world.until(lambda: len(world.state(SHEET).entries) == 5)
        assert [posting(world, name) for name in names] == ["requested"] * 2, "nothing else stops, and nothing is lost"

        await world.erp.recover()
        await world.until(lambda: [posting(world, name) for name in names] == ["confirmed"] * 2)
        keys = [key for key in (await world.erp.state())["keys"] if key.startswith("invoice:")]
        assert keys == [f"invoice:{name}" for name in names]

    play(scene)


def test_a_new_rate_reaches_all_work_that_is_not_billed(play: Callable[..., None]) -> None:
    async def scene(world: Running) -> None:
        await worked_and_approved(world)
        dearer = {
            "row": "senior",
            "rate": {"amount": "160", "currency": "EUR"},
            "effective_from": "2026-01-01",
            "role": "Senior Consultant",
        }
        await world.command("rate_card.set_rate.v1", "rate_card:firm:FIRM", row=dearer)

        def prices() -> list[Decimal]:
            return [held.lot.price for held in world.state(SHEET).lots.values() if held.status == "open"]

        await world.until(lambda: prices() == [Decimal(160)] * 3)
        rated = [fact for fact in world.parts.ledger.history(StreamId(SHEET)) if fact.name == "lot.rated.v1"]
        assert len(rated) == 6
        assert {fact.cause.actor for fact in rated} == {"process:pricing"}

    play(scene)
