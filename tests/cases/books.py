"""A firm as the published cases on the books describe it: one hour's price and cost, one rate of tax, its currencies.

It is told through commands, and asked through the read models that it folds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adapters.eventstore.memory import MemoryLedger
from domain.calendar import FIRM, OpenDay
from domain.catalogue import DECIDERS, EVENTS
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine, OpenEngagement, SignEngagement
from domain.engagement.progress import RecordCost, ReviseEstimate
from domain.kernel import stream_of
from domain.money import Money
from domain.ports import LotAt
from domain.project import ConfirmSetUp
from domain.reference.customer import DescribeCustomer
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.reference.tax_pack import TaxCategory
from domain.reference.tax_rule import SetTaxRule, TaxRule
from projections.journal.tables import LINES, POSTINGS, PostingRecord
from tests.projections.books import fold
from tests.world import CUSTOMER, ENGAGEMENT, NEW_YEAR, NINE, PROJECT, World

Balances = dict[str, Decimal]


class Firm(World):
    """The entity DE01 and its engagement E-1 of one line L1."""

    def __init__(
        self,
        *,
        vat: str = "0",
        hourly: str = "200",
        cost: str = "100",
        functional: str = "EUR",
        currency: str = "EUR",
    ) -> None:
        super().__init__(MemoryLedger(EVENTS, DECIDERS))
        self.functional, self.currency = functional, currency
        address = Address("Unter den Linden 1", "Berlin", "10117", "DE")
        limit = Money(Decimal(10_000_000), functional)
        terms = LegalEntityTerms(
            NEW_YEAR, "Firm GmbH", address, functional, "Europe/Berlin", "DE136695976", "DE01", limit, "EMEA"
        )
        self.tell(stream_of("legal_entity", "DE01"), DefineLegalEntity("DE01", terms))
        described = {"name": "Acme", "street": "Am Markt 2", "city": "Bonn", "postal_code": "53111", "country": "DE"}
        self.tell(CUSTOMER, DescribeCustomer("C-1", described, NINE))
        category: TaxCategory = "S" if Decimal(vat) else "Z"
        self.tell(stream_of("tax_rule", "DE"), SetTaxRule("DE", TaxRule(NEW_YEAR, "DE", category, Decimal(vat))))
        worker = ResourceTerms(
            NEW_YEAR, "Senior", "DE01", "Berlin", "Data", Money(Decimal(cost), functional), Decimal(40), NINE
        )
        self.tell(stream_of("resource", "W-1"), DescribeResource("W-1", worker))
        row = RateRow("senior", self.money(hourly), NEW_YEAR, role="Senior")
        self.tell(rate_card_stream("firm", "FIRM"), SetRate(row))

    def money(self, amount: object) -> Money:
        """An amount in the currency of the engagement."""
        return Money(Decimal(str(amount)), self.currency)

    def sells(self, line: ContractLine | None = None) -> Firm:
        """The engagement is signed with one line."""
        self.tell(ENGAGEMENT, OpenEngagement("E-1", "Case", "C-1", "DE01", self.currency))
        self.tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR))
        self.tell(ENGAGEMENT, AgreeLine(line or ContractLine("L1", "Work", TimeAndMaterials())))
        self.tell(PROJECT, *(ConfirmSetUp(target, f"{target}-1") for target in ("psa", "erp")))
        return self

    def works(self, *hours: str, first_day: int = 0) -> list[LotAt]:
        """Approved hours, at most eight a day; returns their lots."""
        lots: list[LotAt] = []
        for place, each in enumerate(hours):
            sheet = self.work(f"{first_day + place}", each, day=first_day + place)
            lots += [at for at in self.lots(sheet) if at not in lots]
        return lots

    def rate_on(self, day: date, base: str, quote: str, rate: str) -> None:
        """A rate of exchange is published."""
        self.tell(fx_stream(base, quote), PublishFxRate(base, quote, day, Decimal(rate), "ECB"))

    def costs(self, name: str, amount: object, on: date) -> None:
        """The ERP tells a cost of the line."""
        self.tell(ENGAGEMENT, RecordCost("L1", name, on, self.money(amount), "subcontractor", "erp"))

    def expects(self, total: object, on: date, measure: Any = "cost") -> None:
        """The estimate at completion is revised."""
        revised = ReviseEstimate("L1", on, Decimal(str(total)), measure, "Planned anew.", "pm", NINE)
        self.tell(ENGAGEMENT, revised)

    def bills(self, invoice: str, lots: list[LotAt], on: date = date(2026, 4, 1)) -> Firm:
        """The lots are drafted, approved and issued."""
        self.draft(invoice, lots)
        self.approve(invoice)
        self.issue(invoice, on)
        return self

    def opens(self, *days: date) -> None:
        """The calendar says that days have begun."""
        self.tell(FIRM, *(OpenDay(day, NINE + timedelta(days=1)) for day in days))

    # -- what the books say ------------------------------------------------------------------------------------------

    def postings(self) -> list[PostingRecord]:
        """The journal, in the order in which it was posted."""
        rows = fold(self.ledger).all(POSTINGS)
        return [POSTINGS.row(values) for _, values in sorted(rows.items())]

    def entries(self, because: str, *, functional: bool = False) -> list[Balances]:
        """What each entry of a rule does to the accounts."""
        found: dict[str, Balances] = {}
        for each in self.postings():
            if each.because == because:
                accounts = found.setdefault(each.entry, defaultdict(Decimal))
                accounts[each.account] += each.functional if functional else each.amount
        return [dict(each) for each in found.values()]

    def balances(self, until: date = date.max, where: Callable[[PostingRecord], bool] = lambda _: True) -> Balances:
        """The functional balance of every account up to a day of the books."""
        sums: Balances = defaultdict(Decimal)
        for each in self.postings():
            if each.effective_on <= until and where(each):
                sums[each.account] += each.functional
        return sums

    def line(self) -> Any:
        """What the line has earned, and what is provided for it."""
        return LINES.row(fold(self.ledger).all(LINES)["E-1", "L1"])


def entry(told: list[list[Any]], accounts: dict[str, str]) -> Balances:
    """A published entry, its words turned into the roles of accounts."""
    sums: Balances = defaultdict(Decimal)
    for words, amount in told:
        sums[accounts[str(words).split(" ", 1)[1]]] += Decimal(str(amount).replace(",", ""))
    return dict(sums)
