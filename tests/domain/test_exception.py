from domain import exception
from domain.exception import (
    ExceptionNotOpen,
    ExceptionOpened,
    ExceptionRecurred,
    ExceptionResolved,
    ExceptionRetried,
    NothingToRetry,
    Problem,
    RaiseException,
    ResolveException,
    RetryException,
)
from tests.spec import Given, given

PROBLEM = Problem(
    "refused", "timesheet.day_too_long", "jira:worklog:1", "A day has 24 hours.", "Correct it.", "project_manager"
)


def nothing() -> Given:
    return given(exception.decider)


def opened() -> Given:
    return nothing().and_then(RaiseException(PROBLEM, "jira:m1"))


def test_a_problem_is_opened_once_and_gathers_its_repetitions() -> None:
    nothing().when(RaiseException(PROBLEM, "jira:m1")).then(ExceptionOpened(PROBLEM, "jira:m1"))
    opened().when(RaiseException(PROBLEM, "jira:m1")).stays_quiet()
    opened().when(RaiseException(PROBLEM, "jira:m2")).then(ExceptionRecurred(PROBLEM, "jira:m2"))


def test_a_retry_names_all_messages_of_the_problem() -> None:
    twice = opened().and_then(RaiseException(PROBLEM, "jira:m2"))
    twice.when(RetryException("ann")).then(ExceptionRetried("ann", ("jira:m1", "jira:m2")))


def test_what_has_no_message_or_is_not_open_cannot_be_retried() -> None:
    nothing().and_then(RaiseException(PROBLEM)).when(RetryException("ann")).refuses(NothingToRetry)
    opened().and_then(ResolveException("ann", "fixed")).when(RetryException("ann")).refuses(ExceptionNotOpen)


def test_it_is_resolved_once_and_may_open_again() -> None:
    opened().when(ResolveException("ann", "fixed")).then(ExceptionResolved("ann", "fixed"))
    done = opened().and_then(ResolveException("ann", "fixed"))
    done.when(ResolveException("ann", "fixed")).stays_quiet()
    done.when(RaiseException(PROBLEM, "jira:m1")).then_happens(ExceptionOpened)
    nothing().when(ResolveException("ann", "fixed")).refuses(ExceptionNotOpen)
