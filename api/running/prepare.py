"""What has to be there before any part of the ledger starts: the tables of the log, and tokens to look at it with."""

from __future__ import annotations

from adapters.settings import Settings


def prepare(settings: Settings) -> None:
    """Bring the database up to this version, and on one's own machine write fresh tokens; quick when all is there."""
    from adapters.postgres import migrate  # noqa: PLC0415 - while it is imported the servers start
    from api.tokens import make_local_tokens  # noqa: PLC0415 - as above

    assert settings.database_url is not None, "prepared after the servers have started"
    migrate(settings.database_url, settings.db_schema)
    if settings.mode == "local":
        make_local_tokens(settings.home)
