"""Messages as the vendors send them, written by hand from their documentation, with a few parts to vary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

ANNA, BORIS, LEAD = "5f60aa", "5f61bb", "5f69ff"
"""Atlassian accounts."""

ISSUE, OTHER_ISSUE = "12463", "12464"
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday morning."""


@dataclass(frozen=True)
class Letter:
    """A message on its way: its subject, its headers, and what is written in it."""

    subject: str
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def jira_time(at: datetime, hours_ahead: int = 1) -> str:
    """A time as Jira writes it: with the offset of whoever looks at it, and no colon in it."""
    local = at + timedelta(hours=hours_ahead)
    return f"{local:%Y-%m-%dT%H:%M:%S}.000{hours_ahead:+03d}00"


# -- Jira ----------------------------------------------------------------------------------------------------


def jira_worklog(
    worklog: str = "10320",
    *,
    verb: str = "created",
    author: str = ANNA,
    issue: str = ISSUE,
    started: datetime = NINE,
    seconds: int = 7200,
    at: datetime = NINE,
    zone: str | None = "Europe/Berlin",
    hours_ahead: int = 1,
    comment: Any = "design",
    hook: str | None = None,
) -> Letter:
    body = {
        "timestamp": ms(at),
        "webhookEvent": f"worklog_{verb}",
        "worklog": {
            "self": f"https://firm.atlassian.net/rest/api/2/issue/{issue}/worklog/{worklog}",
            "author": {"accountId": author, "displayName": "x", "active": True, "accountType": "atlassian"}
            | ({"timeZone": zone} if zone else {}),
            "updateAuthor": {"accountId": author},
            "comment": comment,
            "created": jira_time(at, hours_ahead),
            "updated": jira_time(at, hours_ahead),
            "started": jira_time(started, hours_ahead),
            "timeSpent": "2h",
            "timeSpentSeconds": seconds,
            "id": worklog,
            "issueId": issue,
        },
    }
    webhook = hook or f"{verb}-{worklog}-{ms(at)}"
    return Letter(f"p2c.in.jira.worklog.{verb}", body, {"X-Atlassian-Webhook-Identifier": webhook})


def jira_project(lead: str | None = ANNA, *, verb: str = "created", at: datetime = NINE) -> Letter:
    user = {"accountId": lead, "displayName": "x", "active": True, "accountType": "atlassian"}
    project = {"id": 100, "key": "ACME", "name": "Acme", "projectLead": user if lead else None}
    body = {"timestamp": ms(at), "webhookEvent": f"project_{verb}", "project": project}
    return Letter(f"p2c.in.jira.project.{verb}", body, {"x-atlassian-webhook-identifier": f"project-{ms(at)}"})


def jira_issue(
    issue: str = ISSUE,
    *,
    verb: str = "created",
    key: str = "ACME-7",
    project: str = "ACME",
    summary: str = "Design",
    labels: tuple[str, ...] = (),
    at: datetime = NINE,
) -> Letter:
    fields = {"summary": summary, "project": {"id": "100", "key": project}, "labels": list(labels)}
    body = {
        "timestamp": ms(at),
        "webhookEvent": f"jira:issue_{verb}",
        "issue": {"id": issue, "key": key, "fields": fields},
    }
    headers = {"x-atlassian-webhook-identifier": f"issue-{verb}-{issue}-{ms(at)}"}
    return Letter(f"p2c.in.jira.issue.{verb}", body, headers)


# -- Tempo ----------------------------------------------------------------------------------------------------


def tempo_worklog(
    worklog: int = 37,
    *,
    verb: str = "created",
    author: str = ANNA,
    issue: str = ISSUE,
    day: str = "2026-03-02",
    start_second: int = 36_000,
    seconds: int = 7200,
    at: datetime = NINE,
    event: str | None = None,
) -> Letter:
    payload = {
        "author": {"accountId": author},
        "billableSeconds": 0,
        "createdAt": "2026-03-02T08:00:00.000Z",
        "description": "design",
        "issue": {"id": int(issue)},
        "startDate": f"{day}T00:00:00.000Z",
        "startTime": start_second,
        "tempoWorklogId": worklog,
        "timeSpentSeconds": seconds,
        "updatedAt": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
        "updater": {"accountId": author},
    }
    event_id = event or f"{verb}-{worklog}-{ms(at)}"
    body = {"eventId": event_id, "eventType": f"worklog.{verb}", "payload": payload}
    return Letter(f"p2c.in.tempo.worklog.{verb}", body)


def tempo_row(worklog: int = 37, *, day: str = "2026-03-02", start: str = "10:00:00", at: datetime = NINE) -> Letter:
    body = {
        "tempoWorklogId": worklog,
        "issue": {"id": int(ISSUE)},
        "author": {"accountId": ANNA},
        "timeSpentSeconds": 7200,
        "billableSeconds": 7200,
        "startDate": day,
        "startTime": start,
        "description": "design",
        "createdAt": "2026-03-02T08:00:00Z",
        "updatedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
    }
    return Letter("p2c.in.tempo.worklog.row", body)


def tempo_approval(
    key: str = "APPROVED",
    *,
    user: str = ANNA,
    actor: str = LEAD,
    starts: str = "2026-03-02",
    ends: str = "2026-03-08",
    at: datetime = NINE + timedelta(days=7),
    comment: str = "",
) -> Letter:
    body = {
        "user": {"accountId": user},
        "period": {"from": starts, "to": ends},
        "status": {
            "key": key,
            "actor": {"accountId": actor},
            "comment": comment,
            "updatedAt": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        },
    }
    return Letter("p2c.in.tempo.timesheet-approval.updated", body)


