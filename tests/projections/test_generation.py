"""Generations on a real database: live, rebuilt, of the past, verified; all of them are the same fold."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import orjson
import psycopg
import pytest
from psycopg import sql

from adapters.embedded import EmbeddedServers
from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect, migrate
from adapters.settings import Settings
from domain.catalogue import DECIDERS, EVENTS, UPCASTS
from domain.kernel import Addressed
from domain.reference.customer import BlockCustomer
from projections import build, scheme
from projections.build import NothingToVerify
from projections.digest import TableDigest, differing
from projections.eligibility.items import ITEMS
from projections.fold import Fold
from projections.generation import GenerationInfo, Generations
from projections.pages import PageRequest
from projections.projector import Projector
from projections.reader import FIRM, AtPosition, AtTime, InTheFuture, NotReady, Reader
from projections.registers import engagements
from projections.registers.engagements import EngagementFilter
from projections.shelf import Changes
from projections.store import Mark, NotOurs
from tests.projections import histories
from tests.projections.books import fold
from tests.world import CUSTOMER, World, cause

SMALL = 1_500


@pytest.fixture
def history(ledger: Ledger) -> Ledger:
    histories.write(ledger, SMALL, consultants=5, engagements=4)
    return ledger


def digests(generations: Generations, info: GenerationInfo) -> dict[str, TableDigest]:
    with generations.snapshot(info) as taken:
        return taken.digests()


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


@contextmanager
def following(ledger: Ledger, generations: Generations) -> Iterator[threading.Event]:
    """A projector in a thread of its own."""
    stop = threading.Event()
    problems: list[Exception] = []

    def work() -> None:
        try:
            Projector(ledger, generations).run(stop)
        except Exception as problem:  # noqa: BLE001 -- told to the test, which fails with it
            problems.append(problem)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()
        assert problems == []


def caught_up(ledger: Ledger, generations: Generations) -> bool:
    live = generations.live()
    return live is not None and live.position == ledger.head()


# -- the same rows on PostgreSQL and in memory ---------------------------------------------------------------------


def test_the_tables_hold_what_the_memory_twin_holds(history: Ledger, generations: Generations) -> None:
    live = build.rebuild(history, generations).generation
    twin = fold(history)
    with generations.store(live) as store:
        for table in scheme.TABLES:
            rows = [table.values(row) for row in store.find(table, {})]
            assert {table.key_of(values): values for values in rows} == twin.all(table), table.name


def test_rows_come_back_as_they_were_written_whatever_their_texts(ledger: Ledger, generations: Generations) -> None:
    world = World(ledger).firm().contract()
    sheet = world.work("1", approve=False)
    twin = fold(ledger)
    (values,) = twin.all(ITEMS).values()
    row = ITEMS.row(values)
    row.description, row.item = 'tab\t newline\n back\\slash "quoted" {brace} Zoë 😀', "jira:1"
    row.codes, row.owner_roles = ('a "b"', "c\\d"), ("", "e,f")
    info = generations.create("t")
    changes = Changes()
    changes.replace(ITEMS, [(sheet, "jira:1")], [row])
    with generations.store(info) as store:
        store.write(changes, Mark(0, 1, row.recorded_at, 1))
        (found,) = store.fetch(ITEMS, [(sheet, "jira:1"), (sheet, "jira:unknown")])
    assert found == row


def test_a_nul_in_any_text_is_replaced_before_the_database_would_refuse_it(
    ledger: Ledger, generations: Generations
) -> None:
    world = World(ledger).firm().contract()
    sheet = world.work("1", approve=False)
    (values,) = fold(ledger).all(ITEMS).values()
    row = ITEMS.row(values)
    row.item, row.description, row.codes = "jira:1", "nul \x00", ("nul \x00",)
    row.holds = orjson.dumps([{"code": "DISPUTED", "because": "nul \x00, and \\u0000 as text"}]).decode()
    assert "\\u0000" not in ITEMS.copied([ITEMS.values(row)]).replace("\\\\\\\\u0000", "")
    changes = Changes()
    changes.replace(ITEMS, [(sheet, "jira:1")], [row])
    with generations.store(generations.create("t")) as store:
        store.write(changes, Mark(0, 1, row.recorded_at, 1))
        (found,) = store.fetch(ITEMS, [(sheet, "jira:1")])
    assert (found.description, found.codes) == ("nul \ufffd", ("nul \ufffd",))
    assert orjson.loads(found.holds)[0]["because"] == "nul \ufffd, and \\u0000 as text"


# -- rebuild -------------------------------------------------------------------------------------------------------


def test_a_rebuild_in_large_batches_equals_following_live_in_small_ones(
    history: Ledger, generations: Generations
) -> None:
    empty = generations.create("t")
    with generations.store(empty) as store:
        folding = Fold(history, store, 0)
        while facts := history.read(folding.position, 13):
            before = folding.position
            store.write(folding.apply(facts), Mark(before, folding.position, facts[-1].recorded_at, len(facts)))
    live = generations.get(empty.name)
    rebuilt = build.fill(history, generations, generations.create("t"), history.head(), events_per_batch=700)
    assert (live.position, live.events) == (rebuilt.position, rebuilt.events)
    assert differing(digests(generations, live), digests(generations, rebuilt)) == []


def test_a_rebuild_takes_the_place_of_the_live_generation_and_says_that_nothing_differs(
    history: Ledger, generations: Generations
) -> None:
    first = build.rebuild(history, generations)
    assert first.replaced is None
    second = build.rebuild(history, generations)
    assert second.replaced is not None
    assert second.replaced.name == first.generation.name
    assert (second.compared_at, second.differing_tables) == (history.head(), ())
    live = generations.live()
    assert live is not None
    assert live.name == second.generation.name
    assert [info.status for info in generations.all()] == ["retired", "live"]


def test_a_rebuild_says_which_tables_of_the_old_generation_were_wrong(
    history: Ledger, generations: Generations, database_url: str
) -> None:
    old = build.rebuild(history, generations).generation
    with connect(database_url) as conn:
        conn.execute(sql.SQL("UPDATE {} SET state = 'eligible'").format(sql.Identifier(old.schema, "item")))
    assert build.rebuild(history, generations).differing_tables == ("item",)
    assert build.verify(history, generations).is_clean


def test_whoever_reads_during_a_switch_sees_one_generation_or_the_other(
    history: Ledger, generations: Generations, reader: Reader
) -> None:
    build.rebuild(history, generations)
    stop, seen, problems = threading.Event(), set(), []

    def read() -> None:
        while not stop.is_set():
            try:
                with reader.view() as view:
                    seen.add(view.watermark.generation)
                    page = engagements.find(view, EngagementFilter(), FIRM, PageRequest())
                    assert page.items
            except Exception as problem:  # noqa: BLE001 -- whatever it was, the test fails with it
                problems.append(problem)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        until(lambda: seen)
        build.rebuild(history, generations)
        until(lambda: len(seen) == 2)
    finally:
        stop.set()
        thread.join()
    assert problems == []


def test_a_projector_follows_the_new_generation_after_a_switch(ledger: Ledger, generations: Generations) -> None:
    world = World(ledger).firm().contract()
    with following(ledger, generations):
        until(lambda: caught_up(ledger, generations))
        first = generations.live()
        stop = threading.Event()

        def write() -> None:
            for day in range(5):
                world.work(str(day), day=day)
                stop.wait(0.05)

        writing = threading.Thread(target=write)
        writing.start()
        build.rebuild(ledger, generations)
        writing.join()
        until(lambda: caught_up(ledger, generations))
    live = generations.live()
    assert first is not None
    assert live is not None
    assert live.name != first.name
    assert build.verify(ledger, generations).is_clean


def test_what_a_killed_builder_left_is_removed_by_the_next(history: Ledger, generations: Generations) -> None:
    left = generations.create("r")
    build.rebuild(history, generations)
    assert left.name not in [info.name for info in generations.all()]


def test_a_generation_of_other_code_is_made_anew_when_the_projector_starts(
    history: Ledger, generations: Generations, database_url: str
) -> None:
    old = build.rebuild(history, generations).generation
    with connect(database_url) as conn:
        conn.execute("UPDATE ledger_read.generation SET code_version = 'older'")
    with following(history, generations):
        until(lambda: (live := generations.live()) is not None and live.name != old.name)
    assert build.verify(history, generations).is_clean


# -- following -----------------------------------------------------------------------------------------------------


def test_a_projector_follows_what_is_recorded(ledger: Ledger, generations: Generations, reader: Reader) -> None:
    with following(ledger, generations):
        world = World(ledger).firm().contract()
        world.work("1")
        mark = reader.wait_for(ledger.head(), 60)
        assert mark is not None
        assert mark.position == ledger.head()
    assert build.verify(ledger, generations).is_clean


def test_only_one_of_two_projectors_is_active_and_the_other_takes_over(
    ledger: Ledger, generations: Generations
) -> None:
    World(ledger).firm()
    with following(ledger, generations) as first, following(ledger, generations):
        until(lambda: caught_up(ledger, generations))
        first.set()
        World(ledger).tell(CUSTOMER, BlockCustomer("Overdue."))
        until(lambda: caught_up(ledger, generations))
    assert build.verify(ledger, generations).is_clean


def test_a_batch_that_somebody_else_has_written_is_refused(history: Ledger, generations: Generations) -> None:
    info = generations.create("t")
    facts = history.read(0, 10)
    mark = Mark(0, facts[-1].position, facts[-1].recorded_at, len(facts))
    with generations.store(info) as mine, generations.store(info) as theirs:
        theirs.write(Fold(history, theirs, 0).apply(facts), mark)
        with pytest.raises(NotOurs):
            mine.write(Fold(history, mine, 0).apply(facts), mark)


def test_a_write_that_breaks_off_leaves_neither_rows_nor_a_position(history: Ledger, generations: Generations) -> None:
    info = generations.create("t")
    facts = history.read(0, 50)
    with generations.store(info) as store:
        changes = Fold(history, store, 0).apply(facts)
        changes.append(ITEMS, [("broken",)])
        with pytest.raises(ValueError, match="argument"):
            store.write(changes, Mark(0, facts[-1].position, facts[-1].recorded_at, len(facts)))
        assert store.find(scheme.TABLES[3], {}) == []
    assert generations.get(info.name).position == 0


def test_a_projector_whose_connections_are_cut_again_and_again_comes_to_the_same_rows(
    history: Ledger, generations: Generations, database_url: str
) -> None:
    """As good as a kill: whatever was in memory and on the way is gone, and a new projector begins where it was."""
    info = generations.create("t")
    cuts = 0
    while (reached := generations.get(info.name)).position < history.head():
        store = generations.store(reached)
        folding = Fold(history, store, reached.position)
        try:
            for batch in range(1, 5):
                facts = history.read(folding.position, 60)
                if not facts:
                    break
                before = folding.position
                changes = folding.apply(facts)
                store.submit(changes, Mark(before, folding.position, facts[-1].recorded_at, len(facts)))
                if batch == 3:
                    _cut(database_url)
                    cuts += 1
            store.settle()
        except psycopg.OperationalError:
            continue
        finally:
            store.close()
    assert cuts > 3
    rebuilt = build.fill(history, generations, generations.create("t"), history.head())
    assert differing(digests(generations, generations.get(info.name)), digests(generations, rebuilt)) == []


def _cut(url: str) -> None:
    with connect(url) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE '%gen_t%' AND pid <> pg_backend_pid()"
        )


def test_a_server_that_crashes_loses_no_finished_generation(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, nats_url="nats://localhost:4222")
    with EmbeddedServers(settings) as servers:
        url = servers.settings.database_url
        assert url is not None
        migrate(url)
        generations = Generations(partial(connect, url))
        with Ledger(url, EVENTS, DECIDERS, upcasts=UPCASTS) as ledger:
            histories.write(ledger, 600, consultants=3, engagements=3)
            live = build.rebuild(ledger, generations).generation
            past = build.as_of(ledger, generations, 300)
            before = digests(generations, live), digests(generations, past)
        assert servers.postgres is not None
        assert servers.postgres.pid is not None
        os.kill(servers.postgres.pid, signal.SIGKILL)
        until(servers.revive)
        until(lambda: _answers(url))
        assert (digests(generations, live), digests(generations, past)) == before


def _answers(url: str) -> bool:
    try:
        connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


# -- the past --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_a_generation_of_the_past_is_the_fold_up_to_its_position(
    history: Ledger, generations: Generations, reader: Reader, share: float
) -> None:
    build.rebuild(history, generations)
    position = int(history.head() * share)
    with reader.view(AtPosition(position)) as view:
        found = view.watermark
        items = view.rows("SELECT stream, item, state FROM item ORDER BY 1, 2")
    twin = fold(history, until=position)
    assert sorted((row[0], row[1], row[7]) for row in twin.all(ITEMS).values()) == items
    assert found.position <= position
    assert not found.is_live


def test_a_later_past_is_built_on_an_earlier_one_and_is_the_same(history: Ledger, generations: Generations) -> None:
    build.rebuild(history, generations)
    position = history.head() * 3 // 4
    from_zero = build.as_of(history, generations, position)
    kept = digests(generations, from_zero)
    generations.drop(from_zero)
    build.as_of(history, generations, history.head() // 2)
    assert digests(generations, build.as_of(history, generations, position)) == kept


def test_the_past_is_found_again_without_folding(history: Ledger, generations: Generations) -> None:
    build.rebuild(history, generations)
    first = build.as_of(history, generations, 200)
    assert build.as_of(history, generations, 200).name == first.name


def test_only_the_pasts_that_were_asked_for_last_are_kept(history: Ledger, generations: Generations) -> None:
    build.rebuild(history, generations)
    old, newer, newest = (build.as_of(history, generations, position) for position in (100, 200, 300))
    generations.use(old)
    generations.sweep(as_of_max=2)
    assert {info.name for info in generations.all() if info.status == "as_of"} == {old.name, newest.name}
    assert newer.name not in [info.name for info in generations.all()]


def test_a_time_means_what_was_recorded_by_then(history: Ledger, generations: Generations, reader: Reader) -> None:
    build.rebuild(history, generations)
    fact = history.read(0, 1_000)[-1]
    with reader.view(AtTime(fact.recorded_at)) as view:
        assert view.watermark.position == history.position_at(fact.recorded_at)


def test_nothing_is_known_of_the_future(history: Ledger, generations: Generations, reader: Reader) -> None:
    build.rebuild(history, generations)
    with pytest.raises(InTheFuture), reader.view(AtPosition(history.head() + 1)):
        pass


def test_before_the_first_generation_nothing_can_be_asked(ledger: Ledger, reader: Reader) -> None:
    assert not reader.is_ready()
    with pytest.raises(NotReady), reader.view():
        pass


def test_a_generation_with_other_tables_is_not_asked(
    history: Ledger, generations: Generations, reader: Reader, database_url: str
) -> None:
    build.rebuild(history, generations)
    assert reader.is_ready()
    with connect(database_url) as conn:
        conn.execute("UPDATE ledger_read.generation SET shape = 'older'")
    assert not reader.is_ready()
    with pytest.raises(NotReady), reader.view():
        pass


# -- verify ----------------------------------------------------------------------------------------------------------


def test_a_clean_ledger_verifies_while_it_is_written_to(history: Ledger, generations: Generations) -> None:
    with following(history, generations):
        until(lambda: caught_up(history, generations))
        world = World(history)
        world.position = history.head()
        world.record([Addressed(CUSTOMER, BlockCustomer("Overdue."))])
        report = build.verify(history, generations)
    assert report.is_clean
    assert {check.table for check in report.tables} == {table.name for table in scheme.TABLES}
    assert cause().actor


@pytest.mark.parametrize(
    ("table", "corruption", "sentence"),
    [
        ("item", "UPDATE {} SET value = value + 1 WHERE state = 'billed' AND item LIKE 'jira:%'", "value is"),
        ("item", "DELETE FROM {} WHERE ctid = (SELECT min(ctid) FROM {})", "is missing"),
        ("entry", "UPDATE {} SET hours = 9 WHERE ctid = (SELECT min(ctid) FROM {})", "hours is"),
        ("margin", "UPDATE {} SET billed = billed + 1 WHERE by = 'selling_entity'", "billed is"),
        ("invoice_sum", "UPDATE {} SET due = 0 WHERE due > 0", "due is"),
        (
            "timeline",
            "INSERT INTO {} VALUES ('invoice:I-nobody', 7, 'invoice:I-nobody', 1)",
            "timeline invoice:I-nobody/7 should not be there",
        ),
    ],
)
def test_corrupted_rows_are_found_and_named(
    history: Ledger, generations: Generations, database_url: str, table: str, corruption: str, sentence: str
) -> None:
    live = build.rebuild(history, generations).generation
    place = sql.Identifier(live.schema, table)
    with connect(database_url) as conn:
        changed = conn.execute(sql.SQL(corruption.replace("{}", "{0}")).format(place))
        assert changed.rowcount
    report = build.verify(history, generations)
    assert not report.is_clean
    assert [check.table for check in report.tables if not check.is_same] == [table]
    said = [str(offender) for offender in report.offenders]
    assert all(each.startswith(table) for each in said)
    assert any(sentence.replace("is missing", "should not be there") in each or sentence in each for each in said)
    assert len(said) <= 20
    assert [info.status for info in generations.all()] == ["live"]


def test_there_must_be_something_to_verify(ledger: Ledger, generations: Generations) -> None:
    with pytest.raises(NothingToVerify):
        build.verify(ledger, generations)
