"""Hours that are on an invoice stay as they are; once they are credited, what was refused is tried again and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from domain.billing import crediting
from domain.billing.credit_wishes import CreditWish
from domain.exception import ExceptionItem, RetryException
from domain.kernel import Addressed, Cause, StreamId
from domain.lots import LotStatus
from domain.timesheet import Timesheet, timesheet_stream
from tests.adapters.inbox.firm import Firm
from tests.adapters.inbox.messages import DAY, HOURS, NAMES, SIGNED
from tests.adapters.vendors.payloads import NINE, Letter, jira_worklog, tempo_approval
from tests.world import MONDAY

SHEET = timesheet_stream("W-1", MONDAY)
LATER = NINE + 40 * DAY


@dataclass(frozen=True)
class Change:
    """What a system tells of hours that are on an invoice, and what comes of it when they are not any more."""

    letter: Letter
    status: str
    hours: Decimal


CHANGES = {
    "corrected": Change(jira_worklog("10", at=LATER, verb="updated", seconds=3_600), "captured", Decimal(1)),
    "deleted": Change(jira_worklog("10", at=LATER, verb="deleted"), "withdrawn", Decimal(3)),
    "opened": Change(tempo_approval("OPEN", at=LATER), "submitted", Decimal(3)),
}


def billed() -> Firm:
    """Three hours of Monday, approved with their week and on an issued invoice."""
    firm = Firm().deliver([*NAMES, *SIGNED, *HOURS[:4], tempo_approval("APPROVED", at=NINE + 9 * DAY)])
    firm.bill(date(2026, 3, 31))
    assert firm.invoices == ["INV-1"]
    return firm


def open_exceptions(firm: Firm) -> list[tuple[StreamId, ExceptionItem]]:
    streams = dict.fromkeys(fact.stream for fact in firm.ledger.read(0, 10**6) if fact.name == "exception.opened.v1")
    return [(stream, firm.read(stream)) for stream in streams if firm.read(stream).is_open]


def credit_all(firm: Firm) -> None:
    wish = (CreditWish(1),)
    firm.record(
        crediting.draft_credit_note(firm.read, "CN-1", "INV-1", wish, form="381", reason="Wrong hours.", by="paul")
    )
    firm.record(crediting.approve_credit_note(firm.read, "CN-1", "ann", LATER))
    firm.record(crediting.issue_credit_note(firm.read, "CN-1", date(2026, 5, 4)))
    firm.react()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_refused_for_hours_on_an_invoice_goes_through_once_they_are_credited(change: Change) -> None:
    firm = billed().deliver([change.letter])
    ((stream, item),) = open_exceptions(firm)
    assert item.problem is not None
    assert (item.problem.code, item.problem.kind) == ("timesheet.entry_invoiced", "refused")
    credit_all(firm)
    firm.ledger.execute([Addressed(stream, RetryException("user:ann"))], Cause("user:ann", "retry"))
    firm.react()
    assert open_exceptions(firm) == []
    sheet: Timesheet = firm.read(SHEET)
    entry = sheet.claimed_by("jira:10")
    assert entry is not None
    assert (entry.status, entry.work.hours) == (change.status, change.hours)
    assert all(held.status is not LotStatus.OPEN for held in sheet.lots.values())


def test_hours_that_were_corrected_so_are_approved_and_billed_anew() -> None:
    firm = billed().deliver([CHANGES["corrected"].letter])
    ((stream, _),) = open_exceptions(firm)
    credit_all(firm)
    firm.ledger.execute([Addressed(stream, RetryException("user:ann"))], Cause("user:ann", "retry"))
    firm.react()
    firm.deliver([tempo_approval("APPROVED", at=LATER + DAY)])
    firm.bill(date(2026, 5, 31))
    assert firm.invoices == ["INV-1", "INV-2"]
    billed_now = [held.lot.quantity for held in firm.read(SHEET).lots.values() if held.status is LotStatus.BILLED]
    assert billed_now == [1]
