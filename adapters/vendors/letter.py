"""A letter is a message as it came, with its envelope opened: who speaks, of what, under which id, and what is said."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.vendors.unreadable import BadEnvelope, MalformedJson, Oversize, UnknownSubject, WrongType

SUBJECT_WORDS: Final = ("p2c", "in")
PAYLOAD_BYTES_MAX: Final = 512 * 1024
"""More than this is no message about one object."""

_ID_CHARACTERS_MAX: Final = 300

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Letter:
    """``content`` is the vendor's own payload; ``headers`` have small letters; ``event_id`` and ``event_time`` are
    those of a CloudEvents envelope, None without one.
    """

    system: str
    object: str
    verb: str
    headers: Mapping[str, str]
    content: bytes
    event_id: str | None = None
    event_time: datetime | None = None
    _read: list[BaseModel] = field(default_factory=list, init=False, repr=False, compare=False)

    def read(self, model: type[Model]) -> Model:
        """The content in the shape that the vendor promises, read once; raises MalformedJson or WrongType."""
        for known in self._read:
            if isinstance(known, model):
                return known
        try:
            found = model.model_validate_json(self.content)
        except ValidationError as error:
            raise unreadable(error) from error
        self._read.append(found)
        return found


@dataclass(frozen=True, slots=True)
class Address:
    """What a subject says: ``p2c.in.<system>.<object>.<verb>``."""

    system: str
    object: str
    verb: str


class _CloudEvent(BaseModel):
    """The envelope of CloudEvents 1.0 in structured JSON mode."""

    model_config = ConfigDict(strict=True)

    specversion: str
    id: str
    source: str
    type: str
    time: datetime | None = None


@lru_cache(maxsize=1024)
def address(subject: str) -> Address:
    """What a subject says; raises UnknownSubject."""
    words = subject.split(".")
    if len(words) != 5 or tuple(words[:2]) != SUBJECT_WORDS or not all(words):
        raise UnknownSubject(subject)
    return Address(words[2], words[3], words[4])


def opened(subject: str, headers: Mapping[str, str], payload: bytes) -> Letter:
    """The letter in a message; raises Unreadable when its envelope cannot be opened."""
    place = address(subject)
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise Oversize(f"{len(payload)} bytes, at most {PAYLOAD_BYTES_MAX}.")
    small = {name.lower(): value for name, value in headers.items()}
    if b'"specversion"' in payload and (event := _structured(payload)) is not None:
        content = orjson.dumps(event.get("data"))
        head = _envelope(orjson.dumps({name: event[name] for name in event.keys() & _CloudEvent.model_fields.keys()}))
        return _enveloped(place, small, content, head)
    if "ce-specversion" in small:
        told = {name.removeprefix("ce-"): value for name, value in small.items() if name.startswith("ce-")}
        head = _envelope(orjson.dumps(told))
        return _enveloped(place, small, payload, head)
    return Letter(place.system, place.object, place.verb, small, payload)


def sha256(payload: bytes) -> bytes:
    """The fingerprint that tells a repetition from another content under the same id."""
    return hashlib.sha256(payload).digest()


def message_id_of(subject: str, headers: Mapping[str, str], payload: bytes) -> str:
    """The best id of a message whose content nobody can read."""
    small = {name.lower(): value for name, value in headers.items()}
    if (event := small.get("ce-id")) is not None:
        return f"{small.get('ce-source', '')}#{event}"[:_ID_CHARACTERS_MAX]
    return small.get("nats-msg-id") or f"sha256:{sha256(subject.encode() + b' ' + payload).hex()}"


def unreadable(error: ValidationError) -> MalformedJson | WrongType:
    """What is wrong with a content, in a line for each of the first few places."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return MalformedJson(found[0]["msg"].removeprefix("Invalid JSON: ") + ".")
    places = [f"{'.'.join(map(str, each['loc'])) or 'content'}: {each['msg']}" for each in found[:5]]
    return WrongType("; ".join(places) + ("; and more." if len(found) > 5 else "."))


def _structured(payload: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(f"{error}.") from error
    return body if isinstance(body, dict) and "specversion" in body else None


def _envelope(text: bytes) -> _CloudEvent:
    try:
        event = _CloudEvent.model_validate_json(text)
    except ValidationError as error:
        raise BadEnvelope(unreadable(error).detail) from error
    if event.specversion != "1.0":
        raise BadEnvelope(f"specversion {event.specversion}.")
    if event.time is not None and event.time.tzinfo is None:
        raise BadEnvelope("time: without its offset.")
    return event


def _enveloped(place: Address, headers: Mapping[str, str], content: bytes, event: _CloudEvent) -> Letter:
    event_id = f"{event.source}#{event.id}"[:_ID_CHARACTERS_MAX]
    return Letter(place.system, place.object, place.verb, headers, content, event_id, event.time)
