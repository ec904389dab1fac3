"""What the accounts come to, which postings led to it, and what each engagement has earned and been billed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.books.account_role import AccountRole
from domain.books.journal import class_of
from domain.periods import month_of
from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View

ROWS_AT_ONCE: Final = 10_000
"""How many postings an export reads at a time."""


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One line of a trial balance: an account of an entity in one transaction currency.

    ``debit``, ``credit`` and ``balance`` are functional; ``amount`` is the balance in the transaction currency.
    ``reporting`` is None where a posting has no reporting amount for want of a rate.
    """

    entity: str
    account: str
    account_class: str
    currency: str
    amount: Decimal
    functional_currency: str
    debit: Decimal
    credit: Decimal
    balance: Decimal
    reporting_currency: str
    reporting: Decimal | None
    postings: int


@dataclass(frozen=True, slots=True)
class BalanceFilter:
    """Which balances: of postings that count from ``since`` to ``on``, both included; None is without limit."""

    on: date | None = None
    since: date | None = None
    entity: str | None = None
    account: str | None = None
    currency: str | None = None
    engagement: str | None = None
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class PostingRow:
    """One posting, with the fact that led to it and the message behind that."""

    posting: str
    entry: str
    event: str
    event_name: str
    because: str
    entity: str
    account: str
    counterparty: str
    customer: str
    engagement: str
    line: str
    project: str
    lot: str
    invoice: str
    payment: str
    period: str
    effective_on: date
    true_on: date
    currency: str
    amount: Decimal
    functional_currency: str
    functional: Decimal
    reporting_currency: str
    reporting: Decimal | None
    rate_id: str
    reporting_rate_id: str
    message: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class PostingFilter:
    """Which postings; days are those of the books, both included."""

    entity: str | None = None
    account: str | None = None
    engagement: str | None = None
    customer: str | None = None
    project: str | None = None
    invoice: str | None = None
    lot: str | None = None
    period: str | None = None
    currency: str | None = None
    entry: str | None = None
    event: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PostingTotals:
    """What postings add up to, in one functional currency."""

    functional_currency: str
    count: int
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """An account between two days: what it came to before, what was posted, and what it comes to."""

    entity: str
    account: str
    functional_currency: str
    opening: Decimal
    debit: Decimal
    credit: Decimal
    closing: Decimal


@dataclass(frozen=True, slots=True)
class PositionRow:
    """The contract position of an engagement: what it has earned beyond its bills, or been billed beyond that.

    Exactly one of ``contract_asset`` and ``contract_liability`` is not zero, or neither (IFRS 15.105 to 107).
    """

    engagement: str
    customer: str
    entity: str
    currency: str
    recognised: Decimal
    billed: Decimal
    contract_asset: Decimal
    contract_liability: Decimal
    functional_currency: str
    functional: Decimal
    loss_provision: Decimal


_FIELDS: Final = ", ".join(f"p.{name}" for name in PostingRow.__dataclass_fields__)
SORTS: Final = {
    "effective_on": Sort((("p.effective_on", "date"), ("p.posting", "text"))),
    "posting": Sort((("p.posting", "text"),)),
}
_SUMS: Final = (
    "sum(amount), sum(debit), sum(credit), sum(functional), sum(reporting), sum(unreported), sum(postings)::bigint"
)
_KEYS: Final = "entity, account, currency, functional_currency, reporting_currency"


def trial_balance(view: View, where: BalanceFilter, scope: Scope) -> tuple[BalanceRow, ...]:
    """Every account that was posted to, as of a day of the books; from sums of months and of the days of the last one.

    By engagement or customer it is summed from their postings.
    """
    if where.engagement is not None or where.customer is not None:
        tables, conditions = _postings_summed(where, scope)
    else:
        tables, conditions = _cells(where, scope)
    query = f"SELECT {_KEYS}, {_SUMS} FROM ({tables}) AS cells GROUP BY {_KEYS} ORDER BY {_KEYS}"
    return tuple(_balance(row) for row in view.rows(query, conditions))


def _cells(where: BalanceFilter, scope: Scope) -> tuple[str, list[Any]]:
    """The cells of whole months, and of single days where a month is cut; what began before is taken away again."""
    parts, values = [], []
    for sign, day in ((1, where.on), (-1, _day_before(where.since))):
        if sign < 0 and day is None:
            continue
        for grain, first, last in _spans(day):
            conditions = Conditions()
            conditions.equal("grain", grain)
            conditions.between("span", first, last)
            _narrowed(conditions, where, scope)
            parts.append(
                f"SELECT {_KEYS}, {sign} * amount AS amount, {sign} * debit AS debit, {sign} * credit AS credit,"
                f" {sign} * functional AS functional, {sign} * reporting AS reporting,"
                f" {sign} * unreported AS unreported, {sign} * postings AS postings"
                f" FROM journal_balance {conditions.where}"
            )
            values += conditions.values
    return " UNION ALL ".join(parts), values


def _spans(day: date | None) -> Iterator[tuple[str, str | None, str | None]]:
    """All months, or those before a day's own and the days of that up to it."""
    if day is None:
        yield "month", None, None
        return
    month = month_of(day)
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 2, 12)
    yield "month", None, f"{year:04d}-{number + 1:02d}"
    yield "day", f"{month}-01", day.isoformat()


def _day_before(day: date | None) -> date | None:
    return date.fromordinal(day.toordinal() - 1) if day is not None else None


