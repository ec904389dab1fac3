"""Names that a target system gives to what the ledger knows, where they can be told in advance."""

from __future__ import annotations

import hashlib
import string

_DIGITS = string.digits + string.ascii_uppercase


def jira_project_key(project: str) -> str:
    """The key of the Jira project in which the simulated PSA lets a project's work be tracked, e.g. ``P4K2M9QZ``.

    It is computed from the ledger's own id, so that Jira may speak of a project before the PSA has confirmed it.
    """
    number = int.from_bytes(hashlib.sha256(project.encode()).digest())
    digits = []
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "P" + "".join(reversed(digits))[:7]
