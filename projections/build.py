"""Makes generations: in the place of the live one, as of a position, and anew to prove that the live one is right.

All of them, and live following, apply the same fold to the same facts; they differ in where they begin and end.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from projections import scheme
from projections.digest import Offender, Snapshot, differing, offenders
from projections.fold import Fold
from projections.follow import Log, batches
from projections.generation import GenerationInfo, Generations
from projections.store import Mark

EVENTS_PER_BATCH: Final = 3_000
CATCH_UP_ROUNDS_MAX: Final = 20
GAP_SMALL: Final = 200
"""Positions that may be missing when the live generation is made to stand still for the switch."""

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is to do, and what it is."""


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild did: the generation that is live now, and where the one before it differed at one position."""

    generation: GenerationInfo
    replaced: GenerationInfo | None
    events: int
    seconds: float
    compared_at: int | None
    differing_tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table of the live generation against the same table folded anew."""

    table: str
    rows: int
    rows_anew: int
    is_same: bool


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Whether the read models are the fold of the log, and if not, which rows offend."""

    position: int
    seconds: float
    tables: tuple[TableCheck, ...]
    offenders: tuple[Offender, ...]

    @property
    def is_clean(self) -> bool:
        return all(check.is_same for check in self.tables)


class NothingToVerify(Exception):
    """There is no live generation yet."""


def fill(
    log: Log,
    generations: Generations,
    info: GenerationInfo,
    until: int,
    progress: Progress = no_progress,
    events_per_batch: int = EVENTS_PER_BATCH,
) -> GenerationInfo:
    """Folds all facts up to a position into a generation; while one batch is folded the one before it is written.

    From the beginning, open work is decided once, at the end; a filling that is broken off is never taken up again.
    """
    with generations.store(info) as store, rare_collection():
        fold = Fold(log, store, info.position)
        from_zero, recorded_at = info.position == 0, info.recorded_at
        for facts in batches(log, info.position, until, events_per_batch):
            before, recorded_at = fold.position, facts[-1].recorded_at
            changes = fold.apply(facts, decide=not from_zero)
            store.submit(changes, Mark(before, fold.position, recorded_at, len(facts)))
            progress(fold.position, until, "events")
        if from_zero and recorded_at is not None:
            for changes in fold.decide_open():
                store.submit(changes, Mark(fold.position, fold.position, recorded_at, 0))
        store.settle()
    return generations.get(info.name)


@contextmanager
def rare_collection() -> Iterator[None]:
    """Python looks for circular garbage less often: a fold makes hardly any, and keeps many rows to look through."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def rebuild(
    log: Log, generations: Generations, progress: Progress = no_progress, events_per_batch: int = EVENTS_PER_BATCH
) -> RebuildReport:
    """Makes a new generation beside the live one, compares, and switches; nobody who asks waits for it."""
    generations.prepare()
    with generations.locked("rebuild"):
        generations.drop_unfinished()
        began = time.monotonic()
        old = generations.live()
        new = generations.create("r")
        new = fill(log, generations, new, old.position if old else log.head(), progress, events_per_batch)
        compared_at: int | None = None
        differing_tables: tuple[str, ...] = ()
        if old is not None and old.shape == scheme.shape():
            new, compared_at, differing_tables = _compared(log, generations, old, new)
        generations.finish(new)
        new = _switched(log, generations, new, old)
        return RebuildReport(new, old, new.events, time.monotonic() - began, compared_at, differing_tables)


def _compared(
    log: Log, generations: Generations, old: GenerationInfo, new: GenerationInfo
) -> tuple[GenerationInfo, int, tuple[str, ...]]:
    """Both at the same position; a difference is what another version of the code makes of the same facts."""
    with generations.snapshot(old) as before:
        new = fill(log, generations, new, before.position)
        with generations.snapshot(new) as anew:
            tables = differing(before.digests(), anew.digests())
        return new, before.position, tuple(table.name for table in tables)


def _switched(log: Log, generations: Generations, new: GenerationInfo, old: GenerationInfo | None) -> GenerationInfo:
    """Comes close to the head, lets the live generation stand still for a moment, and takes its place."""
    for _ in range(CATCH_UP_ROUNDS_MAX):
        head = log.head()
        if head - new.position <= GAP_SMALL:
            break
        new = fill(log, generations, new, head)
    with generations.standing_still(old) as conn:
        now = generations.get(old.name) if old else None
        if now is not None and now.position > new.position:
            new = fill(log, generations, new, now.position)
        generations.switch(conn, new, old)
    return generations.get(new.name)


def as_of(log: Log, generations: Generations, position: int) -> GenerationInfo:
    """The generation that stopped at a position: one that is there, or a new one on top of the nearest before it."""
    with generations.locked("as_of"):
        generations.drop_unfinished(as_of=True)
        ours = [
            info
            for info in generations.all()
            if info.status in ("as_of", "kept") and info.code_version == scheme.code_version()
        ]
        for info in ours:
            if info.until == position:
                return info
        earlier = [info for info in ours if info.until is not None and info.until < position]
        base = max(earlier, key=lambda info: info.position, default=None)
        if base is not None and base.position > 0:
            made = generations.clone(base, "a", until=position)
        else:
            made = generations.create("a", until=position, logged=True)
        made = fill(log, generations, made, position)
        generations.finish(made, logged=False)
        return generations.settle(made, "as_of")


def keep(log: Log, generations: Generations, position: int, prefix: str) -> GenerationInfo:
    """The generation that stopped at a position and stays, under a name of its own; made if this code has not made it.

    One that another version of the code has made is replaced: it cannot be asked any more.
    """
    with generations.locked("as_of"):
        generations.drop_unfinished(as_of=True)
        stopped = [info for info in generations.all() if info.status in ("as_of", "kept") and info.until is not None]
        ours = [info for info in stopped if info.code_version == scheme.code_version()]
        for info in ours:
            if info.status == "kept" and info.until == position:
                return info
        earlier = [info for info in ours if info.until is not None and info.position > 0 and info.until <= position]
        if base := max(earlier, key=lambda info: info.position, default=None):
            made = generations.clone(base, prefix, until=position)
        else:
            made = generations.create(prefix, until=position, logged=True)
        made = fill(log, generations, made, position)
        generations.finish(made, logged=False)
        made = generations.settle(made, "kept")
        for info in stopped:
            if info.status == "kept" and info.until == position:
                generations.drop(info)
        return made


def verify(log: Log, generations: Generations, progress: Progress = no_progress) -> VerifyReport:
    """Folds everything anew and compares it with the live generation, table by table; raises NothingToVerify."""
    generations.prepare()
    with generations.locked("rebuild"):
        generations.drop_unfinished()
        began = time.monotonic()
        live = generations.live()
        if live is None:
            raise NothingToVerify("there is no live generation; start p2c project, or run p2c rebuild")
        with generations.snapshot(live) as mine:
            made = generations.create("v")
            try:
                made = fill(log, generations, made, mine.position, progress)
                with generations.snapshot(made) as anew:
                    checks, found = _checked(mine, anew)
            finally:
                generations.drop(made)
        return VerifyReport(mine.position, time.monotonic() - began, checks, found)


def _checked(mine: Snapshot, anew: Snapshot) -> tuple[tuple[TableCheck, ...], tuple[Offender, ...]]:
    digests, digests_anew = mine.digests(), anew.digests()
    checks = tuple(
        TableCheck(name, digest.rows, digests_anew[name].rows, digest == digests_anew[name])
        for name, digest in digests.items()
    )
    tables = differing(digests, digests_anew)
    return checks, tuple(each for table in tables for each in offenders(table, mine, anew))
