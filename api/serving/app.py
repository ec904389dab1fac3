"""The composition root of the serving role: every part is made here, once, and handed to whoever needs it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Final

import anyio
import nats
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters import postgres
from adapters.settings import Settings
from api.access import require
from api.books import open_ledger
from api.errors import http_status, problem_of
from api.graphql import page
from api.graphql.limits import BODY_BYTES_MAX, STATEMENT_SECONDS_MAX
from api.graphql.router import make_router
from api.graphql.schema import make_schema
from api.reads import Reads
from api.services.desk import Desk
from api.serving import health, metrics
from api.serving.bodies import LimitedBodies
from api.serving.changes import Changes
from api.serving.documents import make_document_router
from api.serving.nats_services import answering
from api.serving.parts import Parts
from api.tokens import verifier_of
from domain.kernel import Refused
from projections.changes import listen
from projections.eligibility.candidates import LiveCandidates
from projections.generation import Generations
from projections.reader import Reader

THREADS: Final = 8
NATS_PAUSE_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


@contextlib.contextmanager
def open_parts(settings: Settings) -> Iterator[Parts]:
    """The parts of a serving process on these servers; given back at the end."""
    assert settings.database_url is not None, "roles are started on servers that run"
    schema = settings.db_schema
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings, pool_size=THREADS))
        patient = _with_statement_limit(settings.database_url)
        pool = stack.enter_context(postgres.open_pool(patient, schema, size=THREADS, application_name="p2c-serve"))
        connect = partial(postgres.connect, settings.database_url, schema, "p2c-serve")
        reader = Reader(pool, ledger, Generations(connect, schema))
        yield Parts(
            settings=settings,
            ledger=ledger,
            pool=pool,
            reader=reader,
            desk=Desk(ledger, LiveCandidates(reader), reader),
            verifier=verifier_of(settings),
            changes=Changes(partial(listen, connect, schema)),
            reads=Reads(pool),
            metrics=metrics.Metrics(),
            threads=anyio.CapacityLimiter(THREADS),
        )


def _with_statement_limit(url: str) -> str:
    """The same address, for connections whose statements end by themselves when they take too long."""
    options = str(conninfo_to_dict(url).get("options") or "")
    return make_conninfo(url, options=f"{options} -c statement_timeout={int(STATEMENT_SECONDS_MAX)}s".strip())


def make_app(parts: Parts) -> FastAPI:
    """The web application: GraphQL, documents, health, metrics."""
    local = parts.settings.mode == "local"

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts.changes.start()
        answering_nats = asyncio.create_task(_answer_nats(parts))
        try:
            yield
        finally:
            answering_nats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await answering_nats
            await parts.changes.stop()

    app = FastAPI(title="project-to-cash ledger", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(LimitedBodies, bytes_max=BODY_BYTES_MAX)
    app.include_router(make_router(parts, make_schema(local=local), local=local))
    if local:
        app.mount(page.PATH, page.Assets(directory=page.FOLDER))
        app.add_api_route("/", lambda: RedirectResponse("/graphql"), include_in_schema=False)
    app.add_exception_handler(Refused, _refusal)
    app.add_exception_handler(Exception, _failure)
    app.include_router(make_document_router(parts))
    _add_health(app, parts)
    return app


async def _refusal(_request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    status = http_status(problem)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    told = {"message": problem.message, "extensions": {"code": problem.code, "fix": problem.fix}}
    return JSONResponse({"data": None, "errors": [told]}, status, headers)


async def _failure(request: Request, error: Exception) -> Response:
    _log.error("request failed", path=request.url.path, exc_info=error)
    return await _refusal(request, error)


def _add_health(app: FastAPI, parts: Parts) -> None:
    @app.get("/health/live")
    async def live() -> Response:
        return JSONResponse({"live": True})

    @app.get("/health/ready")
    async def ready() -> Response:
        found = await parts.in_thread(lambda: _readiness(parts))
        holds = all(each.holds for each in found)
        shown = {each.name: each.found for each in found}
        return JSONResponse({"ready": holds, "conditions": shown}, 200 if holds else 503)

    @app.get("/metrics")
    async def figures(request: Request) -> Response:
        if parts.settings.mode == "production":
            require(parts.verifier.bearer(request.headers.get("authorization")), "metrics")
        page = await parts.in_thread(lambda: _figures(parts))
        return Response(page, media_type=metrics.CONTENT_TYPE)


def _readiness(parts: Parts) -> tuple[health.Condition, ...]:
    return health.readiness(parts.ledger, parts.pool, lambda: _read_position(parts), parts.settings.home)


def _read_position(parts: Parts) -> int | None:
    if not parts.reader.is_ready():
        return None
    with parts.reader.view() as view:
        return view.watermark.position


def _figures(parts: Parts) -> bytes:
    lag = health.lag_of(parts.ledger, _read_position(parts) or 0)
    with parts.pool.connection() as conn:
        return parts.metrics.page(conn, lag.head, lag.read, lag.seconds)


async def _answer_nats(parts: Parts) -> None:
    """Answer service requests; while the broker is away GraphQL goes on, and the broker is tried again."""
    assert parts.settings.nats_url is not None
    while True:
        try:
            client = await nats.connect(
                servers=parts.settings.nats_url.split(","),
                name="p2c-serve",
                max_reconnect_attempts=-1,
                ping_interval=10,
                max_outstanding_pings=2,
                error_cb=_broker_problem,
                disconnected_cb=_broker_gone,
                reconnected_cb=_broker_back,
                closed_cb=_broker_closed,
            )
        except (OSError, nats.errors.Error) as problem:
            _log.warning("broker does not answer", problem=str(problem))
            await asyncio.sleep(NATS_PAUSE_SECONDS)
            continue
        try:
            async with answering(client, parts.desk, parts.verifier, parts.in_thread):
                await asyncio.Future()
        finally:
            await client.close()


async def _broker_problem(problem: Exception) -> None:
    _log.warning("broker", problem=str(problem))


async def _broker_gone() -> None:
    _log.warning("broker disconnected")


async def _broker_back() -> None:
    _log.info("broker reconnected")


async def _broker_closed() -> None:
    _log.info("connection to the broker closed")
