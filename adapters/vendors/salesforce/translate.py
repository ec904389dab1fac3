"""Salesforce's deals, customers and contract lines in the ledger's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from pydantic import BaseModel

from adapters.vendors.intake import Context, Intake, Names, Resolved, Vendor, refusing, revision_of
from adapters.vendors.letter import Letter, sha256
from adapters.vendors.salesforce import forms
from adapters.vendors.salesforce.line_item import LINE_ITEM, LineItem, line_item
from adapters.vendors.salesforce.record import (
    SYSTEM,
    Fields,
    Heading,
    day_text,
    flag_text,
    heading,
    number_text,
    record_id,
    told,
)
from domain.kernel import Addressed, Refused, StreamId, stream_of
from domain.money import MINOR_UNITS, UnknownCurrency
from domain.opportunity import TellOpportunity, opportunity_stream
from domain.places import COUNTRIES
from domain.ports import Read
from domain.reference.customer import DescribeCustomer
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.statements import Scalar

WON_STAGE: Final = "Closed Won"


class Gap(Refused):
    """Salesforce lost the content of a change and says so with a gap event."""

    code = "salesforce.gap"
    fix = "Read the record again from Salesforce and publish it as a row; that settles this exception by itself."


class DealDeleted(Refused):
    """A deal that became an engagement was deleted in Salesforce."""

    code = "salesforce.deal_deleted"
    fix = "Undelete the deal in Salesforce, or put the engagement on hold and settle what was worked for it."


class CustomerDeleted(Refused):
    """A customer of the ledger was deleted or merged in Salesforce."""

    code = "salesforce.customer_deleted"
    fix = "Assign the merged account's id to this customer, or block the customer."


class UnknownCountry(Refused):
    """A customer's country is told as an ISO 3166-1 code of two letters."""

    code = "salesforce.unknown_country"
    fix = "Switch on country picklists in Salesforce, so that BillingCountryCode is sent, or correct the country."


def translate(letter: Letter) -> Sequence[Intake]:
    """The statements of one change event, one for each of its records, or of one row."""
    head = heading(letter)
    match head.kind:
        case "Opportunity":
            deal = letter.read(forms.Opportunity)
            return _each(head, "opportunity", lambda ref: _opportunity(ref, head, deal))
        case "Account":
            account = letter.read(forms.Account)
            return _each(head, "account", lambda ref: _account(ref, head, account))
        case "OpportunityLineItem":
            item = letter.read(LineItem)
            return _each(head, LINE_ITEM, lambda ref: line_item(ref, head, item))
        case _:
            return []


def message_id(letter: Letter) -> str | None:
    """The place of a change in its transaction with its records; a row is what it says."""
    fields = letter.read(Fields)
    if fields.header is None:
        return f"sha256:{sha256(letter.content).hex()}"
    return f"{fields.header.transaction}/{fields.header.sequence}/{','.join(fields.header.records)}"


def customer_id(account: ExternalRef) -> str:
    """What the ledger calls a Salesforce account: ``C-001...``."""
    return f"C-{account.id}"


def _each(head: Heading, kind: str, one: Callable[[ExternalRef], Intake]) -> Sequence[Intake]:
    if head.change.startswith("GAP_"):
        return [refusing(ref, head.said_at, Gap(f"{head.change} of {ref}."), _of_no_context) for ref in head.refs(kind)]
    return [one(ref) for ref in head.refs(kind)]


def _of_no_context(_names: Names) -> Context:
    return Context()


def _opportunity(ref: ExternalRef, head: Heading, fields: forms.Opportunity) -> Intake:
    deal = opportunity_stream(SYSTEM, ref.id)
    account = ExternalRef(SYSTEM, "account", record_id(fields.account, "AccountId")) if fields.account else None
    said = {
        "title": fields.title,
        "selling_entity": fields.selling_entity,
        "currency": fields.currency,
        "closes_on": day_text(fields.closes, "CloseDate"),
        "won": _won(fields),
        "purchase_order_required": flag_text(fields.order_required),
    }
    source_of = {
        "title": "title",
        "selling_entity": "selling_entity",
        "currency": "currency",
        "closes_on": "closes",
        "won": "is_won",
        "purchase_order_required": "order_required",
    }
    news = {name: text for name, text in said.items() if text is not None or told(fields, head, source_of[name])}

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        if head.change == "DELETE":
            _require_no_engagement(ref, resolved.read)
            yield Addressed(deal, TellOpportunity(ref.id, {"won": "false"}, head.said_at))
            return
        if fields.currency is not None and fields.currency not in MINOR_UNITS:
            raise UnknownCurrency(repr(fields.currency))
        customer: dict[str, Scalar] = {}
        if account is not None:
            customer = {"customer": resolved.names[account]}
        elif told(fields, head, "account"):
            customer = {"customer": None}
        yield Addressed(deal, TellOpportunity(ref.id, {**news, **customer}, head.said_at))

    def about(names: Names) -> Context:
        return Context(customer=names.get(account, str(account)) if account else None)

    needs = (account,) if account is not None else ()
    streams = (deal, identifier_stream(ref)) if head.change == "DELETE" else (deal,)
    return _statement(ref, head, needs, streams, commands, about)


