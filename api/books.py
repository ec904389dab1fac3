"""Opens the ledger of an installation as every part of it needs it: with its rules, and with what has to leave it."""

from __future__ import annotations

from adapters.eventstore.ledger import Ledger
from adapters.outbox.messages import outgoing
from adapters.settings import Settings
from domain.catalogue import DECIDERS, EVENTS, UPCASTS


def open_ledger(settings: Settings, *, pool_size: int = 5, cache_streams: int = 50_000) -> Ledger:
    """The event log with the domain's rules; whoever records an event also records the messages that it leads to."""
    assert settings.database_url is not None, "roles are started on servers that run"
    return Ledger(
        settings.database_url,
        EVENTS,
        DECIDERS,
        upcasts=UPCASTS,
        schema=settings.db_schema,
        pool_size=pool_size,
        cache_streams=cache_streams,
        outgoing=outgoing,
    )
