"""The governed services on NATS: request and reply with the same names, rules and answers as the GraphQL mutations.

A request goes to ``p2c.svc.v1.<service>`` with the access token in the header ``Authorization`` and the body
``{"idempotencyKey": "...", "dryRun": false, "input": {...}}``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

import structlog
from nats.aio.client import Client
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import EndpointConfig, ServiceConfig

from api.errors import Problem, problem_of
from api.services.catalogue import SERVICES
from api.services.desk import Desk
from api.services.inputs import RequestInvalid, about, camel, field_hints, read_input
from api.services.service import Answer, Service
from api.tokens import Verifier
from domain.kernel import Refused

SUBJECT: Final = "p2c.svc.v1"
QUEUE: Final = "p2c-serve"
VERSION: Final = "1.0.0"
BODY_BYTES_MAX: Final = 256 * 1024
ANSWER_BYTES_MAX: Final = 512 * 1024
IN_FLIGHT_MAX: Final = 32

InThread = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs blocking work in a thread of a bounded number, and gives its result."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def answering(client: Client, desk: Desk, verifier: Verifier, in_thread: InThread) -> AsyncIterator[None]:
    """Answers requests for all services on a connection, as one of a group that shares them."""
    config = ServiceConfig(
        name="p2c-ledger",
        version=VERSION,
        description="The governed services of the project-to-cash ledger.",
        queue_group=QUEUE,
    )
    counter = _Counter(desk, verifier, in_thread)
    service = await add_service(client, config)
    async with asyncio.TaskGroup() as working:
        counter.working = working
        try:
            for each in SERVICES.values():
                endpoint = EndpointConfig(
                    name=each.name,
                    subject=f"{SUBJECT}.{each.name}",
                    handler=counter.handler(each),
                    metadata={"about": each.about, "input": ", ".join(_described(each.input))[:4_000]},
                )
                await service.add_endpoint(endpoint)
            yield
        finally:
            await service.stop()


def _described(kind: type) -> list[str]:
    return [f"{camel(name)}: {about(hint)}" for name, hint in field_hints(kind).items()]


class _Counter:
    """Takes requests, some at a time, and answers each one."""

    def __init__(self, desk: Desk, verifier: Verifier, in_thread: InThread) -> None:
        self._desk = desk
        self._verifier = verifier
        self._in_thread = in_thread
        self._places = asyncio.Semaphore(IN_FLIGHT_MAX)
        self.working: asyncio.TaskGroup | None = None

    def handler(self, service: Service[Any]) -> Callable[[Request], Awaitable[None]]:
        """The endpoint of one service; it waits only while all places are taken."""

        async def handle(request: Request) -> None:
            assert self.working is not None
            await self._places.acquire()
            self.working.create_task(self._answer(service, request))

        return handle

    async def _answer(self, service: Service[Any], request: Request) -> None:
        try:
            answer: Answer = await self._in_thread(lambda: self._run(service, request))
            await request.respond(_encoded_answer(answer))
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the caller gets an answer
            problem = problem_of(error)
            if not isinstance(error, Refused):
                _log.exception("service failed", service=service.name)
            await self._refuse(request, problem)
        finally:
            self._places.release()

    async def _refuse(self, request: Request, problem: Problem) -> None:
        try:
            await request.respond_error(problem.code, problem.message[:500], _encoded({"errors": [asdict(problem)]}))
        except Exception:  # noqa: BLE001 - nobody waits for the answer, or the broker is away
            _log.warning("answer could not be sent", code=problem.code)

    def _run(self, service: Service[Any], request: Request) -> Answer:
        headers = {name.lower(): value for name, value in (request.headers or {}).items()}
        principal = self._verifier.bearer(headers.get("authorization"))
        body = _body(request.data)
        key, dry_run = body.get("idempotencyKey"), body.get("dryRun", False)
        if not isinstance(key, str) or not isinstance(dry_run, bool):
            raise RequestInvalid("idempotencyKey is text, dryRun true or false.")
        asked = read_input(service.input, body.get("input"))
        return self._desk.run(service, asked, principal, key, dry_run=dry_run)


def _body(data: bytes) -> Mapping[str, Any]:
    if len(data) > BODY_BYTES_MAX:
        raise RequestInvalid(f"The body has at most {BODY_BYTES_MAX} bytes.")
    try:
        body = json.loads(data, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise RequestInvalid("The body has to be JSON.") from None
    if not isinstance(body, dict):
        raise RequestInvalid("The body has to be a JSON object.")
    if unknown := sorted(set(body) - {"idempotencyKey", "dryRun", "input"}):
        raise RequestInvalid(f"The body has no field {unknown[0]}; what the service is told stands in input.")
    return body


def _encoded_answer(answer: Answer) -> bytes:
    """An answer that would not fit into a message tells its events without their content."""
    whole = _encoded(_shown(answer, with_content=True))
    return whole if len(whole) <= ANSWER_BYTES_MAX else _encoded(_shown(answer, with_content=False))


def _shown(answer: Answer, *, with_content: bool) -> dict[str, Any]:
    return {
        "position": answer.position,
        "objects": list(answer.states),
        "events": [
            {"id": each.id, "name": each.name} | ({"content": each.content} if with_content else {})
            for each in answer.events
        ],
        "leftOut": [asdict(each) for each in answer.left_out],
        "dryRun": answer.dry_run,
        "repeated": answer.repeated,
    }


def _encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
