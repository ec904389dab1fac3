"""Eligibility says whether work may be billed, and if not, every reason why, with what removes it.

``reasons`` says what a reason is and on what it may depend, ``blockers`` holds the rules of each part of the closed
list, and ``deciding`` asks them all.
"""

from __future__ import annotations

from domain.eligibility.deciding import decide, in_order

__all__ = ["decide", "in_order"]
