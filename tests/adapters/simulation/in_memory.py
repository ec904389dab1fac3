"""The whole ledger in one thread and in memory: inbox, processes, targets that confirm at once, and billing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from adapters.broker import Delivery
from adapters.eventstore.memory import MemoryLedger
from adapters.inbox.inbox import Inbox
from adapters.simulation.auditor import Account, Place
from adapters.simulation.message import Message
from adapters.targets.names import jira_project_key
from domain import eligibility
from domain.billing import billable, issuing
from domain.caps import CapUse
from domain.catalogue import DECIDERS, EVENTS
from domain.eligibility.reasons import LotFacts
from domain.engagement import Engagement
from domain.expense import ExpenseReport, source_of
from domain.invoice import NothingToBill
from domain.kernel import Addressed, Cause, Recorded, Refused, StreamId, decider_name, local_id, stream_of
from domain.lots import ENDED, Lot, LotStatus, live_lot_of
from domain.lots.transferring import is_due, is_to_take_back
from domain.ports import LotAt, SourceAt, WorkDone
from domain.processes.posting import Posting
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning
from domain.project import SetUpRequested
from domain.timesheet import Timesheet
from tests import cap_uses
from tests.drafting import draft_invoice
from tests.world import reaction

SOURCES = ("timesheet", "expense_report", "engagement")


class InMemory:
    """A ledger that hears messages, acts on what they lead to, and bills."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(EVENTS, DECIDERS)
        self.inbox = Inbox(self.ledger, pause=lambda _seconds: None)
        self.processes: tuple[Any, ...] = (Provisioning(), Pricing(), Posting())
        self.position = 0
        self.sequence = 0
        self.streams: dict[str, set[StreamId]] = {name: set() for name in SOURCES}
        self.invoices: list[str] = []

    # -- messages ----------------------------------------------------------------------------------------------------

    def hear(self, messages: Iterable[Message], batch: int = 100) -> None:
        """Deliver messages in batches; after each of them, all that they lead to happens."""
        waiting = list(messages)
        for start in range(0, len(waiting), batch):
            self._deliver(
                [
                    (each.subject, {**each.headers, "Nats-Msg-Id": each.key}, each.payload)
                    for each in waiting[start : start + batch]
                ]
            )
            self.react()

    def _deliver(self, told: Sequence[tuple[str, dict[str, str], bytes]]) -> None:
        deliveries = []
        for subject, headers, payload in told:
            self.sequence += 1
            deliveries.append(Delivery(subject, headers, payload, self.sequence))
        self.inbox.process(deliveries)

    # -- processes ---------------------------------------------------------------------------------------------------

    def react(self) -> None:
        """Let processes and targets act until nothing is left to do."""
        while self._react_once() or self.inbox.tick():
            pass

    def _react_once(self) -> bool:
        facts = self.ledger.read(self.position, 1_000)
        for fact in facts:
            if decider_name(fact.stream) in self.streams:
                self.streams[decider_name(fact.stream)].add(fact.stream)
        for fact in facts:
            for process in self.processes:
                self._act(process, fact)
            if isinstance(fact.event, SetUpRequested):
                self._confirm(fact.event.target, local_id(fact.stream))
            self.position = fact.position
        return bool(facts)

    def _act(self, process: Any, fact: Recorded[Any]) -> None:
        unit = self.ledger.unit()
        for addressed in reaction(process, fact, unit.state, self):
            mark = unit.savepoint()
            try:
                unit.decide(addressed, Cause(f"process:{process.name}", fact.cause.correlation_id))
            except Refused:
                unit.rollback(mark)
        if unit.new:
            self.ledger.commit(unit)

    def _confirm(self, target: str, project: str) -> None:
        names = [{"system": "jira", "object": "project", "id": jira_project_key(project)}] if target == "psa" else []
        body = {
            "id": f"{target}/{project}",
            "project": project,
            "at": "2026-01-01T00:00:00Z",
            "externalId": f"{target}-{project}",
            "identifiers": names,
        }
        self._deliver([(f"p2c.in.{target}.project.confirmed", {}, orjson.dumps(body))])

    # -- what a read model would know --------------------------------------------------------------------------------

    def read(self, stream: StreamId) -> Any:
        return self.ledger.load([stream])[stream].state

    def unbilled_of(
        self,
        *,
        engagement: str | None = None,
        customer: str | None = None,
        resource: str | None = None,
        lacking_rate_of: str | None = None,
    ) -> Sequence[SourceAt]:
        """Approved work that is not on an invoice and fits all that is named."""
        found = []
        for stream in sorted(self.streams["timesheet"] | self.streams["expense_report"]):
            sheet: Timesheet | ExpenseReport = self.read(stream)
            if resource is not None and sheet.resource != resource:
                continue
            for source, project, unrated in _approved(sheet):
                lots = [held.lot for held in sheet.lots.values() if held.lot.source == source]
                fits = (
                    live_lot_of(sheet.lots, source) is None
                    and engagement in (None, self._engagement_of(project))
                    and customer in (None, self._customer_of(project))
                    and (lacking_rate_of is None or _lacks_rate(lots, unrated, lacking_rate_of))
                )
                if fits:
                    found.append(SourceAt(stream, source))
        return found

    def _engagement_of(self, project: str) -> str | None:
        created = self.read(stream_of("project", project)).created
        return created.engagement if created else None

    def _customer_of(self, project: str) -> str | None:
        engagement = self._engagement_of(project)
        opened = self.read(stream_of("engagement", engagement)).opened if engagement else None
        return opened.customer if opened else None

    def eligible_of(self, engagement: str, cut_off: str | None = None) -> Sequence[LotAt]:
        """The open lots of an engagement that nothing keeps from being billed."""
        found = []
        for stream, lot in self.open_lots():
            if lot.engagement == engagement and (cut_off is None or lot.work_date.isoformat() <= cut_off):
                facts, context = LotFacts(stream, lot), billable.context_of(self.read, lot)
                if not eligibility.decide(facts, context):
                    found.append(LotAt(stream, lot.lot))
        return found

    def engagements_with_eligible(self, entity: str, cut_off: str | None = None) -> Sequence[str]:
        """The engagements that an entity sells and has something to bill of."""
        sold = sorted({lot.engagement for _, lot in self.open_lots() if lot.selling_entity == entity})
        return [engagement for engagement in sold if self.eligible_of(engagement, cut_off)]

    def engagements_billed_by_date(self) -> Sequence[str]:
        return []

    def work_done(self, _until: date) -> Sequence[WorkDone]:
        return []

    def drafts_of(self, _entity: str) -> Sequence[str]:
        return []

    def transfers_of(
        self, *, lender: str | None = None, borrower: str | None = None, lacking_price: bool = False
    ) -> Sequence[LotAt]:
        """The lots between two entities that are to be priced, invoiced or taken back."""
        found = []
        for stream, held in self._lots():
            lot, between = held.lot, (held.lot.delivering_entity, held.lot.selling_entity)
            wanted = lender is None or between == (lender.partition("/")[0], (borrower or "").partition("/")[0])
            if wanted and (lot.transfer or lot.transfer_gap) and (lot.transfer is None or not lacking_price):
                found.append(LotAt(stream, lot.lot))
        return found

    def transfer_pairs(self) -> Sequence[tuple[str, str]]:
        """The lenders and borrowers between which something is to be invoiced or taken back."""
        moved = [held.lot.transfer for _, held in self._lots() if is_due(held) or is_to_take_back(held)]
        return sorted({(each.lender, each.borrower) for each in moved if each is not None})

    def use_of_caps(self, engagement: str) -> Sequence[CapUse]:
        """How far the caps of an engagement are used up."""
        return cap_uses.use_of_caps(self.read, engagement, self.open_lots())

    def use_of_limit(self, customer: str, currency: str) -> CapUse | None:
        """How far the limit of a customer is used up."""
        return cap_uses.use_of_limit(self.read, customer, currency, self.open_lots())

    def open_lots(self) -> list[tuple[StreamId, Lot]]:
        return [(stream, held.lot) for stream, held in self._lots() if held.status is LotStatus.OPEN]

    def _lots(self) -> list[tuple[StreamId, Any]]:
        streams = sorted(stream for found in self.streams.values() for stream in found)
        return [(stream, held) for stream in streams for held in self.read(stream).lots.values()]

    # -- billing -----------------------------------------------------------------------------------------------------

    def bill(self, cut_off: date) -> None:
        """A draft of every engagement that has something to bill, approved and issued at once."""
        for stream in sorted(self.streams["engagement"]):
            engagement: Engagement = self.read(stream)
            if engagement.opened is not None:
                self._bill(local_id(stream), cut_off)
        self.react()

    def _bill(self, engagement: str, cut_off: date) -> None:
        lots = self.eligible_of(engagement, cut_off.isoformat())
        if not lots:
            return
        invoice = f"INV-{len(self.invoices) + 1}"
        noon = datetime(cut_off.year, cut_off.month, 28, 12, tzinfo=UTC)
        try:
            self.record(draft_invoice(self.read, invoice, engagement, lots, cut_off=cut_off, by="paul", strict=True))
        except NothingToBill:
            return
        self.record(issuing.approve_invoice(self.read, invoice, "ann", noon))
        self.record(issuing.issue_invoice(self.read, invoice, cut_off))
        self.invoices.append(invoice)

    def record(self, commands: Sequence[Addressed]) -> None:
        unit = self.ledger.unit()
        for addressed in commands:
            unit.decide(addressed, Cause("user:finance", "billing"))
        self.ledger.commit(unit)

    # -- the books ---------------------------------------------------------------------------------------------------

    def accounts(self) -> dict[Place, Account]:
        """What every contract line has come to, by the lots themselves."""
        return accounts_of(held for _, held in self._lots())

    def exceptions(self) -> list[str]:
        return [
            str(fact.event.problem.code) for fact in self.ledger.read(0, 10**6) if fact.name == "exception.opened.v1"
        ]


