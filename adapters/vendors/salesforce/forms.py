"""What Salesforce sends of accounts and deals, as far as it matters here."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.numbers import Number
from adapters.vendors.salesforce.record import Fields


class Address(BaseModel):
    """A compound address: parts in capitals in change events, in small letters in rows."""

    model_config = ConfigDict(strict=True)

    street: str | None = Field(None, alias="Street")
    city: str | None = Field(None, alias="City")
    postal_code: str | None = Field(None, alias="PostalCode")
    state: str | None = Field(None, alias="State")
    state_code: str | None = Field(None, alias="StateCode")
    country: str | None = Field(None, alias="Country")
    country_code: str | None = Field(None, alias="CountryCode")
    street_of_row: str | None = Field(None, alias="street")
    city_of_row: str | None = Field(None, alias="city")
    postal_code_of_row: str | None = Field(None, alias="postalCode")
    state_of_row: str | None = Field(None, alias="state")
    state_code_of_row: str | None = Field(None, alias="stateCode")
    country_of_row: str | None = Field(None, alias="country")
    country_code_of_row: str | None = Field(None, alias="countryCode")


class Account(Fields):
    """What matters of an account; a change event holds the changed fields, a row all of them."""

    title: str | None = Field(None, alias="Name")
    address: Address | None = Field(None, alias="BillingAddress")
    street: str | None = Field(None, alias="BillingStreet")
    city: str | None = Field(None, alias="BillingCity")
    postal_code: str | None = Field(None, alias="BillingPostalCode")
    state: str | None = Field(None, alias="BillingState")
    state_code: str | None = Field(None, alias="BillingStateCode")
    country: str | None = Field(None, alias="BillingCountry")
    country_code: str | None = Field(None, alias="BillingCountryCode")
    tax_id: str | None = Field(None, alias="Tax_Id__c")
    parent: str | None = Field(None, alias="ParentId")
    terms_days: Number | None = Field(None, alias="Payment_Terms_Days__c")


class Opportunity(Fields):
    """What matters of a deal; a change event holds the changed fields, a row all of them."""

    title: str | None = Field(None, alias="Name")
    account: str | None = Field(None, alias="AccountId")
    stage: str | None = Field(None, alias="StageName")
    is_won: bool | None = Field(None, alias="IsWon")
    closes: int | str | None = Field(None, alias="CloseDate")
    currency: str | None = Field(None, alias="CurrencyIsoCode")
    selling_entity: str | None = Field(None, alias="Selling_Entity__c")
    order_required: bool | None = Field(None, alias="PO_Required__c")
