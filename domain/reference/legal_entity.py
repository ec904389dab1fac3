"""A legal entity of the firm employs people, signs engagements and issues invoices in its own number series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Literal, assert_never
from zoneinfo import ZoneInfo, available_timezones

from domain.kernel import Decider, Refused
from domain.money import MINOR_UNITS, Money, UnknownCurrency
from domain.periods import valid_on
from domain.reason_codes import soft


@dataclass(frozen=True, slots=True)
class Address:
    """Where post arrives; ``country`` is an ISO 3166-1 alpha-2 code, ``state`` its part by ISO 3166-2, e.g. ``ON``."""

    street: str
    city: str
    postal_code: str
    country: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class ExpenseLimit:
    """The most that an expense of a category may cost before somebody has to allow it."""

    category: str
    amount: Money


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where customers pay to (BG-17): the IBAN or account number, the bank's BIC and name where they are needed."""

    account: str
    bic: str = ""
    bank: str = ""


@dataclass(frozen=True, slots=True)
class LegalEntityTerms:
    """What holds for a legal entity from a day on.

    ``approval_limit``: above this gross amount the preparer of an invoice may not approve it. ``hours_per_day_max``:
    more hours of one person on one day are held for review. ``minimum_invoice``: less is not billed yet.
    ``write_offs_count_on``: the day of a write-off in the books, when it is posted or when the work was done.
    ``expense_limits``: dearer expenses of the entity's people are held until somebody allows them. ``bank`` is where
    customers pay to. ``lets_pass`` are reasons that do not keep its work from being billed, as far as a policy may say
    so. ``customers_known_in`` are systems that have to know a customer before it is billed. ``source_silent_days_max``:
    hours wait while the system that told them has been silent for more days.
    """

    effective_from: date
    name: str
    address: Address
    functional_currency: str
    time_zone: str
    tax_id: str | None
    number_prefix: str
    approval_limit: Money
    region: str
    payment_terms_days: int = 30
    minimum_invoice: Money | None = None
    write_offs_count_on: Literal["posted_date", "work_date"] = "posted_date"
    hours_per_day_max: Decimal | None = None
    expense_limits: tuple[ExpenseLimit, ...] = ()
    bank: BankAccount | None = None
    lets_pass: tuple[str, ...] = ()
    customers_known_in: tuple[str, ...] = ()
    source_silent_days_max: int | None = None

    def limit_of(self, category: str) -> Money | None:
        """The most that an expense of a category may cost; None is no limit."""
        return next((limit.amount for limit in self.expense_limits if limit.category == category), None)


@dataclass(frozen=True, slots=True)
class DefineLegalEntity:
    """State the terms of a legal entity from a day on."""

    entity: str
    terms: LegalEntityTerms


@dataclass(frozen=True, slots=True)
class LegalEntityDefined:
    """The terms of a legal entity were stated from a day on."""

    entity: str
    terms: LegalEntityTerms


class UnknownTimeZone(Refused):
    """The time zone is not in the IANA database."""

    code = "legal_entity.unknown_time_zone"
    fix = "Send an IANA name such as Europe/Berlin."


Event = LegalEntityDefined
Command = DefineLegalEntity


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A legal entity with all versions of its terms."""

    entity: str = ""
    versions: tuple[LegalEntityTerms, ...] = ()

    def on(self, day: date) -> LegalEntityTerms | None:
        """The terms in force on a day."""
        return valid_on(self.versions, day)

    def terms_of(self, today: date | None) -> LegalEntityTerms | None:
        """The terms in force today; the newest while nobody has said which day it is."""
        return self.on(today or date.max)


def checked_time_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name, or UnknownTimeZone."""
    if name not in _zone_names():
        raise UnknownTimeZone(repr(name))
    return ZoneInfo(name)


@cache
def _zone_names() -> frozenset[str]:
    """Looked up once: it walks through all files of the time zone database."""
    return frozenset(available_timezones())


def decide(command: Command, state: LegalEntity) -> Sequence[Event]:
    match command:
        case DefineLegalEntity(entity, terms):
            if terms.functional_currency not in MINOR_UNITS:
                raise UnknownCurrency(repr(terms.functional_currency))
            checked_time_zone(terms.time_zone)
            soft(terms.lets_pass)
            if state.on(terms.effective_from) == terms:
                return []
            return [LegalEntityDefined(entity, terms)]
        case _:
            assert_never(command)


def evolve(state: LegalEntity, event: Event) -> LegalEntity:
    return LegalEntity(event.entity, (*state.versions, event.terms))


decider: Decider[Command, LegalEntity, Event] = Decider("legal_entity", LegalEntity(), decide, evolve)
