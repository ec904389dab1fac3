"""The rows written in one transaction with the events: messages, fates, parked work, outgoing work, receipts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from domain.kernel import StreamId

Fate = Literal["recorded", "quiet", "refused", "parked", "duplicate", "conflict", "quarantined"]
"""What became of a message: it led to events; it told nothing new; the rules refused it; it waits for its parents;
another message had told the same; its id was used before with another content; it could not be read."""

MessageKey = tuple[str, str]
"""A source system and its own id for a message."""

ObjectKey = tuple[str, str, str]
"""A source system, its kind of object, and its id for the object."""


KEY_CHARACTERS_MAX: Final = 400
DETAIL_CHARACTERS_MAX: Final = 10_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Text as the database can hold it: what vendors send may contain NUL and halves of characters."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def key_text(text: str) -> str:
    """Text as an index can hold it: a long one keeps its beginning and gets its fingerprint."""
    if not text.isascii() or "\x00" in text:
        text = _UNSTORABLE.sub("\ufffd", text)
    if len(text) <= KEY_CHARACTERS_MAX:
        return text
    return f"{text[: KEY_CHARACTERS_MAX - 65]}#{hashlib.sha256(text.encode()).hexdigest()}"


def _is_tidy(*texts: str) -> bool:
    """Whether texts may stay as they are: together they are a text that may, and so each of them may."""
    together = "".join(texts)
    return len(together) <= KEY_CHARACTERS_MAX and together.isascii() and "\x00" not in together


def _tidy(row: Any, **values: Any) -> None:
    """Put better values into a row that is being made."""
    for name, value in values.items():
        if getattr(row, name) is not value:
            object.__setattr__(row, name, value)


def _tidy_detail(text: str | None) -> str | None:
    return None if text is None else storable(text[:DETAIL_CHARACTERS_MAX])


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as it was delivered, whole, and what became of it.

    ``streams`` are those whose deciders were asked, ``events`` the ids (``stream@version``) of what was recorded.
    ``code`` and ``detail`` say why, for every fate but 'recorded' and 'quiet'.
    """

    message_id: str
    system: str
    subject: str
    business_message_id: str
    payload_sha256: bytes
    headers: Mapping[str, str]
    payload: bytes
    received_at: datetime
    broker_sequence: int | None
    fate: Fate
    code: str | None = None
    detail: str | None = None
    streams: tuple[StreamId, ...] = ()
    events: tuple[str, ...] = ()
    deliveries: int = 1

    def __post_init__(self) -> None:
        headers, detail = self.headers, self.detail or ""
        texts = (self.message_id, self.subject, self.business_message_id, detail, *headers, *headers.values())
        if _is_tidy(*texts) and isinstance(self.streams, tuple):
            return
        _tidy(
            self,
            message_id=key_text(self.message_id),
            subject=storable(self.subject),
            business_message_id=key_text(self.business_message_id),
            headers={storable(name): storable(value) for name, value in headers.items()},
            detail=_tidy_detail(self.detail),
            streams=tuple(self.streams),
            events=tuple(self.events),
        )

    @staticmethod
    def id_for(system: str, business_message_id: str) -> str:
        """Our own id of a message's row."""
        return key_text(f"{system}:{business_message_id}")

    @staticmethod
    def conflict_id_for(system: str, business_message_id: str, payload_sha256: bytes) -> str:
        """Our own id of a row whose business id was used before with another content."""
        return key_text(f"{system}:{business_message_id}#{payload_sha256.hex()}")

    @property
    def key(self) -> MessageKey:
        """What a source system calls this message."""
        return (self.system, self.business_message_id)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a parked message when it was driven again; fate 'parked' means that it waits on.

    ``was`` is another fate than 'parked' when a person asked for a message to be tried again that had failed.
    """

    message_id: str
    fate: Fate
    code: str | None = None
    detail: str | None = None
    streams: tuple[StreamId, ...] = ()
    events: tuple[str, ...] = ()
    was: Fate = "parked"

    def __post_init__(self) -> None:
        _tidy(self, message_id=key_text(self.message_id), detail=_tidy_detail(self.detail))


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A received message waits for something that is not known yet; those that wait for the same go by order key."""

    message_id: str
    waits_for: str
    order_key: str

    def __post_init__(self) -> None:
        message_id, waits_for, order_key = map(key_text, (self.message_id, self.waits_for, self.order_key))
        _tidy(self, message_id=message_id, waits_for=waits_for, order_key=order_key)


@dataclass(frozen=True, slots=True)
class SourceObject:
    """Where a source system's object lives with us, and its newest revision that we saw.

    Revisions of one kind of object sort as text, e.g. UTC times in ISO format or numbers padded with zeros. ``seen`` is
    the revision on which this was decided, empty when the object was not known: if it is another one by now, nothing
    is recorded. None means that it does not matter.
    """

    system: str
    object: str
    external_id: str
    revision: str
    home: StreamId | None = None
    seen: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not _is_tidy(self.external_id, self.revision):
            _tidy(self, external_id=key_text(self.external_id), revision=key_text(self.revision))

    @property
    def key(self) -> ObjectKey:
        """What identifies the object in its source system."""
        return (self.system, self.object, self.external_id)


def merge_sources(sources: Iterable[SourceObject]) -> list[SourceObject]:
    """One row per object: the newest revision, the last home that anyone named, and what the first one had seen."""
    merged: dict[ObjectKey, SourceObject] = {}
    for source in sources:
        known = merged.get(source.key)
        if known is not None:
            newest = max(known.revision, source.revision)
            home = source.home or known.home
            source = replace(source, revision=newest, home=home, seen=known.seen)  # noqa: PLW2901 -- the merged one
        merged[source.key] = source
    return list(merged.values())


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One message that another system has to get because of one event; ``id`` is given by the log."""

    stream: StreamId
    version: int
    target: str
    subject: str
    nats_msg_id: str
    payload: bytes
    headers: Mapping[str, str]
    id: int = 0


@dataclass(frozen=True, slots=True)
class CommandReceipt:
    """The remembered answer to a request with an idempotency key: the events it led to, perhaps none."""

    key: str
    actor: str
    payload_sha256: bytes
    versions: Mapping[StreamId, int]
    events: tuple[str, ...]

    def __post_init__(self) -> None:
        _tidy(self, key=key_text(self.key))
