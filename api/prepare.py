"""What has to be there before any part of the ledger starts: the tables of the log."""

from __future__ import annotations

from adapters.settings import Settings
from api.supervisor import Progress


def prepare(settings: Settings, _progress: Progress) -> None:
    """Bring the database up to this version; quick when it is already."""
    from adapters.postgres import migrate  # noqa: PLC0415 - not needed by who only asks what the steps are

    assert settings.database_url is not None, "prepared after the servers have started"
    migrate(settings.database_url, settings.db_schema)
