"""A group for tests: a British entity whose people work for the customer of an American one, asked over HTTP.

The people are GBPM's, at 88 GBP an hour; the customer of USPM pays 200 USD an hour; one pound is 1.25 dollars.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine, OpenEngagement, SignEngagement
from domain.kernel import StreamId, stream_of
from domain.money import Money
from domain.ports import LotAt
from domain.processes.posting import Posting
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning
from domain.project import ConfirmSetUp
from domain.reference.customer import DescribeCustomer
from domain.reference.fx_policy import FX_POLICY, FxPolicyTerms, StateFxPolicy
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.api.asker import Asker
from tests.api.service_desk import ServiceDesk
from tests.world import MONDAY, NEW_YEAR, NINE, NoCandidates, World, reaction

LENDER, BORROWER = "GBPM", "USPM"
ENGAGEMENT, PROJECT = stream_of("engagement", "E-9"), stream_of("project", "P-9-L1")


class Transfers(NoCandidates):
    """All lots that the streams have: the domain leaves out what is not meant."""

    def __init__(self, world: World) -> None:
        self._world = world

    def transfers_of(self, **_: Any) -> Sequence[LotAt]:
        facts = self._world.ledger.read(0, 10_000)
        streams = dict.fromkeys(fact.stream for fact in facts if fact.name == "lot.rated.v1")
        return [LotAt(stream, lot) for stream in streams for lot in self._world.read(stream).lots]


class Group(World):
    """The small firm's rules and processes, for two entities."""

    def react(self) -> Group:
        processes = (Provisioning(), Pricing(), Posting())
        while facts := self.ledger.read(self.position, 500):
            for fact in facts:
                for process in processes:
                    self.record(reaction(process, fact, self.read, Transfers(self)))
                self.position = fact.position
        return self

    def set_up(self, *, pounds_in_dollars: str = "1.25") -> Group:
        """Both entities, their customer, engagement, people, prices and the exchange rate."""
        self._entity(BORROWER, "US", "USD", "Americas")
        self._entity(LENDER, "GB", "GBP", "EMEA")
        described = {
            "name": "Acme Inc",
            "street": "Main St 1",
            "city": "Austin",
            "postal_code": "73301",
            "country": "US",
        }
        self.tell(stream_of("customer", "C-9"), DescribeCustomer("C-9", described, NINE))
        self.tell(stream_of("tax_rule", "US"), SetTaxRule("US", TaxRule(NEW_YEAR, "*", "O", Decimal(0), "No tax")))
        self.tell(FX_POLICY, StateFxPolicy(FxPolicyTerms(NEW_YEAR, "USD")))
        for day in (MONDAY, date(2026, 3, 30)):
            rate = PublishFxRate("GBP", "USD", day, Decimal(pounds_in_dollars), "treasury")
            self.tell(fx_stream("GBP", "USD"), rate)
        terms = ResourceTerms(
            NEW_YEAR, "Senior", LENDER, "London", "Data", Money(Decimal(88), "GBP"), Decimal(40), NINE
        )
        self.tell(stream_of("resource", "W-9"), DescribeResource("W-9", terms))
        row = RateRow("senior", Money(Decimal(200), "USD"), NEW_YEAR, role="Senior")
        self.tell(rate_card_stream("firm", "FIRM"), SetRate(row))
        self.tell(ENGAGEMENT, OpenEngagement("E-9", "Platform", "C-9", BORROWER, "USD"))
        line = ContractLine("L1", "Work", TimeAndMaterials())
        self.tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(line))
        self.tell(PROJECT, *(ConfirmSetUp(target, f"{target}-9") for target in ("psa", "erp")))
        return self

    def _entity(self, entity: str, country: str, currency: str, region: str) -> None:
        terms = LegalEntityTerms(
            effective_from=NEW_YEAR,
            name=entity,
            address=Address("Street 1", "City", "1", country),
            functional_currency=currency,
            time_zone="Europe/London",
            tax_id=None,
            number_prefix=entity,
            approval_limit=Money(Decimal(1000), currency),
            region=region,
        )
        self.tell(stream_of("legal_entity", entity), DefineLegalEntity(entity, terms))

    def deliver(self, name: str, hours: str, *, day: int = 0) -> StreamId:
        """Approved hours of the British consultant on the American engagement."""
        on = MONDAY + timedelta(days=day)
        stream = timesheet_stream("W-9", on)
        said_at = NINE + timedelta(days=day)
        work = Work("P-9-L1", None, on, Decimal(hours), started="09:00:00")
        self.tell(stream, LogTime("W-9", Claim("jira", name, said_at), work))
        return self.approve_work(stream, name, day)

    def approve_work(self, stream: StreamId, name: str, day: int = 0) -> StreamId:
        self.tell(stream, ApproveTime((f"jira:{name}",), "W-1", NINE + timedelta(days=day, hours=10)))
        return stream

    def correct(self, stream: StreamId, name: str, hours: str, *, day: int = 0) -> None:
        """The same hours, told otherwise later, and approved again."""
        on = MONDAY + timedelta(days=day)
        work = Work("P-9-L1", None, on, Decimal(hours), started="09:00:00")
        self.tell(stream, LogTime("W-9", Claim("jira", name, NINE + timedelta(days=day, hours=12)), work))
        self.approve_work(stream, name, day=day + 1)


class GroupDesk(ServiceDesk):
    """The governed services and questions of the group."""

    world: Group

    def __init__(self, asker: Asker) -> None:
        super().__init__(asker, Group(asker.parts.ledger).set_up())
