"""Crediting takes back part of an issued invoice, to the lot and to the cent, in one transaction.

The functions return the commands for every aggregate that is touched: credit note, number series, invoice, the streams
that hold the lots, and the caps that are given back. What a credit comes to is computed cumulatively: all credits of a
line together are never more than the line, and the last one takes what rounding left. Tax rates and the exchange rate
are those of the invoice, whatever holds today (Directive 2006/112/EC, articles 90 and 219).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from domain.billing.credited_amounts import credit_of, left_of
from domain.billing_limit import ClaimLimit, billing_limit_stream
from domain.caps import Consumed
from domain.conversion import fx_rate
from domain.credit_note import (
    ApproveCreditNote,
    ApprovedCredit,
    Credit,
    CreditedLine,
    CreditForm,
    CreditNote,
    CreditNoteNotApproved,
    CreditNoteNotFound,
    DiscardCreditNote,
    DraftCreditNote,
    DraftedCredit,
    IssueCreditNote,
    IssuedCredit,
    LotOnCreditNote,
    NoCreditNote,
    RebillTo,
    credit_note_stream,
)
from domain.engagement.caps import CreditBilling, resource_claims, together
from domain.engagement.retainer import RefundRetainer, RetainerAccount, RetainerDraw, UnapplyRetainer
from domain.invoice import (
    AllowanceCredited,
    CreditAboveLine,
    CreditInvoice,
    InvoiceCredited,
    InvoiceLine,
    InvoiceNotFound,
    Issued,
    LineCredited,
    LotCredited,
    LotOnInvoice,
    Nothing,
    NotIssued,
    UnknownInvoiceLine,
    invoice_stream,
)
from domain.kernel import Addressed, Refused, StreamId, decider_name, stream_of
from domain.lots import CreditLots, Disposition, Lot, LotCredit, TransferLot, UndrawLots, UnknownLot, billed_parts
from domain.money import Money, total, zero
from domain.number_series import TakeNumber, series_stream
from domain.ports import LotAt, Read, billing_limit_of, engagement_of, entity_of, invoice_of, lots_of
from domain.pricing.lots import lot_elsewhere
from domain.pricing.rating import RateNotFound
from domain.reference.fx_rate import converted
from domain.reference.legal_entity import LegalEntityTerms

QUANTITY: Final = Decimal("0.0001")
"""The precision to which a lot is split (domain.lots)."""


@dataclass(frozen=True, slots=True)
class CreditWish:
    """What somebody wants credited: a line, or one lot of it, all that is left or so much, and what becomes of it.

    ``quantity`` is in the unit of the line; ``amount`` instead is a part of the standard value, for milestones, fees
    and expenses. Without ``lot`` the newest work of the line is credited first.
    """

    line: int
    lot: str | None = None
    quantity: Decimal | None = None
    amount: Money | None = None
    disposition: Disposition = "rebill"
    rebill_to: RebillTo | None = None


class CreditOfCredit(Refused):
    """A credit note corrects an invoice, never another credit note."""

    code = "credit_note.of_credit_note"
    fix = "Bill again by an invoice what was credited by mistake."


class NothingToCredit(Refused):
    """A credit note takes back something."""

    code = "credit_note.nothing_to_credit"
    fix = "Name lines, lots and quantities above zero of which something is left."


class LotNotOnLine(Refused):
    """The invoice line does not bill this lot."""

    code = "credit_note.lot_not_on_line"
    fix = "Use the lots of the invoice's line, by the ids that the invoice gives them."


class RebillTargetMissing(Refused):
    """Work that is billed elsewhere needs the engagement and line that it is billed to, and no other work names one."""

    code = "credit_note.rebill_target_missing"
    fix = "Name engagement and line for rebill_elsewhere, and leave them out otherwise."


class NotRatedElsewhere(Refused):
    """The work has no price under the other engagement."""

    code = "credit_note.not_rated_elsewhere"
    fix = "Set a rate there, or choose another contract line."


class RetainerDrawn(Refused):
    """Work was drawn of the retainer before draws said where their work is recorded."""

    code = "credit_note.retainer_drawn"
    fix = "Take the work off the retainer first, then credit it."


class LineNotCreditedAlone(Refused):
    """A write-up or write-down is credited with the work that it belongs to."""

    code = "credit_note.line_not_credited_alone"
    fix = "Credit the line that was written up or down; its adjustment follows in proportion."


def draft_credit_note(
    read: Read, credit_note: str, invoice: str, wishes: Sequence[CreditWish], *, form: CreditForm, reason: str, by: str
) -> list[Addressed]:
    """The command that drafts a credit note of an issued invoice; a dry run of it is its preview."""
    issued = _issued(read, invoice)
    credit = credit_of(issued, _named(wishes, issued), form, reason)
    return [Addressed(credit_note_stream(credit_note), DraftCreditNote(credit_note, credit, by))]


def approve_credit_note(read: Read, credit_note: str, by: str, at: datetime) -> list[Addressed]:
    """The command that approves a draft, with the entity's limit in the draft's currency."""
    stream, state = credit_note_stream(credit_note), _credit_note(read, credit_note)
    if not isinstance(state, DraftedCredit):
        return [Addressed(stream, ApproveCreditNote(by, at, zero("EUR")))]
    header, day = state.credit.header, at.date()
    limit = _terms(read, header.selling_entity, day).approval_limit
    rate = fx_rate(read, limit.currency, header.currency, day)
    return [Addressed(stream, ApproveCreditNote(by, at, converted(limit, header.currency, rate)))]


def discard_credit_note(credit_note: str, by: str, reason: str) -> list[Addressed]:
    """The command that gives up a credit note; nothing was touched by it."""
    return [Addressed(credit_note_stream(credit_note), DiscardCreditNote(by, reason))]


def issue_credit_note(read: Read, credit_note: str, issued_on: date) -> list[Addressed]:
    """The commands that issue an approved credit note: number, snapshot, invoice, lots, and the caps given back."""
    state = _credit_note(read, credit_note)
    match state:
        case IssuedCredit():
            return []
        case ApprovedCredit(draft):
            credit = draft.credit
        case NoCreditNote():
            raise CreditNoteNotFound(credit_note)
        case _:
            raise CreditNoteNotApproved(credit_note)
    issued = _issued(read, credit.invoice)
    now = credit_of(issued, _as_drafted(credit, issued), credit.form, credit.reason)
    entity = credit.header.selling_entity
    series_name = f"{_terms(read, entity, issued_on).number_prefix}-CN-{issued_on.year}"
    series = series_stream(entity, series_name)
    next_number: int = read(series).next
    number = f"{series_name}-{next_number:06d}"
    return [
        *_retainers_given_back(read, now, number, issued_on, draft.by),
        Addressed(series, TakeNumber(credit_note, next_number)),
        Addressed(credit_note_stream(credit_note), IssueCreditNote(number, issued_on, now)),
        Addressed(
            invoice_stream(credit.invoice),
            CreditInvoice(_credited(credit_note, number, issued_on, now, draft.by)),
        ),
        *_reopened(read, credit_note, number, issued_on, now, draft.by),
        *_caps_given_back(read, credit_note, now),
    ]


def transfer_lots(read: Read, lots: Sequence[LotAt], to: RebillTo, reason: str, by: str) -> list[Addressed]:
    """The commands that bill open lots to another engagement or customer instead."""
    commands: list[Addressed] = []
    for at in lots:
        held = lots_of(read, at.stream).get(at.lot)
        if held is None:
            raise UnknownLot(at.lot)
        into = _elsewhere(read, at.stream, held.lot, to)
        commands.append(Addressed(at.stream, TransferLot(at.lot, into, reason, by)))
    return commands


def _credit_note(read: Read, credit_note: str) -> CreditNote:
    state: CreditNote = read(credit_note_stream(credit_note))
    return state


def _issued(read: Read, invoice: str) -> Issued:
    match invoice_of(read, invoice):
        case Issued() as issued:
            return issued
        case Nothing():
            if not isinstance(_credit_note(read, invoice), NoCreditNote):
                raise CreditOfCredit(invoice)
            raise InvoiceNotFound(invoice)
        case state:
            raise NotIssued(f"{invoice} is {type(state).__name__.lower()}.")


def _terms(read: Read, entity: str, day: date) -> LegalEntityTerms:
    versions = entity_of(read, entity)
    terms = versions.on(day) or (versions.versions[-1] if versions.versions else None)
    assert terms is not None, "an entity that has issued an invoice is defined"
    return terms


Taken = dict[str, tuple[Decimal, Money]]
"""What is left of each lot of a line, while a credit note is put together."""


def _named(wishes: Sequence[CreditWish], issued: Issued) -> dict[int, list[LotOnCreditNote]]:
    """The lots, quantities and values that wishes come to, by invoice line."""
    found: dict[int, list[LotOnCreditNote]] = {}
    left: dict[int, Taken] = {}
    for wish in wishes:
        line = _line_of(wish.line, issued)
        if (wish.disposition == "rebill_elsewhere") != (wish.rebill_to is not None):
            raise RebillTargetMissing(f"Line {wish.line}.")
        known = left.setdefault(wish.line, left_of(line, issued))
        parts = found.setdefault(wish.line, [])
        if line.lots:
            parts += _lots_of_wish(wish, line, known)
        else:
            parts.append(_without_lots(wish, line, issued, parts))
    if not any(part.quantity or part.value for parts in found.values() for part in parts):
        raise NothingToCredit
    return {line: parts for line, parts in found.items() if parts}


def _line_of(number: int, issued: Issued) -> InvoiceLine:
    line = next((each for each in issued.document.lines if each.line == number), None)
    if line is None:
        raise UnknownInvoiceLine(f"{issued.document.number} has no line {number}.")
    if line.adjustment is not None:
        raise LineNotCreditedAlone(f"Line {number} belongs to line {line.adjustment.of_line}.")
    return line


def _lots_of_wish(wish: CreditWish, line: InvoiceLine, left: Taken) -> list[LotOnCreditNote]:
    """What a wish takes of each lot, the newest work first; ``left`` is less by it afterwards."""
    lots = [lot for lot in line.lots if wish.lot in (None, lot.lot)]
    if not lots:
        raise LotNotOnLine(f"{wish.lot} on line {line.line}.")
    lots.sort(key=lambda lot: (lot.work_date or line.last_work_date, lot.lot), reverse=True)
    wanted = wish.quantity.quantize(QUANTITY) if wish.quantity is not None else None
    worth = wish.amount.rounded() if wish.amount is not None else None
    if (wanted is not None and wanted <= 0) or (worth is not None and worth.amount <= 0):
        raise NothingToCredit(f"Line {line.line}: {wish.quantity if worth is None else worth} asked.")
    taken: list[LotOnCreditNote] = []
    for lot in lots:
        quantity, value = _taken(lot, left[lot.lot], wanted, worth)
        if not quantity and not value:
            continue
        left[lot.lot] = (left[lot.lot][0] - quantity, left[lot.lot][1] - value)
        wanted = wanted - quantity if wanted is not None else None
        worth = worth - value if worth is not None else None
        taken.append(_on_credit_note(lot, quantity, value, wish))
    if wanted and wish.quantity is not None:
        raise CreditAboveLine(f"Line {line.line}: {(wish.quantity - wanted).normalize():f} is left.")
    if worth and wish.amount is not None:
        raise CreditAboveLine(f"Line {line.line}: {wish.amount - worth} of {wish.amount} is left.")
    if not taken:
        raise CreditAboveLine(f"Line {line.line} is credited already.")
    return taken


def _taken(
    lot: LotOnInvoice, left: tuple[Decimal, Money], wanted: Decimal | None, worth: Money | None
) -> tuple[Decimal, Money]:
    """What is credited of one lot: all that is left, or as much as is wanted of it, with the value of that."""
    quantity_left, value_left = left
    if worth is not None:
        if value_left <= worth:
            return quantity_left, value_left
        if not worth:
            return Decimal(0), worth
        return (lot.quantity * worth.amount / lot.value.amount).quantize(QUANTITY), worth
    if wanted is None or quantity_left <= wanted:
        return quantity_left, value_left
    share = (lot.value * (wanted / lot.quantity)).rounded()
    return wanted, min(share, value_left)


def _on_credit_note(lot: LotOnInvoice, quantity: Decimal, value: Money, wish: CreditWish) -> LotOnCreditNote:
    return LotOnCreditNote(
        lot.stream,
        lot.lot,
        quantity,
        value,
        wish.disposition,
        wish.rebill_to,
        lot.work_date,
        lot.resource,
        lot.description,
    )


def _without_lots(
    wish: CreditWish, line: InvoiceLine, issued: Issued, parts: Sequence[LotOnCreditNote]
) -> LotOnCreditNote:
    """What a wish takes of a line that bills no lots, such as a service credit: so much of its net."""
    given = total((each.net for each in issued.credits_of(line.line)), line.net.currency)
    left = line.net - given - total((part.value for part in parts), line.net.currency)
    amount = wish.amount.rounded() if wish.amount is not None else left
    sign = -1 if line.net.amount < 0 else 1
    if wish.lot is not None or wish.quantity is not None or wish.rebill_to is not None:
        raise LotNotOnLine(f"Line {line.line} bills no lots: name an amount.")
    if not amount or sign * amount.amount <= 0:
        raise NothingToCredit(f"Line {line.line}: {amount}.")
    if sign * left.amount < sign * amount.amount:
        raise CreditAboveLine(f"Line {line.line}: {amount} asked, {left} left.")
    return LotOnCreditNote(StreamId(""), "", Decimal(0), amount, wish.disposition)


def _as_drafted(credit: Credit, issued: Issued) -> dict[int, list[LotOnCreditNote]]:
    """The lots of a draft again, if the invoice still has as much of them."""
    found: dict[int, list[LotOnCreditNote]] = {}
    for line in credit.lines:
        if line.of_adjustment:
            continue
        found[line.of_line] = list(line.lots)
        left = left_of(_line_of(line.of_line, issued), issued)
        for lot in line.lots:
            if lot.lot:
                quantity, value = left[lot.lot]
                if quantity < lot.quantity or value < lot.value:
                    raise CreditAboveLine(f"{lot.lot}: {lot.quantity:f} asked, {quantity:f} left.")
                left[lot.lot] = (quantity - lot.quantity, value - lot.value)
    return found


def _credited(credit_note: str, number: str, on: date, credit: Credit, by: str) -> InvoiceCredited:
    """What the invoice keeps of a credit."""
    return InvoiceCredited(
        credit_note=credit_note,
        number=number,
        on=on,
        net=credit.net,
        tax=credit.tax,
        gross=credit.gross,
        holdback=credit.holdback,
        payable=credit.payable,
        lines=tuple(
            LineCredited(
                line.of_line,
                sum((lot.quantity for lot in line.lots), Decimal(0)),
                line.net,
                line.taxes,
                tuple(LotCredited(lot.lot, lot.quantity, lot.value) for lot in line.lots if lot.lot),
            )
            for line in credit.lines
        ),
        allowances=tuple(
            AllowanceCredited(each.of_allowance, each.adjustment.amount, each.taxes) for each in credit.allowances
        ),
        reason=credit.reason,
        by=by,
    )


def _reopened(
    read: Read, credit_note: str, number: str, issued_on: date, credit: Credit, by: str
) -> Iterable[Addressed]:
    """The commands that take the lots off the invoice, one for each stream that holds some of them."""
    terms = _terms(read, credit.header.selling_entity, issued_on)
    by_stream: dict[StreamId, list[LotCredit]] = {}
    for line in credit.lines:
        for part in line.lots if not line.of_adjustment else ():
            if not part.lot:
                continue
            effective_on = None
            if part.disposition == "write_off":
                by_work = terms.write_offs_count_on == "work_date" and part.work_date is not None
                effective_on = part.work_date if by_work else issued_on
            into = None
            if part.rebill_to is not None:
                billed = billed_parts(lots_of(read, part.stream), part.lot, credit.invoice)
                into = _elsewhere(read, part.stream, billed[0], part.rebill_to) if billed else None
            wish = LotCredit(part.lot, part.quantity, part.value, part.disposition, effective_on, into)
            by_stream.setdefault(part.stream, []).append(wish)
    return [
        Addressed(stream, CreditLots(tuple(lots), credit_note, number, credit.invoice, credit.reason, by))
        for stream, lots in by_stream.items()
    ]


def _retainers_given_back(read: Read, credit: Credit, number: str, on: date, by: str) -> Iterable[Addressed]:
    """What was drawn of a retainer that is credited is given back first, the newest work first, then the retainer.

    A retainer that is billed again keeps its amount: only the work that it paid for is open until then.
    """
    for line in credit.lines:
        for part in line.lots if not line.of_adjustment else ():
            held = lots_of(read, part.stream)[part.lot] if part.lot else None
            if held is None or "/retainer/" not in held.lot.source:
                continue
            engagement, contract_line = held.lot.engagement, held.lot.line
            account = engagement_of(read, engagement).account(contract_line)
            grant = account.grants[held.lot.source.partition("/retainer/")[2]]
            because = f"The retainer was credited by {number}: {credit.reason}"
            home = stream_of("engagement", engagement)
            undrawn = _undrawn(account, grant.grant, part.value - grant.available)
            if undrawn:
                lots = tuple(draw.lot for draw in undrawn)
                yield Addressed(home, UnapplyRetainer(contract_line, lots, because))
            for stream in dict.fromkeys(draw.stream for draw in undrawn):
                lots = tuple(draw.lot for draw in undrawn if draw.stream == stream)
                yield Addressed(StreamId(stream), UndrawLots(lots, because))
            if part.disposition != "rebill":
                yield Addressed(home, RefundRetainer(contract_line, grant.grant, part.value, on, credit.reason, by))


def _undrawn(account: RetainerAccount, grant: str, needed: Money) -> Sequence[RetainerDraw]:
    """The newest draws of a grant that free so much of it."""
    taken: list[RetainerDraw] = []
    draws = [draw for draw in account.draws.values() if draw.grant == grant]
    for draw in sorted(draws, key=lambda each: (each.work_date, each.lot), reverse=True):
        if needed.amount <= 0:
            break
        if not draw.stream:
            raise RetainerDrawn(f"{draw.lot} took {draw.amount} of {grant}.")
        taken.append(draw)
        needed = needed - draw.amount
    return taken


def _elsewhere(read: Read, stream: StreamId, lot: Lot, to: RebillTo) -> Lot:
    """The lot as it is priced under another engagement or for another customer, or NotRatedElsewhere."""
    time_type = "regular"
    if decider_name(stream) == "timesheet":
        time_type = read(stream).entries[lot.source].work.time_type
    found = lot_elsewhere(lot, to.engagement, to.line, to.customer, to.project, time_type, read)
    if isinstance(found, RateNotFound):
        raise NotRatedElsewhere(f"{lot.lot}: {found.code} {found.detail}")
    return found


def _caps_given_back(read: Read, credit_note: str, credit: Credit) -> Iterable[Addressed]:
    """What the credited lines took of the caps of their contract lines is free again."""
    by_line: dict[tuple[str, str], list[CreditedLine]] = {}
    for line in credit.lines:
        by_line.setdefault((line.engagement or credit.header.engagement, line.contract_line), []).append(line)
    given: dict[str, list[CreditBilling]] = {}
    for (engagement, name), lines in by_line.items():
        if (credit.invoice, name) in engagement_of(read, engagement).caps.claims:
            given.setdefault(engagement, []).append(_given_back(credit_note, credit, name, lines))
    for engagement, told in given.items():
        yield from (Addressed(stream_of("engagement", engagement), each) for each in together(told))
    yield from _limits_given_back(read, credit)


def _limits_given_back(read: Read, credit: Credit) -> Iterable[Addressed]:
    """What the credited lines took of the limits of the customers whose engagements they bill."""
    currency = credit.header.currency
    by_customer: dict[str, Consumed] = {}
    for line in credit.lines:
        customer = engagement_of(read, line.engagement or credit.header.engagement).terms.customer
        hours = sum((lot.quantity for lot in line.lots if line.unit == "hour"), Decimal(0))
        taken = by_customer.get(customer, Consumed(zero(currency)))
        by_customer[customer] = taken + Consumed(line.net, hours)
    for customer, given in by_customer.items():
        claimed = billing_limit_of(read, customer, currency).claims.get(credit.invoice)
        if claimed is not None:
            less = ClaimLimit(credit.invoice, claimed.amount - given.amount, claimed.hours - given.hours)
            yield Addressed(billing_limit_stream(customer, currency), less)


def _given_back(credit_note: str, credit: Credit, contract_line: str, lines: Sequence[CreditedLine]) -> CreditBilling:
    parts = [
        (lot.resource, lot.value, lot.quantity if line.unit == "hour" else Decimal(0))
        for line in lines
        for lot in line.lots
        if not line.of_adjustment
    ]
    return CreditBilling(
        credit_note,
        credit.invoice,
        contract_line,
        total((line.net for line in lines), credit.header.currency),
        sum((hours for _, _, hours in parts), Decimal(0)),
        resource_claims(parts),
    )
