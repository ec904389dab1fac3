"""What work took, as the read models add it up, is what the whole log adds up to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from adapters.eventstore.ledger import Ledger
from domain.contract import ContractLine, ManagedService, PercentComplete, TimeAndMaterials
from domain.engagement import AgreeLine, OpenEngagement
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.kernel import stream_of
from domain.money import Money, zero
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.resource import DescribeResource
from domain.timesheet import RejectTime
from projections import build
from projections.eligibility.candidates import LiveCandidates
from projections.generation import Generations
from projections.reader import Reader
from tests.world import ENGAGEMENT, MONDAY, NINE, LogCandidates, World, euros


def test_the_read_models_add_up_the_work_of_lines_that_progress_bills(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    world = World(ledger)
    by_hours = PercentComplete(euros(10_000), "hours", Decimal(100))
    world.firm().contract(line=ContractLine("L1", "Build", by_hours))
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "Plan", PercentComplete(euros(100), "units", Decimal(9)))))
    sheet = world.work("1")
    world.work("2", day=1)
    world.work("3", "4", day=40)
    world.tell(sheet, RejectTime(("jira:2",), "W-9", NINE + timedelta(days=9), "whose?"))
    expense = Expense("1", "P-1-L1", "travel", MONDAY, euros(200), zero("EUR"), True, "scan-1")
    world.tell(
        expense_stream("ER-1"), RecordExpense("ER-1", "W-1", expense, NINE), ApproveExpenses(("1",), "W-9", NINE)
    )
    build.rebuild(ledger, generations)
    live, whole = LiveCandidates(reader), LogCandidates(world)
    for until, hours in ((date(2026, 2, 28), 0), (date(2026, 3, 31), 8), (date(2026, 4, 30), 12)):
        done = live.work_done(until)
        assert list(done) == list(whole.work_done(until))
        assert [(each.line, each.hours) for each in done] == [("L1", Decimal(hours)), ("L2", Decimal(0))]


def test_cost_in_a_currency_without_a_rate_is_not_known(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    world = World(ledger)
    world.firm()
    resource = stream_of("resource", "W-1")
    terms = world.read(resource).versions[-1]
    entity = stream_of("legal_entity", "DE01")
    abroad = replace(world.read(entity).versions[-1], effective_from=MONDAY, functional_currency="USD")
    world.tell(entity, DefineLegalEntity("DE01", abroad))
    dollars = DescribeResource("W-1", replace(terms, effective_from=MONDAY, cost_rate=Money(Decimal(60), "USD")))
    world.tell(resource, dollars)
    world.contract(line=ContractLine("L1", "Build", PercentComplete(euros(10_000), "cost", Decimal(8000))))
    world.work("1")
    build.rebuild(ledger, generations)
    (done,) = LiveCandidates(reader).work_done(date(2026, 3, 31))
    assert (done.hours, done.cost) == (Decimal(8), None)


def test_the_read_models_know_which_engagements_days_matter_to(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    world = World(ledger)
    world.firm().contract(line=ContractLine("L1", "Care", ManagedService(euros(100), MONDAY)))
    world.tell(stream_of("engagement", "E-2"), OpenEngagement("E-2", "Hours", "C-1", "DE01", "EUR"))
    world.tell(stream_of("engagement", "E-2"), AgreeLine(ContractLine("L1", "Hours", TimeAndMaterials())))
    build.rebuild(ledger, generations)
    assert LiveCandidates(reader).engagements_billed_by_date() == ["E-1"]
