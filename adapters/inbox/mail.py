"""A piece of mail is a message with its identity and, if it can be read, its statements."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from adapters.broker import MESSAGE_ID_HEADER, Delivery
from adapters.eventstore.rows import Fate, MessageKey, ReceivedMessage
from adapters.inbox.outcome import Outcome
from adapters.vendors.intake import Intake, Vendor
from adapters.vendors.letter import Letter, message_id_of, opened, sha256
from adapters.vendors.unreadable import Defective, TextWithNul, UnknownSubject, Unreadable

Vendors = Mapping[str, Vendor]

UNKNOWN_SYSTEM = "unknown"
"""The system of a message whose subject names none that is known."""
ANY_FEED: Final = "ecb"
"""How every feed of exchange rates is read, whatever its name: in the layouts that the central bank uses."""

log = structlog.get_logger("inbox")


@dataclass(frozen=True, slots=True)
class Mail:
    """A message and what is in it; ``unreadable`` says why there are no intakes.

    ``fate_before`` is what had become of it when it was kept before.
    """

    message_id: str
    system: str
    business_id: str
    subject: str
    sha256: bytes
    headers: Mapping[str, str]
    payload: bytes
    sequence: int | None
    intakes: Sequence[Intake] = ()
    unreadable: Unreadable | None = None
    fate_before: Fate | None = None

    @property
    def key(self) -> MessageKey:
        """What its system calls the message."""
        return (self.system, self.business_id)

    def received(self, at: datetime, outcome: Outcome) -> ReceivedMessage:
        """The row that keeps the message and says what became of it."""
        return ReceivedMessage(
            message_id=self.message_id,
            system=self.system,
            subject=self.subject,
            business_message_id=self.business_id,
            payload_sha256=self.sha256,
            headers=self.headers,
            payload=self.payload,
            received_at=at,
            broker_sequence=self.sequence,
            fate=outcome.fate,
            code=outcome.code,
            detail=outcome.detail,
            streams=outcome.streams,
            events=outcome.events,
        )


_NUL: Final = rb"\u0000"
"""A NUL as JSON writes it."""
_NUL_OF_TEXT: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The same where its backslash is not text itself, which is written as two."""


def mail_of(delivery: Delivery, vendors: Vendors) -> Mail:
    """What was delivered, read as far as it can be."""
    subject, headers, payload = delivery.subject, delivery.headers, delivery.payload
    system, business_id, intakes, problem = _read(subject, headers, payload, vendors)
    return Mail(
        ReceivedMessage.id_for(system, business_id),
        system,
        business_id,
        subject,
        sha256(payload),
        headers,
        payload,
        delivery.sequence,
        intakes,
        problem,
    )


def mail_again(message: ReceivedMessage, vendors: Vendors) -> Mail:
    """A message that was kept, read anew."""
    _, _, intakes, problem = _read(message.subject, message.headers, message.payload, vendors)
    return Mail(
        message.message_id,
        message.system,
        message.business_message_id,
        message.subject,
        message.payload_sha256,
        message.headers,
        message.payload,
        message.broker_sequence,
        intakes,
        problem,
        message.fate,
    )


def _read(
    subject: str, headers: Mapping[str, str], payload: bytes, vendors: Vendors
) -> tuple[str, str, Sequence[Intake], Unreadable | None]:
    system, business_id = UNKNOWN_SYSTEM, None
    try:
        letter = opened(subject, headers, payload)
        vendor = vendors.get(letter.system) or (vendors.get(ANY_FEED) if letter.object == "fx" else None)
        if vendor is None:
            raise UnknownSubject(f"{letter.system!r} is not a system that is known.")
        system = letter.system
        business_id = _business_id(letter, vendor, subject, payload)
        intakes = vendor.translate(letter)
        if _NUL in payload and _NUL_OF_TEXT.search(payload):
            raise TextWithNul
        return system, business_id, intakes, None
    except Unreadable as unreadable:
        problem: Unreadable = unreadable
    except Exception as defect:
        log.exception("translation failed", subject=subject)
        problem = Defective(f"{type(defect).__name__}: {defect}")
    words = subject.split(".")
    if system == UNKNOWN_SYSTEM and len(words) > 2 and words[2] in vendors:
        system = words[2]
    return system, business_id or message_id_of(subject, headers, payload), (), problem


def _business_id(letter: Letter, vendor: Vendor, subject: str, payload: bytes) -> str:
    """The name under which the message is known: its envelope's, its vendor's, the gateway's, or its own content."""
    if letter.event_id is not None:
        return letter.event_id
    own = vendor.message_id(letter) or letter.headers.get(MESSAGE_ID_HEADER.lower())
    return own or message_id_of(subject, letter.headers, payload)
