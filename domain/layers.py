"""A mapping that grows by many small changes without being copied whole for each: old states stay as they were.

Changes are kept in layers of falling size, and a layer is merged into the one below when it is no longer much smaller.
A history of n changes therefore costs about n log n, and a look-up passes about log n layers.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import Final, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

SMALL: Final = 64
"""Up to this size a plain copy is quicker."""


class Layered(Mapping[Key, Value]):
    """A read-only mapping in layers, the newest last; its order is that in which keys first came."""

    __slots__ = ("_layers", "_whole")

    def __init__(self, layers: tuple[dict[Key, Value], ...]) -> None:
        self._layers = layers
        self._whole: dict[Key, Value] | None = None

    @property
    def layers(self) -> tuple[dict[Key, Value], ...]:
        """The layers, to build a further mapping on."""
        return self._layers

    def __getitem__(self, key: Key) -> Value:
        for layer in reversed(self._layers):
            if key in layer:
                return layer[key]
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return any(key in layer for layer in self._layers)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._merged())

    def __len__(self) -> int:
        return len(self._merged())

    def items(self) -> ItemsView[Key, Value]:
        """All keys with their values."""
        return self._merged().items()

    def values(self) -> ValuesView[Value]:
        """All values."""
        return self._merged().values()

    def __repr__(self) -> str:
        return repr(self._merged())

    def _merged(self) -> dict[Key, Value]:
        if self._whole is None:
            whole: dict[Key, Value] = {}
            for layer in self._layers:
                whole.update(layer)
            self._whole = whole
        return self._whole


def with_changes(known: Mapping[Key, Value], changes: dict[Key, Value]) -> Mapping[Key, Value]:
    """The mapping with some keys added or changed; the one that is given stays as it was."""
    layers = known.layers if isinstance(known, Layered) else (known if isinstance(known, dict) else dict(known),)
    if len(layers) == 1 and len(layers[0]) + len(changes) <= SMALL:
        return {**layers[0], **changes}
    top, below = changes, list(layers)
    while below and len(below[-1]) <= 2 * len(top):
        top = {**below.pop(), **top}
    return Layered((*below, top))
