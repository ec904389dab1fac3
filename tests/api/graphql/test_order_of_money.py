"""Money of several currencies is put in order by what it is worth to the firm."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from adapters.settings import Settings
from domain.exception import Problem, RaiseException, exception_stream
from domain.money import Money
from domain.reference.fx_policy import FX_POLICY, FxPolicyTerms, StateFxPolicy
from domain.reference.fx_rate import PublishFxRate, fx_stream
from tests.api.asker import Asker, asking
from tests.world import MONDAY, NEW_YEAR

AT_RISK = {"1": ("50000", "JPY"), "2": ("400", "EUR"), "3": ("300", "EUR"), "4": None}


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    """Four problems, of which one puts 50,000 yen at risk: 312.50 euros."""
    with asking(settings) as asker:
        asker.world.firm()
        asker.world.tell(fx_stream("EUR", "JPY"), PublishFxRate("EUR", "JPY", MONDAY, Decimal(160), "ECB"))
        for number, amount in AT_RISK.items():
            money = Money(Decimal(amount[0]), amount[1]) if amount is not None else None
            problem = Problem("refused", "x", f"jira:worklog:{number}", "?", "!", "integration", money_at_risk=money)
            asker.world.tell(exception_stream("refused", "jira", "worklog", number), RaiseException(problem))
        yield asker


def about(asker: Asker) -> list[str]:
    asker.fold()
    found: list[str] = []
    after = "null"
    while True:
        arguments = f"sort: MONEY_AT_RISK, descending: true, first: 1, after: {after}"
        page = asker.ask(f"{{ exceptions({arguments}) {{ nodes {{ about }} pageInfo {{ hasNextPage endCursor }} }} }}")
        found += [each["about"][-1] for each in page["exceptions"]["nodes"]]
        if not page["exceptions"]["pageInfo"]["hasNextPage"]:
            return found
        after = f'"{page["exceptions"]["pageInfo"]["endCursor"]}"'


def test_yen_stand_between_euros_of_more_and_of_less_worth(asker: Asker) -> None:
    asker.world.tell(FX_POLICY, StateFxPolicy(FxPolicyTerms(NEW_YEAR, "EUR")))
    assert about(asker) == ["2", "1", "3", "4"]


def test_a_currency_without_a_rate_counts_as_it_stands(asker: Asker) -> None:
    problem = Problem(
        "refused", "x", "jira:worklog:5", "?", "!", "integration", money_at_risk=Money(Decimal(350), "CHF")
    )
    asker.world.tell(exception_stream("refused", "jira", "worklog", "5"), RaiseException(problem))
    assert about(asker) == ["2", "5", "1", "3", "4"]
