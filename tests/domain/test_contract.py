"""What is promised: contradictions are refused, caps hold on every level, retainers and progress add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given as such_that
from hypothesis import strategies as st

from domain import billing_limit, engagement
from domain.billing_limit import AgreeBillingLimit, ClaimLimit, LimitBelowBilled, LimitExceeded
from domain.caps import Candidate, Limit, Room, allocation
from domain.contract import (
    Billing,
    BillToShare,
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
    ResourceCap,
    Retainer,
    TimeAndMaterials,
    Uplift,
)
from domain.contract.rules import (
    AmountOutOfRange,
    BillToSharesDoNotAddUp,
    BudgetMissing,
    CurrencyDiffers,
    DatesContradict,
    NamedTwice,
    OverageRateMissing,
    PartsDoNotAddUp,
    UnknownPredecessor,
)
from domain.engagement import AcceptMilestone, AgreeLine, ChangeCap, ClaimBilling, LineIsBilled, OpenEngagement
from domain.engagement.agreement import LineIsChanged
from domain.engagement.caps import (
    AgreeEngagementCap,
    CapBelowBilled,
    CapExceeded,
    ChangeLimits,
    CreditBilling,
    ResourceClaim,
)
from domain.engagement.change_orders import (
    ApproveChangeOrder,
    ChangeOrderDecided,
    ChangeOrderSelfApproval,
    ProposeChangeOrder,
    RejectChangeOrder,
    UnknownChangeOrder,
    treatment_of_change,
)
from domain.engagement.progress import (
    MeasureProgress,
    ProgressAboveWhole,
    ProgressMeasured,
    ReviseEstimate,
    WrongMeasure,
)
from domain.engagement.retainer import (
    ApplyRetainer,
    GrantRetainer,
    MakeGrantUsable,
    RefundRetainer,
    RetainerDraw,
    RetainerNotUsable,
    RetainerOverdrawn,
    UnapplyRetainer,
    Wanting,
    draws_for,
)
from domain.engagement.schedule import FallDue
from domain.kernel import Refused
from domain.lots import LotRated, TransferLot
from domain.money import Money
from tests.drafting import cap_left
from tests.spec import Given, given

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MONDAY = date(2026, 3, 2)


def euros(amount: int | str) -> Money:
    return Money(Decimal(amount), "EUR")


def opened() -> Given:
    return given(engagement.decider).and_then(OpenEngagement("E-1", "Work", "C-1", "DE01", "EUR"))


def agreed(billing: Billing, **more: Any) -> Given:
    return opened().and_then(AgreeLine(ContractLine("L1", "Work", billing, **more)))


LINES = ("L1", "L2")
M1, M2 = Milestone("M1", "Design", euros(30)), Milestone("M2", "Build", euros(60), after=("M1",))
PARTS = (Instalment("1", "First", date(2026, 1, 1), euros(60)), Instalment("2", "Next", date(2026, 2, 1), euros(40)))


@pytest.mark.parametrize(
    ("billing", "refusal"),
    [
        (FixedFeeMilestones(milestones=(M1, M2), price=euros(91)), PartsDoNotAddUp),
        (FixedFeeMilestones(milestones=(M1, M1)), NamedTwice),
        (FixedFeeMilestones(milestones=(M2,)), UnknownPredecessor),
        (FixedFeeMilestones(milestones=(replace(M1, after=("M2",)), M2)), UnknownPredecessor),
        (FixedFeeSchedule(euros(99), PARTS), PartsDoNotAddUp),
        (FixedFeeSchedule(euros(120), (PARTS[0], PARTS[0])), NamedTwice),
        (PercentComplete(euros(100), "hours"), BudgetMissing),
        (PercentComplete(euros(100), "milestones"), BudgetMissing),
        (PercentComplete(euros(100), "hours", Decimal(5), bills="funded_cost"), BudgetMissing),
        (ManagedService(euros(10), date(2026, 2, 1), date(2026, 1, 31)), DatesContradict),
        (Retainer(euros(10), rolls_over_months=3), DatesContradict),
        (Retainer(euros(10), overage="multiplier", overage_multiplier=Decimal(101)), AmountOutOfRange),
        (Retainer(euros(10), overage="rate"), OverageRateMissing),
        (Retainer(euros(10), overage_rate=euros(175)), OverageRateMissing),
        (Retainer(euros(10), overage="rate", overage_rate=euros(-1)), AmountOutOfRange),
        (TimeAndMaterials(uplifts=(Uplift("overtime", Decimal(9_999_999_999_999)),)), AmountOutOfRange),
        (PassThrough(ExpenseTerms(CategoryTerms("*", markup_percent=Decimal(10_001)))), AmountOutOfRange),
        (Retainer(euros(-1)), AmountOutOfRange),
        (TimeAndMaterials(hours_cap=Decimal(-1)), AmountOutOfRange),
        (TimeAndMaterials(resource_caps=(ResourceCap("W-1"), ResourceCap("W-1"))), NamedTwice),
        (TimeAndMaterials(cap=Money(Decimal(1), "USD")), CurrencyDiffers),
    ],
    ids=lambda each: getattr(each, "code", type(each).__name__),
)
def test_a_promise_that_contradicts_itself_is_refused(billing: Billing, refusal: type[Refused]) -> None:
    opened().when(AgreeLine(ContractLine("L1", "Work", billing))).refuses(refusal, "L1")


@pytest.mark.parametrize("percents", [(50, 49), (60, 60, -20), (100, 0)])
def test_shares_of_a_bill_are_positive_and_add_up_to_all_of_it(percents: Sequence[int]) -> None:
    shares = tuple(BillToShare(f"C-{n}", Decimal(percent)) for n, percent in enumerate(percents))
    line = ContractLine("L1", "Work", TimeAndMaterials(), bill_to=shares)
    opened().when(AgreeLine(line)).refuses(BillToSharesDoNotAddUp, "L1")


class TestChangeOrders:
    @staticmethod
    def order(billing: Billing | None = None, name: str = "CO-1", **more: Any) -> ProposeChangeOrder:
        line = ContractLine("L1", "Work", billing or TimeAndMaterials(cap=euros(2000)))
        asked: dict[str, Any] = {"adds_distinct": False, "at_stand_alone_price": False, "remaining_distinct": True}
        return ProposeChangeOrder(name, MONDAY, (line,), **{**asked, **more}, because="more", by="ann", at=NINE)

    def test_a_version_holds_from_its_day_on(self) -> None:
        base = agreed(TimeAndMaterials(cap=euros(1000))).and_then(self.order())
        assert base.state.pending_change("L1", MONDAY) is not None
        assert base.state.pending_change("L1", MONDAY - timedelta(days=1)) is None
        state = base.and_then(ApproveChangeOrder("CO-1", "bob", NINE)).state
        before, after = state.line_on("L1", MONDAY - timedelta(days=1)), state.line_on("L1", MONDAY)
        assert (before.billing.cap, after.billing.cap) == (euros(1000), euros(2000))
        assert state.pending_change("L1", MONDAY) is None

    def test_nobody_approves_their_own_and_it_is_decided_once(self) -> None:
        base = agreed(TimeAndMaterials()).and_then(self.order())
        base.when(ApproveChangeOrder("CO-1", "ann", NINE)).refuses(ChangeOrderSelfApproval, "ann")
        base.when(ApproveChangeOrder("CO-9", "bob", NINE)).refuses(UnknownChangeOrder, "CO-9")
        rejected = base.and_then(RejectChangeOrder("CO-1", "too dear", "bob", NINE))
        rejected.when(ApproveChangeOrder("CO-1", "bob", NINE)).refuses(ChangeOrderDecided, "CO-1")
        rejected.when(RejectChangeOrder("CO-1", "too dear", "bob", NINE)).stays_quiet()
        base.when(self.order()).stays_quiet()

    def test_a_line_under_change_orders_is_not_replaced_and_its_first_form_may_be_told_again(self) -> None:
        base = agreed(TimeAndMaterials()).and_then(self.order(), ApproveChangeOrder("CO-1", "bob", NINE))
        base.when(AgreeLine(ContractLine("L1", "Work", TimeAndMaterials()))).stays_quiet()
        base.when(AgreeLine(ContractLine("L1", "Other", TimeAndMaterials()))).refuses(LineIsChanged, "L1")

    def test_it_leaves_alone_what_was_accepted_and_keeps_caps_above_what_is_billed(self) -> None:
        accepted = agreed(FixedFeeMilestones(milestones=(M1, M2))).and_then(
            AcceptMilestone("L1", "M1", MONDAY, "mail", "ann", NINE)
        )
        dearer = FixedFeeMilestones(milestones=(replace(M1, amount=euros(31)), M2))
        accepted.when(self.order(dearer)).refuses(LineIsBilled, "M1")
        billed = agreed(TimeAndMaterials()).and_then(ClaimBilling("I-1", "L1", euros(3000)))
        billed.when(self.order()).refuses(CapBelowBilled, "3,000")

    @pytest.mark.parametrize(
        ("facts", "treatment", "paragraph"),
        [
            ((True, True, True), "separate", "IFRS 15.20"),
            ((True, False, True), "prospective", "IFRS 15.21(a)"),
            ((False, False, False), "catch_up", "IFRS 15.21(b)"),
        ],
    )
    def test_its_treatment_follows_from_what_it_changes(
        self, facts: tuple[bool, bool, bool], treatment: str, paragraph: str
    ) -> None:
        found, because = treatment_of_change(*facts)
        assert (found, because.startswith(paragraph)) == (treatment, True)


class TestCapsOfEveryLevel:
    def test_a_persons_cap_a_lines_hours_and_the_engagements_cap_all_hold(self) -> None:
        base = agreed(TimeAndMaterials(hours_cap=Decimal(10), resource_caps=(ResourceCap("W-1", euros(500)),)))
        claim = ClaimBilling("I-1", "L1", euros(400), Decimal(4), (ResourceClaim("W-1", euros(400), Decimal(4)),))
        taken = base.and_then(claim)
        more = ClaimBilling("I-2", "L1", euros(200), Decimal(2), (ResourceClaim("W-1", euros(200), Decimal(2)),))
        taken.when(more).refuses(CapExceeded, "W-1 on line L1")
        taken.when(ClaimBilling("I-2", "L1", euros(1), Decimal(7))).refuses(CapExceeded, "line L1", "7 h", "6 h")
        capped = taken.and_then(AgreeEngagementCap(Limit(euros(450))))
        capped.when(ClaimBilling("I-2", "L1", euros(51), Decimal(1))).refuses(CapExceeded, "engagement E-1")
        capped.when(AgreeEngagementCap(Limit(euros(399)))).refuses(CapBelowBilled, "399", "400")
        capped.when(ChangeLimits("L1", Decimal(3), (), "partial")).refuses(CapBelowBilled, "3 h", "4 h")

    def test_a_credit_gives_back_what_the_invoice_took(self) -> None:
        base = agreed(TimeAndMaterials(cap=euros(1000))).and_then(ClaimBilling("I-1", "L1", euros(1000)))
        credit = CreditBilling("CN-1", "I-1", "L1", euros(300))
        assert cap_left(base.and_then(credit).state, "L1") == euros(300)
        base.and_then(credit).when(credit).stays_quiet()

    def test_alerts_come_once_and_again_after_the_cap_was_raised(self) -> None:
        base = agreed(TimeAndMaterials(cap=euros(1000)))

        def percents(history: Given, amount: int, invoice: str) -> list[int]:
            events = history.when(ClaimBilling(invoice, "L1", euros(amount))).events
            return [event.reached.percent for event in events if hasattr(event, "reached")]

        assert percents(base, 740, "I-1") == []
        assert percents(base, 750, "I-1") == [75]
        first = base.and_then(ClaimBilling("I-1", "L1", euros(800)))
        assert percents(first, 200, "I-2") == [100]
        assert percents(first, 1, "I-2") == []
        assert percents(first.and_then(ChangeCap("L1", euros(2000))), 1000, "I-2") == [90]

    def test_a_customers_limit_counts_all_engagements_and_what_was_billed_before(self) -> None:
        base = given(billing_limit.decider).and_then(
            AgreeBillingLimit("C-1", "EUR", Limit(euros(1000)), Decimal(300)), ClaimLimit("I-1", euros(500), Decimal(5))
        )
        assert base.state.room.amount == euros(200)
        base.when(ClaimLimit("I-2", euros(201), Decimal(1))).refuses(LimitExceeded, "1,001")
        base.when(ClaimLimit("I-1", euros(400), Decimal(5))).then_happens(billing_limit.LimitClaimed)
        base.when(AgreeBillingLimit("C-1", "EUR", Limit(euros(799)), Decimal(300))).refuses(LimitBelowBilled, "799")

    @such_that(
        st.lists(
            st.tuples(
                st.integers(0, 900), st.integers(1, 12), st.sampled_from(["W-1", "W-2"]), st.sampled_from(["L1", "L2"])
            ),
            max_size=12,
        ),
        st.tuples(st.integers(-100, 3000), st.integers(0, 2000), st.integers(0, 40), st.integers(0, 1500)),
        st.sampled_from(["partial", "whole_item"]),
    )
    def test_no_cap_of_any_level_is_ever_passed_and_nothing_is_lost(
        self, told: list[tuple[int, int, str, str]], left: tuple[int, int, int, int], policy: Any
    ) -> None:
        rooms = [
            Room("customer", policy, euros(left[0])),
            Room("line", policy, euros(left[1]), Decimal(left[2]), line="L1"),
            Room("person", "partial", euros(left[3]), resource="W-1"),
        ]
        lots = [
            Candidate(str(n), MONDAY, NINE, euros(value), Decimal(hours), line, who)
            for n, (value, hours, who, line) in enumerate(told)
        ]
        shares, after = allocation(rooms, lots)
        for lot in lots:
            assert shares[lot.lot].within + shares[lot.lot].over == lot.value
        for before, now in zip(rooms, after, strict=True):
            mine = [shares[lot.lot].within.amount for lot in lots if before.applies(lot)]
            assert before.amount is not None
            assert sum(mine) <= max(before.amount.amount, Decimal(0))
            assert now.hours is None or now.hours >= 0


DRAWS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.integers(1, 900)),
        st.tuples(st.just("draw"), st.integers(1, 900)),
        st.tuples(st.just("undo"), st.integers(0, 5)),
        st.tuples(st.just("refund"), st.integers(1, 400)),
        st.tuples(st.just("lapse"), st.integers(0, 500)),
    ),
    max_size=20,
)


class TestRetainers:
    TERMS = Retainer(euros(1000), expires_after_months=3)

    def usable(self) -> Given:
        return agreed(self.TERMS).and_then(
            GrantRetainer("L1", "R1", MONDAY, NINE), MakeGrantUsable("L1", "R1", MONDAY, "paid")
        )

    def test_a_grant_is_not_drawn_before_it_may_nor_beyond_what_is_left(self) -> None:
        granted = agreed(self.TERMS).and_then(GrantRetainer("L1", "R1", MONDAY, NINE))
        draw = ApplyRetainer("L1", (RetainerDraw("lot", "R1", euros(1), MONDAY),))
        granted.when(draw).refuses(RetainerNotUsable, "R1")
        over = ApplyRetainer("L1", (RetainerDraw("lot", "R1", euros(1001), MONDAY),))
        self.usable().when(over).refuses(RetainerOverdrawn, "1,001")
        late = ApplyRetainer("L1", (RetainerDraw("lot", "R1", euros(1), date(2026, 6, 3)),))
        self.usable().when(late).refuses(RetainerOverdrawn)
        self.usable().and_then(draw).when(draw).stays_quiet()

    def test_the_first_to_lapse_is_drawn_first_and_a_lot_may_cross_into_the_next(self) -> None:
        both = self.usable().and_then(
            GrantRetainer("L1", "R0", date(2026, 1, 5), NINE, euros(100)), MakeGrantUsable("L1", "R0", MONDAY, "paid")
        )
        draws = draws_for(both.state.account("L1"), [Wanting("a", MONDAY, NINE, euros(250))])
        assert draws == {"a": [("R0", euros(100)), ("R1", euros(150))]}

    def test_what_is_left_lapses_after_its_last_day_roll_over_included(self) -> None:
        terms = replace(self.TERMS, rolls_over_months=1)
        base = agreed(terms).and_then(GrantRetainer("L1", "R1", MONDAY, NINE))
        base.when(FallDue(date(2026, 7, 2), NINE)).stays_quiet()
        state = base.and_then(FallDue(date(2026, 7, 3), NINE)).state
        assert state.account("L1").grants["R1"].expired == euros(1000)

    def test_a_retainer_of_the_end_of_a_month_lives_to_the_end_of_a_month(self) -> None:
        """31 January 2026, one month of term and one of roll-over: to 31 March."""
        terms = replace(self.TERMS, expires_after_months=1, rolls_over_months=1)
        state = agreed(terms).and_then(GrantRetainer("L1", "R1", date(2026, 1, 31), NINE)).state
        assert state.account("L1").grants["R1"].last_day == date(2026, 3, 31)

    @such_that(DRAWS)
    def test_granted_is_always_applied_plus_expired_plus_refunded_plus_available(self, told: list[Any]) -> None:
        history, applied, drawn, number, day = agreed(self.TERMS), Decimal(0), {}, 0, MONDAY
        for what, amount in told:
            number += 1
            try:
                match what:
                    case "grant":
                        grant = GrantRetainer("L1", f"R{number}", day, NINE, euros(amount))
                        history = history.and_then(grant, MakeGrantUsable("L1", f"R{number}", day, "paid"))
                    case "draw":
                        lot = Wanting(f"lot-{number}", day, NINE, euros(amount))
                        parts = draws_for(history.state.account("L1"), [lot]).get(lot.lot, ())
                        draws = tuple(RetainerDraw(lot.lot, name, part, day) for name, part in parts)
                        history = history.and_then(ApplyRetainer("L1", draws))
                        drawn[lot.lot] = sum(part.amount for _, part in parts)
                        applied += drawn[lot.lot]
                    case "undo" if drawn:
                        lot_id = list(drawn)[amount % len(drawn)]
                        history = history.and_then(UnapplyRetainer("L1", (lot_id,), "credited"))
                        applied -= drawn.pop(lot_id)
                    case "refund":
                        name = next(iter(history.state.account("L1").grants), "none")
                        history = history.and_then(RefundRetainer("L1", name, euros(amount), day, "ended", "ann"))
                    case "lapse":
                        history = history.and_then(FallDue(MONDAY + timedelta(days=amount), NINE))
                    case _:
                        continue
            except Refused:
                continue
            grants = history.state.account("L1").grants.values()
            assert sum(grant.applied.amount for grant in grants) == applied
            for grant in grants:
                parts_of_it = grant.applied + grant.expired + grant.refunded + grant.available
                assert parts_of_it == grant.amount
                assert min(grant.applied.amount, grant.expired.amount, grant.available.amount) >= 0


class TestProgress:
    def test_it_is_measured_as_the_contract_says_and_never_more_than_the_whole(self) -> None:
        base = agreed(PercentComplete(euros(900), "hours", Decimal(90)))
        base.when(MeasureProgress("L1", MONDAY, Decimal(1), "cost", "?", "ann", NINE)).refuses(WrongMeasure, "hours")
        above = MeasureProgress("L1", MONDAY, Decimal(91), "hours", "?", "ann", NINE)
        base.when(above).refuses(ProgressAboveWhole, "91", "90")
        estimate = ReviseEstimate("L1", MONDAY, Decimal(100), "hours", "more to do", "ann", NINE)
        base.and_then(estimate).when(above).then_happens(ProgressMeasured, LotRated)

    @such_that(st.lists(st.tuples(st.integers(0, 97), st.integers(98, 300)), min_size=1, max_size=8))
    def test_the_bills_add_up_to_progress_times_price_whatever_was_measured_and_estimated(
        self, told: list[tuple[int, int]]
    ) -> None:
        history = agreed(PercentComplete(euros("1000.01"), "units", Decimal(97)))
        for number, (done, whole) in enumerate(told):
            day = MONDAY + timedelta(days=number)
            history = history.and_then(
                ReviseEstimate("L1", day, Decimal(whole), "units", "anew", "ann", NINE),
                MeasureProgress("L1", day, Decimal(done), "units", "counted", "ann", NINE),
            )
            exact = Fraction(done, whole) * Fraction("1000.01")
            billed = sum(held.lot.value.amount for held in history.state.lots.values())
            assert abs(Fraction(billed) - exact) <= Fraction(1, 200)

    def test_milestones_may_be_the_measure(self) -> None:
        terms = PercentComplete(euros(1000), "milestones", milestones=(M1, M2))
        accepted = agreed(terms).and_then(AcceptMilestone("L1", "M1", MONDAY, "mail", "ann", NINE))
        assert [held.lot.value for held in accepted.state.lots.values()] == [euros("333.33")]

    STAGES = (Milestone("N1", "Design", euros(30)), Milestone("N2", "Build", euros(70)))
    NINE_THOUSAND = PercentComplete(euros(9000), "manual")

    @staticmethod
    def measured(to_date: str, days: int) -> MeasureProgress:
        return MeasureProgress("L1", MONDAY + timedelta(days=days), Decimal(to_date), "manual", "counted", "ann", NINE)

    @staticmethod
    def billed(history: Given) -> Decimal:
        return sum((held.lot.value.amount for held in history.state.lots.values()), Decimal(0))

    def test_an_earlier_day_that_is_told_late_takes_nothing_off_the_bill(self) -> None:
        later = agreed(self.NINE_THOUSAND).and_then(self.measured("0.6", 30))
        later.when(self.measured("0.4", 0)).then_happens(ProgressMeasured)
        assert self.billed(later.and_then(self.measured("0.4", 0), self.measured("0.7", 60))) == 6300

    def test_a_measurement_behind_a_change_that_has_caught_up_is_billed_as_changed(self) -> None:
        line = ContractLine("L1", "Work", replace(self.NINE_THOUSAND, price=euros(12000)))
        order = ProposeChangeOrder(
            "CO-1", MONDAY + timedelta(days=9), (line,), False, False, False, because="more", by="ann", at=NINE
        )
        changed = agreed(self.NINE_THOUSAND).and_then(order, ApproveChangeOrder("CO-1", "bob", NINE))
        assert self.billed(changed.and_then(self.measured("0.4", 0))) == 4800

    def test_milestones_may_be_accepted_in_any_order_of_their_days(self) -> None:
        terms = PercentComplete(euros(1000), "milestones", milestones=self.STAGES)
        tuesday = MONDAY + timedelta(days=1)
        first, second = (
            AcceptMilestone("L1", name, day, "mail", "ann", NINE) for name, day in (("N1", MONDAY), ("N2", tuesday))
        )
        for order in ((first, second), (second, first)):
            history = agreed(terms).and_then(*order)
            shares = [history.state.progress.share_on("L1", day, Decimal(100)) for day in (MONDAY, tuesday)]
            assert shares == [Fraction(3, 10), 1]
            assert self.billed(history) == 1000

    def test_what_was_moved_to_another_engagement_was_billed_once(self) -> None:
        history = agreed(self.NINE_THOUSAND).and_then(self.measured("0.4", 0))
        (held,) = history.state.lots.values()
        moved = replace(held.lot, engagement="E-2", lot="")
        elsewhere = history.and_then(TransferLot(held.lot.lot, moved, "Wrong engagement.", "ann"))
        (_, rated) = elsewhere.when(self.measured("0.6", 30)).events
        assert rated.lot.value == euros(1800)


class TestChangeOrdersInAnyOrder:
    def test_a_line_that_is_agreed_behind_its_change_order_holds_until_the_day_of_that(self) -> None:
        base = ContractLine("L1", "Work", TimeAndMaterials(cap=euros(1000)))
        order = TestChangeOrders.order()
        changed = opened().and_then(order, ApproveChangeOrder("CO-1", "bob", NINE), AgreeLine(base)).state
        assert changed.line_on("L1", MONDAY - timedelta(days=1)) == base
        assert changed.lines["L1"].billing.cap == euros(2000)
