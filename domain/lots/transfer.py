"""A transfer is what one entity charges another for a lot: its price is frozen at rating, by the agreement of the day.

It has a life of its own beside the customer's: it may change until it is invoiced between the entities, whether or not
the customer was billed by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from domain.money import Money
from domain.reference.intercompany_agreement import TransferModel


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a lot costs the borrower and earns the lender.

    ``price`` is for one hour or item and ``value`` for the quantity of the lot, in the currency of the agreement.
    ``crossing``: lender and borrower are practices of one entity, so that nothing is invoiced.
    """

    lender: str
    borrower: str
    model: TransferModel
    price: Decimal
    value: Money
    because: str
    crossing: bool = False


@dataclass(frozen=True, slots=True)
class TransferGap:
    """Why work for another entity has no transfer price, and what would give it one."""

    code: Literal["INTERCOMPANY_AGREEMENT_MISSING", "TRANSFER_PRICE_MISSING"]
    detail: str


@dataclass(frozen=True, slots=True)
class PricedTransfer:
    """A lot and what is charged for it; why nothing can be charged; neither where nothing is to be."""

    lot: str
    transfer: Transfer | None
    gap: TransferGap | None = None


@dataclass(frozen=True, slots=True)
class PriceTransfers:
    """Put lots that are not invoiced between the entities yet at the transfer price that the agreement says now."""

    lots: tuple[PricedTransfer, ...]


@dataclass(frozen=True, slots=True)
class InvoiceTransfers:
    """Put lots on the invoice from their lender to their borrower that the same transaction records."""

    lots: tuple[str, ...]
    number: str


@dataclass(frozen=True, slots=True)
class CreditTransfers:
    """Take lots back, in the same way, that no longer count."""

    lots: tuple[str, ...]
    number: str


@dataclass(frozen=True, slots=True)
class TransfersPriced:
    """What is charged between the entities for lots was stated anew."""

    lots: tuple[PricedTransfer, ...]


@dataclass(frozen=True, slots=True)
class TransfersInvoiced:
    """Lots were invoiced from their lender to their borrower."""

    lots: tuple[str, ...]
    number: str


@dataclass(frozen=True, slots=True)
class TransfersCredited:
    """What had been invoiced between the entities for lots was taken back: they no longer count."""

    lots: tuple[str, ...]
    number: str


TransferCommand = PriceTransfers | InvoiceTransfers | CreditTransfers
TransferEvent = TransfersPriced | TransfersInvoiced | TransfersCredited
