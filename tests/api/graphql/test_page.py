"""The page that tries GraphQL works in a closed network: whatever it loads comes from the ledger itself."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import httpx
import pytest
from graphql import parse, validate

from api.graphql.page import FOLDER
from api.graphql.schema import make_schema
from tests.api.asker import Asker

BROWSER = {"Accept": "text/html"}


class _Loaded(HTMLParser):
    """What a page loads: addresses, and the digests that they must have."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: dict[str, str | None] = {}
        self.inline: list[str] = []
        self._tag = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self._tag = tag
        address = told.get("src") or told.get("href")
        if address and address != "data:,":
            self.addresses[address] = told.get("integrity")

    def handle_data(self, data: str) -> None:
        if self._tag in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module")
def page(books: Asker) -> httpx.Response:
    answer = books.send("GET", "/graphql", headers=BROWSER)
    assert answer.status_code == 200
    return answer


def test_whatever_the_page_loads_comes_from_the_ledger(page: httpx.Response, books: Asker) -> None:
    loaded = _Loaded(page.text)
    assert len(loaded.addresses) == 6
    assert not loaded.inline, "a browser that obeys the policy runs no script within the page"
    for address, digest in loaded.addresses.items():
        assert re.fullmatch(r"graphql/page/[\w./-]+", address)
        served = books.send("GET", f"/{address}")
        assert served.status_code == 200
        assert served.headers["content-type"].startswith(("text/javascript", "text/css"))
        if "vendor" in address:
            assert digest == "sha384-" + base64.b64encode(hashlib.sha384(served.content).digest()).decode()


def test_the_scripts_and_styles_of_the_page_name_no_other_host() -> None:
    ours = [path for path in FOLDER.iterdir() if path.suffix in {".html", ".js", ".css"}]
    assert len(ours) == 3
    for path in ours:
        assert "//" not in re.sub(r"^ *//.*$", "", path.read_text(), flags=re.MULTILINE), path.name
    for path in (FOLDER / "vendor").glob("*.css"):
        assert set(re.findall(r"url\((\w+):", path.read_text())) == {"data"}
        assert "@import" not in path.read_text()


def test_the_browser_may_speak_with_the_ledger_alone(page: httpx.Response) -> None:
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    allowed = {word for words in policy.values() for word in words.split()}
    assert allowed == {"'none'", "'self'", "'unsafe-inline'", "data:"}


def test_the_question_that_the_page_begins_with_can_be_asked(books: Asker) -> None:
    served = books.send("GET", "/graphql/page/example.graphql")
    assert validate(make_schema(local=True)._schema, parse(served.text)) == []
    assert books.ask(served.text)["ledger"]["watermark"]["position"]


@pytest.mark.parametrize("file", ["__init__.py", "index.html", "vendor", "../schema.py", "%2e%2e/schema.py", ""])
def test_nothing_else_of_the_program_is_served(books: Asker, file: str) -> None:
    assert books.send("GET", f"/graphql/page/{file}").status_code == 404


def test_the_address_of_the_ledger_leads_to_its_page(books: Asker) -> None:
    answer = books.send("GET", "/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/graphql")


def test_elsewhere_than_on_this_machine_there_is_no_page(books: Asker) -> None:
    settings = books.parts.settings.at(mode="production")
    elsewhere = Asker(replace(books.parts, settings=settings), books.world)
    assert elsewhere.send("GET", "/graphql", headers=BROWSER).status_code != 200
    assert elsewhere.send("GET", "/graphql/page/page.js").status_code == 404
