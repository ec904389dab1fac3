"""People and programs before the ledger's web address, without a socket; and a firm with two legal entities."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
from fastapi import FastAPI

from adapters.postgres import connect
from adapters.settings import Settings
from api.access import Role
from api.serving.app import make_app, open_parts
from api.serving.parts import Parts
from api.tokens import local_token
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine, OpenEngagement, SignEngagement
from domain.exception import Problem, RaiseException, exception_stream
from domain.kernel import stream_of
from domain.project import ConfirmSetUp
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from projections import build
from projections.generation import Generations
from tests.world import MONDAY, NEW_YEAR, NINE, World, euros


class Asker:
    """Sends requests with tokens, and reads the answers."""

    def __init__(self, parts: Parts, world: World) -> None:
        self.parts = parts
        self.world = world
        self.app: FastAPI = make_app(parts)

    def token(self, role: Role, **scope: Any) -> str:
        return local_token(self.parts.settings.home, role, **scope)

    def fold(self) -> None:
        """Bring the live read models up to the log."""
        log, generations = self.parts.ledger, self.generations
        generations.prepare()
        live = generations.live() or build.rebuild(log, generations).generation
        build.fill(log, generations, live, log.head())

    @property
    def generations(self) -> Generations:
        settings = self.parts.settings
        return Generations(partial(connect, settings.database_url or "", settings.db_schema), settings.db_schema)

    def send(self, method: str = "POST", path: str = "/graphql", **request: Any) -> httpx.Response:
        return asyncio.run(self._send(method, path, **request))

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
            return await client.request(method, path, **request)

    def post(
        self, query: str, variables: dict[str, Any] | None = None, *, token: str | None = None, role: Role = Role.ADMIN
    ) -> Any:
        headers = {"Authorization": f"Bearer {token or self.token(role)}"}
        return self.send(json={"query": query, "variables": variables or {}}, headers=headers).json()

    def ask(self, query: str, variables: dict[str, Any] | None = None, **who: Any) -> Any:
        answer = self.post(query, variables, **who)
        assert "errors" not in answer, answer
        return answer["data"]

    def codes(self, query: str, variables: dict[str, Any] | None = None, **who: Any) -> list[str]:
        return [error["extensions"]["code"] for error in self.post(query, variables, **who).get("errors", ())]


@contextmanager
def asking(settings: Settings) -> Iterator[Asker]:
    """Somebody who asks an empty ledger."""
    with open_parts(settings) as parts:
        yield Asker(parts, World(parts.ledger))


def two_entities(world: World) -> None:
    """DE01 in EMEA has billed, drafted and unbilled work and a problem; FR01 in APAC has one unbilled hour."""
    world.firm().contract(cap=euros(2600))
    week = world.work("1")
    world.draft("I-1", world.lots(week)).approve("I-1").issue("I-1")
    world.draft("I-2", world.lots(world.work("2", day=1))[1:])
    world.work("3", day=2, person="W-2")
    world.work("4", day=3, person="W-2", approve=False)
    problem = Problem("refused", "timesheet.day_too_long", "jira:worklog:7", "?", "!", "integration", engagement="E-1")
    world.tell(exception_stream("refused", "jira", "worklog", "7"), RaiseException(problem))
    _french(world)


def _french(world: World) -> None:
    terms = LegalEntityTerms(
        effective_from=NEW_YEAR,
        name="Firm SARL",
        address=Address("Rue 1", "Paris", "75001", "FR"),
        functional_currency="EUR",
        time_zone="Europe/Paris",
        tax_id="FR1",
        number_prefix="FR01",
        approval_limit=euros(1000),
        region="APAC",
    )
    world.tell(stream_of("legal_entity", "FR01"), DefineLegalEntity("FR01", terms))
    world.tell(stream_of("tax_rule", "FR"), SetTaxRule("FR", TaxRule(NEW_YEAR, "DE", "S", Decimal(20))))
    engagement = stream_of("engagement", "E-2")
    line = ContractLine("L1", "Conseil", TimeAndMaterials())
    world.tell(engagement, OpenEngagement("E-2", "Audit", "C-1", "FR01", "EUR"))
    world.tell(engagement, SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(line))
    project = stream_of("project", "P-2-L1")
    world.tell(project, *(ConfirmSetUp(target, f"{target}-2") for target in ("psa", "erp")))
    day = MONDAY + timedelta(days=4)
    stream = timesheet_stream("W-2", day)
    work = Work("P-2-L1", None, day, Decimal(1), started="09:00:00")
    world.tell(stream, LogTime("W-2", Claim("jira", "900", NINE + timedelta(days=4)), work))
    world.tell(stream, ApproveTime(("jira:900",), "W-9", NINE + timedelta(days=5)))
