"""Workday's rows for companies and workers, as a custom report gives them: effective-dated, entered at another time."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from adapters.simulation.facts import EntityTold, WorkerTold
from adapters.simulation.message import Message, message
from adapters.simulation.names import workday_id

_TENANT_ZONE = ZoneInfo("America/Los_Angeles")
"""Workday's servers stamp entries in the zone of their data centre."""


def company(fact: EntityTold) -> Iterator[Message]:
    """A legal entity as a company row."""
    entity = fact.entity
    body = {
        "Company": {"WID": workday_id("company", entity.code), "Company_Reference_ID": entity.code},
        "Effective_Date": fact.effective_from.isoformat(),
        "Entry_Moment": fact.said_at.astimezone(_TENANT_ZONE).isoformat(timespec="milliseconds"),
        "Name": entity.name,
        "Address": {
            "Line_1": entity.street,
            "City": entity.city,
            "Postal_Code": entity.postal_code,
            "Country_ISO_Code": entity.country,
        },
        "Currency": entity.currency,
        "Time_Zone": entity.zone,
        "Tax_ID": entity.tax_id,
        "Invoice_Number_Prefix": entity.code,
        "Invoice_Approval_Limit": str(entity.approval_limit),
        "Region": entity.region,
        "Payment_Terms_Days": entity.payment_terms_days,
    }
    yield message(fact, "workday", "company", "updated", body)


def worker(fact: WorkerTold) -> Iterator[Message]:
    """A person's role, employer and cost from a day on."""
    person = fact.worker
    body = {
        "Worker": {"WID": workday_id("worker", person.number), "Employee_ID": person.employee},
        "Effective_Date": fact.effective_from.isoformat(),
        "Entry_Moment": fact.said_at.astimezone(_TENANT_ZONE).isoformat(timespec="milliseconds"),
        "Job_Profile": fact.role,
        "Company": {"Company_Reference_ID": person.entity.code},
        "Location": person.entity.city,
        "Practice": person.practice,
        "Cost_Rate": {"Amount": f"{fact.hourly_cost:f}", "Currency": person.entity.currency},
        "Scheduled_Weekly_Hours": f"{person.capacity_hours:f}",
        "Other_IDs": [{"Type": "Atlassian_Account_ID", "ID": person.account}],
    }
    yield message(fact, "workday", "worker", "updated", body)
