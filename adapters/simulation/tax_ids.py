"""Tax ids of customers that do not exist, with the check digits that their countries ask for."""

from __future__ import annotations

from itertools import count

from adapters.tax_ids import check


def tax_id(country: str, seed: int) -> str:
    """The first well-formed tax id of a country at or behind a number of nine digits."""
    for number in count(seed):
        text = _form(country, number)
        if check(country, text).valid is not False:
            return text
    raise AssertionError("numbers do not end")


def _form(country: str, number: int) -> str:
    digits = str(100_000_000 + number % 900_000_000)
    match country:
        case "FR":
            return f"FR{(12 + 3 * (int(digits) % 97)) % 97:02d}{digits}"
        case "NL":
            return f"NL{digits}B01"
        case "SE":
            return f"SE{digits}{(number * 7) % 10}01"
        case "JP":
            return f"T{1 + number % 9}000{digits}"
        case "US":
            return f"{10 + number % 7}-{digits[2:]}"
        case _:
            return f"{country}{digits}"
