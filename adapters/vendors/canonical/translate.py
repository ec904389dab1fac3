"""Canonical messages carry the domain's commands as they are; here their address is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.canonical.messages import FORMS, Message, deciders_of, read_message
from adapters.vendors.intake import (
    Context,
    Intake,
    Names,
    Resolved,
    Vendor,
    moment,
    name,
    own_name,
    refusing,
    revision_of,
)
from adapters.vendors.letter import Letter
from adapters.vendors.unreadable import UnknownSubject, WrongStream
from adapters.vendors.worklog import withdrawal_at
from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.books.accounting_period import (
    ClosePeriod,
    OpenPeriod,
    ReopenPeriod,
    SoftClosePeriod,
    accounting_period_stream,
)
from domain.engagement import (
    AgreeLine,
    ChangeCap,
    HoldEngagement,
    LiftHold,
    OpenEngagement,
    RecordPurchaseOrder,
    SignEngagement,
)
from domain.engagement.caps import AgreeEngagementCap, ChangeLimits
from domain.expense import RecordExpense, expense_stream
from domain.invoice import RecordPayment
from domain.kernel import Addressed, Refused, StreamId, decider_name, local_id, stream_of
from domain.payment import ReceivePayment, payment_stream
from domain.ports import Read
from domain.pricing.cost_currency import require_cost_currency
from domain.project import AppointManager, AssignResource, CreateProject, DefineTask, HoldBilling, ReleaseBillingHold
from domain.reference.account_map import MapAccount, account_map_stream
from domain.reference.billing_calendar import DefineCalendar, PublishHolidays, calendar_stream
from domain.reference.cost_card import SetCostRate, cost_card_stream
from domain.reference.customer import BlockCustomer, DescribeCustomer, UnblockCustomer
from domain.reference.fx_policy import StateFxPolicy
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.reference.intercompany_agreement import StateAgreement, agreement_stream
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.rate_card import SetRate, WithdrawRate
from domain.reference.resource import DescribeResource
from domain.reference.tax_rule import PublishTaxPack, SetTaxRule, TaxRule
from domain.timesheet import DecidePeriod, LogTime, WithdrawTime, timesheet_stream

SYSTEM: Final = "canonical"
_STREAM: Final = re.compile(r"[a-z_]+(:[^\s:@/\x00-\x1f\x7f]{1,200}){1,4}")
_IDENTIFIER_STREAM: Final = re.compile(r"identifier(:[^\s\x00-\x1f\x7f]{1,200}){1,4}")


def translate(letter: Letter) -> Sequence[Intake]:
    """The one statement of a canonical message."""
    try:
        message = read_message(letter.content)
    except Refused as refused:
        if refused.code.startswith("message."):
            raise
        # A value refuses itself, such as an unknown currency: the message is readable and its content is refused.
        return [_refused_content(letter, refused)]
    base = message.command.rpartition(".v")[0]
    if f"{letter.object}.{letter.verb}" != base:
        raise UnknownSubject(f"{message.command} is sent on p2c.in.canonical.{base}.")
    return [_intake(message, _stream(message))]


def message_id(letter: Letter) -> str | None:
    """The sender's own id."""
    return letter.read(_Id).id


def _intake(message: Message, stream: StreamId) -> Intake:
    command, said_at = message.data, moment(message.occurred_at, "occurred_at")
    if isinstance(command, LogTime | WithdrawTime):
        return _hours(command, stream, message.actor)
    stated = _STATED.get(type(command))
    if stated is None:
        # Most messages are objects of their own, told once: they have no revisions.
        source, revision = ExternalRef(SYSTEM, message.command.rpartition(".v")[0], name(message.id, "id")), ""
    else:
        at = moment(command.at, "data.at") if isinstance(command, RecordExpense) else said_at
        source, revision = ExternalRef(SYSTEM, "stated", stated(command, stream)), revision_of(at)

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        _require_consistent(command, resolved.read)
        yield Addressed(stream, command)

    def about(_names: Names) -> Context:
        return _context(command, stream)

    streams, awaits = (stream,), _awaits(command)
    return Intake(
        source, revision, said_at, (), lambda _names: streams, commands, about=about, awaits=awaits, actor=message.actor
    )


