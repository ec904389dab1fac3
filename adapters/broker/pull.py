"""Reading a JetStream consumer: messages are asked for ahead, so that the next batch arrives while one is worked on."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from adapters.broker import BrokerRefused, BrokerUnreachable, ConsumerPlan, Delivery

ASK_SECONDS: Final = 10.0
"""How long the server keeps one request for messages open."""

SILENT_SECONDS_MAX: Final = 30.0
"""After this long without any word from the server, ask whether the consumer still exists: a deleted one is silent."""

BYTES_PER_ASK_MAX: Final = 32 * 1024 * 1024
CONFIRM_SECONDS: Final = 5.0
BACK_SECONDS: Final = 0.2
"""How soon others may have what this reader had fetched ahead."""
JITTER_SHARE: Final = 0.25
"""A delay is longer by up to this share, so that what is given back together does not come again together."""

UNANSWERED_SECONDS: Final = 0.5
"""How long to wait before asking again where nobody listens: the consumer is gone, or its server is starting."""

_NOBODY_LISTENS: Final = "503"
_V1_WORDS: Final = 9

log = structlog.get_logger("broker")


class NatsConsumer:
    """A durable pull consumer with one inbox.

    ``_asked`` is how many messages the server still owes; the server tells when it gives up on the rest of a request.
    """

    def __init__(self, client: Client, plan: ConsumerPlan) -> None:
        self._client = client
        self._plan = plan
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{plan.stream}.{plan.name}"
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._here: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._asked = 0
        self._asked_at = 0.0
        self._heard_at = time.monotonic()
        self._is_unanswered = False

    async def open(self) -> None:
        """Begin to listen; nothing is delivered before the first fetch."""
        self._subscription = await self._client.subscribe(
            self._inbox, cb=self._on_message, pending_msgs_limit=0, pending_bytes_limit=0
        )

    async def close(self) -> None:
        """Give back what was fetched ahead, for other workers."""
        if self._subscription is not None and not self._client.is_closed:
            try:
                await self._subscription.unsubscribe()
                for delivery in self._here:
                    await self.nak(delivery, BACK_SECONDS)
            except (NatsError, BrokerUnreachable) as problem:
                log.debug("what was fetched ahead is delivered again later", problem=repr(problem))
        self._subscription = None
        self._here.clear()

    def ask_anew(self) -> None:
        """Forget what was asked of a server that is gone."""
        self._asked = 0
        self._arrived.set()

    async def fetch(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        deadline = time.monotonic() + timeout_seconds
        while True:
            await self._ask(limit)
            if self._here:
                return [self._here.popleft() for _ in range(min(limit, len(self._here)))]
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), min(left, 1.0))
            except TimeoutError:
                if time.monotonic() - self._heard_at >= SILENT_SECONDS_MAX:
                    await self._require_consumer()
            if self._is_unanswered:
                await self._require_consumer()
                await asyncio.sleep(min(left, UNANSWERED_SECONDS))

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        try:
            for delivery in deliveries[:-1]:
                await self._client.publish(delivery.token)
            # The server works through one client's acknowledgements in order: the last answer stands for all.
            await self._client.request(deliveries[-1].token, timeout=CONFIRM_SECONDS)
        except (TimeoutError, NatsError) as problem:
            log.warning("acknowledgement unconfirmed", messages=len(deliveries), problem=repr(problem))

    async def nak(self, delivery: Delivery, delay_seconds: float) -> None:
        jittered = delay_seconds * (1 + JITTER_SHARE * random.random())  # noqa: S311 - spreads load, hides nothing
        await self._answer(delivery, b"-NAK " + orjson.dumps({"delay": int(jittered * 1e9)}))

    async def term(self, delivery: Delivery, reason: str) -> None:
        await self._answer(delivery, b"+TERM " + reason.encode()[:1000])

    async def in_progress(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in (*deliveries, *self._here):
            await self._answer(delivery, b"+WPI")

    async def _answer(self, delivery: Delivery, word: bytes) -> None:
        try:
            await self._client.publish(delivery.token, word)
        except NatsError as problem:
            raise BrokerUnreachable(str(problem)) from problem

    # -- asking ahead ------------------------------------------------------------------------------------------------

    async def _ask(self, limit: int) -> None:
        """Keep between one and two batches here or on their way, but not more than may be unacknowledged."""
        now = time.monotonic()
        if self._asked and now - max(self._asked_at, self._heard_at) > ASK_SECONDS + 2:
            self._asked = 0  # the request or its end got lost
        wanted = min(2 * limit, self._plan.ack_pending_max) - len(self._here) - self._asked
        if wanted < limit:
            return
        request = orjson.dumps({"batch": wanted, "expires": int(ASK_SECONDS * 1e9), "max_bytes": BYTES_PER_ASK_MAX})
        try:
            await self._client.publish(self._next, request, reply=self._inbox)
        except NatsError as problem:
            raise BrokerUnreachable(str(problem)) from problem
        self._asked += wanted
        self._asked_at = now

    async def _on_message(self, message: Msg) -> None:
        self._heard_at = time.monotonic()
        if message.reply.startswith("$JS.ACK."):
            self._asked = max(0, self._asked - 1)
            self._here.append(_delivery(message))
        else:
            self._on_status(message.headers or {})
        self._arrived.set()

    def _on_status(self, headers: dict[str, str]) -> None:
        """The server ends a request: with how many messages it will not send, or without a word about them."""
        self._is_unanswered = headers.get("Status") == _NOBODY_LISTENS
        unsent = headers.get("Nats-Pending-Messages", "")
        self._asked = max(0, self._asked - int(unsent)) if unsent.isdigit() else 0

    async def _require_consumer(self) -> None:
        """Raises BrokerRefused when there is no such consumer any more."""
        self._is_unanswered = False
        if not self._client.is_connected:
            return
        try:
            await self._client.jetstream().consumer_info(self._plan.stream, self._plan.name)
        except NotFoundError as missing:
            raise BrokerRefused(f"consumer {self._plan.name} of {self._plan.stream} is gone") from missing
        except (TimeoutError, APIError, NatsError) as problem:
            log.warning("the broker does not tell about the consumer", problem=repr(problem))
        self._heard_at = time.monotonic()


def _delivery(message: Msg) -> Delivery:
    words = message.reply.split(".")
    first = 4 if len(words) == _V1_WORDS else 6
    return Delivery(
        message.subject, message.headers or {}, message.data, int(words[first + 1]), int(words[first]), message.reply
    )
