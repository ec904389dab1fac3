"""Lists as Relay connections: pages of edges, how many there are in all, sums of the whole, and the watermark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, cast

import strawberry

from api.graphql.asking import Asked, AsOf, Info, Watermark, ask, wants
from api.graphql.limits import PAGE_DEFAULT
from projections.pages import Page, PageRequest
from projections.reader import Watermark as WatermarkRow

Node = TypeVar("Node")
Listed = TypeVar("Listed")

First = Annotated[int, strawberry.argument(description="How many, 1 to 500.")]
After = Annotated[str | None, strawberry.argument(description="Behind this cursor of the same list and order.")]
Descending = Annotated[bool, strawberry.argument(description="The opposite order; also the way to the last page.")]
FIRST = PAGE_DEFAULT


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """See the description."""

    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether the page begins behind a cursor.")
    start_cursor: str | None = strawberry.field(description="The first cursor of the page.")
    end_cursor: str | None = strawberry.field(description="The last cursor of the page: ask for what is after it.")


@strawberry.type(description="One item of a list and its cursor.")
class Edge(Generic[Node]):
    """See the description."""

    cursor: str
    node: Node


@strawberry.type(description="One page of a list.")
class Connection(Generic[Node]):
    """See the description."""

    edges: list[Edge[Node]]
    nodes: list[Node] = strawberry.field(description="The items of the page, without their cursors.")
    page_info: PageInfo
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@dataclass(frozen=True, slots=True)
class PageAsked:
    """The arguments that all lists have."""

    first: int
    after: str | None
    sort: str | None
    descending: bool
    as_of: AsOf | None
    wait_for: int | None

    @property
    def request(self) -> PageRequest:
        """The page, as the read models understand it."""
        return PageRequest(self.first, self.after, self.sort, self.descending)


@dataclass(frozen=True, slots=True)
class Answered:
    """One page of a list with what was asked about the whole of it."""

    edges: Sequence[Any]
    nodes: Sequence[Any]
    page_info: PageInfo
    watermark: WatermarkRow
    totals: Sequence[Any]
    total_count: int


def answered(
    page: Page[Any],
    nodes: Sequence[Any],
    watermark: WatermarkRow,
    totals: Sequence[Any] = (),
    total_count: int = 0,
    *,
    has_previous: bool,
) -> Answered:
    """A page as a connection shows it."""
    edges = [Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
    place = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=has_previous,
        start_cursor=page.cursors[0] if page.cursors else None,
        end_cursor=page.cursors[-1] if page.cursors else None,
    )
    return Answered(edges, nodes, place, watermark, totals, total_count)


async def listed(
    info: Info,
    permission: str,
    page: PageAsked,
    find: Callable[[Asked, PageRequest], Page[Any]],
    totals: Callable[[Asked], Sequence[Any]],
    count: Callable[[Any], int],
    kind: type[Listed],  # noqa: ARG001 - says what the answer is shown as
    seen: Callable[[Asked, Sequence[Any]], Sequence[Any]] = Asked.seen,
) -> Listed:
    """One page; the sums of the whole list only when they were asked for, in the same view."""
    whole = wants(info, "totals", "totalCount")

    def question(asked: Asked) -> Answered:
        found = find(asked, page.request)
        sums = totals(asked) if whole else ()
        nodes, total = seen(asked, found.items), sum(count(each) for each in sums)
        return answered(found, nodes, asked.view.watermark, sums, total, has_previous=page.after is not None)

    answer = await ask(info, permission, question, as_of=page.as_of, wait_for=page.wait_for)
    return cast(Listed, answer)
