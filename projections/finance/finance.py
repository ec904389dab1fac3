"""What finance has stated: accounting periods, exchange rates, agreements between entities, accounts of the ERPs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from domain.books.accounting_period import PeriodStatus
from domain.conversion import nearest_quote
from domain.kernel import StreamId
from domain.reference.fx_policy import FX_POLICY, FxPolicy, FxPolicyTerms, NoReportingCurrency
from domain.reference.fx_rate import STALE_AFTER_DAYS, FxRates, PublishedRate, fx_stream
from projections.pages import Conditions, Page, PageRequest, Sort, paged, require_known
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One month of a legal entity's books, and where the log stood when it was closed."""

    entity: str
    period: str
    status: str
    by: str
    at: datetime
    reason: str
    closed_position: int | None
    closed_at: datetime | None
    closes: int


@dataclass(frozen=True, slots=True)
class PeriodFilter:
    """Which periods."""

    entity: str | None = None
    period: str | None = None
    status: str | None = None

    def __post_init__(self) -> None:
        require_known(self.status, PeriodStatus)


@dataclass(frozen=True, slots=True)
class FxRateRow:
    """What a source says that one unit of a currency was worth in another on a day."""

    base: str
    quote: str
    on: date
    source: str
    rate: Decimal
    corrections: int
    recorded_at: datetime
    event: str

    @property
    def rate_id(self) -> str:
        """The name by which postings refer to it."""
        return f"{fx_stream(self.base, self.quote)}@{self.on}"


@dataclass(frozen=True, slots=True)
class FxRateFilter:
    """Which exchange rates."""

    base: str | None = None
    quote: str | None = None
    source: str | None = None
    on_from: date | None = None
    on_to: date | None = None


