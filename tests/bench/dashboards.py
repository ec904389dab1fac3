"""The three dashboards as they open, asked of a short and of a long history, and of one legal entity.

``query_growth`` is the p99 of thousands of answers from the long history over that of as many from the short one, of
the dashboard for which it is largest. An answer is what a request asks of the read models: a view of one moment with
its watermark, the first page, and the totals of the whole firm, over a connection of a pool that is warm. HTTP and
GraphQL are left out, because they cost the same whatever is asked. The histories are asked by turns, answer by answer,
and who goes first changes: a slow moment of the machine meets both alike, so that on a busy one both are longer and
their ratio is not. The pages have as many rows in both, fewer than the short history has: what is compared is finding
them among more, not showing more.

``row_security_cost`` compares medians, which a few slow answers do not move.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from statistics import median
from typing import Any, Final

from adapters.postgres import connect, open_pool
from adapters.settings import Settings
from api.books import open_ledger
from projections.eligibility import billing_eligibility
from projections.eligibility.billing_eligibility import EligibilityFilter
from projections.generation import Generations
from projections.margin import margin
from projections.margin.margin import MarginFilter
from projections.pages import Page, PageRequest
from projections.reader import FIRM, Reader, Scope, View
from projections.systems import sync_status
from projections.systems.sync_status import SyncFilter
from tests.bench.figures import Figure, at_most, ratio
from tests.bench.rounds import percentile, timed
from tests.bench.sizes import Size

SHARE: Final = 0.99
ROWS_MAX: Final = 50
ONE: Final = Scope(entities=frozenset({"DE01"}))

Dashboard = Callable[[View, Scope, int], Page[Any]]
"""Asks all that a dashboard shows, with so many rows in its page; the page is handed back."""


def _eligibility(view: View, scope: Scope, rows: int) -> Page[Any]:
    unbilled = EligibilityFilter(unbilled=True)
    page = billing_eligibility.find(view, unbilled, scope, PageRequest(first=rows, sort="work_date"))
    billing_eligibility.totals(view, unbilled, scope)
    billing_eligibility.reason_totals(view, EligibilityFilter(), scope)
    return page


def _margin(view: View, scope: Scope, rows: int) -> Page[Any]:
    request = PageRequest(first=rows, sort="functional_margin", descending=True)
    page = margin.find(view, "engagement", MarginFilter(), scope, request)
    margin.totals(view, MarginFilter(), scope)
    return page


def _sync(view: View, scope: Scope, rows: int) -> Page[Any]:
    page = sync_status.find(view, SyncFilter(), scope, PageRequest(first=rows, sort="updated_at", descending=True))
    sync_status.totals(view, SyncFilter(), scope)
    return page


DASHBOARDS: Final[Mapping[str, Dashboard]] = {
    "billing_eligibility": _eligibility,
    "margin": _margin,
    "sync_status": _sync,
}


def figures(settings: Settings, size: Size, few: str, many: str) -> list[Figure]:
    """What is asked of the read models of two logs, which are named by their schemas."""
    gc.collect()
    gc.freeze()  # as the role that serves does
    asked = _asked(settings, few, many, size.answers)
    return [_of_growth(size, asked, few, many), _of_scopes(size, _narrowed(settings, many, size.queries))]


def _asked(settings: Settings, few: str, many: str, answers: int) -> dict[tuple[str, str], list[float]]:
    """How long each dashboard takes to answer on each history, in milliseconds; asked by turns."""
    found: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        readers = {schema: stack.enter_context(_reader(settings, schema)) for schema in (few, many)}
        rows = {name: _rows_of_page(dashboard, readers[few]) for name, dashboard in DASHBOARDS.items()}
        for number in range(-answers // 10, answers):
            for name, dashboard in DASHBOARDS.items():
                for schema in (few, many) if number % 2 else (many, few):
                    with timed() as span, readers[schema].view() as view:
                        page = dashboard(view, FIRM, rows[name])
                    assert len(page.items) == rows[name]
                    assert page.has_next
                    if number >= 0:
                        found.setdefault((name, schema), []).append(span.seconds * 1000)
    return found


def _rows_of_page(dashboard: Dashboard, few: Reader) -> int:
    """How many rows a page can have so that there is a further one also in the short history."""
    with few.view() as view:
        return min(ROWS_MAX, len(dashboard(view, FIRM, ROWS_MAX + 1).items) - 1)


def _of_growth(size: Size, asked: Mapping[tuple[str, str], list[float]], few: str, many: str) -> Figure:
    high = {key: percentile(times, SHARE) for key, times in asked.items()}
    worst = max(DASHBOARDS, key=lambda name: high[name, many] / high[name, few])
    absolutes: dict[str, Any] = {
        f"{name}_{what}{suffix}": round(value, 3)
        for name in DASHBOARDS
        for schema, suffix in ((many, ""), (few, "_few"))
        for what, value in (("ms_p50", median(asked[name, schema])), ("ms_p99", high[name, schema]))
    }
    return ratio(
        "query_growth",
        high[worst, many],
        high[worst, few],
        at_most(1.3),
        f"p99 of the slowest growing dashboard with {size.history_many:,} events over {size.history_few:,},"
        f" pages of the same length: {worst}",
        **absolutes,
    )


def _narrowed(settings: Settings, schema: str, queries: int) -> dict[tuple[str, bool], list[float]]:
    """How long each dashboard of one legal entity takes, in milliseconds; asked by turns.

    True is in a view of that entity, False in one of the whole firm, where its query alone leaves out the others.
    """
    found: dict[tuple[str, bool], list[float]] = {}
    with ExitStack() as stack:
        views = {narrow: stack.enter_context(_reader(settings, schema)) for narrow in (False, True)}
        for number in range(-queries // 10, queries):
            for name, dashboard in DASHBOARDS.items():
                for narrow, reader in views.items():
                    with timed() as span, reader.view(scope=ONE if narrow else FIRM) as view:
                        dashboard(view, ONE, ROWS_MAX)
                    if number >= 0:
                        found.setdefault((name, narrow), []).append(span.seconds * 1000)
    return found


def _of_scopes(size: Size, narrowed: Mapping[tuple[str, bool], list[float]]) -> Figure:
    middle = {key: median(times) for key, times in narrowed.items()}
    worst = max(DASHBOARDS, key=lambda name: middle[name, True] / middle[name, False])
    absolutes: dict[str, Any] = {
        f"{name}_ms_p50{'' if narrow else '_by_query_alone'}": round(value, 3)
        for (name, narrow), value in middle.items()
    }
    return ratio(
        "row_security_cost",
        middle[worst, True],
        middle[worst, False],
        at_most(1.3),
        "median of the dashboard of one legal entity that row-level security slows most, over its query without it,"
        f" with {size.history_many:,} events: {worst}",
        **absolutes,
    )


@contextmanager
def _reader(settings: Settings, schema: str) -> Iterator[Reader]:
    url = settings.database_url
    assert url is not None
    with (
        open_ledger(settings.at(db_schema=schema), pool_size=2) as log,
        open_pool(url, schema, size=1, application_name="p2c-bench") as pool,
    ):
        yield Reader(pool, log, Generations(partial(connect, url, schema, "p2c-bench"), schema))