# -- Salesforce ----------------------------------------------------------------------------------------------------

ACCOUNT, DEAL, LINE = "001000000000001AAA", "006000000000001AAA", "00k000000000001AAA"


def change(
    entity: str,
    record: str | list[str],
    fields: Mapping[str, Any],
    *,
    kind: str = "UPDATE",
    at: datetime = NINE,
    sequence: int = 1,
    transaction: str | None = None,
    nulled: tuple[str, ...] = (),
) -> Letter:
    records = record if isinstance(record, list) else [record]
    header = {
        "entityName": entity,
        "recordIds": records,
        "changeType": kind,
        "changeOrigin": "com/salesforce/api/rest/60.0",
        "transactionKey": transaction or f"{ms(at)}-{records[0]}",
        "sequenceNumber": sequence,
        "commitTimestamp": ms(at),
        "commitNumber": ms(at),
        "commitUser": "005000000000001AAA",
        "nulledFields": list(nulled),
        "diffFields": [],
        "changedFields": ["0x400000"],
    }
    subject = {"OpportunityLineItem": "opportunity-line-item"}.get(entity, entity.lower())
    body = {"ChangeEventHeader": header, **fields, "LastModifiedDate": ms(at)}
    return Letter(f"p2c.in.salesforce.{subject}.changed", body)


def row(entity: str, record: str, fields: Mapping[str, Any], *, at: datetime = NINE) -> Letter:
    subject = {"OpportunityLineItem": "opportunity-line-item"}.get(entity, entity.lower())
    modified = f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"
    body = {"attributes": {"type": entity}, "Id": record, **fields, "LastModifiedDate": modified}
    return Letter(f"p2c.in.salesforce.{subject}.row", body)


WON_DEAL: Mapping[str, Any] = {
    "Name": "Data platform",
    "AccountId": ACCOUNT,
    "StageName": "Closed Won",
    "IsWon": True,
    "CloseDate": ms(datetime(2026, 1, 5, tzinfo=UTC)),
    "CurrencyIsoCode": "EUR",
    "Selling_Entity__c": "DE01",
    "PO_Required__c": False,
}

ACCOUNT_FIELDS: Mapping[str, Any] = {
    "Name": "Acme",
    "BillingAddress": {
        "Street": "1 Rue A",
        "City": "Paris",
        "PostalCode": "75001",
        "Country": "France",
        "CountryCode": "FR",
    },
    "Tax_Id__c": "FR123",
    "Payment_Terms_Days__c": 45.0,
}


# -- Workday ----------------------------------------------------------------------------------------------------


def worker(
    employee: str = "W-1",
    account: str | None = ANNA,
    *,
    effective: str = "2026-01-01",
    entered: datetime = NINE - timedelta(days=90),
    rate: str = "62.50",
    role: str = "Senior",
    currency: str = "EUR",
    wid: str | None = None,
) -> Letter:
    body = {
        "Worker": {"WID": wid or f"wid-{employee}", "Employee_ID": employee},
        "Effective_Date": effective,
        "Entry_Moment": entered.isoformat(),
        "Job_Profile": role,
        "Company": {"Company_Reference_ID": "DE01"},
        "Location": "Berlin",
        "Practice": "Data",
        "Cost_Rate": {"Amount": rate, "Currency": currency},
        "Scheduled_Weekly_Hours": "40",
        "Other_IDs": [{"Type": "Atlassian_Account_ID", "ID": account}] if account else [],
    }
    return Letter("p2c.in.workday.worker.updated", body)


def company(
    *, effective: str = "2020-01-01", entered: datetime = NINE - timedelta(days=900), name: str = "Firm GmbH"
) -> Letter:
    body = {
        "Company": {"WID": "wid-DE01", "Company_Reference_ID": "DE01"},
        "Effective_Date": effective,
        "Entry_Moment": entered.isoformat(),
        "Name": name,
        "Address": {"Line_1": "Linden 1", "City": "Berlin", "Postal_Code": "10117", "Country_ISO_Code": "DE"},
        "Currency": "EUR",
        "Time_Zone": "Europe/Berlin",
        "Tax_ID": "DE123456789",
        "Invoice_Number_Prefix": "DE01",
        "Invoice_Approval_Limit": "25000",
        "Region": "EMEA",
        "Payment_Terms_Days": 30,
    }
    return Letter("p2c.in.workday.company.updated", body)


# -- canonical and targets ---------------------------------------------------------------------------------------------


def canonical(command: str, stream: str, data: Mapping[str, Any], *, name: str = "m-1", at: datetime = NINE) -> Letter:
    base = command.rpartition(".v")[0]
    body = {"command": command, "stream": stream, "id": name, "occurred_at": at.isoformat(), "data": data}
    return Letter(f"p2c.in.canonical.{base}", body)


def identifier(system: str, kind: str, outside: str, target: str, *, name: str | None = None) -> Letter:
    ref = {"system": system, "object": kind, "id": outside}
    return canonical(
        "identifier.assign.v1",
        f"identifier:{system}:{kind}:{outside}",
        {"ref": ref, "target": target},
        name=name or f"assign-{system}-{kind}-{outside}-{target}",
    )


def target_answer(subject: str, **fields: Any) -> Letter:
    return Letter(f"p2c.in.{subject}", {"at": NINE.isoformat(), **fields})
