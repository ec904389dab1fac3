"""The rules of posting: what a fact debits and credits, as the tables of the journal say it.

| fact                      | debit                                  | credit                                          |
|---------------------------|----------------------------------------|-------------------------------------------------|
| work is rated             | COST_LABOUR                            | LABOUR_ABSORBED                                 |
| an expense is rated       | COST_EXPENSE, TAX_IN                   | CASH                                            |
| revenue is recognised     | CONTRACT_LIABILITY, then CONTRACT_ASSET| REVENUE_*                                       |
| an invoice is issued      | AR, RETENTION                          | CONTRACT_ASSET, then CONTRACT_LIABILITY; TAX_OUT|
| a holdback is released    | AR                                     | RETENTION                                       |
| money arrives             | CASH                                   | AR                                              |
| a receivable is given up  | BAD_DEBT, TAX_OUT                      | AR                                              |
| a price is written up     | CONTRACT_ASSET                         | REVENUE_ADJUSTMENT                              |
| a loss is expected        | COST_LABOUR                            | LOSS_PROVISION                                  |
| work for another entity   | IC_AR; with the other COST_IC, TAX_IN  | REVENUE_IC, TAX_OUT; with the other IC_AP       |
| that is settled           | CASH; with the other IC_AP             | IC_AR; with the other CASH                      |
| work for another practice | COST_IC                                | REVENUE_IC                                      |

Each rule is a pure function of amounts, rates and what is open; a negative amount undoes what a positive one does.
Contract asset and liability are one position per engagement (IFRS 15.105 to 107): a movement first takes what stands
on the other side, at what that is carried at, and the rest at its own rate. So revenue that was paid in advance is
measured at the rate of the advance (IFRIC 22.8), and what a rate has changed until a balance ends is realised (IAS
21.28).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from domain.books.account_role import AccountRole
from domain.books.journal import CARRIED, NOTHING_OPEN, Carried, Posting, Rate

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Moved:
    """The postings of a rule, and what is open after it."""

    postings: tuple[Posting, ...]
    left: Carried


def posting(account: AccountRole, amount: Decimal, currency: str, rate: Rate) -> Posting:
    """An amount at a rate."""
    return Posting(account, amount, currency, rate.of(amount), rate.currency, rate.id)


def _kept(currency: str, functional_currency: str) -> str:
    """The name of the rate at which a balance ends: the one that it has; none where nothing was converted."""
    return CARRIED if currency != functional_currency else ""


def difference(postings: Sequence[Posting], account: AccountRole = AccountRole.FX_REALISED) -> tuple[Posting, ...]:
    """The postings, with the exchange difference that is left between them, which has no transaction amount."""
    left = sum((each.functional for each in postings), ZERO)
    if not left:
        return tuple(postings)
    first = postings[0]
    return (*postings, Posting(account, ZERO, first.currency, -left, first.functional_currency))


def _both_sides(debit: AccountRole, credit: AccountRole, amount: Decimal, currency: str, rate: Rate) -> list[Posting]:
    one = posting(debit, amount, currency, rate)
    return [one, Posting(credit, -amount, currency, -one.functional, rate.currency, rate.id)]


def labour(cost: Decimal, currency: str, rate: Rate) -> tuple[Posting, ...]:
    """Hours cost what they cost whatever they are billed at; the payroll that is spread over them is absorbed."""
    return tuple(_both_sides(AccountRole.COST_LABOUR, AccountRole.LABOUR_ABSORBED, cost, currency, rate))


def expense(
    cost: Decimal, tax: Decimal, currency: str, rate: Rate, account: AccountRole = AccountRole.COST_EXPENSE
) -> tuple[Posting, ...]:
    """What was spent for a customer, and the tax of it that the firm gets back.

    The credit is CASH: the closed list of accounts has none for what is owed to employees and suppliers, because the
    ledger does not keep those debts; the entity's account mapping sends this role to the account that settles them.
    An agent spends what it passes on against its revenue, so that only its fee is left of both (IFRS 15.B36).
    """
    spent = posting(account, cost, currency, rate)
    postings = [spent]
    if tax:
        postings.append(posting(AccountRole.TAX_IN, tax, currency, rate))
    functional = sum((each.functional for each in postings), ZERO)
    return (*postings, replace(spent, account=AccountRole.CASH, amount=-(cost + tax), functional=-functional))


def other_cost(cost: Decimal, currency: str, rate: Rate) -> tuple[Posting, ...]:
    """A cost of a contract that an ERP told: no hours and no expense report stand behind it."""
    return tuple(_both_sides(AccountRole.COST_EXPENSE, AccountRole.CASH, cost, currency, rate))


def position_moved(position: Carried, change: Decimal, currency: str, rate: Rate) -> Moved:
    """A movement of an engagement's contract position: what is earned beyond what is billed, or the other way round."""
    postings: list[Posting] = []
    if position.amount * change < 0:
        settled = change if abs(change) <= abs(position.amount) else -position.amount
        carried = -position.share(-settled, rate.currency)
        account = AccountRole.CONTRACT_ASSET if position.amount > 0 else AccountRole.CONTRACT_LIABILITY
        rate_id = CARRIED if rate.id else ""
        postings.append(Posting(account, settled, currency, carried, rate.currency, rate_id))
        position, change = position.plus(settled, carried), change - settled
    if change:
        account = AccountRole.CONTRACT_ASSET if change > 0 else AccountRole.CONTRACT_LIABILITY
        postings.append(posting(account, change, currency, rate))
        position = position.plus(change, postings[-1].functional)
    return Moved(tuple(postings), position)


