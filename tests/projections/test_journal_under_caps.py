"""Whatever happens under caps of every level, each lot has earned what eligibility says is within them."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.billing import adjusting
from domain.billing.credit_wishes import CreditWish
from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.contract import CapPolicy, ContractLine, ManagedService, ResourceCap, TimeAndMaterials
from domain.engagement import AgreeLine, OpenEngagement, SignEngagement
from domain.engagement.caps import AgreeEngagementCap, ChangeCap, ChangeLimits
from domain.engagement.schedule import FallDue, GiveServiceCredit
from domain.invoice import Issued, invoice_stream
from domain.kernel import Refused, stream_of
from domain.lots import Disposition, GiveLotsFree, LotStatus, WriteOffLots
from domain.ports import LotAt
from domain.project import ConfirmSetUp
from domain.timesheet import ApproveTime, Claim, LogTime, RejectTime, Work, timesheet_stream
from projections.eligibility.items import ITEMS
from projections.journal.tables import LINES, LOTS, OPEN, POSTINGS
from tests.domain.test_crediting import credit
from tests.drafting import draft_invoice
from tests.projections.books import fold, folded
from tests.world import MONDAY, NEW_YEAR, NINE, World, euros

STEPS = 40
DAYS = 28
"""Each person works once a day, so that nothing is held as told twice."""
PEOPLE = ("W-1", "W-2")
ENGAGEMENTS = ("E-1", "E-2")
POLICIES: tuple[CapPolicy, ...] = ("partial", "whole_item")
DISPOSITIONS: tuple[Disposition, ...] = ("rebill", "write_off")


class Story:
    """A firm to which anything may happen, with caps on people, hours, a line, the engagement and the customer."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed)
        self.world = World().firm().contract()
        self.world.tell(stream_of("engagement", "E-2"), OpenEngagement("E-2", "Support", "C-1", "DE01", "EUR"))
        line = ContractLine("L1", "Work", TimeAndMaterials())
        self.world.tell(stream_of("engagement", "E-2"), SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(line))
        confirmed = (ConfirmSetUp(target, f"{target}-2") for target in ("psa", "erp"))
        self.world.tell(stream_of("project", "P-2-L1"), *confirmed)
        self.names = 0
        self.sheets: dict[str, tuple[str, int]] = {}
        self.projects: dict[str, str] = {}
        self.invoices: list[str] = []

    def step(self) -> None:
        often: list[Callable[[], None]] = [self.work, self.work, self.cap, self.draft, self.issue]
        wishes = [*often, *often, self.correct, self.reject, self.discard, self.credit, self.give_up]
        try:
            self.luck.choice(wishes)()
        except Refused:
            return

    def _name(self) -> str:
        self.names += 1
        return str(self.names)

    def work(self) -> None:
        free = [(person, day) for person in PEOPLE for day in range(DAYS) if (person, day) not in self.sheets.values()]
        name, (person, day) = self._name(), self.luck.choice(free)
        self.sheets[name] = (person, day)
        self.projects[name] = self.luck.choice(("P-1-L1", "P-1-L1", "P-2-L1"))
        self._log(name, self.luck.choice((0.333367, 2, 4.166683, 5.5)))
        at = NINE + timedelta(days=day, hours=10, minutes=self.names)
        stream = timesheet_stream(person, MONDAY + timedelta(days=day))
        self.world.tell(stream, ApproveTime((f"jira:{name}",), "W-9", at))

    def _log(self, name: str, hours: float) -> None:
        person, day = self.sheets[name]
        on = MONDAY + timedelta(days=day)
        work = Work(self.projects[name], None, on, Decimal(str(hours)), started="09:00:00")
        said_at = NINE + timedelta(days=day, minutes=self.names)
        self.world.tell(timesheet_stream(person, on), LogTime(person, Claim("jira", name, said_at), work))

    def correct(self) -> None:
        if self.sheets:
            self.names += 1
            self._log(self.luck.choice(list(self.sheets)), self.luck.choice((1.333367, 3)))

    def reject(self) -> None:
        if self.sheets:
            name = self.luck.choice(list(self.sheets))
            person, day = self.sheets[name]
            on = MONDAY + timedelta(days=day)
            at = NINE + timedelta(days=30)
            self.world.tell(timesheet_stream(person, on), RejectTime((f"jira:{name}",), "W-9", at, "Not ours."))

    def cap(self) -> None:
        amount = self.luck.choice((None, 600, 1500, 3000))
        hours = self.luck.choice((None, Decimal(7), Decimal(18)))
        policy = self.luck.choice(POLICIES)
        money = euros(amount) if amount else None
        limit = Limit(money, hours, policy) if money or hours else None
        person = ResourceCap(self.luck.choice(PEOPLE), None, Decimal(self.luck.choice((5, 12))))
        engagement = stream_of("engagement", self.luck.choice(ENGAGEMENTS))
        self.luck.choice(
            (
                lambda: self.world.tell(engagement, ChangeCap("L1", money)),
                lambda: self.world.tell(
                    engagement, ChangeLimits("L1", hours, (person,) if self.luck.random() < 0.5 else (), policy)
                ),
                lambda: self.world.tell(engagement, AgreeEngagementCap(limit)),
                lambda: self.world.tell(
                    billing_limit_stream("C-1", "EUR"), AgreeBillingLimit("C-1", "EUR", limit, Decimal(0))
                ),
                lambda: self.world.tell(
                    engagement, AgreeLine(ContractLine("L1", "Work", TimeAndMaterials(cap=money, cap_policy=policy)))
                ),
            )
        )()

    def _open(self) -> list[LotAt]:
        streams = [timesheet_stream(person, MONDAY + timedelta(days=day)) for person, day in self.sheets.values()]
        lots = self.world.lots(*dict.fromkeys(streams))
        return [at for at in lots if self.world.read(at.stream).lots[at.lot].status is LotStatus.OPEN]

    def draft(self) -> None:
        engagement, name = self.luck.choice(ENGAGEMENTS), f"I-{self._name()}"
        lots = [at for at in self._open() if self.world.read(at.stream).lots[at.lot].lot.engagement == engagement]
        chosen = self.luck.sample(lots, self.luck.randint(0, len(lots)))
        read, cut_off = self.world.read, date(2026, 3, 31)
        drafted = draft_invoice(read, name, engagement, chosen, cut_off=cut_off, by="paul", strict=False)
        self.world.record(drafted)
        self.world.react()
        self.invoices.append(name)

    def issue(self) -> None:
        if self.invoices:
            name = self.luck.choice(self.invoices)
            self.world.approve(name).issue(name, date(2026, 4, 1))

    def discard(self) -> None:
        if self.invoices:
            self.world.record(
                adjusting.discard_draft(self.world.read, self.luck.choice(self.invoices), "ann", "Again.")
            )

    def credit(self) -> None:
        issued = [name for name in self.invoices if isinstance(self.world.read(invoice_stream(name)), Issued)]
        if issued:
            line = self.world.read(invoice_stream(self.luck.choice(issued))).document
            disposition = self.luck.choice(DISPOSITIONS)
            lots = line.lines[0].lots
            wish = CreditWish(1, self.luck.choice(lots).lot, disposition=disposition)
            invoice = next(name for name in issued if self.world.read(invoice_stream(name)).document == line)
            credit(self.world, f"CN-{self._name()}", wish, on=date(2026, 4, 2), invoice=invoice)

    def give_up(self) -> None:
        if lots := self._open():
            at = self.luck.choice(lots)
            wish = self.luck.choice((WriteOffLots, GiveLotsFree))
            self.world.tell(at.stream, wish((at.lot,), "Rework.", "ann"))


