"""A desk for tests: governed services and questions over HTTP, with read models that follow at once."""

from __future__ import annotations

import uuid
from typing import Any

from api.access import Role
from api.services.catalogue import SERVICES
from projections import build
from tests.api.asker import Asker
from tests.world import World


class ServiceDesk:
    """A world behind its web address, that anybody may be before."""

    def __init__(self, asker: Asker, world: World) -> None:
        self.asker = asker
        self.world = world
        asker.world = world

    def fold(self) -> None:
        """Bring the live read models up to the log."""
        log, generations = self.asker.parts.ledger, self.asker.generations
        generations.prepare()
        live = generations.live() or build.rebuild(log, generations).generation
        build.fill(log, generations, live, log.head())

    def do(self, service: str, role: Role = Role.FINANCE_APPROVER, **asked: Any) -> Any:
        """A mutation; its payload."""
        query = (
            f"mutation($input: {_INPUT_OF[service]}!, $key: String!)"
            f" {{ done: {service}(input: $input, idempotencyKey: $key)"
            " { position events { name content } errors { code message } } }"
        )
        self.fold()
        answer = self.asker.ask(query, {"input": asked, "key": str(uuid.uuid4())}, role=role)["done"]
        self.world.react()
        self.fold()
        return answer

    def events(self, service: str, role: Role = Role.FINANCE_APPROVER, **asked: Any) -> list[str]:
        """The names of what a service recorded."""
        answer = self.do(service, role, **asked)
        assert answer["errors"] == [], answer
        return [each["name"] for each in answer["events"]]

    def refusals(self, service: str, role: Role = Role.FINANCE_APPROVER, **asked: Any) -> list[str]:
        """The codes with which a service refused."""
        return [each["code"] for each in self.do(service, role, **asked)["errors"]]

    def ask(self, query: str, role: Role = Role.AUDITOR) -> Any:
        """The answer of one question."""
        self.fold()
        (answer,) = self.asker.ask(f"{{ {query} }}", role=role).values()
        return answer


def _in_camel_case(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(each.capitalize() for each in rest)


_INPUT_OF = {_in_camel_case(name): service.input.__name__ for name, service in SERVICES.items()}
