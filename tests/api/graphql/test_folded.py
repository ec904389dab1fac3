"""An object that is folded as it was is the row that a generation of that moment shows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from api.graphql.folded import Past
from domain.kernel import StreamId
from projections.invoices import invoices
from projections.pages import PageRequest
from projections.reader import FIRM, At, AtPosition, AtTime, InTheFuture
from projections.registers import engagements, projects, timesheets
from tests.api.asker import Asker

WEEK = StreamId("timesheet:W-2:2026-03-02")


def moments(books: Asker) -> list[At | None]:
    """After each kind of step in the life of the firm, and now."""
    log = books.parts.ledger.read(0, 1_000)
    steps = {fact.name: fact for fact in log}
    names = ("project.created.v1", "timesheet.approved.v1", "invoice.drafted.v1", "invoice.issued.v1")
    return [None, *(AtPosition(steps[name].position) for name in names), AtTime(log[len(log) // 2].recorded_at)]


def test_every_object_at_every_moment(books: Asker) -> None:
    seen = 0
    for at in moments(books):
        past = Past(books.parts.ledger, at)
        with books.parts.reader.view(at) as view:
            for engagement in ("E-1", "E-2", "E-404"):
                assert past.engagement(engagement) == engagements.get(view, engagement, FIRM)
            for project in ("P-1-L1", "P-2-L1", "P-404"):
                assert past.project(project) == projects.get(view, project, FIRM)
            for invoice in ("I-1", "I-2", "I-404"):
                found = past.invoice(invoice)
                assert found == invoices.get(view, invoice, FIRM)
                seen += found is not None
            for week in (WEEK, StreamId("timesheet:W-1:2026-03-02"), StreamId("timesheet:W-9:2026-03-02")):
                assert past.timesheet(week, lambda _: True) == timesheets.get(view, week, FIRM)
                page = PageRequest(first=100, sort="work_date")
                rows = timesheets.entries(view, timesheets.EntryFilter(stream=week), FIRM, page).items
                assert past.entries(week, lambda _: True, 100) == list(rows)
    assert seen >= 5


def test_a_week_is_seen_as_far_as_the_scope_goes(books: Asker) -> None:
    past = Past(books.parts.ledger, None)
    sheet = past.timesheet(WEEK, lambda entity: entity == "FR01")
    assert sheet is not None
    assert (sheet.hours, sheet.entries) == (Decimal(1), 1)
    assert [entry.entry for entry in past.entries(WEEK, lambda entity: entity == "FR01", 10)] == ["jira:900"]
    assert past.timesheet(WEEK, lambda _: False) is None


QUERY = """
query($at: AsOf!) {
  engagement(id: "E-1", asOf: $at) { status lines { line claimed } watermark { position isLive generation } }
  project(id: "P-1-L1", asOf: $at) { status }
  timesheet(id: "timesheet:W-2:2026-03-02", asOf: $at) { hours entries { entry status } }
  invoice(id: "I-1", asOf: $at) { status lines { lots { lot status explanation { winner } } } lineage { number } }
}
"""


def test_the_past_of_one_object_makes_no_generation(books: Asker) -> None:
    before = [info.name for info in books.generations.all()]
    drafted = next(fact for fact in books.parts.ledger.read(0, 1_000) if fact.name == "invoice.drafted.v1")
    answer = books.ask(QUERY, {"at": {"position": drafted.position}})
    assert answer["engagement"]["watermark"] == {"position": drafted.position, "isLive": False, "generation": "fold"}
    assert answer["engagement"]["lines"] == [{"line": "L1", "claimed": "1200.00"}]
    assert answer["timesheet"] is None
    assert answer["invoice"] == {
        "status": "DRAFT",
        "lines": [
            {"lots": [{"lot": "jira:1#1", "status": "reserved", "explanation": {"winner": "firm/senior"}}]},
        ],
        "lineage": {"number": None},
    }
    assert [info.name for info in books.generations.all()] == before


def test_a_time_is_told_with_its_zone(books: Asker) -> None:
    asked = {"at": {"recordedAt": "2026-03-31T23:59:59"}}
    assert set(books.codes(QUERY, asked)) == {"request.time_without_zone"}


def test_one_moment_is_told_in_one_way(books: Asker) -> None:
    both = {"at": {"recordedAt": "2026-03-31T23:59:59Z", "position": 1}}
    assert books.codes(QUERY, both) == ["request.invalid"]


@pytest.mark.parametrize("position", [10**9, 2**60, -1])
def test_nobody_knows_the_future(books: Asker, position: int) -> None:
    asked = {"at": {"position": position}}
    assert set(books.codes(QUERY, asked)) <= {InTheFuture.code, "request.invalid"}
    assert books.codes(QUERY, asked)