@pytest.mark.parametrize("seed", range(10))
def test_every_lot_has_earned_what_is_within_its_caps_after_every_step(seed: int) -> None:
    story = Story(seed)
    for _ in range(STEPS):
        story.step()
        store = fold(story.world.ledger)
        items = {(row.stream, row.item): row for row in map(ITEMS.row, store.all(ITEMS).values()) if row.is_lot}
        held = any(item.state == "held" for item in items.values())
        for row in map(LOTS.row, store.all(LOTS).values()):
            item = items[row.stream, row.lot]
            if row.earns and not held:
                assert (row.lot, row.recognised) == (row.lot, row.value - item.over_cap_value), item.state
        earned = sum((row.recognised - row.billed for row in map(LINES.row, store.all(LINES).values())), Decimal(0))
        left = sum(
            (row.amount for row in map(OPEN.row, store.all(OPEN).values()) if row.kind == "position"), Decimal(0)
        )
        assert earned == left
    folded(story.world.ledger)


def two_lines_under(amount: int) -> World:
    """An engagement of two lines under one cap, on which more was worked than it lets be billed."""
    world = World().firm().contract()
    world.tell(stream_of("engagement", "E-1"), AgreeLine(ContractLine("L2", "More", TimeAndMaterials())))
    world.tell(stream_of("project", "P-1-L2"), *(ConfirmSetUp(target, f"{target}-2") for target in ("psa", "erp")))
    world.tell(stream_of("engagement", "E-1"), AgreeEngagementCap(Limit(euros(amount))))
    for day, project in enumerate(("P-1-L1", "P-1-L2", "P-1-L1")):
        on = MONDAY + timedelta(days=day)
        claim = Claim("jira", str(day), NINE + timedelta(days=day))
        logged = LogTime("W-1", claim, Work(project, None, on, Decimal(8), started="09:00:00"))
        approved = ApproveTime((f"jira:{day}",), "W-9", NINE + timedelta(days=day, hours=10))
        world.tell(timesheet_stream("W-1", MONDAY), logged, approved)
    return world


def posted_because_of_caps(world: World) -> list[str]:
    rows = map(POSTINGS.row, fold(world.ledger).all(POSTINGS).values())
    return [row.because for row in rows if row.because in ("a cap makes room", "a cap leaves less room")]


def test_a_draft_or_a_credit_of_several_lines_moves_what_a_cap_leaves_only_once() -> None:
    world = two_lines_under(3000)
    first, second, _ = world.lots(timesheet_stream("W-1", MONDAY))
    world.draft("I-1", [first, second]).approve("I-1").issue("I-1", date(2026, 4, 1))
    assert posted_because_of_caps(world) == []
    credit(world, "CN-1", CreditWish(1, first.lot), CreditWish(2, second.lot), on=date(2026, 4, 2))
    assert posted_because_of_caps(world) == []
    folded(world.ledger)


def test_a_service_credit_beside_work_under_a_cap_is_less_than_nothing_from_the_start() -> None:
    world = World().firm().contract(cap=euros(2000))
    engagement = stream_of("engagement", "E-1")
    world.tell(engagement, AgreeLine(ContractLine("L2", "Operation", ManagedService(euros(3100), MONDAY))))
    world.tell(engagement, FallDue(MONDAY, NINE))
    world.work("1")
    world.work("2", day=1)
    world.tell(engagement, GiveServiceCredit("L2", "SC-1", MONDAY, euros(50), "An hour out of service.", "pm", NINE))
    rows = map(LINES.row, folded(world.ledger).all(LINES).values())
    assert {row.line: row.recognised for row in rows} == {"L1": 2000, "L2": -50}
