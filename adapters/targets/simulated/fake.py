"""A simulated PSA or ERP: it has each project and each posted invoice once, whatever it is asked and however often."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import orjson

from adapters.broker import Outgoing
from adapters.outbox.contracts import AmountOut, CreditNotePost, InvoiceCollect, InvoicePost, ProjectCreate, decoded
from adapters.targets.names import jira_project_key
from adapters.targets.reports import utc
from adapters.targets.simulated.behaviour import Behaviour
from adapters.targets.simulated.records import DocumentRecord, NumberRecord, Pay, PaymentRecord, PaymentsRecord
from adapters.targets.simulated.store import Kept, Store

ATTEMPTS_MAX: Final = 100

Reply = dict[str, Any]


class CannotPay(Exception):
    """This invoice cannot be paid so."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of system a target is: what it takes, how it numbers, and which other names it gives to a project."""

    name: str
    takes: frozenset[str]
    id_prefix: str
    other_names: Callable[[str], list[dict[str, str]]]


PSA: Final = Kind(
    "psa",
    frozenset({"project.create.v1"}),
    "PSA-",
    lambda project: [{"system": "jira", "object": "project", "id": jira_project_key(project)}],
)
ERP: Final = Kind(
    "erp", frozenset({"project.create.v1", "invoice.post.v1", "credit_note.post.v1"}), "ERP-", lambda _project: []
)
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in (PSA, ERP)}


