"""What every published case has: the fixture that records its figures."""

from __future__ import annotations

import pytest

from tests.cases.report import Record, recorder


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Record:
    """Records a figure of a published case: what it expected and what came out; they must be the same."""
    return recorder(request.node.user_properties)
