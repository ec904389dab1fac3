"""What every read model's fold offers: which rows a fact will need, what it does to them, and how a batch ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from domain.kernel import Recorded
from projections.shelf import Changes

Handler = Callable[[Recorded[Any]], None]
"""What one kind of event does to the rows in memory."""


class Model(Protocol):
    """The fold of one read model.

    For each batch: ``wants`` names the rows that the facts will need, ``prepare`` brings them, ``on`` changes them fact
    by fact, ``finish`` does what depends on the batch as a whole, and ``collect`` hands over what has to be written.
    The result must not depend on where one batch ends and the next begins.
    """

    wants: Mapping[type, Handler]
    on: Mapping[type, Handler]

    def prepare(self) -> None:
        """Brings the rows that are wanted."""
        ...

    def finish(self) -> None:
        """Decides what depends on all facts of the batch."""
        ...

    def collect(self, changes: Changes) -> None:
        """Hands over the writes of the batch."""
        ...
