"""The way in for GraphQL: POST and graphql-transport-ws, each with a token; a page to try it on this machine only."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import strawberry
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse
from strawberry.exceptions import ConnectionRejectionError
from strawberry.fastapi import GraphQLRouter
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL

from api.graphql.asking import Context
from api.graphql.limits import SUBSCRIPTIONS_PER_CONNECTION_MAX
from api.graphql.page import page
from api.serving.parts import Parts
from domain.kernel import Refused

INIT_SECONDS_MAX: Final = 5


class LedgerRouter(GraphQLRouter[Context, None]):
    """GraphQL for people and programs with a token."""

    def decode_json(self, data: str | bytes) -> object:
        """What somebody sends; JSON that asks nothing, or that nobody can read, is refused like no JSON."""
        try:
            decoded = super().decode_json(data)
        except (ValueError, RecursionError) as problem:  # also a number of thousands of digits, or a thousand brackets
            raise json.JSONDecodeError(str(problem), "", 0) from None
        if not isinstance(decoded, dict | list):
            raise json.JSONDecodeError("a request is an object", "", 0)
        return decoded

    async def render_graphql_ide(self, request: Request) -> HTMLResponse:  # noqa: ARG002 - the same page for everybody
        """Our own page, where the library's loads its scripts from a public address."""
        return page()

    async def on_ws_connect(self, context: Context) -> Any:
        """A connection that listens brings its token in the payload of connection_init."""
        params = context.connection_params
        told = {str(name).lower(): value for name, value in params.items()} if isinstance(params, Mapping) else {}
        try:
            verifier = context.parts.verifier
            context.principal = await context.parts.in_thread(lambda: verifier.bearer(_text(told.get("authorization"))))
        except Refused:
            raise ConnectionRejectionError from None
        return strawberry.UNSET


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def make_router(parts: Parts, schema: strawberry.Schema, *, local: bool) -> LedgerRouter:
    """The routes of ``/graphql``."""
    return LedgerRouter(
        schema,
        path="/graphql",
        graphql_ide="graphiql" if local else None,
        allow_queries_via_get=False,
        context_getter=_context_getter(parts),
        subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
        connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS_MAX),
        max_subscriptions_per_connection=SUBSCRIPTIONS_PER_CONNECTION_MAX,
    )


def _context_getter(parts: Parts) -> Callable[[HTTPConnection], Awaitable[Context]]:
    async def context_of(connection: HTTPConnection) -> Context:
        """A request without a valid token ends here with 401; a connection that listens shows its token later."""
        if connection.scope["type"] == "websocket":
            return Context(parts, None, "websocket")
        if isinstance(connection, Request) and connection.method == "GET":
            return Context(parts, None, "http")
        header = connection.headers.get("authorization")
        return Context(parts, await parts.in_thread(lambda: parts.verifier.bearer(header)), "http")

    return context_of
