"""The broker on NATS JetStream, through nats-py."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Self

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from adapters.broker import (
    BrokerRefused,
    BrokerUnreachable,
    ConsumerPlan,
    Outgoing,
    PayloadTooLarge,
    Published,
    StreamPlan,
)
from adapters.broker.pull import NatsConsumer

PUBLISH_SECONDS: Final = 5.0
PUBLISH_ATTEMPTS_MAX: Final = 5
IN_FLIGHT_MAX: Final = 256
CONNECT_SECONDS: Final = 5

log = structlog.get_logger("broker")


class NatsBroker:
    """A connection to NATS that reconnects for ever; use it as ``async with``."""

    def __init__(self, url: str, *, name: str = "p2c", connect_attempts_max: int = 60) -> None:
        self._url = url
        self._name = name
        self._connect_attempts_max = connect_attempts_max
        self._client = Client()
        self._consumers: list[NatsConsumer] = []
        self._jetstream: JetStreamContext | None = None
        self._is_closing = False

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connect; raises BrokerUnreachable when no server answers for about a minute."""
        for attempt in itertools.count(1):
            try:
                await self._client.connect(
                    [server.strip() for server in self._url.split(",")],
                    name=self._name,
                    connect_timeout=CONNECT_SECONDS,
                    reconnect_time_wait=1,
                    max_reconnect_attempts=-1,
                    allow_reconnect=True,
                    ping_interval=10,
                    max_outstanding_pings=2,
                    pending_size=16 * 1024 * 1024,
                    error_cb=self._on_error,
                    disconnected_cb=self._on_disconnected,
                    reconnected_cb=self._on_reconnected,
                    closed_cb=self._on_closed,
                    discovered_server_cb=self._on_discovered,
                    lame_duck_mode_cb=self._on_leaving,
                )
            except (TimeoutError, OSError, NatsError) as problem:
                if attempt >= self._connect_attempts_max:
                    raise BrokerUnreachable(f"no NATS server answers: {problem}") from problem
                await asyncio.sleep(min(1.0, 0.05 * attempt))
            else:
                return

    async def close(self) -> None:
        """Let go of the connection; what was fetched and not acknowledged is delivered again to others."""
        self._is_closing = True
        for consumer in self._consumers:
            await consumer.close()
        if self._client.is_connected:
            await self._quietly(self._client.flush(timeout=2))
        await self._client.close()

    @property
    def client(self) -> Client:
        """The connection itself, for what the port does not cover (request and reply)."""
        return self._client

    # -- streams and publishing --------------------------------------------------------------------------------------

    async def ensure(self, *plans: StreamPlan) -> None:
        context = self._context()
        for plan in plans:
            config = _stream_config(plan)
            try:
                await context.add_stream(config)
            except APIError as refused:
                if refused.err_code != _STREAM_EXISTS_OTHERWISE:
                    raise BrokerRefused(f"stream {plan.name}: {refused.description}") from refused
                await self._bring_up_to_date(context, plan, config)
            except (TimeoutError, NatsError) as problem:
                raise BrokerUnreachable(str(problem)) from problem

    async def _bring_up_to_date(self, context: JetStreamContext, plan: StreamPlan, config: StreamConfig) -> None:
        """The stream as planned, except for what only its operator knows: how many servers and how much disk it has."""
        try:
            known = (await context.stream_info(plan.name)).config
            config.num_replicas = max(plan.replicas, known.num_replicas or 1)
            config.max_bytes = known.max_bytes if plan.max_bytes < 0 else plan.max_bytes
            await context.update_stream(config)
        except APIError as refused:
            raise BrokerRefused(f"stream {plan.name} cannot be brought up to date: {refused.description}") from refused

    async def publish(self, message: Outgoing) -> Published:
        return (await self._publish_window([message]))[0]

    async def publish_all(self, messages: Iterable[Outgoing], on_progress: Callable[[int], None] | None = None) -> int:
        done = fresh = 0
        waiting = iter(messages)
        while window := list(itertools.islice(waiting, IN_FLIGHT_MAX)):
            fresh += sum(not published.duplicate for published in await self._publish_window(window))
            done += len(window)
            if on_progress is not None:
                on_progress(done)
        return fresh

    async def _publish_window(self, window: Sequence[Outgoing]) -> list[Published]:
        """All of a window, each acknowledged; those without an answer are sent again, in order."""
        context = self._context()
        answers: dict[int, Published] = {}
        for attempt in range(PUBLISH_ATTEMPTS_MAX):
            missing = [place for place in range(len(window)) if place not in answers]
            futures = {place: await self._send(context, window[place]) for place in missing}
            await asyncio.wait(futures.values(), timeout=PUBLISH_SECONDS)
            answers |= {
                place: answer
                for place, future in futures.items()
                if (answer := _answer(future, window[place])) is not None
            }
            if len(answers) == len(window):
                return [answers[place] for place in range(len(window))]
            log.warning("publishing again", unanswered=len(window) - len(answers), attempt=attempt + 1)
            await asyncio.sleep(0.2 * (attempt + 1))
            if attempt and (
                nobody := [window[place].subject for place, future in futures.items() if _nobody_takes(future)]
            ):
                raise BrokerRefused(f"no stream takes {nobody[0]}")
        raise BrokerUnreachable(f"{len(window) - len(answers)} messages were not acknowledged")

    async def _send(self, context: JetStreamContext, message: Outgoing) -> asyncio.Future[Any]:
        try:
            return await context.publish_async(message.subject, message.payload, headers=message.all_headers)
        except MaxPayloadError:
            limit = self._client.max_payload
            raise PayloadTooLarge(f"{message.subject}: {len(message.payload)} bytes, at most {limit}") from None
        except NatsError as problem:
            raise BrokerUnreachable(f"{message.subject}: {problem}") from problem

    # -- reading -----------------------------------------------------------------------------------------------------

    async def consumer(self, plan: ConsumerPlan) -> NatsConsumer:
        context = self._context()
        try:
            await context.add_consumer(plan.stream, _consumer_config(plan))
        except NotFoundError as missing:
            raise BrokerRefused(f"there is no stream {plan.stream}") from missing
        except APIError as refused:
            raise BrokerRefused(f"consumer {plan.name}: {refused.description}") from refused
        except (TimeoutError, NatsError) as problem:
            raise BrokerUnreachable(str(problem)) from problem
        consumer = NatsConsumer(self._client, plan)
        await consumer.open()
        self._consumers.append(consumer)
        return consumer

    # -- the connection ----------------------------------------------------------------------------------------------

    def _context(self) -> JetStreamContext:
        if self._jetstream is None:
            self._jetstream = self._client.jetstream(timeout=PUBLISH_SECONDS)
        return self._jetstream

    async def _on_error(self, problem: Exception) -> None:
        log.warning("broker trouble", problem=repr(problem))

    async def _on_disconnected(self) -> None:
        if not self._is_closing:
            log.warning("broker disconnected")

    async def _on_closed(self) -> None:
        if not self._is_closing:
            log.error("the connection to the broker is closed for good")

    async def _on_discovered(self) -> None:
        log.info("the broker has another server")

    async def _on_leaving(self) -> None:
        log.info("a server of the broker is going to stop")

    async def _on_reconnected(self) -> None:
        log.info("broker reconnected")
        for consumer in self._consumers:
            consumer.ask_anew()

    @staticmethod
    async def _quietly(work: Awaitable[object]) -> None:
        try:
            await work
        except (TimeoutError, NatsError, OSError):
            log.debug("the broker was gone already")


