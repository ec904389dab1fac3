"""A group to which anything may happen: foreign money, work for each other, changed contracts, closed months, credits.

Everything is done by governed services, so that whatever is refused in life is refused here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.eventstore.base import BaseLedger
from api.access import WHOLE_FIRM, Principal, Role
from api.services.catalogue import SERVICES
from api.services.contracts.line_input import BillToInput, CategoryInput, LineInput, PartInput, RevenueInput
from api.services.crediting import CreditedPartInput
from api.services.desk import Desk
from api.services.drafts import AllowanceInput, LotInput, PrepaymentInput
from api.services.lots import PartOfLotInput
from api.services.payments import AllocationInput
from api.services.service import Amount
from domain.calendar import FIRM, OpenDay
from domain.engagement import OpenEngagement, SignEngagement
from domain.engagement.retainer import MakeGrantUsable
from domain.invoice import Draft, Issued, invoice_stream
from domain.kernel import Refused, StreamId, decider_name, stream_of
from domain.lots import LotStatus
from domain.money import Money
from domain.ports import LotAt
from domain.processes.cap_alerts import CapAlerts
from domain.processes.drawdown import Drawdown
from domain.processes.falling_due import FallingDue
from domain.processes.posting import Posting
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning
from domain.project import ConfirmSetUp
from domain.reference.customer import DescribeCustomer
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import ApproveTime, Claim, LogTime, RejectTime, Work, timesheet_stream
from tests.api.group import BORROWER, LENDER, Group, Transfers
from tests.api.services.desk import Follows
from tests.world import NEW_YEAR, NINE, reaction

START = date(2026, 3, 2)
PEOPLE = {"W-9": LENDER, "W-8": BORROWER, "W-7": LENDER}
ENTITIES = {LENDER: "GBP", BORROWER: "USD"}
ENGAGEMENTS = {"E-1": (BORROWER, "EUR"), "E-2": (LENDER, "EUR"), "E-3": (LENDER, "USD")}
SHARES = (("C-9", Decimal("66.67")), ("C-8", Decimal("33.33")))
PRICES = {"EUR": 150, "GBP": 125}
DISPOSITIONS = ("rebill", "rebill", "write_off", "non_billable")


class Everything(Transfers):
    """All lots that the streams have, whoever asks."""

    def eligible_of(self, *_: Any) -> Sequence[LotAt]:
        return [at for at in super().transfers_of() if self._is_open(at)]

    def transfers_of(self, **_: Any) -> Sequence[LotAt]:
        return [at for at in super().transfers_of() if decider_name(at.stream) != "engagement"]

    def engagements_billed_by_date(self) -> Sequence[str]:
        return list(ENGAGEMENTS)

    def transfer_pairs(self) -> Sequence[tuple[str, str]]:
        return [(LENDER, BORROWER), (BORROWER, LENDER)]

    def _is_open(self, at: LotAt) -> bool:
        return bool(self._world.read(at.stream).lots[at.lot].status is LotStatus.OPEN)


class RandomBooks(Group):
    """The group, its contracts of every kind, and a day that goes on."""

    def __init__(self, ledger: BaseLedger, seed: int) -> None:
        super().__init__(ledger)
        self.luck, self.told, self.day = random.Random(seed), 0, START
        self.candidates = Everything(self)
        self.set_up()
        self.processes = (Provisioning(), Pricing(), Posting(), Drawdown(), FallingDue(), CapAlerts())
        self.desk = Desk(ledger, self.candidates, Follows(), clock=lambda: self.now)
        self.refused: dict[str, int] = {}
        self.worked: set[tuple[str, date]] = set()
        self._firm()

    @property
    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 10, self.told % 60, tzinfo=UTC)

    def react(self) -> Group:
        while facts := self.ledger.read(self.position, 500):
            for fact in facts:
                for process in self.processes or ():
                    self.record(reaction(process, fact, self.read, self.candidates))
                self.position = fact.position
        return self

    def ask(self, name: str, role: Role = Role.FINANCE_APPROVER, **fields: Any) -> None:
        """A governed service, by one of three people, so that nobody approves their own."""
        self.told += 1
        service = SERVICES[name]
        who = Principal(role.value, frozenset({role}), WHOLE_FIRM, datetime(2100, 1, 1, tzinfo=UTC))
        self.desk.run(service, service.input(**fields), who, f"key-{self.told}")
        self.react()

    def new(self, kind: str) -> str:
        self.told += 1
        return f"{kind}-{self.told}"

    # -- the firm ----------------------------------------------------------------------------------------------------

    def _firm(self) -> None:
        self.rates()
        described = {"name": "Acme GB", "street": "Road 1", "city": "Leeds", "postal_code": "1", "country": "US"}
        self.tell(stream_of("customer", "C-8"), DescribeCustomer("C-8", described, NINE))
        rule = SetTaxRule("GB", TaxRule(NEW_YEAR, "*", "S", Decimal(20)))
        self.tell(stream_of("tax_rule", "GB"), rule)
        for person, entity in PEOPLE.items():
            cost = Money(Decimal(70), ENTITIES[entity])
            terms = ResourceTerms(NEW_YEAR, "Senior", entity, "London", "Data", cost, Decimal(40), NINE)
            self.tell(stream_of("resource", person), DescribeResource(person, terms))
        for currency, price in PRICES.items():
            row = RateRow(f"senior-{currency}", Money(Decimal(price), currency), NEW_YEAR, role="Senior")
            self.tell(rate_card_stream("firm", "FIRM"), SetRate(row))
        for name, (entity, currency) in ENGAGEMENTS.items():
            stream = stream_of("engagement", name)
            self.tell(stream, OpenEngagement(name, name, "C-9", entity, currency))
            self.tell(stream, SignEngagement(NEW_YEAR, NEW_YEAR))
            for line in self._lines(currency):
                self.ask("agree-line", engagement=name, line=line)
                for target in ("psa", "erp"):
                    project = f"P-{name[2:]}-{line.line}"
                    self.tell(stream_of("project", project), ConfirmSetUp(target, f"{target}-{project}"))
        agreed: dict[str, Any] = {"effective_from": NEW_YEAR, "model": "cost_plus_percent", "parameter": Decimal("7.5")}
        for lender, borrower in ((LENDER, BORROWER), (BORROWER, LENDER)):
            self.ask("state-agreement", lender=lender, borrower=borrower, currency=ENTITIES[lender], **agreed)

    def _lines(self, currency: str) -> list[LineInput]:
        def money(amount: int) -> Amount:
            return Amount(Decimal(amount), currency)

        three = tuple(PartInput(f"M{n}", f"Part {n}", money(1111 * n)) for n in (1, 2, 3))
        dated = tuple(PartInput(f"I{n}", f"Part {n}", money(999 + n), date(2026, 2 + n, 5)) for n in (1, 2, 3))
        year = RevenueInput("straight_line", starts=NEW_YEAR, ends=date(2026, 7, 31))
        return [
            LineInput("TM", "Work", "time_and_materials", cap=money(9000), holdback_percent=Decimal(10)),
            LineInput("MS", "Build", "fixed_fee_milestones", parts=three, stand_alone_price=money(7777)),
            LineInput(
                "SL", "Run", "fixed_fee_schedule", price=money(3003), parts=dated, revenue=year,
                stand_alone_price=money(4000),
            ),
            LineInput("PC", "Plant", "percent_complete", price=money(10000), measure="cost", budget=Decimal(8000)),
            LineInput("RT", "Advice", "retainer", price=money(2500), expected_breakage=money(250)),
            LineInput("SV", "Service", "managed_service", price=money(700), starts=date(2026, 3, 10)),
            LineInput(
                "FX", "At a fixed rate", "time_and_materials", fixed_fx_rate=Decimal("0.93"),
                expenses=(CategoryInput("travel", markup_percent=Decimal(10), presentation="agent"),),
            ),
            LineInput("SB", "Shared", "time_and_materials", bill_to=tuple(BillToInput(*each) for each in SHARES)),
        ]  # fmt: skip

    # -- what may happen ---------------------------------------------------------------------------------------------

    def step(self) -> None:
        """One thing happens, or is refused."""
        often = [self.works, self.works, self.next_day, self.next_day, self.bill, self.send, self.send, self.pay]
        seldom: list[Callable[[], None]] = [
            self.say_otherwise, self.reject, self.expense, self.accept, self.measure, self.cost, self.estimate,
            self.change, self.adjust, self.receive, self.apply, self.unapply, self.refund, self.credit, self.credit,
            self.write_off_receivable, self.holdback, self.give_up, self.between, self.settle, self.period,
            self.late_rate, self.cap, self.retainer, self.service_credit, self.reprice, self.discard, self.transfer,
            self.pay_back, self.prepay, self.limit, self.allow, self.period, self.period,
        ]  # fmt: skip
        wish = self.luck.choice([*often, *often, *seldom])
        try:
            wish()
        except Refused as refused:
            self.refused[refused.code] = self.refused.get(refused.code, 0) + 1

    def next_day(self) -> None:
        self.day += timedelta(days=self.luck.choice((1, 5, 14)))
        self.rates()
        self.tell(FIRM, OpenDay(self.day, self.now))

    def rates(self) -> None:
        for (base, quote), middle in {("EUR", "USD"): "1.10", ("EUR", "GBP"): "0.86", ("GBP", "USD"): "1.27"}.items():
            moved = Decimal(middle) * (1000 + self.luck.randint(-60, 60)) / 1000
            rate = PublishFxRate(base, quote, self.day, moved.quantize(Decimal("0.0001")), "ECB")
            self.tell(fx_stream(base, quote), rate)

    def late_rate(self) -> None:
        rate = PublishFxRate("EUR", "USD", self.past(), Decimal("1.0733"), "treasury")
        self.tell(fx_stream("EUR", "USD"), rate)

    def past(self) -> date:
        return max(START, self.day - timedelta(days=self.luck.choice((0, 0, 1, 5, 20, 40))))

    def works(self) -> None:
        person, on = self.luck.choice(list(PEOPLE)), self.past()
        if (person, on) not in self.worked:
            self.worked.add((person, on))
            self._log(person, on, self.luck.choice(("0.333367", "1.25", "4", "8")), self._project())

    def _project(self) -> str:
        line = self.luck.choice(("TM", "TM", "FX", "SB", "RT", "PC", "MS"))
        return f"P-{self.any_engagement()[2:]}-{line}"

    def _log(self, person: str, on: date, hours: str, project: str) -> None:
        stream, entry = timesheet_stream(person, on), f"{person}.{on}"
        self.tell(stream, LogTime(person, Claim("jira", entry, self.now), Work(project, None, on, Decimal(hours))))
        self.tell(stream, ApproveTime((f"jira:{entry}",), "M-1", self.now + timedelta(minutes=1)))

    def say_otherwise(self) -> None:
        if self.worked:
            person, on = self.luck.choice(sorted(self.worked))
            self.told += 1
            self._log(person, on, self.luck.choice(("0.166683", "3", "7.75")), self._project())

    def reject(self) -> None:
        if self.worked:
            person, on = self.luck.choice(sorted(self.worked))
            told = RejectTime((f"jira:{person}.{on}",), "M-1", self.now, "Not ours.")
            self.tell(timesheet_stream(person, on), told)

    def expense(self) -> None:
        report, person = self.new("ER"), self.luck.choice(list(PEOPLE))
        amount = Amount(Decimal(self.luck.randint(-15000, 30000)) / 100, self.luck.choice(("EUR", "GBP", "USD")))
        told: dict[str, Any] = {"category": "travel", "spent_on": self.past(), "amount": amount, "receipt": "r"}
        self.ask("submit-billable-expense", report=report, line="1", resource=person, project=self._project(), **told)
        self.ask("approve-expense", report=report, lines=("1",), approved_by="M-1")

    def accept(self) -> None:
        told: dict[str, Any] = {
            "milestone": self.luck.choice(("M1", "M2", "M3")),
            "evidence": "mail",
            "accepted_on": self.past(),
        }
        self.ask("accept-milestone", engagement=self.any_engagement(), line="MS", **told)

    def any_engagement(self) -> str:
        return self.luck.choice(list(ENGAGEMENTS))

    def measure(self) -> None:
        told: dict[str, Any] = {
            "to_date": Decimal(self.luck.randint(0, 8000)),
            "measure": "cost",
            "evidence": "r",
            "on": self.past(),
        }
        self.ask("measure-progress", engagement=self.any_engagement(), line="PC", **told)

    def cost(self) -> None:
        name = self.any_engagement()
        amount = Amount(Decimal(self.luck.randint(100, 1500)), self.luck.choice(("EUR", "GBP", "USD")))
        told: dict[str, Any] = {"cost": self.new("C"), "amount": amount, "category": "sub", "on": self.past()}
        self.ask("record-cost", engagement=name, line=self.luck.choice(("PC", "MS")), **told)

    def estimate(self) -> None:
        total = Decimal(self.luck.choice((6000, 9000, 13000)))
        told: dict[str, Any] = {"total": total, "measure": "cost", "reason": "Anew.", "on": self.past()}
        self.ask("revise-estimate", engagement=self.any_engagement(), line="PC", **told)

    def change(self) -> None:
        name, order = self.any_engagement(), self.new("CO")
        currency = ENGAGEMENTS[name][1]
        by_line = {line.line: line for line in self._lines(currency)}
        chosen = by_line[self.luck.choice(("MS", "SL", "PC", "SV", "TM"))]
        more = Amount(Decimal(self.luck.randint(1, 900)), currency)
        match chosen.method:
            case "fixed_fee_milestones":
                parts = (*(chosen.parts or ()), PartInput(f"X{order}", "More", more))
                chosen = replace(chosen, parts=parts)
            case "fixed_fee_schedule":
                parts = (*(chosen.parts or ()), PartInput(f"X{order}", "More", more, self.day + timedelta(days=20)))
                price = Amount(Decimal(3003) + more.amount, currency)
                chosen = replace(chosen, parts=parts, price=price)
            case "time_and_materials":
                chosen = replace(chosen, cap=Amount(Decimal(12000), currency))
            case _:
                assert chosen.price is not None
                chosen = replace(chosen, price=Amount(chosen.price.amount + more.amount, currency))
        told: dict[str, Any] = {
            "adds_distinct": self.luck.random() < 0.3, "at_stand_alone_price": self.luck.random() < 0.9,
            "remaining_distinct": self.luck.random() < 0.5, "because": "Asked.", "effective_from": self.past(),
            "change_order": order, "lines": (chosen,),
        }  # fmt: skip
        self.ask("propose-change-order", Role.PROJECT_MANAGER, engagement=name, **told)
        self.ask("approve-change-order", engagement=name, change_order=order)

    def retainer(self) -> None:
        name, grant = self.any_engagement(), self.new("G")
        self.ask("grant-retainer", engagement=name, line="RT", grant=grant, on=self.past())
        self.tell(stream_of("engagement", name), MakeGrantUsable("RT", grant, self.day, "issued"))

    def service_credit(self) -> None:
        name = self.any_engagement()
        amount = Amount(Decimal(self.luck.randint(1, 90)), ENGAGEMENTS[name][1])
        told: dict[str, Any] = {"credit": self.new("SC"), "amount": amount, "reason": "Late.", "on": self.past()}
        self.ask("give-service-credit", engagement=name, line=self.luck.choice(("SV", "SL", "PC")), **told)

    def pay_back(self) -> None:
        name = self.any_engagement()
        grants = list(self.read(stream_of("engagement", name)).account("RT").grants)
        if grants:
            amount = Amount(Decimal(self.luck.randint(1, 900)), ENGAGEMENTS[name][1])
            told: dict[str, Any] = {
                "grant": self.luck.choice(grants),
                "amount": amount,
                "reason": "Unused.",
                "on": self.past(),
            }
            self.ask("refund-retainer", engagement=name, line="RT", **told)

    def cap(self) -> None:
        name = self.any_engagement()
        cap = Amount(Decimal(self.luck.choice((2000, 5000, 20000))), ENGAGEMENTS[name][1])
        service = self.luck.choice(("change-cap", "agree-engagement-cap"))
        fields: dict[str, Any] = {"line": "TM", "cap": cap} if service == "change-cap" else {"amount": cap}
        self.ask(service, engagement=name, **fields)

    def limit(self) -> None:
        amount = self.luck.choice((None, Amount(Decimal(self.luck.randint(5000, 30000)), "EUR")))
        self.ask("agree-billing-limit", customer="C-9", currency="EUR", amount=amount)

    def allow(self) -> None:
        if drafts := self.invoices(Draft):
            name = self.luck.choice(drafts)
            line = self.luck.choice(self.read(invoice_stream(name)).lines)
            amount = Decimal(self.luck.randint(1, 9000)) / 100
            told = AllowanceInput(self.luck.choice(("allowance", "charge")), "Agreed.", amount)
            number = self.luck.choice((None, line.line))
            self.ask("state-allowances", Role.FINANCE_PREPARER, invoice=name, allowances=(told,), line=number)

    def reprice(self) -> None:
        lender, borrower = self.luck.choice(((LENDER, BORROWER), (BORROWER, LENDER)))
        told: dict[str, Any] = {
            "effective_from": self.past(),
            "model": "percent_of_sales",
            "parameter": Decimal(self.luck.randint(40, 80)),
        }
        self.ask("state-agreement", lender=lender, borrower=borrower, currency=ENTITIES[lender], **told)

    # -- invoices ----------------------------------------------------------------------------------------------------

    def open_lots(self, engagement: str) -> list[LotInput]:
        found = [at for at in self.candidates.eligible_of() if self.lot(at).engagement == engagement]
        return [LotInput(at.stream, at.lot) for at in found]

    def lot(self, at: LotAt) -> Any:
        return self.read(at.stream).lots[at.lot].lot

    def bill(self) -> None:
        name = self.any_engagement()
        lots = self.open_lots(name)
        if lots:
            chosen = tuple(self.luck.sample(lots, self.luck.randint(1, len(lots))))
            told: dict[str, Any] = {"invoice": self.new("I"), "lots": chosen, "cut_off": self.day}
            self.ask("request-invoice", Role.FINANCE_PREPARER, engagement=name, **told)

    def invoices(self, kind: type) -> list[str]:
        names = {fact.event.invoice for fact in self.ledger.read(0, 10_000) if fact.name == "invoice.drafted.v1"}
        return [name for name in sorted(names) if isinstance(self.read(invoice_stream(name)), kind)]

    def send(self) -> None:
        if drafts := self.invoices(Draft):
            name = self.luck.choice(drafts)
            self.ask("approve-invoice", invoice=name, approved_on=self.day)
            self.ask("issue-invoice", invoice=name, issued_on=self.past())

    def discard(self) -> None:
        if drafts := self.invoices(Draft):
            self.ask("discard-draft", Role.FINANCE_PREPARER, invoice=self.luck.choice(drafts), reason="Again.")

    def adjust(self) -> None:
        if drafts := self.invoices(Draft):
            name = self.luck.choice(drafts)
            line = self.luck.choice(self.read(invoice_stream(name)).lines)
            amount = Amount(Decimal(self.luck.randint(-5000, 5000)) / 100, line.net.currency)
            self.ask(
                "adjust-invoice-line", Role.FINANCE_PREPARER, invoice=name, line=line.line, amount=amount, reason="?"
            )

    def issued(self) -> tuple[str, Any] | None:
        names = self.invoices(Issued)
        if not names:
            return None
        name = self.luck.choice(names)
        return name, self.read(invoice_stream(name))

    def part_of(self, amount: Money) -> Amount:
        share = self.luck.choice(("1", "0.5", "0.3333"))
        return Amount((amount.amount * Decimal(share)).quantize(Decimal("0.01")), amount.currency)

    def pay(self) -> None:
        if found := self.issued():
            name, state = found
            told: dict[str, Any] = {
                "payment": self.new("P"),
                "amount": self.part_of(state.due),
                "received_on": self.past(),
            }
            self.ask("record-payment", invoice=name, **told)

    def receive(self) -> None:
        entity = self.luck.choice(list(ENTITIES))
        amount = Amount(Decimal(self.luck.randint(100, 400000)) / 100, self.luck.choice(("EUR", "GBP", "USD")))
        told: dict[str, Any] = {
            "payment": self.new("P"),
            "customer": "C-9",
            "entity": entity,
            "received_on": self.past(),
        }
        self.ask("receive-payment", amount=amount, **told)

    def prepay(self) -> None:
        if (drafts := self.invoices(Draft)) and (receipts := self.receipts()):
            payment = self.luck.choice(receipts)
            received = self.read(stream_of("payment", payment)).received.amount
            told = (PrepaymentInput(payment, self.part_of(received)),)
            self.ask("state-prepayments", Role.FINANCE_PREPARER, invoice=self.luck.choice(drafts), prepayments=told)

    def receipts(self) -> list[str]:
        return [fact.event.payment for fact in self.ledger.read(0, 10_000) if fact.name == "payment.received.v1"]

    def apply(self) -> None:
        if (found := self.issued()) and (receipts := self.receipts()):
            told: dict[str, Any] = {
                "payment": self.luck.choice(receipts),
                "invoices": (AllocationInput(found[0]),),
                "on": self.past(),
            }
            self.ask("apply-payment", **told)

    def unapply(self) -> None:
        applied = [fact.event for fact in self.ledger.read(0, 10_000) if fact.name == "invoice.payment_applied.v1"]
        if applied:
            event = self.luck.choice(applied)
            invoice = self.luck.choice(
                [n for n in self.invoices(Issued) if event.payment in self.read(invoice_stream(n)).applied] or ["none"]
            )
            told: dict[str, Any] = {"payment": event.payment, "invoice": invoice, "reason": "Wrong.", "on": self.past()}
            self.ask("unapply-payment", **told)

    def refund(self) -> None:
        if receipts := self.receipts():
            payment = self.luck.choice(receipts)
            state = self.read(stream_of("payment", payment))
            told: dict[str, Any] = {"refund": self.new("R"), "reason": "Too much.", "on": self.past()}
            self.ask("refund-payment", payment=payment, amount=self.part_of(state.received.amount), **told)

    def credit(self) -> None:
        if found := self.issued():
            name, state = found
            lines = [line for line in state.document.lines if line.lots]
            chosen = self.luck.sample(lines, min(len(lines), self.luck.choice((1, 2))))
            parts = tuple(
                CreditedPartInput(
                    line.line, self.luck.choice((None, line.lots[0].lot)), disposition=self.luck.choice(DISPOSITIONS)
                )
                for line in chosen
            )
            note = self.new("CN")
            told: dict[str, Any] = {"invoice": name, "parts": parts, "reason": "Agreed.", "credit_note": note}
            self.ask("draft-credit-note", Role.FINANCE_PREPARER, form=self.luck.choice(("381", "380")), **told)
            self.ask("approve-credit-note", credit_note=note, approved_on=self.day)
            self.ask("issue-credit-note", credit_note=note, issued_on=self.past())

    def write_off_receivable(self) -> None:
        if found := self.issued():
            name, state = found
            given_up = self.part_of(state.due)
            tax = self.luck.choice((None, self.part_of(state.document.tax)))
            told: dict[str, Any] = {"reason": "Bankrupt.", "amount": given_up, "on": self.past(), "tax": tax}
            self.ask("write-off-receivable", invoice=name, **told)

    def holdback(self) -> None:
        if found := self.issued():
            told: dict[str, Any] = {"reason": "Done.", "own_invoice": self.luck.random() < 0.5, "on": self.past()}
            self.ask("release-holdback", invoice=found[0], **told)

    def give_up(self) -> None:
        if lots := self.open_lots(self.any_engagement()):
            chosen = self.luck.choice(lots)
            if decider_name(StreamId(chosen.stream)) != "engagement" or self.luck.random() < 0.3:
                share = self.luck.choice((None, Decimal("0.5"), Decimal("0.3333")))
                hours = self.lot(chosen.at).quantity * share if share is not None else None
                service = self.luck.choice(("give-lots-free", "write-off-lots"))
                self.ask(service, lots=(PartOfLotInput(chosen.stream, chosen.lot, hours),), because="A trial.")

    def transfer(self) -> None:
        if lots := self.open_lots("E-2"):
            told: dict[str, Any] = {"engagement": "E-3", "contract_line": "TM", "reason": "Theirs."}
            self.ask("transfer-lots", lots=(self.luck.choice(lots),), **told)

    # -- between entities, and months ----------------------------------------------------------------------------------

    def between(self) -> None:
        self.ask("run-intercompany", period=f"{self.past():%Y-%m}", issued_on=self.past())

    def settle(self) -> None:
        lender, borrower = self.luck.choice(((LENDER, BORROWER), (BORROWER, LENDER)))
        told: dict[str, Any] = {"settlement": self.new("S"), "paid_on": self.past()}
        self.ask("settle-intercompany", lender=lender, borrower=borrower, **told)

    def period(self) -> None:
        entity = self.luck.choice(list(ENTITIES))
        months = [f"2026-{month:02}" for month in range(3, self.day.month + 1)]
        service = self.luck.choice(("open-period", "open-period", "soft-close-period", "close-period", "reopen-period"))
        by_preparer = service in ("open-period", "soft-close-period")
        role = Role.FINANCE_PREPARER if by_preparer else Role.FINANCE_APPROVER
        self.ask(service, role, entity=entity, period=self.luck.choice(months), reason="Month end.")
