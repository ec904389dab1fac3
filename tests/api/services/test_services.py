"""Each governed service: what it does, what it refuses, when it stays quiet."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.eventstore.errors import IdempotencyKeyReused, VersionConflict
from api.access import NotPermitted, NotSignedIn, OutOfScope, Reach, Role
from api.services.catalogue import SERVICES
from api.services.contracts.line_input import LineInput
from api.services.desk import ReadModelsBehind
from api.services.drafts import LotInput
from api.services.service import Amount, InputIncomplete
from domain.billing.draft_plan import LotsNotEligible
from domain.books.accounting_period import PeriodIsClosed, PeriodIsSoftClosed
from domain.contract import ContractLine, FixedFeeMilestones, Milestone
from domain.engagement import CapBelowBilled, EngagementNotOpened, EvidenceMissing, UnknownLine
from domain.exception import ExceptionNotOpen, NothingToRetry, Problem, RaiseException, exception_stream
from domain.invoice import Approved, Discarded, Draft, Issued, NothingToBill, PaymentAboveBalance, PreparerApproves
from domain.kernel import stream_of
from domain.money import UnknownCurrency
from domain.project import ProjectAlreadyCreated, ProjectNotCreated
from domain.timesheet import HoursOutOfRange, SelfApproval
from tests.api.services.desk import ADMIN, APPROVER, MANAGER, PREPARER, Counter, person
from tests.world import ENGAGEMENT, MONDAY, PROJECT, World, euros


@pytest.fixture
def world() -> World:
    return World().firm().contract()


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


def names(answer: Any) -> list[str]:
    return [event.name for event in answer.events]


def test_a_project_is_created_under_its_engagement_and_its_set_up_is_requested(counter: Counter) -> None:
    answer = counter.ask(
        "create-project", MANAGER, engagement="E-1", line="L1", title="Phase 2", starts=MONDAY, project="P-2"
    )
    assert names(answer) == ["project.created.v1"]
    assert answer.position == counter.world.ledger.history(stream_of("project", "P-2"))[0].position
    project = counter.world.read(stream_of("project", "P-2"))
    assert {target: each.state for target, each in project.set_ups.items()} == {"psa": "requested", "erp": "requested"}


def test_a_project_needs_an_engagement_and_one_of_its_lines(counter: Counter) -> None:
    asked: dict[str, Any] = {"title": "?", "starts": MONDAY}
    with pytest.raises(EngagementNotOpened):
        counter.ask("create-project", MANAGER, engagement="E-9", line="L1", **asked)
    with pytest.raises(UnknownLine):
        counter.ask("create-project", MANAGER, engagement="E-1", line="L9", project="P-9", **asked)
    with pytest.raises(ProjectAlreadyCreated):
        counter.ask("create-project", MANAGER, engagement="E-1", line="L1", **asked)


def test_a_person_is_assigned_to_a_project(counter: Counter) -> None:
    answer = counter.ask("assign-resource", MANAGER, project="P-1-L1", resource="W-1", starts=MONDAY, role="Lead")
    assert names(answer) == ["project.resource_assigned.v1"]
    assert answer.states[PROJECT].assignment_of("W-1", MONDAY).role == "Lead"
    with pytest.raises(InputIncomplete, match="W-77"):
        counter.ask("assign-resource", MANAGER, project="P-1-L1", resource="W-77", starts=MONDAY)


def test_somebody_is_appointed_to_manage_a_project(counter: Counter) -> None:
    answer = counter.ask("appoint-manager", MANAGER, project="P-1-L1", manager="W-1")
    assert names(answer) == ["project.manager_appointed.v1"]
    assert answer.states[PROJECT].manager == "W-1"
    with pytest.raises(InputIncomplete, match="W-77"):
        counter.ask("appoint-manager", MANAGER, project="P-1-L1", manager="W-77")


def time_of(**changes: Any) -> dict[str, Any]:
    told = {"resource": "W-1", "project": "P-1-L1", "work_date": MONDAY, "hours": Decimal(8), "approved_by": "W-9"}
    return told | changes


def test_approved_time_is_recorded_and_priced_at_once(counter: Counter) -> None:
    answer = counter.ask("post-approved-time", MANAGER, **time_of(entry="77"))
    assert names(answer) == ["timesheet.time_logged.v1", "timesheet.approved.v1"]
    (stream,) = answer.states
    (held,) = counter.world.read(stream).lots.values()
    assert (held.lot.lot, held.lot.value) == ("ledger:77#1", euros("1200.00"))


def test_time_is_approved_for_fewer_hours_than_were_worked(counter: Counter) -> None:
    (stream,) = counter.ask("post-approved-time", MANAGER, **time_of(entry="77", approved_hours=Decimal(6))).states
    lots = {name: (held.lot.quantity, list(held.holds)) for name, held in counter.world.read(stream).lots.items()}
    assert (lots["ledger:77#1/1"], lots["ledger:77#1/2"]) == ((Decimal(6), []), (Decimal(2), ["APPROVER_REDUCED"]))


def test_time_that_another_system_told_already_stays_one_entry(counter: Counter) -> None:
    stream = counter.world.work("1", approve=False)
    counter.ask("post-approved-time", MANAGER, **time_of(started="09:00:00"))
    sheet = counter.world.read(stream)
    assert [(entry.entry, entry.status) for entry in sheet.entries.values()] == [("jira:1", "approved")]
    assert len(sheet.lots) == 1


@pytest.mark.parametrize("hour", [11, 10, 4], ids=["later", "at the same moment", "by a clock that was put back"])
def test_corrected_time_replaces_its_lot(counter: Counter, hour: int) -> None:
    (stream,) = counter.ask("post-approved-time", MANAGER, **time_of(entry="77")).states
    counter.desk._clock = lambda: counter_time(hour)
    counter.ask("post-approved-time", MANAGER, **time_of(entry="77", hours=Decimal(6)))
    statuses = {name: (held.status.value, held.lot.quantity) for name, held in counter.world.read(stream).lots.items()}
    assert statuses == {"ledger:77#1": ("reversed", Decimal(8)), "ledger:77#2": ("open", Decimal(6))}


def counter_time(hour: int) -> Any:
    from tests.api.services.desk import APRIL

    return APRIL.replace(hour=hour)


def test_time_is_refused_for_nobody_nothing_and_by_oneself(counter: Counter) -> None:
    with pytest.raises(InputIncomplete, match="W-77"):
        counter.ask("post-approved-time", MANAGER, **time_of(resource="W-77"))
    with pytest.raises(ProjectNotCreated):
        counter.ask("post-approved-time", MANAGER, **time_of(project="P-9"))
    with pytest.raises(SelfApproval):
        counter.ask("post-approved-time", MANAGER, **time_of(approved_by="W-1"))
    with pytest.raises(HoursOutOfRange):
        counter.ask("post-approved-time", MANAGER, **time_of(hours=Decimal(30)))
    assert "timesheet.time_logged.v1" not in counter.world.names()


def test_an_expense_is_submitted_then_approved_and_becomes_a_lot(counter: Counter) -> None:
    answer = counter.ask(
        "submit-billable-expense",
        MANAGER,
        report="ER-1",
        line="1",
        resource="W-1",
        project="P-1-L1",
        category="travel",
        spent_on=MONDAY,
        amount=Amount(Decimal("119.00"), "EUR"),
        recoverable_tax=Decimal("19.00"),
        receipt="r-1",
    )
    assert names(answer) == ["expense.recorded.v1", "expense.submitted.v1"]
    counter.ask("approve-expense", MANAGER, report="ER-1", lines=("1",))
    (held,) = counter.world.read(stream_of("expense_report", "ER-1")).lots.values()
    assert held.lot.value == euros("100.00")


@pytest.mark.parametrize("hour", [11, 10, 4], ids=["later", "at the same moment", "by a clock that was put back"])
def test_a_corrected_expense_replaces_its_lot(counter: Counter, hour: int) -> None:
    told: dict[str, Any] = {"report": "ER-1", "line": "1", "resource": "W-1", "project": "P-1-L1", "category": "travel"}
    for amount in ("100", "60"):
        euro = Amount(Decimal(amount), "EUR")
        counter.ask("submit-billable-expense", MANAGER, **told, spent_on=MONDAY, amount=euro)
        counter.ask("approve-expense", MANAGER, report="ER-1", lines=("1",), approved_by="W-9")
        counter.desk._clock = lambda: counter_time(hour)
    book = counter.world.read(stream_of("expense_report", "ER-1")).lots
    lots = [(held.status.value, held.lot.value) for held in book.values()]
    assert lots == [("reversed", euros(100)), ("open", euros(60))]


def test_an_expense_in_an_unknown_currency_is_refused(counter: Counter) -> None:
    with pytest.raises(UnknownCurrency):
        counter.ask(
            "submit-billable-expense",
            MANAGER,
            report="ER-1",
            line="1",
            resource="W-1",
            project="P-1-L1",
            category="travel",
            spent_on=MONDAY,
            amount=Amount(Decimal(1), "EURO"),
        )


def test_billing_is_held_and_released(counter: Counter) -> None:
    held = counter.ask("hold-billing", PREPARER, project="P-1-L1", reason="dispute")
    assert names(held) == ["project.billing_held.v1"]
    assert names(counter.ask("release-billing", PREPARER, project="P-1-L1")) == ["project.billing_hold_released.v1"]
    assert names(counter.ask("hold-billing", MANAGER, engagement="E-1", reason="audit")) == ["engagement.held.v1"]
    assert names(counter.ask("release-billing", MANAGER, engagement="E-1")) == ["engagement.hold_lifted.v1"]
    with pytest.raises(InputIncomplete, match="one of the two"):
        counter.ask("hold-billing", MANAGER, reason="?")


def test_a_purchase_order_is_recorded(counter: Counter) -> None:
    asked: dict[str, Any] = {
        "engagement": "E-1",
        "number": "4711",
        "amount": Amount(Decimal(5000), "EUR"),
        "valid_to": MONDAY,
    }
    answer = counter.ask("record-purchase-order", MANAGER, **asked)
    assert names(answer) == ["engagement.purchase_order_recorded.v1"]
    assert names(counter.ask("record-purchase-order", MANAGER, **asked)) == []


def test_a_cap_is_changed_but_not_below_what_is_billed(counter: Counter) -> None:
    counter.world.work("1")
    counter.ask("request-invoice", PREPARER, engagement="E-1")
    with pytest.raises(CapBelowBilled):
        counter.ask("change-cap", APPROVER, engagement="E-1", line="L1", cap=Amount(Decimal(100), "EUR"))
    answer = counter.ask("change-cap", APPROVER, engagement="E-1", line="L1", cap=Amount(Decimal(1200), "EUR"))
    assert names(answer) == ["engagement.cap_changed.v1"]
    assert names(counter.ask("change-cap", APPROVER, engagement="E-1", line="L1")) == ["engagement.cap_changed.v1"]


def test_a_milestone_is_accepted_with_evidence() -> None:
    fixed = ContractLine("L1", "Design", FixedFeeMilestones(milestones=(Milestone("M1", "Concept", euros(5000)),)))
    counter = Counter(World().firm().contract(line=fixed))
    asked: dict[str, Any] = {"engagement": "E-1", "line": "L1", "milestone": "M1"}
    with pytest.raises(EvidenceMissing):
        counter.ask("accept-milestone", MANAGER, **asked, evidence=" ")
    answer = counter.ask("accept-milestone", MANAGER, **asked, evidence="mail")
    assert names(answer) == ["engagement.milestone_accepted.v1", "lot.rated.v1"]
    assert answer.states[ENGAGEMENT].accepted["L1", "M1"].accepted_on == date(2026, 4, 1)


def drafted(counter: Counter, **asked: Any) -> str:
    answer = counter.ask("request-invoice", PREPARER, engagement="E-1", **asked)
    (stream,) = answer.states
    return str(stream).removeprefix("invoice:")


def test_an_invoice_goes_from_lots_to_paid(counter: Counter) -> None:
    counter.world.work("1")
    invoice = drafted(counter, cut_off=date(2026, 3, 31))
    stream = stream_of("invoice", invoice)
    assert isinstance(counter.world.read(stream), Draft)
    assert names(counter.ask("approve-invoice", APPROVER, invoice=invoice)) == ["invoice.approved.v1"]
    assert isinstance(counter.world.read(stream), Approved)
    issued = counter.ask("issue-invoice", APPROVER, invoice=invoice, issued_on=date(2026, 4, 2))
    assert names(issued) == ["number_series.number_taken.v1", "invoice.issued.v1", "lot.billed.v1"]
    document = issued.states[stream].document
    assert (document.number, document.issued_on, document.gross) == (
        "DE01-2026-000001",
        date(2026, 4, 2),
        euros("1428.00"),
    )
    paid = counter.ask(
        "record-payment", PREPARER, invoice=invoice, payment="B-1", amount=Amount(Decimal("1428.00"), "EUR")
    )
    assert names(paid) == ["invoice.payment_received.v1", "invoice.paid.v1"]
    state = counter.world.read(stream)
    assert isinstance(state, Issued)
    assert state.paid_on == date(2026, 4, 1)
    assert state.postings["erp"].state == "requested"


def test_a_draft_is_discarded_and_its_lots_are_open_again(counter: Counter) -> None:
    stream = counter.world.work("1")
    invoice = drafted(counter)
    answer = counter.ask("discard-draft", PREPARER, invoice=invoice, reason="too early")
    assert isinstance(answer.states[stream_of("invoice", invoice)], Discarded)
    assert [held.status.value for held in counter.world.read(stream).lots.values()] == ["open"]


def test_only_eligible_lots_can_be_chosen(counter: Counter) -> None:
    stream = counter.world.work("1")
    counter.ask("hold-billing", PREPARER, project="P-1-L1", reason="dispute")
    with pytest.raises(LotsNotEligible, match="PROJECT_BILLING_HOLD"):
        counter.ask("request-invoice", PREPARER, engagement="E-1", lots=(LotInput(stream, "jira:1#1"),))
    with pytest.raises(NothingToBill):
        counter.ask("request-invoice", PREPARER, engagement="E-1")


def test_a_billing_run_drafts_every_engagement_of_an_entity(counter: Counter) -> None:
    counter.world.work("1")
    answer = counter.ask("request-invoice", PREPARER, selling_entity="DE01")
    assert [type(state) for state in answer.states.values()] == [Draft]
    with pytest.raises(NothingToBill, match="DE01"):
        counter.ask("request-invoice", PREPARER, selling_entity="DE01")
    with pytest.raises(InputIncomplete, match="one of the two"):
        counter.ask("request-invoice", PREPARER, selling_entity="DE01", engagement="E-1")


def test_the_preparer_does_not_approve_above_the_limit(counter: Counter) -> None:
    counter.world.work("1")
    invoice = counter.ask("request-invoice", ADMIN, engagement="E-1").states
    with pytest.raises(PreparerApproves):
        counter.ask("approve-invoice", ADMIN, invoice=str(next(iter(invoice))).removeprefix("invoice:"))


def test_a_payment_above_the_balance_is_refused(counter: Counter) -> None:
    counter.world.work("1")
    invoice = drafted(counter)
    counter.ask("approve-invoice", APPROVER, invoice=invoice)
    counter.ask("issue-invoice", APPROVER, invoice=invoice)
    with pytest.raises(PaymentAboveBalance):
        counter.ask("record-payment", PREPARER, invoice=invoice, payment="B-1", amount=Amount(Decimal(9999), "EUR"))


def test_an_exception_is_retried_and_resolved(counter: Counter) -> None:
    stream = exception_stream("refused", "jira", "worklog", "7")
    problem = Problem("refused", "timesheet.day_too_long", "jira:worklog:7", "?", "!", "integration", engagement="E-1")
    counter.world.tell(stream, RaiseException(problem))
    name = str(stream).removeprefix("exception:")
    with pytest.raises(NothingToRetry):
        counter.ask("retry-exception", MANAGER, exception=name)
    counter.world.tell(stream, RaiseException(problem, "jira:7"))
    assert names(counter.ask("retry-exception", MANAGER, exception=name)) == ["exception.retried.v1"]
    assert names(counter.ask("resolve-exception", MANAGER, exception=name, how="corrected")) == [
        "exception.resolved.v1"
    ]
    with pytest.raises(ExceptionNotOpen):
        counter.ask("resolve-exception", MANAGER, exception="refused:jira:worklog:8", how="?")


def test_an_identifier_is_assigned_by_the_firm_only(counter: Counter) -> None:
    asked: dict[str, Any] = {"system": "jira", "object": "issue", "external_id": "1", "target": "P-1-L1/design"}
    assert names(counter.ask("assign-identifier", ADMIN, **asked)) == ["identifier.assigned.v1"]
    somewhere = person(Role.ADMIN, reach=Reach(frozenset({"DE01"})))
    with pytest.raises(OutOfScope):
        counter.ask("assign-identifier", somewhere, **asked)


def test_the_same_request_again_gets_the_same_answer(counter: Counter) -> None:
    counter.world.work("1")
    first = counter.ask("request-invoice", PREPARER, key="run-1", engagement="E-1")
    head = counter.world.ledger.head()
    again = counter.ask("request-invoice", PREPARER, key="run-1", engagement="E-1")
    assert again.repeated
    assert (again.position, again.events, again.states) == (first.position, first.events, first.states)
    assert counter.world.ledger.head() == head


def test_a_request_without_news_is_remembered_with_its_object(counter: Counter) -> None:
    asked: dict[str, Any] = {"project": "P-1-L1", "resource": "W-1", "starts": MONDAY}
    counter.ask("assign-resource", MANAGER, **asked)
    assert counter.ask("assign-resource", MANAGER, key="k", **asked).events == ()
    again = counter.ask("assign-resource", MANAGER, key="k", **asked)
    assert (again.repeated, list(again.states)) == (True, [PROJECT])


def test_a_key_is_for_one_request_of_one_person(counter: Counter) -> None:
    counter.ask("hold-billing", PREPARER, key="k", project="P-1-L1", reason="one")
    with pytest.raises(IdempotencyKeyReused):
        counter.ask("hold-billing", PREPARER, key="k", project="P-1-L1", reason="two")
    other = counter.ask("hold-billing", APPROVER, key="k", project="P-1-L1", reason="two")
    assert not other.repeated
    with pytest.raises(InputIncomplete, match="idempotencyKey"):
        counter.ask("hold-billing", PREPARER, key=" ", project="P-1-L1", reason="two")


def test_a_dry_run_decides_everything_and_records_nothing(counter: Counter) -> None:
    counter.world.work("1")
    head = counter.world.ledger.head()
    preview = counter.ask("request-invoice", PREPARER, key="k", dry_run=True, engagement="E-1")
    assert preview.dry_run
    assert names(preview) == ["lot.reserved.v1", "engagement.billing_claimed.v1", "invoice.drafted.v1"]
    (draft,) = preview.states.values()
    assert (draft.net, draft.lines[0].description) == (euros("1200.00"), "Data platform: Work: Senior")
    assert counter.world.ledger.head() == head
    real = counter.ask("request-invoice", PREPARER, key="k", engagement="E-1")
    assert (real.repeated, real.events) == (False, preview.events)
    with pytest.raises(NothingToBill):
        counter.ask("request-invoice", PREPARER, dry_run=True, engagement="E-1")


def test_a_dry_run_is_not_for_those_who_may_not_do_it(counter: Counter) -> None:
    with pytest.raises(NotPermitted):
        counter.ask("request-invoice", MANAGER, dry_run=True, engagement="E-1")


def test_read_models_that_stay_behind_are_told(world: World) -> None:
    with pytest.raises(ReadModelsBehind):
        Counter(world, behind=True).ask("request-invoice", PREPARER, engagement="E-1")


def test_a_lost_race_is_decided_again(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, losses = counter.world.ledger.commit, [VersionConflict("first"), VersionConflict("second")]

    def lose_twice(unit: Any) -> Any:
        if losses:
            raise losses.pop()
        return commit(unit)

    monkeypatch.setattr(counter.world.ledger, "commit", lose_twice)
    answer = counter.ask("hold-billing", PREPARER, project="P-1-L1", reason="dispute")
    assert names(answer) == ["project.billing_held.v1"]
    assert losses == []


ELSEWHERE = Reach(frozenset({"FR01"}), frozenset({"AMER"}))


@pytest.mark.parametrize("reach", [Reach(frozenset({"DE01"})), Reach(regions=frozenset({"EMEA"}))])
def test_a_token_for_the_entity_or_its_region_is_enough(counter: Counter, reach: Reach) -> None:
    manager = person(Role.PROJECT_MANAGER, reach=reach)
    assert counter.ask("hold-billing", manager, project="P-1-L1", reason="dispute").events


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("create-project", {"engagement": "E-1", "line": "L1", "title": "?", "starts": MONDAY}),
        ("assign-resource", {"project": "P-1-L1", "resource": "W-1", "starts": MONDAY}),
        ("post-approved-time", time_of()),
        (
            "submit-billable-expense",
            {
                "report": "ER-1",
                "line": "1",
                "resource": "W-1",
                "project": "P-1-L1",
                "category": "travel",
                "spent_on": MONDAY,
                "amount": Amount(Decimal(1), "EUR"),
            },
        ),
        ("hold-billing", {"engagement": "E-1", "reason": "?"}),
        ("release-billing", {"project": "P-1-L1"}),
        ("record-purchase-order", {"engagement": "E-1", "number": "1"}),
        ("change-cap", {"engagement": "E-1", "line": "L1"}),
        ("accept-milestone", {"engagement": "E-1", "line": "L1", "milestone": "M", "evidence": "?"}),
        ("agree-line", {"engagement": "E-1", "line": LineInput("L1", "Work", "time_and_materials")}),
        ("approve-change-order", {"engagement": "E-1", "change_order": "CO-1"}),
        ("reject-change-order", {"engagement": "E-1", "change_order": "CO-1", "reason": "?"}),
        ("change-limits", {"engagement": "E-1", "line": "L1"}),
        ("agree-engagement-cap", {"engagement": "E-1"}),
        ("agree-billing-limit", {"customer": "C-1", "currency": "EUR"}),
        ("grant-retainer", {"engagement": "E-1", "line": "L1", "grant": "R1"}),
        ("complete-engagement", {"engagement": "E-1"}),
        ("request-invoice", {"engagement": "E-1"}),
        ("request-invoice", {"selling_entity": "DE01"}),
        ("discard-draft", {"invoice": "I-1", "reason": "?"}),
        ("approve-invoice", {"invoice": "I-1"}),
        ("issue-invoice", {"invoice": "I-1"}),
        ("record-payment", {"invoice": "I-1", "payment": "p", "amount": Amount(Decimal(1), "EUR")}),
        ("discard-draft", {"invoice": "I-404", "reason": "?"}),
        ("resolve-exception", {"exception": "refused:x", "how": "?"}),
        ("retry-exception", {"exception": "refused:x"}),
        ("assign-identifier", {"system": "s", "object": "o", "external_id": "1", "target": "t"}),
    ],
)
def test_nothing_is_done_for_another_legal_entity(world: World, name: str, asked: dict[str, Any]) -> None:
    world.draft("I-1", world.lots(world.work("1")))
    head = world.ledger.head()
    with pytest.raises(OutOfScope):
        Counter(world).ask(name, person(Role.ADMIN, reach=ELSEWHERE), **asked)
    assert world.ledger.head() == head


def test_every_service_needs_somebody_with_a_role_for_it(counter: Counter) -> None:
    for name, service in SERVICES.items():
        with pytest.raises(NotSignedIn):
            counter.desk.run(service, None, None, "k")
        for role in (Role.VIEWER, Role.AUDITOR):
            with pytest.raises(NotPermitted, match=name):
                counter.desk.run(service, None, person(role), "k")


def test_an_invoice_is_not_dated_into_a_closed_period(world: World, counter: Counter) -> None:
    week = world.work("1")
    world.draft("I-1", world.lots(week)).approve("I-1")
    march: dict[str, Any] = {"entity": "DE01", "period": "2026-03"}
    counter.ask("open-period", PREPARER, **march)
    counter.ask("soft-close-period", PREPARER, **march)
    with pytest.raises(PeriodIsSoftClosed):
        counter.ask("issue-invoice", PREPARER, invoice="I-1", issued_on=date(2026, 3, 31))
    counter.ask("close-period", APPROVER, **march)
    with pytest.raises(PeriodIsClosed):
        counter.ask("issue-invoice", APPROVER, invoice="I-1", issued_on=date(2026, 3, 31))
    assert "invoice.issued.v1" in names(
        counter.ask("issue-invoice", APPROVER, invoice="I-1", issued_on=date(2026, 4, 1))
    )
