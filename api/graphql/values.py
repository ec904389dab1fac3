"""Values that several answers share."""

from __future__ import annotations

from decimal import Decimal

import strawberry


@strawberry.type(description="An amount of money in its currency.")
class Money:
    """See the description."""

    amount: Decimal = strawberry.field(description="Exact amount, as text.")
    currency: str = strawberry.field(description="ISO 4217 code.")
