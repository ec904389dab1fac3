"""Work items for people: what could not be recorded, with the business around it and what is at risk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Final

from adapters.inbox.mail import Mail
from adapters.inbox.waiting import Awaited
from adapters.vendors.intake import Context
from domain.exception import ExceptionItem, Kind, OwnerRole, Problem
from domain.invoice import Approved, Discarded, Draft, Header, Invoice, Issued
from domain.kernel import Refused, StreamId, decider_name
from domain.lots import Lot
from domain.money import Money
from domain.ports import Read, engagement_of, invoice_of, project_of
from domain.pricing.lots import lot_of_entry
from domain.reference.identifier import ExternalRef
from domain.timesheet import Entry, Work

FINANCE_SYSTEMS: Final = frozenset({"erp"})
PROJECT_SYSTEMS: Final = frozenset({"jira", "tempo", "psa"})

WHAT_TO_DO_FOR_NAMES: Final = {
    ("jira", "user"): "Send the person's record from Workday with the Atlassian account id, or assign the identifier.",
    ("jira", "issue"): "Let Jira send the issue, or assign the identifier to a project and task.",
    ("jira", "project"): "Assign the Jira project's key to a project; the PSA tells it when it sets the project up.",
    ("salesforce", "account"): "Publish the account from Salesforce.",
    ("salesforce", "opportunity"): "The deal has to be won and complete; then its engagement is opened by itself.",
}


def refused(mail: Mail, source: ExternalRef, refusal: Refused, context: Context) -> Problem:
    """The rules do not allow what a message says."""
    return _problem("refused", str(source), refusal, mail.system, context)


def quarantined(mail: Mail, refusal: Refused) -> Problem:
    """A message cannot be read."""
    return _problem("quarantined", mail.message_id, refusal, mail.system, Context())


def conflict(mail: Mail, refusal: Refused, context: Context) -> Problem:
    """An id was used before for a message with another content."""
    return _problem("conflict", mail.message_id, refusal, mail.system, context)


def waiting(mail: Mail, thing: Awaited, context: Context, known: ExceptionItem) -> Problem:
    """Messages wait for something that is not known yet; their hours add up."""
    hours = context.hours
    if known.is_open and known.problem is not None:
        before = Decimal(known.problem.hours_at_risk or 0)
        hours = before if mail.message_id in known.messages else before + (hours or 0)
    kind = tuple(thing.key.split(":")[:2])
    problem = Problem(
        kind="waiting",
        code="message.waits",
        about=thing.key,
        message=f"The ledger does not know {_in_words(thing)} yet; what was told about it waits.",
        what_to_do=WHAT_TO_DO_FOR_NAMES.get((kind[0], kind[1]), "Send what it stands for; the rest follows by itself."),
        owner_role="project_manager" if mail.system in PROJECT_SYSTEMS else "integration",
        system=mail.system,
        waits_for=thing.key,
    )
    return _with(problem, replace(context, hours=hours))


def known_business(context: Context, read: Read) -> Context:
    """The context with what the books know about it: the project's engagement, its customer, what the work is worth."""
    if context.invoice is not None and (header := _header(invoice_of(read, context.invoice))):
        context = replace(context, engagement=header.engagement, customer=header.customer)
    if context.project is not None and context.engagement is None and is_ours(context.project):
        created = project_of(read, context.project).created
        context = replace(context, engagement=created.engagement if created else None)
    if context.engagement is not None and context.customer is None:
        opened = engagement_of(read, context.engagement).opened
        context = replace(context, customer=opened.customer if opened else None)
    if context.money is None and context.work is not None and context.resource is not None:
        context = replace(context, money=_worth(context.resource, context.work, read))
    return context


def is_ours(named: str) -> bool:
    """Whether a name is one of the ledger's own, not an outside name that stands for nothing yet."""
    return ":" not in named


def _header(invoice: Invoice) -> Header | None:
    match invoice:
        case Draft(header=header) | Approved(draft=Draft(header=header)) | Discarded(draft=Draft(header=header)):
            return header
        case Issued(document=document):
            return document.header
        case _:
            return None


def _worth(resource: str, work: Work, read: Read) -> Money | None:
    """What the customer would pay for the work; None when no price can be found."""
    entry = Entry("", work, datetime.combine(work.work_date, time(), UTC), {}, frozenset(), "approved")
    lot = lot_of_entry(resource, entry, read)
    return lot.value if isinstance(lot, Lot) and lot.non_billable_because is None else None


def _problem(kind: Kind, about: str, refusal: Refused, system: str, context: Context) -> Problem:
    problem = Problem(
        kind=kind,
        code=refusal.code,
        about=about,
        message=refusal.message,
        what_to_do=refusal.fix,
        owner_role=_owner(kind, system),
        system=system,
    )
    return _with(problem, context)


def _owner(kind: Kind, system: str) -> OwnerRole:
    if kind != "refused":
        return "integration"
    if system in FINANCE_SYSTEMS:
        return "finance_preparer"
    return "project_manager" if system in PROJECT_SYSTEMS else "integration"


def _with(problem: Problem, context: Context) -> Problem:
    return replace(
        problem,
        resource=context.resource,
        project=context.project,
        engagement=context.engagement,
        customer=context.customer,
        invoice=context.invoice,
        money_at_risk=context.money,
        hours_at_risk=None if context.hours is None else f"{context.hours:f}",
    )


def _in_words(thing: Awaited) -> str:
    stream: StreamId = thing.stream
    if decider_name(stream) == "identifier":
        return f"what {thing.key} stands for"
    return f"enough of {stream}"
