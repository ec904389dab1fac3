"""What people and programs are told when something does not work: code, message, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from adapters.eventstore.errors import LedgerUnreachable, VersionConflict
from domain.kernel import Refused


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that did not work, by its code, which is a contract."""

    code: str
    message: str
    fix: str


HTTP_STATUS: Mapping[str, int] = {
    "access.not_signed_in": 401,
    "access.not_permitted": 403,
    "access.out_of_scope": 403,
    "document.unknown": 404,
    "ledger.unreachable": 503,
    "ledger.busy": 503,
    "database.unreachable": 503,
    "request.timed_out": 504,
    "internal": 500,
}
"""The HTTP status of each code; every other refusal is 422."""

INTERNAL = Problem("internal", "Something went wrong inside.", "Try again; if it stays, tell the operator the time.")
UNREACHABLE = Problem(
    "ledger.unreachable",
    "The database did not answer, so whether this was recorded is not known.",
    "Send the same request again with the same idempotency key: it is recorded once at most.",
)
NO_ANSWER = Problem("database.unreachable", "The database did not answer.", "Try again in a moment.")
TIMED_OUT = Problem(
    "request.timed_out", "The answer took too long.", "Ask for less at once: a shorter page, fewer fields, a filter."
)
BUSY = Problem("ledger.busy", "Others were changing the same objects all the time.", "Send the same request again.")


def problem_of(error: BaseException) -> Problem:
    """What is told about an error; the text of anything unexpected stays inside."""
    match error:
        case Refused():
            return Problem(error.code, error.message, error.fix)
        case LedgerUnreachable():
            return UNREACHABLE
        case VersionConflict():
            return BUSY
        case TimeoutError() | psycopg.errors.QueryCanceled():
            return TIMED_OUT
        case psycopg.OperationalError():
            return NO_ANSWER
        case _:
            return INTERNAL


def http_status(problem: Problem) -> int:
    """The HTTP status that goes with a problem."""
    return HTTP_STATUS.get(problem.code, 422)
