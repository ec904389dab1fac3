"""What a connector reports about its work, as messages to the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from adapters.broker import Outgoing
from adapters.targets.target import Accepted, Answer, Declined, Done, Work


@dataclass(frozen=True, slots=True)
class Doubt:
    """Nobody knows whether the target did what was asked; it will be looked up."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Words:
    """How the ledger calls a kind of object, and its success."""

    object: str
    done: str
    field: str


_WORDS: Final[Mapping[str, _Words]] = {
    "project.create.v1": _Words("project", "confirmed", "project"),
    "invoice.post.v1": _Words("invoice", "posted", "invoice"),
    "credit_note.post.v1": _Words("credit_note", "posted", "creditNote"),
}

KNOWN_TYPES: Final = frozenset(_WORDS)
"""The types of work whose outcome can be told."""


def report(target: str, work: Work, outcome: Answer | Doubt, at: datetime) -> Outgoing:
    """The message that tells an outcome as it was known at a moment.

    Its id says what it says, so that a repetition is known by it. A later moment makes it another message, of which the
    ledger finds that it tells nothing new.
    """
    words = _WORDS[work.type]
    verb, said = _said(words, outcome)
    body = {words.field: work.key.partition(":")[2], "at": utc(at), **said}
    digest = hashlib.sha256(orjson.dumps(body)).hexdigest()[:12]
    id_ = f"{work.id}/{verb}/{digest}"
    subject = f"p2c.in.{target}.{words.object}.{verb}"
    return Outgoing(subject, orjson.dumps({"id": id_, **body}), {}, f"{target}:{id_}")


def _said(words: _Words, outcome: Answer | Doubt) -> tuple[str, dict[str, Any]]:
    match outcome:
        case Done(external_id, other_names):
            names = [{"system": name.system, "object": name.object, "id": name.id} for name in other_names]
            return words.done, {"externalId": external_id, **({"identifiers": names} if names else {})}
        case Accepted():
            return "sent", {}
        case Declined(reason):
            return "rejected", {"reason": reason}
        case Doubt(reason):
            return "in_doubt", {"reason": reason}


def utc(moment: datetime) -> str:
    """A moment as targets write it: ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
