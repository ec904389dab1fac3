"""The sample firm in a running ledger, from the first deal to paid invoices: all roles, real PostgreSQL, real NATS."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson
import pytest

from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect
from adapters.settings import Settings
from adapters.simulation.auditor import Account, Auditor, Place
from adapters.simulation.facts import BillingRun
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Message
from adapters.simulation.stream import stream
from api.access import Role
from api.books import open_ledger
from api.commands.verify import report_of
from api.roles import ROLES
from api.roles import Role as Part
from api.sample.finance import entities_of
from api.sample.firm import load_sample
from api.sample.mark import SAMPLE_FILE, story_of, where_to_look
from api.sample.settled import NAMES
from api.tokens import local_token
from domain.exception import ExceptionOpened
from domain.invoice import Issued
from domain.kernel import decider_name, stream_of
from domain.timesheet import TimeLogged
from tests.adapters.simulation.in_memory import SOURCES, accounts_of

PLAN = Plan(seed=11, consultants=6, months=2)
TARGETS = ("psa", "erp")


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """All roles of the ledger, each in a thread."""
    stop, failures = threading.Event(), list[BaseException]()

    def work(part: Part) -> None:
        try:
            part.run(settings, stop)
        except BaseException as failure:  # noqa: BLE001 -- the test itself says that nothing may fail
            failures.append(failure)
            stop.set()

    threads = [threading.Thread(target=partial(work, part), name=part.name, daemon=True) for part in ROLES]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


def audited(plan: Plan) -> dict[Place, Account]:
    """The auditor's books after everything that the sample's finance department bills."""
    firm, auditor = Firm(plan), Auditor()
    sellers = {f"E-{each.deal}": each.entity.code for slot in range(plan.slots) for each in firm.engagements(slot)}
    for item in stream(firm):
        if isinstance(item, BillingRun):
            asked = entities_of(item, firm)
            auditor.bill(item.cut_off, {deal for deal, seller in sellers.items() if seller in asked})
        elif item.fact is not None:
            auditor.hear(item.fact)
    return auditor.accounts()


def accounts_in(ledger: Ledger) -> dict[Place, Account]:
    streams = {fact.stream for fact in ledger.read(0, 100_000) if decider_name(fact.stream) in SOURCES}
    states = ledger.load(sorted(streams)).values()
    return accounts_of(held for loaded in states for held in loaded.state.lots.values())


def asked(settings: Settings, query: str) -> Any:
    """What GraphQL answers to an auditor."""
    request = urllib.request.Request(  # noqa: S310 -- the test's own server
        f"{settings.http_url}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {local_token(settings.home, Role.AUDITOR)}"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 -- the test's own server
        told = json.load(answer)
    assert "errors" not in told
    return told["data"]


def received_in(settings: Settings) -> list[tuple[str, str, str | None, int]]:
    """Every message received: its system, its fate and why, how often it was delivered."""
    assert settings.database_url is not None
    with connect(settings.database_url, settings.db_schema, "test") as conn:
        rows: list[Any] = conn.execute("SELECT system, fate, code, deliveries FROM received_message").fetchall()
    return rows


@pytest.mark.slow
def test_a_small_firm_from_its_first_deal_to_paid_invoices(settings: Settings) -> None:
    shown: list[tuple[int, int, str]] = []
    with running(settings):
        load_sample(settings, lambda *step: shown.append(step), PLAN)
        told = json.loads((settings.home / SAMPLE_FILE).read_text())
        with open_ledger(settings) as ledger:
            the_books_are_the_auditors(ledger)
            the_invoice_worth_looking_at_is_paid(settings, ledger, told)
            loading_again_changes_nothing(settings, ledger)
        every_message_has_a_fate(settings, told)
        assert report_of(settings, lambda *_: None).holds
    assert shown[-1] == (told["messages"], told["messages"], "messages")
    assert [done for done, _, _ in shown] == sorted(done for done, _, _ in shown)


def what_waits(ledger: Ledger) -> Iterator[str]:
    """Where it got to, what is missing from the books: waiting messages, open exceptions, how far each project is."""
    facts = ledger.read(0, 100_000)
    for thing in ledger.waiting():
        yield f"{len(ledger.parked([thing]))} messages wait for {thing}"
    for fact in facts:
        if decider_name(fact.stream) in ("opportunity", "project") or isinstance(fact.event, ExceptionOpened):
            yield f"{fact.position} {fact.stream} {fact.name} {getattr(fact.event, 'problem', '')}"
    for name in NAMES:
        yield f"{name} is at {ledger.tracked(name)} of {ledger.head()}"


def the_books_are_the_auditors(ledger: Ledger) -> None:
    expected = audited(PLAN)
    assert accounts_in(ledger) == expected, "\n".join(what_waits(ledger))
    assert sum(account.billed > 0 for account in expected.values()) >= 3


def the_invoice_worth_looking_at_is_paid(settings: Settings, ledger: Ledger, told: dict[str, Any]) -> None:
    """It is found again from the file, tells its story in GraphQL, and leads back to the message of a time system."""
    name = stream_of("invoice", told["invoice"])
    invoice = ledger.load([name])[name].state
    assert isinstance(invoice, Issued)
    assert invoice.document.number == told["number"]
    assert not invoice.due
    assert any(told["number"] in what for what, _ in where_to_look(settings.home))
    sentences = [fact["sentence"] for fact in asked(settings, story_of(told["invoice"]))["timeline"]["nodes"]]
    assert any("paid in full" in sentence for sentence in sentences)

    lot = next(
        part for line in invoice.document.lines for part in line.lots if decider_name(part.stream) == "timesheet"
    )
    source = ledger.load([lot.stream])[lot.stream].state.lots[lot.lot].lot.source
    logged = next(
        fact for fact in ledger.history(lot.stream) if isinstance(fact.event, TimeLogged) and fact.event.entry == source
    )
    assert logged.cause.message_id is not None
    message = ledger.message(logged.cause.message_id)
    assert message is not None
    assert message.system in ("jira", "tempo", "canonical")
    assert orjson.loads(message.payload)


def loading_again_changes_nothing(settings: Settings, ledger: Ledger) -> None:
    head, told = ledger.head(), (settings.home / SAMPLE_FILE).read_text()
    load_sample(settings, lambda *_: None, PLAN)
    (settings.home / SAMPLE_FILE).unlink()
    load_sample(settings, lambda *_: None, PLAN)
    assert ledger.head() == head
    assert (settings.home / SAMPLE_FILE).read_text() == told


def every_message_has_a_fate(settings: Settings, told: dict[str, Any]) -> None:
    rows = received_in(settings)
    sent = [item for item in stream(Firm(PLAN)) if isinstance(item, Message)]
    assert told["messages"] == len(sent)
    assert sum(deliveries for system, _, _, deliveries in rows if system not in TARGETS) == len(sent)
    fates = Counter(fate for _, fate, _, _ in rows)
    assert fates["recorded"] > len(sent) / 2
    wrong = sum(item.fault is not None for item in sent)
    assert sum(fates[fate] for fate in ("quarantined", "conflict")) <= wrong
    assert told["wrong_messages"] == wrong


def test_the_marker_alone_says_that_the_sample_is_there(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    marker = {"state": "loaded", "invoice": None}
    (settings.home / SAMPLE_FILE).write_text(json.dumps(marker))
    away = settings.at(nats_url="nats://127.0.0.1:1", database_url="postgresql://127.0.0.1:1/none")
    load_sample(away, lambda *_: None)
    assert where_to_look(away.home) == []
