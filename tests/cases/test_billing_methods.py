"""Published cases on billing methods, caps, rates and expenses, each to the cent, through commands and the processes.

The numbers of shared cases stand as their file prints them; the file is beside the clone where the cases are shared.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from domain.billing.draft_plan import LotsNotEligible
from domain.calendar import FIRM, OpenDay
from domain.contract import (
    CapPolicy,
    CategoryTerms,
    ContractLine,
    ExpenseTerms,
    FixedFeeMilestones,
    FixedFeeSchedule,
    Instalment,
    ManagedService,
    Milestone,
    PassThrough,
    PercentComplete,
    Retainer,
    TimeAndMaterials,
    Uplift,
    revenue_of,
)
from domain.engagement import AcceptMilestone, AgreeLine
from domain.engagement.change_orders import ApproveChangeOrder, ProposeChangeOrder
from domain.engagement.progress import MeasureProgress, ReviseEstimate
from domain.engagement.retainer import GrantRetainer
from domain.engagement.schedule import GiveServiceCredit
from domain.expense import ApproveExpenses, Expense, RecordExpense, SubmitExpenses, expense_stream
from domain.invoice import Draft, Issued, NothingToBill, RecordPayment, invoice_stream
from domain.kernel import StreamId, stream_of
from domain.lots import Lot, LotStatus
from domain.money import Money, total
from domain.ports import LotAt
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.timesheet import ApproveTime, Claim, DecidePeriod, LogTime, Work, timesheet_stream
from tests.cases.report import Record, published
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, LogCandidates, World, euros

VAT_20 = Decimal("1.20")


@pytest.fixture
def world() -> World:
    made = World()
    made.candidates = LogCandidates(made)
    return made.firm()


def agreed(world: World, line: ContractLine) -> World:
    return world.contract(line=line)


def rate(world: World, amount: int) -> None:
    row = RateRow("line", euros(amount), NEW_YEAR)
    world.tell(rate_card_stream("line", "E-1", "L1"), SetRate(row))


def hours(world: World, name: str, length: int, week: int) -> list[StreamId]:
    """So many hours, of at most eight a day, in one week."""
    streams: list[StreamId] = []
    day = 7 * week
    while length > 0:
        streams.append(world.work(f"{name}-{day}", str(min(length, 20)), day=day))
        length, day = length - 20, day + 1
    return list(dict.fromkeys(streams))


def open_lots(world: World, *streams: StreamId) -> list[LotAt]:
    found: list[LotAt] = []
    for stream in dict.fromkeys(streams):
        book = world.read(stream).lots
        found += [LotAt(stream, name) for name, held in book.items() if held.status is LotStatus.OPEN]
    return found


def net_of_draft(world: World, name: str) -> Money:
    draft = world.read(stream_of("invoice", name))
    assert isinstance(draft, Draft)
    return total((line.net for line in draft.lines), "EUR")


def promised(world: World) -> list[Lot]:
    """What the contract itself has let be billed, in order."""
    return [held.lot for held in world.read(ENGAGEMENT).lots.values()]


def billed_in_months(world: World, policy: CapPolicy) -> tuple[list[Decimal], list[Lot]]:
    """What a cap of 10,000 lets be billed of 40, 20 and 15 hours at 150, and the lots that are left."""
    agreed(world, ContractLine("L1", "Work", TimeAndMaterials(cap=euros(10000), cap_policy=policy)))
    months = [hours(world, f"m{month}", length, week=month) for month, length in enumerate((40, 20, 15))]
    billed: list[Decimal] = []
    for month, streams in enumerate(months):
        try:
            world.draft(f"I-{month}", open_lots(world, *streams), strict=False)
            billed.append(net_of_draft(world, f"I-{month}").amount)
        except NothingToBill:
            billed.append(Decimal(0))
    return billed, [world.read(at.stream).lots[at.lot].lot for at in open_lots(world, *months[-1])]


def test_s2_a_cap_is_filled_to_the_cent_and_the_lot_that_crosses_it_is_split(world: World, case: Record) -> None:
    expected = published()["S2"]["expected"]
    billed, left = billed_in_months(world, "partial")
    case("S2", "billed by month", expected["bill"], billed)
    (lot,) = left
    case("S2", "hours over the cap", Decimal(expected["over_cap_hours"]), lot.quantity)
    assert lot.value == euros(expected["over_cap_value"])


def test_s2_a_whole_item_that_does_not_fit_is_left_out(world: World, case: Record) -> None:
    billed, left = billed_in_months(world, "whole_item")
    case("S2", "billed by month, whole items", published()["S2"]["expected"]["whole_item_policy_bill"], billed)
    assert [lot.value for lot in left] == [euros(2250)]


def test_s3_milestones_are_billed_on_acceptance(world: World) -> None:
    milestones = (Milestone("M1", "Design", euros(30000)), Milestone("M2", "Build", euros(60000), after=("M1",)))
    agreed(world, ContractLine("L1", "Platform", FixedFeeMilestones(milestones=milestones, price=euros(90000))))
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", date(2026, 3, 31), "mail of 31 March", "ann", NINE))
    assert [lot.value for lot in promised(world)] == [euros(30000)]
    world.draft("I-1", open_lots(world, ENGAGEMENT))
    assert net_of_draft(world, "I-1") == euros(30000)
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M2", date(2026, 6, 30), "mail of 30 June", "ann", NINE))
    assert [lot.value for lot in promised(world)] == [euros(30000), euros(60000)]


def test_two_lines_may_each_have_a_first_milestone(world: World) -> None:
    first = FixedFeeMilestones(milestones=(Milestone("M1", "Design", euros(10)),))
    agreed(world, ContractLine("L1", "One", first)).tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "Two", first)))
    for line in ("L1", "L2"):
        world.tell(ENGAGEMENT, AcceptMilestone(line, "M1", MONDAY, "mail", "ann", NINE))
    assert [lot.line for lot in promised(world)] == ["L1", "L2"]


def test_s4_a_price_billed_in_twelve_parts_in_advance(world: World) -> None:
    parts = tuple(
        Instalment(f"{month:02}", f"Month {month}", date(2026, month, 1), euros(10000)) for month in range(1, 13)
    )
    agreed(world, ContractLine("L1", "Run", FixedFeeSchedule(euros(120000), parts, "advance")))
    world.tell(FIRM, OpenDay(date(2026, 1, 1), NINE))
    assert [lot.value for lot in promised(world)] == [euros(10000)]
    world.tell(FIRM, OpenDay(date(2026, 1, 31), NINE)).tell(FIRM, OpenDay(date(2026, 3, 1), NINE))
    assert [lot.work_date for lot in promised(world)] == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]


def test_s6_a_retainer_is_drawn_and_the_rest_is_billed(world: World, case: Record) -> None:
    agreed(world, ContractLine("L1", "Advice", Retainer(euros(10000))))
    rate(world, 100)
    world.tell(ENGAGEMENT, GrantRetainer("L1", "R1", MONDAY, NINE))
    world.draft("I-1", open_lots(world, ENGAGEMENT)).approve("I-1").issue("I-1")
    first = hours(world, "a", 60, week=0)
    account = world.read(ENGAGEMENT).account("L1")
    assert (account.grants["R1"].applied, account.available()) == (euros(6000), euros(4000))
    second = hours(world, "b", 70, week=1)
    account = world.read(ENGAGEMENT).account("L1")
    assert (account.grants["R1"].applied, account.available()) == (euros(10000), euros(0))
    assert open_lots(world, *first) == []
    world.draft("I-2", open_lots(world, *second))
    net = net_of_draft(world, "I-2")
    expected = published()["S6"]["expected"]
    case("S6", "overage bill", Decimal(expected["overage_bill"]), net.amount)
    case("S6", "overage gross", Decimal(expected["overage_gross"]), (net * VAT_20).amount)


def test_s6_work_waits_for_a_retainer_that_is_not_invoiced_and_is_drawn_by_itself_afterwards(world: World) -> None:
    agreed(world, ContractLine("L1", "Advice", Retainer(euros(1000), overage="held")))
    rate(world, 100)
    streams = hours(world, "a", 8, week=0)
    world.tell(ENGAGEMENT, GrantRetainer("L1", "R1", MONDAY, NINE))
    with pytest.raises(LotsNotEligible, match="RETAINER_NOT_INVOICED"):
        world.draft("I-9", open_lots(world, *streams))
    world.draft("I-1", open_lots(world, ENGAGEMENT)).approve("I-1").issue("I-1")
    assert open_lots(world, *streams) == []
    rest = hours(world, "b", 8, week=1)
    with pytest.raises(LotsNotEligible, match="RETAINER_EXHAUSTED"):
        world.draft("I-2", open_lots(world, *rest))


def test_a_retainer_may_be_used_once_its_invoice_is_paid_where_the_contract_says_so(world: World) -> None:
    agreed(world, ContractLine("L1", "Advice", Retainer(euros(1000), usable_once="paid")))
    rate(world, 100)
    streams = hours(world, "a", 8, week=0)
    world.tell(ENGAGEMENT, GrantRetainer("L1", "R1", MONDAY, NINE))
    world.draft("I-1", open_lots(world, ENGAGEMENT)).approve("I-1").issue("I-1")
    part = RecordPayment("p-1", date(2026, 4, 2), euros("1189.99"))
    world.tell(invoice_stream("I-1"), part)
    assert len(open_lots(world, *streams)) == 1
    world.tell(invoice_stream("I-1"), RecordPayment("p-2", date(2026, 4, 3), euros("0.01")))
    assert open_lots(world, *streams) == []
    assert world.read(ENGAGEMENT).account("L1").available() == euros(200)


def test_what_is_beyond_a_retainer_is_billed_at_the_overage_rate(world: World) -> None:
    terms = Retainer(euros(1000), overage="multiplier", overage_multiplier=Decimal("1.5"))
    agreed(world, ContractLine("L1", "Advice", terms))
    rate(world, 100)
    world.tell(ENGAGEMENT, GrantRetainer("L1", "R1", MONDAY, NINE))
    world.draft("I-1", open_lots(world, ENGAGEMENT)).approve("I-1").issue("I-1")
    world.draft("I-2", open_lots(world, *hours(world, "a", 12, week=0)))
    (line,) = world.read(invoice_stream("I-2")).lines
    assert (line.quantity, line.price, line.net) == (Decimal(2), Decimal(150), euros("300.00"))


def test_what_is_beyond_a_retainer_is_billed_at_the_rate_that_the_contract_states(world: World) -> None:
    """20 hours at 150 are paid for; of 23 that are worked, 3 are beyond it at 175."""
    terms = Retainer(euros(3000), overage="rate", overage_rate=euros(175))
    agreed(world, ContractLine("L1", "Advice", terms))
    rate(world, 150)
    world.tell(ENGAGEMENT, GrantRetainer("L1", "R1", MONDAY, NINE))
    world.draft("I-1", open_lots(world, ENGAGEMENT)).approve("I-1").issue("I-1")
    worked = hours(world, "a", 23, week=0)
    assert world.read(ENGAGEMENT).account("L1").available() == euros(0)
    world.draft("I-2", open_lots(world, *worked))
    (line,) = world.read(invoice_stream("I-2")).lines
    assert (line.quantity, line.price, line.net) == (Decimal(3), Decimal(175), euros("525.00"))


def test_break_the_expected_breakage_stays_in_the_terms(world: World) -> None:
    line = ContractLine("L1", "Prepaid", Retainer(euros(10000), expected_breakage=euros(1000)))
    agreed(world, line)
    kept = world.read(ENGAGEMENT).line("L1")
    assert (kept.billing.expected_breakage, revenue_of(kept).method) == (euros(1000), "drawdown")


def test_s7_the_first_month_of_a_service_is_pro_rated(world: World, case: Record) -> None:
    agreed(world, ContractLine("L1", "Service", ManagedService(euros(3000), date(2026, 6, 10))))
    world.tell(FIRM, OpenDay(date(2026, 7, 1), NINE))
    first, second = promised(world)
    case("S7", "first period", Decimal(published()["S7"]["expected"]["first_period"]), first.value.amount)
    assert second.value == euros("3000.00")


def test_s7_a_service_credit_is_a_negative_item_with_its_reason(world: World) -> None:
    agreed(world, ContractLine("L1", "Service", ManagedService(euros(3000), date(2026, 3, 1))))
    world.tell(FIRM, OpenDay(date(2026, 3, 2), NINE))
    credit = GiveServiceCredit("L1", "SLA-1", date(2026, 3, 20), euros(150), "99.1 % instead of 99.5 %", "ann", NINE)
    world.tell(ENGAGEMENT, credit).draft("I-1", open_lots(world, ENGAGEMENT))
    assert net_of_draft(world, "I-1") == euros("2850.00")
    assert "99.1 %" in promised(world)[-1].description


def spent(world: World, amount: str, recoverable: str, category: str = "travel", days: str = "1") -> Lot:
    stream = expense_stream("ER-1")
    expense = Expense(
        "1", "P-1-L1", category, MONDAY, euros(amount), euros(recoverable), True, "scan-1", days=Decimal(days)
    )
    world.tell(stream, RecordExpense("ER-1", "W-1", expense, NINE), SubmitExpenses(("1",)))
    world.tell(stream, ApproveExpenses(("1",), "W-9", NINE + timedelta(hours=1)))
    (held,) = world.read(stream).lots.values()
    lot: Lot = held.lot
    return lot


def test_s8_an_expense_is_billed_without_recoverable_tax_plus_markup(world: World, case: Record) -> None:
    terms = ExpenseTerms(CategoryTerms("*", markup_percent=Decimal(10)))
    agreed(world, ContractLine("L1", "Costs", PassThrough(terms)))
    lot = spent(world, "600", "100")
    expected = published()["S8"]["expected"]
    case("S8", "line", Decimal(expected["line"]), lot.value.amount)
    case("S8", "gross", Decimal(expected["gross"]), (lot.value * VAT_20).amount)
    assert lot.cost == euros(500)


@pytest.mark.parametrize(
    ("told", "place", "amount", "recoverable"),
    [
        ("excl", 0, "1050", "50"),
        ("excl", 1, "1050", "0"),
        ("excl", 2, "1050", "40"),
        ("incl", 0, "1000", "47.62"),
        ("incl", 1, "1000", "0"),
        ("incl", 2, "1000", "38.10"),
    ],
)
def test_h22_the_base_of_a_markup_is_cost_plus_tax_that_is_not_recovered(
    world: World, case: Record, told: str, place: int, amount: str, recoverable: str
) -> None:
    agreed(world, ContractLine("L1", "Costs", PassThrough(ExpenseTerms(CategoryTerms("*", markup_percent=Decimal(5))))))
    lot = spent(world, amount, recoverable)
    base, billed = published()["H22"]["expected"][told][place]
    figure = f"tax {told}uded, {recoverable} of it recovered"
    case("H22", f"{figure}: cost", Decimal(str(base)), lot.cost.amount)
    case("H22", f"{figure}: billed", Decimal(str(billed)), lot.value.amount)


@pytest.mark.parametrize(
    ("terms", "billed", "presentation"),
    [
        (CategoryTerms("hotel", limit=euros(120)), "120", "principal"),
        (CategoryTerms("hotel", markup_percent=Decimal(10), limit=euros(210)), "210", "principal"),
        (CategoryTerms("hotel", per_diem=euros(30)), "75", "principal"),
        (CategoryTerms("hotel", presentation="agent"), "200", "agent"),
    ],
)
def test_an_expense_has_the_terms_of_its_category(
    world: World, terms: CategoryTerms, billed: str, presentation: str
) -> None:
    agreed(world, ContractLine("L1", "Work", TimeAndMaterials(), expenses=ExpenseTerms(categories=(terms,))))
    lot = spent(world, "200", "0", "hotel", days="2.5")
    assert (lot.value, lot.presentation) == (euros(billed), presentation)


@pytest.mark.parametrize("day", ["2026-03-14", "2026-03-15", "2026-03-31", "2026-04-01"])
def test_h21_the_newest_rate_wins_until_the_next_one(world: World, case: Record, day: str) -> None:
    agreed(world, ContractLine("L1", "Work", TimeAndMaterials()))
    card = rate_card_stream("line", "E-1", "L1")
    for name, start, amount in (("a", NEW_YEAR, 100), ("b", date(2026, 3, 15), 110), ("c", date(2026, 4, 1), 120)):
        world.tell(card, SetRate(RateRow(name, euros(amount), start)))
    stream = world.work("1", "1", day=(date.fromisoformat(day) - MONDAY).days)
    (held,) = world.read(stream).lots.values()
    case("H21", f"rate on {day}", Decimal(published()["H21"]["expected"][day]), held.lot.price)
    assert held.lot.explanation.winner.startswith("contract line/")


def test_overtime_takes_its_uplift_off_a_retainer(world: World) -> None:
    uplifts = (Uplift("overtime", Decimal("1.5")),)
    agreed(world, ContractLine("L1", "Advice", Retainer(euros(1000), uplifts=uplifts)))
    rate(world, 100)
    world.tell(ENGAGEMENT, GrantRetainer("L1", "R1", MONDAY, NINE))
    world.draft("I-1", open_lots(world, ENGAGEMENT)).approve("I-1").issue("I-1")
    stream, work = timesheet_stream("W-1", MONDAY), Work("P-1-L1", None, MONDAY, Decimal(4), "overtime")
    world.tell(stream, LogTime("W-1", Claim("jira", "1", NINE), work), ApproveTime(("jira:1",), "W-9", NINE))
    assert world.read(ENGAGEMENT).account("L1").available() == euros(400)


@pytest.mark.parametrize(("place", "uplift"), list(enumerate(("1.10", "1.20", "1.25"))))
def test_h21_overtime_is_a_multiplier_on_the_rate(world: World, case: Record, place: int, uplift: str) -> None:
    terms = TimeAndMaterials(uplifts=(Uplift("overtime", Decimal(uplift)),))
    agreed(world, ContractLine("L1", "Work", terms))
    rate(world, 100)
    stream = timesheet_stream("W-1", MONDAY)
    work = Work("P-1-L1", None, MONDAY, Decimal(1), "overtime")
    world.tell(stream, LogTime("W-1", Claim("jira", "1", NINE), work), ApproveTime(("jira:1",), "W-9", NINE))
    (held,) = world.read(stream).lots.values()
    expected = published()["H21"]["expected"]["overtime_on_100"][place]
    case("H21", f"overtime x {uplift}", Decimal(expected), held.lot.price)


@pytest.mark.parametrize("policy", ["whole_item", "partial"])
def test_h16_a_hard_limit_is_filled_or_left_at_the_last_whole_item(
    world: World, case: Record, policy: CapPolicy
) -> None:
    agreed(world, ContractLine("L1", "Work", TimeAndMaterials(cap=euros(1000), cap_policy=policy)))
    rate(world, 20)
    streams = [world.work(str(n), length, day=n) for n, length in enumerate(("18", "2", "20", "7", "4"))]
    world.draft("I-1", open_lots(world, *streams), strict=False)
    case("H16", policy, Decimal(published()["H16"]["expected"][policy]), net_of_draft(world, "I-1").amount)


def test_e44167_invoicing_one_project_of_a_timesheet_leaves_the_other_alone(world: World, case: Record) -> None:
    agreed(world, ContractLine("L1", "One", TimeAndMaterials()))
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "Two", TimeAndMaterials())))
    stream = timesheet_stream("W-1", MONDAY)
    for name, project in (("1", "P-1-L1"), ("2", "P-1-L2")):
        work = Work(project, None, MONDAY, Decimal(10))
        world.tell(stream, LogTime("W-1", Claim("jira", name, NINE), work))
    world.tell(stream, ApproveTime(("jira:1", "jira:2"), "W-9", NINE))
    world.draft("I-1", [LotAt(stream, "jira:1#1")]).approve("I-1", "ann").issue("I-1")
    left = [held.lot for held in world.read(stream).lots.values() if held.status is LotStatus.OPEN]
    (lot,) = left
    hours = Decimal(published()["E44167"]["expected"]["project_2_eligible_hours"])
    case("E44167", "project_2_eligible_hours", hours, lot.quantity)
    assert lot.project == "P-1-L2"
    assert isinstance(world.read(stream_of("invoice", "I-1")), Issued)


def test_h15_approved_hours_have_their_cost_and_value_and_lose_both_when_approval_is_taken_back(world: World) -> None:
    agreed(world, ContractLine("L1", "Work", TimeAndMaterials()))
    rate(world, 200)
    stream = world.work("1", "8")
    (held,) = world.read(stream).lots.values()
    assert (held.lot.value, held.lot.cost) == (euros(1600), euros(480))
    verdict = DecidePeriod("W-1", MONDAY, MONDAY, MONDAY, "open", "W-9", NINE + timedelta(days=1))
    world.tell(stream, verdict)
    assert [held.status for held in world.read(stream).lots.values()] == [LotStatus.REVERSED]


def measured(world: World, on: date, done: str) -> list[Decimal]:
    world.tell(ENGAGEMENT, MeasureProgress("L1", on, Decimal(done), "cost", "ledger", "ann", NINE))
    return [lot.value.amount for lot in promised(world)]


@pytest.mark.parametrize(("precision", "caught_up"), [(1, "91200"), (None, "91463.41")])
def test_h01_progress_is_cumulative_and_a_changed_contract_catches_up(
    world: World, precision: int | None, caught_up: str
) -> None:
    price = PercentComplete(euros(1000000), "cost", Decimal(700000), precision)
    agreed(world, ContractLine("L1", "Building", price))
    assert measured(world, date(2026, 12, 31), "420000") == [Decimal(600000)]

    changed = PercentComplete(euros(1350000), "cost", Decimal(820000), precision)
    order = ProposeChangeOrder(
        "CO-1",
        date(2027, 1, 1),
        (ContractLine("L1", "Building", changed),),
        adds_distinct=False,
        at_stand_alone_price=False,
        remaining_distinct=False,
        because="floor plan",
        by="ann",
        at=NINE,
    )
    world.tell(ENGAGEMENT, order, ApproveChangeOrder("CO-1", "bob", NINE))
    assert [lot.value.amount for lot in promised(world)] == [Decimal(600000), Decimal(caught_up)]


def test_an_estimate_that_grows_takes_back_what_was_billed_too_early(world: World) -> None:
    agreed(world, ContractLine("L1", "Building", PercentComplete(euros(9000), "cost", Decimal(100))))
    assert measured(world, date(2026, 3, 31), "50") == [Decimal(4500)]
    estimate = ReviseEstimate("L1", date(2026, 4, 30), Decimal(150), "cost", "harder than thought", "ann", NINE)
    world.tell(ENGAGEMENT, estimate)
    assert [lot.value.amount for lot in promised(world)] == [Decimal(4500), Decimal(-1500)]
    share = world.read(ENGAGEMENT).progress.share_on("L1", date(2026, 4, 30), Decimal(100))
    assert share == Fraction(1, 3)


def test_funded_cost_is_billed_as_cost_over_budget_times_what_is_funded(world: World) -> None:
    terms = PercentComplete(euros(120000), "cost", Decimal(100000), bills="funded_cost", funded=euros(80000))
    agreed(world, ContractLine("L1", "Grant", terms))
    assert measured(world, date(2026, 3, 31), "25000") == [Decimal(20000)]
    assert measured(world, date(2026, 4, 30), "60000") == [Decimal(20000), Decimal(28000)]
