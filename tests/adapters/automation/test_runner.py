"""A process reacts to each fact exactly once, whatever fails on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from adapters.automation.pages import Pages
from adapters.automation.process import Automated
from adapters.automation.runner import FACTS_MAX, Runner, Step
from adapters.eventstore.base import BaseLedger
from adapters.eventstore.errors import LedgerUnreachable, VersionConflict
from adapters.eventstore.ledger import Ledger
from adapters.eventstore.memory import MemoryLedger
from domain.caps import CapUse
from domain.catalogue import DECIDERS, EVENTS
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine, HoldEngagement, OpenEngagement
from domain.kernel import Addressed, Recorded, StreamId, stream_of
from domain.opportunity import TellOpportunity, opportunity_stream
from domain.ports import LotAt, SourceAt, WorkDone
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.timesheet import ApproveTime, Claim, LogTime, RateEntry, SubmitTime, Work, timesheet_stream
from tests.adapters.eventstore.cutting_proxy import CuttingProxy
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, World, cause, euros

PRICING = Automated(Pricing(), together=False, owner_role="finance_preparer")
PROVISIONING = Automated(Provisioning())
DEAL = opportunity_stream("salesforce", "006")
TOLD = {
    "title": "Data platform",
    "customer": "C-1",
    "selling_entity": "DE01",
    "currency": "EUR",
    "closes_on": "2026-01-05",
    "won": "true",
}


@dataclass
class ReadModel:
    """A read model that knows what it is told, up to the position that it is told."""

    known_to: int = 10**9
    unbilled: Sequence[SourceAt] = ()
    asked: list[str] = field(default_factory=list)

    def position(self) -> int:
        return self.known_to

    def unbilled_of(self, **_: str | None) -> Sequence[SourceAt]:
        self.asked.append("unbilled")
        return self.unbilled

    def eligible_of(self, *_: str | None) -> Sequence[LotAt]:
        return []

    def engagements_billed_by_date(self) -> Sequence[str]:
        return []

    def work_done(self, _until: date) -> Sequence[WorkDone]:
        return []

    def drafts_of(self, _entity: str) -> Sequence[str]:
        return []

    def engagements_with_eligible(self, *_: str | None) -> Sequence[str]:
        return []

    def transfers_of(self, **_: Any) -> Sequence[Any]:
        return []

    def transfer_pairs(self) -> Sequence[tuple[str, str]]:
        return []

    def use_of_caps(self, _engagement: str) -> Sequence[CapUse]:
        return []

    def use_of_limit(self, _customer: str, _currency: str) -> CapUse | None:
        return None


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[BaseLedger]:
    kept: BaseLedger
    if request.param == "memory":
        kept = MemoryLedger(EVENTS, DECIDERS)
    else:
        kept = Ledger(request.getfixturevalue("database_url"), EVENTS, DECIDERS, pool_size=4)
    with kept:
        yield kept


def runner_of(run: Automated, ledger: BaseLedger, read_model: ReadModel | None = None, **limits: int) -> Runner:
    return Runner(ledger, Pages(ledger, FACTS_MAX), run, read_model or ReadModel(), **limits)


def run_dry(*runners: Runner, steps_max: int = 200) -> None:
    """Lets runners work until none of them finds anything to do."""
    for _ in range(steps_max):
        if all(runner.step() in (Step.IDLE, Step.WAITING) for runner in runners):
            return
    raise AssertionError("the runners never come to rest")


def tell(ledger: BaseLedger, stream: StreamId, *commands: Any) -> None:
    ledger.execute([Addressed(stream, command) for command in commands], cause())


def names(ledger: BaseLedger) -> list[str]:
    return [fact.name for fact in ledger.read(0, 10_000)]


def caused_by_processes(ledger: BaseLedger) -> list[Recorded[Any]]:
    return [fact for fact in ledger.read(0, 10_000) if fact.cause.actor.startswith("process:")]


def won_deal(ledger: BaseLedger) -> None:
    tell(ledger, DEAL, TellOpportunity("006", TOLD, NINE))


def firm(ledger: BaseLedger) -> World:
    """The firm with a contract, everything but the processes' own work on the hours."""
    return World(ledger).firm().contract()