class SimulatedTarget:
    """One target. ``tell`` publishes what it reports by itself."""

    def __init__(
        self,
        kind: Kind,
        store: Store,
        tell: Callable[[Outgoing], Awaitable[object]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.kind = kind
        self._store = store
        self._tell = tell
        self._clock = clock

    # -- what its interface offers -----------------------------------------------------------------------------------

    async def create(self, request: str, type_: str, key: str, payload: bytes) -> Reply | None:
        """Makes the document, or gives back the one that is there; None when the answer gets lost."""
        behaviour = await self.behaviour()
        now = self._clock()
        if behaviour.is_down(now):
            return {"status": "down", "reason": "closed for maintenance"}
        known = await self._store.get("document", key)
        if known is None:
            if reason := await self._refusal(type_, key, payload, behaviour):
                return {"status": "declined", "reason": reason}
            ready_at = now + timedelta(seconds=behaviour.slow_seconds)
            record = DocumentRecord(
                key=key, type=type_, request=request, message=orjson.loads(payload), at=now, ready_at=ready_at
            )
            added = await self._store.add("document", key, record.model_dump_json().encode())
            known = added or await self._store.get("document", key)
            if added and await self._loses_reply():
                return None
        assert known is not None, "what was not added is there"
        return self._shown(known, self._clock())

    async def find(self, key: str) -> Reply:
        """What it has under a key."""
        now = self._clock()
        if (await self.behaviour()).is_down(now):
            return {"status": "down", "reason": "closed for maintenance"}
        known = await self._store.get("document", key)
        return self._shown(known, now) if known else {"status": "unknown"}

    # -- what the one who simulates asks of it -----------------------------------------------------------------------

    async def behaviour(self) -> Behaviour:
        """How it behaves at present."""
        kept = await self._store.get("behaviour", "now")
        return Behaviour.model_validate_json(kept.value) if kept else Behaviour()

    async def behave(self, **changes: Any) -> Behaviour:
        """Changes how it behaves from now on."""
        for _ in range(ATTEMPTS_MAX):
            kept = await self._store.get("behaviour", "now")
            before = Behaviour.model_validate_json(kept.value) if kept else Behaviour()
            after = Behaviour.model_validate({**before.model_dump(), **changes})
            if await self._store.replace("behaviour", "now", after.model_dump_json().encode(), kept):
                return after
        raise RuntimeError("somebody else changes the behaviour all the time")

    async def documents(self) -> list[DocumentRecord]:
        """Everything it has, oldest first."""
        return [DocumentRecord.model_validate_json(kept.value) for kept in await self._store.all("document")]

    async def payments(self) -> list[PaymentsRecord]:
        """What was paid, by invoice."""
        return [PaymentsRecord.model_validate_json(kept.value) for kept in await self._store.all("payments")]

    async def pay(self, wish: Pay) -> PaymentRecord:
        """A customer pays; the ledger is told. The same payment again is told again and changes nothing."""
        posted = await self._store.get("document", f"invoice:{wish.invoice}")
        if posted is None:
            raise CannotPay(f"{self.kind.name} has no invoice {wish.invoice}")
        invoice = InvoicePost.model_validate(DocumentRecord.model_validate_json(posted.value).message)
        asked = invoice.payable or invoice.gross
        for _ in range(ATTEMPTS_MAX):
            kept = await self._store.get("payments", wish.invoice)
            before = PaymentsRecord(invoice=wish.invoice)
            if kept:
                before = PaymentsRecord.model_validate_json(kept.value)
            name = wish.payment or f"PAY-{wish.invoice}-{len(before.payments) + 1}"
            paid = next((each for each in before.payments if each.payment == name), None)
            if paid is None:
                paid = self._paid(wish, name, asked, before)
                after = PaymentsRecord(invoice=wish.invoice, payments=(*before.payments, paid))
                if not await self._store.replace("payments", wish.invoice, after.model_dump_json().encode(), kept):
                    continue
            await self._tell(_told(self.kind.name, wish.invoice, paid))
            return paid
        raise RuntimeError("somebody else pays the invoice all the time")

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _refusal(self, type_: str, key: str, payload: bytes, behaviour: Behaviour) -> str | None:
        """Why it does not want a document, if it does not: a rule that was asked for, or one of its own."""
        if type_ not in self.kind.takes:
            return f"{self.kind.name} does not take {type_}"
        if reason := behaviour.refusal_of(orjson.loads(payload)):
            return reason
        match decoded(type_, payload):
            case InvoicePost(number=number, lines=lines, net=net, tax=tax, gross=gross, allowances=allowances):
                of_document = allowances.amount if allowances else Decimal(0)
                nets = [line.net.amount for line in lines]
                return _does_not_add_up(nets, of_document, net, tax, gross) or await self._number_taken(number, key)
            case CreditNotePost(number=number, lines=lines, net=net, tax=tax, gross=gross, allowances=allowances):
                nets = [line.net.amount for line in lines]
                of_document = allowances.amount
                return _does_not_add_up(nets, of_document, net, tax, gross) or await self._number_taken(number, key)
            case ProjectCreate() | InvoiceCollect():
                return None

    def _paid(self, wish: Pay, name: str, asked: AmountOut, before: PaymentsRecord) -> PaymentRecord:
        left = asked.amount - sum((each.amount.amount for each in before.payments), Decimal(0))
        amount = left if wish.amount is None else wish.amount
        if not 0 < amount <= left:
            raise CannotPay(f"{left:f} of {asked.amount:f} {asked.currency} is left of {wish.invoice}, not {amount:f}")
        return PaymentRecord(
            payment=name,
            amount=AmountOut(amount=amount, currency=asked.currency),
            received_on=wish.on,
            reference=wish.reference,
            at=self._clock(),
        )

    async def _number_taken(self, number: str, key: str) -> str | None:
        """Why an invoice number cannot be used; it belongs to the first invoice that comes with it."""
        record = NumberRecord(number=number, key=key)
        kept = await self._store.add("number", number, record.model_dump_json().encode())
        kept = kept or await self._store.get("number", number)
        assert kept is not None, "what was not added is there"
        owner = NumberRecord.model_validate_json(kept.value).key
        return None if owner == key else f"the number {number} belongs to {owner}"

    async def _loses_reply(self) -> bool:
        """Whether this answer is one of those that get lost."""
        for _ in range(ATTEMPTS_MAX):
            kept = await self._store.get("behaviour", "now")
            before = Behaviour.model_validate_json(kept.value) if kept else Behaviour()
            if before.lose_replies == 0:
                return False
            after = before.model_copy(update={"lose_replies": before.lose_replies - 1})
            if await self._store.replace("behaviour", "now", after.model_dump_json().encode(), kept):
                return True
        raise RuntimeError("somebody else changes the behaviour all the time")

    def _shown(self, kept: Kept, now: datetime) -> Reply:
        record = DocumentRecord.model_validate_json(kept.value)
        if now < record.ready_at:
            return {"status": "accepted"}
        shown: Reply = {"status": "done", "externalId": f"{self.kind.id_prefix}{kept.number:06d}"}
        kind, _, name = record.key.partition(":")
        if kind == "project" and (names := self.kind.other_names(name)):
            shown["identifiers"] = names
        return shown


def _told(target: str, invoice: str, record: PaymentRecord) -> Outgoing:
    body = {
        "id": f"payment/{record.payment}",
        "invoice": invoice,
        "payment": record.payment,
        "receivedOn": record.received_on.isoformat(),
        "amount": {"amount": f"{record.amount.amount:f}", "currency": record.amount.currency},
        "reference": record.reference,
        "at": utc(record.at),
    }
    return Outgoing(f"p2c.in.{target}.payment.received", orjson.dumps(body), {}, f"{target}:payment/{record.payment}")


def _does_not_add_up(
    lines: Sequence[Decimal], of_document: Decimal, net: AmountOut, tax: AmountOut, gross: AmountOut
) -> str | None:
    """What is wrong with the sums of a document, as an ERP checks them."""
    if sum(lines, of_document) != net.amount:
        return "the lines do not add up to the net"
    if net.amount + tax.amount != gross.amount:
        return "net and tax do not add up to the gross"
    return None
