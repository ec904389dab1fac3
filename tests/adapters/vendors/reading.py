"""Reads a message as the inbox would, and says what it would ask of the domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.broker import Delivery
from adapters.eventstore.memory import MemoryLedger
from adapters.inbox.mail import Mail, mail_of
from adapters.vendors.intake import Intake, Resolved
from adapters.vendors.registry import VENDORS
from domain.catalogue import DECIDERS
from domain.kernel import Addressed, StreamId
from domain.reference.identifier import ExternalRef
from tests.adapters.vendors.payloads import Letter


def mail(letter: Letter) -> Mail:
    return mail_of(Delivery(letter.subject, letter.headers, letter.payload, 1), VENDORS)


def intakes(letter: Letter) -> Sequence[Intake]:
    """The statements of a message that can be read."""
    found = mail(letter)
    assert found.unreadable is None, found.unreadable.message
    return found.intakes


def intake(letter: Letter) -> Intake:
    [only] = intakes(letter)
    return only


def problem(letter: Letter) -> tuple[str, str]:
    """Why a message cannot be read: the code, and the values that led to it."""
    found = mail(letter).unreadable
    assert found is not None, "it can be read"
    return found.code, found.detail


def commands(
    letter: Letter, names: Mapping[ExternalRef, str] | None = None, home: str | None = None
) -> list[Addressed]:
    """What one statement asks of the domain, in books in which nothing is recorded yet."""
    unit = MemoryLedger({}, DECIDERS).unit()
    told = intake(letter)
    known = {ref: (names or {}).get(ref, f"our-{ref.id}") for ref in told.needs}
    return list(told.commands(Resolved(known, StreamId(home) if home else None, unit.state)))


def command(letter: Letter, names: Mapping[ExternalRef, str] | None = None) -> Any:
    """The first command of the one statement."""
    return commands(letter, names)[0].command
