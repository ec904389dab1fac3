"""Salesforce's change events: the whole record when it is created, later only what changed, everything else null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import orjson

from adapters.simulation.facts import CapRaised, CustomerTold, DealTold, Fact, LineTold
from adapters.simulation.firm import ContractLine, Engagement
from adapters.simulation.message import Message, message
from adapters.simulation.names import digest, salesforce_id, uuid_of
from adapters.simulation.rates import OVERTIME_MULTIPLIER

_SALES_REP = salesforce_id("005", 17)
_PROBABILITY = {"Prospecting": 10, "Proposal/Price Quote": 65, "Negotiation/Review": 90, "Closed Won": 100}


def account(fact: CustomerTold) -> Iterator[Message]:
    """A customer, or those of its fields that changed."""
    customer, told = fact.customer, fact.fields
    address = {
        "Street": customer.street if "street" in told else None,
        "City": customer.city if "city" in told else None,
        "State": None,
        **({"StateCode": customer.state} if customer.state and "city" in told else {}),
        "PostalCode": customer.postal_code if "postal_code" in told else None,
        "CountryCode": customer.country if "country" in told else None,
        "Latitude": None,
        "Longitude": None,
    }
    fields = {
        "Name": customer.name if "name" in told else None,
        "BillingAddress": address if any(address.values()) else None,
        "Tax_Id__c": customer.tax_id if "tax_id" in told else None,
        "Payment_Terms_Days__c": customer.payment_terms_days if "payment_terms_days" in told else None,
        "Industry": None,
    }
    yield _change(fact, "Account", customer.account, fields, created=fact.created)


def opportunity(fact: DealTold) -> Iterator[Message]:
    """A deal, or those of its fields that changed."""
    engagement = fact.engagement
    is_closed = fact.stage.startswith("Closed")
    fields: dict[str, Any] = {
        "AccountId": engagement.customer.account if fact.created else None,
        "Name": fact.title,
        "StageName": fact.stage,
        "Amount": _number(fact.amount),
        "Probability": _PROBABILITY.get(fact.stage, 0),
        "CloseDate": _midnight(fact.closes_on) if fact.closes_on else None,
        "IsClosed": is_closed if fact.created or is_closed else None,
        "IsWon": fact.stage == "Closed Won" if fact.created or is_closed else None,
        "ForecastCategoryName": "Closed" if is_closed else "Pipeline",
        "CurrencyIsoCode": engagement.currency if fact.created else None,
        "Selling_Entity__c": engagement.entity.code if fact.created else None,
        "PO_Required__c": engagement.order != "none" if fact.created else None,
        "OwnerId": _SALES_REP if fact.created else None,
    }
    yield _change(fact, "Opportunity", engagement.deal, fields, created=fact.created)


def line_item(fact: LineTold) -> Iterator[Message]:
    """A line item with the terms on which it is billed, which the firm keeps in fields of its own."""
    engagement, line = fact.engagement, fact.line
    is_fixed = line.kind == "fixed_fee"
    fields: dict[str, Any] = {
        "OpportunityId": engagement.deal,
        "Name": f"{engagement.title} {line.title}",
        "Quantity": 1,
        "UnitPrice": _number(line.amount),
        "TotalPrice": _number(line.amount),
        "CurrencyIsoCode": engagement.currency,
        "Line_Code__c": f"L{line.number}",
        "Billing_Method__c": "Fixed Fee" if is_fixed else "T&M",
        "Cap__c": _number(line.amount) if line.kind == "capped" else None,
        "Cap_Policy__c": "partial" if line.kind == "capped" else None,
        "Overtime_Multiplier__c": None if is_fixed else f"{OVERTIME_MULTIPLIER:f}",
        "Milestones__c": _milestones(line) if is_fixed else None,
    }
    yield _change(fact, "OpportunityLineItem", engagement.line_record(line), fields, created=True)


def higher_cap(fact: CapRaised) -> Iterator[Message]:
    """A line item whose limit was raised: the limit alone, and the deal that the channel adds to every event."""
    fields = {"OpportunityId": fact.engagement.deal, "Cap__c": _number(fact.amount)}
    yield _change(fact, "OpportunityLineItem", fact.engagement.line_record(fact.line), fields, created=False)


def _milestones(line: ContractLine) -> str:
    stages = [
        {"id": stage.name, "title": stage.title, "amount": f"{stage.amount:f}", "after": after}
        for after, stage in zip(([], *([stage.name] for stage in line.stages)), line.stages, strict=False)
    ]
    return orjson.dumps(stages).decode()


def _change(fact: Fact, entity: str, record: str, fields: Mapping[str, Any], *, created: bool) -> Message:
    changed = sorted(name for name, value in fields.items() if value is not None)
    millis = _millis(fact.said_at)
    transaction = uuid_of(entity, record, millis, *changed)
    header = {
        "entityName": entity,
        "recordIds": [record],
        "changeType": "CREATE" if created else "UPDATE",
        "changeOrigin": "com/salesforce/api/soap/60.0;client=SfdcInternalAPI/",
        "transactionKey": f"0000{transaction[4:]}",
        "sequenceNumber": 1,
        "commitTimestamp": millis,
        "commitNumber": millis * 1000 + int(transaction[:2], 16),
        "commitUser": _SALES_REP,
        "nulledFields": [],
        "diffFields": [],
        "changedFields": [] if created else [f"0x{digest(*changed)[:6].upper()}"],
    }
    body: dict[str, Any] = {"ChangeEventHeader": header, **fields, "LastModifiedDate": millis}
    if created:
        body |= {"CreatedDate": millis, "CreatedById": _SALES_REP, "LastModifiedById": _SALES_REP}
    thing = {"Account": "account", "Opportunity": "opportunity"}.get(entity, "opportunity-line-item")
    return message(fact, "salesforce", thing, "changed", body)


def engagement_key(engagement: Engagement) -> str:
    """What the ledger calls the engagement that a deal becomes."""
    return f"E-{engagement.deal}"


def project_key(engagement: Engagement, line: ContractLine) -> str:
    """What the ledger calls the project that fulfils a line of a deal."""
    return f"P-{engagement.deal}-L{line.number}"


def _number(amount: Decimal | None) -> int | None:
    """The firm agrees whole amounts, so that no binary fraction is on the wire."""
    return None if amount is None else int(amount)


def _midnight(day: date) -> int:
    return _millis(datetime.combine(day, time(0), tzinfo=UTC))


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
