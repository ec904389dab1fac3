"""All processes follow the same log: what one of them has read and decoded, the others take over."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from adapters.eventstore.base import BaseLedger
from domain.kernel import Recorded

PAGES_KEPT_MAX: Final = 4


class Pages:
    """The log in pages, shared by the threads of all processes."""

    def __init__(self, ledger: BaseLedger, facts_per_page: int) -> None:
        self._ledger = ledger
        self._facts_per_page = facts_per_page
        self._era = ledger.era
        self._kept: OrderedDict[int, Sequence[Recorded[Any]]] = OrderedDict()
        self._reading = threading.Lock()

    def behind(self, position: int) -> Sequence[Recorded[Any]]:
        """The next facts behind a position, none when there are none yet."""
        with self._reading:  # who comes second waits for the first one's page instead of decoding it again
            if self._ledger.era != self._era:
                self._kept.clear()
                self._era = self._ledger.era
            page = self._kept.get(position)
            if page is None:
                page = self._ledger.read(position, self._facts_per_page)
                if page:
                    self._kept[position] = page
                    if len(self._kept) > PAGES_KEPT_MAX:
                        self._kept.popitem(last=False)
            return page
