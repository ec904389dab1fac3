"""The messages that other systems get from the ledger: their shapes are contracts, apart from the domain's own classes.

Amounts and quantities are decimal text, days are ISO 8601, names are in camel case. A field may be added; anything else
makes a new type (``.v2``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from domain.kernel import StreamId
from domain.money import Money
from domain.reference.legal_entity import Address

Exact = Annotated[Decimal, PlainSerializer(lambda number: f"{number:f}", return_type=str)]
"""A number that is written as text, so that no reader rounds it."""


class Contract(BaseModel):
    """Anything in an outgoing message."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, populate_by_name=True, extra="ignore")


class AmountOut(Contract):
    """An amount of money: decimal text and ISO 4217 currency."""

    amount: Exact
    currency: str

    @staticmethod
    def of(money: Money) -> AmountOut:
        """The same amount."""
        return AmountOut(amount=money.amount, currency=money.currency)


class AddressOut(Contract):
    """Where post arrives; the country is an ISO 3166-1 alpha-2 code."""

    street: str
    city: str
    postal_code: str
    country: str

    @staticmethod
    def of(address: Address) -> AddressOut:
        """The same address."""
        return AddressOut(
            street=address.street, city=address.city, postal_code=address.postal_code, country=address.country
        )


class EngagementOut(Contract):
    """The agreement that a project belongs to."""

    engagement: str
    title: str
    opportunity: str | None
    purchase_order: str | None
    signed_on: date | None


class ContractLineOut(Contract):
    """The promise that pays for a project."""

    line: str
    title: str
    method: Literal[
        "time_and_materials",
        "fixed_fee_milestones",
        "fixed_fee_schedule",
        "percent_complete",
        "retainer",
        "managed_service",
        "pass_through",
    ]
    cap: AmountOut | None


class CustomerOut(Contract):
    """Who the work is for; the address is missing until the CRM has told all of it."""

    customer: str
    name: str
    country: str | None
    tax_id: str | None
    address: AddressOut | None


class EntityOut(Contract):
    """The legal entity that sells."""

    entity: str
    name: str | None
    country: str | None
    functional_currency: str | None


class TaskOut(Contract):
    """A piece of a project's work."""

    task: str
    title: str
    chargeable: bool


class ProjectCreate(Contract):
    """A target system has to create a project; the project's id is the key under which it may exist once only."""

    type: Literal["project.create.v1"] = "project.create.v1"
    id: str
    target: str
    project: str
    title: str
    engagement: EngagementOut
    line: ContractLineOut | None
    customer: CustomerOut
    selling_entity: EntityOut
    delivering_entity: str
    currency: str
    starts: date
    ends: date | None
    manager: str | None
    internal: bool
    tasks: tuple[TaskOut, ...]


class PartyOut(Contract):
    """Seller or buyer as printed on the invoice."""

    id: str
    name: str
    address: AddressOut
    tax_id: str | None


class InvoiceLineOut(Contract):
    """One line as printed."""

    line: int
    description: str
    quantity: Exact
    unit: Literal["hour", "item"]
    price: Exact
    net: AmountOut
    project: str
    contract_line: str
    first_work_date: date
    last_work_date: date


class TaxOut(Contract):
    """The tax of one category and rate, with the reason that is printed."""

    category: str
    rate: Exact
    taxable: AmountOut
    tax: AmountOut
    reason: str


class InvoicePost(Contract):
    """An ERP has to post an issued invoice; the invoice's id is the key under which it may be posted once only.

    ``fx_rate`` is units of the functional currency for one of the invoice's. ``net`` is that of
    the lines and ``allowances``, which are the document's with its charges. Of ``gross``, the customer keeps back
    ``holdback``, ``prepaid`` was paid before, and ``payable`` is asked for on the due day.
    """

    type: Literal["invoice.post.v1"] = "invoice.post.v1"
    id: str
    target: str
    invoice: str
    number: str
    issued_on: date
    due_on: date
    seller: PartyOut
    buyer: PartyOut
    engagement: str
    purchase_order: str | None
    currency: str
    lines: tuple[InvoiceLineOut, ...]
    taxes: tuple[TaxOut, ...]
    net: AmountOut
    tax: AmountOut
    gross: AmountOut
    functional_currency: str
    fx_rate: Exact
    allowances: AmountOut | None = None
    holdback: AmountOut | None = None
    prepaid: AmountOut | None = None
    payable: AmountOut | None = None


