"""Random histories of promises and money, against the plainest sums: nothing is promised, billed or paid twice.

One contract has a line of every kind that bills apart from hours. What it lets be billed, what invoices ask for, what
customers keep back, pay, dispute and get back, is kept in plain numbers, which take nothing from the ledger but which
lots a draft took, and what a credit comes to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from api.verification.billings import Billings, Numbers
from api.verification.books import Auditor
from api.verification.law import Law
from domain import receivables
from domain.billing import adjusting, crediting
from domain.billing.credit_wishes import CreditWish
from domain.billing.draft_plan import BelowZero
from domain.calendar import FIRM, OpenDay
from domain.contract import (
    ContractLine,
    FixedFeeMilestones,
    FixedFeeSchedule,
    Instalment,
    ManagedService,
    Milestone,
    PassThrough,
    PercentComplete,
    Retainer,
)
from domain.credit_note import credit_note_stream
from domain.engagement import AcceptMilestone, AgreeLine, OpenEngagement, SignEngagement
from domain.engagement.milestones import PredecessorIncomplete
from domain.engagement.progress import MeasureProgress
from domain.engagement.retainer import GrantRetainer, RefundRetainer
from domain.engagement.schedule import GiveServiceCredit
from domain.expense import ApproveExpenses, Expense, RecordExpense, RejectExpenses, expense_stream
from domain.invoice import (
    DisputeInvoice,
    HandToCollections,
    HoldbackExceeded,
    Issued,
    NothingToBill,
    ResolveDispute,
    invoice_stream,
)
from domain.kernel import Addressed, Refused, StreamId, stream_of
from domain.lots import ENDED, Disposition, LotState, LotStatus, WriteOffLots
from domain.payment import ReceivePayment, RefundPayment, payment_stream
from domain.ports import LotAt
from domain.project import ConfirmSetUp
from domain.receivables import Allocation
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, LogCandidates, World, euros

NOTHING = Decimal(0)
CENT = Decimal("0.01")
SHEET, REPORT = timesheet_stream("W-1", MONDAY), expense_stream("ER-1")
APRIL = date(2026, 4, 30)
STAGES = (Milestone("M1", "Design", euros(3000)), Milestone("M2", "Build", euros(7000), after=("M1",)))
PARTS = (Instalment("1", "First", date(2026, 3, 5), euros(60)), Instalment("2", "Next", date(2026, 5, 2), euros(40)))
LINES = (
    ContractLine("COSTS", "Costs", PassThrough(), holdback_percent=Decimal(10)),
    ContractLine("STAGES", "Stages", FixedFeeMilestones(milestones=STAGES)),
    ContractLine("PARTS", "Parts", FixedFeeSchedule(euros(100), PARTS)),
    ContractLine("CARE", "Care", ManagedService(euros(310), date(2026, 3, 1))),
    ContractLine("SHARE", "Share", PercentComplete(euros(9000), "manual"), holdback_percent=Decimal("7.5")),
    ContractLine("ADVICE", "Advice", Retainer(euros(1200))),
)


KEPT_BACK = {"COSTS": Decimal(10), "SHARE": Decimal("7.5")}
"""How much of what some lines bill the customer keeps back, in percent."""


def part_of(amount: Decimal, percent: Decimal | int) -> Decimal:
    return (amount * percent / 100).quantize(CENT, ROUND_HALF_UP)


@dataclass
class PlainInvoice:
    """What a customer was asked for, and what became of it; ``by_line`` is its net by contract line."""

    by_line: dict[str, Decimal]
    issued_on: date
    tax_percent: int = 19
    credited: Decimal = NOTHING
    kept_of_credits: Decimal = NOTHING
    released: Decimal = NOTHING
    asked_elsewhere: Decimal = NOTHING
    given_up: Decimal = NOTHING
    paid: Counter[str] = field(default_factory=Counter)
    disputes: dict[str, bool] = field(default_factory=dict)
    in_collection: bool = False

    @property
    def net(self) -> Decimal:
        return sum(self.by_line.values(), NOTHING)

    @property
    def gross(self) -> Decimal:
        return self.net + part_of(self.net, self.tax_percent)

    @property
    def kept_back(self) -> Decimal:
        """What the customer kept back at first: nothing of what is given back."""
        return sum((part_of(max(net, NOTHING), KEPT_BACK.get(line, 0)) for line, net in self.by_line.items()), NOTHING)

    @property
    def still_kept(self) -> Decimal:
        return self.kept_back - self.released - self.asked_elsewhere - self.kept_of_credits

    @property
    def due(self) -> Decimal:
        asked = self.gross - self.kept_back + self.released - self.credited + self.kept_of_credits
        return asked - self.given_up - sum(self.paid.values(), NOTHING)

    @property
    def is_disputed(self) -> bool:
        return any(self.disputes.values())


class Promises(RuleBasedStateMachine):
    """A contract without hours but those that a retainer pays for, its invoices, and the customer's money."""

    @initialize()
    def firm(self) -> None:
        self.world = World().firm()
        self.world.candidates = LogCandidates(self.world)
        opened = OpenEngagement("E-1", "Everything", "C-1", "DE01", "EUR"), SignEngagement(NEW_YEAR, NEW_YEAR)
        self.world.tell(ENGAGEMENT, *opened, *map(AgreeLine, LINES))
        for each in LINES:
            project = stream_of("project", f"P-1-{each.line}")
            self.world.tell(project, ConfirmSetUp("psa", each.line), ConfirmSetUp("erp", each.line))
        self.day = date(2026, 3, 2)
        self.world.tell(FIRM, OpenDay(self.day, NINE))
        self.number = self.audited = 0
        self.promised: dict[str, Decimal] = {"CARE": Decimal(310)}
        self.spent: dict[str, tuple[Decimal, bool]] = {}
        self.refunded: Counter[str] = Counter()
        self.invoices: dict[str, PlainInvoice] = {}
        self.receipts: dict[str, Decimal] = {}
        self.paid_back: Counter[str] = Counter()
        law = Law()
        self.auditors: tuple[Auditor, ...] = (law, Billings(law), Numbers())
        for line in "12":
            self.spend(line, "100")
            self.decide_expense(line, approve=True)
        self.accept(STAGES[0])
        self.grant(500)
        self.advise(0, "3.5")
        for take in (2, 2, 1):
            self.bill(0, take, issue=True)
        assert [plain.kept_back for plain in self.invoices.values()] == [0, 10, 10]

    def tell(self, stream: StreamId, *commands: object) -> bool:
        """Whether the ledger took it; what it refuses must change nothing, which the invariants check."""
        try:
            self.world.tell(stream, *commands)
        except Refused:
            self.world.react()
            return False
        return True

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _promise(self, line: str, amount: Decimal | int) -> None:
        self.promised[line] = self.promised.get(line, NOTHING) + amount

    # -- what comes to be billed -------------------------------------------------------------------------------------

    @rule(line=st.sampled_from("123"), amount=st.sampled_from(["100", "33.33", "0.01", "-66.67", "-10"]))
    def spend(self, line: str, amount: str) -> None:
        spent = Expense(line, "P-1-COSTS", "travel", MONDAY, euros(amount), euros(0), billable=True, receipt="r.pdf")
        told = RecordExpense("ER-1", "W-1", spent, NINE + timedelta(minutes=self._next()))
        if self.tell(REPORT, told) and (line not in self.spent or self.spent[line][0] != Decimal(amount)):
            self.spent[line] = (Decimal(amount), False)

    @rule(line=st.sampled_from("123"), approve=st.booleans())
    def decide_expense(self, line: str, approve: bool) -> None:
        at = NINE + timedelta(minutes=self._next())
        asked = ApproveExpenses((line,), "W-9", at) if approve else RejectExpenses((line,), "W-9", at, "why")
        if self.tell(REPORT, asked):
            self.spent[line] = (self.spent[line][0], approve)

    @rule(stage=st.sampled_from(STAGES))
    def accept(self, stage: Milestone) -> None:
        is_new = ("STAGES", stage.milestone) not in self.world.read(ENGAGEMENT).accepted
        taken = self.tell(ENGAGEMENT, AcceptMilestone("STAGES", stage.milestone, MONDAY, "a mail", "pam", NINE))
        assert taken or stage.after, PredecessorIncomplete
        if taken and is_new:
            self._promise("STAGES", stage.amount.amount)

    @rule(days=st.integers(1, 40))
    def days_pass(self, days: int) -> None:
        before, self.day = self.day, self.day + timedelta(days=days)
        self.world.tell(FIRM, OpenDay(self.day, NINE))
        self._promise("CARE", 310 * ((self.day.year - before.year) * 12 + self.day.month - before.month))
        self._promise("PARTS", sum((each.amount.amount for each in PARTS if before < each.due_on <= self.day), NOTHING))

    @rule(amount=st.sampled_from(["10", "250.55"]))
    def give_service_credit(self, amount: str) -> None:
        name = f"C-{self._next()}"
        if self.tell(ENGAGEMENT, GiveServiceCredit("CARE", name, self.day, euros(amount), "An outage.", "pam", NINE)):
            self._promise("CARE", -Decimal(amount))

    @rule(percent=st.integers(0, 100), days=st.integers(0, 9))
    def measure(self, percent: int, days: int) -> None:
        """Told in any order of days: the newest day counts, of one day what was told last."""
        on = APRIL + timedelta(days=days)
        told = MeasureProgress("SHARE", on, Decimal(percent) / 100, "manual", "a report", "pam", NINE)
        assert self.tell(ENGAGEMENT, told)
        self.shares: dict[date, int] = {**getattr(self, "shares", {}), on: percent}
        self.promised["SHARE"] = Decimal(90 * self.shares[max(self.shares)])

    @rule(amount=st.sampled_from([1200, 500]))
    def grant(self, amount: int) -> None:
        name = f"R{self._next()}"
        assert self.tell(ENGAGEMENT, GrantRetainer("ADVICE", name, MONDAY, NINE, euros(amount)))
        self._promise("ADVICE", amount)

    @rule(day=st.integers(0, 4), hours=st.sampled_from(["2", "3.5"]))
    def advise(self, day: int, hours: str) -> None:
        on, number = MONDAY + timedelta(days=day), str(self._next())
        work = Work("P-1-ADVICE", None, on, Decimal(hours), started=f"0{day}:00:00")
        approved = ApproveTime((f"jira:{number}",), "W-9", NINE + timedelta(days=1))
        self.tell(SHEET, LogTime("W-1", Claim("jira", number, NINE), work), approved)

    @rule()
    def refund_retainer(self) -> None:
        account = self.world.read(ENGAGEMENT).account("ADVICE")
        for name in list(account.grants)[:1]:
            refund = RefundRetainer("ADVICE", name, euros("100.01"), self.day, "Less is needed.", "pam")
            if self.tell(ENGAGEMENT, refund):
                self.refunded[name] += Decimal("100.01")  # type: ignore[assignment]

    # -- invoices ----------------------------------------------------------------------------------------------------

    def _books(self) -> dict[StreamId, dict[str, LotState]]:
        return {stream: self.world.read(stream).lots for stream in (ENGAGEMENT, REPORT, SHEET)}

    @rule(skip=st.integers(0, 3), take=st.integers(1, 4), issue=st.sampled_from([True, True, False]))
    def bill(self, skip: int, take: int, issue: bool) -> None:
        open_lots = [
            LotAt(stream, name)
            for stream, book in self._books().items()
            for name, held in book.items()
            if held.status is LotStatus.OPEN
        ]
        name = f"I-{self._next()}"
        try:
            self.world.draft(name, open_lots[skip:][:take], strict=False)
        except (NothingToBill, BelowZero):
            return
        lines = self.world.read(invoice_stream(name)).lines
        by_line: dict[str, Decimal] = {}
        for stream, name_of_lot in {(part.stream, part.lot) for line in lines for part in line.lots}:
            lot = self._books()[stream][name_of_lot].lot
            by_line[lot.line] = by_line.get(lot.line, NOTHING) + lot.value.amount
        plain = PlainInvoice(by_line, self.day)
        if not issue or plain.net <= 0:
            self.world.record(adjusting.discard_draft(self.world.read, name, "paul", "Not now."))
            self.world.react()
            return
        self.world.approve(name).issue(name, self.day)
        self.invoices[name] = plain

    def _some(self, which: int) -> str | None:
        names = list(self.invoices)
        return names[which % len(names)] if names else None

    @rule(
        which=st.integers(0, 9),
        amount=st.sampled_from([None, "50.05"]),
        disposition=st.sampled_from(["rebill", "write_off", "non_billable"]),
    )
    def credit(self, which: int, amount: str | None, disposition: Disposition) -> None:
        name, note, read = self._some(which), f"CN-{self._next()}", self.world.read
        if name is None:
            return
        wish = CreditWish(1, amount=euros(amount) if amount else None, disposition=disposition)
        before = read(ENGAGEMENT).account("ADVICE").grants
        try:
            asked = crediting.draft_credit_note(read, note, name, [wish], form="381", reason="Agreed.", by="paul")
            self.world.record(asked)
            self.world.record(crediting.approve_credit_note(read, note, "ann", NINE))
            self.world.record(crediting.issue_credit_note(read, note, self.day))
        except Refused:
            return
        self.world.react()
        credited = read(credit_note_stream(note)).credit
        net = sum((part.value.amount for line in credited.lines for part in line.lots), NOTHING)
        assert credited.net.amount == net
        plain, line = self.invoices[name], credited.lines[0]
        plain.credited += credited.gross.amount
        is_all = plain.credited == plain.gross and len(read(invoice_stream(name)).document.lines) == 1
        kept = part_of(max(net, NOTHING), KEPT_BACK.get(line.contract_line, 0) if plain.tax_percent else 0)
        plain.kept_of_credits += plain.still_kept if is_all else min(kept, plain.still_kept)
        for grant, held in read(ENGAGEMENT).account("ADVICE").grants.items():
            self.refunded[grant] += held.refunded.amount - before[grant].refunded.amount

    @rule()
    def write_work_off(self) -> None:
        for name, held in self._books()[REPORT].items():
            if held.status is LotStatus.OPEN:
                assert self.tell(REPORT, WriteOffLots((name,), "goodwill", "ann"))
                return

    # -- what is kept back, and disputes ------------------------------------------------------------------------------

    @rule(which=st.integers(0, 9), amount=st.sampled_from([None, "1.11", "300"]))
    def release_holdback(self, which: int, amount: str | None) -> None:
        """What was kept back is due under its own invoice."""
        if (name := self._some(which)) is None:
            return
        plain, money = self.invoices[name], euros(amount) if amount else None
        asked = money.amount if money else plain.still_kept
        taken = self._try(receivables.release_holdback(self.world.read, name, money, "Done.", "ann", self.day))
        assert taken == (asked <= plain.still_kept), "nothing of nothing is no news"
        if taken:
            plain.released += asked

    @rule(which=st.integers(0, 9), amount=st.sampled_from([None, "1.11"]), issue=st.booleans())
    def ask_for_holdback(self, which: int, amount: str | None, issue: bool) -> None:
        """An invoice of its own asks for what was kept back; it was taxed before."""
        if (name := self._some(which)) is None:
            return
        plain, into, read = self.invoices[name], f"I-{self._next()}", self.world.read
        money = euros(amount) if amount else None
        asked = money.amount if money else plain.still_kept
        try:
            self.world.record(receivables.release_holdback(read, name, money, "Done.", "paul", self.day, into))
        except HoldbackExceeded:
            assert not 0 < asked <= plain.still_kept
            return
        if issue:
            self.world.approve(into).issue(into, self.day)
            plain.asked_elsewhere += asked
            self.invoices[into] = PlainInvoice({"what was kept back": asked}, self.day, tax_percent=0)
        else:
            self.world.record(adjusting.discard_draft(read, into, "paul", "Not now."))

    @rule(which=st.integers(0, 9), name=st.sampled_from("AB"), amount=st.sampled_from([None, "20"]))
    def dispute(self, which: int, name: str, amount: str | None) -> None:
        """A dispute is open until it is resolved; once resolved, it stays so."""
        if (invoice := self._some(which)) is None:
            return
        asked = DisputeInvoice(name, self.day, "Too many hours.", "pam", euros(amount) if amount else None)
        assert self.tell(invoice_stream(invoice), asked)
        self.invoices[invoice].disputes.setdefault(name, True)

    @rule(which=st.integers(0, 9), name=st.sampled_from("AB"))
    def resolve_dispute(self, which: int, name: str) -> None:
        if (invoice := self._some(which)) is None:
            return
        disputes = self.invoices[invoice].disputes
        taken = self.tell(invoice_stream(invoice), ResolveDispute(name, self.day, "Agreed.", "pam"))
        assert taken == (name in disputes)
        if taken:
            disputes[name] = False

    @rule(which=st.integers(0, 9))
    def hand_to_collections(self, which: int) -> None:
        """Only what is overdue and not disputed is handed over."""
        if (invoice := self._some(which)) is None:
            return
        plain = self.invoices[invoice]
        may_be = plain.due > 0 and self.day > plain.issued_on + timedelta(days=30) and not plain.is_disputed
        asked = HandToCollections("agency", self.day, "ann", "Not paid.")
        assert self.tell(invoice_stream(invoice), asked) == (may_be or plain.in_collection)
        plain.in_collection = plain.in_collection or may_be

    # -- money -------------------------------------------------------------------------------------------------------

    def _try(self, commands: Sequence[Addressed]) -> bool:
        try:
            self.world.record(commands)
        except Refused:
            return False
        self.world.react()
        return True

    @rule(which=st.integers(0, 9), amount=st.sampled_from(["10", "357", "4000"]))
    def pay(self, which: int, amount: str) -> None:
        """Money comes for an invoice: as much as is due of it settles it, the rest is on account."""
        name, payment, money = self._some(which), f"B-{self._next()}", Decimal(amount)
        receipt = ReceivePayment(payment, "C-1", "DE01", self.day, euros(amount))
        due = self.invoices[name].due if name else NOTHING
        used = [Allocation(name)] if name and due > 0 else []
        assert self._try(receivables.receive_payment(self.world.read, receipt, used))
        self.receipts[payment] = money
        if name and due > 0:
            self.invoices[name].paid[payment] += min(due, money)  # type: ignore[assignment]

    def _on_account(self, payment: str) -> Decimal:
        used = sum((each.paid[payment] for each in self.invoices.values()), NOTHING)
        return self.receipts[payment] - used - self.paid_back[payment]

    @rule(which=st.integers(0, 9), payment=st.integers(0, 9), amount=st.sampled_from(["5", "200"]))
    def use_money_on_account(self, which: int, payment: int, amount: str) -> None:
        name, receipts, money = self._some(which), list(self.receipts), Decimal(amount)
        if name is None or not receipts:
            return
        receipt = receipts[payment % len(receipts)]
        used = [Allocation(name, euros(amount), euros(amount))]
        read, known = self.world.read, self.invoices[name].paid[receipt]
        taken = self._try(receivables.apply_payment(read, receipt, used, self.day))
        if known:
            return  # it settles that invoice already: the same again is no news, another amount is refused
        assert taken == (money <= self._on_account(receipt) and money <= self.invoices[name].due)
        if taken:
            self.invoices[name].paid[receipt] += money  # type: ignore[assignment]

    @rule(which=st.integers(0, 9))
    def take_money_back(self, which: int) -> None:
        name = self._some(which)
        for payment in list(self.invoices[name].paid)[:1] if name else ():
            assert name is not None
            asked = receivables.unapply_payment(self.world.read, payment, name, self.day, "Wrong invoice.")
            assert self._try(asked)
            del self.invoices[name].paid[payment]

    @rule(payment=st.integers(0, 9), amount=st.sampled_from(["5", "300"]))
    def pay_back(self, payment: int, amount: str) -> None:
        receipts = list(self.receipts)
        if not receipts:
            return
        receipt, money = receipts[payment % len(receipts)], Decimal(amount)
        refund = RefundPayment(f"R-{self._next()}", self.day, euros(amount), "Paid twice.", "ann")
        taken = self.tell(payment_stream(receipt), refund)
        assert taken == (money <= self._on_account(receipt))
        if taken:
            self.paid_back[receipt] += money  # type: ignore[assignment]

    @rule(which=st.integers(0, 9), amount=st.sampled_from([None, "7.77"]))
    def give_up(self, which: int, amount: str | None) -> None:
        name = self._some(which)
        if name is None:
            return
        due, money = self.invoices[name].due, euros(amount) if amount else None
        asked = money.amount if money else due
        taken = self._try(receivables.write_off(self.world.read, name, money, "Insolvent.", "ann", self.day))
        assert taken == (due == 0 or 0 < asked <= due), "of an invoice that is settled there is nothing to give up"
        if taken and due:
            self.invoices[name].given_up += asked

    # -- the law -----------------------------------------------------------------------------------------------------

    @invariant()
    def every_promise_has_its_lots(self) -> None:
        """What each line has let be billed stands in lots, whatever has become of them, and nothing else does."""
        sums: Counter[str] = Counter()
        for held in (held for book in self._books().values() for held in book.values()):
            if held.status not in ENDED and held.lot.unit == "item":
                sums[held.lot.line] += held.lot.value.amount  # type: ignore[assignment]
        costs = sum((amount for amount, approved in self.spent.values() if approved), NOTHING)
        expected = {**self.promised, "COSTS": costs}
        assert {line: sum_ for line, sum_ in sums.items() if sum_} == {k: v for k, v in expected.items() if v}

    @invariant()
    def every_invoice_asks_for_what_is_due(self) -> None:
        for name, plain in self.invoices.items():
            state = self.world.read(invoice_stream(name))
            assert isinstance(state, Issued)
            assert state.document.gross.amount == plain.gross
            assert state.due.amount == plain.due, name
            assert (state.document.holdback.amount, state.held_back.amount) == (plain.kept_back, plain.still_kept)
            assert plain.still_kept >= 0
            assert (state.is_disputed, state.collections is not None) == (plain.is_disputed, plain.in_collection)
            assert {each: applied.amount.amount for each, applied in state.applied.items()} == +plain.paid

    @invariant()
    def every_receipt_is_used_once(self) -> None:
        for payment in self.receipts:
            state = self.world.read(payment_stream(payment))
            assert state.on_account.amount == self._on_account(payment) >= 0

    @invariant()
    def every_retainer_pays_for_as_much_as_was_drawn(self) -> None:
        """Granted = applied + refunded + available, and applied is what drawn lots are worth."""
        account = self.world.read(ENGAGEMENT).account("ADVICE")
        drawn: Counter[str] = Counter()
        for held in self._books()[SHEET].values():
            if held.status is LotStatus.DRAWN:
                drawn[held.grant or ""] += held.lot.value.amount  # type: ignore[assignment]
        for name, grant in account.grants.items():
            assert (grant.applied.amount, grant.refunded.amount) == (drawn[name], self.refunded[name])
            assert grant.available.amount == grant.amount.amount - drawn[name] - self.refunded[name] >= 0

    @invariant()
    def an_auditor_finds_nothing(self) -> None:
        for fact in self.world.ledger.read(self.audited, 100_000):
            for auditor in self.auditors:
                assert list(auditor.see(fact)) == []
            self.audited = fact.position
        for auditor in self.auditors:
            assert list(auditor.settle()) == []


Promises.TestCase.settings = settings(
    max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRandomHistoriesKeepEveryCent = Promises.TestCase
