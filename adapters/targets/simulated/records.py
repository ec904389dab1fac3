"""What a simulated target keeps: documents, each once under its key, and the payments that an ERP has received."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from adapters.outbox.contracts import AmountOut


class Record(BaseModel):
    """Anything that is kept."""

    model_config = ConfigDict(frozen=True)


class DocumentRecord(Record):
    """A project or an invoice, as it was asked for; it is there from ``ready_at`` on."""

    key: str
    type: str
    request: str
    message: dict[str, Any]
    at: AwareDatetime
    ready_at: AwareDatetime


class NumberRecord(Record):
    """An invoice number that is taken, and by which document."""

    number: str
    key: str


class PaymentRecord(Record):
    """Money that a customer has paid for a posted invoice."""

    payment: str
    amount: AmountOut
    received_on: date
    reference: str
    at: AwareDatetime


class PaymentsRecord(Record):
    """All that was paid for one invoice."""

    invoice: str
    payments: tuple[PaymentRecord, ...] = ()


class Pay(BaseModel):
    """A customer pays a posted invoice: all that is left of it, or an amount."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    invoice: str
    on: date
    payment: str | None = None
    amount: Decimal | None = None
    reference: str = ""
