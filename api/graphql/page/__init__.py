"""The page that tries GraphQL in a browser, on this machine alone: all that it needs is in this folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

FOLDER: Final = Path(__file__).parent
PATH: Final = "/graphql/page"
"""Where its scripts and styles are; the page itself names them by relative addresses."""

_SERVED: Final = (".js", ".css", ".graphql", ".txt")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; font-src data:; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the browser lets the page do: scripts of this server, and talk to it; the editor writes its styles itself."""


class Assets(StaticFiles):
    """The scripts and styles of the page, and no other file of its folder."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        return super().lookup_path(path) if path.endswith(_SERVED) else ("", None)


def page() -> HTMLResponse:
    """The page, which the browser lets speak with this server alone."""
    html = (FOLDER / "index.html").read_text(encoding="utf-8")
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"})