def accounts_of(lots: Iterable[Any]) -> dict[Place, Account]:
    """The accounts that lots add up to: hours of all approved work, values by what the lots come from."""
    found: dict[Place, dict[str, Decimal]] = {}
    for held in lots:
        lot: Lot = held.lot
        if held.status in ENDED:
            continue
        account = found.setdefault((lot.engagement, lot.line), dict.fromkeys(Account.__dataclass_fields__, Decimal(0)))
        kind = "time" if lot.unit == "hour" else "expenses" if lot.resource else "milestones"
        account[kind] += lot.value.amount
        account["cost"] += lot.cost_in_billing_currency.amount if lot.cost_in_billing_currency else 0
        account["hours"] += lot.quantity if lot.unit == "hour" else 0
        account["billed"] += lot.value.amount if held.is_live else 0
    return {place: Account(**amounts) for place, amounts in found.items()}


def _approved(sheet: Timesheet | ExpenseReport) -> list[tuple[str, str, str | None]]:
    """The approved work of a stream: its source, its project, and why it could not be priced."""
    if isinstance(sheet, Timesheet):
        return [
            (entry.entry, entry.work.project, entry.unrated.code if entry.unrated else None)
            for entry in sheet.entries.values()
            if entry.status == "approved"
        ]
    return [
        (source_of(sheet.report, name), line.expense.project, line.unrated.code if line.unrated else None)
        for name, line in sheet.lines.items()
        if line.status == "approved"
    ]


def _lacks_rate(lots: Sequence[Lot], unrated: str | None, currency: str) -> bool:
    open_ones = (lot.cost_in_billing_currency is None and lot.cost.currency == currency for lot in lots)
    return unrated == "FX_RATE_MISSING" or any(open_ones)
