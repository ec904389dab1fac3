"""What each contract line has earned: by its lots where that is as invoiceable, else by its progress or by days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from domain import postings
from domain.engagement import ContractLine, FixedFeeMilestones, TimeAndMaterials
from domain.journal import AccountRole, Carried, Posting, Rate
from domain.kernel import Recorded
from projections.contexts import Contexts
from projections.journal_tables import LINES, LineRecord
from projections.journal_writer import About, JournalWriter
from projections.shelf import Changes, Shelf, Source
from projections.tables import Key

_NOTHING: Final = Decimal(0)


class JournalLines:
    """The lines of all engagements, as far as something was earned, billed or spent on them."""

    def __init__(self, source: Source, contexts: Contexts, writer: JournalWriter) -> None:
        self.lines: Shelf[LineRecord] = Shelf(LINES, source)
        self._contexts = contexts
        self._writer = writer

    def collect(self, changes: Changes) -> None:
        """The lines that changed."""
        changes.tables.append(self.lines.changes())
        self.lines.shrink()

    # -- terms -------------------------------------------------------------------------------------------------------

    @staticmethod
    def account_of(kind: str, line: ContractLine | None) -> AccountRole:
        """The revenue account of what comes from a kind of stream on a line."""
        if kind == "expense_report":
            return AccountRole.REVENUE_EXPENSE
        if line is not None and isinstance(line.billing, FixedFeeMilestones):
            return AccountRole.REVENUE_MILESTONE
        return AccountRole.REVENUE_TM

    @staticmethod
    def earns(kind: str, line: ContractLine | None, value: Decimal) -> bool:
        """Whether a billable lot earns its value by itself: what may be invoiced, or what was accepted."""
        return bool(value) and (line is not None or kind != "engagement")

    def of(self, engagement: str, name: str, entity: str, currency: str) -> LineRecord:
        """A line, which is going to be changed."""
        key = (engagement, name)
        self.lines.fetch([key])
        if self.lines.get(key) is not None:
            return self.lines.change(key)
        row = LineRecord(
            engagement=engagement,
            line=name,
            entity=entity,
            currency=currency,
            method="",
            price=None,
            recognised=_NOTHING,
            adjusted=_NOTHING,
            billed=_NOTHING,
            hours=_NOTHING,
            cost=_NOTHING,
            over_cap=_NOTHING,
            provision=_NOTHING,
            running=False,
            recognised_through=None,
            basis_recognised=None,
            basis_done=None,
        )
        self._state_terms(row)
        return self.lines.add(key, row)

    def _agreed(self, row: LineRecord) -> ContractLine | None:
        return self._contexts.engagement(row.engagement).lines.get(row.line)

    def _state_terms(self, row: LineRecord) -> None:
        match self._agreed(row):
            case ContractLine(billing=TimeAndMaterials(cap=cap)):
                row.method, row.price = "as_invoiceable", cap.amount if cap is not None else None
            case ContractLine(billing=FixedFeeMilestones(milestones=milestones)):
                row.method = "point_in_time"
                row.price = sum((each.amount.amount for each in milestones), _NOTHING)
            case _:
                row.method, row.price = "as_invoiceable", None

    def terms_changed(self, _fact: Recorded[Any], key: Key) -> None:
        """The line was agreed anew."""
        self._state_terms(self.lines.change(key))

    def room(self, line: LineRecord) -> Decimal | None:
        """What may still be recognised under the line's cap or price; None when it has none."""
        return None if line.price is None else line.price - (line.recognised - line.adjusted)

    def fills_caps(self, line: LineRecord) -> bool:
        """Whether the lot that crosses the cap is recognised in part."""
        agreed = self._agreed(line)
        return not (
            agreed is not None
            and isinstance(agreed.billing, TimeAndMaterials)
            and agreed.billing.cap_policy == "whole_item"
        )

    def fixed_rate(self, _engagement: str, _line: str, _functional: str) -> Rate | None:
        """The exchange rate that the contract fixes, if it does."""
        return None

    def day_of(self, fact: Recorded[Any], entity: str) -> date:
        """The day on which something was recorded, where the entity is."""
        terms = self._contexts.entity(entity).versions
        return fact.recorded_at.astimezone(ZoneInfo(terms[-1].time_zone)).date() if terms else fact.recorded_at.date()

    # -- what is earned ----------------------------------------------------------------------------------------------

    def recognise(
        self, fact: Recorded[Any], line: LineRecord, amount: Decimal, rate: Rate, account: AccountRole, because: str,
        day: date, about: About, functional: Decimal | None = None,
    ) -> tuple[Posting, ...]:  # fmt: skip
        """Revenue of a line, against the position of its engagement; returns the postings."""
        position = self._writer.carried("position", line.engagement)
        moved = postings.recognise(position, amount, line.currency, rate, account, functional)
        line.recognised += amount
        self._set_position(line, about, rate, moved.left)
        self._writer.enter(fact, line.entity, because, day, moved.postings, about)
        return moved.postings

    def _set_position(self, line: LineRecord, about: About, rate: Rate, left: Carried) -> None:
        about = About(about.customer, line.engagement)
        self._writer.begin("position", line.engagement, line.entity, about, line.currency, rate, left)

    def measure(self, fact: Recorded[Any], engagement: str, name: str, day: date) -> None:
        """Progress of a line may have moved."""
