"""The lines of a draft: one for what reads and costs the same, or one for each lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

from domain.billing.draft_plan import Billable
from domain.billing.line_rounding import LineRounding
from domain.invoice import Header, InvoiceLine, Layout, LotOnInvoice
from domain.lots import Lot
from domain.money import Money, total
from domain.ports import Read, customer_of, engagement_of, entity_of, project_of, tax_rules_of
from domain.tax import TaxDecision, TaxedAs, TaxTreatment, decide_tax


def lines_of(
    read: Read, header: Header, billable: Sequence[Billable], rounding: LineRounding, first: int
) -> tuple[InvoiceLine, ...]:
    """One line for what has the same project, contract line, text, price and tax, or one for each lot.

    What one of several payers is billed is the sum of their shares of each lot, which are divided to the cent.
    """
    groups: dict[tuple[object, ...], list[Billable]] = {}
    taxes = _Taxes(read, header)
    for each in billable:
        lot = each.lot
        kind = (lot.engagement, lot.project, lot.line, _text(read, lot), lot.price, lot.tax_category, taxes.of(lot))
        groups.setdefault((*kind, lot.lot) if header.layout == "detail" else kind, []).append(each)
    lines: list[InvoiceLine] = []
    for number, group in enumerate(groups.values(), start=first):
        lots = [each.lot for each in group]
        net = rounding.net_of(lots) if header.share is None else total((lot.value for lot in lots), header.currency)
        lines.append(_line(read, number, group, header.layout, net))
    return tuple(lines)


class _Taxes:
    """How lots of a draft are taxed by their work dates: what a new rate divides does not stand on one line."""

    def __init__(self, read: Read, header: Header) -> None:
        terms = entity_of(read, header.selling_entity).on(header.cut_off)
        self._decide = partial(
            decide_tax,
            terms,
            customer_of(read, header.customer),
            tax_rules_of(read, terms.address.country if terms else ""),
            header.cut_off,
        )
        self._known: dict[tuple[str, date], tuple[TaxTreatment, ...]] = {}

    def of(self, lot: Lot) -> tuple[TaxTreatment, ...]:
        """The taxes of a lot, whichever version of a pack says so; none while they are not known."""
        key = (lot.tax_category, lot.work_date)
        if key not in self._known:
            decided = self._decide(taxed_as=TaxedAs.of(lot.tax_category), supplied_on=lot.work_date)
            treatments = decided.treatments if isinstance(decided, TaxDecision) else ()
            self._known[key] = tuple(replace(each, decided_by="") for each in treatments)
        return self._known[key]


def _text(read: Read, lot: Lot) -> str:
    if lot.role is None or not lot.project:
        return lot.description
    return f"{project_of(read, lot.project).terms.title}: {lot.role}"


def _line(read: Read, number: int, group: Sequence[Billable], layout: Layout, net: Money) -> InvoiceLine:
    parts = tuple(_on_invoice(each) for each in group)
    first, days = group[0].lot, [each.lot.work_date for each in group]
    text = _text(read, first)
    contract_line = engagement_of(read, first.engagement).line_on(first.line, max(days))
    return InvoiceLine(
        line=number,
        description=f"{first.work_date} {text}" if layout == "detail" else text,
        quantity=sum((part.quantity for part in parts), Decimal(0)),
        unit=first.unit,
        price=first.price,
        net=net,
        project=first.project,
        contract_line=first.line,
        first_work_date=min(days),
        last_work_date=max(days),
        lots=parts,
        engagement=first.engagement,
        holdback_percent=contract_line.holdback_percent if contract_line else Decimal(0),
        tax_category=first.tax_category,
    )


def _on_invoice(each: Billable) -> LotOnInvoice:
    lot = each.lot
    return LotOnInvoice(
        each.stream, lot.lot, lot.quantity, lot.value, lot.work_date, lot.resource, lot.description or (lot.role or "")
    )
