"""What the target systems answer."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.numbers import Day, Number

IDENTIFIERS_MAX: Final = 100
INVOICES_MAX: Final = 500


class Answer(BaseModel):
    """What every answer has: its id, the target's clock, and the target's own id or reason where there is one."""

    model_config = ConfigDict(strict=True)

    id: str = Field(min_length=1)
    at: datetime
    external_id: str | None = Field(None, alias="externalId", min_length=1)
    reason: str = ""


class Identifier(BaseModel):
    """A name that stands for the project in some system."""

    model_config = ConfigDict(strict=True)

    system: str = Field(min_length=1)
    object: str = Field(min_length=1)
    id: str = Field(min_length=1)


class ProjectAnswer(Answer):
    """How far a target is with setting up a project; ``externalId`` comes with confirmed, ``reason`` with rejected."""

    project: str
    identifiers: list[Identifier] = Field(default=[], max_length=IDENTIFIERS_MAX)


class InvoiceAnswer(Answer):
    """How far an ERP is with posting an invoice."""

    invoice: str


class CreditNoteAnswer(Answer):
    """How far an ERP is with posting a credit note."""

    credit_note: str = Field(alias="creditNote")


class Amount(BaseModel):
    """An amount of money, as text."""

    model_config = ConfigDict(strict=True)

    amount: Number
    currency: str


class Applied(BaseModel):
    """What a receipt settles of one invoice: in the invoice's currency, and in the receipt's where that is another."""

    model_config = ConfigDict(strict=True)

    invoice: str
    amount: Amount
    settled: Amount | None = None


class Receipt(Answer):
    """Money that a customer sent, for any number of invoices; what they do not take is on account."""

    payment: str
    customer: str
    entity: str
    received_on: Day = Field(alias="receivedOn")
    amount: Amount
    reference: str = ""
    invoices: list[Applied] = Field(default=[], max_length=INVOICES_MAX)


class Payment(Answer):
    """Money that was received for an invoice."""

    invoice: str
    payment: str
    received_on: Day = Field(alias="receivedOn")
    amount: Amount
    reference: str = ""
