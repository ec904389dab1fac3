"""Eligibility says whether work may be billed, and if not, every reason why, with what removes it.

One pure function decides. The read model calls it to show, and drafting an invoice calls the same one to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from domain.eligibility.blockers.books import of_books, of_transfer
from domain.eligibility.blockers.capture import of_assignment, of_capture, of_cut_off, of_postponement
from domain.eligibility.blockers.contract import no_line, of_contract, of_order
from domain.eligibility.blockers.master_data import of_master_data, of_source
from domain.eligibility.blockers.plan import of_plan
from domain.eligibility.blockers.price import of_price, of_tax
from domain.eligibility.blockers.project import of_project
from domain.eligibility.blockers.promise import of_change_order, of_retainer
from domain.eligibility.reasons import Blocker, Context, LotFacts, Subject
from domain.kernel import stream_of
from domain.reason_codes import ReasonCode

_ORDER: Final = {code: place for place, code in enumerate(ReasonCode)}


def decide(subject: Subject, context: Context) -> tuple[Blocker, ...]:
    """All reasons why work may not be billed now, in the order of the closed list; none means eligible."""
    passing = context.lets_pass(subject.day)
    return in_order(each for each in _found(subject, context) if each.code.value not in passing)


def in_order(blockers: Iterable[Blocker]) -> tuple[Blocker, ...]:
    """Reasons in the order of the closed list."""
    return tuple(sorted(blockers, key=lambda blocker: _ORDER[blocker.code]))


def _found(subject: Subject, context: Context) -> Iterator[Blocker]:
    yield from of_capture(subject)
    yield from of_assignment(subject, context)
    yield from of_postponement(subject, context)
    yield from of_cut_off(subject, context)
    if context.engagement.opened is None:
        yield no_line(stream_of("engagement", subject.lot.engagement if isinstance(subject, LotFacts) else ""))
        return
    yield from of_contract(subject, context)
    yield from of_change_order(subject, context)
    yield from of_plan(subject, context)
    yield from of_project(subject, context)
    yield from of_order(subject, context)
    yield from of_price(subject)
    yield from of_tax(subject, context)
    yield from of_retainer(subject, context)
    yield from of_master_data(context)
    yield from of_source(subject, context)
    yield from of_books(subject, context)
    yield from of_transfer(subject)
