"""The registers of finance: accounting periods, exchange rates, agreements between entities, accounts of the ERPs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.books.accounting_period import PeriodClosed, PeriodOpened, PeriodReopened, PeriodSoftClosed, PeriodStatus
from domain.kernel import Recorded
from domain.reference.account_map import AccountMapped
from domain.reference.fx_policy import FxPolicyStated
from domain.reference.fx_rate import FxRatePublished
from domain.reference.intercompany_agreement import AgreementStated
from projections.model import Handler
from projections.row_security import OF_EITHER_SIDE, OF_ENTITY, TO_EVERYBODY
from projections.shelf import Changes, Shelf, Source
from projections.tables import Table


@dataclass(slots=True)
class PeriodRecord:
    """One row of ``accounting_period``; ``closed_position`` is where the log stood at its newest close."""

    entity: str
    period: str
    status: str
    by: str
    at: datetime
    reason: str
    closed_position: int | None
    closed_at: datetime | None
    closes: int
    position: int


@dataclass(slots=True)
class FxRateRecord:
    """One row of ``fx_rate``: the newest that a source says of a day."""

    base: str
    quote: str
    on_day: str  # ISO 8601
    source: str
    rate: Decimal
    corrections: int
    recorded_at: datetime
    event: str
    position: int


@dataclass(slots=True)
class FxPolicyRecord:
    """One row of ``fx_policy``: one version of the firm's currency policy."""

    effective_from: str  # ISO 8601
    reporting_currency: str
    sources: tuple[str, ...]
    position: int


@dataclass(slots=True)
class AccountMappingRecord:
    """One row of ``account_mapping``."""

    entity: str
    target: str
    role: str
    effective_from: str  # ISO 8601
    account: str
    by: str
    recorded_at: datetime


@dataclass(slots=True)
class AgreementRecord:
    """One row of ``intercompany_agreement``: one version of what a lender charges a borrower."""

    lender: str
    borrower: str
    effective_from: str  # ISO 8601
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


PERIODS: Final = Table("accounting_period", PeriodRecord, ("entity", "period"), shown=OF_ENTITY)
FX_RATES: Final = Table("fx_rate", FxRateRecord, ("base", "quote", "on_day", "source"), shown=TO_EVERYBODY)
FX_POLICIES: Final = Table("fx_policy", FxPolicyRecord, ("effective_from",), shown=TO_EVERYBODY)
ACCOUNT_MAPPINGS: Final = Table(
    "account_mapping", AccountMappingRecord, ("entity", "target", "role", "effective_from"), shown=OF_ENTITY
)
AGREEMENTS: Final = Table(
    "intercompany_agreement", AgreementRecord, ("lender", "borrower", "effective_from"), shown=OF_EITHER_SIDE
)

_STATUS: Final = {
    PeriodOpened: PeriodStatus.OPEN,
    PeriodReopened: PeriodStatus.OPEN,
    PeriodSoftClosed: PeriodStatus.SOFT_CLOSED,
    PeriodClosed: PeriodStatus.CLOSED,
}


class FinanceFold:
    """Folds what finance states into its registers."""

    def __init__(self, source: Source) -> None:
        self._periods: Shelf[PeriodRecord] = Shelf(PERIODS, source)
        self._rates: Shelf[FxRateRecord] = Shelf(FX_RATES, source)
        self._policies: Shelf[FxPolicyRecord] = Shelf(FX_POLICIES, source)
        self._accounts: Shelf[AccountMappingRecord] = Shelf(ACCOUNT_MAPPINGS, source)
        self._agreements: Shelf[AgreementRecord] = Shelf(AGREEMENTS, source)
        self.wants: Mapping[type, Handler] = {
            **dict.fromkeys(_STATUS, self._want_period),
            FxRatePublished: self._want_rate,
        }
        self.on: Mapping[type, Handler] = {
            **dict.fromkeys(_STATUS, self._period),
            FxRatePublished: self._rate,
            FxPolicyStated: self._policy,
            AccountMapped: self._account,
            AgreementStated: self._agreement,
        }

    def prepare(self) -> None:
        """Brings the periods and rates that the batch names."""
        self._periods.fetch()
        self._rates.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The rows that changed."""
        for shelf in (self._periods, self._rates, self._policies, self._accounts, self._agreements):
            changes.tables.append(shelf.changes())
            shelf.shrink()

    def _want_period(self, fact: Recorded[Any]) -> None:
        self._periods.wanted.add((fact.event.entity, fact.event.period))

    def _want_rate(self, fact: Recorded[FxRatePublished]) -> None:
        self._rates.wanted.add(_rate_key(fact.event))

    def _period(self, fact: Recorded[Any]) -> None:
        event = fact.event
        key = (event.entity, event.period)
        known, closes = self._periods.get(key), isinstance(event, PeriodClosed)
        row = PeriodRecord(
            entity=event.entity,
            period=event.period,
            status=_STATUS[type(event)].value,
            by=event.by,
            at=event.at,
            reason=event.reason,
            closed_position=fact.position if closes else known.closed_position if known else None,
            closed_at=fact.recorded_at if closes else known.closed_at if known else None,
            closes=(known.closes if known else 0) + closes,
            position=fact.position,
        )
        self._periods.add(key, row)

    def _rate(self, fact: Recorded[FxRatePublished]) -> None:
        event, key = fact.event, _rate_key(fact.event)
        known = self._rates.get(key)
        row = FxRateRecord(
            base=event.base,
            quote=event.quote,
            on_day=event.on.isoformat(),
            source=event.source,
            rate=event.rate,
            corrections=known.corrections + 1 if known else 0,
            recorded_at=fact.recorded_at,
            event=fact.id,
            position=fact.position,
        )
        self._rates.add(key, row)

    def _policy(self, fact: Recorded[FxPolicyStated]) -> None:
        terms = fact.event.terms
        since = terms.effective_from.isoformat()
        self._policies.put((since,), FxPolicyRecord(since, terms.reporting_currency, terms.sources, fact.position))

    def _account(self, fact: Recorded[AccountMapped]) -> None:
        event, mapping = fact.event, fact.event.mapping
        row = AccountMappingRecord(
            entity=event.entity,
            target=event.target,
            role=mapping.role.value,
            effective_from=mapping.effective_from.isoformat(),
            account=mapping.account,
            by=event.by,
            recorded_at=fact.recorded_at,
        )
        self._accounts.put((row.entity, row.target, row.role, row.effective_from), row)

    def _agreement(self, fact: Recorded[AgreementStated]) -> None:
        event, terms = fact.event, fact.event.terms
        row = AgreementRecord(
            lender=event.lender,
            borrower=event.borrower,
            effective_from=terms.effective_from.isoformat(),
            ends=terms.ends,
            model=terms.model,
            currency=terms.currency,
            parameter=terms.parameter,
            roles=tuple(f"{each.role} {each.parameter}" for each in terms.by_role),
            tax_category=terms.tax.category if terms.tax else None,
            tax_percent=terms.tax.percent if terms.tax else None,
            tax_reason=terms.tax.reason if terms.tax else None,
            by=event.by,
            recorded_at=fact.recorded_at,
        )
        self._agreements.put((row.lender, row.borrower, row.effective_from), row)


def _rate_key(event: FxRatePublished) -> tuple[str, ...]:
    return (event.base, event.quote, event.on.isoformat(), event.source)