def recognise(
    position: Carried,
    amount: Decimal,
    currency: str,
    rate: Rate,
    account: AccountRole,
    functional: Decimal | None = None,
) -> Moved:
    """Revenue that is earned, or with a negative amount taken back (IFRS 15.31, 105).

    Without ``functional`` it is measured as the position moves: at the rate of the advance as far as there is one, the
    rest at the rate of the day. With it revenue is what it says, as where earlier revenue is reversed; any difference
    to what the position carries is realised.
    """
    moved = position_moved(position, amount, currency, rate)
    carried = sum((each.functional for each in moved.postings), ZERO)
    revenue = carried if functional is None else functional
    postings = (*moved.postings, Posting(account, -amount, currency, -revenue, rate.currency, rate.id))
    return Moved(difference(postings), moved.left)


@dataclass(frozen=True, slots=True)
class BilledOf:
    """What an invoice bills of one engagement, net, and the contract position that it meets."""

    engagement: str
    net: Decimal
    position: Carried


@dataclass(frozen=True, slots=True)
class Issued:
    """The postings of an issued document, and what is open after it: by engagement, and of the customer."""

    postings: tuple[Posting, ...]
    positions: dict[str, Carried]
    receivable: Carried
    retention: Carried


def issue(
    billed: Sequence[BilledOf],
    tax: Decimal,
    holdback: Decimal,
    rounding: Decimal,
    currency: str,
    rate: Rate,
) -> Issued:
    """An invoice: the customer owes its gross, of which a holdback is only due once it is released.

    The net takes the contract asset down to zero; what is billed beyond is a contract liability (IFRS 15.106). A
    payable amount that is rounded to larger coins earns or costs the difference.
    """
    net = sum((each.net for each in billed), ZERO)
    postings: list[Posting] = []
    retention = posting(AccountRole.RETENTION, holdback, currency, rate)
    gross = rate.of(net + tax + rounding)
    receivable = replace(
        retention,
        account=AccountRole.AR,
        amount=net + tax + rounding - holdback,
        functional=gross - retention.functional,
    )
    postings += [each for each in (receivable, retention) if each.amount]
    positions: dict[str, Carried] = {}
    for each in billed:
        moved = position_moved(each.position, -each.net, currency, rate)
        postings += [replace(leg, engagement=each.engagement) for leg in moved.postings]
        positions[each.engagement] = moved.left
    for account, amount in ((AccountRole.TAX_OUT, tax), (AccountRole.REVENUE_ADJUSTMENT, rounding)):
        if amount:
            postings.append(posting(account, -amount, currency, rate))
    return Issued(
        difference(postings) if postings else (),
        positions,
        Carried(receivable.amount, receivable.functional),
        Carried(retention.amount, retention.functional),
    )


def release_holdback(retention: Carried, amount: Decimal, currency: str, functional_currency: str) -> Moved:
    """What was kept back is due now: the same money, at what it is carried at."""
    carried = retention.share(amount, functional_currency)
    due = Posting(AccountRole.AR, amount, currency, carried, functional_currency, _kept(currency, functional_currency))
    kept = replace(due, account=AccountRole.RETENTION, amount=-amount, functional=-carried)
    return Moved((due, kept), retention.plus(-amount, -carried))


def receive(amount: Decimal, currency: str, rate: Rate) -> Moved:
    """Money arrives and is on account of the customer until it is used for invoices."""
    postings = _both_sides(AccountRole.CASH, AccountRole.AR, amount, currency, rate)
    return Moved(tuple(postings), Carried(-amount, -postings[0].functional))


