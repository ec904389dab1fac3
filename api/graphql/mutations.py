"""The governed services as mutations: one field for each, made of the same catalogue that NATS answers from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, Final, cast, get_args, get_origin

import strawberry
import structlog
from strawberry.scalars import JSON
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

from api.errors import Problem as ProblemRow
from api.errors import problem_of
from api.graphql.asking import Info
from api.graphql.objects import Objects, objects_of
from api.graphql.scalars import Position
from api.services.catalogue import SERVICES
from api.services.inputs import about, camel, field_hints, is_required, optional, read_input
from api.services.service import Answer, EventShown, Service
from domain.kernel import Refused

_log = structlog.get_logger(__name__)

IdempotencyKey = Annotated[
    str,
    strawberry.argument(description="The caller's own name for this request: sent again it gets the first answer."),
]
DryRun = Annotated[
    bool, strawberry.argument(description="Decide everything, record nothing, and show what would be recorded.")
]


@strawberry.type(description="Something that did not work: programs rely on the code, people read the rest.")
class Problem:
    """See the description."""

    code: str
    message: str
    fix: str = strawberry.field(description="What to do.")


@strawberry.type(description="An event that was recorded, or in a dry run would be.")
class RecordedEvent:
    """See the description."""

    id: strawberry.ID = strawberry.field(description="stream@version")
    stream: str
    version: int
    name: str = strawberry.field(description="Its published name, see docs/events.md.")
    content: JSON


@dataclass(frozen=True, slots=True)
class Reply:
    """What a mutation came to, as its payload shows it."""

    position: int | None = None
    events: Sequence[EventShown] = ()
    dry_run: bool = False
    repeated: bool = False
    left_out: Sequence[ProblemRow] = ()
    errors: Sequence[ProblemRow] = ()
    answer: Answer | None = None


async def _objects(root: strawberry.Parent[Reply], info: Info) -> Objects:
    return await objects_of(info, root.answer)


@strawberry.type(
    description="What a service came to. Either there are errors and nothing was recorded, or there are none."
)
class Payload:
    """See the description."""

    position: Position | None = strawberry.field(description="What a later query may wait for (waitFor).")
    events: list[RecordedEvent] = strawberry.field(description="What was recorded; in a dry run, what would be.")
    dry_run: bool = strawberry.field(description="Whether nothing was recorded because only a dry run was asked for.")
    repeated: bool = strawberry.field(description="Whether this request had been answered before: this is that answer.")
    left_out: list[Problem] = strawberry.field(description="What a billing run could not bill, and why.")
    errors: list[Problem] = strawberry.field(description="Why nothing was done; empty when it was.")
    objects: Objects = strawberry.field(resolver=_objects, description="The objects as they are after it, or would be.")


_INPUTS: Final[dict[type, type]] = {}


def input_of(kind: type) -> type:
    """The GraphQL input of a service's input: the same fields, with the same descriptions."""
    if kind not in _INPUTS:
        hints = field_hints(kind)
        body: dict[str, Any] = {"__annotations__": {}, "__doc__": kind.__doc__}
        for each in fields(kind):
            body["__annotations__"][each.name] = _type_of(hints[each.name], required=is_required(each))
            told: dict[str, Any] = {"description": about(hints[each.name])}
            body[each.name] = strawberry.field(**told if is_required(each) else told | {"default": None})
        name = kind.__name__ if kind.__name__.endswith("Input") else f"{kind.__name__}Input"
        description = (kind.__doc__ or "").strip().splitlines()[0]
        _INPUTS[kind] = strawberry.input(type(name, (), body), name=name, description=description)
    return _INPUTS[kind]


def _type_of(hint: Any, *, required: bool) -> Any:
    kind, may_be_nothing = optional(hint)
    shown: Any = kind
    if get_origin(kind) is tuple:
        shown = list[_type_of(get_args(kind)[0], required=True)]  # type: ignore[misc]  # made at run time
    elif is_dataclass(kind) and isinstance(kind, type):
        shown = input_of(kind)
    return shown if required and not may_be_nothing else shown | None


def _said(value: Any) -> Any:
    """An input as a message would tell it, so that both ways in are read by the same rules."""
    if is_dataclass(value) and not isinstance(value, type):
        told = {each.name: getattr(value, each.name) for each in fields(value)}
        return {camel(name): _said(each) for name, each in told.items() if each is not None}
    return [_said(each) for each in value] if isinstance(value, list) else value


def _mutation(service: Service[Any]) -> StrawberryField:
    async def resolve(
        info: Info,
        input: Any,
        idempotency_key: IdempotencyKey,
        dry_run: DryRun = False,
    ) -> Payload:
        context = info.context

        def run() -> Answer:
            asked = read_input(service.input, _said(input))
            return context.parts.desk.run(service, asked, context.principal, idempotency_key, dry_run=dry_run)

        try:
            return cast(Payload, _reply(await context.parts.in_thread(run)))
        except Exception as error:  # noqa: BLE001 - the payload tells what went wrong, and no more
            if not isinstance(error, Refused):
                _log.exception("service failed", service=service.name)
            return cast(Payload, Reply(errors=(problem_of(error),)))

    resolve.__name__ = service.name.replace("-", "_")
    resolve.__annotations__ |= {"input": input_of(service.input), "return": Payload}
    return cast(StrawberryField, strawberry.mutation(resolver=resolve, description=service.about))


def _reply(answer: Answer) -> Reply:
    return Reply(answer.position, answer.events, answer.dry_run, answer.repeated, answer.left_out, answer=answer)


def mutation_type(services: Mapping[str, Service[Any]] = SERVICES) -> type:
    """The root of all mutations."""
    return create_type("Mutation", [_mutation(service) for service in services.values()])
