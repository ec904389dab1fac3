"""What may go wrong in a simulated run, and when it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Final, TypeVar

Item = TypeVar("Item")

OFTEN: Final = {
    "kills": 0.15,
    "database_away": 0.3,
    "target_away": 0.5,
    "commit_unsent": 0.1,
    "commit_unheard": 0.2,
    "publish_unsent": 0.1,
    "publish_unheard": 0.2,
    "ack_lost": 0.3,
    "delivery_lost": 0.05,
    "delivered_twice": 0.1,
    "told_again": 0.1,
    "create_unheard": 0.3,
    "create_late": 0.3,
}
"""The worst that a run may be given of each."""


@dataclass(frozen=True, slots=True)
class Mishaps:
    """How often what goes wrong, each as a share of its occasions; ``kills`` is per program and simulated second.

    ``out_of_order``: messages come in any order at all, not only in that of the firm's systems.
    """

    kills: float = 0.0
    database_away: float = 0.0
    target_away: float = 0.0
    commit_unsent: float = 0.0
    commit_unheard: float = 0.0
    publish_unsent: float = 0.0
    publish_unheard: float = 0.0
    ack_lost: float = 0.0
    delivery_lost: float = 0.0
    delivered_twice: float = 0.0
    told_again: float = 0.0
    create_unheard: float = 0.0
    create_late: float = 0.0
    out_of_order: bool = False

    @classmethod
    def drawn(cls, rng: Random) -> Mishaps:
        """Some of them, each from never to often: runs that lack one kind find what runs with all kinds hide."""
        shares = {name: rng.choice((0.0, rng.random())) * most for name, most in OFTEN.items()}
        return cls(**shares, out_of_order=rng.random() < 0.5)

    def __str__(self) -> str:
        said = ((each.name, getattr(self, each.name)) for each in fields(self))
        return ", ".join(f"{name} {value:.3g}" for name, value in said if value) or "nothing goes wrong"


NONE: Final = Mishaps()


class Luck:
    """Whether it happens this time; nothing happens any more once things have calmed down."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.is_calm = False
        self.struck = 0

    def strikes(self, share: float) -> bool:
        struck = not self.is_calm and share > 0 and self._rng.random() < share
        self.struck += struck
        return struck

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """The items in some other order."""
        mixed = list(items)
        self._rng.shuffle(mixed)
        return mixed

    def one_of(self, items: Sequence[Item]) -> Item:
        """One of them."""
        return self._rng.choice(items)