def _require_consistent(command: Any, read: Read) -> None:
    """Refuses what contradicts another object that is known."""
    match command:
        case DescribeResource(terms=terms):
            require_cost_currency(read, terms.legal_entity, terms.cost_rate, terms.effective_from)
        case SetCostRate(entity=entity, row=row):
            require_cost_currency(read, entity, row.rate, row.effective_from)
        case _:
            pass


def _hours(command: LogTime | WithdrawTime, here: StreamId, actor: str | None) -> Intake:
    """Hours are told by claims of a system with its own ids, so they have revisions and may move to another week."""
    claim, said_at = command.claim, moment(command.claim.said_at, "data.claim.said_at")
    source = ExternalRef(name(claim.system, "data.claim.system"), "worklog", name(claim.id, "data.claim.id"))

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        if resolved.home is not None and resolved.home != here:
            yield Addressed(resolved.home, withdrawal_at(resolved.home, claim))
        yield Addressed(here, command)

    def about(_names: Names) -> Context:
        return _context(command, here)

    return Intake(
        source,
        revision_of(said_at),
        said_at,
        (),
        lambda _names: (here,),
        commands,
        lambda _names: here,
        about,
        clocked=True,
        awaits=_awaits(command),
        actor=actor,
    )


def _stream(message: Message) -> StreamId:
    """The stream that the message names; it must be of its command's kind and of the object that it speaks of."""
    stream, allowed = StreamId(message.stream), deciders_of(message.command)
    form = _IDENTIFIER_STREAM if isinstance(message.data, AssignIdentifier) else _STREAM
    if decider_name(stream) not in allowed or not form.fullmatch(stream):
        raise WrongStream(
            f"{stream[:100]!r} for {message.command}: expected {' or '.join(allowed)}, a colon and an id."
        )
    expected = _address(message.data)
    if expected is not None and expected != stream:
        raise WrongStream(f"{stream} for a command about {expected}.")
    return stream


_ADDRESSES: Final[Mapping[type, Callable[[Any], StreamId]]] = {
    AssignIdentifier: lambda command: identifier_stream(command.ref),
    DefineLegalEntity: lambda command: stream_of("legal_entity", command.entity),
    DescribeCustomer: lambda command: stream_of("customer", command.customer),
    DescribeResource: lambda command: stream_of("resource", command.resource),
    SetTaxRule: lambda command: stream_of("tax_rule", command.jurisdiction),
    PublishTaxPack: lambda command: stream_of("tax_rule", command.pack.jurisdiction),
    DefineCalendar: lambda command: calendar_stream(command.calendar),
    PublishHolidays: lambda command: calendar_stream(command.calendar),
    PublishFxRate: lambda command: fx_stream(command.base, command.quote),
    OpenEngagement: lambda command: stream_of("engagement", command.engagement),
    CreateProject: lambda command: stream_of("project", command.project),
    LogTime: lambda command: timesheet_stream(command.resource, command.work.work_date),
    WithdrawTime: lambda command: timesheet_stream(command.resource, command.day),
    DecidePeriod: lambda command: timesheet_stream(command.resource, command.week),
    RecordExpense: lambda command: expense_stream(command.report),
    ReceivePayment: lambda command: payment_stream(command.payment),
    AgreeBillingLimit: lambda command: billing_limit_stream(command.customer, command.currency),
    MapAccount: lambda command: account_map_stream(command.entity, command.target),
    SetCostRate: lambda command: cost_card_stream(command.entity),
    StateAgreement: lambda command: agreement_stream(command.lender, command.borrower),
    OpenPeriod: lambda command: accounting_period_stream(command.entity),
    SoftClosePeriod: lambda command: accounting_period_stream(command.entity),
    ClosePeriod: lambda command: accounting_period_stream(command.entity),
    ReopenPeriod: lambda command: accounting_period_stream(command.entity),
}
"""Where commands belong that name their own object; of all others their stream alone says which object is meant."""


def _part(what: str, of: Callable[[Any], object] = lambda _command: "") -> Callable[[Any, StreamId], str]:
    """Names a part of an object of ours: the hold of a project, a row of a rate card."""
    return lambda command, stream: quote(f"{stream}/{what}/{of(command)}", safe=":/")


def _rule_of(rule: TaxRule) -> str:
    return f"{rule.customer_country}/{rule.effective_from}/{'with' if rule.needs_tax_id else 'without'} tax id"


