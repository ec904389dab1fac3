"""What happens around every operation: auditors' reads are noted, answers are measured, errors tell no secrets."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import structlog
from graphql import GraphQLError
from strawberry.extensions import MaskErrors, SchemaExtension
from strawberry.types.graphql import OperationType

from api.errors import Problem, problem_of
from api.graphql.asking import Context
from domain.kernel import Refused

_SUGGESTION: Final = re.compile(r" Did you mean .*", re.DOTALL)
_INVALID: Final = "request.invalid"

_log = structlog.get_logger(__name__)


def cause_of(error: GraphQLError) -> BaseException | None:
    """What went wrong in our own code; None for a request that GraphQL itself refuses."""
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return None if isinstance(cause, GraphQLError) else cause


class TellsNoSecrets(MaskErrors):
    """Errors carry code and fix; what nobody expected is logged here and told as an internal error.

    Suggestions are taken out: they would tell the names of fields to those who may not see the schema.
    """

    def __init__(self) -> None:
        super().__init__()

    def _process_errors(self, errors: list[GraphQLError]) -> list[GraphQLError]:
        return [self._told(error) for error in errors]

    def _told(self, error: GraphQLError) -> GraphQLError:
        cause = cause_of(error)
        if cause is None:
            code = str((error.extensions or {}).get("code", _INVALID))
            fix = str(
                (error.extensions or {}).get("fix", "Correct the request; docs/schema.graphql says what there is.")
            )
            problem = Problem(code, _SUGGESTION.sub("", error.message), fix)
        else:
            problem = problem_of(cause)
            if not isinstance(cause, Refused):
                _log.error("question failed", path=error.path, code=problem.code, exc_info=cause)
        return GraphQLError(
            problem.message,
            nodes=error.nodes,
            source=error.source,
            positions=error.positions,
            path=error.path,
            extensions={"code": problem.code, "fix": problem.fix},
        )


class ReadsAreNoted(SchemaExtension):
    """What an auditor reads is noted before it is answered; when it cannot be noted it is not answered."""

    async def on_execute(self) -> AsyncIterator[None]:
        """Note the operation, unless it is a mutation, which leaves its own trace."""
        operation = self.execution_context
        context: Any = operation.context
        if isinstance(context, Context) and operation.operation_type is not OperationType.MUTATION:
            principal, reads = context.principal, context.parts.reads
            if principal is not None and reads.are_logged(principal):
                name, query = operation.operation_name or "", operation.query or ""
                variables, channel = operation.variables or {}, context.channel
                await context.parts.in_thread(lambda: reads.note(principal, channel, name, query, variables))
        yield


class IsMeasured(SchemaExtension):
    """How many operations were answered, how, and how long it took."""

    def on_operation(self) -> Iterator[None]:
        """Count the operation when it is over."""
        began = time.perf_counter()
        yield
        operation = self.execution_context
        context: Any = operation.context
        if isinstance(context, Context):
            metrics = context.parts.metrics
            failed = bool(operation.pre_execution_errors)
            try:
                kind = operation.operation_type.value
            except RuntimeError:
                kind = "unreadable"
            metrics.requests.labels(context.channel, kind, "failed" if failed else "answered").inc()
            metrics.seconds.labels(context.channel).observe(time.perf_counter() - began)
