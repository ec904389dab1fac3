"""Looks at what a run has left behind, and names everything that must not be so.

It knows the world in plain numbers and believes no part of the ledger: what the books must say is added up here anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapters.broker import Delivery
from adapters.inbox.mail import mail_of
from adapters.vendors.registry import VENDORS
from api.verification.billings import Billings, Numbers
from api.verification.law import Law
from domain.invoice import Issued, PostingRequested
from domain.kernel import Recorded, StreamId, decider_name, local_id
from domain.lots import ENDED, LotsBilled, LotsReleased, LotsReserved
from domain.project import SetUpRequested
from projections.fold import Fold
from projections.memory import MemoryStore
from projections.scheme import TABLES
from tests.simulation.running import Run

Books = dict[str, Any]
Content = tuple[str, str, bytes]
"""A source system, what it calls a message, and the fingerprint of what is in it."""

SOURCES = ("timesheet", "expense_report")


def audit(run: Run, without_faults: Books | None = None) -> list[str]:
    """Every breach, in words."""
    facts = run.database.read(0, 100_000)
    found = [
        *_fates(run),
        *_streams(facts),
        *_law(facts),
        *_billed_once(facts),
        *_acted_once(run),
        *_promises(run),
        *_effects(run, facts),
        *_read_models(run),
        *_against_the_world(run),
    ]
    if without_faults is not None:
        found += _differences(books(run), without_faults)
    return found


def _promises(run: Run) -> Iterator[str]:
    """Whoever was told that something is done finds it recorded under the key of the request."""
    for key, events in run.promised.items():
        receipt = run.database.command_receipt(key)
        if receipt is None:
            yield f"{key} was told that it is done, and nothing of it is recorded"
        elif receipt.events[: len(events)] != events:
            yield f"{key} was told of {events}, and {receipt.events} is recorded"


# -- messages --------------------------------------------------------------------------------------------------------


def _fates(run: Run) -> Iterator[str]:
    """Every message that the broker has taken has exactly one row, with a fate that it may have."""
    rows = list(run.database._received.values())
    fates: dict[Content, list[str]] = {}
    for row in rows:
        fates.setdefault((row.system, row.business_message_id, row.payload_sha256), []).append(row.fate)
    allowed = {(each.letter.subject, each.letter.payload): each.fates for each in run.world.told}
    sent = {_content(each): each for each in run.broker._streams["P2C_IN"].messages}
    for content, message in sent.items():
        found = fates.pop(content, [])
        if len(found) != 1:
            yield f"{content[:2]} has {len(found)} fates: {found}"
        elif found[0] not in allowed.get((message.subject, message.payload), {"recorded", "quiet"}):
            yield f"{content[:2]} is {found[0]}"
    yield from (f"nobody has sent {content[:2]}" for content in fates)


def _content(message: Delivery) -> Content:
    mail = mail_of(message, VENDORS)
    return mail.system, mail.business_id, mail.sha256


# -- the log ---------------------------------------------------------------------------------------------------------


def _streams(facts: list[Recorded[Any]]) -> Iterator[str]:
    """Positions and times go forward, versions count from one."""
    versions: Counter[str] = Counter()
    for before, fact in zip([None, *facts], facts, strict=False):
        versions[fact.stream] += 1
        if fact.version != versions[fact.stream]:
            yield f"{fact.id} should be version {versions[fact.stream]}"
        if before and (fact.position <= before.position or fact.recorded_at < before.recorded_at):
            yield f"{fact.id} was recorded before {before.id}"


def _law(facts: list[Recorded[Any]]) -> Iterator[str]:
    """The same auditors that ``p2c verify`` sends to the books in production."""
    law, numbers = Law(), Numbers()
    billings = Billings(law)
    for place, fact in enumerate(facts):
        for auditor in (law, billings, numbers):
            yield from (f"{breach.object}: {breach.detail}" for breach in auditor.see(fact))
        if place + 1 == len(facts) or facts[place + 1].recorded_at != fact.recorded_at:
            for auditor in (law, billings, numbers):
                yield from (f"{breach.object}: {breach.detail}" for breach in auditor.settle())
    yield from (f"{breach.object}: {breach.detail}" for breach in law.totals())


def _billed_once(facts: list[Recorded[Any]]) -> Iterator[str]:
    """A lot is on one invoice at a time, and numbers have no gaps: by the facts alone, with nobody's help."""
    on: dict[tuple[str, str], str] = {}
    numbers: list[str] = []
    for fact in facts:
        match fact.event:
            case LotsReserved(lots, invoice):
                for lot in lots:
                    if (fact.stream, lot) in on:
                        yield f"{lot} is on {on[fact.stream, lot]} and on {invoice}"
                    on[fact.stream, lot] = invoice
            case LotsReleased(lots, _):
                for lot in lots:
                    on.pop((fact.stream, lot), None)
            case LotsBilled(lots, invoice, number):
                yield from (f"{lot} was billed, not reserved" for lot in lots if on.get((fact.stream, lot)) != invoice)
                numbers.append(number)
            case _:
                pass
    taken = sorted(set(numbers))
    expected = [f"DE01-2026-{each:06d}" for each in range(1, len(taken) + 1)]
    if taken != expected:
        yield f"numbers are {taken}"


