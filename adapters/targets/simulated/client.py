"""How a connector reaches a simulated target: a request on NATS, and what its answer, or its silence, means."""

from __future__ import annotations

from typing import Any, Final

import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from adapters.targets.simulated.service import subject_of
from adapters.targets.target import Accepted, Answer, Declined, Done, OtherName, TargetDown, TargetSilent, Work

ANSWER_SECONDS: Final = 2.0
FINAL_AFTER_SECONDS: Final = 5.0


class SimulatedTargetClient:
    """A simulated target, as a connector sees it: the same key again gives the first document."""

    repeats_are_safe = True

    def __init__(
        self,
        name: str,
        client: Client,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        final_after_seconds: float = FINAL_AFTER_SECONDS,
    ) -> None:
        self.name = name
        self.final_after_seconds = final_after_seconds
        self._client = client
        self._answer_seconds = answer_seconds

    async def create(self, work: Work) -> Answer:
        headers = {"ce-id": work.id, "ce-type": work.type, "ce-subject": work.key}
        found = await self._ask("create", work.payload, headers)
        if found is None:
            raise TargetSilent("it answered as if nothing had been asked")
        return found

    async def find(self, work: Work) -> Answer | None:
        return await self._ask("find", orjson.dumps({"key": work.key}), {})

    async def _ask(self, operation: str, payload: bytes, headers: dict[str, str]) -> Answer | None:
        if not self._client.is_connected:
            # A request that is buffered now could be sent after we have given it up.
            raise TargetDown("there is no connection to NATS")
        subject = subject_of(self.name, operation)
        try:
            reply = await self._client.request(subject, payload, timeout=self._answer_seconds, headers=headers or None)
        except NoRespondersError:
            raise TargetDown("nobody answers there") from None
        except (NatsError, TimeoutError, OSError) as problem:
            raise TargetSilent(f"no answer within {self._answer_seconds:g} s ({type(problem).__name__})") from problem
        if (reply.headers or {}).get("Nats-Service-Error"):
            raise TargetSilent(f"it failed: {(reply.headers or {})['Nats-Service-Error']}")
        try:
            return answer_of(orjson.loads(reply.data))
        except (ValueError, KeyError, TypeError) as nonsense:
            raise TargetSilent(f"it answered nonsense: {nonsense!r}") from nonsense


def answer_of(said: dict[str, Any]) -> Answer | None:
    """What a reply means; None when the target has nothing. Raises TargetDown."""
    match said["status"]:
        case "done":
            names = tuple(OtherName(**name) for name in said.get("identifiers", ()))
            return Done(said["externalId"], names)
        case "accepted":
            return Accepted()
        case "declined":
            return Declined(said["reason"])
        case "down":
            raise TargetDown(said["reason"])
        case _:
            return None
