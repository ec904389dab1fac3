"""Tax ids are checked for form and check digits, as their countries define them; nothing is asked of an authority."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, cast

from domain.reference.customer import TaxIdVerdict

_EU: Final = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
    "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "AU": ("stdnum.au.abn",),
    "CA": ("stdnum.ca.bn",),
    "CH": ("stdnum.ch.vat", "stdnum.ch.uid"),
    "GB": ("stdnum.gb.vat",),
    "IN": ("stdnum.in_.gstin",),
    "JP": ("stdnum.jp.cn",),
    "NO": ("stdnum.no.mva", "stdnum.no.orgnr"),
    "NZ": ("stdnum.nz.ird",),
    "SG": ("stdnum.sg.uen",),
    "US": ("stdnum.us.ein",),
}
"""Which numbers of a country stand for a business in tax matters; one of them has to fit."""


def check(country: str, tax_id: str) -> TaxIdVerdict:
    """Whether a tax id is well formed for a country; ``valid`` is None where no rule for the country is known."""
    prefix, number = tax_id[:2].upper(), tax_id.replace(" ", "")
    if country in _EU or prefix in _EU:
        return _verdict(country, tax_id, ("stdnum.eu.vat",), number if prefix in _EU else _prefixed(country, number))
    kinds = _KINDS.get(country)
    if kinds is None:
        return TaxIdVerdict(tax_id, country, None, f"No rule for tax ids of {country} is known.")
    return _verdict(country, tax_id, kinds, number.removeprefix("T") if country == "JP" else number)


def _prefixed(country: str, number: str) -> str:
    return f"{'EL' if country == 'GR' else country}{number}"


def _verdict(country: str, tax_id: str, kinds: tuple[str, ...], number: str) -> TaxIdVerdict:
    from stdnum.exceptions import ValidationError  # noqa: PLC0415 - a verdict is needed seldom, the import is not quick

    problem = ""
    for kind in kinds:
        try:
            cast(Any, import_module(kind)).validate(number)
        except ValidationError as found:
            problem = problem or str(found)
        else:
            return TaxIdVerdict(tax_id, country, True, "")
    return TaxIdVerdict(tax_id, country, False, problem)
