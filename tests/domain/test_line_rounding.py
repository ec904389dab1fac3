"""A customer who multiplies finds the net of every line: price x quantity, rounded once; no cent of it is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as every
from hypothesis import settings
from hypothesis import strategies as st

from adapters.documents.printed import printed_credit_note, printed_invoice
from api.verification.billings import Billings, Numbers
from api.verification.books import Auditor
from api.verification.law import Law
from domain.billing import adjusting, drafting, issuing
from domain.billing.credit_wishes import CreditWish, NothingToCredit
from domain.billing.draft_plan import DraftPlan
from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.contract import BillToShare, ContractLine, TimeAndMaterials
from domain.credit_note import CreditForm
from domain.engagement.caps import AgreeEngagementCap, ChangeCap
from domain.invoice import AllowanceCharge, CreditAboveLine, Draft, InvoiceLine, Issued, Layout, invoice_stream
from domain.lots import LotStatus
from domain.money import Money, total
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.timesheet import timesheet_stream
from tests.domain.test_crediting import credit, note
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, World, euros

CUT_OFF = date(2026, 3, 31)
SHEET = timesheet_stream("W-1", MONDAY)
TWENTY_MINUTES = "0.333333"
THREE_TIMES = (TWENTY_MINUTES,) * 3


def firm(rate: str = "100", *, cap: str | None = None, line: ContractLine | None = None) -> World:
    """A contract whose work costs the customer so much an hour."""
    world = World().firm().contract(euros(cap) if cap else None, line=line)
    row = RateRow("senior", euros(rate), NEW_YEAR, role="Senior")
    return world.tell(rate_card_stream("firm", "FIRM"), SetRate(row))


def worked(world: World, hours: Sequence[str] = THREE_TIMES, *, first: int = 0) -> World:
    """Work of one person, an entry a day."""
    for day, each in enumerate(hours, start=first):
        world.work(str(day), each, day=day)
    return world


def drafted(world: World, layout: Layout = "summary") -> World:
    """A draft of all that can be billed."""
    plan = DraftPlan(CUT_OFF, "paul", CUT_OFF, layout=layout)
    open_lots = [at for at in world.lots(SHEET) if world.read(SHEET).lots[at.lot].status is LotStatus.OPEN]
    world.record(drafting.draft_invoices(world.read, open_lots, plan, lambda _: "I-1").commands)
    return world.react()


def issued(world: World) -> World:
    return drafted(world).approve("I-1").issue("I-1")


def lines(world: World, name: str = "I-1") -> tuple[InvoiceLine, ...]:
    match world.read(invoice_stream(name)):
        case Draft(lines=found):
            return found
        case Issued(document=document):
            return document.lines
        case state:
            raise AssertionError(state)


def nets(world: World, name: str = "I-1") -> list[Money]:
    return [line.net for line in lines(world, name)]


def test_three_times_twenty_minutes_at_100_an_hour_are_100_and_the_line_tells_the_cent() -> None:
    (line,) = lines(drafted(worked(firm())))
    assert (line.price * line.quantity, line.net) == (Decimal("99.999900"), euros("100.00"))
    assert (line.standard_value, line.rounding) == (euros("99.99"), euros("0.01"))


def test_a_line_that_rounds_down_tells_that_too() -> None:
    (line,) = lines(drafted(worked(firm("100.40"), ["0.50625"] * 3)))  # 50.8275 is 50.83 each, 152.4825 in all
    assert (line.net, line.rounding) == (euros("152.48"), euros("-0.01"))


def test_a_line_for_each_lot_has_nothing_to_round() -> None:
    found = lines(drafted(worked(firm()), "detail"))
    assert [(line.net, line.rounding) for line in found] == [(euros("33.33"), euros("0.00"))] * 3


def test_late_work_is_rounded_on_its_own_line() -> None:
    world = drafted(worked(firm()))
    worked(world, ["0.333333", "0.333333"], first=3)
    late = [at for at in world.lots(SHEET) if at.lot in ("jira:3#1", "jira:4#1")]
    found = drafting.refresh_draft(world.read, "I-1", late, by="paul", on=CUT_OFF, strict=True)
    world.record(found.commands)
    assert nets(world) == [euros("100.00"), euros("66.67")]


def test_tax_and_what_is_due_are_of_the_rounded_line() -> None:
    document = issued(worked(firm())).read(invoice_stream("I-1")).document
    assert (document.net, document.tax, document.receivable) == (euros("100.00"), euros("19.00"), euros("119.00"))


def test_the_preview_shows_what_the_draft_becomes() -> None:
    world = drafted(worked(firm()))
    document = issuing.preview(world.read, world.read(invoice_stream("I-1")), CUT_OFF)
    assert [line.net for line in document.lines] == [euros("100.00")]


def test_what_is_kept_back_is_of_the_rounded_line() -> None:
    line = ContractLine("L1", "Work", TimeAndMaterials(), holdback_percent=Decimal(10))
    document = issued(worked(firm(line=line))).read(invoice_stream("I-1")).document
    assert (document.holdback, document.receivable) == (euros("10.00"), euros("109.00"))


def test_work_that_is_worth_nothing_piece_by_piece_is_billed_at_nothing() -> None:
    assert nets(drafted(worked(firm(), ["0.00004"] * 3))) == [euros(0)]


def test_allowances_and_another_base_quantity_leave_the_rounding_as_it_is() -> None:
    world = drafted(worked(firm()))
    stated = (AllowanceCharge("allowance", euros("5.00"), "Goodwill."),)
    world.record(adjusting.state_allowances(world.read, "I-1", 1, stated, "paul", Decimal(10)))
    (line,) = lines(world)
    assert (line.net, line.item_net, line.rounding) == (euros("95.00"), euros("100.00"), euros("0.01"))


def test_a_rounded_line_can_be_written_down_to_nothing() -> None:
    world = drafted(worked(firm()))
    world.record(adjusting.adjust_line(world.read, "I-1", 1, euros("-100.00"), "Goodwill.", "paul"))
    assert not total(nets(world), "EUR")


# -- caps ------------------------------------------------------------------------------------------------------------


def test_a_cap_that_has_room_for_the_cent_counts_it() -> None:
    world = drafted(worked(firm(cap="100")))
    assert nets(world) == [euros("100.00")]
    assert world.read(ENGAGEMENT).claimed("L1") == euros("100.00")


def test_a_line_does_not_pass_its_cap_by_rounding() -> None:
    world = drafted(worked(firm(cap="99.99")))
    assert nets(world) == [euros("99.99")]
    assert not lines(world)[0].rounding


def test_a_line_that_fills_its_cap_asks_for_all_of_it() -> None:
    """Of 3 x 50.83, the cap takes 150.00: the line does not ask for less, so that nothing behind the cap moves up."""
    world = drafted(worked(firm("100.40", cap="150"), ["0.50625"] * 3))
    assert nets(world) == [euros("150.00")]
    full = drafted(worked(firm("100.40", cap="152.49"), ["0.50625"] * 3))
    assert nets(full) == [euros("152.49")]


def test_lines_under_one_cap_share_the_cents_that_it_leaves() -> None:
    world = worked(firm())
    dearer = RateRow("dearer", euros(70), MONDAY + timedelta(days=3), role="Senior")
    world.tell(rate_card_stream("line", "E-1", "L1"), SetRate(dearer))
    worked(world, THREE_TIMES, first=3)
    world.tell(ENGAGEMENT, AgreeEngagementCap(Limit(euros("169.99"))))
    assert nets(drafted(world)) == [euros("100.00"), euros("69.99")]


def test_a_limit_of_the_customer_is_not_passed_by_rounding() -> None:
    world = worked(firm())
    limit = AgreeBillingLimit("C-1", "EUR", Limit(euros("99.99")))
    world.tell(billing_limit_stream("C-1", "EUR"), limit)
    assert nets(drafted(world)) == [euros("99.99")]


def test_a_raised_cap_leaves_room_for_what_comes_next() -> None:
    world = drafted(worked(firm(cap="99.99")))
    worked(world.tell(ENGAGEMENT, ChangeCap("L1", euros(200))), first=3)
    late = [at for at in world.lots(SHEET) if world.read(SHEET).lots[at.lot].status is LotStatus.OPEN]
    found = drafting.refresh_draft(world.read, "I-1", late, by="paul", on=CUT_OFF, strict=True)
    world.record(found.commands)
    assert nets(world) == [euros("99.99"), euros("100.00")]


# -- payers ----------------------------------------------------------------------------------------------------------


def test_what_several_payers_are_billed_is_what_the_lots_are_worth() -> None:
    """Each lot is divided to the cent: nobody's line is rounded again."""
    payers = (BillToShare("C-1", Decimal(50)), BillToShare("C-2", Decimal(50)))
    world = worked(firm(line=ContractLine("L1", "Work", TimeAndMaterials(), bill_to=payers)))
    drafted(world)
    found = [*lines(world, "I-1"), *lines(world, "I-1-2")]
    assert [(line.net, line.rounding) for line in found] == [(euros("50.00"), euros(0)), (euros("49.99"), euros(0))]


