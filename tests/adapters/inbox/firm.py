"""A firm whose whole ledger runs in one thread: letters go in, every process acts, and the books are looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from domain.contract import revenue_of
from domain.kernel import decider_name, local_id, stream_of
from domain.lots import ENDED
from domain.processes.answers import Answers
from domain.processes.cap_alerts import CapAlerts
from domain.processes.drawdown import Drawdown
from domain.processes.falling_due import FallingDue
from domain.processes.posting import Posting
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning
from projections.journal.tables import POSTINGS
from projections.systems.sync_fold import SYNCS
from tests.adapters.simulation.in_memory import InMemory
from tests.adapters.vendors.payloads import Letter
from tests.projections.books import fold
from tests.world import World


class Firm(InMemory):
    """The firm of the tests, told by letters of every system."""

    def __init__(self) -> None:
        super().__init__()
        self.processes = (
            Provisioning(), Pricing(), Posting(), Answers(), Drawdown(), FallingDue(), CapAlerts()
        )  # fmt: skip
        World(self.ledger).firm()
        self.react()

    def deliver(self, letters: Sequence[Letter], batch: int = 100) -> Firm:
        """Letters in batches; after each of them, all that they lead to happens."""
        for start in range(0, len(letters), batch):
            self._deliver([(each.subject, dict(each.headers), each.payload) for each in letters[start : start + batch]])
            self.react()
        return self

    def engagements_billed_by_date(self) -> Sequence[str]:
        return [local_id(stream) for stream in sorted(self.streams["engagement"])]

    def lots(self) -> list[tuple[Any, ...]]:
        """What stands for approved work and for promises: where, when, how much, at which price, and how it stands.

        Left out is what only tells how it came: which of two systems told of hours first gives a lot its name, and in
        how many steps progress was told its number of lots.
        """
        sums: dict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
        for stream, held in self._lots():
            lot, is_promise = held.lot, decider_name(stream) == "engagement"
            promise, is_step, _ = lot.source.partition("/progress/") if is_promise else ("", "", "")
            if held.status in ENDED:
                continue
            place = (lot.engagement, lot.line, lot.project, lot.resource, promise, held.status.value)
            figures = (lot.work_date, lot.unit, lot.price, lot.non_billable_because, tuple(sorted(held.holds)))
            of = sums[place if is_step else (*place, *figures)]
            of[0], of[1] = of[0] + (0 if is_step else lot.quantity), of[1] + lot.value.amount
            of[2] += lot.cost.amount
        return sorted((repr(key), *figures) for key, figures in sums.items())

    def journal(self) -> dict[tuple[str, ...], Decimal]:
        """What every account has come to in each month, by customer, engagement, line and project.

        What is earned by progress is told in all: a measurement that is told late moves no revenue between months.
        """
        sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
        for values in fold(self.ledger).all(POSTINGS).values():
            row = POSTINGS.row(values)
            period = "" if self._earns_by_progress(row.engagement, row.line) else row.period
            place = (row.entity, row.account, row.customer, row.engagement, row.line, row.project)
            sums[*place, period, row.currency] += row.amount
        return {key: amount for key, amount in sums.items() if amount}

    def _earns_by_progress(self, engagement: str, line: str) -> bool:
        lines = self.read(stream_of("engagement", engagement)).lines if engagement else {}
        return line in lines and revenue_of(lines[line]).method == "percent_complete"

    def sync(self) -> list[tuple[str, str, str]]:
        """What every target system was told and said."""
        store = fold(self.ledger)
        rows = (SYNCS.row(values) for values in store.all(SYNCS).values())
        return sorted((row.stream, row.target, row.state) for row in rows)

    def retainers(self) -> list[tuple[Any, ...]]:
        """Every grant: granted, applied, expired, refunded."""
        return sorted(
            (
                (line, each.grant, each.amount, each.applied, each.expired, each.refunded, each.usable)
                for stream in self.streams["engagement"]
                for line, account in self.read(stream).retainers.items()
                for each in account.grants.values()
            ),
            key=repr,
        )

    def books(self) -> dict[str, Any]:
        return {
            "lots": self.lots(),
            "journal": self.journal(),
            "sync": self.sync(),
            "retainers": self.retainers(),
            "waiting": self.ledger.waiting(),
            "open": sorted(
                {
                    (fact.event.problem.code, fact.event.problem.about)
                    for fact in self.ledger.read(0, 10**6)
                    if fact.name == "exception.opened.v1" and self.read(fact.stream).is_open
                }
            ),
        }
