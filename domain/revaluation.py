"""At the end of a period monetary balances in foreign currency are carried at its closing rate (IAS 21.23, 28).

What that changes is unrealised, and is reversed on the first day of the next period, so that a settlement realises the
whole difference to the rate with which the balance began.
"""

from __future__ import annotations

from dataclasses import replace

from domain.journal import AccountRole, Carried, Posting, Rate


def revalued(account: AccountRole, open_balance: Carried, currency: str, closing: Rate) -> tuple[Posting, ...]:
    """What brings a balance to the closing rate; nothing where it is there already."""
    change = closing.of(open_balance.amount) - open_balance.functional
    if not change:
        return ()
    nothing = open_balance.amount - open_balance.amount
    balance = Posting(account, nothing, currency, change, closing.currency, closing.id)
    return balance, replace(balance, account=AccountRole.FX_UNREALISED, functional=-change)


def reversed_revaluation(postings: tuple[Posting, ...]) -> tuple[Posting, ...]:
    """The same the other way round, on the first day of the next period."""
    return tuple(replace(each, functional=-each.functional) for each in postings)
