"""Price and tax: no rate, no exchange rate, or nobody can say how it is taxed."""

from __future__ import annotations

from collections.abc import Iterator

from domain.eligibility.reasons import Blocker, Context, EntryFacts, LotFacts, Subject
from domain.kernel import stream_of
from domain.reason_codes import ReasonCode
from domain.reference.tax_pack import STANDARD
from domain.tax import TaxedAs, TaxGap, decide_tax


def of_price(subject: Subject) -> Iterator[Blocker]:
    if isinstance(subject, EntryFacts):
        if subject.status == "approved" and subject.unrated_code:
            what = f"Set a rate that matches: {subject.unrated_detail}"
            caused_by: tuple[str, ...] = ("timesheet.entry_unrated.v1", "expense.unrated.v1")
            code = ReasonCode(subject.unrated_code)
            yield Blocker(code, subject.stream, caused_by, "finance_preparer", what, True)
        return
    if isinstance(subject, LotFacts) and subject.lot.cost_in_billing_currency is None:
        what = f"Publish the {subject.lot.cost.currency} rate of {subject.lot.work_date}."
        yield Blocker(ReasonCode.FX_RATE_MISSING, subject.stream, ("lot.rated.v1",), "finance_preparer", what, True)


def of_tax(subject: Subject, context: Context) -> Iterator[Blocker]:
    entity, customer = context.entity, context.customer
    if not entity.versions or customer.bill_to is None:
        return
    day, stream, invalid = subject.day, stream_of("customer", customer.customer), customer.invalid_tax_id
    if invalid is not None:
        what = f"Correct the tax id {invalid.tax_id} in the CRM: {invalid.reason}"
        caused_by: tuple[str, ...] = ("customer.tax_id_checked.v1",)
        yield Blocker(ReasonCode.CUSTOMER_TAX_ID_INVALID, stream, caused_by, "finance_preparer", what, True)
    taxed_as = subject.lot.tax_category if isinstance(subject, LotFacts) else STANDARD
    seller = entity.on(day) or entity.versions[0]
    decided = decide_tax(seller, customer, context.tax_rules, day, taxed_as=TaxedAs.of(taxed_as))
    if isinstance(decided, TaxGap) and not (decided.lacks_tax_id and invalid is not None):
        caused_by = ("customer.described.v1", "customer.exemption_withdrawn.v1")
        yield Blocker(ReasonCode.TAX_UNDETERMINED, stream, caused_by, "finance_preparer", decided.what_to_do, True)
