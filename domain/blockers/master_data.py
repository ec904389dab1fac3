"""Master data: the customer or the legal entity cannot be invoiced as they are."""

from __future__ import annotations

from collections.abc import Iterator

from domain.kernel import stream_of
from domain.reason_codes import ReasonCode
from domain.reasons import Blocker, Context


def of_master_data(context: Context) -> Iterator[Blocker]:
    terms, customer = context.engagement.terms, context.customer
    stream = stream_of("customer", terms.customer)
    if customer.bill_to is None:
        what = "Complete street, city and country of the billing address in the CRM."
        caused_by: tuple[str, ...] = ("customer.described.v1",)
        yield Blocker(ReasonCode.BILL_TO_MISSING, stream, caused_by, "finance_preparer", what, True)
    if customer.blocked_because is not None:
        what = f"Unblock the customer: {customer.blocked_because}"
        yield Blocker(ReasonCode.CUSTOMER_BLOCKED, stream, ("customer.blocked.v1",), "finance_approver", what)
    if not context.entity.versions:
        entity = stream_of("legal_entity", terms.selling_entity)
        what = f"Define the legal entity {terms.selling_entity}."
        yield Blocker(ReasonCode.ENTITY_NOT_MAPPED, entity, ("engagement.opened.v1",), "integration", what, True)
