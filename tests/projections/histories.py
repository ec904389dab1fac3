"""Legal histories of a made-up firm of any length, decided by the domain's own deciders: for tests and benchmarks.

Engagements come and go and work is billed month by month, so that what is open stays the same however long it goes on.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.eventstore.base import BaseLedger
from adapters.eventstore.ledger import Ledger
from adapters.eventstore.unit import NewEvent, UnitOfWork
from domain.billing import adjusting, issuing
from domain.catalogue import DECIDERS, EVENTS, UPCASTS
from domain.contract import ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.engagement import (
    AcceptMilestone,
    AgreeLine,
    ChangeCap,
    HoldEngagement,
    LiftHold,
    OpenEngagement,
    PurchaseOrder,
    RecordPurchaseOrder,
    SignEngagement,
)
from domain.exception import Problem, RaiseException, ResolveException, RetryException, exception_stream
from domain.expense import (
    ApproveExpenses,
    Expense,
    RateExpense,
    RecordExpense,
    ReportExpenseUnrated,
    SubmitExpenses,
    expense_stream,
)
from domain.invoice import (
    ConfirmPosting,
    RecordPayment,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    RequestPosting,
    invoice_stream,
)
from domain.kernel import Addressed, Cause, Refused, StreamId, stream_of
from domain.lots import GiveLotsFree, LotRated, LotReversed, LotSplit, LotStatus, WriteOffLots
from domain.money import Money
from domain.ports import LotAt
from domain.pricing.lots import FIRM, lot_of_entry, lot_of_expense
from domain.pricing.rating import RateNotFound
from domain.project import (
    Assignment,
    AssignResource,
    CloseProject,
    ConfirmSetUp,
    CreateProject,
    DefineTask,
    HoldBilling,
    RejectSetUp,
    ReleaseBillingHold,
    ReportSetUpInDoubt,
    ReportSetUpSent,
    RequestSetUp,
    Task,
)
from domain.reference.customer import BlockCustomer, DescribeCustomer, UnblockCustomer
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import (
    ApproveTime,
    Claim,
    DecidePeriod,
    LogTime,
    RateEntry,
    ReportUnrated,
    Timesheet,
    WithdrawTime,
    Work,
    timesheet_stream,
)
from tests.drafting import draft_invoice

EVENTS_PER_COMMIT = 2_000
ENTITIES = {
    "DE01": ("DE", "EUR", "EMEA"),
    "US01": ("US", "USD", "AMER"),
    "GB01": ("GB", "GBP", "EMEA"),
    "JP01": ("JP", "JPY", "APAC"),
}
RATES = {("EUR", "USD"): "1.08", ("EUR", "GBP"): "0.85", ("EUR", "JPY"): "162.5"}
ROLES = ("Consultant", "Senior", "Partner")
PRICES = {"EUR": 140, "USD": 160, "GBP": 125, "JPY": 21_000}
COSTS = {"EUR": 60, "USD": 70, "GBP": 52, "JPY": 9_500}
START = date(2024, 1, 1)
LONG_AGO = START - timedelta(days=900)


@dataclass
class Running:
    """An engagement that people work for, and its lots that are not billed."""

    name: str
    entity: str
    currency: str
    kind: str
    projects: list[str]
    ends: date
    lots: dict[LotAt, date] = field(default_factory=dict)
    milestones: list[str] = field(default_factory=list)
    held: bool = False


class History:
    """Writes week after week into a ledger until there are enough events."""

    def __init__(self, ledger: BaseLedger, *, seed: int = 1, consultants: int = 30, engagements: int = 12) -> None:
        self.ledger = ledger
        self.random = random.Random(seed)
        self.consultants = [f"W-{n}" for n in range(1, consultants + 1)]
        self.home = {name: list(ENTITIES)[n % len(ENTITIES)] for n, name in enumerate(self.consultants)}
        self.wanted = engagements
        self.running: list[Running] = []
        self.events = 0
        self.count = 0
        self.unit: UnitOfWork = ledger.unit()
        self.at = datetime(START.year, START.month, START.day, 8, tzinfo=UTC)
        self.seen = 0
        self.opened = 0
        self.sheets: list[StreamId] = []

    # -- deciding ----------------------------------------------------------------------------------------------------

    def next(self) -> int:
        self.count += 1
        return self.count

    def cause(self, system: str) -> Cause:
        number = self.next()
        return Cause(f"system:{system}", f"c-{number}", None, f"{system}:{number}", self.at)

    def tell(self, stream: StreamId, command: Any, system: str = "canonical") -> list[NewEvent]:
        """One command; what the rules refuse is left out, as it would be in life."""
        try:
            return self.unit.decide(Addressed(stream, command), self.cause(system))
        except Refused:
            return []

    def together(self, commands: Callable[[], Sequence[Addressed]], by: str) -> bool:
        """Several commands, all or none."""
        savepoint = self.unit.savepoint()
        cause = Cause(f"user:{by}", f"c-{self.next()}", occurred_at=self.at)
        try:
            for command in commands():
                self.unit.decide(command, cause)
        except Refused:
            self.unit.rollback(savepoint)
            return False
        return True

    def commit(self, *, force: bool = False) -> None:
        if self.unit.new and (force or len(self.unit.new) >= EVENTS_PER_COMMIT):
            self.ledger.commit(self.unit)
            self.events += len(self.unit.new)
            self.unit = self.ledger.unit()

    # -- the firm ----------------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        for name, (country, currency, region) in ENTITIES.items():
            terms = LegalEntityTerms(
                LONG_AGO,
                f"Firm {name}",
                Address("Main 1", "City", "1", country),
                currency,
                "UTC",
                f"{country}1",
                name,
                Money(Decimal(100_000_000), currency),
                region,
            )
            self.tell(stream_of("legal_entity", name), DefineLegalEntity(name, terms))
            rules = (
                TaxRule(LONG_AGO, country, "S", Decimal(19)),
                TaxRule(LONG_AGO, "*", "G", Decimal(0)),
            )
            for rule in rules:
                self.tell(stream_of("tax_rule", country), SetTaxRule(country, rule))
        for currency in PRICES:
            for role in ROLES[:2]:
                self.set_rate(role, currency)
        for n, name in enumerate(self.consultants):
            entity = self.home[name]
            currency = ENTITIES[entity][1]
            terms_of = ResourceTerms(
                LONG_AGO,
                ROLES[n % 3],
                entity,
                ENTITIES[entity][0],
                ("Data", "Cloud", "Risk")[n % 3],
                Money(Decimal(COSTS[currency] * (n % 3 + 1)), currency),
                Decimal(40),
                self.at,
            )
            self.tell(stream_of("resource", name), DescribeResource(name, terms_of), "workday")
        for n in range(8):
            told = {
                "name": f"Customer {n}",
                "city": "Town",
                "country": ("DE", "US", "GB", "FR")[n % 4],
                "tax_id": f"T{n}",
            }
            self.tell(stream_of("customer", f"C-{n}"), DescribeCustomer(f"C-{n}", told, self.at), "salesforce")
            if n != 7 or self.random.random() < 0.5:
                street = {"street": f"Road {n}"}
                later = self.at + timedelta(minutes=1)
                self.tell(stream_of("customer", f"C-{n}"), DescribeCustomer(f"C-{n}", street, later), "salesforce")
        self.commit()

    def set_rate(self, role: str, currency: str, percent: int = 100) -> None:
        price = Money(Decimal(PRICES[currency] * (ROLES.index(role) + 1) * percent) / 100, currency)
        row = RateRow(f"{role}-{currency}", price, LONG_AGO, role=role)
        self.tell(rate_card_stream("firm", FIRM), SetRate(row))

    def open(self, day: date) -> None:
        number = self.next()
        name, entity = f"E-{number}", self.random.choice(list(ENTITIES))
        currency = ENTITIES[entity][1] if self.random.random() < 0.7 else self.random.choice(list(PRICES))
        kind = ("cap", "tm", "fixed", "tm")[self.opened % 4]
        self.opened += 1
        stream, ends = stream_of("engagement", name), day + timedelta(days=self.random.randint(100, 250))
        needs_order = self.random.random() < 0.2
        customer = f"C-{self.random.randrange(8)}"
        opened = OpenEngagement(
            name, f"Engagement {number}", customer, entity, currency, purchase_order_required=needs_order
        )
        self.tell(stream, opened, "salesforce")
        run = Running(name, entity, currency, kind, [], ends)
        self.tell(stream, AgreeLine(self.line(run)), "salesforce")
        if self.random.random() < 0.9:
            self.tell(stream, SignEngagement(day, day, ends), "salesforce")
        for n in range(self.random.randint(1, 2)):
            project = f"P-{number}-{n}"
            created = CreateProject(
                project, name, f"Project {number}-{n}", "L1", entity, day, ends, f"M-{n + 1}", ("psa", "erp")
            )
            self.tell(stream_of("project", project), created)
            run.projects.append(project)
            self.set_up_project(project)
        self.running.append(run)

    def line(self, run: Running) -> ContractLine:
        if run.kind == "fixed":
            run.milestones = [f"M{n}" for n in range(1, 4)]
            amount = Money(Decimal(PRICES[run.currency] * 200), run.currency)
            steps = tuple(Milestone(m, f"Milestone {m}", amount) for m in run.milestones)
            return ContractLine("L1", "Fixed", FixedFeeMilestones(milestones=steps))
        cap = Money(Decimal(PRICES[run.currency] * 100), run.currency) if run.kind == "cap" else None
        policy = "partial" if self.opened % 8 == 1 else "whole_item"
        return ContractLine("L1", "Work", TimeAndMaterials(cap=cap, cap_policy=policy))  # type: ignore[arg-type]

    def set_up_project(self, project: str) -> None:
        stream = stream_of("project", project)
        self.tell(stream, DefineTask(Task("T1", "Build")), "jira")
        self.tell(stream, DefineTask(Task("T2", "Travel", chargeable=False)), "jira")
        for target in ("psa", "erp"):
            self.tell(stream, RequestSetUp(target))
            self.tell(stream, ReportSetUpSent(target), target)
            if self.random.random() < 0.2:
                self.tell(stream, ReportSetUpInDoubt(target, "timeout"), target)
            if self.random.random() < 0.2:
                self.tell(stream, RejectSetUp(target, "unknown cost centre"), target)
                self.tell(stream, RequestSetUp(target))
            if self.random.random() < 0.97:
                self.tell(stream, ConfirmSetUp(target, f"{target}-{project}"), target)

    # -- a week ------------------------------------------------------------------------------------------------------

    def week(self, monday: date) -> None:
        self.at = datetime(monday.year, monday.month, monday.day, 8, tzinfo=UTC)
        for base_quote, rate in RATES.items():
            for n in range(5):
                if self.random.random() < 0.9:
                    moved = Decimal(rate) * (1 + Decimal(self.random.randint(-50, 50)) / 1000)
                    day = monday + timedelta(days=n)
                    self.tell(
                        fx_stream(*base_quote),
                        PublishFxRate(*base_quote, day, moved.quantize(Decimal("0.0001")), "ECB"),
                    )
        self.running = [run for run in self.running if not self.closed(run, monday)]
        while len(self.running) < self.wanted:
            self.open(monday)
        for _ in range(2):
            self.disturb(monday)
        if self.sheets and (monday - START).days % 35 == 0:
            self.reprice()
        for consultant in self.consultants:
            self.work(consultant, monday)
            self.commit()
        del self.sheets[: -3 * len(self.consultants)]
        if monday.day <= 7:
            for run in self.running:
                self.bill(run, monday)
                self.commit()

    def reprice(self) -> None:
        """A rate changes, the partners' for the first time: what is not billed is rated anew."""
        currency = self.random.choice(list(PRICES))
        self.set_rate(self.random.choice(ROLES), currency, self.random.choice((100, 105, 110)))
        self.set_rate("Partner", currency)
        for sheet in self.sheets:
            self.price(sheet)
            self.commit()

    def closed(self, run: Running, monday: date) -> bool:
        if monday <= run.ends:
            return False
        if not run.held:
            self.bill(run, monday)
        for lot in list(run.lots):
            self.tell(lot.stream, WriteOffLots((lot.lot,), "The engagement has ended.", "fin"))
        for project in run.projects:
            self.tell(stream_of("project", project), CloseProject(monday))
        return True

    def disturb(self, monday: date) -> None:
        """What happens besides work: holds, blocks, orders, caps, problems."""
        run = self.random.choice(self.running)
        stream = stream_of("engagement", run.name)
        match self.random.randrange(9):
            case 0 if self.random.random() < 0.5:
                self.tell(stream, HoldEngagement("The customer disputes the scope."))
                run.held = True
            case 1 | 2:
                for other in self.running:
                    self.tell(stream_of("engagement", other.name), LiftHold())
                    other.held = False
            case 3:
                self.tell(stream, RecordPurchaseOrder(PurchaseOrder(f"PO-{self.next()}")), "salesforce")
            case 4 if run.kind == "cap":
                self.tell(stream, ChangeCap("L1", Money(Decimal(PRICES[run.currency] * 250), run.currency)))
            case 5:
                customer = stream_of("customer", f"C-{self.random.randrange(8)}")
                blocked = self.unit.state(customer).blocked_because is None
                self.tell(customer, BlockCustomer("Overdue.") if blocked else UnblockCustomer())
            case 6:
                project = stream_of("project", self.random.choice(run.projects))
                held = self.unit.state(project).held_because is None
                self.tell(project, HoldBilling("Wait.") if held else ReleaseBillingHold())
            case 7:
                self.trouble(run)
            case _:
                who = self.random.choice(self.consultants)
                place = Assignment(who, monday, monday + timedelta(days=90), self.random.choice((None, "Senior")))
                self.tell(stream_of("project", self.random.choice(run.projects)), AssignResource(place), "psa")

    def trouble(self, run: Running) -> None:
        about = f"jira:worklog:{self.random.randrange(50)}"
        at_risk = Money(Decimal(1000), run.currency)
        problem = Problem(
            "refused",
            "timesheet.day_too_long",
            about,
            "A day has 24 hours.",
            "Correct it.",
            "project_manager",
            "jira",
            project=run.projects[0],
            money_at_risk=at_risk,
        )
        stream = exception_stream("refused", about)
        self.tell(stream, RaiseException(problem, f"jira:{self.next()}"))
        match self.random.randrange(3):
            case 0:
                self.tell(stream, RetryException("pm"))
            case 1:
                self.tell(stream, ResolveException("pm", "Corrected in Jira."))
            case _:
                pass

    def work(self, consultant: str, monday: date) -> None:
        sheet = timesheet_stream(consultant, monday)
        for n in range(5):
            day = monday + timedelta(days=n)
            for part in range(self.random.choice((1, 2, 2))):
                run = self.random.choice(self.running)
                task = self.random.choices(("T1", "T2", None), (8, 1, 2))[0]
                started = f"{9 + part * 4:02}:00:00"
                work = Work(
                    self.random.choice(run.projects), task, day, Decimal(4), started=started, note=f"Work of {day}"
                )
                self.log(sheet, consultant, work)
        by, at = "M-2", self.at + timedelta(days=5)
        if self.random.random() < 0.95:
            ends = monday + timedelta(days=6)
            verdict = self.random.choices(("approved", "rejected", "in_review"), (18, 1, 1))[0]
            decided = DecidePeriod(consultant, monday, monday, ends, verdict, by, at, "Please check.")  # type: ignore[arg-type]
            self.tell(sheet, decided, "tempo")
            if verdict == "rejected" and self.random.random() < 0.7:
                again = DecidePeriod(consultant, monday, monday, ends, "approved", by, at + timedelta(hours=2))
                self.tell(sheet, again, "tempo")
        self.price(sheet)
        if self.random.random() < 0.2:
            self.take_off(sheet)
        self.sheets.append(sheet)
        if self.random.random() < 0.1:
            self.correct_late(sheet, consultant)
        if self.random.random() < 0.1:
            self.spend(consultant, monday)

    def take_off(self, sheet: StreamId) -> None:
        """Somebody approves other hours than were worked, or gives work free."""
        week: Timesheet = self.unit.state(sheet)
        names = [name for name, entry in week.entries.items() if entry.status == "approved"]
        for name in names[: self.random.randrange(3)]:
            hours = Decimal(self.random.choice(("0", "2.5", "4", "5")))
            approved = ApproveTime((name,), "M-2", self.at + timedelta(days=6), {name: hours})
            self.note(self.tell(sheet, approved))
        self.price(sheet)
        free = [name for name, held in self.unit.state(sheet).lots.items() if held.status is LotStatus.OPEN]
        if free and self.random.random() < 0.3:
            self.tell(sheet, GiveLotsFree((self.random.choice(free),), "A trial.", "fin"))

    def log(self, sheet: StreamId, consultant: str, work: Work) -> None:
        number = self.next()
        claim = Claim("jira", str(number), self.at)
        self.tell(sheet, LogTime(consultant, claim, work), "jira")
        if self.random.random() < 0.6:
            self.tell(sheet, LogTime(consultant, Claim("tempo", str(number), self.at), work), "tempo")
        fate = self.random.random()
        later = Claim("jira", str(number), self.at + timedelta(hours=1))
        if fate < 0.05:
            shorter = Work(work.project, work.task, work.work_date, Decimal(3), started=work.started, note=work.note)
            self.tell(sheet, LogTime(consultant, later, shorter), "jira")
        elif fate < 0.07:
            self.tell(sheet, WithdrawTime(consultant, work.work_date, later), "jira")

    def correct_late(self, sheet: StreamId, consultant: str) -> None:
        """Approved and rated hours turn out to be others; some are approved again."""
        entry = self.random.choice(list(self.unit.state(sheet).entries.values()))
        system, _, number = entry.entry.partition(":")
        work, at = entry.work, self.at + timedelta(days=6)
        changed = Work(work.project, work.task, work.work_date, Decimal(2), started=work.started, note="Corrected")
        self.tell(sheet, LogTime(consultant, Claim(system, number, at), changed), system)
        if self.random.random() < 0.6:
            monday = self.at.date()
            verdict = DecidePeriod(consultant, monday, monday, monday + timedelta(days=6), "approved", "M-2", at)
            self.tell(sheet, verdict, "tempo")
            self.price(sheet)
        elif self.random.random() < 0.3:
            self.tell(sheet, WithdrawTime(consultant, work.work_date, Claim(system, number, at + timedelta(hours=1))))

    def price(self, sheet: StreamId) -> None:
        """What the pricing process does with approved work."""
        state: Timesheet = self.unit.state(sheet)
        for entry in state.entries.values():
            if entry.status == "approved":
                lot = lot_of_entry(state.resource, entry, self.unit.state)
                if isinstance(lot, RateNotFound):
                    self.note(self.tell(sheet, ReportUnrated(entry.entry, lot.code, lot.detail)))
                else:
                    self.note(self.tell(sheet, RateEntry(lot)))

    def spend(self, consultant: str, monday: date) -> None:
        number, run = self.next(), self.random.choice(self.running)
        stream, currency = expense_stream(f"ER-{number}"), ENTITIES[self.home[consultant]][1]
        amount, nothing = Money(Decimal(self.random.randint(10, 400)), currency), Money(Decimal(0), currency)
        receipt = "scan-1" if self.random.random() < 0.8 else None
        billable = self.random.random() < 0.8
        expense = Expense("1", run.projects[0], "Train", monday, amount, nothing, billable, receipt)
        self.tell(stream, RecordExpense(f"ER-{number}", consultant, expense, self.at), "psa")
        self.tell(stream, SubmitExpenses(("1",)), "psa")
        self.tell(stream, ApproveExpenses(("1",), "M-2", self.at), "psa")
        report = self.unit.state(stream)
        lot = lot_of_expense(report, report.lines["1"], self.unit.state)
        if isinstance(lot, RateNotFound):
            self.note(self.tell(stream, ReportExpenseUnrated("1", lot.code, lot.detail)))
        else:
            self.note(self.tell(stream, RateExpense(lot)))

    def note(self, decided: Sequence[NewEvent]) -> None:
        """Remembers which lots wait to be billed."""
        for each in decided:
            match each.event:
                case LotRated(lot) if lot.non_billable_because is None:
                    run = next((run for run in self.running if run.name == lot.engagement), None)
                    if run is not None:
                        run.lots[LotAt(each.stream, lot.lot)] = lot.work_date
                case LotSplit(name, parts):
                    run = next((run for run in self.running if LotAt(each.stream, name) in run.lots), None)
                    if run is not None:
                        day = run.lots.pop(LotAt(each.stream, name))
                        run.lots |= {LotAt(each.stream, part.lot): day for part in parts}
                case LotReversed(name, _):
                    for run in self.running:
                        run.lots.pop(LotAt(each.stream, name), None)
                case _:
                    pass

    def bill(self, run: Running, monday: date) -> None:
        """A month of an engagement: a milestone perhaps, then a draft of what is eligible, issued, posted and paid."""
        engagement = stream_of("engagement", run.name)
        if run.milestones:
            step = run.milestones.pop(0)
            accepted = AcceptMilestone("L1", step, monday, "mail of the customer", "pm", self.at)
            self.note(self.tell(engagement, accepted))
        invoice, began, read = f"I-{self.next()}", len(self.unit.new), self.unit.state
        lots = list(run.lots)
        if not self.together(
            lambda: draft_invoice(read, invoice, run.name, lots, cut_off=monday, by="fin", strict=False), "fin"
        ):
            return
        self.split(run, began)
        if self.random.random() < 0.05:
            self.together(lambda: adjusting.discard_draft(read, invoice, "fin", "Made by mistake."), "fin")
            return
        if not self.together(lambda: issuing.approve_invoice(read, invoice, "cfo", self.at), "cfo"):
            return
        if self.random.random() < 0.95 and self.together(lambda: issuing.issue_invoice(read, invoice, monday), "cfo"):
            self.settle(invoice, monday)

    def settle(self, invoice: str, monday: date) -> None:
        stream = invoice_stream(invoice)
        self.tell(stream, RequestPosting("erp"))
        self.tell(stream, ReportPostingSent("erp"), "erp")
        match self.random.randrange(10):
            case 0:
                self.tell(stream, ReportPostingInDoubt("erp", "timeout"), "erp")
            case 1:
                self.tell(stream, RejectPosting("erp", "period closed"), "erp")
            case _:
                self.tell(stream, ConfirmPosting("erp", f"DOC-{self.next()}"), "erp")
        gross = self.unit.state(stream).document.gross
        if self.random.random() < 0.2:
            half = Money((gross.amount / 2).quantize(Decimal(1)), gross.currency)
            self.tell(stream, RecordPayment(f"pay-{self.next()}", monday, half), "erp")
        due = self.unit.state(stream).due
        if self.random.random() < 0.8:
            self.tell(stream, RecordPayment(f"pay-{self.next()}", monday + timedelta(days=30), due), "erp")

    def split(self, run: Running, began: int) -> None:
        """Keeps only what is still open among the lots that wait, the parts over a cap among them."""
        for each in self.unit.new[began:]:
            if isinstance(each.event, LotSplit):
                for part in each.event.parts:
                    run.lots[LotAt(each.stream, part.lot)] = self.at.date()
        for lot in list(run.lots):
            held = self.unit.state(lot.stream).lots.get(lot.lot)
            if held is None or held.status is not LotStatus.OPEN:
                del run.lots[lot]


def weeks() -> Iterator[date]:
    monday = START
    while True:
        yield monday
        monday += timedelta(weeks=1)


def write(
    ledger: BaseLedger, events: int, *, seed: int = 1, consultants: int = 30, engagements: int = 12, loud: bool = False
) -> int:
    """Writes at least this many events; returns how many."""
    history = History(ledger, seed=seed, consultants=consultants, engagements=engagements)
    history.set_up()
    for monday in weeks():
        history.week(monday)
        if history.events + len(history.unit.new) >= events:
            break
        if loud and history.events // 50_000 > history.seen:
            history.seen = history.events // 50_000
            sys.stderr.write(f"{history.events}\n")
    history.commit(force=True)
    return history.events


if __name__ == "__main__":
    url, schema, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with Ledger(url, EVENTS, DECIDERS, upcasts=UPCASTS, schema=schema) as on_disk:
        sys.stdout.write(f"{write(on_disk, count, loud=True)} events\n")
