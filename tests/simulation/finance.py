"""The finance department of a simulated firm: bills through the service desk, and asks again until it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from adapters.eventstore.errors import LogError
from adapters.simulation.facts import BillingRun
from adapters.simulation.firm import Firm
from api.access import WHOLE_FIRM, Principal, Role
from api.services.catalogue import SERVICES
from api.services.desk import Desk
from api.services.service import Answer
from domain.invoice import NothingToBill
from domain.kernel import local_id
from tests.simulation.connections import Books, Program, Weather
from tests.simulation.machine import Died
from tests.simulation.read_model import ReadModel

FOR_EVER: Final = datetime(2100, 1, 1, tzinfo=UTC)
PREPARER: Final = Principal("preparer", frozenset({Role.FINANCE_PREPARER}), WHOLE_FIRM, FOR_EVER)
APPROVER: Final = Principal("approver", frozenset({Role.FINANCE_APPROVER}), WHOLE_FIRM, FOR_EVER)
PAUSE_SECONDS: Final = 0.3


@dataclass(slots=True)
class Finance:
    """Two people, for nobody approves what they prepared."""

    firm: Firm
    read_model: ReadModel
    weather: Weather
    books: Callable[[Program], Books]
    issued: list[str] = field(default_factory=list)

    async def bill(self, run: BillingRun) -> None:
        """Draft, approve and issue what every legal entity may bill."""
        for entity in self._entities(run):
            asked = {"selling_entity": entity, "cut_off": run.cut_off}
            try:
                answer = await self._ask("request-invoice", PREPARER, f"{run.month}/{entity}", asked)
            except NothingToBill:
                continue
            for invoice in sorted(local_id(stream) for stream in answer.states):
                await self._ask("approve-invoice", APPROVER, invoice, {"invoice": invoice, "approved_on": run.on})
                await self._ask(
                    "issue-invoice", PREPARER, f"issue {invoice}", {"invoice": invoice, "issued_on": run.on}
                )
                self.issued.append(invoice)

    def _entities(self, run: BillingRun) -> Sequence[str]:
        return [entity.code for entity in self.firm.entities]

    async def _ask(self, name: str, who: Principal, key: str, asked: dict[str, Any]) -> Answer:
        """The answer of a service; a call without one is repeated under its key."""
        service = SERVICES[name]
        while True:
            program = Program("serve")
            desk = Desk(self.books(program), self.read_model, self.read_model, clock=self.weather.now)
            call = asyncio.create_task(asyncio.to_thread(desk.run, service, service.input(**asked), who, key))
            try:
                if self.weather.luck.strikes(self.weather.mishaps.kills):
                    await asyncio.wait({call}, timeout=self.weather.machine.moment())
                    program.killed.set()
                return await call
            except (LogError, Died):
                await asyncio.sleep(PAUSE_SECONDS)
