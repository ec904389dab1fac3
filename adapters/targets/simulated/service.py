"""Lets a simulated target answer on NATS: what its interface offers, and what the one who simulates asks of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
import structlog
from nats.aio.client import Client
from nats.micro import add_service
from nats.micro.request import Request
from nats.micro.service import EndpointConfig, Service, ServiceConfig
from pydantic import ValidationError

from adapters.targets.simulated.fake import CannotPay, Reply, SimulatedTarget
from adapters.targets.simulated.records import Pay

VERSION: Final = "1.0.0"
DOCUMENTS_SHOWN_MAX: Final = 100

_log = structlog.get_logger(__name__)


def subject_of(target: str, operation: str) -> str:
    """Where a simulated target is asked: ``p2c.target.erp.create``."""
    return f"p2c.target.{target}.{operation}"


def control_subject_of(target: str) -> str:
    """Where a simulated target is told how to behave: ``p2c.ctl.erp``."""
    return f"p2c.ctl.{target}"


async def serve(client: Client, target: SimulatedTarget) -> Service:
    """Answers until the service is stopped; several processes that serve the same target share the requests."""
    name = target.kind.name
    service = await add_service(
        client,
        ServiceConfig(name=f"simulated-{name}", version=VERSION, description=f"A simulated {name.upper()}."),
    )
    handlers: dict[str, Callable[[Request], Awaitable[Reply | None]]] = {
        subject_of(name, "create"): lambda request: _create(target, request),
        subject_of(name, "find"): lambda request: _find(target, request),
        control_subject_of(name): lambda request: _control(target, request),
    }
    for subject, handle in handlers.items():
        endpoint = subject.rpartition(".")[2] if subject != control_subject_of(name) else "control"
        await service.add_endpoint(EndpointConfig(name=endpoint, subject=subject, handler=_answering(handle)))
    return service


def _answering(
    handle: Callable[[Request], Awaitable[Reply | None]],
) -> Callable[[Request], Awaitable[None]]:
    async def answer(request: Request) -> None:
        reply = await handle(request)
        if reply is not None:
            await request.respond(orjson.dumps(reply))

    return answer


async def _create(target: SimulatedTarget, request: Request) -> Reply | None:
    said = {name.lower(): value for name, value in (request.headers or {}).items()}
    return await target.create(said["ce-id"], said["ce-type"], said["ce-subject"], request.data)


async def _find(target: SimulatedTarget, request: Request) -> Reply:
    return await target.find(str(orjson.loads(request.data)["key"]))


async def _control(target: SimulatedTarget, request: Request) -> Reply:
    """Does what is asked, ``{"behave": {...}}`` or ``{"pay": {...}}``; asked nothing, tells how things stand."""
    try:
        wish: dict[str, Any] = orjson.loads(request.data or b"{}")
        _log.info("control", target=target.kind.name, wish=wish)
        if "pay" in wish:
            return {"paid": (await target.pay(Pay.model_validate(wish["pay"]))).model_dump(mode="json")}
        if "behave" in wish:
            return {"behaviour": (await target.behave(**wish["behave"])).model_dump(mode="json")}
    except (ValidationError, CannotPay, ValueError, TypeError) as wrong:
        return {"error": str(wrong)}
    documents = await target.documents()
    return {
        "behaviour": (await target.behaviour()).model_dump(mode="json"),
        "documents": len(documents),
        "keys": [document.key for document in documents[-DOCUMENTS_SHOWN_MAX:]],
        "payments": sum(len(each.payments) for each in await target.payments()),
    }
