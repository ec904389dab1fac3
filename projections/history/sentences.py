"""Says in one sentence what happened; each kind of event has its own wording, and a test asks for every one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from domain.engagement import (
    BillingClaimed,
    BillingReleased,
    CapChanged,
    EngagementHeld,
    EngagementOpened,
    EngagementSigned,
    HoldLifted,
    LineAgreed,
    MilestoneAccepted,
    PurchaseOrderRecorded,
)
from domain.exception import ExceptionOpened, ExceptionRecurred, ExceptionResolved, ExceptionRetried
from domain.expense import ExpenseRecorded, ExpensesApproved, ExpensesRejected, ExpensesSubmitted, ExpenseUnrated
from domain.invoice import (
    AllowancesStated,
    DraftDiscarded,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceLine,
    InvoicePaid,
    LinesAdded,
    LinesAdjusted,
    PaymentReceived,
    PostingConfirmed,
    PostingInDoubt,
    PostingRejected,
    PostingRequested,
    PostingSent,
    PrepaymentsStated,
)
from domain.kernel import Recorded, StreamId, local_id
from domain.lots import (
    LEDGER,
    Lot,
    LotHoldsLifted,
    LotRated,
    LotReversed,
    LotsBilled,
    LotsGivenFree,
    LotsHeld,
    LotSplit,
    LotsPostponed,
    LotsReleased,
    LotsReserved,
    LotsWrittenOff,
)
from domain.money import Money, total
from domain.number_series import NumberTaken
from domain.opportunity import OpportunityTold, OpportunityWon
from domain.project import (
    BillingHeld,
    BillingHoldReleased,
    ManagerAppointed,
    ProjectClosed,
    ProjectCreated,
    ProjectOpenedForTime,
    ResourceAssigned,
    SetUpConfirmed,
    SetUpInDoubt,
    SetUpRejected,
    SetUpRequested,
    SetUpSent,
    TaskDefined,
)
from domain.reference.billing_calendar import CalendarDefined, HolidaysPublished
from domain.reference.cost_card import CostRateSet
from domain.reference.customer import (
    CustomerBlocked,
    CustomerDescribed,
    CustomerKnownIn,
    CustomerUnblocked,
    ExemptionRecorded,
    ExemptionWithdrawn,
    TaxIdChecked,
)
from domain.reference.fx_rate import FxRatePublished
from domain.reference.identifier import IdentifierAssigned
from domain.reference.legal_entity import LegalEntityDefined
from domain.reference.rate_card import RateApproved, RateSet, RateWithdrawn, ZeroRateConfirmed
from domain.reference.resource import ResourceDescribed
from domain.reference.source_system import SourceHeard
from domain.reference.tax_rule import TaxPackPublished, TaxRuleSet
from domain.statements import FieldChange
from domain.timesheet import (
    ApprovalRevoked,
    ClaimHeard,
    EntriesMerged,
    EntryUnrated,
    PeriodDecided,
    TimeApproved,
    TimeCorrected,
    TimeLogged,
    TimeRejected,
    TimeSubmitted,
    TimeWithdrawn,
    Work,
)
from projections.history.cash_sentences import CASH, Wording
from projections.history.contract_sentences import CONTRACT, terms_of
from projections.history.credit_sentences import CREDIT
from projections.history.finance_sentences import FINANCE

NAMES_MAX: Final = 5


def sentence(fact: Recorded[Any]) -> str:
    """What happened, in one sentence for people."""
    return sentence_of(fact.event, fact.stream)


def sentence_of(event: object, stream: StreamId) -> str:
    """What an event of a stream says, in one sentence."""
    return WORDINGS[type(event)](event, local_id(stream))


def _who(by: str) -> str:
    return "The ledger" if by == LEDGER else by


def _listed(names: Iterable[str]) -> str:
    """``a, b and c``; of many only the first, and how many more there are."""
    known = list(names)
    shown = known[:NAMES_MAX]
    if len(known) > len(shown):
        return f"{', '.join(shown)} and {len(known) - len(shown)} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _for_hours(hours: Mapping[str, Decimal]) -> str:
    """Which entries were approved for other hours than were worked."""
    return f" ({', '.join(f'{entry} for {number:f} h' for entry, number in hours.items())})" if hours else ""


def _until(ends: object) -> str:
    return f" to {ends}" if ends else ""


def _fields(changes: Iterable[FieldChange]) -> str:
    return _listed(
        f"{each.field} is {each.value!r}" if each.value is not None else f"no {each.field}" for each in changes
    )


def _work(work: Work) -> str:
    task = f", task {work.task}" if work.task else ""
    return f"{work.hours} h on {work.work_date} for project {work.project}{task}"


def _line(event: LineAgreed) -> str:
    return f"Line {event.line.line} ({event.line.title}) was agreed: {terms_of(event.line.billing)}."


def _lot(lot: Lot) -> str:
    because = f"; not billable: {lot.non_billable_because}" if lot.non_billable_because else ""
    return (
        f"Lot {lot.lot} was rated: {lot.quantity} {lot.unit} at {lot.price} = {lot.value}, cost {lot.cost}"
        f" ({lot.explanation.because}){because}."
    )


def _net(lines: Sequence[InvoiceLine]) -> Money:
    return total((line.net for line in lines), lines[0].net.currency)


def _reasons(lines: Sequence[InvoiceLine]) -> str:
    return _listed(line.adjustment.reason for line in lines if line.adjustment)


_VERDICTS: Final = {True: "found valid", False: "found invalid", None: "not checked"}
_REFERENCE: Final[Mapping[type, Wording]] = {
    IdentifierAssigned: lambda e, _: f"{e.ref} stands for {e.target}.",
    LegalEntityDefined: lambda e, _: f"{e.entity} is {e.terms.name} from {e.terms.effective_from}.",
    CustomerDescribed: lambda e, _: f"Customer {e.customer} was described: {_fields(e.changes)}.",
    CustomerBlocked: lambda e, id_: f"Customer {id_} was blocked: {e.reason}",
    CustomerKnownIn: lambda e, id_: f"Customer {id_} is known in {e.system} as {e.external_id}.",
    SourceHeard: lambda e, _: f"{e.system} told something on {e.on}.",
    CustomerUnblocked: lambda _, id_: f"Customer {id_} may be billed again.",
    TaxIdChecked: lambda e, id_: (
        f"Tax id {e.tax_id} of customer {id_} was {_VERDICTS[e.valid]}{f': {e.reason}' if e.reason else '.'}"
    ),
    ExemptionRecorded: lambda e, id_: (
        f"Certificate {e.certificate.certificate} exempts customer {id_} from tax of {e.certificate.jurisdiction}"
        f" from {e.certificate.valid_from}{_until(e.certificate.valid_to)}: {e.certificate.reason}"
    ),
    ExemptionWithdrawn: lambda e, id_: f"Certificate {e.certificate} of customer {id_} was withdrawn: {e.reason}",
    ResourceDescribed: lambda e, _: (
        f"{e.resource} is {e.terms.role} at {e.terms.legal_entity} from {e.terms.effective_from}."
    ),
    RateSet: lambda e, id_: f"Row {e.row.row} of rate card {id_} was set to {e.row.rate} from {e.row.effective_from}.",
    RateApproved: lambda e, id_: f"{e.by} approved row {e.row} of rate card {id_}.",
    ZeroRateConfirmed: lambda e, id_: f"{e.by} said that row {e.row} of rate card {id_} bills nothing: {e.because}",
    CostRateSet: lambda e, _: f"An hour of {e.row.role} costs {e.row.rate} at {e.entity} from {e.row.effective_from}.",
    RateWithdrawn: lambda e, id_: f"Row {e.row} was taken off rate card {id_}.",
    TaxRuleSet: lambda e, _: (
        f"Services from {e.jurisdiction} to {e.rule.customer_country} are taxed {e.rule.category} at {e.rule.rate} %"
        f" from {e.rule.effective_from}."
    ),
    TaxPackPublished: lambda e, _: (
        f"Tax pack {e.pack.version} of {e.pack.jurisdiction} was published, in force from {e.pack.effective_from}:"
        f" {len(e.pack.rules)} rules, {len(e.pack.rates)} rates ({e.pack.source})."
    ),
    CalendarDefined: lambda e, _: (
        f"Calendar {e.calendar} has new days of cut-off and billing from {e.terms.effective_from}."
    ),
    HolidaysPublished: lambda e, _: (
        f"{len(e.holidays)} holidays of {e.year} were published for calendar {e.calendar} ({e.source})."
    ),
    FxRatePublished: lambda e, _: f"1 {e.base} was worth {e.rate} {e.quote} on {e.on} ({e.source}).",
    NumberTaken: lambda e, id_: f"Number {e.number} of series {id_} was given to invoice {e.invoice}.",
}
_SALES: Final[Mapping[type, Wording]] = {
    OpportunityTold: lambda e, _: f"The CRM told of deal {e.opportunity}: {_fields(e.changes)}.",
    OpportunityWon: lambda e, _: f"Deal {e.opportunity} ({e.title}) was won for customer {e.customer}.",
    EngagementOpened: lambda e, _: (
        f"Engagement {e.engagement} ({e.title}) was opened for customer {e.customer}, sold by {e.selling_entity}"
        f" in {e.currency}."
    ),
    LineAgreed: lambda e, _: _line(e),
    EngagementSigned: lambda e, _: f"It was signed on {e.signed_on}; work may happen from {e.starts}{_until(e.ends)}.",
    EngagementHeld: lambda e, _: f"Billing of the engagement was stopped: {e.reason}",
    HoldLifted: lambda _e, _: "The engagement may be billed again.",
    PurchaseOrderRecorded: lambda e, _: (
        f"Purchase order {e.order.number} was recorded"
        + (f" for {e.order.amount}" if e.order.amount is not None else "")
        + (f", valid to {e.order.valid_to}." if e.order.valid_to else ".")
    ),
    CapChanged: lambda e, _: (
        f"The cap of line {e.line} is now {e.cap}." if e.cap is not None else f"The cap of line {e.line} was lifted."
    ),
    MilestoneAccepted: lambda e, _: (
        f"Milestone {e.milestone} of line {e.line} was accepted on {e.accepted_on}, recorded by {e.by}: {e.evidence}"
    ),
    BillingClaimed: lambda e, _: f"Invoice {e.invoice} takes {e.amount} of line {e.line}.",
    BillingReleased: lambda e, _: f"Invoice {e.invoice} gave back what it had taken.",
}
_PROJECT: Final[Mapping[type, Wording]] = {
    ProjectCreated: lambda e, _: f"Project {e.project} ({e.title}) was created under engagement {e.engagement}.",
    TaskDefined: lambda e, _: (
        f"Task {e.task.task} ({e.task.title}) was defined{'' if e.task.chargeable else ', not chargeable'}."
    ),
    ResourceAssigned: lambda e, _: (
        f"{e.assignment.resource} is on the project from {e.assignment.starts}{_until(e.assignment.ends)}"
        f"{f' as {e.assignment.role}' if e.assignment.role else ''}."
    ),
    SetUpRequested: lambda e, _: f"{e.target} was asked to set up the project.",
    SetUpSent: lambda e, _: f"The request reached {e.target}; its answer is awaited.",
    SetUpInDoubt: lambda e, _: f"Nobody knows whether {e.target} set up the project: {e.reason}",
    SetUpConfirmed: lambda e, _: f"{e.target} set up the project as {e.external_id}.",
    SetUpRejected: lambda e, _: f"{e.target} refused to set up the project: {e.reason}",
    ProjectOpenedForTime: lambda _e, _: "Every target system knows the project: it is open for time.",
    ManagerAppointed: lambda e, _: f"{e.manager} manages the project.",
    BillingHeld: lambda e, _: f"Billing of the project's work was stopped: {e.reason}",
    BillingHoldReleased: lambda _e, _: "The project's work may be billed again.",
    ProjectClosed: lambda e, _: f"The project was closed on {e.on}.",
}
_WORK: Final[Mapping[type, Wording]] = {
    TimeLogged: lambda e, _: f"{e.resource} worked {_work(e.work)}, told by {e.claim.system}.",
    TimeCorrected: lambda e, _: f"Entry {e.entry} was corrected by {e.claim.system}: {_work(e.work)}.",
    ClaimHeard: lambda e, _: f"{e.claim.system} told of entry {e.entry} too: {_work(e.work)}.",
    EntriesMerged: lambda e, _: f"Entry {e.dropped} turned out to be the same hours as {e.kept}.",
    TimeWithdrawn: lambda e, _: f"Entry {e.entry} was withdrawn in {e.claim.system}.",
    TimeSubmitted: lambda e, _: f"Handed in for approval: {_listed(e.entries)}.",
    TimeApproved: lambda e, _: f"{e.by} approved {_listed(e.entries)}{_for_hours(e.hours)}.",
    TimeRejected: lambda e, _: f"{e.by} rejected {_listed(e.entries)}: {e.reason}",
    ApprovalRevoked: lambda e, _: f"{e.by} took back the approval of {_listed(e.entries)}.",
    PeriodDecided: lambda e, _: (
        f"{e.by} set {e.starts} to {e.ends} of {e.resource} to {e.verdict.replace('_', ' ')}"
        f"{f': {e.reason}' if e.reason else '.'}"
    ),
    EntryUnrated: lambda e, _: f"Entry {e.entry} has no price ({e.code}): {e.detail}",
    ExpenseRecorded: lambda e, _: (
        f"{e.resource} spent {e.expense.amount} on {e.expense.category} on {e.expense.spent_on}"
        f" for project {e.expense.project}."
    ),
    ExpensesSubmitted: lambda e, id_: f"Handed in for approval: {_listed(e.lines)} of report {id_}.",
    ExpensesApproved: lambda e, id_: f"{e.by} approved {_listed(e.lines)} of report {id_}.",
    ExpensesRejected: lambda e, id_: f"{e.by} rejected {_listed(e.lines)} of report {id_}: {e.reason}",
    ExpenseUnrated: lambda e, id_: f"Line {e.line} of report {id_} has no price ({e.code}): {e.detail}",
}
_LOTS: Final[Mapping[type, Wording]] = {
    LotRated: lambda e, _: _lot(e.lot),
    LotSplit: lambda e, _: f"Lot {e.lot} was split: {_listed(f'{part.lot} of {part.value}' for part in e.parts)}.",
    LotsReserved: lambda e, _: f"Put on draft {e.invoice}: {_listed(e.lots)}.",
    LotsReleased: lambda e, _: f"Taken off draft {e.invoice}: {_listed(e.lots)}.",
    LotsBilled: lambda e, _: f"Billed on invoice {e.number}: {_listed(e.lots)}.",
    LotReversed: lambda e, _: f"Lot {e.lot} was reversed: {e.reason}.",
    LotsWrittenOff: lambda e, _: f"{e.by} wrote off {_listed(e.lots)}: {e.reason}",
    LotsPostponed: lambda e, _: (
        f"{e.by} postponed billing of {_listed(e.lots)} until {e.until}: {e.reason}"
        if e.until
        else f"{e.by} let {_listed(e.lots)} be billed again: {e.reason}"
    ),
    LotsHeld: lambda e, _: f"{_who(e.by)} held {_listed(e.lots)} ({e.code}): {e.because}",
    LotHoldsLifted: lambda e, _: f"{_who(e.by)} lifted {e.code} from {_listed(e.lots)}.",
    LotsGivenFree: lambda e, _: f"{e.by} gave {_listed(e.lots)} free: {e.reason}",
}
_INVOICE: Final[Mapping[type, Wording]] = {
    InvoiceDrafted: lambda e, _: (
        f"{e.header.prepared_by} drafted invoice {e.invoice} for engagement {e.header.engagement}:"
        f" {len(e.lines)} lines, {_net(e.lines)} net."
    ),
    LinesAdded: lambda e, _: f"{len(e.lines)} lines joined the draft: {_net(e.lines)} net.",
    LinesAdjusted: lambda e, _: f"{e.by} wrote lines up or down by {_net(e.lines)}: {_reasons(e.lines)}",
    AllowancesStated: lambda e, _: (
        f"{e.by} stated {len(e.allowances)} allowances and charges of {f'line {e.line}' if e.line else 'the invoice'}."
    ),
    PrepaymentsStated: lambda e, _: (
        f"Paid before: {_listed(f'{each.amount} by {each.payment}' for each in e.prepayments) or 'nothing'}."
    ),
    DraftDiscarded: lambda e, _: f"{e.by} gave up the draft: {e.reason}",
    InvoiceApproved: lambda e, _: f"{e.by} approved the draft.",
    InvoiceIssued: lambda e, _: (
        f"Invoice {e.document.number} was issued on {e.document.issued_on} to {e.document.buyer.name}:"
        f" {e.document.net} net, {e.document.tax} tax, {e.document.gross} due on {e.document.due_on}."
    ),
    PostingRequested: lambda e, _: f"{e.target} was asked to post the invoice.",
    PostingSent: lambda e, _: f"The invoice reached {e.target}; its answer is awaited.",
    PostingInDoubt: lambda e, _: f"Nobody knows whether {e.target} posted the invoice: {e.reason}",
    PostingConfirmed: lambda e, _: f"{e.target} posted the invoice as {e.external_id}.",
    PostingRejected: lambda e, _: f"{e.target} refused to post the invoice: {e.reason}",
    PaymentReceived: lambda e, _: f"Payment {e.payment} of {e.amount} was received on {e.received_on}.",
    InvoicePaid: lambda e, _: f"The invoice was paid in full on {e.on}.",
}
_EXCEPTION: Final[Mapping[type, Wording]] = {
    ExceptionOpened: lambda e, _: f"A problem with {e.problem.about} came up: {e.problem.message}",
    ExceptionRecurred: lambda e, _: f"The problem with {e.problem.about} came up again: {e.problem.message}",
    ExceptionRetried: lambda e, _: f"{e.by} asked for {_listed(e.messages)} to be tried again.",
    ExceptionResolved: lambda e, _: f"{e.by} settled it: {e.how}",
}
WORDINGS: Final[Mapping[type, Wording]] = {
    **_REFERENCE,
    **_SALES,
    **CONTRACT,
    **_PROJECT,
    **_WORK,
    **_LOTS,
    **_INVOICE,
    **CASH,
    **FINANCE,
    **CREDIT,
    **_EXCEPTION,
}
"""How each kind of event is worded."""
