"""What money in any currency is worth in that of the firm, so that amounts of several can stand in one order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from domain.reference.fx_policy import NoReportingCurrency
from projections.figures.asked import Conversion, FigureFilter, last_day_known
from projections.reader import View

WORTH: Final = "unnest(%s::text[], %s::numeric[]) AS w (currency, rate)"
"""What one unit of each currency is worth; what has no rate counts as it stands."""

Worth = tuple[Sequence[str], Sequence[Decimal]]
NOTHING_KNOWN: Final[Worth] = ((), ())


def worth(view: View) -> Worth:
    """Each currency that was ever published or is kept books in, and what one unit of it is worth at last."""
    day = last_day_known(view)
    try:
        to_currency = Conversion(view, FigureFilter(), known_to=day)
    except NoReportingCurrency:
        return NOTHING_KNOWN
    currencies = [str(each) for (each,) in view.rows("SELECT base FROM fx_rate UNION SELECT quote FROM fx_rate")]
    rates = {currency: to_currency.rate_on(currency, day) for currency in currencies}
    known = {currency: rate for currency, rate in rates.items() if rate is not None}
    return list(known), list(known.values())
