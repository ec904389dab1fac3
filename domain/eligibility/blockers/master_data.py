"""Master data: the customer or the legal entity cannot be invoiced as they are, or a source has fallen silent."""

from __future__ import annotations

from collections.abc import Iterator

from domain.eligibility.reasons import Blocker, Context, Subject
from domain.kernel import stream_of
from domain.reason_codes import ReasonCode
from domain.reference.source_system import source_system_stream


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
    entity_terms = context.entity.terms_of(context.today)
    for system in entity_terms.customers_known_in if entity_terms else ():
        if system not in customer.known_in:
            what = f"Set the customer up in {system}, and assign its id there to {terms.customer}."
            yield Blocker(ReasonCode.CUSTOMER_NOT_SYNCED, stream, (), "integration", what, True)
    if not context.entity.versions:
        entity = stream_of("legal_entity", terms.selling_entity)
        what = f"Define the legal entity {terms.selling_entity}."
        yield Blocker(ReasonCode.ENTITY_NOT_MAPPED, entity, ("engagement.opened.v1",), "integration", what, True)


def of_source(subject: Subject, context: Context) -> Iterator[Blocker]:
    """Hours wait while the system that told them is silent: it may have corrections that nobody has heard."""
    longest, heard, today = context.silent_days_max, subject.heard, context.today
    if longest is None or heard is None or today is None or (today - heard.on).days <= longest:
        return
    stream, caused_by = source_system_stream(heard.system), ("source_system.heard.v1",)
    what = f"Repair the connection to {heard.system}: nothing was heard of it since {heard.on}."
    yield Blocker(ReasonCode.STALE_SOURCE, stream, caused_by, "integration", what, True)
