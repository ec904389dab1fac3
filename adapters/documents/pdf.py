"""A printed document as a PDF: typeset by Typst with its own fonts, the same bytes for the same document for ever.

Nothing of the machine gets in: no system fonts, no clock; the date in the file is that of the document. The file is
PDF/A-3b (ISO 19005-3), so that archives keep it as it is.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

import typst

from adapters.documents.printed import AnnexPart, Printed, PrintedLine
from domain.invoice import AllowanceCharge, Party
from domain.money import Money, minor_unit
from domain.tax import TaxSubtotal

_TEMPLATE: Final = "document.typ"
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
"""In English whatever the language of the machine is."""
_UNITS: Final = {"hour": "h", "item": ""}


def pdf_of(printed: Printed) -> bytes:
    """The document as a PDF."""
    made = typst.compile(
        _template(),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(_told(printed))},
        pdf_standards="a-3b",
        timestamp=int(datetime.combine(printed.issued_on, time(12), UTC).timestamp()),
    )
    assert isinstance(made, bytes), "one file was asked for"
    return made


@cache
def _template() -> bytes:
    return files(__package__).joinpath(_TEMPLATE).read_bytes()


def _told(printed: Printed) -> dict[str, Any]:
    """The document as the template reads it: text only, every figure as it is printed."""
    first, last = printed.period
    return {
        "title": printed.title,
        "number": printed.number,
        "issuedOn": _day(printed.issued_on),
        "date": [printed.issued_on.year, printed.issued_on.month, printed.issued_on.day],
        "dueOn": _day(printed.due_on) if printed.due_on else "",
        "period": _day(first) if first == last else f"{_day(first)} – {_day(last)}",
        "seller": _party(printed.seller),
        "buyer": _party(printed.buyer),
        "currency": printed.currency,
        "customer": printed.customer,
        "purchaseOrder": printed.purchase_order or "",
        "engagements": ", ".join(printed.engagements),
        "corrects": f"{printed.corrects[0]} of {_day(printed.corrects[1])}" if printed.corrects else "",
        "reason": printed.reason,
        "lines": [_line(each) for each in printed.lines],
        "annex": [_annex(each) for each in printed.annex],
        "totals": _totals(printed),
        "payable": [_payable_words(printed), _amount(printed.payable)],
        "taxes": [_tax(each) for each in printed.taxes],
        "reasons": [*dict.fromkeys(each.reason for each in printed.taxes if each.reason), *_in_books(printed)],
        "bank": _bank(printed),
        "terms": printed.terms,
    }


def _party(party: Party) -> dict[str, Any]:
    address = party.address
    place = f"{address.postal_code} {address.city}"
    lines = [address.street, f"{place}, {address.state}" if address.state else place, address.country]
    return {"name": party.name, "lines": [each for each in lines if each.strip()], "taxId": party.tax_id or ""}


def _line(line: PrintedLine) -> dict[str, Any]:
    per = f" / {_number(line.base_quantity)}" if line.base_quantity != 1 else ""
    shown = _shown(line.quantity)
    return {
        "number": str(line.number),
        "description": line.description,
        "quantity": _number(shown if line.comes_out_at(shown) else line.quantity),
        "unit": _UNITS[line.unit],
        "price": f"{_price(line.price, line.net.currency)}{per}",
        "tax": ", ".join(_rate(each.tax, each.category, each.rate) for each in line.treatments),
        "net": _amount(line.net),
        "allowances": [[_reason(each), _amount(each.signed)] for each in line.allowances],
    }


def _annex(part: AnnexPart) -> dict[str, Any]:
    return {
        "number": str(part.number),
        "description": part.description,
        "unit": _UNITS[part.unit],
        "entries": [
            [
                _day(each.day) if each.day else "",
                each.who,
                each.what,
                _hours(_shown(each.quantity)) if part.unit == "hour" else _number(each.quantity),
                _price(each.rate, each.amount.currency),
                _amount(each.amount),
            ]
            for each in part.entries
        ],
        "quantity": _hours(part.quantity) if part.unit == "hour" else "",
        "rounding": _amount(part.rounding) if part.rounding else "",
        "amount": _amount(part.amount),
    }


def _totals(printed: Printed) -> list[list[str]]:
    """The sums between the lines and what is to be paid, each where it says something."""
    rows: list[list[str]] = []
    if printed.allowances:
        rows.append(["Sum of lines", _amount(printed.line_total)])
        rows += [[_reason(each), _amount(each.signed)] for each, _ in printed.allowances]
    rows.append(["Total without tax", _amount(printed.net)])
    rows += [[f"Tax {_rate(each.name, each.category, each.rate)}", _amount(each.tax)] for each in printed.taxes]
    rest = (
        ("Kept back until released", -printed.holdback),
        ("Rounding", printed.rounding),
        ("Paid before", -printed.prepaid),
    )
    if any(amount for _, amount in rest):
        rows.append(["Total with tax", _amount(printed.gross)])
        rows += [[words, _amount(amount)] for words, amount in rest if amount]
    return rows


def _payable_words(printed: Printed) -> str:
    if printed.corrects is not None:
        return "Credited" if printed.type_code == "381" else "Amount due"
    return "Amount due"


def _tax(each: TaxSubtotal) -> list[str]:
    name = each.name or "Tax"
    return [f"{name} ({each.category})", f"{_number(each.rate)} %", _amount(each.taxable), _amount(each.tax)]


def _in_books(printed: Printed) -> list[str]:
    tax, net = printed.tax_in_books, printed.net_in_books
    if not tax:
        return []
    if net is None:
        return [f"Tax in {tax.currency}: {_amount(tax)}"]
    return [f"In {tax.currency}: net {_amount(net)}, tax {_amount(tax)}, total {_amount(net + tax)}"]


def _bank(printed: Printed) -> list[list[str]]:
    if printed.bank is None:
        return []
    told = (("Account", _grouped(printed.bank.account)), ("BIC", printed.bank.bic), ("Bank", printed.bank.bank))
    return [[words, value] for words, value in (*told, ("Reference", printed.number)) if value]


def _grouped(account: str) -> str:
    """An IBAN in groups of four, as it is printed (ISO 13616)."""
    plain = account.replace(" ", "")
    is_iban = plain[:2].isalpha() and plain[2:4].isdigit()
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4)) if is_iban else account


def _reason(each: AllowanceCharge) -> str:
    words = each.reason or ("Allowance" if each.kind == "allowance" else "Charge")
    return f"{words} ({_number(each.percent)} %)" if each.percent is not None else words


def _rate(tax: str, category: str, rate: Decimal) -> str:
    name = f"{tax} " if tax else ""
    return f"{name}{_number(rate)} %" if category == "S" or rate else f"{name}0 % ({category})"


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _amount(money: Money) -> str:
    return _signed(f"{money.amount.quantize(minor_unit(money.currency)) + 0:,f}")


def _price(price: Decimal, currency: str) -> str:
    """A price with at least the minor unit's digits, and as many more as it has."""
    at_minor_unit = price.quantize(minor_unit(currency))
    return _signed(f"{at_minor_unit if at_minor_unit == price else price.normalize():,f}")


def _hours(quantity: Decimal) -> str:
    plain = quantity.normalize()
    return _signed(f"{quantity.quantize(Decimal('0.01')) if plain == plain.quantize(Decimal('0.01')) else plain:f}")


def _shown(quantity: Decimal) -> Decimal:
    """A quantity to a ten-thousandth: three times twenty minutes are an hour and not 0.999999 of one."""
    return quantity.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _number(number: Decimal) -> str:
    return _signed(f"{number.normalize():,f}")


def _signed(text: str) -> str:
    """A real minus sign."""
    return text.replace("-", "−")
