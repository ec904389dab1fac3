"""The parts that the ledger runs as: one module for each, all in one ``p2c up`` or each as a process of its own."""

from __future__ import annotations

import gc
import importlib
import signal
import threading
from dataclasses import dataclass

from adapters.settings import Settings


@dataclass(frozen=True, slots=True)
class Role:
    """One part of the running ledger: ``main(settings, stop)`` in its module works until ``stop`` is set.

    The settings name both servers. ``stop`` is a ``threading.Event``; a role that is asynchronous inside awaits
    ``asyncio.to_thread(stop.wait)``. A role that returns unasked, or raises, is started again.
    """

    name: str
    purpose: str
    package: str = "api.roles"

    @property
    def module(self) -> str:
        """The module that holds the role's ``main``."""
        return f"{self.package}.{self.name}"

    def run(self, settings: Settings, stop: threading.Event) -> None:
        """Work until told to stop."""
        gc.disable()  # what is imported is no garbage
        module = importlib.import_module(self.module)
        gc.freeze()
        gc.enable()
        module.main(settings, stop)


ROLES = (
    Role("ingest", "decides what the source systems tell"),
    Role("project", "keeps the read models current"),
    Role("automate", "acts on what has happened"),
    Role("schedule", "says which day it is"),
    Role("relay", "hands outgoing work to the broker"),
    Role("connect", "carries outgoing work to PSA and ERP"),
    Role("serve", "answers GraphQL, health and services"),
)


def role_named(name: str) -> Role:
    """The role of this name; raises KeyError when there is none."""
    return {role.name: role for role in ROLES}[name]


def run_alone(role: Role, settings: Settings) -> None:
    """Run one role in this process until Ctrl-C or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    role.run(settings, stop)
