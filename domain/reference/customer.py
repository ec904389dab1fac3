"""A customer is who we work for and whom we bill; the CRM describes it field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from domain.kernel import Decider
from domain.reference.legal_entity import Address
from domain.statements import FieldChange, Fields, Scalar, heard, news, value

FIELDS = ("name", "parent", "street", "city", "postal_code", "country", "tax_id", "payment_terms_days")
"""The fields that a customer's description may hold."""


@dataclass(frozen=True, slots=True)
class DescribeCustomer:
    """Tell some fields of a customer, as a source said them at a moment."""

    customer: str
    told: Mapping[str, Scalar]
    at: datetime


@dataclass(frozen=True, slots=True)
class BlockCustomer:
    """Stop billing to a customer, with the reason that people will read."""

    reason: str


@dataclass(frozen=True, slots=True)
class UnblockCustomer:
    """Let a blocked customer be billed again."""


@dataclass(frozen=True, slots=True)
class CustomerDescribed:
    """The CRM told newer values of some fields of a customer."""

    customer: str
    changes: tuple[FieldChange, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class CustomerBlocked:
    """Billing to the customer was stopped."""

    reason: str


@dataclass(frozen=True, slots=True)
class CustomerUnblocked:
    """The customer may be billed again."""


Event = CustomerDescribed | CustomerBlocked | CustomerUnblocked
Command = DescribeCustomer | BlockCustomer | UnblockCustomer


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as described so far."""

    customer: str = ""
    fields: Fields = field(default_factory=dict)
    blocked_because: str | None = None

    @property
    def name(self) -> str:
        return value(self.fields, "name") or self.customer

    @property
    def country(self) -> str | None:
        return value(self.fields, "country")

    @property
    def tax_id(self) -> str | None:
        return value(self.fields, "tax_id")

    @property
    def payment_terms_days(self) -> int | None:
        """Days until an invoice is due, where the customer has terms of its own."""
        text = value(self.fields, "payment_terms_days")
        return int(text) if text and text.isdigit() else None

    @property
    def bill_to(self) -> Address | None:
        """The address that an invoice is sent to; None until street, city and country are known."""
        street, city, country = (value(self.fields, name) for name in ("street", "city", "country"))
        if not (street and city and country):
            return None
        return Address(street, city, value(self.fields, "postal_code") or "", country)


def decide(command: Command, state: Customer) -> Sequence[Event]:
    match command:
        case DescribeCustomer(customer, told, at):
            changes = news({name: text for name, text in told.items() if name in FIELDS}, at, state.fields)
            return [CustomerDescribed(customer, changes, at)] if changes else []
        case BlockCustomer(reason):
            return [] if state.blocked_because == reason else [CustomerBlocked(reason)]
        case UnblockCustomer():
            return [] if state.blocked_because is None else [CustomerUnblocked()]
        case _:
            assert_never(command)


def evolve(state: Customer, event: Event) -> Customer:
    match event:
        case CustomerDescribed(customer, changes, at):
            return replace(state, customer=customer, fields=heard(state.fields, changes, at))
        case CustomerBlocked(reason):
            return replace(state, blocked_because=reason)
        case CustomerUnblocked():
            return replace(state, blocked_because=None)
        case _:
            assert_never(event)


decider: Decider[Command, Customer, Event] = Decider("customer", Customer(), decide, evolve)
