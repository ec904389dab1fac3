"""The agreement: opened, signed, its lines, caps and milestones."""

from datetime import UTC, date, datetime
from decimal import Decimal

from domain import engagement
from domain.caps import Reached
from domain.contract import ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.engagement import (
    AcceptMilestone,
    AgreeLine,
    BillingClaimed,
    BillingReleased,
    CapBelowBilled,
    CapChanged,
    CapExceeded,
    ChangeCap,
    ClaimBilling,
    CurrencyDiffers,
    EngagementAlreadyOpened,
    EngagementHeld,
    EngagementNotOpened,
    EngagementSigned,
    EvidenceMissing,
    HoldEngagement,
    HoldLifted,
    LiftHold,
    LineIsBilled,
    MilestoneAccepted,
    OpenEngagement,
    PredecessorIncomplete,
    PurchaseOrder,
    PurchaseOrderRecorded,
    RecordPurchaseOrder,
    ReleaseBilling,
    SignEngagement,
    UnknownLine,
    UnknownMilestone,
    WrongBillingMethod,
)
from domain.engagement.caps import CapReached
from domain.lots import LotRated
from domain.money import Money, UnknownCurrency
from tests.drafting import cap_left
from tests.spec import Given, given

OPEN = OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR")
SIGN = SignEngagement(date(2026, 3, 1), date(2026, 3, 1), date(2026, 12, 31))
HOURLY = ContractLine("L1", "Work", TimeAndMaterials(cap=Money(Decimal(1000), "EUR")))
STAGES = ContractLine(
    "L2",
    "Stages",
    FixedFeeMilestones(
        milestones=(
            Milestone("M1", "Design", Money(Decimal(30000), "EUR"), "P-2"),
            Milestone("M2", "Build", Money(Decimal(60000), "EUR"), "P-2", after=("M1",)),
        )
    ),
)


def euros(amount: int) -> Money:
    return Money(Decimal(amount), "EUR")


def nothing() -> Given:
    return given(engagement.decider)


def agreed() -> Given:
    return nothing().and_then(OPEN, SIGN, AgreeLine(HOURLY), AgreeLine(STAGES))


def accept(milestone: str, evidence: str = "mail of 2 March", line: str = "L2") -> AcceptMilestone:
    return AcceptMilestone(line, milestone, date(2026, 4, 1), evidence, "anna", datetime(2026, 4, 1, 9, tzinfo=UTC))


class TestOpening:
    def test_an_engagement_is_opened_once(self) -> None:
        assert nothing().when(OPEN).events
        nothing().and_then(OPEN).when(OPEN).stays_quiet()

    def test_the_same_id_with_other_terms_is_refused(self) -> None:
        other = OpenEngagement("E-1", "Other", "C-2", "DE01", "EUR")
        nothing().and_then(OPEN).when(other).refuses(EngagementAlreadyOpened, "E-1")

    def test_an_unknown_currency_is_refused(self) -> None:
        nothing().when(OpenEngagement("E-1", "T", "C-1", "DE01", "EURO")).refuses(UnknownCurrency, "EURO")

    def test_nothing_else_happens_before_it_is_opened(self) -> None:
        nothing().when(SIGN).refuses(EngagementNotOpened)

    def test_it_is_signed_once(self) -> None:
        opened = nothing().and_then(OPEN)
        opened.when(SIGN).then(EngagementSigned(SIGN.signed_on, SIGN.starts, SIGN.ends))
        opened.and_then(SIGN).when(SIGN).stays_quiet()


class TestLines:
    def test_a_line_in_another_currency_is_refused(self) -> None:
        dollars = ContractLine("L3", "Work", TimeAndMaterials(cap=Money(Decimal(1), "USD")))
        agreed().when(AgreeLine(dollars)).refuses(CurrencyDiffers, "USD", "EUR")

    def test_the_same_line_again_stays_quiet(self) -> None:
        agreed().when(AgreeLine(HOURLY)).stays_quiet()

    def test_a_line_that_is_partly_billed_is_not_replaced(self) -> None:
        billed = agreed().and_then(ClaimBilling("I-1", "L1", euros(10)))
        billed.when(AgreeLine(ContractLine("L1", "Other", TimeAndMaterials()))).refuses(LineIsBilled, "L1")


