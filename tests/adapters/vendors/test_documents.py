"""The published description of all messages, and payloads as the vendors themselves publish them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.vendors.canonical import documents
from adapters.vendors.registry import VENDORS
from domain.catalogue import COMMANDS
from tests.adapters.vendors.payloads import Letter
from tests.adapters.vendors.reading import intakes, mail

ROOT = Path(__file__).parents[3]
VENDORS_OWN = ROOT.parent / "shared" / "vendors" / "samples"
WITH_SAMPLE = [
    (system, subject)
    for system, vendor in VENDORS.items()
    for subject in vendor.subjects
    if documents.sample(system, subject) is not None
]


def test_the_documents_in_the_repository_are_those_that_the_program_writes() -> None:
    docs = ROOT / "docs"
    written = {str(path.relative_to(docs)) for path in (docs / "messages").iterdir()} | {"asyncapi.yaml"}
    assert {name: (docs / name).read_text() for name in written} == documents.pages(), "run p2c schema"


def test_every_subject_has_its_channel_and_every_message_its_schema() -> None:
    written = documents.pages()
    text = written["asyncapi.yaml"]
    for system, vendor in VENDORS.items():
        for subject in vendor.subjects:
            assert f'address: "p2c.in.{system}.{subject}"' in text
    assert all(f"messages/{name}.schema.json" in written for name in COMMANDS)
    for name, schema in written.items():
        if name.endswith(".json"):
            assert f"./{name}" in text
            assert "prefixItems" not in schema, "that is not a word of JSON Schema draft 7"


def test_every_reference_in_a_schema_leads_somewhere() -> None:
    for text in documents.pages().values():
        if text.startswith("{"):
            schema = json.loads(text)
            assert _references(schema) <= {f"#/$defs/{name}" for name in schema.get("$defs", {})}


@pytest.mark.parametrize(("system", "subject"), WITH_SAMPLE)
def test_every_sample_is_read_on_its_subject(system: str, subject: str) -> None:
    letter = Letter(f"p2c.in.{system}.{subject}", documents.sample(system, subject))
    assert mail(letter).unreadable is None
    assert intakes(letter) or subject.startswith("plan.")


def test_every_vendor_has_samples() -> None:
    assert {system for system, _ in WITH_SAMPLE} == VENDORS.keys() - {"canonical"}


def theirs(name: str) -> Any:
    if not (VENDORS_OWN / name).exists():
        pytest.skip(f"the vendors' own samples are not at {VENDORS_OWN}")
    return json.loads((VENDORS_OWN / name).read_text())


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("jira-webhook-worklog-created.json", "jira.worklog.created"),
        ("salesforce-cdc-account-update.json", "salesforce.account.changed"),
        ("salesforce-cdc-opportunity-create.json", "salesforce.opportunity.changed"),
    ],
)
def test_the_vendors_own_samples_are_read(name: str, subject: str) -> None:
    assert len(intakes(Letter(f"p2c.in.{subject}", theirs(name)))) == 1


def test_tempos_own_webhooks_are_read() -> None:
    webhooks = theirs("tempo-webhooks.json")
    told = {each["eventType"]: intakes(Letter(f"p2c.in.tempo.{each['eventType']}", each)) for each in webhooks.values()}
    assert {kind: len(found) for kind, found in told.items()} == {
        "worklog.created": 1,
        "worklog.updated": 1,
        "worklog.deleted": 1,
        "plan.created": 0,
        "plan.updated": 0,
        "plan.deleted": 0,
    }


def _references(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
        return own.union(*map(_references, schema.values()))
    return set().union(*map(_references, schema)) if isinstance(schema, list) else set()
