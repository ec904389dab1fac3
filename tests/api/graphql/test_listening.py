"""Who listens over graphql-transport-ws: they bring a token in time, hear what changes, and only while it is valid."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from adapters.postgres import connect
from api.access import Role
from api.serving.app import make_app
from api.serving.changes import Changes
from projections.changes import announcement, channel_of, listen
from tests.api.asker import Asker

PROTOCOL = "graphql-transport-ws"
CHANGES = 'subscription { changes(kinds: ["invoice"]) { touched { kind objects } } }'
HEARD_SECONDS_MAX = 10.0


class Closed(Exception):
    """The server has closed the connection, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """A listener's side of a connection, without a network."""

    def __init__(self, protocol: str) -> None:
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"ledger"), (b"sec-websocket-protocol", protocol.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("ledger", 80),
            "subprotocols": [protocol],
        }

    async def serve(self, app: Any) -> None:
        await app(self._scope, self._incoming.get, self._sent.put)

    def say(self, **message: Any) -> None:
        self._incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def hear(self) -> Any:
        while True:
            message = await asyncio.wait_for(self._sent.get(), HEARD_SECONDS_MAX)
            if message["type"] == "websocket.close":
                raise Closed(message["code"])
            if message["type"] == "websocket.send":
                return json.loads(message["text"])

    async def sign_in(self, token: str) -> None:
        self.say(type="connection_init", payload={"Authorization": f"Bearer {token}"})
        assert (await self.hear())["type"] == "connection_ack"

    async def subscribe(self, query: str) -> Any:
        """The first answer to a subscription."""
        self.say(id="1", type="subscribe", payload={"query": query})
        answer = await self.hear()
        assert answer["id"] == "1"
        return answer["payload"]


def connected(books: Asker, steps: Callable[[Socket], Awaitable[None]], protocol: str = PROTOCOL) -> None:
    """Runs a listener's steps on a server of its own on the same books."""

    async def run() -> None:
        settings = books.parts.settings
        connections = partial(connect, settings.database_url or "", settings.db_schema)
        changes, socket = Changes(partial(listen, connections, settings.db_schema)), Socket(protocol)
        changes.start()
        serving = asyncio.create_task(socket.serve(make_app(replace(books.parts, changes=changes))))
        try:
            await steps(socket)
        finally:
            serving.cancel()
            await changes.stop()

    asyncio.run(run())


@asynccontextmanager
async def announced(books: Asker) -> AsyncIterator[None]:
    """What the log says of invoices is announced again and again, as when the read models take it up."""
    facts = [fact for fact in books.parts.ledger.read(0, 1000) if fact.name.startswith("invoice.")]
    told = (channel_of(books.parts.settings.db_schema), announcement(facts))

    def announce() -> None:
        with books.parts.pool.connection() as conn:
            conn.execute("SELECT pg_notify(%s, %s)", told)

    async def on_and_on() -> None:
        while True:
            await asyncio.to_thread(announce)
            await asyncio.sleep(0.05)

    announcing = asyncio.create_task(on_and_on())
    try:
        yield
    finally:
        announcing.cancel()


def test_a_listener_hears_what_changes_as_far_as_the_token_goes(books: Asker) -> None:
    async def steps(socket: Socket) -> None:
        await socket.sign_in(books.token(Role.VIEWER, entities=["DE01"]))
        async with announced(books):
            (touched,) = (await socket.subscribe(CHANGES))["data"]["changes"]["touched"]
        assert (touched["kind"], set(touched["objects"])) == ("invoice", {"I-1", "I-2"})

    connected(books, steps)


def test_what_nobody_ever_tells_cannot_be_listened_to(books: Asker) -> None:
    async def steps(socket: Socket) -> None:
        await socket.sign_in(books.token(Role.VIEWER))
        (refused,) = (await socket.subscribe(CHANGES.replace("invoice", "invoyce")))["errors"]
        assert refused["extensions"]["code"] == "request.unknown_value"

    connected(books, steps)


def test_a_listener_hears_no_more_once_the_token_has_expired(books: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.serving.changes.PAUSE_SECONDS_MAX", 0.1)

    async def steps(socket: Socket) -> None:
        await socket.sign_in(books.token(Role.VIEWER, hours=2.5 / 3600))
        assert "access.not_signed_in" in str(await socket.subscribe(CHANGES))

    connected(books, steps)


def test_who_brings_no_token_in_time_is_not_waited_for(books: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.graphql.router.INIT_SECONDS_MAX", 0.2)

    async def steps(socket: Socket) -> None:
        with pytest.raises(Closed) as closed:
            await socket.hear()
        assert closed.value.code == 4408

    connected(books, steps)


@pytest.mark.parametrize("payload", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": 7}])
def test_nobody_listens_without_a_valid_token(books: Asker, payload: object) -> None:
    async def steps(socket: Socket) -> None:
        socket.say(type="connection_init", payload=payload)
        with pytest.raises(Closed) as closed:
            await socket.hear()
        assert closed.value.code == 4403

    connected(books, steps)


def test_the_older_protocol_is_not_spoken(books: Asker) -> None:
    async def steps(socket: Socket) -> None:
        with pytest.raises(Closed) as closed:
            await socket.hear()
        assert closed.value.code == 4406

    connected(books, steps, "graphql-ws")
