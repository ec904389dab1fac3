"""What must be so at the end of every run, whatever went wrong in it; each breach in one line.

The rules are those that the product checks in production, the figures are the firm's own account of itself.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from adapters.broker import Delivery
from adapters.eventstore.memory import MemoryLedger
from adapters.eventstore.rows import ReceivedMessage
from adapters.inbox.mail import mail_of
from adapters.simulation.auditor import Account, Place
from adapters.vendors.registry import VENDORS
from api.verification.billings import Billings, Numbers
from api.verification.law import Law
from domain.expense import ExpenseReport
from domain.kernel import Recorded, StreamId
from domain.lots import Lot, LotBook, LotStatus
from domain.timesheet import Timesheet
from tests.simulation.world import World

ENDED = (LotStatus.REVERSED, LotStatus.SPLIT)
BILLED = (LotStatus.RESERVED, LotStatus.BILLED)


def breaches(world: World) -> list[str]:
    """Everything that is not as it must be."""
    facts = world.store.read(0, 1_000_000)
    return [
        *world.machine.defects,
        *_versions(facts),
        *_rules(facts),
        *_messages(world, facts),
        *_targets(world, facts),
        *_figures(world),
    ]


def digest(world: World) -> str:
    """What was recorded, in its order, as one number: equal runs have equal ones."""
    said = "\n".join(f"{fact.id} {fact.name} {fact.event}" for fact in world.store.read(0, 1_000_000))
    return hashlib.sha256(said.encode()).hexdigest()


def _versions(facts: Iterable[Recorded[Any]]) -> Iterator[str]:
    last: dict[StreamId, int] = defaultdict(int)
    for fact in facts:
        if fact.version != last[fact.stream] + 1:
            yield f"{fact.id} comes after version {last[fact.stream]}"
        last[fact.stream] = fact.version


def _rules(facts: Iterable[Recorded[Any]]) -> Iterator[str]:
    law = Law()
    auditors = (law, Billings(law), Numbers())
    for _, commit in itertools.groupby(facts, key=lambda fact: fact.recorded_at):
        together = list(commit)
        for auditor in auditors:
            found = itertools.chain(*(auditor.see(fact) for fact in together), auditor.settle())
            yield from (f"{breach.object}: {breach.detail}" for breach in found)
    yield from (f"{breach.object}: {breach.detail}" for breach in law.totals())


def _messages(world: World, facts: Iterable[Recorded[Any]]) -> Iterator[str]:
    """Each message that was told has one row, which says the truth about what became of it."""
    rows = {row.message_id: row for row in world.store._received.values()}
    known = {(row.key, row.payload_sha256): row for row in rows.values()}
    for told in world.told:
        mail = mail_of(Delivery(told.subject, told.all_headers or {}, told.payload, 0), VENDORS)
        if ((mail.system, mail.business_id), mail.sha256) not in known:
            yield f"{mail.message_id} was told and nobody knows it"
    ids = {fact.id: fact for fact in facts}
    named = Counter(event for row in rows.values() for event in row.events)
    for event, times in named.items():
        if times > 1 or event not in ids:
            yield f"{event} is named by {times} messages, and recorded {int(event in ids)} times"
    for fact in ids.values():
        message = fact.cause.message_id
        if message is not None and message not in rows:
            yield f"{fact.id} was caused by {message}, which nobody knows"
        elif message is not None and fact.id not in rows[message].events and not _is_an_exception(fact):
            yield f"{fact.id} was caused by {message}, which does not know it"
    yield from _fates(world, rows.values())


def _is_an_exception(fact: Recorded[Any]) -> bool:
    """Exceptions of a message that was decided again are those of an earlier fate."""
    return fact.stream.startswith("exception:")


def _fates(world: World, rows: Iterable[ReceivedMessage]) -> Iterator[str]:
    parked = world.store._parked
    for row in rows:
        if (row.fate == "parked") != (row.message_id in parked):
            yield f"{row.message_id} is {row.fate}, but {'' if row.message_id in parked else 'not '}parked"
        if row.fate == "recorded" and not row.events:
            yield f"{row.message_id} is recorded, but names no event"


def _targets(world: World, facts: Iterable[Recorded[Any]]) -> Iterator[str]:
    """Each target has one document for each thing that it was asked for, and the ledger knows so."""
    asked: dict[str, set[str]] = defaultdict(set)
    confirmed: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        match fact.name:
            case "project.set_up_requested.v1" | "invoice.posting_requested.v1":
                asked[fact.event.target].add(fact.stream)
            case "project.set_up_confirmed.v1" | "invoice.posting_confirmed.v1":
                confirmed[fact.event.target].add(fact.stream)
    for target in world.targets:
        for key, times in target.documents.items():
            if times > 1:
                yield f"{target.name} has {times} documents for {key}"
        if (has := set(target.documents)) != asked[target.name]:
            yield f"{target.name} was asked for {asked[target.name] - has} more, and has {has - asked[target.name]} too much"
        if asked[target.name] != confirmed[target.name]:
            yield f"{target.name} confirmed nothing of {asked[target.name] - confirmed[target.name]}"


# -- figures -------------------------------------------------------------------------------------------------------------


def _figures(world: World) -> Iterator[str]:
    """What every contract line has come to is what the firm's own account says."""
    ours, theirs = accounts(world.store), world.auditor.accounts()
    for place in sorted({*ours, *theirs}):
        mine, other = ours.get(place, Account()), theirs.get(place, Account())
        if mine != other:
            yield f"{' '.join(place)}: {_difference(mine, other)}"


def _difference(ours: Account, theirs: Account) -> str:
    names = ("hours", "time", "expenses", "milestones", "billed")
    pairs = ((name, getattr(ours, name), getattr(theirs, name)) for name in names)
    return ", ".join(f"{name} {mine}, but {other} were told" for name, mine, other in pairs if mine != other)


def accounts(store: MemoryLedger) -> dict[Place, Account]:
    """What every contract line has come to, by the states of the ledger's own streams."""
    streams = {fact.stream for fact in store.read(0, 1_000_000)}
    kinds = ("timesheet:", "expense_report:", "engagement:")
    states = [loaded.state for loaded in store.load(s for s in streams if s.startswith(kinds)).values()]
    found: dict[Place, Account] = {}
    for state in states:
        for place, account in _told_by(state):
            known = found.get(place, Account())
            found[place] = Account(
                *(mine + more for mine, more in zip(_amounts(known), _amounts(account), strict=True))
            )
    return found


def _amounts(account: Account) -> tuple[Decimal, ...]:
    return account.hours, account.time, account.expenses, account.milestones, account.billed


def _told_by(state: Any) -> Iterator[tuple[Place, Account]]:
    book: LotBook = state.lots
    for held in book.values():
        lot = held.lot
        if held.status in ENDED:
            continue
        account = Account(billed=lot.value.amount if held.status in BILLED else Decimal(0))
        match state:
            case Timesheet():
                account = replace(account, time=lot.value.amount)
            case ExpenseReport():
                account = replace(account, expenses=lot.value.amount)
            case _:
                account = replace(account, milestones=lot.value.amount)
        yield _place(lot), account
    if isinstance(state, Timesheet):
        for entry in state.entries.values():
            if entry.status == "approved":
                engagement, _, line = entry.work.project.removeprefix("P-").rpartition("-")
                yield (f"E-{engagement}", line), Account(hours=entry.work.hours)


def _place(lot: Lot) -> Place:
    return lot.engagement, lot.line