@dataclass(frozen=True, slots=True)
class AccountMappingRow:
    """The account of an ERP that stands for a role of the journal from a day on."""

    entity: str
    target: str
    role: str
    effective_from: date
    account: str
    by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class AccountMappingFilter:
    """Which accounts; ``on`` only those in force on a day."""

    entity: str | None = None
    target: str | None = None
    role: str | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One version of what a lender charges a borrower."""

    lender: str
    borrower: str
    effective_from: date
    ends: date | None
    model: str
    currency: str
    parameter: Decimal | None
    roles: tuple[str, ...]
    tax_category: str | None
    tax_percent: Decimal | None
    tax_reason: str | None
    by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class AgreementFilter:
    """Which agreements."""

    lender: str | None = None
    borrower: str | None = None


PERIOD_SORTS: Final = {"period": Sort((("p.period", "text"), ("p.entity", "text")))}
FX_SORTS: Final = {
    "on": Sort((("f.on_day", "text"), ("f.base", "text"), ("f.quote", "text"), ("f.source", "text"))),
}
ACCOUNT_SORTS: Final = {
    "role": Sort((("m.entity", "text"), ("m.target", "text"), ("m.role", "text"), ("m.effective_from", "text"))),
}
AGREEMENT_SORTS: Final = {
    "pair": Sort((("a.lender", "text"), ("a.borrower", "text"), ("a.effective_from", "text"))),
}
_PERIOD: Final = "SELECT p.entity, p.period, p.status, p.by, p.at, p.reason, p.closed_position, p.closed_at, p.closes"
_FX_RATE: Final = "SELECT f.base, f.quote, f.on_day::date, f.source, f.rate, f.corrections, f.recorded_at, f.event"
_ACCOUNT: Final = "SELECT m.entity, m.target, m.role, m.effective_from::date, m.account, m.by, m.recorded_at"
_AGREEMENT: Final = (
    "SELECT a.lender, a.borrower, a.effective_from::date, a.ends, a.model, a.currency, a.parameter, a.roles,"
    " a.tax_category, a.tax_percent, a.tax_reason, a.by, a.recorded_at"
)


def periods(view: View, where: PeriodFilter, scope: Scope, page: PageRequest) -> Page[PeriodRow]:
    """One page of accounting periods."""
    tables = "accounting_period p"
    return paged(view, _PERIOD, tables, _period_conditions(where, scope), PERIOD_SORTS, page, _row_of(PeriodRow))


def period(view: View, entity: str, name: str, scope: Scope) -> PeriodRow | None:
    """One accounting period, if the scope contains it."""
    conditions = _period_conditions(PeriodFilter(entity, name), scope)
    rows = view.rows(f"{_PERIOD} FROM accounting_period p {conditions.where}", conditions.values)
    return PeriodRow(*rows[0]) if rows else None


def count_of_periods(view: View, where: PeriodFilter, scope: Scope) -> tuple[int, ...]:
    """How many there are."""
    return _count(view, "accounting_period p", _period_conditions(where, scope))


def _period_conditions(where: PeriodFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    conditions.equal("p.entity", where.entity)
    conditions.equal("p.period", where.period)
    conditions.equal("p.status", where.status)
    conditions.within(scope, "p.entity")
    return conditions


def fx_rates(view: View, where: FxRateFilter, page: PageRequest) -> Page[FxRateRow]:
    """One page of exchange rates; everybody may see them."""
    return paged(view, _FX_RATE, "fx_rate f", _fx_conditions(where), FX_SORTS, page, _row_of(FxRateRow))


def count_of_fx_rates(view: View, where: FxRateFilter) -> tuple[int, ...]:
    """How many there are."""
    return _count(view, "fx_rate f", _fx_conditions(where))


def _fx_conditions(where: FxRateFilter) -> Conditions:
    conditions = Conditions()
    conditions.equal("f.base", where.base)
    conditions.equal("f.quote", where.quote)
    conditions.equal("f.source", where.source)
    days = (day.isoformat() if day is not None else None for day in (where.on_from, where.on_to))
    conditions.between("f.on_day", *days)
    return conditions


def account_map(view: View, where: AccountMappingFilter, scope: Scope, page: PageRequest) -> Page[AccountMappingRow]:
    """One page of the accounts that stand for roles of the journal."""
    conditions, tables = _account_conditions(where, scope), "account_mapping m"
    return paged(view, _ACCOUNT, tables, conditions, ACCOUNT_SORTS, page, _row_of(AccountMappingRow))


def count_of_accounts(view: View, where: AccountMappingFilter, scope: Scope) -> tuple[int, ...]:
    """How many there are."""
    return _count(view, "account_mapping m", _account_conditions(where, scope))


def _account_conditions(where: AccountMappingFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    conditions.equal("m.entity", where.entity)
    conditions.equal("m.target", where.target)
    conditions.equal("m.role", where.role)
    if where.on is not None:
        conditions.add(
            "m.effective_from = (SELECT max(n.effective_from) FROM account_mapping n WHERE n.entity = m.entity"
            " AND n.target = m.target AND n.role = m.role AND n.effective_from <= %s)",
            where.on.isoformat(),
        )
    conditions.within(scope, "m.entity")
    return conditions


def agreements(view: View, where: AgreementFilter, scope: Scope, page: PageRequest) -> Page[AgreementRow]:
    """One page of agreements between entities; seen by either of them."""
    conditions = _agreement_conditions(where, scope)
    return paged(view, _AGREEMENT, "intercompany_agreement a", conditions, AGREEMENT_SORTS, page, _row_of(AgreementRow))


def count_of_agreements(view: View, where: AgreementFilter, scope: Scope) -> tuple[int, ...]:
    """How many there are."""
    return _count(view, "intercompany_agreement a", _agreement_conditions(where, scope))


def _agreement_conditions(where: AgreementFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    conditions.equal("a.lender", where.lender)
    conditions.equal("a.borrower", where.borrower)
    either_within(conditions, scope, "split_part(a.lender, '/', 1)", "split_part(a.borrower, '/', 1)")
    return conditions


def either_within(conditions: Conditions, scope: Scope, one: str, other: str) -> None:
    """One of two legal entities is one that the asker may see."""
    allowed = []
    for column in (one, other):
        mine = Conditions()
        mine.within(scope, column)
        allowed.append(mine)
    if allowed[0].where:
        texts = [mine.where.removeprefix("WHERE ") for mine in allowed]
        conditions.add(f"(({texts[0]}) OR ({texts[1]}))", *allowed[0].values, *allowed[1].values)


def _count(view: View, tables: str, conditions: Conditions) -> tuple[int, ...]:
    rows = view.rows(f"SELECT count(*) FROM {tables} {conditions.where}", conditions.values)
    return (int(rows[0][0]),)


def _row_of(kind: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
    return lambda values: kind(*(tuple(value) if isinstance(value, list) else value for value in values))


# -- converting with the rates of a view -------------------------------------------------------------------------------


class Rates:
    """The exchange rates of a span of days and the newest before it, found by the same rules as everywhere."""

    def __init__(self, view: View, first: date, last: date) -> None:
        query = (
            "SELECT base, quote, on_day::date, rate, source FROM fx_rate"
            " JOIN (SELECT base, quote, max(on_day) FILTER (WHERE on_day <= %s) AS since FROM fx_rate GROUP BY 1, 2) b"
            " USING (base, quote) WHERE on_day >= coalesce(b.since, '') AND on_day <= %s ORDER BY position"
        )
        before = first - timedelta(days=min(STALE_AFTER_DAYS, (first - date.min).days))
        self._rates: dict[StreamId, dict[date, tuple[PublishedRate, ...]]] = {}
        for base, quote, on, rate, source in view.rows(query, [before.isoformat(), last.isoformat()]):
            days = self._rates.setdefault(fx_stream(base, quote), {})
            days[on] = (*days.get(on, ()), PublishedRate(on, rate, source))
        stated = view.rows(
            "SELECT effective_from::date, reporting_currency, sources FROM fx_policy ORDER BY effective_from"
        )
        self._nearest: dict[tuple[str, str, date], Decimal | None] = {}
        self._policy = FxPolicy(tuple(FxPolicyTerms(since, money, tuple(each)) for since, money, each in stated))

    def reporting_currency(self, day: date) -> str | None:
        """The currency that the firm reports in on a day, if it has said so."""
        terms = self._policy.on(day)
        return terms.reporting_currency if terms is not None else None

    def nearest(self, base: str, quote: str, day: date) -> Decimal | None:
        """What one unit of a currency is worth in another on a day, at the rate at which the journal reports it."""
        key = (base, quote, day)
        if key not in self._nearest:
            found = nearest_quote(self._read, base, quote, day)
            self._nearest[key] = found.rate if found is not None else None
        return self._nearest[key]

    def _read(self, stream: StreamId) -> Any:
        return self._policy if stream == FX_POLICY else FxRates(self._rates.get(stream, {}))


def only_currency(view: View) -> str:
    """The currency in which all entities keep their books; raises NoReportingCurrency where there are several."""
    found = [str(money) for (money,) in view.rows("SELECT DISTINCT functional_currency FROM legal_entity ORDER BY 1")]
    if len(found) != 1:
        raise NoReportingCurrency(f"Its entities keep books in {', '.join(found) or 'no currency yet'}.")
    return found[0]
