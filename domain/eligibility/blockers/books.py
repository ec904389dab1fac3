"""Books: the month is closed, the ERP has no account for it, or nobody knows what the entities charge each other."""

from __future__ import annotations

from collections.abc import Iterator

from domain.books.account_role import AccountRole
from domain.books.accounting_period import PeriodStatus, accounting_period_stream, posting_day
from domain.eligibility.reasons import Blocker, Context, LotFacts, Subject
from domain.kernel import decider_name
from domain.periods import month_of
from domain.reason_codes import ReasonCode
from domain.reference.account_map import account_map_stream
from domain.reference.intercompany_agreement import agreement_stream
from domain.revenue.earning import revenue_account


def of_books(subject: Subject, context: Context) -> Iterator[Blocker]:
    """Why an invoice of today could not be posted; late work counts in the first open month, whatever its own day."""
    entity, today = context.engagement.terms.selling_entity, context.today
    if today is not None and context.periods.status_of(month_of(today)) is PeriodStatus.CLOSED:
        what = f"Reopen {month_of(today)} of {entity}, or bill in the next month."
        caused_by = ("period.closed.v1",)
        stream, opens = accounting_period_stream(entity), posting_day(today, context.periods, of_approver=True)
        yield Blocker(ReasonCode.PERIOD_CLOSED, stream, caused_by, "finance_approver", what, True, until=opens)
    yield from _of_accounts(subject, context, entity)


def _of_accounts(subject: Subject, context: Context, entity: str) -> Iterator[Blocker]:
    """An entity that has told no accounts at all keeps them in its ERP."""
    if not context.accounts.versions:
        return
    line = context.engagement.lines.get(subject.line_in(context) or "")
    day = max(subject.day, context.today or subject.day)
    roles = (AccountRole.AR, revenue_account(decider_name(subject.stream), line))
    for role in context.accounts.missing(roles, day):
        later = [each.effective_from for each in context.accounts.versions.get(role, ())]
        what = f"Map an account of the ERP to {role.value} of {entity} for {day}."
        stream, caused_by = account_map_stream(entity), ("account_map.mapped.v1",)
        yield Blocker(
            ReasonCode.ACCOUNT_MAPPING_MISSING,
            stream,
            caused_by,
            "integration",
            what,
            True,
            until=min(later, default=None),
        )


def of_transfer(subject: Subject) -> Iterator[Blocker]:
    """Work for another entity waits until it is known what is charged for it."""
    gap = subject.lot.transfer_gap if isinstance(subject, LotFacts) else None
    if not isinstance(subject, LotFacts) or gap is None:
        return
    lot = subject.lot
    agreement = agreement_stream(lot.delivering_entity, lot.selling_entity)
    lacks_agreement = gap.code == "INTERCOMPANY_AGREEMENT_MISSING"
    what = f"{'State the agreement' if lacks_agreement else 'Complete the transfer price'}: {gap.detail}"
    yield Blocker(ReasonCode(gap.code), agreement, (), "finance_approver", what, True)