def receive_as(amount: Decimal, currency: str, functional: Decimal, functional_currency: str) -> Moved:
    """Money without an exchange rate arrives at what it settles is carried at, so that nothing is realised."""
    cash = Posting(AccountRole.CASH, amount, currency, functional, functional_currency, CARRIED)
    owed = replace(cash, account=AccountRole.AR, amount=-amount, functional=-functional)
    return Moved((cash, owed), Carried(-amount, -functional))


@dataclass(frozen=True, slots=True)
class Applied:
    """The postings of a settlement, what the customer still owes, and what is still on account."""

    postings: tuple[Posting, ...]
    receivable: Carried
    on_account: Carried


def apply(
    receivable: Carried, on_account: Carried, amount: Decimal, currency: str, settled: Decimal, receipt_currency: str,
    functional_currency: str,
) -> Applied:  # fmt: skip
    """Money on account settles an invoice; between their rates, and their currencies, the difference is realised.

    Where the receipt is in another currency than the invoice, each side has its clearing leg in its own currency.
    """
    taken = -on_account.share(-settled, functional_currency)
    ended = receivable.share(amount, functional_currency)
    kept = _kept(receipt_currency, functional_currency)
    used = Posting(AccountRole.AR, settled, receipt_currency, taken, functional_currency, kept)
    paid = Posting(AccountRole.AR, -amount, currency, -ended, functional_currency, _kept(currency, functional_currency))
    postings = [used, paid]
    if currency != receipt_currency:
        postings += [
            replace(each, account=AccountRole.FX_REALISED, amount=-each.amount, functional=-each.functional)
            for each in postings
        ]
    else:
        postings = list(difference(postings))
    return Applied(tuple(postings), receivable.plus(-amount, -ended), on_account.plus(settled, taken))


def pay(
    receivable: Carried, amount: Decimal, currency: str, rate: Rate, account: AccountRole = AccountRole.AR
) -> Moved:
    """Money for one invoice, in its currency; negative when it is paid back (IAS 21.28).

    A payable is settled in the same way: its balance and what is paid of it are negative.
    """
    cash = posting(AccountRole.CASH, amount, currency, rate)
    ended = receivable.share(amount, rate.currency)
    owed = Posting(account, -amount, currency, -ended, rate.currency, CARRIED if rate.id else "")
    return Moved(difference([cash, owed]), receivable.plus(-amount, -ended))


def refund(on_account: Carried, amount: Decimal, currency: str, rate: Rate) -> Moved:
    """Money on account is paid back."""
    cash = posting(AccountRole.CASH, -amount, currency, rate)
    taken = -on_account.share(-amount, rate.currency)
    owed = Posting(AccountRole.AR, amount, currency, taken, rate.currency, CARRIED if rate.id else "")
    return Moved(difference([cash, owed]), on_account.plus(amount, taken))


def write_off(
    receivable: Carried, amount: Decimal, currency: str, functional_currency: str, tax: Decimal = ZERO
) -> Moved:
    """A receivable that will not be paid is an impairment loss, not less revenue (IFRS 15.107, IFRS 9).

    Tax that the law gives back is no loss: less is owed of it, at the rate of the invoice.
    """
    ended = receivable.share(amount, functional_currency)
    claimed = Carried(amount, ended).share(tax, functional_currency)
    rate_id = _kept(currency, functional_currency)
    owed = Posting(AccountRole.AR, -amount, currency, -ended, functional_currency, rate_id)
    lost = replace(owed, account=AccountRole.BAD_DEBT, amount=amount - tax, functional=ended - claimed)
    back = replace(owed, account=AccountRole.TAX_OUT, amount=tax, functional=claimed)
    postings = [each for each in (lost, back) if each.amount]
    return Moved((*postings, owed), receivable.plus(-amount, -ended))


def credit(
    receivable: Carried, position: Carried, net: Decimal, tax: Decimal, currency: str, rate: Rate
) -> tuple[tuple[Posting, ...], Carried, Carried]:
    """A credit note takes back what its invoice posted, at the rate of the invoice: no difference arises.

    Returns the postings, what the customer owes after it, and the contract position, to which the net returns.
    """
    moved = position_moved(position, net, currency, rate)
    owed = posting(AccountRole.AR, -(net + tax), currency, rate)
    postings = [owed, *moved.postings]
    if tax:
        postings.append(posting(AccountRole.TAX_OUT, tax, currency, rate))
    return difference(postings), receivable.plus(owed.amount, owed.functional), moved.left


