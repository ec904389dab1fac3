"""What has to be there before any part of the ledger starts: the tables of the log, and tokens to look at it with."""

from __future__ import annotations

from adapters.settings import Settings
from api.supervisor import Progress


def prepare(settings: Settings, _progress: Progress) -> None:
    """Bring the database up to this version, and on one's own machine write fresh tokens; quick when all is there."""
    from adapters.postgres import migrate  # noqa: PLC0415 - not needed by who only asks what the steps are
    from api.tokens import make_local_tokens  # noqa: PLC0415 - as above

    assert settings.database_url is not None, "prepared after the servers have started"
    migrate(settings.database_url, settings.db_schema)
    if settings.mode == "local":
        make_local_tokens(settings.home)
