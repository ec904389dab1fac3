"""Python's garbage collector, in processes that keep much and make hardly any circular garbage."""

from __future__ import annotations

import gc


def spare_the_collector() -> None:
    """Make the garbage collector look seldom, in a process that does nothing but this.

    The states and rows that are kept are many and live long, and hardly anything here goes in circles: looking through
    all of them for what is not there took a fifth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
