"""Reasons: why work is not billed, each with the object that blocks, the event behind it, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import orjson

from domain.billing_limit import billing_limit_stream
from domain.caps import Room
from domain.eligibility.reasons import Blocker
from domain.kernel import StreamId, decider_name, stream_of
from domain.lots import LotStatus
from domain.money import Money
from domain.reason_codes import ReasonCode
from projections.contexts import KINDS, Contexts
from projections.eligibility.items import Item

NO_REASONS: Final = "[]"
CAP_CAUSES: Final = (
    "engagement.line_agreed.v1",
    "engagement.cap_changed.v1",
    "engagement.limits_changed.v1",
    "engagement.cap_agreed.v1",
    "engagement.change_order_approved.v1",
    "engagement.billing_claimed.v1",
)
LIMIT_CAUSES: Final = ("billing_limit.agreed.v1", "billing_limit.claimed.v1")


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason as it is answered: since when, by which events, who can remove it, and the money that waits for it."""

    code: str
    blocking: str
    events: tuple[str, ...]
    since: datetime
    owner_role: str
    what_to_do: str
    resolves_itself: bool
    money_at_risk: Money | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a decision makes of an item: its state, the codes and owners of all reasons, and the reasons as stored.

    ``until`` is the day on which it has to be decided again.
    """

    state: str
    codes: tuple[str, ...]
    owner_roles: tuple[str, ...]
    reasons: str
    until: date | None = None


def over_cap(item: Item, cut_by: Room | None) -> Blocker:
    """The reason of what is over the narrowest of its caps."""
    level = cut_by.level if cut_by else f"line {item.line}"
    if cut_by is not None and cut_by.customer is not None:
        blocking = billing_limit_stream(cut_by.customer, item.currency or "")
        causes: tuple[str, ...] = LIMIT_CAUSES
    else:
        blocking, causes = stream_of("engagement", item.engagement), CAP_CAUSES
    what = f"Raise the cap of {level} with the customer's consent, or write the rest off."
    return Blocker(ReasonCode.CAP_EXCEEDED, blocking, causes, "project_manager", what, True)


def verdict(state: str, item: Item, blockers: Sequence[Blocker], contexts: Contexts) -> Verdict:
    """Blockers as they are stored; the latest event that may have caused each says since when."""
    if not blockers:
        return Verdict(state, (), (), NO_REASONS)
    return Verdict(
        state,
        tuple(each.code.value for each in blockers),
        tuple(each.owner_role for each in blockers),
        orjson.dumps([_stored(each, *_since(each, item, contexts)) for each in blockers]).decode(),
        min((each.until for each in blockers if each.until is not None), default=None),
    )


def _since(blocker: Blocker, item: Item, contexts: Contexts) -> tuple[str, datetime]:
    if blocker.event is not None and blocker.since is not None:
        return blocker.event, blocker.since
    if decider_name(blocker.blocking) in KINDS:
        happened = contexts.of(blocker.blocking).happened
        causes = [happened[name] for name in blocker.caused_by if name in happened]
        if causes:
            newest = max(causes, key=lambda cause: cause.version)
            return f"{blocker.blocking}@{newest.version}", newest.at
    return f"{item.stream}@{item.recorded_version}", item.recorded_at


def _stored(blocker: Blocker, event: str, since: datetime) -> dict[str, Any]:
    return {
        "code": blocker.code.value,
        "blocking": blocker.blocking,
        "events": [event],
        "since": since,
        "owner_role": blocker.owner_role,
        "what_to_do": blocker.what_to_do,
        "resolves_itself": blocker.resolves_itself,
    }


def verdict_of_ended(item: Item) -> Verdict:
    """A lot that is not open has one reason: what became of it."""
    stream = StreamId(item.stream)
    match LotStatus(item.status):
        case LotStatus.RESERVED:
            blocking, what = stream_of("invoice", item.invoice or ""), "Approve and issue the draft, or discard it."
            blocker = Blocker(ReasonCode.RESERVED_ON_DRAFT, blocking, (), "finance_approver", what)
        case LotStatus.BILLED:
            blocking = stream_of("invoice", item.invoice or "")
            what = f"It is on invoice {item.number}; only a credit note makes it billable again."
            blocker = Blocker(ReasonCode.ALREADY_BILLED, blocking, (), "finance_preparer", what)
        case LotStatus.DRAWN:
            blocking = stream_of("engagement", item.engagement)
            what = "A retainer paid for it; only giving it back to the retainer makes it billable again."
            blocker = Blocker(ReasonCode.ALREADY_BILLED, blocking, (), "finance_preparer", what)
        case LotStatus.WRITTEN_OFF:
            what = "It was given up; nothing is to be done."
            blocker = Blocker(ReasonCode.WRITTEN_OFF, stream, (), "finance_approver", what)
        case LotStatus.TRANSFERRED:
            what = "It is billed to another engagement or customer; nothing is to be done."
            blocker = Blocker(ReasonCode.TRANSFERRED, stream, (), "finance_preparer", what)
        case LotStatus.NON_BILLABLE:
            blocking, what = stream_of("engagement", item.engagement), "The customer does not pay for it."
            code = ReasonCode(item.non_billable_because or ReasonCode.COMPLIMENTARY)
            blocker = Blocker(code, blocking, (), "project_manager", what)
        case _:
            what = "A newer lot stands in its place, or the work was corrected."
            blocker = Blocker(ReasonCode.SUPERSEDED, stream, (), "finance_preparer", what)
    event = f"{item.stream}@{item.status_version}"
    stored = orjson.dumps([_stored(blocker, event, item.status_at)]).decode()
    return Verdict(item.status, (blocker.code.value,), (blocker.owner_role,), stored)


def read(stored: str | Iterable[Any], at_risk: Money | None, over_cap_at_risk: Money | None) -> tuple[Reason, ...]:
    """Stored reasons as they are answered; at risk is the value of the item, or what of it is over the cap."""
    rows: Iterable[Any] = orjson.loads(stored) if isinstance(stored, str) else stored
    return tuple(
        Reason(
            code=row["code"],
            blocking=row["blocking"],
            events=tuple(row["events"]),
            since=datetime.fromisoformat(row["since"]),
            owner_role=row["owner_role"],
            what_to_do=row["what_to_do"],
            resolves_itself=row["resolves_itself"],
            money_at_risk=over_cap_at_risk if row["code"] == ReasonCode.CAP_EXCEEDED else at_risk,
        )
        for row in rows
    )
