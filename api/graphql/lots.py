"""The question of one lot: where it stands, everything that holds it up, and how its price and cost were found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import cast

import strawberry

from api.access import require
from api.graphql.asking import Asked, AsOfArgument, Info, Seen, WaitFor, Watermark, ask, ask_at
from api.graphql.billing_eligibility import EligibilityState, EligibleItem, Reason
from api.graphql.invoices import Explanation
from domain.contract import CapPolicy as CapPolicyOfDomain
from domain.eligibility.reasons import Policy
from domain.lots import Explanation as ExplanationRow
from domain.reason_codes import soft
from projections.eligibility import explained
from projections.eligibility.billing_eligibility import EligibilityRow


@strawberry.enum(description="What becomes of a lot that crosses a cap.")
class CapPolicy(StrEnum):
    """See the description."""

    PARTIAL = "partial"
    WHOLE_ITEM = "whole_item"


@strawberry.input(description="The policy under which it is asked whether a lot may be billed; nothing is recorded.")
class PolicyInput:
    """See the description."""

    lets_pass: list[str] | None = strawberry.field(
        default=None, description="Reasons that shall not block, e.g. PO_MISSING; some block under every policy."
    )
    cap_policy: CapPolicy | None = strawberry.field(
        default=None, description="How every cap treats the lot that crosses it."
    )
    today: date | None = strawberry.field(default=None, description="As if this were the last day that has begun.")


@strawberry.type(description="What is decided about a lot, and why: all reasons at once, and how it was rated.")
class LotExplanation:
    """See the description."""

    state: EligibilityState
    eligible_quantity: Decimal = strawberry.field(description="The part that may be billed.")
    eligible_value: Decimal
    over_cap_quantity: Decimal = strawberry.field(description="The part that is over a cap.")
    over_cap_value: Decimal
    reasons: list[Reason] = strawberry.field(description="All reasons at once; empty: nothing holds it up.")
    rating: Explanation | None = strawberry.field(
        description="Which rate row won, which others were looked at, and why; null: it has no price yet."
    )
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@dataclass(frozen=True, slots=True)
class _ExplainedRow:
    state: str
    eligible_quantity: Decimal
    eligible_value: Decimal
    over_cap_quantity: Decimal
    over_cap_value: Decimal
    reasons: tuple[object, ...]
    rating: ExplanationRow | None


async def _explain(
    root: strawberry.Parent[Seen[EligibilityRow]], info: Info, policy: PolicyInput | None = None
) -> LotExplanation | None:
    principal = require(info.context.principal, "lot")
    asked_under = _policy(policy)

    def question(asked: Asked) -> Seen[_ExplainedRow] | None:
        row = explained.find(asked.view, root.row.item, root.row.stream, asked.scope)
        if row is None:
            return None
        found = explained.explain(asked.view, asked.parts.ledger, row, asked_under)
        shown = {name: getattr(found.row, name) for name in _ExplainedRow.__dataclass_fields__ if name != "rating"}
        return Seen(_ExplainedRow(**shown, rating=found.rating), asked.view.watermark, asked.at)

    return cast(LotExplanation | None, await ask_at(info, principal, question, at=root.at))


@strawberry.type(description="A lot, or work that is not a lot yet, with what is decided about it and why.")
class Lot(EligibleItem):
    """See the description."""

    explain: LotExplanation | None = strawberry.field(
        resolver=_explain, description="The decision with everything behind it, also under another policy."
    )


@strawberry.type
class LotQueries:
    """What may be asked about one lot."""

    @strawberry.field(description="One lot, or work that is not a lot yet, also as it was.")
    async def lot(
        self,
        info: Info,
        id: strawberry.ID,
        stream: strawberry.ID | None = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> Lot | None:
        """See the description; ``stream`` tells two lots of the same id apart."""

        def question(asked: Asked) -> Seen[EligibilityRow] | None:
            found = explained.find(asked.view, id, stream, asked.scope)
            return Seen(found, asked.view.watermark, asked.at) if found is not None else None

        found = await ask(info, "lot", question, as_of=as_of, wait_for=wait_for)
        return cast(Lot | None, found)


def _policy(asked: PolicyInput | None) -> Policy:
    if asked is None:
        return Policy()
    cap_policy: CapPolicyOfDomain | None = None
    match asked.cap_policy:
        case CapPolicy.PARTIAL:
            cap_policy = "partial"
        case CapPolicy.WHOLE_ITEM:
            cap_policy = "whole_item"
        case None:
            pass
    return Policy(soft(asked.lets_pass or ()), cap_policy, asked.today)