_STATED: Final[Mapping[type, Callable[[Any, StreamId], str]]] = {
    AgreeLine: _part("line", lambda command: command.line.line),
    SignEngagement: _part("signature"),
    RecordPurchaseOrder: _part("order"),
    HoldEngagement: _part("hold"),
    LiftHold: _part("hold"),
    ChangeCap: _part("cap", lambda command: command.line),
    ChangeLimits: _part("limits", lambda command: command.line),
    AgreeEngagementCap: _part("cap"),
    AgreeBillingLimit: _part("limit"),
    HoldBilling: _part("hold"),
    ReleaseBillingHold: _part("hold"),
    AppointManager: _part("manager"),
    DefineTask: _part("task", lambda command: command.task.task),
    BlockCustomer: _part("block"),
    UnblockCustomer: _part("block"),
    SetRate: _part("row", lambda command: command.row.row),
    WithdrawRate: _part("row", lambda command: command.row),
    SetCostRate: _part("row", lambda command: f"{command.row.role}/{command.row.effective_from}"),
    RecordExpense: _part("line", lambda command: command.expense.line),
    AssignIdentifier: _part("target"),
    DefineLegalEntity: _part("terms", lambda command: command.terms.effective_from),
    DefineCalendar: _part("terms", lambda command: command.terms.effective_from),
    PublishHolidays: _part("holidays", lambda command: command.year),
    StateAgreement: _part("terms", lambda command: command.terms.effective_from),
    StateFxPolicy: _part("terms", lambda command: command.terms.effective_from),
    MapAccount: _part("account", lambda command: f"{command.mapping.role.value}/{command.mapping.effective_from}"),
    SetTaxRule: _part("rule", lambda command: _rule_of(command.rule)),
    PublishFxRate: _part("rate", lambda command: f"{command.source}/{command.on}"),
}
"""Commands that state a part of an object anew: the newest by its clock counts, in whatever order they come."""


def _address(command: Any) -> StreamId | None:
    address = _ADDRESSES.get(type(command))
    return address(command) if address is not None else None


def _awaits(command: Any) -> tuple[StreamId, ...]:
    """What must exist before a command can mean anything."""
    match command:
        case LogTime(resource=resource, work=work):
            return _named("project", work.project), _named("resource", resource)
        case RecordExpense(resource=resource, expense=expense):
            return _named("project", expense.project), _named("resource", resource)
        case AssignResource(assignment=assignment):
            return (_named("resource", assignment.resource),)
        case CreateProject(engagement=engagement):
            return (_named("engagement", engagement),)
        case _:
            return ()


def _named(decider: str, told: str) -> StreamId:
    return stream_of(decider, own_name(told, decider))


def _context(command: Any, stream: StreamId) -> Context:
    match command:
        case LogTime(resource=resource, work=work):
            return Context(resource=resource, project=work.project, hours=work.hours, work=work)
        case RecordExpense(resource=resource, expense=expense):
            return Context(resource=resource, project=expense.project, money=expense.amount)
        case RecordPayment(amount=amount):
            return Context(invoice=local_id(stream), money=amount)
        case ReceivePayment(customer=customer, amount=amount):
            return Context(customer=customer, money=amount)
        case _:
            return context_of_stream(stream)


def context_of_stream(stream: StreamId) -> Context:
    """What a stream's name alone tells about a command that is addressed to it."""
    named = local_id(stream)
    match decider_name(stream):
        case "engagement":
            return Context(engagement=named)
        case "project":
            return Context(project=named)
        case "invoice":
            return Context(invoice=named)
        case "customer":
            return Context(customer=named)
        case "resource":
            return Context(resource=named)
        case "timesheet":
            return Context(resource=named.rpartition(":")[0])
        case _:
            return Context()


class _Id(BaseModel):
    """What can be told of a canonical message whose content refused itself."""

    model_config = ConfigDict(strict=True)

    id: str = Field(min_length=1, max_length=200)


class _Head(_Id):
    command: str
    stream: str
    occurred_at: datetime


def _refused_content(letter: Letter, refused: Refused) -> Intake:
    head = letter.read(_Head)
    source = ExternalRef(SYSTEM, head.command.rpartition(".v")[0], name(head.id, "id"))
    context = context_of_stream(StreamId(head.stream))
    return refusing(source, moment(head.occurred_at, "occurred_at"), refused, lambda _names: context)


SUBJECTS: Final[Mapping[str, type[BaseModel]]] = {name.rpartition(".v")[0]: form for name, form in FORMS.items()}
VENDOR: Final = Vendor(translate, message_id, SUBJECTS)
