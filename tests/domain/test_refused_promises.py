"""What an engagement refuses of promises that were made: each refusal has its own code and names what it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain import engagement
from domain.contract import (
    Billing,
    ContractLine,
    ManagedService,
    PercentComplete,
    Retainer,
    TimeAndMaterials,
)
from domain.engagement import AgreeLine, OpenEngagement
from domain.engagement.change_orders import (
    ChangeOrderEmpty,
    ChangeOrderKnownOtherwise,
    ProposeChangeOrder,
)
from domain.engagement.progress import CostToldOtherwise, MeasureProgress, NegativeProgress, RecordCost, ReviseEstimate
from domain.engagement.retainer import (
    AmountNotPositive,
    GrantKnownOtherwise,
    GrantRetainer,
    MakeGrantUsable,
    RefundRetainer,
    RetainerOverdrawn,
    UnknownGrant,
)
from domain.engagement.schedule import (
    CreditAboveFee,
    CreditNotPositive,
    CreditReasonMissing,
    FallDue,
    GiveServiceCredit,
)
from domain.money import Money
from tests.spec import Given, given

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MONDAY = date(2026, 3, 2)


def euros(amount: int | str) -> Money:
    return Money(Decimal(amount), "EUR")


def agreed(billing: Billing) -> Given:
    opened = given(engagement.decider).and_then(OpenEngagement("E-1", "Work", "C-1", "DE01", "EUR"))
    return opened.and_then(AgreeLine(ContractLine("L1", "Work", billing)))


def test_a_retainer_is_granted_once_in_an_amount_above_zero_and_refunded_up_to_what_is_left() -> None:
    granted = agreed(Retainer(euros(1000))).and_then(GrantRetainer("L1", "R1", MONDAY, NINE))
    granted.when(GrantRetainer("L1", "R1", MONDAY, NINE)).stays_quiet()
    granted.when(GrantRetainer("L1", "R1", MONDAY, NINE, euros(900))).refuses(GrantKnownOtherwise, "R1: 1,000")
    granted.when(GrantRetainer("L1", "R2", MONDAY, NINE, euros(0))).refuses(AmountNotPositive)
    granted.when(MakeGrantUsable("L1", "R9", MONDAY, "paid")).refuses(UnknownGrant, "R9")
    granted.when(RefundRetainer("L1", "R1", euros(-1), MONDAY, "ended", "ann")).refuses(AmountNotPositive)
    refunded = granted.and_then(RefundRetainer("L1", "R1", euros(400), MONDAY, "ended", "ann"))
    assert refunded.state.account("L1").grants["R1"].available == euros(600)
    refunded.when(RefundRetainer("L1", "R1", euros("600.01"), MONDAY, "more", "ann")).refuses(RetainerOverdrawn, "600")


def test_progress_is_not_negative_and_a_whole_is_more_than_nothing() -> None:
    base = agreed(PercentComplete(euros(900), "hours", Decimal(90)))
    base.when(MeasureProgress("L1", MONDAY, Decimal(-1), "hours", "?", "ann", NINE)).refuses(NegativeProgress, "-1")
    base.when(ReviseEstimate("L1", MONDAY, Decimal(0), "hours", "?", "ann", NINE)).refuses(NegativeProgress, "0 in all")


def test_a_cost_is_told_once_under_its_name() -> None:
    told = RecordCost("L1", "SUB-1", MONDAY, euros(300), "subcontractor", "erp")
    base = agreed(PercentComplete(euros(900), "cost", Decimal(900))).and_then(told)
    base.when(told).stays_quiet()
    dearer = RecordCost("L1", "SUB-1", MONDAY, euros(301), "subcontractor", "erp")
    base.when(dearer).refuses(CostToldOtherwise, "SUB-1: 300")


@pytest.mark.parametrize(
    ("amount", "reason", "refusal", "word"),
    [
        (0, "Late.", CreditNotPositive, "0"),
        (10, " ", CreditReasonMissing, "SLA-1"),
        (3001, "Down all month.", CreditAboveFee, "3,001"),
    ],
)
def test_a_service_credit_has_a_reason_and_is_not_more_than_the_fee(
    amount: int, reason: str, refusal: Any, word: str
) -> None:
    served = agreed(ManagedService(euros(3000), date(2026, 3, 1))).and_then(FallDue(MONDAY, NINE))
    served.when(GiveServiceCredit("L1", "SLA-1", MONDAY, euros(amount), reason, "ann", NINE)).refuses(refusal, word)


def test_a_change_order_names_lines_and_a_reason_and_keeps_its_terms() -> None:
    def order(because: str, *lines: ContractLine) -> ProposeChangeOrder:
        return ProposeChangeOrder("CO-1", MONDAY, lines, False, False, True, because=because, by="ann", at=NINE)

    base, capped = agreed(TimeAndMaterials()), ContractLine("L1", "Work", TimeAndMaterials(cap=euros(2000)))
    base.when(order("more")).refuses(ChangeOrderEmpty, "CO-1")
    base.when(order(" ", capped)).refuses(ChangeOrderEmpty, "CO-1")
    base.and_then(order("more", capped)).when(order("still more", capped)).refuses(ChangeOrderKnownOtherwise, "CO-1")
