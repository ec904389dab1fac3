"""The serving role: GraphQL, services on NATS, health and metrics, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import uvicorn

from adapters.settings import Settings
from api.graphql.limits import BODY_BYTES_MAX
from api.serving.app import make_app, open_parts

STOP_SECONDS_MAX = 5
CONNECTIONS_MAX = 2_000


class _Server(uvicorn.Server):
    """Signals belong to the role, which was given ``stop`` for them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main(settings: Settings, stop: threading.Event) -> None:
    """Answer until ``stop`` is set."""
    asyncio.run(_serve(settings, stop))


async def _serve(settings: Settings, stop: threading.Event) -> None:
    with open_parts(settings) as parts:
        config = uvicorn.Config(
            make_app(parts),
            host=settings.http_host,
            port=settings.http_port,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            ws_max_size=BODY_BYTES_MAX,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=STOP_SECONDS_MAX,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(asyncio.to_thread(stop.wait))
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stop.set()
        await serving
        await stopping
