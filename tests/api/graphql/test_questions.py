"""The questions and services over HTTP, on a small firm in real PostgreSQL: who may, how fresh, how it came to be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from adapters.postgres import connect
from adapters.settings import Settings
from api.access import PERMISSIONS, Role
from api.serving.app import make_app, open_parts
from api.serving.parts import Parts
from api.tokens import local_token
from projections import build
from projections.generation import Generations
from tests.world import World

LISTS = {
    "ledger": "{ ledger { position } }",
    "engagements": "{ engagements { nodes { engagement } totalCount } }",
    "engagement": '{ engagement(id: "E-1") { status } }',
    "projects": "{ projects { nodes { project } totalCount } }",
    "project": '{ project(id: "P-1-L1") { status } }',
    "timesheets": "{ timesheets { nodes { stream entries { entry systems } } totals { hours } } }",
    "timesheet": '{ timesheet(id: "timesheet:W-1:2026-03-02") { hours } }',
    "invoices": "{ invoices { nodes { invoice lines { net { amount } } } totalCount } }",
    "invoice": '{ invoice(id: "I-1") { status } }',
    "receivables": "{ receivables { nodes { customer due } totalCount } }",
    "payments": "{ payments { nodes { payment onAccount } totalCount } }",
    "billing_eligibility": "{ billingEligibility { nodes { item reasons { code } } totalCount } }",
    "lot": '{ lot(id: "jira:1#1") { explain { state } } }',
    "blocking_reasons": "{ blockingReasons { code ownerRole value } }",
    "margin": "{ margin { nodes { key margin } totals { margin } } }",
    "journal": "{ journal { nodes { account functional event { sentence } } totalCount } }",
    "sync_status": "{ syncStatus { nodes { object state } totalCount } }",
    "exceptions": "{ exceptions { nodes { code } totalCount } }",
    "history": '{ history(stream: "invoice:I-1") { nodes { sentence content message { fate } } } }',
    "messages": "{ messages { nodes { messageId } totalCount } }",
    "timeline": '{ timeline(subject: "invoice:I-1") { nodes { sentence } } }',
}
"""One query for each permission to ask."""


@dataclass
class Client:
    """Somebody who asks, with a token for a role."""

    parts: Parts
    world: World
    app: FastAPI

    def fold(self) -> None:
        """Bring the live read models up to the log."""
        connections = partial(connect, self.parts.settings.database_url or "", self.parts.settings.db_schema)
        build.rebuild(self.parts.ledger, Generations(connections, self.parts.settings.db_schema))

    def post(self, query: str, role: Role | None = Role.ADMIN, **variables: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {local_token(self.parts.settings.home, role)}"} if role else {}
        return asyncio.run(self._send("POST", headers, {"query": query, "variables": variables}))

    def get(self, query: str) -> httpx.Response:
        return asyncio.run(self._send("GET", {}, {"query": query}))

    async def _send(self, method: str, headers: dict[str, str], body: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
            if method == "GET":
                return await client.get("/graphql", params=body, headers=headers)
            return await client.post("/graphql", json=body, headers=headers)

    def ask(self, query: str, role: Role = Role.ADMIN, **variables: Any) -> Any:
        answer = self.post(query, role, **variables).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def refused(self, query: str, role: Role = Role.ADMIN, **variables: Any) -> str:
        (error,) = self.post(query, role, **variables).json()["errors"]
        code: str = error["extensions"]["code"]
        return code


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with open_parts(settings) as parts:
        world = World(parts.ledger).firm().contract()
        world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
        world.work("2", day=1)
        made = Client(parts, world, make_app(parts))
        made.fold()
        yield made


def test_every_role_gets_what_the_table_of_permissions_says_and_no_more(client: Client) -> None:
    for permission, query in LISTS.items():
        for role in Role:
            answer = client.post(query, role).json()
            told = [error["extensions"]["code"] for error in answer.get("errors", ())]
            allowed = PERMISSIONS["billing_eligibility" if permission == "blocking_reasons" else permission]
            expected = [] if role in allowed else ["access.not_permitted"]
            assert told == expected, (permission, role, answer)


def test_nobody_without_a_valid_token_is_answered(client: Client) -> None:
    answer = client.post(LISTS["ledger"], None)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "access.not_signed_in"


def test_queries_are_not_taken_from_addresses(client: Client) -> None:
    assert client.get(LISTS["ledger"]).status_code == 400


def test_a_page_tells_how_many_there_are_and_how_fresh_it_is(client: Client) -> None:
    query = "{ billingEligibility(first: 1, where: {states: [ELIGIBLE, BILLED]}) {"
    query += " totalCount totals { state value } nodes { state value } pageInfo { hasNextPage endCursor }"
    query += " watermark { position isLive lag { source } } } }"
    page = client.ask(query)["billingEligibility"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    assert {each["state"]: each["value"] for each in page["totals"]} == {"BILLED": "1200.00", "ELIGIBLE": "1200.00"}
    assert page["watermark"]["position"] == client.parts.ledger.head()
    second = client.ask(
        "query($after: String) { billingEligibility(first: 1, after: $after, where: {states: [ELIGIBLE, BILLED]})"
        " { nodes { item } } }",
        after=page["pageInfo"]["endCursor"],
    )
    assert len(second["billingEligibility"]["nodes"]) == 1


def test_the_past_is_answered_as_it_was(client: Client) -> None:
    issued = next(fact for fact in client.parts.ledger.read(0, 1000) if fact.name == "invoice.issued.v1")
    query = 'query($at: Position!) { invoice(id: "I-1", asOf: {position: $at})'
    query += " { status watermark { position isLive } } }"
    before = client.ask(query, at=issued.position - 2)["invoice"]
    assert (before["status"], before["watermark"]["isLive"]) == ("APPROVED", False)
    assert client.ask(query, at=issued.position)["invoice"]["status"] == "ISSUED"


def test_an_issued_invoice_shows_its_tax_by_category_and_rate_and_a_draft_shows_none(client: Client) -> None:
    issued = next(fact for fact in client.parts.ledger.read(0, 1000) if fact.name == "invoice.issued.v1")
    query = 'query($at: Position!) { invoice(id: "I-1", asOf: {position: $at})'
    query += " { taxes { category rate taxable { amount } tax { amount } decidedBy } } }"
    document = issued.event.document
    (tax,) = client.ask(query, at=issued.position)["invoice"]["taxes"]
    assert (tax["category"], tax["rate"]) == ("S", f"{document.taxes[0].rate}")
    assert (Decimal(tax["taxable"]["amount"]), Decimal(tax["tax"]["amount"])) == (
        document.net.amount,
        document.tax.amount,
    )
    assert client.ask(query, at=issued.position - 2)["invoice"]["taxes"] == []


def test_a_line_leads_back_to_its_hours_and_forward_to_its_posting(client: Client) -> None:
    query = '{ invoice(id: "I-1") { lineage(line: 1) {'
    query += " lines { lots { source facts { name } } } postings { target state } } } }"
    invoice = client.ask(query)["invoice"]
    (lot,) = invoice["lineage"]["lines"][0]["lots"]
    assert lot["source"] == "jira:1"
    assert {"timesheet.time_logged.v1", "timesheet.approved.v1", "lot.rated.v1", "lot.billed.v1"} <= {
        fact["name"] for fact in lot["facts"]
    }
    assert invoice["lineage"]["postings"] == [{"target": "erp", "state": "requested"}]


REQUEST = """
mutation($input: RequestInvoiceInput!, $key: String!, $dry: Boolean!) {
  requestInvoice(input: $input, idempotencyKey: $key, dryRun: $dry) {
    position repeated dryRun errors { code fix } events { name }
    objects { invoices { invoice status net { amount } lines { lots { lot } } } }
  }
}
"""


def test_a_dry_run_shows_the_draft_and_records_nothing(client: Client) -> None:
    head = client.parts.ledger.head()
    asked = {"engagement": "E-1", "cutOff": "2026-03-31"}
    payload = client.ask(REQUEST, Role.FINANCE_PREPARER, input=asked, key="k1", dry=True)["requestInvoice"]
    assert (payload["dryRun"], payload["errors"]) == (True, [])
    assert payload["objects"]["invoices"][0]["net"]["amount"] == "1200.00"
    assert client.parts.ledger.head() == head


def test_a_request_is_done_once_however_often_it_is_sent(client: Client) -> None:
    asked = {"engagement": "E-1", "cutOff": "2026-03-31"}
    first, again = (
        client.ask(REQUEST, Role.FINANCE_PREPARER, input=asked, key="k1", dry=False)["requestInvoice"] for _ in range(2)
    )
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert first["objects"]["invoices"][0]["invoice"] == again["objects"]["invoices"][0]["invoice"]


def test_a_service_is_refused_to_other_roles_with_what_to_do(client: Client) -> None:
    asked = {"engagement": "E-1", "cutOff": "2026-03-31"}
    payload = client.ask(REQUEST, Role.VIEWER, input=asked, key="k1", dry=False)["requestInvoice"]
    (problem,) = payload["errors"]
    assert problem["code"] == "access.not_permitted"
    assert problem["fix"]


def test_waiting_for_a_position_that_does_not_come_ends_with_a_clear_error(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.graphql.asking.WAIT_SECONDS_MAX", 0.2)
    assert client.refused("{ ledger(waitFor: 999999) { position } }") == "read_model.behind"


def test_the_future_is_not_answered(client: Client) -> None:
    assert client.refused("{ ledger(asOf: {position: 999999}) { position } }") == "as_of.in_the_future"


def test_what_goes_wrong_inside_tells_nothing_about_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("postgresql://owner:secret@host/db")

    monkeypatch.setattr("projections.registers.engagements.find", broken)
    answer = client.post(LISTS["engagements"])
    assert "secret" not in answer.text
    assert "RuntimeError" not in answer.text


def test_who_guesses_at_names_is_not_helped(client: Client) -> None:
    (error,) = client.post("{ invoises { totalCount } }").json()["errors"]
    assert error["extensions"]["code"] == "request.invalid"
    assert "invoices" not in error["message"]


def test_the_schema_is_told_on_this_machine_alone(client: Client) -> None:
    question = "{ __schema { queryType { name } } }"
    assert client.ask(question)["__schema"] == {"queryType": {"name": "Query"}}
    production = replace(client.parts, settings=client.parts.settings.at(mode="production"))
    answer = replace(client, app=make_app(production)).post(question).json()
    assert answer["data"] is None
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"request.invalid"}


def test_a_request_that_is_too_long_is_not_read_to_its_end(client: Client) -> None:
    (error,) = client.post("{ ledger { " + "position " * 2_001 + "} }").json()["errors"]
    assert "2000 tokens" in error["message"]
    answer = client.post("{ ledger { position } } #" + "x" * 256 * 1024)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (413, "request.too_large")


def test_an_answer_that_takes_too_long_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any) -> None:
        time.sleep(1.5)

    monkeypatch.setattr("api.serving.parts.REQUEST_SECONDS_MAX", 0.5)
    monkeypatch.setattr("projections.registers.engagements.find", slow)
    assert client.refused(LISTS["engagements"]) == "request.timed_out"
    with client.parts.pool.connection() as conn:
        assert conn.execute("SHOW statement_timeout").fetchone() == ("20s",)


def test_a_request_that_costs_too_much_is_refused(client: Client) -> None:
    deep = "{ invoices(first: 500) { nodes { lineage { lines { lots { facts { message { payload } } } } } } } }"
    wide = "{" + " ".join(f"a{n}: ledger {{ position }}" for n in range(40)) + "}"
    assert client.refused(wide) == "request.too_costly"
    assert "errors" not in client.post(deep).json() or client.refused(deep) == "request.too_costly"


def test_what_an_auditor_reads_is_noted_for_ever(client: Client) -> None:
    client.ask(LISTS["invoices"], Role.AUDITOR)
    client.ask(LISTS["invoices"], Role.VIEWER)
    with client.parts.pool.connection() as conn:
        noted = conn.execute("SELECT subject, query FROM audit_read").fetchall()
    assert noted == [("auditor", LISTS["invoices"])]