class CreditNoteLineOut(Contract):
    """What is given back of one line of the invoice."""

    line: int
    of_line: int
    description: str
    quantity: Exact
    unit: Literal["hour", "item"]
    price: Exact
    net: AmountOut
    project: str
    contract_line: str
    first_work_date: date
    last_work_date: date


class CreditNotePost(Contract):
    """An ERP has to post an issued credit note; the credit note's id is the key under which it may be posted once only.

    All amounts are what is given back, also of a negative invoice (``form`` 380 instead of 381). ``fx_rate`` is that of
    the invoice ``invoice_number``. ``net`` is that of the lines and ``allowances``. Of ``gross``, ``holdback`` was kept
    back by the customer and never asked for; ``payable`` is what the customer owes less.
    """

    type: Literal["credit_note.post.v1"] = "credit_note.post.v1"
    id: str
    target: str
    credit_note: str
    number: str
    issued_on: date
    form: Literal["381", "380"]
    invoice: str
    invoice_number: str
    invoice_issued_on: date
    reason: str
    seller: PartyOut
    buyer: PartyOut
    engagement: str
    currency: str
    lines: tuple[CreditNoteLineOut, ...]
    taxes: tuple[TaxOut, ...]
    allowances: AmountOut
    net: AmountOut
    tax: AmountOut
    gross: AmountOut
    holdback: AmountOut
    payable: AmountOut
    functional_currency: str
    fx_rate: Exact


class InvoiceCollect(Contract):
    """Those who collect debts take over an overdue invoice that nobody disputes."""

    type: Literal["invoice.collect.v1"] = "invoice.collect.v1"
    id: str
    target: str
    invoice: str
    number: str
    issued_on: date
    due_on: date
    seller: PartyOut
    buyer: PartyOut
    gross: AmountOut
    due: AmountOut
    handed_over_on: date
    reason: str


Message = ProjectCreate | InvoicePost | CreditNotePost | InvoiceCollect

CONTRACTS: Mapping[str, type[Message]] = {
    "project.create.v1": ProjectCreate,
    "invoice.post.v1": InvoicePost,
    "credit_note.post.v1": CreditNotePost,
    "invoice.collect.v1": InvoiceCollect,
}
"""Every type of message that leaves the ledger."""

SUBJECTS: Mapping[str, str] = {
    "project.create.v1": "project.create",
    "invoice.post.v1": "invoice.post",
    "credit_note.post.v1": "credit_note.post",
    "invoice.collect.v1": "invoice.collect",
}
"""For each type the end of its subject: ``p2c.out.<target>.<object>.<verb>``."""


class UnknownContract(Exception):
    """This version of the program does not know this type of outgoing message: update the connector."""


def encoded(message: Message) -> bytes:
    """The message as it is published."""
    return message.model_dump_json(by_alias=True).encode()


def decoded(kind: str, payload: bytes) -> Message:
    """The message as it was published; raises UnknownContract or pydantic.ValidationError."""
    if kind not in CONTRACTS:
        raise UnknownContract(kind)
    return CONTRACTS[kind].model_validate_json(payload)


def key_of(message: Message) -> StreamId:
    """The object that the message is about; a target has one of it, however often it is told."""
    match message:
        case ProjectCreate(project=project):
            return StreamId(f"project:{project}")
        case CreditNotePost(credit_note=credit_note):
            return StreamId(f"credit_note:{credit_note}")
        case InvoicePost(invoice=invoice) | InvoiceCollect(invoice=invoice):
            return StreamId(f"invoice:{invoice}")
