"""A batch is one unit of work over many messages: everything they need is loaded at once, then each is decided alone.

What one message leads to is undone if the rules refuse it, and the others go on. Nothing is recorded here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import structlog

from adapters.eventstore.base import BaseLedger
from adapters.eventstore.errors import LedgerUnreachable
from adapters.eventstore.rows import (
    MessageKey,
    ObjectKey,
    ParkedMessage,
    ReceivedMessage,
    Settlement,
    SourceObject,
    key_text,
    merge_sources,
)
from adapters.eventstore.unit import Loaded, UnitOfWork
from adapters.inbox import problems
from adapters.inbox.mail import Mail
from adapters.inbox.outcome import Outcome
from adapters.inbox.waiting import NOT_YET, Awaited, name_awaited, stream_awaited
from adapters.vendors.intake import Context, Intake, Names, Resolved, revision_of
from adapters.vendors.unreadable import Defective, Unreadable
from domain.exception import ExceptionItem, Kind, Problem, RaiseException, ResolveException, exception_stream
from domain.kernel import Addressed, Cause, Refused, StreamId
from domain.reference.identifier import ExternalRef, Identifier, identifier_stream

INBOX: Final = "system:inbox"
"""Who opens and settles work items by itself."""

log = structlog.get_logger("inbox")


class IdReused(Refused):
    """The id of this message was used before for a message with another content."""

    code = "message.id_reused"
    fix = "Find out which content is right; retry this exception to accept this one, or resolve it."


class _Waits(Exception):
    """A message cannot be decided before something arrives."""

    def __init__(self, thing: Awaited) -> None:
        self.thing = thing
        super().__init__(thing.key)


@dataclass(slots=True)
class _Deciding:
    """What one message has led to so far."""

    mail: Mail
    intake: Intake | None = None
    stream: StreamId | None = None
    streams: dict[StreamId, None] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    sources: list[SourceObject] = field(default_factory=list)
    is_late: bool = False

    def outcome(self) -> Outcome:
        """The fate of a message that went through."""
        streams, events = tuple(self.streams), tuple(self.events)
        if events:
            return Outcome("recorded", streams=streams, events=events)
        code = "late" if self.is_late else "nothing_new" if self.mail.intakes else "not_for_us"
        return Outcome("quiet", code, streams=streams)


class Batch:
    """Decides messages in a unit of work; ``parked`` is what messages of it wait for.

    ``behind`` is a batch that is being committed: this one is decided on what that one has decided, and is worth
    nothing if that one fails.
    """

    def __init__(self, ledger: BaseLedger, at: datetime, behind: Batch | None = None) -> None:
        self._ledger = ledger
        self._at = at
        self._behind = behind
        self._sources: dict[ObjectKey, SourceObject] = {}
        self._told: dict[ObjectKey, SourceObject] = {}
        self._contents: dict[MessageKey, dict[bytes, str]] = {}
        self._raised: set[StreamId] = set()
        self.parked: list[str] = []
        self.unit: UnitOfWork = ledger.unit() if behind is None else _unit_behind(ledger, behind.unit)

    def forget_behind(self) -> None:
        """What this batch was decided on is recorded."""
        self._behind = None

    # -- loading -----------------------------------------------------------------------------------------------------

    def take(self, mails: Sequence[Mail]) -> None:
        """Decide what was delivered now: each message once, its repetitions counted, each with its row."""
        self._look_up_contents(mails)
        self.load([mail for mail in mails if mail.key not in self._contents])
        for mail in mails:
            known = self._contents.setdefault(mail.key, {})
            if mail.sha256 in known:
                self.unit.redelivered(known[mail.sha256])
            elif known:
                own = ReceivedMessage.conflict_id_for(mail.system, mail.business_id, mail.sha256)
                self._conflicting(replace(mail, message_id=own))
                known[mail.sha256] = own
            else:
                self._receive(mail)
                known[mail.sha256] = mail.message_id

    def _look_up_contents(self, mails: Sequence[Mail]) -> None:
        for key, rows in self._ledger.receipts(mail.key for mail in mails).items():
            self._contents[key] = {row.payload_sha256: row.message_id for row in rows}
        if self._behind is not None:
            for mail in mails:
                if mail.key in self._behind._contents:
                    self._contents.setdefault(mail.key, {}).update(self._behind._contents[mail.key])

    def load(self, mails: Sequence[Mail]) -> None:
        """Everything that these messages need, by three queries: names, objects of the sources, streams."""
        intakes = [intake for mail in mails for intake in mail.intakes]
        told = Counter(_key(intake.source) for intake in intakes if intake.revision)
        self.unit.prefetch(identifier_stream(ref) for intake in intakes for ref in intake.needs)
        self._sources = self._ledger.source_objects(told)
        if self._behind is not None:
            for source in self._behind._told.values():
                self._remember(source)
        again = {key for key, times in told.items() if times > 1}
        self.unit.prefetch(
            stream for mail in mails for intake in mail.intakes for stream in self._streams(mail, intake, again)
        )

    def _streams(self, mail: Mail, intake: Intake, again: Collection[ObjectKey]) -> Iterable[StreamId]:
        yield from intake.awaits
        names = self._names(intake)
        if len(names) < len(intake.needs):
            yield _first_missing(intake, names).exception
            return
        yield from intake.touches(names)
        key = _key(intake.source)
        known = self._sources.get(key)
        if known is not None or mail.fate_before is not None or key in again:
            yield _refusal_of(intake.source)
        if known is not None and known.home is not None:
            yield known.home

    def _names(self, intake: Intake) -> Names:
        found: dict[ExternalRef, str] = {}
        for ref in intake.needs:
            identifier: Identifier = self.unit.state(identifier_stream(ref))
            if identifier.target is not None:
                found[ref] = identifier.target
        return found

    # -- deciding ----------------------------------------------------------------------------------------------------

    def _receive(self, mail: Mail) -> None:
        outcome = self.decide(mail)
        self.unit.receive(mail.received(self._at, outcome))
        self._park(mail, outcome)

    def settle(self, mail: Mail) -> Outcome:
        """Decide a message again that was kept before, and note its new fate."""
        outcome = self.decide(mail)
        settlement = Settlement(
            mail.message_id, outcome.fate, outcome.code, outcome.detail, outcome.streams, outcome.events
        )
        self.unit.settle(replace(settlement, was=mail.fate_before or "parked"))
        self._park(mail, outcome)
        return outcome

    def decide(self, mail: Mail) -> Outcome:
        """What becomes of a message."""
        if mail.unreadable is not None:
            return self._unreadable(mail, mail.unreadable)
        mark, deciding = self.unit.savepoint(), _Deciding(mail)
        try:
            for intake in mail.intakes:
                deciding.intake = intake
                self._intake(intake, deciding)
        except LedgerUnreachable:
            raise
        except Exception as problem:  # noqa: BLE001 -- whatever is wrong with one message must cost that message alone
            self.unit.rollback(mark)
            return self._failed(deciding, problem)
        for source in deciding.sources:
            self._told[source.key] = self._remember(source)
        return deciding.outcome()

    def _remember(self, source: SourceObject) -> SourceObject:
        """The object as it is known with what was told of it now."""
        key = source.key
        known = self._sources.get(key)
        self._sources[key] = now = merge_sources([known, source])[0] if known is not None else source
        return now

    def _intake(self, intake: Intake, deciding: _Deciding) -> None:
        names = self._names(intake)
        self._require_known(intake, names)
        key = _key(intake.source)
        known = self._sources.get(key) if intake.revision else None
        home = intake.home(names)
        if known is not None and _is_late(intake, home, known):
            deciding.is_late = True
            return
        cause = _cause(deciding.mail, intake)
        resolved = Resolved(names, known.home if known is not None else None, self.unit.state)
        for addressed in intake.commands(resolved):
            deciding.stream = addressed.stream
            deciding.streams[addressed.stream] = None
            deciding.events += [event.id for event in self.unit.decide(addressed, cause)]
        if intake.revision:
            source = SourceObject(*key, intake.revision, home, _seen(known))
            deciding.sources.append(source)
            self.unit.source(source)
        if known is not None or deciding.mail.fate_before is not None:
            deciding.events += self._settled(_refusal_of(intake.source), deciding.mail, cause)

    def _require_known(self, intake: Intake, names: Names) -> None:
        if len(names) < len(intake.needs):
            raise _Waits(_first_missing(intake, names))
        for stream in intake.awaits:
            if self.unit.version(stream) == 0:
                raise _Waits(stream_awaited(stream, 0))

    def _settled(self, stream: StreamId, mail: Mail, cause: Cause) -> Sequence[str]:
        """The end of the work item about an object of which a message has gone through."""
        item: ExceptionItem = self.unit.state(stream)
        if not item.is_open:
            return []
        how = "tried again, and it went through" if mail.message_id in item.messages else "settled by a later message"
        return [event.id for event in self.unit.decide(Addressed(stream, ResolveException(INBOX, how)), cause)]

    # -- what cannot be done -----------------------------------------------------------------------------------------

    def _failed(self, deciding: _Deciding, problem: Exception) -> Outcome:
        mail, intake = deciding.mail, deciding.intake
        assert intake is not None, "only a statement can fail"
        match problem:
            case _Waits(thing=thing):
                return self._waits(mail, intake, thing)
            case Unreadable():
                return self._unreadable(mail, problem)
            case Refused() if isinstance(problem, NOT_YET) and deciding.stream is not None:
                return self._waits(mail, intake, stream_awaited(deciding.stream, self.unit.version(deciding.stream)))
            case Refused():
                return self._refused(mail, intake, problem, tuple(deciding.streams))
            case _:
                log.error("deciding failed", message=mail.message_id, exc_info=problem)
                return self._unreadable(mail, Defective(f"{type(problem).__name__}: {problem}"))

    def _waits(self, mail: Mail, intake: Intake, thing: Awaited) -> Outcome:
        known: ExceptionItem = self.unit.state(thing.exception)
        context = self._context(intake)
        events = self._raise(thing.exception, problems.waiting(mail, thing, context, known), mail, intake)
        order = intake.revision or revision_of(intake.said_at)
        self.parked.append(thing.key)
        return Outcome("parked", "message.waits", f"Waits for {thing.key}.", (), events, thing.key, order)

    def _refused(self, mail: Mail, intake: Intake, refusal: Refused, streams: tuple[StreamId, ...]) -> Outcome:
        problem = problems.refused(mail, intake.source, refusal, self._context(intake))
        events = self._raise(_refusal_of(intake.source), problem, mail, intake)
        if intake.revision:
            # An object without a revision yet: a later message about it will look for this exception and settle it.
            known = self._sources.get(_key(intake.source))
            source = SourceObject(*_key(intake.source), "", None, _seen(known))
            self.unit.source(source)
            self._told[source.key] = self._remember(source)
        return Outcome("refused", refusal.code, refusal.message, streams, events)

    def _unreadable(self, mail: Mail, refusal: Refused) -> Outcome:
        events = self._raise(_stream_about("quarantined", mail), problems.quarantined(mail, refusal), mail, None)
        return Outcome("quarantined", refusal.code, refusal.message, (), events)

    def _conflicting(self, mail: Mail) -> None:
        reused = IdReused(mail.business_id)
        context = self._context(mail.intakes[0]) if mail.intakes else Context()
        events = self._raise(_stream_about("conflict", mail), problems.conflict(mail, reused, context), mail, None)
        self.unit.receive(mail.received(self._at, Outcome("conflict", reused.code, reused.message, (), events)))

    def _raise(self, stream: StreamId, problem: Problem, mail: Mail, intake: Intake | None) -> tuple[str, ...]:
        self._raised.add(stream)
        decided = self.unit.decide(Addressed(stream, RaiseException(problem, mail.message_id)), _cause(mail, intake))
        return tuple(event.id for event in decided)

    def _context(self, intake: Intake) -> Context:
        """The business around a statement; nothing that goes wrong here may hide the first problem."""
        context = intake.about(self._names(intake))
        try:
            return problems.known_business(context, self.unit.state)
        except LedgerUnreachable:
            raise
        except Exception as problem:  # noqa: BLE001 -- a work item without its context is better than none
            log.warning("no context", problem=repr(problem))
            return context

    def _park(self, mail: Mail, outcome: Outcome) -> None:
        if outcome.fate == "parked":
            self.unit.park(ParkedMessage(mail.message_id, outcome.waits_for, outcome.order_key))

    def resolve(self, stream: StreamId, how: str, cause: Cause) -> None:
        """End a work item, unless this very batch has raised it."""
        item: ExceptionItem = self.unit.state(stream)
        if item.is_open and stream not in self._raised:
            self.unit.decide(Addressed(stream, ResolveException(INBOX, how)), cause)


def _unit_behind(ledger: BaseLedger, behind: UnitOfWork) -> UnitOfWork:
    """A unit that sees what another one has decided and nobody has recorded yet."""
    pending = behind.changed()

    def load(streams: Iterable[StreamId]) -> Mapping[StreamId, Loaded]:
        wanted = list(streams)
        found = ledger.load(stream for stream in wanted if stream not in pending)
        return {**found, **{stream: pending[stream] for stream in wanted if stream in pending}}

    return UnitOfWork(load, ledger.deciders, ledger.codec, ledger.outgoing, behind.era)


def _first_missing(intake: Intake, names: Names) -> Awaited:
    return name_awaited(next(ref for ref in intake.needs if ref not in names))


def _is_late(intake: Intake, home: StreamId | None, known: SourceObject) -> bool:
    """Whether a newer statement makes this one void.

    Where the domain compares clocks itself, an older statement still counts in the stream where the object lives.
    """
    if intake.revision >= known.revision:
        return False
    return not intake.clocked or (known.home is not None and home != known.home)


def _cause(mail: Mail, intake: Intake | None) -> Cause:
    return Cause(
        actor=(intake.actor if intake is not None else None) or f"system:{mail.system}",
        correlation_id=mail.message_id,
        causation_id=mail.message_id,
        message_id=mail.message_id,
        occurred_at=intake.said_at if intake is not None else None,
    )


def _seen(known: SourceObject | None) -> tuple[str, ...]:
    """What was decided on: two workers may hear of one object at once, and it may move between streams."""
    return () if known is None else (known.revision,)


def _key(source: ExternalRef) -> ObjectKey:
    return (source.system, source.object, source.id)


def _refusal_of(source: ExternalRef) -> StreamId:
    return exception_stream("refused", source.system, source.object, source.id)


def _stream_about(kind: Kind, mail: Mail) -> StreamId:
    return StreamId(key_text(exception_stream(kind, mail.message_id)))
