"""A ticket that was given back takes off what it had added: at every price, under every cap, on drafts and credits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.billing import adjusting, drafting
from domain.billing.credit_wishes import CreditWish, NothingToCredit
from domain.billing.draft_plan import BelowZero
from domain.contract import CategoryTerms, ContractLine, ExpenseTerms, Retainer, TimeAndMaterials
from domain.engagement import AgreeLine
from domain.engagement.caps import CapExceeded
from domain.engagement.retainer import GrantRetainer
from domain.expense import ApproveExpenses, Expense, RecordExpense, TaxAboveAmount, expense_stream
from domain.invoice import AllowanceCharge, CreditAboveLine, Draft, DraftBelowZero, invoice_stream
from domain.kernel import stream_of
from domain.lots import Lot, LotStatus
from domain.ports import LotAt
from domain.project import ConfirmSetUp
from domain.reference.intercompany_agreement import AgreementTerms, StateAgreement, agreement_stream
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.resource import DescribeResource
from tests.domain.test_crediting import credit, invoice, note
from tests.world import ENGAGEMENT, MONDAY, NINE, World, euros, senior

REPORT = expense_stream("ER-1")


def firm(terms: CategoryTerms | None = None, *, cap: int | None = None, holdback: int = 0) -> World:
    """A contract that passes costs on."""
    billing = TimeAndMaterials(cap=euros(cap) if cap else None)
    expenses = ExpenseTerms(terms or CategoryTerms("*"))
    line = ContractLine("L1", "Work", billing, expenses=expenses, holdback_percent=Decimal(holdback))
    return World().firm().contract(line=line)


def two_lines(*, cap: int | None = None, holdback: int = 0) -> World:
    """The same contract with a further line."""
    world = firm(cap=cap, holdback=holdback)
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "More", TimeAndMaterials())))
    world.tell(stream_of("project", "P-1-L2"), *(ConfirmSetUp(target, f"{target}-2") for target in ("psa", "erp")))
    return world


def spent(
    world: World, line: str, amount: str, tax: str = "0", *, days: int = 1, day: int = 0, project: str = "P-1-L1"
) -> Lot:
    """An approved expense and its lot."""
    on = MONDAY + timedelta(days=day)
    told = Expense(line, project, "travel", on, euros(amount), euros(tax), True, "scan", days=Decimal(days))
    world.tell(REPORT, RecordExpense("ER-1", "W-1", told, NINE))
    world.tell(REPORT, ApproveExpenses((line,), "W-9", NINE + timedelta(hours=1)))
    lot: Lot = world.read(REPORT).lots[f"ER-1/{line}#1"].lot
    return lot


def drafted(world: World, name: str, *lines: str) -> World:
    """A draft of the lots of some expense lines, or of all that is open."""
    named = [
        each for each in open_lots(world) if not lines or each.lot.startswith(tuple(f"ER-1/{line}#" for line in lines))
    ]
    return world.draft(name, named)


def open_lots(world: World) -> list[LotAt]:
    return [at for at in world.lots(REPORT) if world.read(REPORT).lots[at.lot].status is LotStatus.OPEN]


def late(world: World, name: str) -> World:
    """All that is open joins a draft."""
    found = drafting.refresh_draft(world.read, name, open_lots(world), by="paul", on=date(2026, 3, 31), strict=False)
    world.record(found.commands)
    return world.react()


def draft(world: World, name: str) -> Draft:
    state = world.read(invoice_stream(name))
    assert isinstance(state, Draft)
    return state


@pytest.mark.parametrize(
    ("terms", "value"),
    [
        (CategoryTerms("*"), "-200"),
        (CategoryTerms("*", markup_percent=Decimal("10.333")), "-220.67"),
        (CategoryTerms("*", per_diem=euros(28)), "-56"),
        (CategoryTerms("*", limit=euros(150)), "-150"),
        (CategoryTerms("*", markup_percent=Decimal(10), limit=euros(150)), "-150"),
    ],
)
def test_what_was_given_back_takes_off_what_it_had_added_by_the_same_terms(terms: CategoryTerms, value: str) -> None:
    world = firm(terms)
    bought = spent(world, "1", "238", "38", days=2)
    returned = spent(world, "2", "-238", "-38", days=2)
    assert (returned.value, returned.cost) == (euros(value), euros(-200))
    assert (bought.value + returned.value, bought.cost + returned.cost) == (euros(0), euros(0))


@pytest.mark.parametrize("tax", ["1", "-239"])
def test_the_tax_of_what_was_given_back_lies_between_its_amount_and_nothing(tax: str) -> None:
    with pytest.raises(TaxAboveAmount):
        spent(firm(), "1", "-238", tax)


@pytest.mark.parametrize(("model", "parameter"), [("fixed", 120), ("cost_plus_amount", 15), ("sales_minus_amount", 20)])
def test_another_entity_is_charged_less_by_what_it_was_charged_for_such_a_cost(model: str, parameter: int) -> None:
    world = firm()
    terms = world.read(stream_of("legal_entity", "DE01")).versions[0]
    world.tell(stream_of("legal_entity", "DE02"), DefineLegalEntity("DE02", terms))
    lent = replace(senior("W-1").terms, legal_entity="DE02", stated_at=NINE + timedelta(hours=1))
    world.tell(stream_of("resource", "W-1"), DescribeResource("W-1", lent))
    agreed = AgreementTerms(MONDAY, model, "EUR", Decimal(parameter))  # type: ignore[arg-type]  # by its name
    world.tell(agreement_stream("DE02", "DE01"), StateAgreement("DE02", "DE01", agreed, "ann"))
    one, other = spent(world, "1", "200").transfer, spent(world, "2", "-200").transfer
    assert one is not None
    assert other is not None
    assert (one.price, one.value) == (-other.price, -other.value)
    assert one.value.amount > 0


def test_a_return_lowers_the_bill_on_a_line_of_its_own() -> None:
    world = firm()
    spent(world, "1", "500")
    spent(world, "2", "-200", day=1)
    drafted(world, "I-1").approve("I-1").issue("I-1")
    document = invoice(world).document
    assert [(line.price, line.net) for line in document.lines] == [
        (Decimal(500), euros(500)),
        (Decimal(-200), euros(-200)),
    ]
    assert (document.net, document.gross) == (euros(300), euros(357))


def test_a_draft_below_zero_is_left_out_until_there_is_work_to_set_it_off_against() -> None:
    world = firm()
    spent(world, "1", "-200")
    with pytest.raises(BelowZero, match="-200"):
        drafted(world, "I-1")
    spent(world, "2", "200", day=1)
    assert draft(drafted(world, "I-1"), "I-1").net == euros(0)


def test_what_was_given_back_joins_a_draft_only_as_far_as_something_is_left_of_it() -> None:
    world = firm()
    spent(world, "1", "100")
    drafted(world, "I-1")
    spent(world, "2", "-200")
    with pytest.raises(BelowZero, match="-100"):
        late(world, "I-1")
    spent(world, "3", "100", day=1)
    assert draft(late(world, "I-1"), "I-1").net == euros(0)


def test_a_draft_that_came_to_less_than_nothing_is_not_approved() -> None:
    world = firm()
    spent(world, "1", "100")
    drafted(world, "I-1")
    less = AllowanceCharge("allowance", euros(101), "Agreed.")
    world.record(adjusting.state_allowances(world.read, "I-1", None, (less,), "paul"))
    with pytest.raises(DraftBelowZero, match=r"-1\.00 EUR"):
        world.approve("I-1")


def test_nothing_is_kept_back_of_what_is_given_back() -> None:
    world = two_lines(holdback=10)
    spent(world, "1", "-200")
    spent(world, "2", "300", project="P-1-L2")
    drafted(world, "I-1").approve("I-1").issue("I-1")
    document = invoice(world).document
    assert (document.net, document.holdbacks) == (euros(100), ())


def test_what_was_given_back_on_a_retainer_line_lowers_the_next_bill_and_is_not_drawn() -> None:
    world = World().firm().contract(line=ContractLine("L1", "Advice", Retainer(euros(1000), overage="multiplier")))
    world.tell(ENGAGEMENT, GrantRetainer("L1", "R1", MONDAY, NINE, euros(1000)))
    returned = spent(world, "1", "-200")
    assert (returned.value, world.read(REPORT).lots["ER-1/1#1"].status) == (euros(-200), LotStatus.OPEN)
    world.draft("I-1", [*world.lots(ENGAGEMENT), *world.lots(REPORT)])
    assert draft(world, "I-1").net == euros(800)


def test_what_was_given_back_is_credited_in_part_with_its_own_sign() -> None:
    world = firm()
    spent(world, "1", "500")
    spent(world, "2", "-200", day=1)
    drafted(world, "I-1").approve("I-1").issue("I-1")
    for wrong, refusal in ((euros(50), NothingToCredit), (euros(-201), CreditAboveLine)):
        with pytest.raises(refusal):
            credit(world, "CN-0", CreditWish(2, amount=wrong))
    credit(world, "CN-1", CreditWish(1, disposition="non_billable"), CreditWish(2, amount=euros("-50.01")))
    assert (note(world).credit.net, invoice(world).due) == (euros("449.99"), euros("-178.49"))
    credit(world, "CN-2", CreditWish(2, disposition="write_off"))
    held = world.read(REPORT).lots
    assert {name: each.lot.value.amount for name, each in held.items() if each.status is LotStatus.OPEN} == {
        "ER-1/2#1/2": Decimal("-50.01")
    }
    assert {name: each.lot.value.amount for name, each in held.items() if each.status is LotStatus.WRITTEN_OFF} == {
        "ER-1/2#1/1": Decimal("-149.99")
    }
    assert invoice(world).credited == invoice(world).document.gross


class TestUnderACap:
    """500 may be billed of L1."""

    def test_a_return_makes_room_once_it_is_on_a_draft_and_not_before(self) -> None:
        world = firm(cap=500)
        spent(world, "1", "-200")
        spent(world, "2", "900", day=1)
        assert draft(drafted(world, "I-1"), "I-1").net == euros(300)
        assert draft(drafted(world, "I-2"), "I-2").net == euros(200)
        assert world.read(ENGAGEMENT).claimed("L1") == euros(500)

    def test_work_that_is_asked_for_alone_does_not_take_the_room_of_a_return_that_waits(self) -> None:
        world = firm(cap=500)
        spent(world, "1", "-200")
        spent(world, "2", "900", day=1)
        assert draft(drafted(world, "I-1", "2"), "I-1").net == euros(500)

    @pytest.mark.parametrize("billed", [False, True])
    def test_a_return_stays_where_it_is_while_other_work_is_billed_in_its_room(self, billed: bool) -> None:
        world = two_lines(cap=500)
        spent(world, "1", "-200")
        spent(world, "2", "300", project="P-1-L2")
        drafted(world, "I-1")
        if billed:
            world.approve("I-1").issue("I-1")
        spent(world, "3", "700", day=1)
        drafted(world, "I-2", "3")
        assert world.read(ENGAGEMENT).claimed("L1") == euros(500)
        with pytest.raises(CapExceeded, match="line L1"):
            take_back(world, billed, "CN-1")
        world.record(adjusting.discard_draft(world.read, "I-2", "paul", "Not now."))
        take_back(world, billed, "CN-2")
        assert world.read(ENGAGEMENT).claimed("L1") == euros(0)


def take_back(world: World, billed: bool, name: str) -> None:
    """The first invoice goes: its draft is discarded, or all of it is credited."""
    if billed:
        credit(world, name, CreditWish(1), CreditWish(2))
    else:
        world.record(adjusting.discard_draft(world.read, "I-1", "paul", "Not now."))
