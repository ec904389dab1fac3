"""One role as a process of its own, as production runs it."""

from __future__ import annotations

from adapters import embedded, logs
from adapters.settings import load
from api.roles import role_named, run_alone


def run(name: str) -> None:
    """Run the role until Ctrl-C or SIGTERM, on the configured servers or those of this home."""
    settings = load()
    logs.configure(name, settings.log_level)
    with embedded.running(settings) as found:
        run_alone(role_named(name), found)
