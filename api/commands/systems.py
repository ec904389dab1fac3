"""``p2c systems``: who talks to the ledger, what runs, and who is behind."""

from __future__ import annotations

import json as text
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import nats.errors
import psycopg
from rich.console import Console
from rich.table import Table

from adapters import embedded
from adapters.logs import hide_passwords
from adapters.settings import Settings, load
from adapters.vendors.registry import VENDORS
from api import facts
from api.commands.tables import table
from api.facts import BrokerFacts, ConsumerFacts


@dataclass(frozen=True, slots=True)
class ServerState:
    """One server of this installation and whether it answers."""

    name: str
    address: str
    state: str


@dataclass(frozen=True, slots=True)
class SystemState:
    """One outside system that the ledger can speak with, and what the broker holds from it and for it."""

    name: str
    received: int
    outgoing: int


def run(*, json: bool) -> None:
    """Show systems, servers and consumers; what cannot be reached is shown as such."""
    settings = embedded.found(load())
    servers, broker = look(settings)
    systems = known_systems(broker)
    consumers = [consumer for stream in (broker.streams if broker else ()) for consumer in stream.consumers]
    if json:
        whole = {
            "servers": [asdict(server) for server in servers],
            "systems": [asdict(system) for system in systems],
            "consumers": [asdict(consumer) for consumer in consumers],
        }
        sys.stdout.write(text.dumps(whole, indent=2) + "\n")
        return
    console = Console()
    for each in _tables(servers, systems, consumers):
        if each.row_count:
            console.print(each, "")


def look(settings: Settings) -> tuple[list[ServerState], BrokerFacts | None]:
    """Ask both servers how they are."""
    database, state = settings.database_url, "not running"
    if database is not None:
        try:
            answer = facts.database(settings)
            state = f"answers, version {answer.version // 10000}.{answer.version % 10000}"
        except psycopg.Error as problem:
            state = f"does not answer: {problem}"
    servers = [ServerState("PostgreSQL", hide_passwords(database or str(settings.home / "postgres")), state)]
    broker, url, state = None, settings.nats_url, "not running"
    if url is not None:
        try:
            broker = facts.broker(settings)
            state = f"answers, version {broker.version}"
        except (nats.errors.Error, OSError) as problem:
            state = f"does not answer: {problem}"
    servers.append(ServerState("NATS", hide_passwords(url or str(settings.home / "nats")), state))
    return servers, broker


def known_systems(broker: BrokerFacts | None) -> list[SystemState]:
    """The systems that have a translator here, and any other that has sent messages."""
    counts: dict[str, Counter[str]] = {"in": Counter(), "out": Counter()}
    for stream in broker.streams if broker else ():
        for subject, messages in stream.messages_by_subject.items():
            words = subject.split(".")
            if len(words) > 2 and words[0] == "p2c" and words[1] in counts:
                counts[words[1]][words[2]] += messages
    names = {*VENDORS, *counts["in"], *counts["out"]}
    return [SystemState(name, counts["in"][name], counts["out"][name]) for name in sorted(names)]


def _tables(servers: list[ServerState], systems: list[SystemState], consumers: list[ConsumerFacts]) -> Iterator[Table]:
    yield table(((each.name, each.state, each.address) for each in servers), ("server", "state", "address"))
    heard = ((each.name, each.received, each.outgoing) for each in systems)
    yield table(heard, ("system",), ("messages received", "messages for it"))
    waiting = ((each.stream, each.name, each.pending, each.in_progress, each.redelivered) for each in consumers)
    yield table(waiting, ("stream", "consumer"), ("behind", "in progress", "delivered again"))
