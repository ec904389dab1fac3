"""``p2c token``: a fresh local access token for one role."""

from __future__ import annotations

import sys

from adapters.settings import SettingsInvalid, load
from api.access import Role
from api.tokens import local_token


def run(*, role: str, hours: int) -> None:
    """Print the token; raises SettingsInvalid for an unknown role, and in production, where the provider makes them."""
    settings = load()
    if settings.mode == "production":
        raise SettingsInvalid(("P2C_MODE=production: access tokens come from the identity provider",))
    names = {each.value: each for each in Role}
    found = names.get(role.replace("-", "_").lower())
    if found is None:
        raise SettingsInvalid((f"{role} is not a role; the roles are {', '.join(names)}",))
    sys.stdout.write(local_token(settings.home, found, hours=hours) + "\n")
