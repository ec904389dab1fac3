"""Tables on the terminal: words first, numbers behind them, one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.table import Table
from rich.text import Text

Cell = Text | str | int | Decimal


def table(
    rows: Iterable[Sequence[Cell]],
    words: Sequence[str],
    numbers: Sequence[str] = (),
    title: str | None = None,
) -> Table:
    """Rows of as many words and numbers as there are titles for; what is too wide goes on in the next line."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in words:
        made.add_column(column, header_style="dim", overflow="fold")
    for column in numbers:
        made.add_column(column, header_style="dim", overflow="fold", justify="right")
    for row in rows:
        made.add_row(*map(_shown, row))
    return made


def _shown(cell: Cell) -> Text:
    match cell:
        case Text():
            return cell
        case str():
            return Text(cell)
        case _:
            return Text(f"{cell:,}")
