"""Every question that README and docs show can be asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from tests.api.graphql.test_any_query import SDL

ROOT = Path(__file__).parents[3]
SHOWN = [
    pytest.param(question, id=f"{page.name}-{number}")
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for number, question in enumerate(re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL), start=1)
]


@pytest.mark.parametrize("question", SHOWN)
def test_a_question_that_is_shown_can_be_asked(question: str) -> None:
    assert validate(SDL, parse(question)) == []


def test_questions_are_shown() -> None:
    assert len(SHOWN) > 10
