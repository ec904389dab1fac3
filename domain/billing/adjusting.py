"""A draft is written up and down, given allowances and money that was paid before, or given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from domain.billing.claims import by_stream, claims_of, limited_customer
from domain.billing_limit import ReleaseLimit, billing_limit_stream
from domain.engagement import ReleaseBilling
from domain.invoice import (
    AdjustLines,
    Adjustment,
    AllowanceCharge,
    DiscardDraft,
    Draft,
    InvoiceLine,
    InvoiceNotFound,
    Nothing,
    NoWorkOnLine,
    Prepayment,
    StateAllowances,
    StatePrepayments,
    invoice_stream,
    with_allowances,
)
from domain.invoice.draft_words import NotADraft
from domain.kernel import Addressed, stream_of
from domain.lots import ReleaseLots
from domain.money import Money, shared
from domain.payment import (
    AboveOnAccount,
    Payment,
    PaymentOfOtherEntity,
    PaymentUnknown,
    ReceiptCurrencyDiffers,
    payment_stream,
)
from domain.ports import Read, invoice_of


def adjust_line(
    read: Read, invoice: str, of_line: int, amount: Money, reason: str, by: str, lots: Sequence[str] = ()
) -> list[Addressed]:
    """The commands that write a line up (a positive amount) or down by a line of its own, and keep within its cap.

    ``lots`` are those of the line that it concerns, by default all; each bears a part by its value, to the cent.
    """
    draft, amount = draft_of(read, invoice), amount.rounded()
    line = _line_of_work(draft, of_line)
    concerned = [part for part in line.lots if not lots or part.lot in lots]
    weights = [abs(part.value.amount) for part in concerned]
    shares = shared(amount, weights if any(weights) else [Decimal(1)] * len(concerned)) if concerned else ()
    sign = -1 if amount.amount < 0 else 1
    adjustment = replace(
        line,
        line=max(each.line for each in draft.lines) + 1,
        description=f"{'Write-down' if sign < 0 else 'Write-up'} of line {of_line}: {reason}",
        quantity=Decimal(sign),
        unit="item",
        price=abs(amount.amount),
        net=amount,
        lots=(),
        allowances=(),
        base_quantity=Decimal(1),
        adjustment=Adjustment(
            of_line,
            reason,
            by,
            tuple(replace(part, value=share) for part, share in zip(concerned, shares, strict=True)),
        ),
    )
    return [
        Addressed(invoice_stream(invoice), AdjustLines((adjustment,), by)),
        *claims_of(read, invoice, draft.header, (*draft.lines, adjustment), only=(adjustment,)),
    ]


def _line_of_work(draft: Draft, number: int) -> InvoiceLine:
    line = draft.line(number)
    if not line.lots:
        raise NoWorkOnLine(f"Line {number} of {draft.invoice}: {line.description}.")
    return line


def state_allowances(
    read: Read,
    invoice: str,
    number: int | None,
    allowances: tuple[AllowanceCharge, ...],
    by: str,
    base_quantity: Decimal = Decimal(1),
) -> list[Addressed]:
    """The commands that state all allowances and charges of a line or of the document, and keep within the caps."""
    stated = Addressed(invoice_stream(invoice), StateAllowances(number, allowances, by, base_quantity))
    draft = draft_of(read, invoice)
    if number is None:
        return [stated]
    line = _line_of_work(draft, number)
    changed = with_allowances(line, allowances, base_quantity) if base_quantity > 0 else line
    lines = tuple(changed if each.line == number else each for each in draft.lines)
    return [stated, *claims_of(read, invoice, draft.header, lines, only=(changed,))]


def state_prepayments(read: Read, invoice: str, prepayments: tuple[Prepayment, ...]) -> list[Addressed]:
    """The command that states which money on account an invoice takes into account; there must be as much of it."""
    draft = draft_of(read, invoice)
    for each in prepayments:
        payment: Payment = read(payment_stream(each.payment))
        if payment.received is None:
            raise PaymentUnknown(each.payment)
        if payment.received.entity != draft.header.selling_entity:
            raise PaymentOfOtherEntity(f"{invoice} is of {draft.header.selling_entity}, {each.payment} is not.")
        if each.amount.currency != draft.header.currency or payment.on_account.currency != draft.header.currency:
            raise ReceiptCurrencyDiffers(f"{each.amount} of {payment.on_account} for {invoice}.")
        if payment.on_account < each.amount:
            raise AboveOnAccount(f"{each.amount} asked, {payment.on_account} on account.")
    return [Addressed(invoice_stream(invoice), StatePrepayments(prepayments))]


def draft_of(read: Read, invoice: str) -> Draft:
    """An invoice that may still change, or the refusal that says why not."""
    match invoice_of(read, invoice):
        case Draft() as draft:
            return draft
        case Nothing():
            raise InvoiceNotFound(invoice)
        case state:
            raise NotADraft(f"{invoice} is {type(state).__name__.lower()}.")


def discard_draft(read: Read, invoice: str, by: str, reason: str) -> list[Addressed]:
    """The commands that give up a draft and release all that it held."""
    discard = Addressed(invoice_stream(invoice), DiscardDraft(by, reason))
    state = invoice_of(read, invoice)
    if not isinstance(state, Draft):
        return [discard]
    releases = [Addressed(stream, ReleaseLots(lots, invoice)) for stream, lots in by_stream(state.lines).items()]
    header = state.header
    given_back = [Addressed(stream_of("engagement", name), ReleaseBilling(invoice)) for name in header.all_engagements]
    limit = billing_limit_stream(limited_customer(read, header), header.currency)
    return [discard, *releases, *given_back, Addressed(limit, ReleaseLimit(invoice))]
