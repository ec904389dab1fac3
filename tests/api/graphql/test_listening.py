"""Who listens over graphql-transport-ws: they bring a token in time, hear what changes, and only while it is valid."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from adapters.postgres import connect
from api.access import Role
from api.serving.app import make_app
from api.serving.changes import Changes
from projections.changes import announcement, channel_of, listen
from tests.api.asker import Asker

PROTOCOL = "graphql-transport-ws"
CHANGES = 'subscription { changes(kinds: ["invoice"]) { touched { kind objects } } }'


@contextmanager
def connected(books: Asker, protocol: str = PROTOCOL) -> Iterator[WebSocketTestSession]:
    """A connection to a server of its own on the same books."""
    settings = books.parts.settings
    connections = partial(connect, settings.database_url or "", settings.db_schema)
    changes = Changes(partial(listen, connections, settings.db_schema))
    with (
        TestClient(make_app(replace(books.parts, changes=changes))) as client,
        client.websocket_connect("/graphql", subprotocols=[protocol]) as socket,
    ):
        yield socket


def signed_in(socket: WebSocketTestSession, token: str) -> WebSocketTestSession:
    socket.send_json({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}})
    assert socket.receive_json()["type"] == "connection_ack"
    return socket


def asked(socket: WebSocketTestSession, query: str) -> Any:
    """The first answer to a subscription."""
    socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
    answer = socket.receive_json()
    assert answer["id"] == "1"
    return answer


@contextmanager
def announced(books: Asker) -> Iterator[None]:
    """What the log says of invoices is announced again and again, as when the read models take it up."""
    facts = [fact for fact in books.parts.ledger.read(0, 1000) if fact.name.startswith("invoice.")]
    told, over = (channel_of(books.parts.settings.db_schema), announcement(facts)), threading.Event()

    def announce() -> None:
        while not over.wait(0.05):
            with books.parts.pool.connection() as conn:
                conn.execute("SELECT pg_notify(%s, %s)", told)

    thread = threading.Thread(target=announce)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_listener_hears_what_changes_as_far_as_the_token_goes(books: Asker) -> None:
    with connected(books) as socket, announced(books):
        answer = asked(signed_in(socket, books.token(Role.VIEWER, entities=["DE01"])), CHANGES)
        (touched,) = answer["payload"]["data"]["changes"]["touched"]
        assert (touched["kind"], set(touched["objects"])) == ("invoice", {"I-1", "I-2"})


def test_a_listener_hears_no_more_once_the_token_has_expired(books: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.serving.changes.PAUSE_SECONDS_MAX", 0.1)
    with connected(books) as socket:
        answer = asked(signed_in(socket, books.token(Role.VIEWER, hours=2.5 / 3600)), CHANGES)
        assert "access.not_signed_in" in str(answer["payload"])


def test_who_brings_no_token_in_time_is_not_waited_for(books: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.graphql.router.INIT_SECONDS_MAX", 0.2)
    with connected(books) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 4408


@pytest.mark.parametrize("payload", [None, {}, {"Authorization": "Bearer nonsense"}, {"Authorization": 7}])
def test_nobody_listens_without_a_valid_token(books: Asker, payload: object) -> None:
    with connected(books) as socket:
        socket.send_json({"type": "connection_init", "payload": payload})
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 4403


def test_the_older_protocol_is_not_spoken(books: Asker) -> None:
    with pytest.raises(WebSocketDisconnect) as closed, connected(books, "graphql-ws") as socket:
        socket.receive_json()
    assert closed.value.code == 4406
