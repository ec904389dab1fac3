"""The reference of canonical messages, made from the code: a JSON Schema for each command, one AsyncAPI document for all.

AsyncAPI 3.0; JSON Schema draft 2020-12.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from adapters.vendors.canonical.messages import FORMS, deciders_of

_SCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"
_FOLDER: Final = "messages"
_INFO: Final = {
    "title": "The project-to-cash ledger",
    "version": "1",
    "description": "What may be sent to the ledger on NATS JetStream, and what it sends to its targets.",
}
_VENDORS: Final = {
    "salesforce": "Change events and REST rows of accounts, opportunities and opportunity line items.",
    "jira": "Webhooks of worklogs and issues.",
    "tempo": "Webhooks and REST rows of worklogs; rows of timesheet approvals.",
    "workday": "Rows of workers and companies.",
    "psa": "Answers of the PSA about projects.",
    "erp": "Answers of the ERP about projects and invoices, and payments.",
}
_TARGETS: Final = {
    "p2c.out.psa.project.create": "Set a project up in the PSA.",
    "p2c.out.erp.project.create": "Set a project up in the ERP.",
    "p2c.out.erp.invoice.post": "Post an issued invoice in the ERP.",
}


def pages() -> Mapping[str, str]:
    """Every generated page by its place below ``docs/``."""
    schemas = {f"{_FOLDER}/{name}.schema.json": _text(schema_of(name)) for name in sorted(FORMS)}
    return {**schemas, "asyncapi.json": _text(asyncapi())}


def schema_of(command: str) -> dict[str, Any]:
    """The JSON Schema of the message that carries a command."""
    form = FORMS[command]
    schema = form.model_json_schema()
    schema["properties"]["command"] = {"const": command, "description": "The published name of the command."}
    return {
        "$schema": _SCHEMA,
        "$id": f"urn:p2c:message:{command}",
        **schema,
        "title": command,
        "description": _about(command),
    }


def asyncapi() -> dict[str, Any]:
    """All subjects of the ledger in one document."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for command in sorted(FORMS):
        base = command.rpartition(".v")[0]
        payload = {"$ref": f"./{_FOLDER}/{command}.schema.json"}
        key = f"canonical.{base}"
        channels.setdefault(key, {"address": f"p2c.in.canonical.{base}", "messages": {}})
        channels[key]["messages"][command] = {"summary": _about(command), "payload": payload}
        operations[f"receive.{base}"] = {"action": "receive", "channel": {"$ref": f"#/channels/{key}"}}
    for system, about in _VENDORS.items():
        channels[f"vendor.{system}"] = {
            "address": f"p2c.in.{system}.{{object}}.{{verb}}",
            "description": f"{about} The payload is the system's own, bare or in a CloudEvents 1.0 envelope.",
            "parameters": {"object": {}, "verb": {}},
        }
        operations[f"receive.{system}"] = {"action": "receive", "channel": {"$ref": f"#/channels/vendor.{system}"}}
    for subject, about in _TARGETS.items():
        key = subject.removeprefix("p2c.")
        channels[key] = {"address": subject, "description": about}
        operations[f"send.{key}"] = {"action": "send", "channel": {"$ref": f"#/channels/{key}"}}
    return {
        "asyncapi": "3.0.0",
        "info": _INFO,
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
    }


def _about(command: str) -> str:
    """What a command does and which objects decide it."""
    kind = FORMS[command].model_fields["data"].annotation
    sentence = (getattr(kind, "__doc__", "") or "").strip().splitlines()[0]
    return f"{sentence} Decided by: {', '.join(deciders_of(command))}."


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
