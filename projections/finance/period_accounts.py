"""What became known of a month after it was closed, account by account, and the facts that moved each account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.books.accounting_period import first_day_of, last_day_of
from projections.reader import View

ENTRIES_MAX: Final = 500
_BALANCES: Final = (
    "SELECT account, functional_currency, sum(functional) FROM posting"
    " WHERE entity = %s AND true_on BETWEEN %s AND %s GROUP BY 1, 2"
)
_LATE: Final = "FROM posting WHERE entity = %s AND true_on BETWEEN %s AND %s AND posting > %s"
_ENTRIES: Final = (
    "SELECT min(posting), event, because, true_on, effective_on, max(recorded_at), account, functional_currency,"
    f" sum(functional) {_LATE} GROUP BY 2, 3, 4, 5, 7, 8 HAVING sum(functional) <> 0 ORDER BY 1"
)


@dataclass(frozen=True, slots=True)
class AccountCompared:
    """What was true in the month did to an account: as was known at the close, and as is known now."""

    account: str
    currency: str
    as_closed: Decimal
    as_known: Decimal

    @property
    def change(self) -> Decimal:
        """As known less as closed."""
        return self.as_known - self.as_closed


@dataclass(frozen=True, slots=True)
class AccountMoved:
    """What a late fact moved an account by, in functional money."""

    account: str
    currency: str
    change: Decimal


@dataclass(frozen=True, slots=True)
class LateEntry:
    """A fact that came after the close and concerns the month, by the rule that posted it."""

    event: str
    because: str
    true_on: date
    effective_on: date
    recorded_at: datetime
    accounts: tuple[AccountMoved, ...]


def compared(closed: View, known: View, entity: str, period: str) -> tuple[AccountCompared, ...]:
    """Every account that what was true in the month moved, by either view."""
    then, now = _balances(closed, entity, period), _balances(known, entity, period)
    nothing = Decimal(0)
    return tuple(
        AccountCompared(*key, then.get(key, nothing), now.get(key, nothing)) for key in sorted(then.keys() | now.keys())
    )


def late_entries(known: View, entity: str, period: str, closed_position: int) -> Sequence[LateEntry]:
    """What was posted of the month by facts behind the position of its close, in the order of recording."""
    found: dict[tuple[Any, ...], LateEntry] = {}
    values = [entity, first_day_of(period), last_day_of(period), f"{closed_position + 1:012d}"]
    for _, *key, account, currency, change in known.rows(_ENTRIES, values):
        event, because, true_on, effective_on, recorded_at = key
        known_so_far = found.get(tuple(key), LateEntry(event, because, true_on, effective_on, recorded_at, ()))
        moved = (*known_so_far.accounts, AccountMoved(account, currency, change))
        found[tuple(key)] = replace(known_so_far, accounts=moved)
    return list(found.values())


def _balances(view: View, entity: str, period: str) -> dict[tuple[str, str], Decimal]:
    rows = view.rows(_BALANCES, [entity, first_day_of(period), last_day_of(period)])
    return {(account, currency): balance for account, currency, balance in rows}
