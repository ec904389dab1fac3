"""A customer is who we work for and whom we bill; the CRM describes it field by field.

Whether its tax id is well formed is a fact that is recorded when the id changes, and so is every certificate that
exempts it from tax: what was decided with them can be decided again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import assert_never

from domain.kernel import Decider, Refused
from domain.periods import Period
from domain.reference.legal_entity import Address
from domain.reference.tax_pack import Buyer
from domain.statements import FieldChange, Fields, Scalar, heard, news, value

CONSUMER = "consumer"
FIELDS = (
    "name", "parent", "street", "city", "postal_code", "state", "country", "tax_id", "tax_status", "payment_terms_days",
)  # fmt: skip
"""The fields that a customer's description may hold; ``tax_status`` is ``business`` unless it says ``consumer``."""


@dataclass(frozen=True, slots=True)
class ExemptionCertificate:
    """A document by which a jurisdiction frees a customer from tax, both days included.

    ``jurisdiction`` is a country or a part of it, e.g. ``GB`` or ``US-CT``. ``reason_code`` is of the VATEX list where
    there is one.
    """

    certificate: str
    jurisdiction: str
    valid_from: date
    valid_to: date | None
    reason: str
    reason_code: str = ""

    def holds(self, place: str, day: date) -> bool:
        """Whether it frees from the tax of a country or state on a day; a country's frees from those of its states."""
        within = place == self.jurisdiction or place.startswith(f"{self.jurisdiction}-")
        return within and Period(self.valid_from, self.valid_to).covers(day)


@dataclass(frozen=True, slots=True)
class TaxIdVerdict:
    """What a check of a tax id found; ``valid`` is None where no check for the country is known."""

    tax_id: str
    country: str
    valid: bool | None
    reason: str


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
class RecordTaxIdCheck:
    """Record what a check of the customer's tax id found."""

    verdict: TaxIdVerdict
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class RecordExemption:
    """Record a certificate that exempts the customer from tax; the same certificate again replaces it."""

    certificate: ExemptionCertificate


@dataclass(frozen=True, slots=True)
class WithdrawExemption:
    """Stop relying on an exemption certificate, with the reason that people will read."""

    certificate: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordKnownIn:
    """Record that another system knows the customer, and under which id."""

    system: str
    external_id: str


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


@dataclass(frozen=True, slots=True)
class TaxIdChecked:
    """The customer's tax id was checked."""

    tax_id: str
    country: str
    valid: bool | None
    reason: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class ExemptionRecorded:
    """A certificate exempts the customer from tax."""

    certificate: ExemptionCertificate


@dataclass(frozen=True, slots=True)
class ExemptionWithdrawn:
    """An exemption certificate is not relied on any more."""

    certificate: str
    reason: str


@dataclass(frozen=True, slots=True)
class CustomerKnownIn:
    """Another system knows the customer."""

    system: str
    external_id: str


class UnknownCustomer(Refused):
    """There is no such customer."""

    code = "customer.unknown"
    fix = "Check the customer's id; the CRM describes customers, and customer.describe does."


class UnknownExemption(Refused):
    """The customer has no such exemption certificate."""

    code = "customer.unknown_exemption"
    fix = "Check the certificate's number."


class ExemptionWithoutReason(Refused):
    """An exemption is printed with its reason, and must not end before it begins."""

    code = "customer.exemption_without_reason"
    fix = "Send the certificate's reason and its days of validity."


