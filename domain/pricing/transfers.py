"""Transfer pricing finds what the entity that delivers work charges the one that sells it, by their agreement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import assert_never

from domain.conversion import fx_quote_or_none
from domain.lots import Lot
from domain.lots.transfer import PricedTransfer, Transfer, TransferGap
from domain.money import Money
from domain.ports import Read, project_of, resource_of
from domain.reference.intercompany_agreement import AgreementTerms, IntercompanyAgreement, agreement_stream

_UNIT_DIGITS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Parties:
    """Who charges whom; ``crossing`` where they are practices of one entity."""

    lender: str
    borrower: str
    crossing: bool


@dataclass(frozen=True, slots=True)
class UnitAmounts:
    """What one hour or item costs and is billed at, in the currency of the agreement; None without a rate."""

    cost: Decimal | None
    sales: Decimal | None


def with_transfer(lot: Lot, read: Read) -> Lot:
    """A lot with what is charged for it between the entities, or why that cannot be said."""
    priced = price_transfer(lot, read)
    if (priced.transfer, priced.gap) == (lot.transfer, lot.transfer_gap):
        return lot
    return replace(lot, transfer=priced.transfer, transfer_gap=priced.gap)


def price_transfer(lot: Lot, read: Read) -> PricedTransfer:
    """What is charged for a lot by the agreement of its work date; nothing where one practice does all the work."""
    parties = parties_of(lot, read)
    if parties is None:
        return PricedTransfer(lot.lot, None)
    agreement: IntercompanyAgreement = read(agreement_stream(parties.lender, parties.borrower))
    terms = agreement.on(lot.work_date)
    if terms is None:
        if parties.crossing:
            return PricedTransfer(lot.lot, None)
        detail = f"{parties.lender} and {parties.borrower} have no agreement on {lot.work_date}."
        return PricedTransfer(lot.lot, None, TransferGap("INTERCOMPANY_AGREEMENT_MISSING", detail))
    charged = unit_price(terms, lot.role, _units(lot, terms.currency, read))
    if charged is None:
        return PricedTransfer(lot.lot, None, TransferGap("TRANSFER_PRICE_MISSING", _lacks(terms, lot)))
    price = -charged if _is_given_back(lot) else charged
    transfer = Transfer(
        lender=parties.lender,
        borrower=parties.borrower,
        model=terms.model,
        price=price.quantize(_UNIT_DIGITS).normalize() + 0,
        value=Money(price * lot.quantity, terms.currency).rounded(),
        because=_because(terms, lot),
        crossing=parties.crossing,
    )
    return PricedTransfer(lot.lot, transfer)


def parties_of(lot: Lot, read: Read) -> Parties | None:
    """The entities between which a lot is charged, else the practices of one entity; None where it stays in one.

    The practice that runs a project is that of its manager.
    """
    if lot.delivering_entity != lot.selling_entity:
        return Parties(lot.delivering_entity, lot.selling_entity, crossing=False)
    manager = project_of(read, lot.project).manager
    if not lot.practice or manager is None:
        return None
    terms = resource_of(read, manager).on(lot.work_date)
    if terms is None or not terms.practice or terms.practice == lot.practice:
        return None
    entity = lot.selling_entity
    return Parties(f"{entity}/{lot.practice}", f"{entity}/{terms.practice}", crossing=True)


def unit_price(terms: AgreementTerms, role: str | None, units: UnitAmounts) -> Decimal | None:
    """The transfer price of one hour or item by the model of an agreement; None when something that it needs lacks.

    At a cost of 100 and a price of 200, ``fixed`` 120 is 120, ``cost_plus_amount`` 15 is 115, ``cost_plus_percent`` 10
    is 110, ``percent_of_sales`` 60 is 120, ``sales_minus_amount`` 70 is 130, ``contribution_ratio`` 20 is 125.
    """
    parameter = terms.parameter_for(role)
    if parameter is None:
        return None
    match terms.model:
        case "fixed":
            return parameter
        case "cost_plus_amount":
            return units.cost + parameter if units.cost is not None else None
        case "cost_plus_percent":
            return units.cost * (100 + parameter) / 100 if units.cost is not None else None
        case "percent_of_sales":
            return units.sales * parameter / 100 if units.sales is not None else None
        case "sales_minus_amount":
            return units.sales - parameter if units.sales is not None else None
        case "contribution_ratio":
            return units.cost * 100 / (100 - parameter) if units.cost is not None else None
        case _:
            assert_never(terms.model)


def _is_given_back(lot: Lot) -> bool:
    """Whether a lot is a cost that came back: the other entity is charged less, as it was charged more."""
    return lot.cost.amount < 0


def _units(lot: Lot, currency: str, read: Read) -> UnitAmounts:
    """What one hour or item costs and is billed at, without its sign where it was given back."""
    cost_rate = fx_quote_or_none(read, lot.cost.currency, currency, lot.work_date)
    sales_rate = fx_quote_or_none(read, lot.value.currency, currency, lot.work_date)
    sign = -1 if _is_given_back(lot) else 1
    cost = sign * lot.cost.amount / lot.quantity if lot.quantity else Decimal(0)
    return UnitAmounts(
        cost * cost_rate.rate if cost_rate is not None else None,
        sign * lot.price * sales_rate.rate if sales_rate is not None and lot.price else None,
    )


def _because(terms: AgreementTerms, lot: Lot) -> str:
    return f"{terms.model.replace('_', ' ')}, {terms.parameter_for(lot.role)}, agreed from {terms.effective_from}"


def _lacks(terms: AgreementTerms, lot: Lot) -> str:
    if terms.parameter_for(lot.role) is None:
        return f"The agreement from {terms.effective_from} says nothing of role {lot.role}."
    wanted = "sales price" if "sales" in terms.model else "cost"
    return f"There is no {wanted} in {terms.currency} on {lot.work_date}: a price or an exchange rate is missing."
