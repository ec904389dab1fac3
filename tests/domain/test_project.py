from dataclasses import replace
from datetime import date

from domain import project
from domain.periods import EndsBeforeItStarts
from domain.project import (
    AppointManager,
    Assignment,
    AssignResource,
    BillingHeld,
    BillingHoldReleased,
    ClosedBeforeItStarted,
    CloseProject,
    ConfirmSetUp,
    CreateProject,
    DefineTask,
    HoldBilling,
    ManagerAppointed,
    ProjectAlreadyCreated,
    ProjectClosed,
    ProjectCreated,
    ProjectNotCreated,
    ProjectOpenedForTime,
    RejectSetUp,
    ReleaseBillingHold,
    ReportSetUpInDoubt,
    ReportSetUpSent,
    RequestSetUp,
    ResourceAssigned,
    SetUpConfirmed,
    SetUpInDoubt,
    SetUpRejected,
    SetUpRequested,
    SetUpSent,
    Task,
    TaskDefined,
    UnknownTarget,
)
from tests.spec import Given, given

CREATE = CreateProject("P-1", "E-1", "Platform", "L1", "DE01", date(2026, 3, 1), targets=("psa", "erp"))


def nothing() -> Given:
    return given(project.decider)


def created() -> Given:
    return nothing().and_then(CREATE)


class TestCreating:
    def test_a_project_is_created_once(self) -> None:
        nothing().when(CREATE).then_happens(ProjectCreated)
        created().when(CREATE).stays_quiet()

    def test_other_terms_under_the_same_id_are_refused(self) -> None:
        other = CreateProject("P-1", "E-2", "Other", "L1", "DE01", date(2026, 3, 1))
        created().when(other).refuses(ProjectAlreadyCreated, "P-1")

    def test_it_ends_after_it_starts(self) -> None:
        backwards = CreateProject("P-1", "E-1", "P", "L1", "DE01", date(2026, 3, 1), ends=date(2026, 2, 1))
        nothing().when(backwards).refuses(EndsBeforeItStarts)

    def test_a_project_that_no_system_has_to_know_is_open_for_time_at_once(self) -> None:
        alone = CreateProject("P-1", "E-1", "P", "L1", "DE01", date(2026, 3, 1))
        nothing().when(alone).then_happens(ProjectCreated, ProjectOpenedForTime)

    def test_nothing_else_happens_before_it_exists(self) -> None:
        nothing().when(HoldBilling("why")).refuses(ProjectNotCreated)


class TestItsManager:
    def test_somebody_manages_it_from_when_they_are_appointed(self) -> None:
        created().when(AppointManager("W-5")).then(ManagerAppointed("W-5"))
        created().and_then(AppointManager("W-5")).when(AppointManager("W-6")).then(ManagerAppointed("W-6"))

    def test_who_manages_it_already_is_not_appointed_again(self) -> None:
        created().and_then(AppointManager("W-5")).when(AppointManager("W-5")).stays_quiet()
        nothing().and_then(replace(CREATE, manager="W-5")).when(AppointManager("W-5")).stays_quiet()


class TestSetUp:
    def test_it_opens_for_time_when_the_last_target_confirms(self) -> None:
        asked = created().and_then(RequestSetUp("psa"), RequestSetUp("erp"))
        asked.when(ConfirmSetUp("psa", "1")).then(SetUpConfirmed("psa", "1"))
        half = asked.and_then(ConfirmSetUp("psa", "1"))
        half.when(ConfirmSetUp("erp", "2")).then(SetUpConfirmed("erp", "2"), ProjectOpenedForTime())

    def test_the_same_confirmation_again_stays_quiet(self) -> None:
        created().and_then(ConfirmSetUp("psa", "1")).when(ConfirmSetUp("psa", "1")).stays_quiet()

    def test_it_is_requested_once_and_again_after_a_rejection(self) -> None:
        created().when(RequestSetUp("erp")).then(SetUpRequested("erp"))
        created().and_then(RequestSetUp("erp")).when(RequestSetUp("erp")).stays_quiet()
        rejected = created().and_then(RequestSetUp("erp"), RejectSetUp("erp", "no cost centre"))
        rejected.when(RejectSetUp("erp", "no cost centre")).stays_quiet()
        rejected.when(RequestSetUp("erp")).then(SetUpRequested("erp"))

    def test_a_rejection_says_why(self) -> None:
        created().when(RejectSetUp("erp", "no cost centre")).then(SetUpRejected("erp", "no cost centre"))

    def test_what_is_sent_may_be_in_doubt_until_it_is_confirmed(self) -> None:
        asked = created().and_then(RequestSetUp("erp"))
        asked.when(ReportSetUpSent("erp")).then(SetUpSent("erp"))
        sent = asked.and_then(ReportSetUpSent("erp"))
        sent.when(ReportSetUpSent("erp")).stays_quiet()
        sent.when(ReportSetUpInDoubt("erp", "timeout")).then(SetUpInDoubt("erp", "timeout"))
        sent.and_then(ConfirmSetUp("erp", "2")).when(ReportSetUpInDoubt("erp", "timeout")).stays_quiet()

    def test_a_system_that_is_no_target_is_refused(self) -> None:
        created().when(ConfirmSetUp("crm", "1")).refuses(UnknownTarget, "crm", "psa, erp")


class TestWork:
    def test_tasks_and_people_are_stated_once(self) -> None:
        define, assign = DefineTask(Task("T-1", "Design")), AssignResource(Assignment("W-1", date(2026, 3, 1)))
        created().when(define).then(TaskDefined(Task("T-1", "Design")))
        created().when(assign).then(ResourceAssigned(Assignment("W-1", date(2026, 3, 1))))
        created().and_then(define, assign).when(define, assign).stays_quiet()

    def test_a_task_may_be_paid_by_another_line_or_by_nobody(self) -> None:
        state = (
            created()
            .and_then(
                DefineTask(Task("T-1", "Extra", line="L2")), DefineTask(Task("T-2", "Internal", chargeable=False))
            )
            .state
        )
        assert (state.line_of("T-1"), state.line_of("T-2"), state.line_of(None)) == ("L2", "L1", "L1")
        assert (state.is_chargeable("T-1"), state.is_chargeable("T-2"), state.is_chargeable("T-9")) == (
            True,
            False,
            True,
        )

    def test_a_place_covers_its_days_only(self) -> None:
        place = Assignment("W-1", date(2026, 3, 1), date(2026, 3, 31), "Lead")
        state = created().and_then(AssignResource(place)).state
        assert state.assignment_of("W-1", date(2026, 3, 31)) == place
        assert state.assignment_of("W-1", date(2026, 4, 1)) is None

    def test_billing_is_held_and_released_once(self) -> None:
        created().when(HoldBilling("dispute")).then(BillingHeld("dispute"))
        held = created().and_then(HoldBilling("dispute"))
        held.when(HoldBilling("dispute")).stays_quiet()
        held.when(ReleaseBillingHold()).then(BillingHoldReleased())
        created().when(ReleaseBillingHold()).stays_quiet()

    def test_it_is_closed_once_and_not_before_it_started(self) -> None:
        created().when(CloseProject(date(2026, 6, 30))).then(ProjectClosed(date(2026, 6, 30)))
        created().and_then(CloseProject(date(2026, 6, 30))).when(CloseProject(date(2026, 6, 30))).stays_quiet()
        created().when(CloseProject(date(2026, 2, 1))).refuses(ClosedBeforeItStarted)
