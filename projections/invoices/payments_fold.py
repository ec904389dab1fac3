"""The register of receipts: what arrived, what it was used for, and what is on account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.kernel import Recorded, local_id
from domain.payment import MoneyReceived, PaymentApplied, PaymentRefunded, PaymentUnapplied
from projections.model import Handler
from projections.row_security import OF_ENTITY
from projections.shelf import Changes, Shelf, Source
from projections.tables import Table

_NOTHING: Final = Decimal(0)


@dataclass(slots=True)
class PaymentRecord:
    """One row of ``payment``; amounts are in the currency of the receipt."""

    payment: str
    customer: str
    entity: str
    currency: str
    received_on: date
    reference: str
    amount: Decimal
    applied: Decimal
    refunded: Decimal
    on_account: Decimal
    recorded_at: datetime
    updated_at: datetime
    version: int


PAYMENTS: Final = Table("payment", PaymentRecord, ("payment",), shown=OF_ENTITY)


class PaymentsFold:
    """Folds receipts into their register."""

    def __init__(self, source: Source) -> None:
        self._payments: Shelf[PaymentRecord] = Shelf(PAYMENTS, source, _is_used_up)
        self.on: Mapping[type, Handler] = {
            MoneyReceived: self._received,
            PaymentApplied: self._applied,
            PaymentUnapplied: self._unapplied,
            PaymentRefunded: self._refunded,
        }
        self.wants: Mapping[type, Handler] = dict.fromkeys(self.on, self._want)

    def prepare(self) -> None:
        """Brings the receipts that the batch names."""
        self._payments.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The receipts that changed."""
        changes.tables.append(self._payments.changes())
        self._payments.shrink()

    def _want(self, fact: Recorded[Any]) -> None:
        self._payments.wanted.add((local_id(fact.stream),))

    def _received(self, fact: Recorded[MoneyReceived]) -> None:
        event = fact.event
        row = PaymentRecord(
            payment=event.payment,
            customer=event.customer,
            entity=event.entity,
            currency=event.amount.currency,
            received_on=event.received_on,
            reference=event.reference,
            amount=event.amount.amount,
            applied=_NOTHING,
            refunded=_NOTHING,
            on_account=event.amount.amount,
            recorded_at=fact.recorded_at,
            updated_at=fact.recorded_at,
            version=fact.version,
        )
        self._payments.add((event.payment,), row)

    def _applied(self, fact: Recorded[PaymentApplied]) -> None:
        self._use(fact, applied=fact.event.settled.amount)

    def _unapplied(self, fact: Recorded[PaymentUnapplied]) -> None:
        self._use(fact, applied=-fact.event.settled.amount)

    def _refunded(self, fact: Recorded[PaymentRefunded]) -> None:
        self._use(fact, refunded=fact.event.amount.amount)

    def _use(self, fact: Recorded[Any], applied: Decimal = _NOTHING, refunded: Decimal = _NOTHING) -> None:
        row = self._payments.change((local_id(fact.stream),))
        row.applied += applied
        row.refunded += refunded
        row.on_account -= applied + refunded
        row.updated_at, row.version = fact.recorded_at, fact.version


def _is_used_up(row: PaymentRecord) -> bool:
    return not row.on_account
