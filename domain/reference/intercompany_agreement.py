"""An intercompany agreement says what one legal entity charges another for work on the other's engagements.

Between practices of one entity (``DE01/Data`` and ``DE01/Cloud``) it says what is charged across, without an invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import MINOR_UNITS, UnknownCurrency
from domain.periods import valid_on

TransferModel = Literal[
    "fixed", "cost_plus_amount", "cost_plus_percent", "percent_of_sales", "sales_minus_amount", "contribution_ratio"
]
"""How a transfer price is found, for one hour or item:

* ``fixed``: the parameter itself;
* ``cost_plus_amount``, ``cost_plus_percent``: what it costs the lender, plus an amount or a percentage;
* ``percent_of_sales``, ``sales_minus_amount``: what the customer is billed, a percentage of it or less an amount;
* ``contribution_ratio``: so that the percentage of the price is the lender's contribution: cost / (1 - percent / 100).
"""
_PERCENT_MAX: Final = {"percent_of_sales": Decimal(100), "contribution_ratio": Decimal("99.99")}


def agreement_stream(lender: str, borrower: str) -> StreamId:
    """The history of what a lender charges a borrower: ``intercompany_agreement:GB01:US01``."""
    return stream_of("intercompany_agreement", lender, borrower)


@dataclass(frozen=True, slots=True)
class RoleParameter:
    """The parameter for work in one role, in place of the agreement's own."""

    role: str
    parameter: Decimal


@dataclass(frozen=True, slots=True)
class TransferTax:
    """How the lender's invoices are taxed: EN 16931 category, percentage, and the reason where nothing is charged."""

    category: str
    percent: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """What holds between two entities from a day on.

    ``parameter`` is an amount in ``currency`` for each hour or item, or a percentage, as the model says; without one
    only the roles of ``by_role`` have a transfer price. ``ends``: the last day, None for open-ended.
    """

    effective_from: date
    model: TransferModel
    currency: str
    parameter: Decimal | None
    by_role: tuple[RoleParameter, ...] = ()
    tax: TransferTax | None = None
    ends: date | None = None

    def parameter_for(self, role: str | None) -> Decimal | None:
        """The parameter for work in a role."""
        return next((each.parameter for each in self.by_role if each.role == role), self.parameter)


@dataclass(frozen=True, slots=True)
class StateAgreement:
    """State what a lender charges a borrower from a day on."""

    lender: str
    borrower: str
    terms: AgreementTerms
    by: str


@dataclass(frozen=True, slots=True)
class AgreementStated:
    """It was stated what a lender charges a borrower from a day on."""

    lender: str
    borrower: str
    terms: AgreementTerms
    by: str


class AgreementWithItself(Refused):
    """An entity makes no intercompany agreement with itself."""

    code = "intercompany_agreement.with_itself"
    fix = "Name two entities, or two practices of one entity as DE01/Data and DE01/Cloud."


class ParameterOutOfRange(Refused):
    """The parameter of a transfer price is not possible."""

    code = "intercompany_agreement.parameter"
    fix = "Send no negative numbers, at most 100 % of sales, and a contribution ratio below 100 %."


Event = AgreementStated
Command = StateAgreement


@dataclass(frozen=True, slots=True)
class IntercompanyAgreement:
    """All versions of what a lender charges a borrower."""

    lender: str = ""
    borrower: str = ""
    versions: tuple[AgreementTerms, ...] = ()

    def on(self, day: date) -> AgreementTerms | None:
        """What holds on a day."""
        terms = valid_on(self.versions, day)
        return terms if terms is not None and (terms.ends is None or day <= terms.ends) else None


def decide(command: Command, state: IntercompanyAgreement) -> Sequence[Event]:
    match command:
        case StateAgreement(lender, borrower, terms, by):
            if lender == borrower:
                raise AgreementWithItself(lender)
            if terms.currency not in MINOR_UNITS:
                raise UnknownCurrency(repr(terms.currency))
            _require_possible(terms)
            return [] if terms in state.versions[-1:] else [AgreementStated(lender, borrower, terms, by)]
        case _:
            assert_never(command)


def _require_possible(terms: AgreementTerms) -> None:
    stated = [each.parameter for each in terms.by_role]
    if terms.parameter is not None:
        stated.append(terms.parameter)
    largest = _PERCENT_MAX.get(terms.model)
    for parameter in stated:
        if parameter < 0 or (largest is not None and parameter > largest):
            raise ParameterOutOfRange(f"{parameter} of model {terms.model}.")
    if not stated:
        raise ParameterOutOfRange("There is none.")


def evolve(state: IntercompanyAgreement, event: Event) -> IntercompanyAgreement:
    return IntercompanyAgreement(event.lender, event.borrower, (*state.versions, event.terms))


decider: Decider[Command, IntercompanyAgreement, Event] = Decider(
    "intercompany_agreement", IntercompanyAgreement(), decide, evolve
)
