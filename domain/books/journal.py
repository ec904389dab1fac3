"""The journal says in double entry what every fact means for the books; each entry balances in every entity.

An entry has postings in one transaction currency or several. Every posting also has its amount in the functional
currency of its legal entity and names the exchange rate that was used (IAS 21.21). Debits are positive, credits
negative. What is open, such as a receivable, is kept with what it is carried at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from domain.books.account_role import AccountRole
from domain.money import at_minor_unit

_NOTHING: Final = Decimal(0)


class AccountClass(StrEnum):
    """The class of an account, as auditors and plain-text ledgers sort them."""

    ASSETS = "Assets"
    LIABILITIES = "Liabilities"
    INCOME = "Income"
    EXPENSES = "Expenses"


_ASSETS = frozenset({"AR", "IC_AR", "RETENTION", "CONTRACT_ASSET", "TAX_IN", "CASH"})
_LIABILITIES = frozenset({"CONTRACT_LIABILITY", "TAX_OUT", "IC_AP", "LOSS_PROVISION"})
_EXPENSES = frozenset(
    {"COST_LABOUR", "LABOUR_ABSORBED", "COST_EXPENSE", "COST_IC", "FX_REALISED", "FX_UNREALISED", "BAD_DEBT"}
)


def class_of(account: AccountRole) -> AccountClass:
    """The class of an account; labour absorbed stands against labour cost, among the expenses."""
    if account in _ASSETS:
        return AccountClass.ASSETS
    if account in _LIABILITIES:
        return AccountClass.LIABILITIES
    return AccountClass.EXPENSES if account in _EXPENSES else AccountClass.INCOME


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of the functional currency for one of the transaction's, and where it comes from.

    ``id`` is ``fx_rate:EUR:USD@2026-03-02`` for a published rate, ``invoice <number>`` for that of a document,
    ``contract`` for one that the contract fixes, ``carried`` where an open balance keeps the rate that it has; empty
    where the currencies are the same.
    """

    value: Decimal
    currency: str
    id: str = ""

    def of(self, amount: Decimal) -> Decimal:
        """An amount in the functional currency, at its minor unit, half up."""
        return to_the_cent(amount * self.value, self.currency)


CARRIED = "carried"


def same(currency: str) -> Rate:
    """The rate of a currency to itself."""
    return Rate(Decimal(1), currency)


def to_the_cent(amount: Decimal, currency: str) -> Decimal:
    """An amount at the minor unit of its currency, half up."""
    return at_minor_unit(amount, currency)


@dataclass(frozen=True, slots=True)
class Posting:
    """One debit (positive) or credit (negative) of an account.

    ``amount`` is in the transaction currency, ``functional`` in the functional currency of the entity. A posting with
    no amount of its own and a functional one is an exchange difference. ``counterparty`` is the other legal entity of
    an intercompany balance.
    """

    account: AccountRole
    amount: Decimal
    currency: str
    functional: Decimal
    functional_currency: str
    rate_id: str = ""
    engagement: str = ""
    line: str = ""
    counterparty: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One balanced entry of one legal entity.

    ``effective_on`` is the day in the books; ``true_on`` the day of the work, the document or the money, which is
    earlier where its period was closed. ``because`` names the rule.
    """

    entity: str
    because: str
    effective_on: date
    true_on: date
    postings: tuple[Posting, ...]

    def imbalances(self) -> Iterator[str]:
        """How the entry does not balance: in functional money, and in each transaction currency."""
        functional: dict[str, Decimal] = {}
        transaction: dict[str, Decimal] = {}
        for each in self.postings:
            functional[each.functional_currency] = functional.get(each.functional_currency, _NOTHING) + each.functional
            transaction[each.currency] = transaction.get(each.currency, _NOTHING) + each.amount
        for kind, sums in (("functional", functional), ("transaction", transaction)):
            for currency, amount in sums.items():
                if amount:
                    yield f"{kind} amounts of {self.because} in {self.entity} leave {amount} {currency}"

    @property
    def balances(self) -> bool:
        """Whether functional amounts add up to zero, and transaction amounts do in each currency.

        An entry in two currencies has a clearing leg in each on the account of realised differences.
        """
        return not any(self.imbalances())


@dataclass(frozen=True, slots=True)
class Carried:
    """An open balance in its transaction currency, and what it is carried at in the functional one."""

    amount: Decimal = Decimal(0)
    functional: Decimal = Decimal(0)

    def plus(self, amount: Decimal, functional: Decimal) -> Carried:
        """The balance after a movement."""
        return Carried(self.amount + amount, self.functional + functional)

    def share(self, part: Decimal, currency: str) -> Decimal:
        """What a part of the balance is carried at: all of it with the last of the balance, else in proportion."""
        if part == self.amount:
            return self.functional
        return to_the_cent(self.functional * part / self.amount, currency) if self.amount else Decimal(0)


NOTHING_OPEN = Carried()
