"""Questions on a real database: filters, orders, pages, totals, scopes, and one object as of any time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect
from domain.catalogue import DECIDERS, EVENTS, UPCASTS
from domain.kernel import StreamId, decider_name, stream_of
from domain.lots import LotStatus
from domain.ports import Candidates
from projections import access, build
from projections.eligibility import billing_eligibility
from projections.eligibility.billing_eligibility import EligibilityFilter
from projections.eligibility.candidates import LiveCandidates
from projections.exceptions import exceptions
from projections.exceptions.exceptions import ExceptionFilter
from projections.finance.finance import PeriodFilter
from projections.generation import Generations
from projections.history import lineage, objects, timeline
from projections.invoices import invoices, payments
from projections.invoices.invoices import InvoiceFilter
from projections.invoices.payments import PaymentFilter
from projections.margin import margin
from projections.margin.margin import Dimension, MarginFilter
from projections.pages import BadCursor, Page, PageRequest, PageTooLong, UnknownSort, UnknownValue
from projections.reader import FIRM, AtPosition, Reader, Scope, View
from projections.registers import engagements, projects, timesheets
from projections.registers.engagements import EngagementFilter
from projections.registers.projects import ProjectFilter
from projections.registers.timesheets import EntryFilter, TimesheetFilter
from projections.systems import sync_status
from projections.systems.sync_status import SyncFilter
from tests.conftest import _fresh_database
from tests.projections import histories

Finder = Callable[[View, Scope, PageRequest], Page[Any]]

LISTS: dict[str, tuple[Finder, Any]] = {
    "engagements": (lambda view, scope, page: engagements.find(view, EngagementFilter(), scope, page), engagements),
    "projects": (lambda view, scope, page: projects.find(view, ProjectFilter(), scope, page), projects),
    "timesheets": (lambda view, scope, page: timesheets.find(view, TimesheetFilter(), scope, page), timesheets),
    "invoices": (lambda view, scope, page: invoices.find(view, InvoiceFilter(), scope, page), invoices),
    "work": (
        lambda view, scope, page: billing_eligibility.find(view, EligibilityFilter(), scope, page),
        billing_eligibility,
    ),
    "margin": (lambda view, scope, page: margin.find(view, "project", MarginFilter(), scope, page), margin),
    "sync": (lambda view, scope, page: sync_status.find(view, SyncFilter(), scope, page), sync_status),
    "exceptions": (lambda view, scope, page: exceptions.find(view, ExceptionFilter(), scope, page), exceptions),
}
EVERY_ORDER = [
    (name, sort, descending)
    for name, (_, module) in LISTS.items()
    for sort in module.SORTS
    for descending in (False, True)
]
GERMANY = Scope(entities=frozenset({"DE01"}))
AMERICAS = Scope(regions=frozenset({"AMER"}))
NOBODY = Scope(entities=frozenset())


@pytest.fixture(scope="module")
def url(server_url: str, migrated_template: str) -> Iterator[str]:
    with _fresh_database(server_url, migrated_template) as made:
        yield made


@pytest.fixture(scope="module")
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger(url, EVENTS, DECIDERS, upcasts=UPCASTS, pool_size=3) as ledger:
        histories.write(ledger, 5_000, consultants=8, engagements=8)
        yield ledger


@pytest.fixture(scope="module")
def reader(url: str, ledger: Ledger) -> Iterator[Reader]:
    generations = Generations(partial(connect, url))
    build.rebuild(ledger, generations)
    with ConnectionPool(url, kwargs={"autocommit": True}, min_size=1, max_size=3) as pool:
        yield Reader(pool, ledger, generations)


@pytest.fixture
def view(reader: Reader) -> Iterator[View]:
    with reader.view() as view:
        yield view


def all_of(find: Finder, view: View, scope: Scope = FIRM, **page: Any) -> list[Any]:
    """Every page, one after the other."""
    found: list[Any] = []
    request = PageRequest(**page)
    while True:
        got = find(view, scope, request)
        assert len(got.cursors) == len(got.items)
        found += got.items
        if not got.has_next:
            return found
        request = replace(request, after=got.cursors[-1])


def test_dashboards_of_the_whole_firm_are_planned_once_however_often_they_are_asked(
    url: str, ledger: Ledger, reader: Reader
) -> None:
    with ConnectionPool(url, kwargs={"autocommit": True}, min_size=1, max_size=1) as pool:
        alone = Reader(pool, ledger, Generations(partial(connect, url)))
        for _ in range(20):
            with alone.view() as view:
                margin.find(view, "engagement", MarginFilter(), FIRM, PageRequest(sort="functional_margin"))
                margin.totals(view, MarginFilter(), FIRM)
                billing_eligibility.find(view, EligibilityFilter(unbilled=True), FIRM, PageRequest())
                billing_eligibility.totals(view, EligibilityFilter(unbilled=True), FIRM)
                billing_eligibility.reason_totals(view, EligibilityFilter(), FIRM)
                sync_status.find(view, SyncFilter(), FIRM, PageRequest())
                sync_status.totals(view, SyncFilter(), FIRM)
        with pool.connection() as conn:
            plans = "SELECT statement, custom_plans FROM pg_prepared_statements WHERE statement ~ %s"
            planned = conn.execute(plans, [" (item|item_sum|reason_sum|margin|sync|sync_sum) "]).fetchall()
    assert len(planned) == 8
    assert [statement for statement, custom_plans in planned if custom_plans] == []


# -- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "sort", "descending"), EVERY_ORDER)
def test_pages_of_any_order_give_every_row_once(view: View, name: str, sort: str, descending: bool) -> None:
    find, _ = LISTS[name]
    at_once = all_of(find, view, first=500, sort=sort, descending=descending)
    in_pages = all_of(find, view, first=37, sort=sort, descending=descending)
    assert in_pages == at_once
    assert len(set(map(repr, at_once))) == len(at_once)
    other_way = all_of(find, view, first=500, sort=sort, descending=not descending)
    assert other_way == at_once[::-1]


def test_a_cursor_belongs_to_its_list_and_order(view: View) -> None:
    find, _ = LISTS["work"]
    cursor = find(view, FIRM, PageRequest(first=1)).cursors[0]
    for wrong in (
        PageRequest(after="not a cursor"),
        PageRequest(after="bm90IGpzb24"),
        PageRequest(after=cursor, sort="value"),
        PageRequest(after=cursor, descending=True),
    ):
        with pytest.raises(BadCursor):
            find(view, FIRM, wrong)


def test_only_known_orders_and_bounded_pages_are_served(view: View) -> None:
    find, _ = LISTS["work"]
    with pytest.raises(UnknownSort, match="work_date"):
        find(view, FIRM, PageRequest(sort="reasons; DROP TABLE item"))
    for first in (0, 501):
        with pytest.raises(PageTooLong):
            find(view, FIRM, PageRequest(first=first))


# -- scopes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in LISTS if name != "timesheets"])
def test_a_scope_sees_the_rows_of_its_entities_and_no_others(view: View, name: str) -> None:
    find, _ = LISTS[name]
    everything = all_of(find, view, first=500)
    germany = all_of(find, view, GERMANY, first=500)
    assert germany == [row for row in everything if row.selling_entity == "DE01"]
    americas = all_of(find, view, AMERICAS, first=500)
    assert americas == [row for row in everything if row.selling_entity == "US01"]
    assert all_of(find, view, NOBODY) == []
    assert all_of(find, view, Scope(frozenset({"DE01"}), frozenset({"AMER"}))) == []


def test_a_query_that_forgets_its_scope_is_narrowed_in_the_past_too(reader: Reader, ledger: Ledger) -> None:
    query = "SELECT DISTINCT selling_entity FROM engagement ORDER BY 1"
    for at in (None, AtPosition(ledger.head() // 2)):
        with reader.view(at) as firm, reader.view(at, GERMANY) as germany, reader.view(at, AMERICAS) as americas:
            assert len(firm.rows(query)) > 2, at
            assert (germany.rows(query), americas.rows(query)) == ([("DE01",)], [("US01",)]), at


def test_the_sums_of_a_week_are_those_of_the_work_that_one_may_see(view: View) -> None:
    find, _ = LISTS["timesheets"]
    whole = {row.stream: row for row in all_of(find, view, first=500)}
    parts: dict[str, Decimal] = dict.fromkeys(whole, Decimal(0))
    for entity in histories.ENTITIES:
        for row in all_of(find, view, Scope(frozenset({entity})), first=500):
            assert 0 < row.entries <= whole[row.stream].entries
            parts[row.stream] += row.hours
    assert parts == {stream: row.hours for stream, row in whole.items()}


def test_totals_respect_the_scope(view: View) -> None:
    for totals in (
        lambda scope: billing_eligibility.totals(view, EligibilityFilter(), scope),
        lambda scope: invoices.totals(view, InvoiceFilter(), scope),
        lambda scope: sync_status.totals(view, SyncFilter(), scope),
        lambda scope: exceptions.totals(view, ExceptionFilter(), scope),
        lambda scope: margin.totals(view, MarginFilter(), scope),
    ):
        assert totals(FIRM) != totals(GERMANY)
        assert totals(NOBODY) == ()


def test_single_objects_obey_the_scope(view: View) -> None:
    row = engagements.find(view, EngagementFilter(selling_entity="US01"), FIRM, PageRequest(first=1)).items[0]
    stream = stream_of("engagement", row.engagement)
    assert engagements.get(view, row.engagement, AMERICAS) == row
    assert engagements.get(view, row.engagement, GERMANY) is None
    assert access.may_see(view, FIRM, stream)
    assert access.may_see(view, AMERICAS, stream)
    assert not access.may_see(view, GERMANY, stream)


@pytest.mark.parametrize("kind", ["project", "invoice", "timesheet", "expense_report", "customer", "legal_entity"])
def test_access_to_any_kind_of_object_is_that_of_its_entity(view: View, ledger: Ledger, kind: str) -> None:
    streams = {fact.stream for fact in ledger.read(0, 100_000) if decider_name(fact.stream) == kind}
    assert all(access.may_see(view, FIRM, stream) for stream in streams)
    assert not any(access.may_see(view, NOBODY, stream) for stream in streams)
    seen = {stream for stream in streams if access.may_see(view, GERMANY, stream)}
    assert 0 < len(seen) <= len(streams)
    if kind == "legal_entity":
        assert seen == {"legal_entity:DE01"}


def test_people_and_rate_cards_are_not_shown_to_restricted_roles(view: View) -> None:
    for stream in ("resource:W-1", "rate_card:firm:FIRM", "opportunity:x:y"):
        assert not access.may_see(view, GERMANY, StreamId(stream))
    assert access.may_see(view, GERMANY, StreamId("fx_rate:EUR:USD"))
    assert access.may_see(view, GERMANY, StreamId("number_series:DE01:DE01-2024"))
    assert not access.may_see(view, GERMANY, StreamId("number_series:US01:US01-2024"))


# -- filters and totals ----------------------------------------------------------------------------------------------


def items(view: View, **where: Any) -> list[Any]:
    return all_of(
        lambda v, scope, page: billing_eligibility.find(v, EligibilityFilter(**where), scope, page), view, first=500
    )


def test_each_filter_of_work_leaves_the_rows_that_fulfil_it(view: View) -> None:
    everything = items(view)
    some = next(row for row in everything if row.state == "held" and row.is_lot and row.resource)
    (code, *_) = [reason.code for reason in some.reasons]
    owner = some.reasons[0].owner_role
    middle = some.work_date
    everyone = all_of(LISTS["projects"][0], view, first=500)
    manager = next(row.manager for row in everyone if row.project == some.project)
    managed = {row.project for row in everyone if row.manager == manager}
    expected: dict[str, tuple[Any, Callable[[Any], bool]]] = {
        "states": (("held", "billed"), lambda r: r.state in ("held", "billed")),
        "engagement": (some.engagement, lambda r: r.engagement == some.engagement),
        "project": (some.project, lambda r: r.project == some.project),
        "manager": (manager, lambda r: r.project in managed),
        "currency": (some.currency, lambda r: r.currency == some.currency),
        "customer": (some.customer, lambda r: r.customer == some.customer),
        "selling_entity": (some.selling_entity, lambda r: r.selling_entity == some.selling_entity),
        "resource": (some.resource, lambda r: r.resource == some.resource),
        "line": ("L1", lambda r: r.line == "L1"),
        "work_from": (middle, lambda r: r.work_date >= middle),
        "work_to": (middle, lambda r: r.work_date <= middle),
        "lots_only": (True, lambda r: r.is_lot),
        "unbilled": (True, lambda r: r.state in billing_eligibility.UNBILLED),
        "reason": (code, lambda r: code in [reason.code for reason in r.reasons] and _is_open(r)),
        "owner_role": (owner, lambda r: owner in [reason.owner_role for reason in r.reasons] and _is_open(r)),
    }
    for name, (value, fulfils) in expected.items():
        found = items(view, **{name: value})
        assert found == [row for row in everything if fulfils(row)], name
        assert found, name


def _is_open(row: Any) -> bool:
    return row.state in ("eligible", "held", "over_cap", "captured", "submitted", "rejected", "approved")


@pytest.mark.parametrize(
    ("kind", "told", "known"),
    [
        (EligibilityFilter, {"reason": "PO_MISING"}, "PO_MISSING"),
        (EligibilityFilter, {"owner_role": "boss"}, "finance_preparer"),
        (ExceptionFilter, {"owner_role": "worker"}, "project_manager"),
        (ExceptionFilter, {"kind": "failed"}, "quarantined"),
        (PeriodFilter, {"status": "opened"}, "soft_closed"),
    ],
)
def test_what_is_on_no_closed_list_is_not_looked_for(kind: type[Any], told: dict[str, str], known: str) -> None:
    with pytest.raises(UnknownValue, match=known):
        kind(**told)


def test_totals_of_work_are_the_same_kept_as_sums_or_added_up(view: View) -> None:
    first = date(2000, 1, 1)  # a filter that lets everything through, and that the sums know nothing of
    row = items(view, states=("billed",))[0]
    wheres: tuple[dict[str, Any], ...] = (
        {},
        {"unbilled": True},
        {"states": ("eligible", "over_cap")},
        {"engagement": row.engagement},
        {"project": row.project},
        {"customer": row.customer},
        {"selling_entity": row.selling_entity},
    )
    for where in wheres:
        for scope in (FIRM, GERMANY):
            kept = billing_eligibility.totals(view, EligibilityFilter(**where), scope)
            added = billing_eligibility.totals(view, EligibilityFilter(**where, work_from=first), scope)
            assert kept == added, where
        reasons = billing_eligibility.reason_totals(view, EligibilityFilter(**where), FIRM)
        added_up = billing_eligibility.reason_totals(view, EligibilityFilter(**where, work_from=first), FIRM)
        assert reasons == added_up, where


def test_every_item_of_a_list_counts_once_in_its_totals(view: View) -> None:
    everything = items(view)
    assert {"reversed", "split"} <= {row.state for row in everything}
    for states in (None, ("eligible", "over_cap"), ("reversed", "split")):
        listed = [row for row in everything if states is None or row.state in states]
        totals = billing_eligibility.totals(view, EligibilityFilter(states=states), FIRM)
        assert sum(each.items for each in totals) == len(listed)


def test_money_at_risk_is_the_value_that_waits(view: View) -> None:
    for row in items(view, states=("held", "eligible", "over_cap", "billed", "captured")):
        for reason in row.reasons:
            if row.state in ("billed", "captured"):
                assert reason.money_at_risk is None
            elif reason.code == "CAP_EXCEEDED":
                assert reason.money_at_risk.amount == row.over_cap_value
            elif row.is_lot:
                assert reason.money_at_risk.amount == row.value
            assert reason.events
            assert reason.since.tzinfo is not None


@pytest.mark.parametrize("by", ["project", "engagement", "customer", "selling_entity", "practice"])
def test_the_margin_is_the_same_by_any_question(view: View, by: Dimension) -> None:
    totals = {(row.currency, row.functional_currency): row for row in margin.totals(view, MarginFilter(), FIRM)}
    rows = all_of(lambda v, s, p: margin.find(v, by, MarginFilter(), s, p), view, first=500)
    monthly = all_of(lambda v, s, p: margin.find(v, by, MarginFilter(monthly=True), s, p), view, first=500)
    assert all(row.month is None for row in rows)
    assert all(row.month for row in monthly)
    for money, whole in totals.items():
        for listed in (rows, monthly):
            mine = [row for row in listed if (row.currency, row.functional_currency) == money]
            for figure in ("standard", "billed", "recognised", "cost", "margin", "functional_margin", "hours", "lots"):
                assert sum(getattr(row, figure) for row in mine) == getattr(whole, figure), figure
        assert whole.margin == whole.recognised - whole.cost


@pytest.mark.parametrize("by", ["project", "customer"])
def test_the_margin_of_a_manager_is_that_of_their_projects(view: View, by: Dimension) -> None:
    managers = {row.project: row.manager for row in all_of(LISTS["projects"][0], view, first=500)}
    manager = next(filter(None, managers.values()))
    theirs = all_of(lambda v, s, p: margin.find(v, by, MarginFilter(manager=manager), s, p), view, first=500)
    projects = all_of(lambda v, s, p: margin.find(v, "project", MarginFilter(), s, p), view, first=500)
    expected = sum(row.functional_margin for row in projects if managers.get(row.key) == manager)
    assert sum(row.functional_margin for row in theirs) == expected != 0
    assert sum(row.functional_margin for row in margin.totals(view, MarginFilter(manager=manager), FIRM)) == expected


def test_the_margin_can_be_narrowed_by_what_its_sums_do_not_know(view: View) -> None:
    cells = all_of(lambda v, s, p: margin.find(v, "project", MarginFilter(practice="Data"), s, p), view, first=500)
    practice = all_of(lambda v, s, p: margin.find(v, "practice", MarginFilter(practice="Data"), s, p), view, first=500)
    assert cells
    assert sum(row.hours for row in cells) == sum(row.hours for row in practice)
    months = MarginFilter(month_from="2024-02", month_to="2024-02")
    month = all_of(lambda v, s, p: margin.find(v, "customer", months, s, p), view, first=500)
    monthly = all_of(lambda v, s, p: margin.find(v, "customer", replace(months, monthly=True), s, p), view, first=500)
    assert {row.month for row in monthly} == {"2024-02"}
    assert [row.standard for row in month] == [row.standard for row in monthly]
    narrowed = margin.totals(view, MarginFilter(practice="Data"), FIRM)
    assert sum(row.hours for row in narrowed) == sum(row.hours for row in cells)


def test_invoices_are_found_by_number_and_by_what_is_due(view: View) -> None:
    issued = all_of(LISTS["invoices"][0], view, first=500)
    some = next(row for row in issued if row.status == "issued")
    by_number = invoices.find(view, InvoiceFilter(number=some.number), FIRM, PageRequest())
    assert [row.invoice for row in by_number.items] == [some.invoice]
    due = invoices.find(view, InvoiceFilter(due_to=some.due_on), FIRM, PageRequest(first=500)).items
    assert due
    assert {row.status for row in due} == {"issued"}
    kept = invoices.totals(view, InvoiceFilter(status=("issued", "paid")), FIRM)
    added = invoices.totals(view, InvoiceFilter(status=("issued", "paid"), issued_from=date(2000, 1, 1)), FIRM)
    assert kept == added
    assert sum(total.count for total in kept) == len([row for row in issued if row.status in ("issued", "paid")])


def test_names_are_found_by_a_part_of_them_and_wildcards_mean_themselves(view: View) -> None:
    row = engagements.find(view, EngagementFilter(), FIRM, PageRequest(first=1)).items[0]
    found = engagements.find(view, EngagementFilter(text=row.title.upper()), FIRM, PageRequest()).items
    assert row in found
    assert engagements.find(view, EngagementFilter(text="%"), FIRM, PageRequest()).items == ()
    assert engagements.totals(view, EngagementFilter(), FIRM)
    assert projects.totals(view, ProjectFilter(), FIRM)


def test_entries_are_those_of_their_week(view: View) -> None:
    week = timesheets.find(view, TimesheetFilter(resource="W-1"), FIRM, PageRequest(first=1)).items[0]
    entries = timesheets.entries(view, EntryFilter(stream=week.stream), FIRM, PageRequest(first=500)).items
    counted = [entry for entry in entries if entry.status not in ("withdrawn", "merged")]
    assert (len(counted), sum(entry.hours or 0 for entry in counted)) == (week.entries, week.hours)
    assert timesheets.get(view, week.stream, FIRM) == week
    engagement = counted[0].engagement
    of_it = timesheets.entries(view, EntryFilter(engagement=engagement), FIRM, PageRequest(first=500)).items
    assert {entry.engagement for entry in of_it} == {engagement}
    totals = timesheets.totals(view, EntryFilter(kind="time"), FIRM)
    assert {total.kind for total in totals} == {"time"}


def test_what_invoices_were_paid_is_what_the_money_that_arrived_settled(view: View) -> None:
    paid: dict[str, Decimal] = defaultdict(Decimal)
    for row in all_of(LISTS["invoices"][0], view, first=500):
        paid[row.currency] += row.paid
    money = {each.currency: each for each in payments.totals(view, PaymentFilter(), FIRM)}
    assert {currency: each.applied for currency, each in money.items()} == {c: a for c, a in paid.items() if a}
    listed = all_of(lambda v, s, p: payments.find(v, PaymentFilter(), s, p), view, first=2)
    assert sum(each.count for each in money.values()) == len(listed) > 0
    assert {row.invoice is None for row in listed} == {False}, "here all of it was reported of one invoice"


def test_synchronisation_counts_every_object_in_its_state(view: View) -> None:
    rows = all_of(LISTS["sync"][0], view, first=500)
    totals = sync_status.totals(view, SyncFilter(), FIRM)
    assert sum(total.count for total in totals) == len(rows)
    for total in totals:
        mine = [row for row in rows if (row.kind, row.target, row.state) == (total.kind, total.target, total.state)]
        assert len(mine) == total.count
        assert total.oldest_since == (None if total.state == "confirmed" else min(row.since for row in mine))
    narrow = SyncFilter(engagement=rows[0].engagement)
    assert sum(t.count for t in sync_status.totals(view, narrow, FIRM)) == len(
        [row for row in rows if row.engagement == rows[0].engagement]
    )
    assert {row.target for row in sync_status.get(view, rows[0].stream, FIRM)} <= {"psa", "erp"}


def test_exceptions_are_those_of_the_projects_that_somebody_manages_and_of_money_in_a_currency(view: View) -> None:
    managers = {row.project: row.manager for row in all_of(LISTS["projects"][0], view, first=500)}
    everything = all_of(LISTS["exceptions"][0], view, first=500)
    manager = next(managers[row.project] for row in everything if managers.get(row.project))
    of_theirs = exceptions.find(view, ExceptionFilter(manager=manager), FIRM, PageRequest(first=500)).items
    assert set(of_theirs) == {row for row in everything if managers.get(row.project) == manager} != set()
    currency = everything[0].money_at_risk.currency
    at_risk = exceptions.find(view, ExceptionFilter(currency=currency), FIRM, PageRequest(first=500)).items
    assert set(at_risk) == {row for row in everything if row.money_at_risk.currency == currency} != set()


def test_exceptions_are_counted_by_owner_with_their_money(view: View) -> None:
    rows = all_of(LISTS["exceptions"][0], view, first=500)
    totals = exceptions.totals(view, ExceptionFilter(), FIRM)
    assert rows
    assert sum(total.count for total in totals) == len(rows)
    assert sum(total.money_at_risk for total in totals) == sum(row.money_at_risk.amount for row in rows)
    assert exceptions.get(view, rows[0].stream, FIRM) == rows[0]


# -- watermark -------------------------------------------------------------------------------------------------------


def test_an_answer_says_how_fresh_it_is(view: View, ledger: Ledger) -> None:
    mark = view.watermark
    assert mark.is_live
    assert mark.position == mark.head_position == ledger.head()
    by_system = {source.system: source for source in mark.sources}
    assert {"jira", "tempo", "salesforce"} <= by_system.keys()
    newest = [fact for fact in ledger.read(0, 100_000) if fact.cause.actor == "system:tempo"][-1]
    assert by_system["tempo"].position == newest.position
    assert by_system["tempo"].lag_seconds is not None


# -- candidates ------------------------------------------------------------------------------------------------------


def test_candidates_are_what_drafting_and_pricing_ask_for(reader: Reader, view: View) -> None:
    candidates = LiveCandidates(reader)
    eligible = items(view, states=("eligible",))
    engagement = eligible[0].engagement
    mine = [row for row in eligible if row.engagement == engagement and row.is_lot]
    assert {(at.stream, at.lot) for at in candidates.eligible_of(engagement)} == {(r.stream, r.item) for r in mine}
    day = min(row.work_date for row in mine)
    early = candidates.eligible_of(engagement, day.isoformat())
    assert {at.lot for at in early} == {row.item for row in mine if row.work_date <= day}
    entity = eligible[0].selling_entity
    assert engagement in candidates.engagements_with_eligible(entity)
    assert engagement not in candidates.engagements_with_eligible(entity, (day - timedelta(days=1)).isoformat())
    unbilled = {(at.stream, at.source) for at in candidates.unbilled_of(engagement=engagement)}
    assert {(row.stream, row.source) for row in mine if row.kind != "milestone"} <= unbilled
    billed = items(view, states=("billed",))
    partly = {(row.stream, row.source) for row in items(view, unbilled=True)}
    done = {(row.stream, row.source) for row in billed} - partly
    assert done
    assert not done & {(at.stream, at.source) for at in candidates.unbilled_of()}


def test_every_question_of_the_domain_is_answered(reader: Reader) -> None:
    candidates, day = LiveCandidates(reader), date(2026, 1, 1)
    answers = {
        "unbilled_of": candidates.unbilled_of(lacking_rate_of="USD"),
        "eligible_of": candidates.eligible_of("E-1", day.isoformat()),
        "engagements_with_eligible": candidates.engagements_with_eligible("DE01", day.isoformat()),
        "engagements_billed_by_date": candidates.engagements_billed_by_date(),
        "work_done": candidates.work_done(day),
        "drafts_of": candidates.drafts_of("DE01"),
        "transfers_of": candidates.transfers_of(lender="DE01", borrower="GB01", lacking_price=True),
        "transfer_pairs": candidates.transfer_pairs(),
        "use_of_caps": candidates.use_of_caps("E-1"),
        "use_of_limit": [candidates.use_of_limit("C-1", "EUR")],
    }
    asked = {name for name in vars(Candidates) if not name.startswith("_")}
    assert answers.keys() == asked
    assert all(isinstance(answer, list) for answer in answers.values())


# -- objects, timeline, lineage --------------------------------------------------------------------------------------


def test_an_object_as_of_any_position_is_the_fold_of_its_stream_up_to_there(ledger: Ledger) -> None:
    stream = next(fact.stream for fact in ledger.read(0, 100_000) if fact.name == "invoice.paid.v1")
    invoice = stream.partition(":")[2]
    facts = ledger.history(stream)

    def at(position: int) -> objects.InvoiceWithLots:
        return objects.invoices_with_lots(objects.states_as_of(ledger, AtPosition(position)), [invoice])[invoice]

    before = at(facts[0].position - 1)
    assert (type(before.invoice).__name__, before.lots, before.lines) == ("Nothing", {}, ())
    drafted = at(facts[0].position)
    assert type(drafted.invoice).__name__ == "Draft"
    assert {held.status for held in drafted.lots.values()} == {LotStatus.RESERVED}
    now = at(facts[-1].position)
    assert type(now.invoice).__name__ == "Issued"
    assert {held.status for held in now.lots.values()} == {LotStatus.BILLED}


def test_a_timeline_tells_in_sentences_and_can_be_read_in_pages(view: View, ledger: Ledger) -> None:
    row = all_of(LISTS["invoices"][0], view, first=500)[0]
    subject = stream_of("invoice", row.invoice)
    whole = timeline.find(view, ledger, subject, PageRequest(first=500)).items
    assert [entry.position for entry in whole] == sorted(entry.position for entry in whole)
    assert {"invoice.drafted.v1", "lot.reserved.v1", "engagement.billing_claimed.v1"} <= {e.name for e in whole}
    assert all(entry.sentence and entry.actor for entry in whole)
    paged = all_of(lambda v, _, page: timeline.find(v, ledger, subject, page), view, first=2)
    assert paged == list(whole)
    newest = timeline.find(view, ledger, subject, PageRequest(first=1, descending=True)).items
    assert newest == whole[-1:]


def test_the_timeline_of_a_week_is_its_own_history(view: View, ledger: Ledger) -> None:
    week = timesheets.find(view, TimesheetFilter(), FIRM, PageRequest(first=1)).items[0]
    subject = StreamId(week.stream)
    paged = all_of(lambda v, _, page: timeline.find(v, ledger, subject, page), view, first=3)
    assert [entry.id for entry in paged] == [fact.id for fact in ledger.history(subject)]
    assert timeline.history(ledger, subject, after_version=2, limit=2) == tuple(paged[2:4])
    with pytest.raises(BadCursor):
        timeline.find(view, ledger, subject, PageRequest(after="W10"))


def test_an_invoice_is_followed_back_to_its_messages_and_forward_to_its_payment(view: View, ledger: Ledger) -> None:
    paid = invoices.find(view, InvoiceFilter(status=("paid",)), FIRM, PageRequest(first=1)).items[0]
    traced = lineage.of_invoice(ledger, paid.invoice)
    assert traced.number == paid.number
    assert sum(payment.amount.amount for payment in traced.payments) == paid.gross
    assert [posting.target for posting in traced.postings] == ["erp"]
    for line in traced.lines:
        for lot in line.lots:
            names = [fact.name for fact in lot.facts]
            assert (lot.invoice, lot.number) == (paid.invoice, paid.number)
            assert names[-1] == "lot.billed.v1"
            if decider_name(lot.stream) == "timesheet":
                assert names[0] == "timesheet.time_logged.v1"
                assert {"timesheet.approved.v1", "lot.rated.v1", "lot.reserved.v1"} <= set(names)
                assert lot.source.startswith("jira:")
            assert lot.messages
    one = lineage.of_invoice_line(ledger, paid.invoice, traced.lines[0].line)
    assert one.lines == traced.lines[:1]


def test_a_lot_is_followed_through_its_split(view: View, ledger: Ledger) -> None:
    split = items(view, states=("split",))
    part = f"{split[0].item}/1"
    traced = lineage.of_lot(ledger, StreamId(split[0].stream), part)
    assert {"lot.rated.v1", "lot.split.v1"} <= {fact.name for fact in traced.facts}
    assert traced.source == split[0].source