def _narrowed(conditions: Conditions, where: BalanceFilter, scope: Scope) -> None:
    conditions.equal("entity", where.entity)
    conditions.equal("account", where.account)
    conditions.equal("currency", where.currency)
    conditions.within(scope, "entity")


def _postings_summed(where: BalanceFilter, scope: Scope) -> tuple[str, list[Any]]:
    conditions = Conditions()
    conditions.equal("engagement", where.engagement)
    conditions.equal("customer", where.customer)
    conditions.between("effective_on", where.since, where.on)
    _narrowed(conditions, where, scope)
    select = (
        f"SELECT {_KEYS}, amount, greatest(functional, 0) AS debit, greatest(-functional, 0) AS credit, functional,"
        " coalesce(reporting, 0) AS reporting, (reporting IS NULL)::int AS unreported, 1 AS postings FROM posting"
    )
    return f"{select} {conditions.where}", conditions.values


def _balance(row: Sequence[Any]) -> BalanceRow:
    entity, account, currency, functional_currency, reporting_currency = row[:5]
    amount, debit, credit, functional, reporting, unreported, postings = row[5:]
    return BalanceRow(
        entity=entity,
        account=account,
        account_class=class_of(AccountRole(account)).value,
        currency=currency,
        amount=amount,
        functional_currency=functional_currency,
        debit=debit,
        credit=credit,
        balance=functional,
        reporting_currency=reporting_currency,
        reporting=None if unreported else reporting,
        postings=postings,
    )


def find(view: View, where: PostingFilter, scope: Scope, page: PageRequest) -> Page[PostingRow]:
    """One page of postings."""
    return paged(view, f"SELECT {_FIELDS}", "posting p", _conditions(where, scope), SORTS, page, _posting)


def totals(view: View, where: PostingFilter, scope: Scope) -> tuple[PostingTotals, ...]:
    """What they add up to, by functional currency."""
    conditions = _conditions(where, scope)
    query = (
        "SELECT p.functional_currency, count(*), sum(greatest(p.functional, 0)), sum(greatest(-p.functional, 0))"
        f" FROM posting p {conditions.where} GROUP BY 1 ORDER BY 1"
    )
    return tuple(PostingTotals(*row) for row in view.rows(query, conditions.values))


def statement(
    view: View, entity: str, account: str, since: date | None, until: date | None, scope: Scope
) -> tuple[Statement, ...]:
    """An account of an entity between two days of the books, in each functional currency that it was kept in."""
    nothing = Decimal(0)
    sums: dict[str, list[Decimal]] = {}
    moved = BalanceFilter(on=until, since=since, entity=entity, account=account)
    for row in trial_balance(view, moved, scope):
        known = sums.setdefault(row.functional_currency, [nothing, nothing, nothing])
        known[1], known[2] = known[1] + row.debit, known[2] + row.credit
    if since is not None:
        before = BalanceFilter(on=_day_before(since), entity=entity, account=account)
        for row in trial_balance(view, before, scope):
            sums.setdefault(row.functional_currency, [nothing, nothing, nothing])[0] += row.balance
    return tuple(
        Statement(entity, account, currency, opening, debit, credit, opening + debit - credit)
        for currency, (opening, debit, credit) in sorted(sums.items())
    )


def positions(
    view: View, scope: Scope, engagement: str | None = None, customer: str | None = None
) -> tuple[PositionRow, ...]:
    """The contract positions of engagements, net for each."""
    conditions = Conditions()
    conditions.add("o.kind = 'position'")
    conditions.equal("o.name", engagement)
    conditions.equal("o.customer", customer)
    conditions.within(scope, "o.entity")
    query = (
        "SELECT o.name, o.customer, o.entity, o.currency, coalesce(l.recognised, 0), coalesce(l.billed, 0),"
        " greatest(o.amount, 0), greatest(-o.amount, 0), o.functional_currency, o.functional, coalesce(l.provision, 0)"
        " FROM journal_open o LEFT JOIN (SELECT engagement, sum(recognised) AS recognised, sum(billed) AS billed,"
        " sum(provision) AS provision FROM journal_line GROUP BY engagement) AS l ON l.engagement = o.name"
        f" {conditions.where} ORDER BY o.name"
    )
    return tuple(PositionRow(*row) for row in view.rows(query, conditions.values))


def in_order(view: View, scope: Scope) -> Iterator[PostingRow]:
    """All postings in the order in which they were recorded, whatever their number."""
    after = ""
    while True:
        conditions = Conditions()
        conditions.add("p.posting > %s", after)
        conditions.within(scope, "p.entity")
        query = f"SELECT {_FIELDS} FROM posting p {conditions.where} ORDER BY p.posting LIMIT {ROWS_AT_ONCE}"
        rows = view.rows(query, conditions.values)
        yield from map(_posting, rows)
        if len(rows) < ROWS_AT_ONCE:
            return
        after = rows[-1][0]


def _conditions(where: PostingFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    for name in (
        "entity", "account", "engagement", "customer", "project", "invoice", "lot", "period", "currency", "entry",
        "event",
    ):  # fmt: skip
        conditions.equal(f"p.{name}", getattr(where, name))
    conditions.between("p.effective_on", where.since, where.until)
    conditions.within(scope, "p.entity")
    return conditions


def _posting(values: Sequence[Any]) -> PostingRow:
    return PostingRow(*values)