def _acted_once(run: Run) -> Iterator[str]:
    """What a process does about a fact is recorded with the position behind that fact, once."""
    position_of = {fact.id: fact.position for commit in run.database.commits for fact in commit.events}
    reached: dict[str, int] = {}
    for commit in run.database.commits:
        for fact in commit.events:
            name, cause = fact.cause.actor.removeprefix("process:"), fact.cause.causation_id or ""
            if name == fact.cause.actor or cause not in position_of:
                continue
            if position_of[cause] <= reached.get(name, 0):
                yield f"{name} acted on {cause} again: {fact.id}"
            if commit.tracking is None or commit.tracking[1] < position_of[cause]:
                yield f"{name} acted on {cause}, and did not note it with {fact.id}"
        if commit.tracking:
            reached[commit.tracking[0]] = commit.tracking[1]


# -- the outside -----------------------------------------------------------------------------------------------------


def _effects(run: Run, facts: list[Recorded[Any]]) -> Iterator[str]:
    """Every target has what was asked of it, once, and nothing that nobody had recorded."""
    asked: dict[str, set[str]] = {name: set() for name in run.targets}
    for fact in facts:
        if isinstance(fact.event, SetUpRequested | PostingRequested):
            asked[fact.event.target].add(str(fact.stream))
    yield from (f"{id_} left before it was recorded" for id_ in run.broker.too_early)
    for name, target in run.targets.items():
        yield from (f"{name} lacks {key}" for key in sorted(asked[name] - set(target.made)))
        yield from (f"{name} has {key}, which nobody asked for" for key in sorted(set(target.made) - asked[name]))
        for key, made in sorted(target.made.items()):
            if len(made) > 1:
                yield f"{name} has {key} {len(made)} times"


# -- the books -------------------------------------------------------------------------------------------------------


def _read_models(run: Run) -> Iterator[str]:
    """The read models are the fold of the log."""
    anew = MemoryStore()
    fold = Fold(run.database, anew, 0)
    if facts := run.database.read(0, 100_000):
        anew.write(fold.apply(facts))
    for table in TABLES:
        here, there = run.models.store.all(table), anew.all(table)
        if here != there:
            keys = [key for key in here.keys() | there.keys() if here.get(key) != there.get(key)]
            yield f"read model {table.name} differs at {sorted(map(str, keys))[:3]}"


def books(run: Run) -> Books:
    """What the messages have come to, without what tells only how they came."""
    states = {stream: run.database.load([StreamId(stream)])[StreamId(stream)].state for stream in run.database._streams}
    lots = sorted(
        (held.lot.engagement, str(held.lot.work_date), str(held.lot.resource), held.lot.value.amount, held.status.value)
        for stream, state in states.items()
        if decider_name(StreamId(stream)) in SOURCES
        for held in state.lots.values()
        if held.status not in ENDED
    )
    invoices = Counter[str]()
    for state in states.values():
        if isinstance(state, Issued):
            header = state.document.header
            invoices[f"{header.engagement} net"] += state.document.net.amount  # type: ignore[assignment]  # a Counter adds up anything
            invoices[f"{header.engagement} paid"] += state.paid_on is not None
    return {
        "lots": lots,
        "entries": sorted(
            (str(stream), str(entry.work.work_date), str(entry.work.hours.normalize()), entry.status == "approved")
            for stream, state in states.items()
            if decider_name(StreamId(stream)) == "timesheet"
            for entry in state.entries.values()
            if entry.counts
        ),
        "invoices": {key: str(Decimal(value).normalize()) for key, value in sorted(invoices.items()) if "net" in key},
        "projects": sorted(
            (local_id(StreamId(stream)), state.open_for_time)
            for stream, state in states.items()
            if decider_name(StreamId(stream)) == "project"
        ),
        "customers": sorted(
            (str(stream), sorted((name, said.value) for name, said in state.fields.items()))
            for stream, state in states.items()
            if decider_name(StreamId(stream)) == "customer"
        ),
        "waiting": run.database.waiting(),
    }


def _against_the_world(run: Run) -> Iterator[str]:
    """Hours and money as somebody adds them up who only knows what happened."""
    mine, world = books(run), run.world
    hours = sorted(
        (f"timesheet:{each.person}:{_monday(each.day)}", str(each.day), str(each.hours.normalize()), each.approved)
        for each in world.hours
    )
    if mine["entries"] != hours:
        yield f"hours are {mine['entries']}, not {hours}"
    for deal in world.caps:
        value = sum((lot[3] for lot in mine["lots"] if lot[0] == f"E-{deal}"), Decimal(0))
        if value != world.approved_value(deal):
            yield f"{deal} has lots of {value}, not of {world.approved_value(deal)}"
        billed = Decimal(mine["invoices"].get(f"E-{deal} net", 0))
        if billed != world.billed_value(deal):
            yield f"{deal} is billed {billed}, not {world.billed_value(deal)}"


def _monday(day: date) -> str:
    return (day - timedelta(days=day.weekday())).isoformat()


def _differences(mine: Books, others: Books) -> list[str]:
    return [
        f"{name} differ from a run without faults: {mine[name]} and {others[name]}"
        for name in mine
        if mine[name] != others[name]
    ]