def _won(fields: forms.Opportunity) -> Scalar:
    """Whether the deal is won; a stage's name alone says so only if it is the standard one."""
    if fields.is_won is None and fields.stage == WON_STAGE:
        return "true"
    return flag_text(fields.is_won)


def _require_no_engagement(ref: ExternalRef, read: Read) -> None:
    engagement = read(identifier_stream(ref)).target
    if engagement is not None:
        raise DealDeleted(f"{ref.id} is engagement {engagement}.")


def _account(ref: ExternalRef, head: Heading, fields: forms.Account) -> Intake:
    customer = customer_id(ref)
    stream, known_as = stream_of("customer", customer), identifier_stream(ref)
    said: dict[str, Scalar] = _billing_address(fields, head)
    if told(fields, head, "title"):
        said["name"] = fields.title
    if told(fields, head, "tax_id"):
        said["tax_id"] = fields.tax_id
    if told(fields, head, "parent"):
        said["parent"] = f"C-{record_id(fields.parent, 'ParentId')}" if fields.parent else None
    if told(fields, head, "terms_days"):
        said["payment_terms_days"] = number_text(fields.terms_days)

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        if head.change == "DELETE":
            raise CustomerDeleted(f"{ref.id} is customer {customer}.")
        country = said.get("country")
        if country and country not in COUNTRIES:
            raise UnknownCountry(repr(country))
        yield Addressed(stream, DescribeCustomer(customer, said, head.said_at))
        yield Addressed(known_as, AssignIdentifier(ref, customer))

    return _statement(ref, head, (), (stream, known_as), commands, lambda _names: Context(customer=customer))


def _billing_address(fields: forms.Account, head: Heading) -> dict[str, Scalar]:
    """The parts of the billing address that were told: flat, or nested as change events and rows nest it."""
    said: dict[str, Scalar] = {}
    for part in ("street", "city", "postal_code", "state", "country"):
        camel = {"postal_code": "PostalCode"}.get(part, part.capitalize())
        value: Scalar = getattr(fields, part)
        if fields.address is not None:
            value = value or getattr(fields.address, part) or getattr(fields.address, f"{part}_of_row")
        if part in ("state", "country"):
            value = getattr(fields, f"{part}_code") or _nested_code(fields.address, part) or value
        whole_row = head.nulled is None and "address" in fields.model_fields_set and part != "state"
        if value is not None or whole_row or told(fields, head, part, f"BillingAddress.{camel}", "BillingAddress"):
            said[part] = value
    return said


def _nested_code(address: forms.Address | None, part: str) -> Scalar:
    """The ISO code of a state or country, which picklists send beside its name."""
    code: Scalar = getattr(address, f"{part}_code", None) or getattr(address, f"{part}_code_of_row", None)
    return code


def _statement(
    ref: ExternalRef,
    head: Heading,
    needs: tuple[ExternalRef, ...],
    streams: tuple[StreamId, ...],
    commands: Callable[[Resolved], Iterable[Addressed]],
    about: Callable[[Names], Context],
) -> Intake:
    return Intake(
        ref, revision_of(head.said_at), head.said_at, needs, lambda _names: streams, commands, about=about, clocked=True
    )


SUBJECTS: Final[Mapping[str, type[BaseModel]]] = {
    "account.changed": forms.Account,
    "account.row": forms.Account,
    "opportunity.changed": forms.Opportunity,
    "opportunity.row": forms.Opportunity,
    f"{LINE_ITEM}.changed": LineItem,
    f"{LINE_ITEM}.row": LineItem,
}
VENDOR: Final = Vendor(translate, message_id, SUBJECTS)