# -- credits ---------------------------------------------------------------------------------------------------------


def test_a_credit_of_the_line_gives_back_exactly_its_net() -> None:
    world = credit(issued(worked(firm())), "CN-1", CreditWish(1))
    assert (note(world).credit.net, note(world).credit.gross) == (euros("100.00"), euros("119.00"))
    assert not world.read(invoice_stream("I-1")).due


def test_credits_lot_by_lot_come_to_the_line_and_the_last_takes_the_rest() -> None:
    world = issued(worked(firm()))
    for number in range(3):
        credit(world, f"CN-{number}", CreditWish(1, lot=f"jira:{number}#1"))
    given_back = [note(world, f"CN-{number}").credit.net for number in range(3)]
    assert given_back == [euros("33.33"), euros("33.34"), euros("33.33")]
    assert not world.read(invoice_stream("I-1")).due


@pytest.mark.parametrize("amount", ["0.01", "33.34", "50.00", "66.67", "99.99"])
def test_a_credit_of_an_amount_is_of_exactly_that_amount_and_the_rest_is_what_is_left(amount: str) -> None:
    """Half of 100.00 are 50.00, which no value of the lots comes to: of 99.99 it would be 49.99 or 50.01."""
    world = credit(issued(worked(firm())), "CN-1", CreditWish(1, amount=euros(amount)))
    assert note(world).credit.net == euros(amount)
    credit(world, "CN-2", CreditWish(1, amount=euros("100.00") - euros(amount)))
    assert note(world, "CN-2").credit.net == euros("100.00") - euros(amount)
    assert not world.read(invoice_stream("I-1")).due
    held = world.read(SHEET).lots.values()
    assert total((each.lot.value for each in held if each.status is LotStatus.OPEN), "EUR") == euros("99.99")


