"""A lot is a billable quantity whose price and cost were frozen when it was rated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from domain.lots.transfer import Transfer, TransferGap
from domain.money import Money

Unit = Literal["hour", "item"]


Presentation = Literal["principal", "agent"]
"""Whether what is billed is revenue in full, or only what exceeds the cost (IFRS 15.B34 to B38)."""


Disposition = Literal["rebill", "rebill_elsewhere", "write_off", "non_billable"]
"""What becomes of credited work: billed again, billed to another customer or engagement, given up, or never billed."""


@dataclass(frozen=True, slots=True)
class RowConsidered:
    """A rate row that was looked at, and what became of it: ``won``, ``less specific``, ``other role`` ..."""

    card: str
    row: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a lot has its price and cost: the row that won, the others that were looked at, and the cost's source."""

    winner: str
    because: str
    considered: tuple[RowConsidered, ...] = ()
    cost_because: str = ""


@dataclass(frozen=True, slots=True)
class Lot:
    """A quantity with its price and cost, as frozen at rating.

    ``source`` is the entry, expense line or milestone; ``price`` is per unit, uplift included; ``value`` is
    price x quantity and ``cost`` the cost of the quantity, both at the minor unit of their currencies.
    ``cost_in_billing_currency`` uses the exchange rate of the work date; None when that rate is missing.
    ``non_billable_because`` is a reason code for work that was rated for its cost alone, e.g. INCLUDED_IN_FIXED_FEE.
    ``transfer`` is what the delivering entity charges the selling one; ``transfer_gap`` why it cannot.
    ``transferred_from`` is the lot of another engagement or customer that this one took the place of.
    """

    lot: str
    source: str
    project: str
    engagement: str
    line: str
    customer: str
    selling_entity: str
    delivering_entity: str
    work_date: date
    quantity: Decimal
    unit: Unit
    price: Decimal
    value: Money
    cost: Money
    cost_in_billing_currency: Money | None
    approved_at: datetime
    explanation: Explanation
    resource: str | None = None
    role: str | None = None
    practice: str | None = None
    description: str = ""
    non_billable_because: str | None = None
    tax_category: str = "standard"
    presentation: Presentation = "principal"
    transfer: Transfer | None = None
    transfer_gap: TransferGap | None = None
    transferred_from: str | None = None


class LotStatus(StrEnum):
    """What has become of a lot; whether an open one may be billed is decided by eligibility."""

    OPEN = "open"
    RESERVED = "reserved"
    BILLED = "billed"
    DRAWN = "drawn"
    NON_BILLABLE = "non_billable"
    WRITTEN_OFF = "written_off"
    TRANSFERRED = "transferred"
    REVERSED = "reversed"
    SPLIT = "split"


ENDED: Final = (LotStatus.REVERSED, LotStatus.SPLIT)
"""What a lot is once others stand in its place, or nothing does."""


AFTER_CREDIT: Final[Mapping[Disposition, LotStatus]] = {
    "rebill": LotStatus.OPEN,
    "rebill_elsewhere": LotStatus.OPEN,
    "write_off": LotStatus.WRITTEN_OFF,
    "non_billable": LotStatus.NON_BILLABLE,
}
"""What a lot is once it was credited; what is billed elsewhere is transferred in the same transaction."""


@dataclass(frozen=True, slots=True)
class LotPart:
    """One part of a split: its new lot id and its share of quantity, value, cost and transfer."""

    lot: str
    quantity: Decimal
    value: Money
    cost: Money
    cost_in_billing_currency: Money | None
    transfer: Money | None = None


COMPLIMENTARY: Final = "COMPLIMENTARY"
"""Why a lot that was given free is not billable: a code of the closed list."""


LEDGER: Final = "ledger"
"""Who raises and lifts holds by rule; everybody else is a person."""