class TestCaps:
    def test_drafts_take_up_the_cap_and_cannot_pass_it(self) -> None:
        agreed().when(ClaimBilling("I-1", "L1", euros(1000))).then(
            BillingClaimed("I-1", "L1", euros(1000)),
            CapReached("L1", Reached("line L1", 100, Decimal(1000), Decimal(1000), "EUR")),
        )
        taken = agreed().and_then(ClaimBilling("I-1", "L1", euros(600)))
        taken.when(ClaimBilling("I-2", "L1", euros(401))).refuses(CapExceeded, "401", "400")

    def test_a_discarded_draft_gives_back_what_it_took(self) -> None:
        taken = agreed().and_then(ClaimBilling("I-1", "L1", euros(600)))
        taken.when(ReleaseBilling("I-1")).then(BillingReleased("I-1"))
        assert cap_left(taken.and_then(ReleaseBilling("I-1")).state, "L1") == euros(1000)
        taken.and_then(ReleaseBilling("I-1")).when(ReleaseBilling("I-1")).stays_quiet()

    def test_a_claim_is_made_once(self) -> None:
        claim = ClaimBilling("I-1", "L1", euros(600))
        agreed().and_then(claim).when(claim).stays_quiet()

    def test_a_cap_is_changed_but_not_below_what_is_billed(self) -> None:
        taken = agreed().and_then(ClaimBilling("I-1", "L1", euros(600)))
        taken.when(ChangeCap("L1", euros(600))).then(CapChanged("L1", euros(600)))
        taken.when(ChangeCap("L1", euros(599))).refuses(CapBelowBilled, "599", "600")
        taken.when(ChangeCap("L1", euros(1000))).stays_quiet()
        assert cap_left(taken.and_then(ChangeCap("L1", None)).state, "L1") is None

    def test_only_hourly_lines_have_caps(self) -> None:
        agreed().when(ChangeCap("L2", euros(1))).refuses(WrongBillingMethod, "L2")
        agreed().when(ChangeCap("L9", euros(1))).refuses(UnknownLine, "L9")


class TestMilestones:
    def test_an_accepted_milestone_becomes_a_lot(self) -> None:
        agreed().when(accept("M1")).then_happens(MilestoneAccepted, LotRated)
        lot = agreed().and_then(accept("M1")).state.lots["E-1/L2/M1#1"].lot
        assert (lot.value, lot.unit, lot.project) == (euros(30000), "item", "P-2")

    def test_it_is_billed_in_whole_cents(self) -> None:
        third = FixedFeeMilestones(milestones=(Milestone("M1", "A third", Money(Decimal("33.335"), "EUR")),))
        history = agreed().and_then(AgreeLine(ContractLine("L3", "Thirds", third)), accept("M1", line="L3"))
        assert history.state.lots["E-1/L3/M1#1"].lot.value == Money(Decimal("33.34"), "EUR")

    def test_it_is_accepted_once(self) -> None:
        agreed().and_then(accept("M1")).when(accept("M1")).stays_quiet()

    def test_it_needs_evidence_and_its_predecessors(self) -> None:
        agreed().when(accept("M1", " ")).refuses(EvidenceMissing, "M1")
        agreed().when(accept("M2")).refuses(PredecessorIncomplete, "M1")
        agreed().when(accept("M9")).refuses(UnknownMilestone, "M9")
        agreed().when(accept("M1", line="L1")).refuses(WrongBillingMethod, "L1")


class TestHoldsAndOrders:
    def test_a_hold_is_put_and_lifted_once(self) -> None:
        agreed().when(HoldEngagement("dispute")).then(EngagementHeld("dispute"))
        held = agreed().and_then(HoldEngagement("dispute"))
        held.when(HoldEngagement("dispute")).stays_quiet()
        held.when(LiftHold()).then(HoldLifted())
        agreed().when(LiftHold()).stays_quiet()

    def test_a_purchase_order_is_recorded_once_in_the_engagements_currency(self) -> None:
        order = RecordPurchaseOrder(PurchaseOrder("PO-1", euros(5000)))
        agreed().when(order).then(PurchaseOrderRecorded(order.order))
        agreed().and_then(order).when(order).stays_quiet()
        dollars = RecordPurchaseOrder(PurchaseOrder("PO-1", Money(Decimal(1), "USD")))
        agreed().when(dollars).refuses(CurrencyDiffers)
