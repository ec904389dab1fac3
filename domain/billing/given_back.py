"""What an issued credit note gives back: lots to be billed again, draws of retainers, and room under caps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from domain.billing.claims import limited_customer
from domain.billing_limit import ClaimLimit, billing_limit_stream
from domain.caps import capped_hours
from domain.credit_note import Credit, CreditedLine, RebillTo
from domain.engagement.caps import CreditBilling, resource_claims, together
from domain.engagement.retainer import RefundRetainer, RetainerAccount, RetainerDraw, UnapplyRetainer
from domain.kernel import Addressed, Refused, StreamId, decider_name, stream_of
from domain.lots import CreditLots, Lot, LotCredit, UndrawLots, billed_parts
from domain.money import Money, total
from domain.ports import Read, billing_limit_of, engagement_of, entity_of, lots_of
from domain.pricing.lots import lot_elsewhere
from domain.pricing.rating import RateNotFound
from domain.reference.legal_entity import LegalEntityTerms


class RetainerStays(Refused):
    """A retainer is billed by the contract line that grants it: only who pays it may change."""

    code = "credit_note.retainer_stays"
    fix = "Name its own engagement and line with the other customer, or credit it for good and grant one there."


class NotRatedElsewhere(Refused):
    """The work has no price under the other engagement."""

    code = "credit_note.not_rated_elsewhere"
    fix = "Set a rate there, or choose another contract line."


class RetainerDrawn(Refused):
    """Work was drawn of the retainer before draws said where their work is recorded."""

    code = "credit_note.retainer_drawn"
    fix = "Take the work off the retainer first, then credit it."


def lots_reopened(
    read: Read, credit_note: str, number: str, issued_on: date, credit: Credit, by: str
) -> Iterable[Addressed]:
    """The commands that take the lots off the invoice, one for each stream that holds some of them."""
    terms = terms_of(read, credit.header.selling_entity, issued_on)
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
                into = priced_elsewhere(read, part.stream, billed[0], part.rebill_to) if billed else None
            wish = LotCredit(part.lot, part.quantity, part.value, part.disposition, effective_on, into)
            by_stream.setdefault(part.stream, []).append(wish)
    return [
        Addressed(stream, CreditLots(tuple(lots), credit_note, number, credit.invoice, credit.reason, by))
        for stream, lots in by_stream.items()
    ]


def terms_of(read: Read, entity: str, day: date) -> LegalEntityTerms:
    """The terms of a legal entity on a day, or its newest."""
    versions = entity_of(read, entity)
    terms = versions.on(day) or (versions.versions[-1] if versions.versions else None)
    assert terms is not None, "an entity that has issued an invoice is defined"
    return terms


def retainers_given_back(read: Read, credit: Credit, number: str, on: date, by: str) -> Iterable[Addressed]:
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


def priced_elsewhere(read: Read, stream: StreamId, lot: Lot, to: RebillTo) -> Lot:
    """The lot as it is priced under another engagement or for another customer, or NotRatedElsewhere."""
    time_type = "regular"
    if "/retainer/" in lot.source and (to.engagement, to.line) != (lot.engagement, lot.line):
        raise RetainerStays(f"{lot.lot} is of {lot.engagement}, line {lot.line}.")
    if decider_name(stream) == "timesheet":
        time_type = read(stream).entries[lot.source].work.time_type
    found = lot_elsewhere(lot, to.engagement, to.line, to.customer, to.project, time_type, read)
    if isinstance(found, RateNotFound):
        raise NotRatedElsewhere(f"{lot.lot}: {found.code} {found.detail}")
    return found


def caps_given_back(read: Read, credit_note: str, credit: Credit) -> Iterable[Addressed]:
    """What the credited lines took of the caps of their contract lines is free again."""
    by_line: dict[tuple[str, str], list[CreditedLine]] = {}
    for line in credit.lines:
        by_line.setdefault((line.engagement or credit.header.engagement, line.contract_line), []).append(line)
    given: dict[str, list[CreditBilling]] = {}
    for (engagement, name), lines in by_line.items():
        if (credit.invoice, name) in engagement_of(read, engagement).caps.claims:
            given.setdefault(engagement, []).append(_given_back(credit_note, credit, name, lines))
    for engagement, told in given.items():
        told.sort(key=lambda each: each.amount.amount, reverse=True)  # room is left before it is taken
        yield from (Addressed(stream_of("engagement", engagement), each) for each in together(told))
    yield from _limit_given_back(read, credit)


def _limit_given_back(read: Read, credit: Credit) -> Iterable[Addressed]:
    """What the credited lines took of the limit of the invoice's customer is free again."""
    currency, customer = credit.header.currency, limited_customer(read, credit.header)
    claimed = billing_limit_of(read, customer, currency).claims.get(credit.invoice)
    if claimed is not None:
        given = total((line.net for line in credit.lines), currency)
        lots = ((lot, line.unit) for line in credit.lines for lot in line.lots)
        hours = sum((capped_hours(lot.quantity, unit, lot.value) for lot, unit in lots), Decimal(0))
        less = ClaimLimit(credit.invoice, claimed.amount - given, claimed.hours - hours)
        yield Addressed(billing_limit_stream(customer, currency), less)


def _given_back(credit_note: str, credit: Credit, contract_line: str, lines: Sequence[CreditedLine]) -> CreditBilling:
    parts = [
        (lot.resource, lot.value, capped_hours(lot.quantity, line.unit, lot.value))
        for line in lines
        for lot in line.lots
    ]
    return CreditBilling(
        credit_note,
        credit.invoice,
        contract_line,
        total((line.net for line in lines), credit.header.currency),
        sum((hours for _, _, hours in parts), Decimal(0)),
        resource_claims(parts),
    )
