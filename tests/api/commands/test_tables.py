"""Tables on the terminal line up, and lose nothing where it is narrow."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console

from api.commands.tables import table

ROWS = (("EUR", 12, Decimal("1529062.71")), ("[JPY]", 1200, Decimal(0)))


def lines(width: int) -> list[str]:
    console = Console(width=width)
    with console.capture() as shown:
        console.print(table(ROWS, ("currency",), ("lots", "standard")))
    return [line.rstrip() for line in shown.get().splitlines()]


def test_words_stand_to_the_left_and_numbers_to_the_right() -> None:
    assert lines(80) == [
        "currency   lots      standard",
        "EUR          12  1,529,062.71",
        "[JPY]     1,200             0",
    ]


def test_what_is_too_wide_goes_on_in_the_next_line() -> None:
    assert lines(24)[2:4] == ["EUR        12  1,529,062", "                     .71"]
