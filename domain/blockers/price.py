"""Price and tax: no rate, no exchange rate, or nobody can say how it is taxed."""

from __future__ import annotations

from collections.abc import Iterator

from domain.kernel import stream_of
from domain.reasons import Blocker, Context, EntryFacts, ReasonCode, Subject
from domain.tax import treatment_of


def of_price(subject: Subject) -> Iterator[Blocker]:
    if isinstance(subject, EntryFacts):
        if subject.status == "approved" and subject.unrated_code:
            what = f"Set a rate that matches: {subject.unrated_detail}"
            caused_by: tuple[str, ...] = ("timesheet.entry_unrated.v1", "expense.unrated.v1")
            code = ReasonCode(subject.unrated_code)
            yield Blocker(code, subject.stream, caused_by, "finance_preparer", what, True)
        return
    if subject.lot.cost_in_billing_currency is None:
        what = f"Publish the {subject.lot.cost.currency} rate of {subject.lot.work_date}."
        yield Blocker(ReasonCode.FX_RATE_MISSING, subject.stream, ("lot.rated.v1",), "finance_preparer", what, True)


def of_tax(subject: Subject, context: Context) -> Iterator[Blocker]:
    entity, customer = context.entity, context.customer
    if not entity.versions or customer.bill_to is None:
        return
    day = subject.day
    terms = entity.on(day) or entity.versions[0]
    if treatment_of(terms, customer, context.tax_rules, day) is None:
        stream = stream_of("customer", customer.customer)
        what = (
            f"State the tax rule from {terms.address.country} to {customer.bill_to.country}, or the customer's tax id."
        )
        caused_by: tuple[str, ...] = ("customer.described.v1",)
        yield Blocker(ReasonCode.TAX_UNDETERMINED, stream, caused_by, "finance_preparer", what, True)
