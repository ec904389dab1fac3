from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise

import orjson
import pytest

from adapters.simulation.facts import BillingRun, HoursDeleted, HoursTold, PeriodTold
from adapters.simulation.faults import NONE, Faults
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Item, Message, as_line
from adapters.simulation.stream import stream

SMALL = Plan(seed=3, consultants=10, months=2)


@cache
def items_of(plan: Plan, faults: Faults = Faults()) -> tuple[Item, ...]:  # noqa: B008 -- frozen
    return tuple(stream(Firm(plan), faults))


def messages_of(plan: Plan, faults: Faults = Faults()) -> list[Message]:  # noqa: B008 -- frozen
    return [item for item in items_of(plan, faults) if isinstance(item, Message)]


def fingerprint(messages: Iterable[Message]) -> str:
    digest = hashlib.sha256()
    for message in messages:
        digest.update(as_line(message))
    return digest.hexdigest()


def test_the_same_plan_gives_the_same_bytes_in_any_process() -> None:
    program = (
        "from tests.adapters.simulation.test_stream import *\n"
        "print(fingerprint(message for message in stream(Firm(SMALL)) if isinstance(message, Message)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    other = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == fingerprint(messages_of(SMALL))


def test_another_seed_gives_other_bytes() -> None:
    assert fingerprint(messages_of(SMALL)) != fingerprint(messages_of(Plan(seed=4, consultants=10, months=2)))


def test_messages_come_in_the_order_of_their_delivery() -> None:
    moments = [item.at for item in items_of(SMALL)]
    assert moments == sorted(moments)


def test_every_message_has_a_key_of_its_own_for_the_broker() -> None:
    keys = Counter(message.key for message in messages_of(SMALL))
    assert [key for key, number in keys.items() if number > 1] == []


def test_finance_bills_each_month_and_the_last_one_only_in_part() -> None:
    runs = [item for item in items_of(SMALL) if isinstance(item, BillingRun)]
    assert [(run.month, run.everything) for run in runs] == [("2026-01", True), ("2026-02", False)]


def test_the_default_firm_sends_as_many_messages_as_a_demonstration_needs() -> None:
    assert 15_000 <= len(messages_of(Plan())) <= 25_000


def test_memory_does_not_grow_with_the_length_of_the_history() -> None:
    def peak_bytes(months: int) -> int:
        gc.collect()
        tracemalloc.start()
        for _ in stream(Firm(Plan(consultants=8, months=months))):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(2)  # what is cached once is not counted
    assert peak_bytes(24) < 1.5 * peak_bytes(4)


def test_jira_and_tempo_tell_the_same_hours_in_words_of_their_own() -> None:
    jira, tempo = {}, {}
    for message in messages_of(SMALL, NONE):
        match message.fact, message.subject:
            case HoursTold() as told, "p2c.in.jira.worklog.created":
                log = orjson.loads(message.payload)["worklog"]
                jira[told.entry] = (
                    log["issueId"],
                    log["author"]["accountId"],
                    log["timeSpentSeconds"],
                    log["started"][:19],
                )
            case HoursTold() as told, "p2c.in.tempo.worklog.created":
                row = orjson.loads(message.payload)["payload"]
                midnight = datetime.fromisoformat(row["startDate"][:10])
                begun = f"{midnight:%Y-%m-%d}T{row['startTime'] // 3600:02}:{row['startTime'] % 3600 // 60:02}:00"
                tempo[told.entry] = (
                    str(row["issue"]["id"]),
                    row["author"]["accountId"],
                    row["timeSpentSeconds"],
                    begun,
                )
            case _:
                continue
    assert tempo.items() <= jira.items()
    assert 0.7 < len(tempo) / len(jira) < 0.98


def test_hours_are_corrected_moved_deleted_and_worked_in_the_evening() -> None:
    told = [m.fact for m in messages_of(Plan(), NONE) if isinstance(m.fact, HoursTold | HoursDeleted)]
    first = {each.entry: each for each in told if isinstance(each, HoursTold) and each.revision == 0}
    changed = [each for each in told if isinstance(each, HoursTold) and each.revision > 0]
    assert 0.02 < len({each.entry for each in changed}) / len(first) < 0.1
    moved = [each for each in changed if each.day != first[each.entry].day]
    assert {each.day.weekday() - first[each.entry].day.weekday() for each in moved} >= {-1, 4}
    assert 0.005 < len({each.entry for each in told if isinstance(each, HoursDeleted)}) / len(first) < 0.03
    assert any(each.overtime for each in first.values())


def test_most_periods_are_approved_and_some_only_after_a_rejection_or_not_at_all() -> None:
    verdicts: dict[tuple[str, object], list[str]] = {}
    for message in messages_of(Plan(), NONE):
        if isinstance(fact := message.fact, PeriodTold):
            verdicts.setdefault((fact.worker.employee, fact.starts), []).append(fact.verdict)
    ways = Counter(tuple(way) for way in verdicts.values())
    assert ways.most_common(1)[0][0] == ("IN_REVIEW", "APPROVED")
    assert ways["IN_REVIEW", "REJECTED", "IN_REVIEW", "APPROVED"] > 10
    assert ways["IN_REVIEW", "APPROVED", "OPEN", "APPROVED"] > 5
    assert ways[("IN_REVIEW",)] > 0


def test_nobody_approves_their_own_hours() -> None:
    verdicts = [m.fact for m in messages_of(Plan(), NONE) if isinstance(m.fact, PeriodTold)]
    assert all(fact.by != fact.worker for fact in verdicts)


def test_salesforce_tells_only_what_changed() -> None:
    updates = [
        orjson.loads(message.payload)
        for message in messages_of(SMALL, NONE)
        if message.subject == "p2c.in.salesforce.opportunity.changed"
    ]
    won = [each for each in updates if each["IsWon"]]
    assert won
    for body in won:
        assert body["ChangeEventHeader"]["changeType"] == "UPDATE"
        assert (body["AccountId"], body["CurrencyIsoCode"], body["Selling_Entity__c"]) == (None, None, None)
    assert any(body["StageName"] == "Closed Lost" for body in updates)


class TestFaults:
    def test_without_faults_every_message_tells_a_new_fact_once(self) -> None:
        facts = Counter(map(id, (message.fact for message in messages_of(SMALL, NONE))))
        assert set(facts.values()) == {1}
        assert all(message.fault is None for message in messages_of(SMALL, NONE))

    def test_messages_are_repeated_with_the_same_id_in_an_envelope_and_as_rows(self) -> None:
        first, again = self._told_twice(messages_of(Plan()))
        same = [pair for pair in zip(first, again, strict=True) if pair[0].payload == pair[1].payload]
        enveloped = [message for message in again if b'"specversion"' in message.payload]
        rows = [message for message in again if message.subject == "p2c.in.tempo.worklog.row"]
        assert len(same) > 100
        assert len(enveloped) > 30
        assert len(rows) > 20

    @staticmethod
    def _told_twice(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
        seen: dict[int, Message] = {}
        known = [(seen.setdefault(id(message.fact), message), message) for message in messages if message.fact]
        pairs = [(first, second) for first, second in known if first is not second]
        return [first for first, _ in pairs], [second for _, second in pairs]

    def test_some_messages_are_late_and_some_overtake_others(self) -> None:
        worklogs = [m for m in messages_of(Plan()) if isinstance(m.fact, HoursTold) and m.fact.system != "overtime"]
        delays = [message.at - message.fact.said_at for message in worklogs if message.fact is not None]
        assert any(delay.total_seconds() > 86_400 for delay in delays)
        moments = [message.fact.said_at for message in worklogs if message.fact is not None]
        overtaken = sum(later < earlier for earlier, later in pairwise(moments))
        assert overtaken > 100

    def test_every_kind_of_nonsense_is_among_them_and_tells_no_fact(self) -> None:
        wrong = [message for message in messages_of(Plan()) if message.fault is not None]
        kinds = {"malformed", "thirty hours", "unknown worker", "unknown currency", "same id", "future version"}
        assert {message.fault for message in wrong} == kinds | {"unknown task"}
        assert all(message.fact is None for message in wrong)

    def test_a_stolen_id_comes_after_the_message_that_owns_it(self) -> None:
        owners = {
            m.headers.get("x-atlassian-webhook-identifier"): m for m in reversed(messages_of(Plan())) if not m.fault
        }
        stolen = [message for message in messages_of(Plan()) if message.fault == "same id"]
        assert stolen
        for message in stolen:
            owner = owners[message.headers["x-atlassian-webhook-identifier"]]
            assert owner.at < message.at
            assert owner.payload != message.payload

    @pytest.mark.parametrize("each", [50, 400])
    def test_the_share_of_nonsense_is_as_asked(self, each: int) -> None:
        messages = messages_of(SMALL, Faults(bad_each=each))
        wrong = sum(message.fault is not None for message in messages)
        # Each kind of nonsense waits for a message that it can be made of, so a few are still to come at the end.
        assert wrong == pytest.approx(len(messages) / each, abs=3)