def test_no_more_is_credited_than_the_line_asks_for_to_the_cent() -> None:
    world = credit(issued(worked(firm("100.40"), ["0.50625"] * 3)), "CN-1", CreditWish(1, amount=euros(100)))
    with pytest.raises(CreditAboveLine, match=r"52\.48 EUR of 52\.49 EUR is left"):
        credit(world, "CN-2", CreditWish(1, amount=euros("52.49")))
    credit(world, "CN-3", CreditWish(1, amount=euros("52.48")))
    assert not world.read(invoice_stream("I-1")).due


def test_an_amount_of_a_line_with_an_allowance_takes_its_part_of_that() -> None:
    world = drafted(worked(firm()))
    stated = (AllowanceCharge("allowance", euros("5.00"), "Goodwill."),)
    world.record(adjusting.state_allowances(world.read, "I-1", 1, stated, "paul"))
    world.approve("I-1").issue("I-1")
    for number, net in enumerate(("47.50", "23.75", "23.75")):
        asked = euros("50.00") if number == 0 else euros("25.00")
        credit(world, f"CN-{number}", CreditWish(1, amount=asked))
        assert note(world, f"CN-{number}").credit.net == euros(net)
    assert not world.read(invoice_stream("I-1")).due


def test_two_amounts_of_one_line_are_credited_together_each_with_its_own_disposition() -> None:
    wishes = CreditWish(1, amount=euros("50.00")), CreditWish(1, amount=euros("50.00"), disposition="write_off")
    world = credit(issued(worked(firm())), "CN-1", *wishes)
    assert note(world).credit.net == euros("100.00")
    values = {status: euros(0) for status in (LotStatus.OPEN, LotStatus.WRITTEN_OFF)}
    for each in world.read(SHEET).lots.values():
        if each.status in values:
            values[each.status] += each.lot.value
    assert values == {LotStatus.OPEN: euros("50.00"), LotStatus.WRITTEN_OFF: euros("49.99")}


@pytest.mark.parametrize("form", ["381", "380"])
def test_the_annex_of_a_credit_shows_the_rounding_as_that_of_the_invoice_does(form: CreditForm) -> None:
    sign = Decimal(1) if form == "381" else Decimal(-1)
    world = credit(issued(worked(firm())), "CN-1", CreditWish(1, amount=euros("50.00")), form=form)
    credit(world, "CN-2", CreditWish(1), form=form)
    found = [printed_credit_note(note(world, name)) for name in ("CN-1", "CN-2")]
    assert [(part.amount, line.net) for each in found for part, line in zip(each.annex, each.lines, strict=True)] == [
        (euros("50.00") * sign, euros("50.00") * sign)
    ] * 2
    (whole,) = printed_invoice(world.read(invoice_stream("I-1"))).annex
    assert total((part.rounding for each in found for part in each.annex), "EUR") == whole.rounding * sign


