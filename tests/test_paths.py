"""The documents send the reader to files and folders that are there."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
PAGES = (HERE / "README.md", *sorted((HERE / "docs").rglob("*.md")))
NAMED = re.compile(r"`((?:domain|projections|adapters|api|tests|docs)/[\w./-]*)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(HERE).as_posix())
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (HERE / path).exists()] == []
