"""What may go wrong on the way to and from the log, each kind by its own name."""

from __future__ import annotations

from domain.kernel import Refused


class LogError(Exception):
    """The event log could not do what was asked."""


class VersionConflict(LogError):
    """Somebody else recorded on one of the streams first: load again and decide again."""


class StartedAnew(VersionConflict):
    """The database was started anew since this was decided, perhaps from a backup: load again and decide again."""


class AlreadyRecorded(LogError):
    """Another worker has recorded one of these messages, steps or outgoing messages: nothing was recorded now.

    ``constraint`` names the receipt that said so. Read the receipts again and leave out what is done.
    """

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__(constraint)


class LedgerUnreachable(LogError):
    """The database did not answer, or lets nobody write, so whether the work was recorded is unknown: repeat it, the
    receipts protect it.
    """


class TooLarge(LogError):
    """One commit holds more events than the log takes at once: split the work."""


class DatabaseFunctionsEnabled(LogError):
    """POSTGRES_ENABLE_DB_FUNCTIONS must be off: such inserts skip the ordering lock, the receipts and the tracking."""


class UnknownDecider(LogError):
    """No decider governs streams of this name: add it to the catalogue, or correct the stream's name."""


class CodecError(LogError):
    """An event and its published form do not fit together."""


class UnknownEventName(CodecError):
    """The log holds, or somebody asked for, an event whose name is not in the catalogue and has no upcast."""


class UnreadableEvent(CodecError):
    """The stored form of an event does not have the shape that its published name promises."""


class UnfaithfulEvent(CodecError):
    """This event would not read back as it is, so it is not recorded: correct the types of its fields."""


class CatalogueError(CodecError):
    """The catalogue of published events contradicts itself or names a type that cannot be published."""


class IdempotencyKeyReused(Refused):
    """This idempotency key was used before for a request with another content."""

    code = "request.idempotency_key_reused"
    fix = "Use a new key for a new request, or send the first request again unchanged."


class BadStreamName(Refused):
    """The name of this stream is longer than 400 characters or holds characters that cannot be stored."""

    code = "stream.bad_name"
    fix = "Correct the identifier in its source system, or map it to another one."
