"""What an invoice takes: its lots, and its part of the caps of contract lines and of the limit of its customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.billing.orders import lets_orders_pass
from domain.billing_limit import ClaimLimit, billing_limit_stream
from domain.caps import capped_hours
from domain.engagement import ClaimBilling
from domain.engagement.caps import resource_claims, together
from domain.invoice import Header, InvoiceLine
from domain.kernel import Addressed, StreamId, stream_of
from domain.lots import ReserveLots
from domain.money import Money, zero
from domain.ports import Read, billing_limit_of, engagement_of


def by_stream(lines: Iterable[InvoiceLine]) -> dict[StreamId, tuple[str, ...]]:
    """The lots of lines, by the stream that holds them."""
    grouped: dict[StreamId, list[str]] = {}
    for line in lines:
        for part in line.lots:
            grouped.setdefault(part.stream, []).append(part.lot)
    return {stream: tuple(lots) for stream, lots in grouped.items()}


def reservations(invoice: str, lines: Sequence[InvoiceLine]) -> list[Addressed]:
    """The commands that reserve the lots of lines for an invoice."""
    return [Addressed(stream, ReserveLots(lots, invoice)) for stream, lots in by_stream(lines).items()]


def claims_of(
    read: Read,
    invoice: str,
    header: Header,
    lines: Sequence[InvoiceLine],
    only: Sequence[InvoiceLine] | None = None,
) -> list[Addressed]:
    """What an invoice takes of the caps of each contract line (or ``only`` of some), and of its customer's limit."""
    lines = [line for line in lines if line.releases is None]  # what was kept back was claimed by its own invoice
    groups: dict[tuple[str, str], list[InvoiceLine]] = {}
    for line in lines:
        groups.setdefault((header.engagement_of(line), line.contract_line), []).append(line)
    touched = groups if only is None else {(header.engagement_of(line), line.contract_line): None for line in only}
    claims: dict[str, list[ClaimBilling]] = {}
    beyond_order = lets_orders_pass(read, header.selling_entity, header.cut_off)
    for engagement, name in touched:
        if name:
            claim = _claim(invoice, name, groups[engagement, name], header)
            caps = engagement_of(read, engagement).caps
            if caps.claim_of(invoice, name, header.currency) != claim.claim:
                claims.setdefault(engagement, []).append(replace(claim, beyond_order=beyond_order))
    return [
        *(Addressed(stream_of("engagement", name), each) for name, told in claims.items() for each in together(told)),
        *_limit_claims(read, invoice, header, lines),
    ]


def _claim(invoice: str, contract_line: str, lines: Sequence[InvoiceLine], header: Header) -> ClaimBilling:
    net, hours = _worth(lines, header.currency)
    worked = [
        (part.resource, part.value, capped_hours(part.quantity, line.unit, part.value))
        for line in lines
        for part in line.lots
    ]
    written = [
        (part.resource, part.value, Decimal(0))
        for line in lines
        for part in (line.adjustment.lots if line.adjustment else ())
    ]
    return ClaimBilling(invoice, contract_line, net, hours, resource_claims((*worked, *written)))


def _worth(lines: Iterable[InvoiceLine], currency: str) -> tuple[Money, Decimal]:
    """What lines come to, in money and in hours."""
    net, hours = zero(currency), Decimal(0)
    for line in lines:
        net = net + line.net
        hours += sum((capped_hours(part.quantity, line.unit, part.value) for part in line.lots), Decimal(0))
    return net, hours


def _limit_claims(read: Read, invoice: str, header: Header, lines: Sequence[InvoiceLine]) -> list[Addressed]:
    """What an invoice takes of its customer's limit, where there is one."""
    customer = limited_customer(read, header)
    if billing_limit_of(read, customer, header.currency).agreed is None:
        return []
    claim = ClaimLimit(invoice, *_worth(lines, header.currency))
    return [Addressed(billing_limit_stream(customer, header.currency), claim)]


def limited_customer(read: Read, header: Header) -> str:
    """Whose limit an invoice takes from: that of who pays it, or of whose engagement several payers share."""
    return header.customer if header.share is None else engagement_of(read, header.engagement).terms.customer
