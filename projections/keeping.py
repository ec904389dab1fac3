"""Keeps the read models as they were at the close of each period, under the name of the entity and the month."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import psycopg

from projections import build, scheme
from projections.finance.fold import PERIODS
from projections.follow import Log
from projections.generation import GenerationInfo, Generations

_ENTITY_CHARACTERS_MAX: Final = 16


def keep_closed(log: Log, generations: Generations) -> Iterator[GenerationInfo]:
    """Makes, one after another, what is not kept yet of the periods that the live read models know as closed.

    Does nothing while there are no live read models of this version, or while another process is at it.
    """
    try:
        live = generations.live()
    except psycopg.errors.UndefinedTable:
        return
    if live is None or live.shape != scheme.shape():
        return
    with generations.alone("keep") as is_alone:
        if not is_alone:
            return
        kept = {
            info.until
            for info in generations.all()
            if info.status == "kept" and info.code_version == scheme.code_version()
        }
        with generations.store(live) as store:
            closed = store.find(PERIODS, {"status": "closed"})
        for row in sorted(closed, key=lambda row: row.closed_position or 0):
            if row.closed_position is not None and row.closed_position not in kept:
                yield build.keep(log, generations, row.closed_position, name_of(row.entity, row.period))


def name_of(entity: str, period: str) -> str:
    """The name under which a close is kept, before its random end: ``close_de01_2026_03``."""
    plain = re.sub("[^a-z0-9]+", "_", entity.lower()).strip("_")[:_ENTITY_CHARACTERS_MAX]
    return f"close_{plain}_{period.replace('-', '_')}"
