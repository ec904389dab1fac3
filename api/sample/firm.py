"""The sample firm in a running ledger: its messages through the broker, its bills through the governed services.

Everything has an id that depends on the plan alone, so loading that was interrupted is simply done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

import structlog
from nats.errors import NoRespondersError

from adapters import postgres
from adapters.broker import IN, OUT
from adapters.broker.jetstream import NatsBroker
from adapters.settings import Settings
from adapters.simulation.facts import BillingRun, BillRateTold, DealTold, Fact, HoursTold
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Item, Message
from adapters.simulation.stream import stream
from adapters.targets.control import Control
from api.books import open_ledger
from api.commands.simulate import outgoing
from api.running.supervisor import Progress
from api.sample.finance import Bill, Finance, Payment
from api.sample.mark import expect_sample, sample_loaded, sample_state
from api.sample.settled import Rest
from projections.generation import Generations

SAMPLE: Final = Plan()
"""The firm that ``p2c up`` loads on its first run."""

SETTLE_SECONDS_MAX: Final = 300.0
TARGETS_SECONDS_MAX: Final = 60.0
OUTAGE_RUN: Final = 3
"""In which billing run, counted from 0, the ERP is down while invoices are issued."""
LOST_ANSWERS_RUN: Final = 1
OUTAGE_SECONDS: Final = 1.0
PAY_AT_ONCE_MAX: Final = 4

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Segment:
    """Messages that may follow one another at once, and the billing that comes after them, if any."""

    messages: tuple[Message, ...]
    run: BillingRun | None


def load_sample(settings: Settings, progress: Progress, plan: Plan = SAMPLE) -> None:
    """Feed the sample firm to the ledger and bill it; returns at once when that was done before."""
    if sample_state(settings.home) != "loaded":
        expect_sample(settings.home)
        asyncio.run(_load(settings, progress, plan))


def segments(items: Iterable[Item]) -> Iterator[Segment]:
    """The stream in pieces that end when finance bills, or when the ledger has to be given the night that lies there
    in the world: between a deal and the first hours on it, and after a new price list, which reaches all unbilled work.
    """
    waiting: list[Message] = []
    night: datetime | None = None
    for item in items:
        if night is not None and item.at >= night:
            yield Segment(tuple(waiting), None)
            waiting, night = [], None
        if isinstance(item, BillingRun):
            yield Segment(tuple(waiting), item)
            waiting, night = [], None
            continue
        waiting.append(item)
        if _needs_a_night(item.fact):
            night = _midnight_after(item.at)
    yield Segment(tuple(waiting), None)


def _needs_a_night(fact: Fact | None) -> bool:
    match fact:
        case DealTold(stage="Closed Won"):
            return True
        case BillRateTold(scope="firm", effective_from=day, said_at=said):
            return day > said.date()
        case _:
            return False


def _midnight_after(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date() + timedelta(days=1), time(0), tzinfo=UTC)


async def _load(settings: Settings, progress: Progress, plan: Plan) -> None:
    assert settings.nats_url is not None, "the roles run"
    firm = Firm(plan)
    items = tuple(stream(firm))
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings, pool_size=1))
        generations = Generations(_connect(settings), settings.db_schema)
        async with NatsBroker(settings.nats_url, name="p2c-sample") as broker:
            await broker.ensure(IN, OUT)

            def read_position() -> int | None:
                live = generations.live()
                return live.position if live else None

            rest = Rest(ledger, broker.client.jetstream(), read_position)
            finance = Finance.of(firm, broker.client, settings.home)
            loading = _Loading(broker, rest, finance, progress, sum(isinstance(item, Message) for item in items))
            await _as_usual(loading.erp)
            for segment in segments(items):
                await loading.load(segment)
            await _as_usual(loading.erp)
    loading.remember(settings.home, items)


def _connect(settings: Settings) -> Callable[[], Any]:
    url, schema = settings.database_url, settings.db_schema
    assert url is not None, "the roles run"
    return lambda: postgres.connect(url, schema, "p2c-sample")


async def _as_usual(erp: Control) -> None:
    """Let the simulated ERP work again, however an earlier loading that was interrupted has left it."""
    deadline = monotonic() + TARGETS_SECONDS_MAX
    while True:
        try:
            await erp.recover()
            await erp.accept_all()
            await erp.lose_replies(0)
        except NoRespondersError:
            if monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return


@dataclass(slots=True)
class _Loading:
    """How far the loading is."""

    broker: NatsBroker
    rest: Rest
    finance: Finance
    progress: Progress
    total: int
    published: int = 0
    decided: int = 0
    paid: dict[str, Bill] = field(default_factory=dict)
    runs: int = 0

    @property
    def erp(self) -> Control:
        return Control(self.broker.client, "erp")

    async def load(self, segment: Segment) -> None:
        """Publish, wait until all of it has had its effect, and bill."""
        began = monotonic()
        await self.broker.publish_all(map(outgoing, segment.messages))
        published = monotonic()
        self.published += len(segment.messages)
        await self._settle()
        settled = monotonic()
        if segment.run is not None:
            await self._bill(segment.run)
            self.runs += 1
        _log.info(
            "segment loaded",
            messages=len(segment.messages),
            month=segment.run.month if segment.run else None,
            publishing_seconds=round(published - began, 2),
            settling_seconds=round(settled - published, 2),
            billing_seconds=round(monotonic() - settled, 2),
        )

    async def _settle(self) -> None:
        def on_pending(pending: int) -> None:
            # What the targets answer is before the inbox too, so the difference may fall for a moment.
            self.decided = max(self.decided, self.published - pending)
            self.progress(self.decided, self.total, "messages")

        await self.rest.wait(SETTLE_SECONDS_MAX, on_pending)

    async def _bill(self, run: BillingRun) -> None:
        """One month: the customers' payments, then drafts, approvals and invoices; the ERP is not always there."""
        erp = self.erp
        await self._receive_payments(run, erp)
        await self.finance.settle_within(run)
        drafts = await self.finance.draft(run)
        approved = await self.finance.approve(run, drafts)
        if self.runs == LOST_ANSWERS_RUN:
            await erp.lose_replies(2)
        if not run.everything:
            for invoice in approved[:1]:
                await erp.refuse("invoice", invoice, "the posting period is not open yet")
        if self.runs == OUTAGE_RUN:
            await erp.outage()
        try:
            issued = await self.finance.issue(run, approved)
            if self.runs == OUTAGE_RUN:
                await asyncio.sleep(OUTAGE_SECONDS)
        finally:
            await erp.recover()
        if run.everything:
            await self.finance.credit(run, issued)
            await self.finance.charge_within(run)

    async def _receive_payments(self, run: BillingRun, erp: Control) -> None:
        places = asyncio.Semaphore(PAY_AT_ONCE_MAX)

        async def one(payment: Payment) -> None:
            async with places:
                amount = None if payment.is_all else payment.amount.amount
                await erp.pay(payment.bill.invoice, payment.received_on, amount=amount, payment=payment.payment)
                if payment.is_all:
                    self.paid[payment.bill.invoice] = payment.bill

        await asyncio.gather(*(one(payment) for payment in self.finance.payments_before(run)))

    def remember(self, home: Path, items: Iterable[Item]) -> None:
        """Note that all is there, and what is worth looking at."""
        plan, bills = self.finance.firm.plan, self.finance.bills
        interesting = _interesting(self.paid.values(), items)
        told = {
            "plan": {**asdict(plan), "starts": plan.starts.isoformat()},
            "messages": self.total,
            "wrong_messages": sum(isinstance(item, Message) and item.fault is not None for item in items),
            "invoices": len(bills),
            "paid": len(self.paid),
            "drafts": self.finance.drafts_left,
            "credit_notes": self.finance.credit_notes,
            "invoice": interesting.invoice if interesting else None,
            "number": interesting.number if interesting else None,
        }
        sample_loaded(home, told)


def _interesting(paid: Iterable[Bill], items: Iterable[Item]) -> Bill | None:
    """The first paid invoice of an engagement in which hours of its month had been corrected."""
    corrected = {
        (f"E-{item.fact.engagement.deal}", f"{item.fact.day:%Y-%m}")
        for item in items
        if isinstance(item, Message) and isinstance(item.fact, HoursTold) and item.fact.revision > 0
    }
    bills = sorted(paid, key=lambda bill: (bill.issued_on, bill.number))
    return next((bill for bill in bills if (bill.engagement, bill.month) in corrected), bills[0] if bills else None)