Event = (
    CustomerDescribed
    | CustomerBlocked
    | CustomerUnblocked
    | TaxIdChecked
    | ExemptionRecorded
    | ExemptionWithdrawn
    | CustomerKnownIn
)
Command = (
    DescribeCustomer
    | BlockCustomer
    | UnblockCustomer
    | RecordTaxIdCheck
    | RecordExemption
    | WithdrawExemption
    | RecordKnownIn
)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as described so far; ``known_in`` holds its id in each system that knows it."""

    customer: str = ""
    fields: Fields = field(default_factory=dict)
    blocked_because: str | None = None
    tax_id_verdict: TaxIdVerdict | None = None
    exemptions: Mapping[str, ExemptionCertificate] = field(default_factory=dict)
    known_in: Mapping[str, str] = field(default_factory=dict)

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
    def state(self) -> str:
        return value(self.fields, "state") or ""

    @property
    def buyer(self) -> Buyer:
        """Whether it buys as a business; it does unless its description says otherwise."""
        return "consumer" if value(self.fields, "tax_status") == CONSUMER else "business"

    @property
    def invalid_tax_id(self) -> TaxIdVerdict | None:
        """The verdict on the tax id as it is now, if that was found invalid."""
        verdict = self.tax_id_verdict
        is_about_this = verdict is not None and (verdict.tax_id, verdict.country) == (self.tax_id, self.country)
        return verdict if is_about_this and verdict is not None and verdict.valid is False else None

    def exemption_on(self, place: str, day: date) -> ExemptionCertificate | None:
        """The certificate that frees the customer from the tax of a country or state on a day."""
        return next((each for each in self.exemptions.values() if each.holds(place, day)), None)

    @property
    def payment_terms_days(self) -> int | None:
        """Days until an invoice is due, where the customer has terms of its own."""
        text = value(self.fields, "payment_terms_days")
        return int(text) if text and text.isdigit() else None

    @property
    def bill_to(self) -> Address | None:
        """The address that an invoice is sent to; None until street, city and country are known."""
        street, city, country = value(self.fields, "street"), value(self.fields, "city"), self.country
        if not (street and city and country):
            return None
        return Address(street, city, value(self.fields, "postal_code") or "", country, self.state)


def decide(command: Command, state: Customer) -> Sequence[Event]:
    match command:
        case DescribeCustomer(customer, told, at):
            changes = news({name: text for name, text in told.items() if name in FIELDS}, at, state.fields)
            return [CustomerDescribed(customer, changes, at)] if changes else []
        case BlockCustomer(reason):
            return [] if state.blocked_because == reason else [CustomerBlocked(reason)]
        case UnblockCustomer():
            return [] if state.blocked_because is None else [CustomerUnblocked()]
        case RecordTaxIdCheck(verdict, at):
            checked = TaxIdChecked(verdict.tax_id, verdict.country, verdict.valid, verdict.reason, at)
            return [] if state.tax_id_verdict == verdict else [checked]
        case RecordExemption(certificate):
            return _exempted(certificate, state)
        case WithdrawExemption(name, reason):
            if name not in state.exemptions:
                raise UnknownExemption(f"{name} of {state.customer}.")
            return [ExemptionWithdrawn(name, reason)]
        case RecordKnownIn(system, external_id):
            is_known = state.known_in.get(system) == external_id
            return [] if is_known else [CustomerKnownIn(system, external_id)]
        case _:
            assert_never(command)


def _exempted(certificate: ExemptionCertificate, state: Customer) -> Sequence[Event]:
    ends_early = certificate.valid_to is not None and certificate.valid_to < certificate.valid_from
    if not certificate.reason or ends_early:
        raise ExemptionWithoutReason(certificate.certificate)
    return [] if state.exemptions.get(certificate.certificate) == certificate else [ExemptionRecorded(certificate)]


def evolve(state: Customer, event: Event) -> Customer:
    match event:
        case CustomerDescribed(customer, changes, at):
            return replace(state, customer=customer, fields=heard(state.fields, changes, at))
        case CustomerBlocked(reason):
            return replace(state, blocked_because=reason)
        case CustomerUnblocked():
            return replace(state, blocked_because=None)
        case TaxIdChecked(tax_id, country, valid, reason):
            return replace(state, tax_id_verdict=TaxIdVerdict(tax_id, country, valid, reason))
        case ExemptionRecorded(certificate):
            return replace(state, exemptions={**state.exemptions, certificate.certificate: certificate})
        case ExemptionWithdrawn(name):
            kept = {known: each for known, each in state.exemptions.items() if known != name}
            return replace(state, exemptions=kept)
        case CustomerKnownIn(system, external_id):
            return replace(state, known_in={**state.known_in, system: external_id})
        case _:
            assert_never(event)


decider: Decider[Command, Customer, Event] = Decider("customer", Customer(), decide, evolve)
