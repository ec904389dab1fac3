"""A reaction may touch a hundred thousand lots: it is then done window by window, each a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from domain.caps import CapUse
from domain.kernel import StreamId
from domain.ports import Candidates, LotAt, SourceAt, WorkDone

_Question = tuple[str | None, str | None, str | None, str | None]


class CapUses:
    """How far caps are used up: each asked once for a batch of facts, all of which the read model knows."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._of_caps: dict[str, Sequence[CapUse]] = {}
        self._of_limits: dict[tuple[str, str], CapUse | None] = {}

    def of_caps(self, engagement: str) -> Sequence[CapUse]:
        """Those of an engagement."""
        if engagement not in self._of_caps:
            self._of_caps[engagement] = self._candidates.use_of_caps(engagement)
        return self._of_caps[engagement]

    def of_limit(self, customer: str, currency: str) -> CapUse | None:
        """That of a customer's limit."""
        limit = (customer, currency)
        if limit not in self._of_limits:
            self._of_limits[limit] = self._candidates.use_of_limit(customer, currency)
        return self._of_limits[limit]


class Window:
    """Shows a process one part of the unbilled work at a time.

    The whole answer is asked for once and kept, so that work which is decided meanwhile shifts nothing. Questions about
    what to put on an invoice are answered whole, for an invoice is never made in parts.
    """

    def __init__(
        self, candidates: Candidates, uses: CapUses, size: int, prefetch: Callable[[Iterable[StreamId]], None]
    ) -> None:
        self._candidates = candidates
        self._uses = uses
        self._size = size
        self._prefetch = prefetch
        self._start = 0
        self._answers: dict[_Question, Sequence[SourceAt]] = {}

    def unbilled_of(
        self,
        *,
        engagement: str | None = None,
        customer: str | None = None,
        resource: str | None = None,
        lacking_rate_of: str | None = None,
    ) -> Sequence[SourceAt]:
        """This window's part of the answer; the streams that hold it are loaded by one query."""
        question = (engagement, customer, resource, lacking_rate_of)
        if question not in self._answers:
            self._answers[question] = self._candidates.unbilled_of(
                engagement=engagement, customer=customer, resource=resource, lacking_rate_of=lacking_rate_of
            )
        part = self._answers[question][self._start : self._start + self._size]
        self._prefetch(each.stream for each in part)
        return part

    def eligible_of(self, engagement: str, cut_off: str | None = None) -> Sequence[LotAt]:
        """The whole answer."""
        lots = self._candidates.eligible_of(engagement, cut_off)
        self._prefetch(each.stream for each in lots)
        return lots

    def engagements_with_eligible(self, entity: str, cut_off: str | None = None) -> Sequence[str]:
        """The whole answer."""
        return self._candidates.engagements_with_eligible(entity, cut_off)

    def engagements_billed_by_date(self) -> Sequence[str]:
        """The whole answer."""
        return self._candidates.engagements_billed_by_date()

    def work_done(self, until: date) -> Sequence[WorkDone]:
        """The whole answer."""
        return self._candidates.work_done(until)

    def drafts_of(self, entity: str) -> Sequence[str]:
        """The whole answer."""
        return self._candidates.drafts_of(entity)

    def transfers_of(
        self, *, lender: str | None = None, borrower: str | None = None, lacking_price: bool = False
    ) -> Sequence[LotAt]:
        """The whole answer."""
        lots = self._candidates.transfers_of(lender=lender, borrower=borrower, lacking_price=lacking_price)
        self._prefetch(each.stream for each in lots)
        return lots

    def transfer_pairs(self) -> Sequence[tuple[str, str]]:
        """The whole answer."""
        return self._candidates.transfer_pairs()

    def use_of_caps(self, engagement: str) -> Sequence[CapUse]:
        """The whole answer, as the batch was told it."""
        return self._uses.of_caps(engagement)

    def use_of_limit(self, customer: str, currency: str) -> CapUse | None:
        """The whole answer, as the batch was told it."""
        return self._uses.of_limit(customer, currency)

    @property
    def has_more(self) -> bool:
        """Whether some answer goes on behind this window."""
        return any(len(answer) > self._start + self._size for answer in self._answers.values())

    def move_on(self, prefetch: Callable[[Iterable[StreamId]], None]) -> None:
        """Shows the next part from now on, to a new transaction."""
        self._start += self._size
        self._prefetch = prefetch
