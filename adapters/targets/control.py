"""Tells a simulated target how to behave, from a test, the sample firm or a demonstration."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from nats.aio.client import Client

from adapters.targets.simulated.service import control_subject_of

ANSWER_SECONDS = 10.0


class ControlRefused(Exception):
    """The simulated target does not do that; it says why."""


class Control:
    """The hand on one simulated target."""

    def __init__(self, client: Client, target: str) -> None:
        self._client = client
        self._subject = control_subject_of(target)

    async def outage(self, seconds: float | None = None, *, begins: datetime | None = None) -> dict[str, Any]:
        """It is closed, for so long or until told otherwise."""
        start = begins or datetime.now(UTC)
        ends = (start + timedelta(seconds=seconds)).isoformat() if seconds is not None else None
        return await self._behave(outage_from=start.isoformat(), outage_until=ends)

    async def recover(self) -> dict[str, Any]:
        """It is open again."""
        return await self._behave(outage_from=None, outage_until=None)

    async def lose_replies(self, count: int) -> dict[str, Any]:
        """So many further changes are made and not answered."""
        return await self._behave(lose_replies=count)

    async def slow(self, seconds: float) -> dict[str, Any]:
        """What is asked for is there only so much later."""
        return await self._behave(slow_seconds=seconds)

    async def refuse(self, field: str, equals: str | None, reason: str) -> dict[str, Any]:
        """What says this in that field is refused from now on, e.g. ``buyer.id``."""
        rules = (await self.state())["behaviour"]["refuse"]
        return await self._behave(refuse=[*rules, {"field": field, "equals": equals, "reason": reason}])

    async def accept_all(self) -> dict[str, Any]:
        """Nothing is refused any more but by its own rules."""
        return await self._behave(refuse=[])

    async def pay(
        self,
        invoice: str,
        on: date,
        *,
        amount: Decimal | None = None,
        payment: str | None = None,
        reference: str = "",
    ) -> dict[str, Any]:
        """A customer pays a posted invoice, all that is left of it or an amount; the ERP tells the ledger."""
        paid = {
            "invoice": invoice,
            "on": on.isoformat(),
            "payment": payment,
            "amount": None if amount is None else f"{amount:f}",
            "reference": reference,
        }
        return await self._ask({"pay": paid})

    async def state(self) -> dict[str, Any]:
        """How it behaves, and how much it has."""
        return await self._ask({})

    async def _behave(self, **changes: Any) -> dict[str, Any]:
        return await self._ask({"behave": changes})

    async def _ask(self, wish: dict[str, Any]) -> dict[str, Any]:
        reply = await self._client.request(self._subject, orjson.dumps(wish), timeout=ANSWER_SECONDS)
        told: dict[str, Any] = orjson.loads(reply.data) if reply.data else {"error": str(reply.headers)}
        if "error" in told:
            raise ControlRefused(told["error"])
        return told