def test_credited_work_is_billed_again_at_the_same_net() -> None:
    world = credit(issued(worked(firm(cap="100"))), "CN-1", CreditWish(1))
    assert not world.read(ENGAGEMENT).claimed("L1")
    again = [at for at in world.lots(SHEET) if world.read(SHEET).lots[at.lot].status is LotStatus.OPEN]
    world.draft("I-2", again)
    assert nets(world, "I-2") == [euros("100.00")]


# -- any work --------------------------------------------------------------------------------------------------------

HOURS = st.lists(st.integers(1, 4_000_000).map(lambda units: str(Decimal(units) / 1_000_000)), min_size=1, max_size=5)
PRICES = st.integers(1, 90_000).map(lambda cents: str(Decimal(cents) / 100))


@settings(max_examples=40, deadline=None)
@every(HOURS, PRICES, st.lists(st.integers(1, 100), min_size=1, max_size=4), st.booleans())
def test_any_amounts_are_credited_to_the_cent_and_every_lot_keeps_its_money(
    hours: list[str], price: str, shares: list[int], reduced: bool
) -> None:
    world = drafted(worked(firm(price), hours))
    if reduced:
        tenth = (AllowanceCharge("allowance", (nets(world)[0] * Decimal("0.1")).rounded(), "Agreed."),)
        world.record(adjusting.state_allowances(world.read, "I-1", 1, tenth, "paul"))
    world.approve("I-1").issue("I-1")
    (line,) = lines(world)
    given = euros(0)
    for number, share in enumerate(shares):
        asked = ((line.item_net - given) * (Decimal(share) / 100)).rounded()
        try:
            credit(world, f"CN-{number}", CreditWish(1, amount=asked))
        except (NothingToCredit, CreditAboveLine):
            continue  # less than a cent of a lot, or a cent above what the allowance left
        given += asked
        if not reduced:
            assert note(world, f"CN-{number}").credit.net == asked
    state = world.read(invoice_stream("I-1"))
    if state.due:
        credit(world, "CN-Z", CreditWish(1))
    assert not world.read(invoice_stream("I-1")).due
    held = world.read(SHEET).lots.values()
    assert not [each for each in held if each.status is LotStatus.BILLED and each.lot.value]
    assert total((each.lot.value for each in held if each.status is LotStatus.OPEN), "EUR") == line.standard_value
    law = Law()
    auditors: tuple[Auditor, ...] = (law, Billings(law), Numbers())
    for fact in world.ledger.read(0, 10_000):
        assert [breach for auditor in auditors for breach in auditor.see(fact)] == []
    assert [breach for auditor in auditors for breach in auditor.settle()] == []


@settings(max_examples=40, deadline=None)
@every(HOURS, PRICES, st.one_of(st.none(), st.integers(1, 400_000).map(lambda cents: str(Decimal(cents) / 100))))
def test_whatever_is_worked_the_net_is_price_times_quantity_and_credits_come_to_it(
    hours: list[str], price: str, cap: str | None
) -> None:
    world = drafted(worked(firm(price, cap=cap), hours))
    state = world.read(invoice_stream("I-1"))
    if isinstance(state, Draft):
        (line,) = state.lines
        exact = (line.price * line.quantity).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        most = min(exact, Decimal(cap)) if cap else exact
        filled = cap is not None and line.standard_value == euros(cap)
        assert line.net.amount == (line.standard_value.amount if filled or not line.standard_value else most)
        world.approve("I-1").issue("I-1")
        for number, lot in enumerate(part.lot for part in line.lots if part.value):
            credit(world, f"CN-{number}", CreditWish(1, lot=lot))
        assert not world.read(invoice_stream("I-1")).due
    _prove(world)


def _prove(world: World) -> None:
    """The proofs that watch production find nothing."""
    law = Law()
    billings = Billings(law)
    auditors: tuple[Auditor, ...] = (law, billings, Numbers())
    for fact in world.ledger.read(0, 10_000):
        for auditor in auditors:
            assert list(auditor.see(fact)) == []
    assert [breach for auditor in auditors for breach in auditor.settle()] == []
    assert [*law.totals(), *billings.totals()] == []
