"""Where a simulated target keeps what it has, so that a restart forgets nothing: a bucket of the broker, or memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Protocol

from nats.aio.client import Client
from nats.js.api import KeyValueConfig
from nats.js.errors import BucketNotFoundError, KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue

ANSWER_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A value, and the number that it got when it was kept: numbers grow, and none is given twice."""

    value: bytes
    number: int


class Store(Protocol):
    """Values by kind and name, each kept once or replaced knowingly."""

    async def get(self, kind: str, name: str) -> Kept | None:
        """The value, if there is one."""
        ...

    async def add(self, kind: str, name: str, value: bytes) -> Kept | None:
        """Keeps a new value; None if there is one of that name already."""
        ...

    async def replace(self, kind: str, name: str, value: bytes, known: Kept | None) -> bool:
        """Puts a value in the place of the known one; False if somebody else was first."""
        ...

    async def all(self, kind: str) -> list[Kept]:
        """Every value of a kind, oldest first."""
        ...


class MemoryStore:
    """Values in memory, for fast tests."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Kept] = {}
        self._number = 0

    async def get(self, kind: str, name: str) -> Kept | None:
        return self._kept.get((kind, name))

    async def add(self, kind: str, name: str, value: bytes) -> Kept | None:
        if (kind, name) in self._kept:
            return None
        self._number += 1
        self._kept[kind, name] = Kept(value, self._number)
        return self._kept[kind, name]

    async def replace(self, kind: str, name: str, value: bytes, known: Kept | None) -> bool:
        if self._kept.get((kind, name)) != known:
            return False
        self._number += 1
        self._kept[kind, name] = Kept(value, self._number)
        return True

    async def all(self, kind: str) -> list[Kept]:
        return sorted((kept for (of, _), kept in self._kept.items() if of == kind), key=_number)


class BucketStore:
    """Values in a bucket of NATS; several processes may share it."""

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket

    @staticmethod
    async def open(client: Client, name: str) -> BucketStore:
        """The bucket of this name, made if there is none."""
        context = client.jetstream()
        try:
            return BucketStore(await context.key_value(name))
        except BucketNotFoundError:
            return BucketStore(await context.create_key_value(KeyValueConfig(bucket=name)))

    async def get(self, kind: str, name: str) -> Kept | None:
        return await self._get(_key(kind, name))

    async def add(self, kind: str, name: str, value: bytes) -> Kept | None:
        try:
            return Kept(value, await self._bucket.create(_key(kind, name), value))
        except KeyWrongLastSequenceError:
            return None

    async def replace(self, kind: str, name: str, value: bytes, known: Kept | None) -> bool:
        try:
            await self._bucket.update(_key(kind, name), value, last=known.number if known else 0)
        except KeyWrongLastSequenceError:
            return False
        return True

    async def all(self, kind: str) -> list[Kept]:
        watcher: Any = await self._bucket.watch(f"{kind}.>", ignore_deletes=True)  # its methods are not typed
        found: list[Kept] = []
        try:
            while (entry := await watcher.updates(ANSWER_SECONDS)) is not None:
                found.append(Kept(entry.value or b"", entry.revision or 0))
        finally:
            await watcher.stop()
        return sorted(found, key=_number)

    async def _get(self, key: str) -> Kept | None:
        try:
            entry = await self._bucket.get(key)
        except KeyNotFoundError:
            return None
        assert entry.revision is not None
        return Kept(entry.value or b"", entry.revision)


def _key(kind: str, name: str) -> str:
    """Names may hold what the keys of a bucket may not."""
    return f"{kind}.{hashlib.sha256(name.encode()).hexdigest()}"


def _number(kept: Kept) -> int:
    return kept.number