_STREAM_EXISTS_OTHERWISE: Final = 10058


def _stream_config(plan: StreamPlan) -> StreamConfig:
    return StreamConfig(
        name=plan.name,
        subjects=list(plan.subjects),
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        deny_delete=True,
        deny_purge=True,
        max_age=plan.max_age_seconds,
        max_bytes=plan.max_bytes,
        duplicate_window=plan.duplicate_window_seconds,
        num_replicas=plan.replicas,
    )


def _consumer_config(plan: ConsumerPlan) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=plan.name,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=plan.ack_wait_seconds,
        max_deliver=-1,
        max_ack_pending=plan.ack_pending_max,
        filter_subjects=list(plan.subjects) or None,
        inactive_threshold=plan.idle_seconds_max,
    )


def _nobody_takes(future: asyncio.Future[Any]) -> bool:
    """Whether no stream listens on the subject; after the wait that the caller has made, that is no passing state."""
    return future.done() and not future.cancelled() and isinstance(future.exception(), NoStreamResponseError)


def _answer(future: asyncio.Future[Any], message: Outgoing) -> Published | None:
    """What the server answered; None when it did not, which says nothing about whether it has the message."""
    if not future.done():
        future.cancel()
        return None
    problem = future.exception()
    if problem is None:
        acknowledged = future.result()
        return Published(acknowledged.seq, bool(acknowledged.duplicate))
    if isinstance(problem, APIError) and problem.code != _OVERLOADED:
        raise BrokerRefused(f"{message.subject}: {problem.description}") from problem
    return None


_OVERLOADED: Final = 503
