"""One fact leads to the next: a won deal to projects, an approval to lots, an issue to a posting."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from domain.contract import ContractLine, FixedFeeMilestones, TimeAndMaterials, Uplift
from domain.engagement import AgreeLine
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.kernel import Recorded, StreamId, stream_of
from domain.lots import LotStatus
from domain.money import Money
from domain.opportunity import TellOpportunity, opportunity_stream
from domain.ports import SourceAt, lots_of
from domain.processes.pricing import Pricing
from domain.project import ConfirmSetUp, CreateProject
from domain.reference.cost_card import CostRow, SetCostRate, cost_card_stream
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.identifier import ExternalRef, identifier_stream
from domain.reference.rate_card import RateRow, SetRate, WithdrawRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, LogCandidates, NoCandidates, World, euros


def won_deal(world: World) -> StreamId:
    told = {
        "title": "Platform",
        "customer": "C-1",
        "selling_entity": "DE01",
        "currency": "EUR",
        "closes_on": "2026-01-05",
        "won": "true",
    }
    stream = opportunity_stream("salesforce", "006A")
    world.tell(stream, TellOpportunity("006A", told, NINE))
    return stream_of("engagement", "E-006A")


TUESDAY = MONDAY + timedelta(days=1)
OWNERS: Final = (("line", "E-1", "L1"), ("engagement", "E-1"), ("customer", "C-1"))


def open_price(world: World, sheet: StreamId) -> Decimal:
    """What the one open lot of a week is billed at."""
    (held,) = (each for each in lots_of(world.read, sheet).values() if each.status is LotStatus.OPEN)
    return held.lot.price


def costs(world: World, sheet: StreamId) -> list[Money]:
    """What the open lots of a week cost, by their days."""
    lots = [held.lot for held in world.read(sheet).lots.values() if held.status is LotStatus.OPEN]
    return [lot.cost for lot in sorted(lots, key=lambda lot: lot.work_date)]


class TestProvisioning:
    def test_a_won_deal_opens_a_signed_engagement_that_the_crm_can_name(self) -> None:
        world = World().firm()
        engagement = won_deal(world)
        assert world.read(engagement).signed.starts == date(2026, 1, 5)
        ref = ExternalRef("salesforce", "opportunity", "006A")
        assert world.read(identifier_stream(ref)).target == "E-006A"

    def test_each_line_gets_a_project_that_is_requested_in_every_target(self) -> None:
        world = World().firm()
        engagement = won_deal(world)
        for line in ("L1", "L2"):
            world.tell(engagement, AgreeLine(ContractLine(line, "Work", TimeAndMaterials())))
        for line in ("L1", "L2"):
            project = world.read(stream_of("project", f"P-006A-{line}"))
            assert {name: each.state for name, each in project.set_ups.items()} == {
                "psa": "requested",
                "erp": "requested",
            }

    def test_it_is_open_for_time_when_all_targets_have_confirmed(self) -> None:
        assert World().firm().contract().read(stream_of("project", "P-1-L1")).open_for_time


class TestPricing:
    def test_approved_hours_are_rated_with_their_reasons(self) -> None:
        world = World().firm().contract()
        lot = world.read(world.work("1")).lots["jira:1#1"].lot
        assert (lot.price, lot.value, lot.cost) == (Decimal(150), euros("1200"), euros("480"))
        assert lot.explanation.winner == "firm/senior"
        assert "firm card, row senior, by role" in lot.explanation.because

    def test_overtime_is_billed_with_its_uplift(self) -> None:
        billing = TimeAndMaterials(uplifts=(Uplift("overtime", Decimal("1.25")),))
        world = World().firm().contract(line=ContractLine("L1", "Work", billing))
        stream = timesheet_stream("W-1", MONDAY)
        overtime = Work("P-1-L1", None, MONDAY, Decimal(2), "overtime")
        world.tell(stream, LogTime("W-1", Claim("jira", "1", NINE), overtime))
        world.tell(stream, ApproveTime(("jira:1",), "W-9", NINE + timedelta(hours=9)))
        assert world.read(stream).lots["jira:1#1"].lot.price == Decimal("187.50")

    def test_hours_under_a_fixed_fee_are_rated_for_their_cost_alone(self) -> None:
        world = World().firm().contract(line=ContractLine("L1", "Stages", FixedFeeMilestones()))
        held = world.read(world.work("1")).lots["jira:1#1"]
        assert (held.status, held.lot.non_billable_because) == (LotStatus.NON_BILLABLE, "INCLUDED_IN_FIXED_FEE")

    def test_hours_without_a_rate_say_so_and_are_rated_when_the_rate_arrives(self) -> None:
        world = World().firm()
        world.tell(rate_card_stream("firm", "FIRM"), SetRate(RateRow("senior", euros(150), date(2027, 1, 1))))
        sheet = world.contract().work("1")
        assert world.read(sheet).entries["jira:1"].unrated.code == "NO_RATE"
        after = world.ledger.head()
        world.tell(rate_card_stream("engagement", "E-1"), SetRate(RateRow("all", euros(140), NEW_YEAR)))
        (fact,) = [fact for fact in world.ledger.read(after, 10) if fact.name == "rate_card.rate_set.v1"]
        asked: list[dict[str, Any]] = []

        class Unbilled(NoCandidates):
            def unbilled_of(self, **named: Any) -> list[SourceAt]:
                asked.append(named)
                return [SourceAt(sheet, "jira:1")]

        assert Pricing().asks_candidates(fact)
        world.record(Pricing().react(fact, world.read, Unbilled()))
        assert asked == [{"engagement": "E-1"}]
        assert world.read(sheet).lots["jira:1#1"].lot.price == Decimal(140)

    def test_the_card_of_the_line_comes_before_those_of_its_engagement_its_customer_and_the_firm(self) -> None:
        world = World()
        world.candidates = LogCandidates(world)
        cards = [rate_card_stream(*owner) for owner in OWNERS]
        for amount, card in zip((110, 120, 130), cards, strict=True):
            world.tell(card, SetRate(RateRow("all", euros(amount), NEW_YEAR)))
        sheet = world.firm().contract().work("1")
        prices = [open_price(world, sheet)]
        for card in cards:
            world.tell(card, WithdrawRate("all"))
            prices.append(open_price(world, sheet))
        assert prices == [110, 120, 130, 150]

    def test_who_has_no_cost_of_their_own_costs_what_the_role_costs_at_the_employer_on_the_day(self) -> None:
        world = World()
        world.candidates = LogCandidates(world)
        world.firm().contract()
        nobodys = ResourceTerms(NEW_YEAR, "Senior", "DE01", "Berlin", "Data", None, Decimal(40), NINE)
        world.tell(stream_of("resource", "W-5"), DescribeResource("W-5", nobodys))
        for entity, amount, since in (("FR01", 90, NEW_YEAR), ("DE01", 50, NEW_YEAR), ("DE01", 55, TUESDAY)):
            world.tell(cost_card_stream(entity), SetCostRate(entity, CostRow("Senior", euros(amount), since)))
        sheet = world.work("1", person="W-5")
        world.work("2", day=1, person="W-5")
        assert costs(world, sheet) == [euros(400), euros(440)]
        own = replace(nobodys, cost_rate=euros(70), stated_at=NINE + timedelta(days=9))
        world.tell(stream_of("resource", "W-5"), DescribeResource("W-5", own))
        assert costs(world, sheet) == [euros(560), euros(560)]

    def test_work_that_costs_nobody_knows_what_has_no_price(self) -> None:
        world = World().firm().contract()
        nobodys = ResourceTerms(NEW_YEAR, "Senior", "DE01", "Berlin", "Data", None, Decimal(40), NINE)
        world.tell(stream_of("resource", "W-5"), DescribeResource("W-5", nobodys))
        unrated = world.read(world.work("1", person="W-5")).entries["jira:1"].unrated
        assert (unrated.code, "No cost rate for W-5" in unrated.detail) == ("NO_RATE", True)

    def test_work_of_a_role_whose_cost_is_in_another_currency_than_its_employers_has_no_price(self) -> None:
        world = World().firm().contract()
        nobodys = ResourceTerms(NEW_YEAR, "Senior", "DE01", "Berlin", "Data", None, Decimal(40), NINE)
        world.tell(stream_of("resource", "W-5"), DescribeResource("W-5", nobodys))
        dollars = CostRow("Senior", Money(Decimal(60), "USD"), NEW_YEAR)
        world.tell(cost_card_stream("DE01"), SetCostRate("DE01", dollars))
        unrated = world.read(world.work("1", person="W-5")).entries["jira:1"].unrated
        assert (unrated.code, "60 USD, is not in EUR" in unrated.detail) == ("NO_RATE", True)

    def test_a_cost_in_another_currency_uses_the_rate_of_the_work_date(self) -> None:
        world = World().firm().contract()
        world.tell(fx_stream("EUR", "GBP"), PublishFxRate("EUR", "GBP", date(2026, 3, 2), Decimal("0.80"), "ECB"))
        report = expense_stream("ER-1")
        train = Expense(
            "1", "P-1-L1", "travel", MONDAY, Money(Decimal(48), "GBP"), Money(Decimal(8), "GBP"), billable=True
        )
        world.tell(report, RecordExpense("ER-1", "W-1", train, NINE), ApproveExpenses(("1",), "W-9", NINE))
        lot = world.read(report).lots["ER-1/1#1"].lot
        assert (lot.value, lot.cost) == (euros("50.00"), Money(Decimal(40), "GBP"))

    def test_an_approval_that_was_overtaken_by_a_correction_is_not_rated(self) -> None:
        world = World().firm().contract()
        sheet = timesheet_stream("W-1", MONDAY)
        log = LogTime("W-1", Claim("jira", "1", NINE), Work("P-1-L1", None, MONDAY, Decimal(8)))
        corrected = LogTime(
            "W-1", Claim("jira", "1", NINE + timedelta(hours=3)), Work("P-1-L1", None, MONDAY, Decimal(6))
        )
        approve = ApproveTime(("jira:1",), "W-9", NINE + timedelta(hours=2))
        world.tell(sheet, log, approve, corrected)
        assert world.read(sheet).lots == {}

    def test_an_approval_is_rated_once_however_often_the_fact_is_seen(self) -> None:
        world = World().firm().contract()
        sheet = world.work("1")
        facts: list[Recorded[Any]] = [
            fact for fact in world.ledger.read(0, 1000) if fact.name == "timesheet.approved.v1"
        ]
        before = world.ledger.head()
        for fact in facts:
            world.record(Pricing().react(fact, world.read, NoCandidates()))
        assert world.ledger.head() == before
        assert len(world.read(sheet).lots) == 1


def test_an_issued_invoice_asks_the_erp_to_post_it_once() -> None:
    world = World().firm().contract()
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1").react()
    assert world.names().count("invoice.posting_requested.v1") == 1


def test_an_internal_project_is_never_billed() -> None:
    world = World().firm().contract()
    internal = CreateProject("P-X", "E-1", "Training", "L1", "DE01", NEW_YEAR, internal=True)
    world.tell(stream_of("project", "P-X"), internal)
    stream = timesheet_stream("W-2", MONDAY)
    world.tell(stream, LogTime("W-2", Claim("jira", "9", NINE), Work("P-X", None, MONDAY, Decimal(8))))
    world.tell(stream, ApproveTime(("jira:9",), "W-9", datetime(2026, 3, 3, tzinfo=UTC)))
    assert world.read(stream).lots["jira:9#1"].lot.non_billable_because == "PROJECT_INTERNAL"


def test_the_engagement_of_the_small_firm_is_set_up() -> None:
    world = World().firm().contract()
    assert world.read(ENGAGEMENT).signed is not None
    world.tell(stream_of("project", "P-1-L1"), ConfirmSetUp("psa", "PSA-1"))
    assert world.names().count("project.opened_for_time.v1") == 1
