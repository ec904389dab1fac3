"""The inbox records what messages lead to: batch by batch, each message once, none lost, none in the way of another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

import structlog

from adapters.broker import Delivery
from adapters.eventstore.base import BaseLedger
from adapters.eventstore.errors import AlreadyRecorded, LedgerUnreachable, VersionConflict
from adapters.inbox.batch import INBOX, Batch
from adapters.inbox.mail import Mail, Vendors, mail_again, mail_of
from adapters.inbox.waiting import Awaited, awaited
from adapters.vendors.registry import VENDORS
from adapters.vendors.unreadable import Defective
from domain.exception import ExceptionRetried
from domain.kernel import Cause, Recorded
from domain.reference.identifier import IdentifierAssigned

BATCH_MAX: Final = 500
ATTEMPTS_TOGETHER_MAX: Final = 3
ATTEMPTS_ALONE_MAX: Final = 20
BACKOFF_SECONDS: Final = 0.005
BACKOFF_SECONDS_MAX: Final = 0.5
WAITING_PAGE: Final = 1000
WAITING_MAX: Final = 100_000
RETRIES: Final = "inbox.retries"
"""The name under which the inbox remembers up to where it has acted on exceptions that people retried."""

RETRIED_EVENT: Final = "exception.retried.v1"
RETRIES_PER_TICK_MAX: Final = 50
MAY_BE_RETRIED: Final = frozenset({"refused", "quarantined", "conflict", "parked"})

log = structlog.get_logger("inbox")


class Contended(Exception):
    """Other workers were first on the same streams, again and again: try later."""


class Reply(NamedTuple):
    """What to tell the broker about a delivery: it is done; with a reason when it must not be delivered to anybody."""

    delivery: Delivery
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Messages that are decided and not recorded yet."""

    replies: Sequence[Reply]
    mails: Sequence[Mail]
    batch: Batch


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Inbox:
    """Decides and records messages on a ledger.

    ``process`` and ``tick`` do all of their work; ``prepare`` and ``commit`` are its two halves, so that the next batch
    can be decided while one is committed. Except for ``commit``, one call at a time. LedgerUnreachable and Contended
    mean that the same work is to be given again; whatever was recorded meanwhile is recognised. ``clock`` and ``pause``
    are for simulations.
    """

    def __init__(
        self,
        ledger: BaseLedger,
        *,
        vendors: Vendors = VENDORS,
        clock: Callable[[], datetime] = _utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._vendors = vendors
        self._clock = clock
        self._pause = pause
        self._waiting: dict[str, Awaited] = {}
        self._arrived: dict[str, Awaited] = {}
        self._retried_to: int | None = None
        self._era = ledger.era

    # -- what is delivered -------------------------------------------------------------------------------------------

    def process(self, deliveries: Sequence[Delivery]) -> list[Reply]:
        """Record what was delivered; when this returns, each delivery has its row and may be acknowledged."""
        mails = [mail_of(delivery, self._vendors) for delivery in deliveries]
        self.record(mails)
        self.wake()
        return [_reply(delivery, mail) for delivery, mail in zip(deliveries, mails, strict=True)]

    def prepare(self, deliveries: Sequence[Delivery], behind: Prepared | None = None) -> Prepared:
        """Decide what was delivered, on top of a batch that is being committed."""
        mails = [mail_of(delivery, self._vendors) for delivery in deliveries]
        replies = [_reply(delivery, mail) for delivery, mail in zip(deliveries, mails, strict=True)]
        batch = Batch(self._ledger, self._clock(), behind.batch if behind is not None else None)
        batch.take(mails)
        return Prepared(replies, mails, batch)

    def commit(self, prepared: Prepared) -> bool:
        """Record what was prepared; False when it has to be given to ``record`` instead, because others were first or
        the messages cannot be recorded together.
        """
        try:
            self._ledger.commit(prepared.batch.unit)
        except LedgerUnreachable:
            raise
        except Exception as problem:  # noqa: BLE001 -- record finds out which message is to blame, if any is
            log.debug("deciding again", problem=repr(problem))
            return False
        self._note(prepared.batch)
        return True

    def record(self, mails: Sequence[Mail]) -> None:
        """Decide and record messages together; those that cannot be recorded together are recorded apart."""
        self._each(mails, lambda some, _attempt: self._decided(some))

    def _decided(self, mails: Sequence[Mail]) -> Batch:
        batch = Batch(self._ledger, self._clock())
        batch.take(mails)
        return batch

    # -- what was waiting --------------------------------------------------------------------------------------------

    def tick(self) -> int:
        """Drive again what can go on by now: parked messages whose parents arrived by any route, and what people
        retried. Returns how many messages were driven.
        """
        return self._retry() + self._sweep() + self.wake()

    @property
    def has_arrived(self) -> bool:
        """Whether something was recorded that messages here are known to wait for."""
        return bool(self._arrived)

    def wake(self) -> int:
        """Drive the messages that wait for what has arrived, until nothing more comes of it."""
        driven = 0
        while self._arrived:
            things = list(self._arrived.values())[:BATCH_MAX]
            try:
                driven += self._drive_all(things)
            except (LedgerUnreachable, Contended) as problem:
                # They stay parked, and the next sweep finds them.
                log.info("waiting messages are driven later", problem=repr(problem))
                self._arrived.clear()
            for thing in things:
                self._arrived.pop(thing.key, None)
        return driven

    def _sweep(self) -> int:
        """Find what has arrived by another route than this worker."""
        names = self._all_waiting()
        self._waiting = {name: awaited(name) for name in names}
        for start in range(0, len(names), WAITING_PAGE):
            page = [self._waiting[name] for name in names[start : start + WAITING_PAGE]]
            states = self._ledger.load(thing.stream for thing in page)
            self._arrived.update((thing.key, thing) for thing in page if thing.is_here(states[thing.stream]))
        return self.wake()

    def _all_waiting(self) -> list[str]:
        names: list[str] = []
        while len(names) < WAITING_MAX:
            page = self._ledger.waiting(names[-1] if names else "", WAITING_PAGE)
            names += page
            if len(page) < WAITING_PAGE:
                break
        return names

    def _drive_all(self, things: Sequence[Awaited]) -> int:
        """Each message that waits for one of these things, in their order, until none is left."""
        keys = [thing.key for thing in things]
        driven, last = 0, frozenset[str]()
        while rows := self._ledger.parked(keys, BATCH_MAX):
            mails = [mail_again(message, self._vendors) for _, message in rows]
            ids = frozenset(mail.message_id for mail in mails)
            if ids <= last:
                log.error("messages go on waiting for what is here", messages=sorted(ids)[:10])
                break
            self._drive(mails, things)
            driven, last = driven + len(mails), ids
        for key in keys:
            self._waiting.pop(key, None)
        return driven

    def _drive(self, mails: Sequence[Mail], things: Sequence[Awaited]) -> None:
        """Drive parked messages; what another worker has driven meanwhile is left out."""
        self._each(mails, lambda some, attempt: self._driven(some, things, again=attempt > 0))

    def _driven(self, mails: Sequence[Mail], things: Sequence[Awaited], *, again: bool) -> Batch:
        if again:
            present = {
                message.message_id for parked, message in self._ledger.parked([t.key for t in things], BATCH_MAX)
            }
            mails = [mail for mail in mails if mail.message_id in present]
        batch = Batch(self._ledger, self._clock())
        batch.load(mails)
        batch.unit.prefetch(thing.exception for thing in things)
        for mail in mails:
            batch.settle(mail)
        for thing in things:
            batch.resolve(thing.exception, f"{thing.key} is known now", Cause(INBOX, thing.key))
        return batch

    # -- what people retry -------------------------------------------------------------------------------------------

    def _retry(self) -> int:
        if self._retried_to is None or self._era != self._ledger.era:
            self._era = self._ledger.era
            self._retried_to = self._ledger.tracked(RETRIES)
        head = self._ledger.head()
        if head <= self._retried_to:
            return 0
        facts = self._ledger.read(self._retried_to, RETRIES_PER_TICK_MAX, until=head, names=[RETRIED_EVENT])
        driven = 0
        for fact in facts:
            driven += self._retry_one(fact)
            self._retried_to = fact.position
        if len(facts) < RETRIES_PER_TICK_MAX:
            self._retried_to = head
        return driven

    def _retry_one(self, fact: Recorded[ExceptionRetried]) -> int:
        """Drive the messages of one work item again, exactly once for each time that somebody asked."""
        found = (self._ledger.message(message_id) for message_id in fact.event.messages)
        mails = [mail_again(m, self._vendors) for m in found if m is not None and m.fate in MAY_BE_RETRIED]
        try:
            self._committed(lambda _attempt: self._retried(fact, mails), ATTEMPTS_ALONE_MAX)
        except (LedgerUnreachable, Contended):
            raise
        except Exception:
            # Whoever asked sees the work item still open; what cannot be recorded must not stop all that comes behind.
            log.exception("a retry could not be recorded", exception=fact.stream)
            return 0
        return len(mails)

    def _retried(self, fact: Recorded[ExceptionRetried], mails: Sequence[Mail]) -> Batch:
        batch = Batch(self._ledger, self._clock())
        if self._ledger.tracked(RETRIES) >= fact.position:
            return batch  # another worker has done it
        batch.load(mails)
        batch.unit.track(RETRIES, fact.position)
        outcomes = [batch.settle(mail) for mail in mails]
        if all(outcome.fate in ("recorded", "quiet") for outcome in outcomes):
            cause = Cause(INBOX, fact.cause.correlation_id, fact.id)
            batch.resolve(fact.stream, f"tried again for {fact.event.by}, and it went through", cause)
        return batch

    # -- recording ---------------------------------------------------------------------------------------------------

    def _each(self, mails: Sequence[Mail], decided: Callable[[Sequence[Mail], int], Batch]) -> None:
        """Decide and record messages together, apart where that fails, and undecided what cannot be recorded at all."""
        alone = len(mails) == 1
        for last in (False, False, True) if alone else (True,):
            try:
                attempts_max = ATTEMPTS_ALONE_MAX if alone else ATTEMPTS_TOGETHER_MAX
                self._committed(lambda attempt: decided(mails, attempt), attempts_max)
            except LedgerUnreachable:
                raise
            except Exception as problem:
                if alone and (isinstance(problem, Contended) or mails[0].unreadable is not None):
                    raise
                log.warning("messages could not be recorded", messages=len(mails), problem=repr(problem))
                if last:
                    self._apart(mails, decided, problem)
                else:
                    self._pause(BACKOFF_SECONDS_MAX)
            else:
                return

    def _apart(
        self, mails: Sequence[Mail], decided: Callable[[Sequence[Mail], int], Batch], problem: Exception
    ) -> None:
        if len(mails) == 1:
            log.error("a message is kept undecided", message=mails[0].message_id, exc_info=problem)
            self._each([_defective(mails[0], problem)], decided)
        else:
            half = len(mails) // 2
            self._each(mails[:half], decided)
            self._each(mails[half:], decided)

    def _committed(self, decided: Callable[[int], Batch], attempts_max: int) -> None:
        """Decide and commit; when somebody else was first, decide again on what they recorded."""
        for attempt in range(attempts_max):
            batch = decided(attempt)
            try:
                self._ledger.commit(batch.unit)
            except (VersionConflict, AlreadyRecorded) as conflict:
                log.debug("deciding again", conflict=repr(conflict), attempt=attempt + 1)
                self._pause(min(BACKOFF_SECONDS * 2**attempt, BACKOFF_SECONDS_MAX))
            else:
                self._note(batch)
                return
        raise Contended(f"{attempts_max} attempts")

    def _note(self, batch: Batch) -> None:
        """Remember what messages wait for now, and which of it this batch has brought."""
        batch.forget_behind()
        self._waiting.update((key, awaited(key)) for key in batch.parked)
        if not self._waiting:
            return
        changed = {event.stream: event.version for event in batch.unit.new}
        named = {str(event.event.ref) for event in batch.unit.new if isinstance(event.event, IdentifierAssigned)}
        for key, thing in self._waiting.items():
            if key in named or changed.get(thing.stream, 0) > thing.version:
                self._arrived[key] = thing


def _reply(delivery: Delivery, mail: Mail) -> Reply:
    return Reply(delivery, mail.unreadable.message if mail.unreadable is not None else None)


def _defective(mail: Mail, problem: Exception) -> Mail:
    """A message that no transaction takes is kept without being decided."""
    return replace(mail, intakes=(), unreadable=Defective(f"{type(problem).__name__}: {problem}"[:1000]))