def approved_hours(ledger: BaseLedger, *, people: Sequence[str] = ("W-1",), days: int = 1) -> list[SourceAt]:
    """Approved hours that nobody has reacted to yet."""
    sources = []
    for person in people:
        stream = timesheet_stream(person, MONDAY)
        for day in range(days):
            on = MONDAY.replace(day=MONDAY.day + day)
            work = Work("P-1-L1", None, on, euros(8).amount, started="09:00:00")
            tell(ledger, stream, LogTime(person, Claim("jira", f"{person}-{day}", NINE), work))
            sources.append(SourceAt(stream, f"jira:{person}-{day}"))
        tell(ledger, stream, ApproveTime(tuple(f"jira:{person}-{day}" for day in range(days)), "W-9", NINE))
    return sources


# -- what is done ----------------------------------------------------------------------------------------------------


def test_a_won_deal_becomes_an_engagement_and_each_agreed_line_a_project(ledger: BaseLedger) -> None:
    won_deal(ledger)
    provisioning = runner_of(PROVISIONING, ledger)
    run_dry(provisioning)
    tell(ledger, stream_of("engagement", "E-006"), AgreeLine(ContractLine("L1", "Work", TimeAndMaterials())))
    run_dry(provisioning)
    project = ledger.load([stream_of("project", "P-006-L1")])[stream_of("project", "P-006-L1")].state
    assert {target: set_up.state for target, set_up in project.set_ups.items()} == {
        "psa": "requested",
        "erp": "requested",
    }


def test_what_a_process_causes_says_which_fact_led_to_it_and_keeps_the_sources_clock(ledger: BaseLedger) -> None:
    won_deal(ledger)
    run_dry(runner_of(PROVISIONING, ledger))
    won = next(fact for fact in ledger.read(0, 100) if fact.name == "opportunity.won.v1")
    opened = next(fact for fact in ledger.read(0, 100) if fact.name == "engagement.opened.v1")
    assert opened.cause.actor == "process:provisioning"
    assert opened.cause.causation_id == won.id
    assert opened.cause.correlation_id == won.cause.correlation_id
    assert opened.cause.occurred_at == won.cause.occurred_at


def test_a_fact_is_acted_on_once_also_by_a_runner_that_starts_again(ledger: BaseLedger) -> None:
    won_deal(ledger)
    run_dry(runner_of(PROVISIONING, ledger))
    before = names(ledger)
    run_dry(runner_of(PROVISIONING, ledger))
    assert names(ledger) == before
    assert ledger.tracked("provisioning") >= ledger.read(0, 100)[1].position