def provide_for_loss(change: Decimal, currency: str, rate: Rate) -> tuple[Posting, ...]:
    """An onerous contract: the loss that is still to come is a cost at once (IAS 37.66; ASC 605-35-45-1: a cost)."""
    return tuple(_both_sides(AccountRole.COST_LABOUR, AccountRole.LOSS_PROVISION, change, currency, rate))


@dataclass(frozen=True, slots=True)
class BothLegs:
    """One delivery between legal entities: what the lender posts, and what the borrower posts."""

    lender: tuple[Posting, ...]
    borrower: tuple[Posting, ...]


def intercompany(
    lender: str,
    borrower: str,
    nets: Sequence[tuple[str, Decimal]],
    tax: Decimal,
    currency: str,
    lenders_rate: Rate,
    borrowers_rate: Rate,
) -> BothLegs:
    """Work that one entity does for another's engagements: receivable and revenue here, cost and payable there.

    ``nets`` is what is charged for each engagement; the tax of it is owed by the lender and recovered by the borrower.
    """
    roles = (AccountRole.IC_AR, AccountRole.REVENUE_IC, AccountRole.TAX_OUT)
    mirrored = (AccountRole.IC_AP, AccountRole.COST_IC, AccountRole.TAX_IN)
    sold = _leg(roles, nets, tax, currency, lenders_rate)
    bought = _leg(mirrored, nets, tax, currency, borrowers_rate)
    return BothLegs(
        tuple(replace(each, counterparty=borrower) for each in sold),
        tuple(replace(each, counterparty=lender, amount=-each.amount, functional=-each.functional) for each in bought),
    )


def _leg(
    roles: tuple[AccountRole, AccountRole, AccountRole],
    nets: Sequence[tuple[str, Decimal]],
    tax: Decimal,
    currency: str,
    rate: Rate,
) -> list[Posting]:
    """The balance between the entities, and on the other side what each engagement is charged, and the tax.

    The net is converted as a whole: the last engagement takes what rounding leaves.
    """
    balance, charged, taxed = roles
    whole = rate.of(sum((net for _, net in nets), ZERO))
    parts = [replace(posting(charged, -net, currency, rate), engagement=engagement) for engagement, net in nets]
    left = -whole - sum((each.functional for each in parts), ZERO)
    parts[-1] = replace(parts[-1], functional=parts[-1].functional + left)
    if tax:
        parts.append(posting(taxed, -tax, currency, rate))
    owed = posting(balance, -sum((each.amount for each in parts), ZERO), currency, rate)
    return [replace(owed, functional=-sum((each.functional for each in parts), ZERO)), *parts]


def cross_charge(lender: str, borrower: str, amount: Decimal, currency: str, rate: Rate) -> tuple[Posting, ...]:
    """Work of one practice of an entity for another: a cost there and a revenue here, without an invoice."""
    cost, revenue = _both_sides(AccountRole.COST_IC, AccountRole.REVENUE_IC, amount, currency, rate)
    return replace(cost, counterparty=lender), replace(revenue, counterparty=borrower)


def revalue(account: AccountRole, balance: Carried, currency: str, closing: Rate) -> tuple[Posting, ...]:
    """A monetary balance in foreign currency counts at the closing rate of a period (IAS 21.23, 28).

    The first day of the next period takes it back, so that a settlement realises the whole difference to the rate with
    which the balance began.
    """
    change = closing.of(balance.amount) - balance.functional
    if not change:
        return ()
    gained = Posting(account, ZERO, currency, change, closing.currency, closing.id)
    return gained, replace(gained, account=AccountRole.FX_UNREALISED, functional=-change)


def reversed_of(postings: Sequence[Posting]) -> tuple[Posting, ...]:
    """What undoes postings that changed nothing that is open, such as a cost."""
    return tuple(replace(each, amount=-each.amount, functional=-each.functional) for each in postings)


__all__ = [
    "NOTHING_OPEN",
    "Applied",
    "BilledOf",
    "BothLegs",
    "Issued",
    "Moved",
    "apply",
    "credit",
    "cross_charge",
    "difference",
    "expense",
    "intercompany",
    "issue",
    "labour",
    "other_cost",
    "pay",
    "posting",
    "provide_for_loss",
    "receive",
    "receive_as",
    "recognise",
    "refund",
    "release_holdback",
    "revalue",
    "reversed_of",
    "write_off",
]