def test_facts_that_concern_nobody_move_the_position_without_a_transaction_for_each_batch(ledger: BaseLedger) -> None:
    tell(ledger, ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
    provisioning = runner_of(PROVISIONING, ledger)
    run_dry(provisioning)
    noted = ledger.tracked("provisioning")
    for reason in ("a", "b", "c"):
        tell(ledger, ENGAGEMENT, HoldEngagement(reason))
        assert provisioning.step() is Step.ACTED
    assert provisioning.position == ledger.head()
    assert ledger.tracked("provisioning") == noted


# -- what fails ------------------------------------------------------------------------------------------------------


def failing_commits(
    ledger: BaseLedger, monkeypatch: pytest.MonkeyPatch, fail: Callable[[int], Exception | None]
) -> None:
    """Lets commits fail by their count, before anything is recorded."""
    commit, count = ledger.commit, iter(range(10**6))

    def commit_or_fail(unit: Any) -> Any:
        if problem := fail(next(count)):
            raise problem
        return commit(unit)

    monkeypatch.setattr(ledger, "commit", commit_or_fail)


def test_after_a_crash_between_deciding_and_recording_the_same_facts_are_acted_on(
    ledger: BaseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    won_deal(ledger)
    provisioning = runner_of(PROVISIONING, ledger)
    failing_commits(ledger, monkeypatch, lambda count: LedgerUnreachable("gone") if count == 0 else None)
    with pytest.raises(LedgerUnreachable):
        provisioning.step()
    assert "engagement.opened.v1" not in names(ledger)
    run_dry(provisioning)
    assert names(ledger).count("engagement.opened.v1") == 1


def test_who_loses_a_race_decides_again_on_fewer_facts_and_everything_is_done_once(
    ledger: BaseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm(ledger)
    approved_hours(ledger, people=("W-1", "W-2"), days=5)
    pricing = runner_of(PRICING, ledger)
    failing_commits(ledger, monkeypatch, lambda count: VersionConflict("lost") if count < 3 else None)
    assert [pricing.step() for _ in range(3)] == [Step.AGAIN] * 3
    run_dry(pricing)
    assert names(ledger).count("lot.rated.v1") == 10


def test_a_lost_reply_to_a_commit_is_resolved_by_its_receipt(database_url: str) -> None:
    with CuttingProxy(database_url) as proxy, Ledger(proxy.url, EVENTS, DECIDERS, pool_size=1) as ledger:
        won_deal(ledger)
        provisioning = runner_of(PROVISIONING, ledger)
        proxy.cut()
        run_dry(provisioning)
        assert proxy.cuts == 1
        assert names(ledger).count("engagement.opened.v1") == 1
        assert ledger.tracked("provisioning") == ledger.read(0, 100)[1].position


def test_two_runners_at_once_act_on_each_fact_once(database_url: str) -> None:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=6) as ledger:
        firm(ledger)
        approved_hours(ledger, people=[f"W-{number}" for number in range(1, 9)], days=3)
        runners = [runner_of(PRICING, ledger) for _ in range(2)]
        threads = [threading.Thread(target=run_dry, args=(runner,)) for runner in runners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        causes = [
            (fact.cause.causation_id, fact.stream, fact.name, str(fact.event)) for fact in caused_by_processes(ledger)
        ]
        assert len(causes) == len(set(causes))
        # Nothing is known of W-3 and the others: their hours have no price, which is recorded once as well.
        assert names(ledger).count("lot.rated.v1") == 6
        assert names(ledger).count("timesheet.entry_unrated.v1") == 18


def test_a_refused_reaction_becomes_a_work_item_and_the_rest_goes_on(ledger: BaseLedger) -> None:
    tell(ledger, stream_of("engagement", "E-006"), OpenEngagement("E-006", "Other", "C-2", "DE01", "EUR"))
    won_deal(ledger)
    tell(ledger, opportunity_stream("salesforce", "007"), TellOpportunity("007", TOLD, NINE))
    run_dry(runner_of(PROVISIONING, ledger))
    assert ledger.load([stream_of("engagement", "E-007")])[stream_of("engagement", "E-007")].state.signed is not None
    assert ledger.load([stream_of("engagement", "E-006")])[stream_of("engagement", "E-006")].state.signed is None
    [opened] = [fact for fact in ledger.read(0, 100) if fact.name == "exception.opened.v1"]
    assert opened.stream == f"exception:refused:process:provisioning:{DEAL}@2"
    assert opened.event.problem.code == "engagement.already_opened"
    assert opened.event.problem.customer == "C-2"
    assert opened.event.problem.engagement == "E-006"
    assert opened.event.problem.what_to_do


class Twice:
    """Rates what was approved, and asks for something impossible beside it."""

    name = "twice"

    def needs(self, _fact: Recorded[object]) -> Sequence[StreamId]:
        return []

    def asks_candidates(self, _fact: Recorded[object]) -> bool:
        return False

    def react(self, fact: Recorded[object], read: Any, candidates: Any) -> Sequence[Addressed]:
        if not isinstance(fact.event, ApproveTime) and fact.name != "timesheet.approved.v1":
            return []
        wishes = Pricing().react(fact, read, candidates)
        return [*wishes, Addressed(fact.stream, SubmitTime(("jira:unknown",)))]


@pytest.mark.parametrize(("together", "rated"), [(True, 0), (False, 1)])
def test_commands_stand_or_fall_together_or_each_for_itself(ledger: BaseLedger, together: bool, rated: int) -> None:
    firm(ledger)
    approved_hours(ledger)
    run_dry(runner_of(Automated(Twice(), together=together), ledger))
    assert names(ledger).count("lot.rated.v1") == rated
    assert names(ledger).count("exception.opened.v1") == 1


class Impossible(Twice):
    """Asks for the rating of hours that nobody approved."""

    name = "impossible"

    def react(self, fact: Recorded[object], read: Any, candidates: Any) -> Sequence[Addressed]:
        if fact.name != "timesheet.approved.v1":
            return []
        [wish] = Pricing().react(fact, read, candidates)
        assert isinstance(wish.command, RateEntry)
        return [Addressed(timesheet_stream("W-2", MONDAY), wish.command)]


def test_a_refused_rating_says_whose_work_and_whose_money_is_at_risk(ledger: BaseLedger) -> None:
    firm(ledger)
    approved_hours(ledger)
    run_dry(runner_of(Automated(Impossible(), together=False, owner_role="finance_preparer"), ledger))
    [opened] = [fact for fact in ledger.read(0, 1000) if fact.name == "exception.opened.v1"]
    problem = opened.event.problem
    assert (problem.resource, problem.project, problem.engagement, problem.customer) == ("W-1", "P-1-L1", "E-1", "C-1")
    assert (problem.money_at_risk, problem.hours_at_risk) == (euros(1200), "8")
    assert problem.owner_role == "finance_preparer"


def test_a_defect_in_a_process_skips_nothing(ledger: BaseLedger) -> None:
    class Broken(Twice):
        def react(self, *_: object) -> Sequence[Addressed]:
            raise KeyError("a defect")

    won_deal(ledger)
    broken = runner_of(Automated(Broken()), ledger)
    for _ in range(3):
        with pytest.raises(KeyError):
            broken.step()
    assert ledger.tracked("twice") == 0


# -- what asks the read model ----------------------------------------------------------------------------------------


def new_rate(ledger: BaseLedger, amount: int) -> Recorded[Any]:
    tell(ledger, rate_card_stream("firm", "FIRM"), SetRate(RateRow("senior", euros(amount), NEW_YEAR, role="Senior")))
    return ledger.read(0, 10_000)[-1]


def test_a_reaction_waits_until_the_read_model_knows_its_fact_and_earlier_facts_do_not_wait(ledger: BaseLedger) -> None:
    firm(ledger)
    read_model = ReadModel()
    pricing = runner_of(PRICING, ledger, read_model)
    run_dry(pricing)
    read_model.known_to = ledger.head()
    read_model.unbilled = approved_hours(ledger)
    fact = new_rate(ledger, 160)
    assert pricing.step() is Step.ACTED
    assert names(ledger).count("lot.rated.v1") == 1
    assert pricing.step() is Step.WAITING
    assert pricing.position < fact.position
    read_model.known_to = fact.position
    run_dry(pricing)
    sheet = ledger.load([read_model.unbilled[0].stream])[read_model.unbilled[0].stream].state
    assert [held.lot.price for held in sheet.lots.values()][-1] == 160


def test_a_reaction_that_touches_much_is_recorded_in_parts_and_its_position_moves_with_the_last(
    ledger: BaseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm(ledger)
    read_model = ReadModel()
    pricing = runner_of(PRICING, ledger, read_model, sources_per_window=2)
    run_dry(pricing)
    read_model.unbilled = approved_hours(ledger, people=("W-1", "W-2"), days=3)
    run_dry(pricing)
    fact = new_rate(ledger, 170)
    failing_commits(ledger, monkeypatch, lambda count: LedgerUnreachable("gone") if count == 2 else None)
    with pytest.raises(LedgerUnreachable):
        pricing.step()
    assert names(ledger).count("lot.reversed.v1") == 4
    assert ledger.tracked("pricing") < fact.position
    run_dry(pricing)
    assert names(ledger).count("lot.reversed.v1") == 6
    assert ledger.tracked("pricing") == fact.position
    assert names(ledger).count("lot.rated.v1") == 12


def test_a_batch_that_leads_to_very_much_is_recorded_in_several_transactions(
    ledger: BaseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm(ledger)
    approved_hours(ledger, people=("W-1", "W-2"), days=5)
    pricing = runner_of(PRICING, ledger, events_per_commit=3)
    failing_commits(ledger, monkeypatch, lambda count: LedgerUnreachable("gone") if count == 1 else None)
    with pytest.raises(LedgerUnreachable):
        pricing.step()
    assert names(ledger).count("lot.rated.v1") == 5, "the first person's week is done, the second's is not"
    run_dry(pricing)
    rated = [fact for fact in ledger.read(0, 10_000) if fact.name == "lot.rated.v1"]
    assert len(rated) == 10
    assert len({fact.recorded_at for fact in rated}) > 1
