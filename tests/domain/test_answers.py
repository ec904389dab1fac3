"""What a target refuses or leaves open becomes a work item, until the target has done it."""

from __future__ import annotations

import pytest

from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine
from domain.exception import ExceptionItem, RetryException, exception_stream
from domain.invoice import (
    ConfirmPosting,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    invoice_stream,
)
from domain.kernel import StreamId, stream_of
from domain.processes.answers import Answers
from domain.project import ConfirmSetUp, RejectSetUp, ReportSetUpInDoubt
from tests.world import ENGAGEMENT, PROJECT, World, euros

INVOICE = invoice_stream("I-1")
REFUSED = exception_stream("rejected_by_target", "erp", INVOICE)
DOUBTED = exception_stream("in_doubt", "erp", INVOICE)


@pytest.fixture
def world() -> World:
    """An invoice that the ERP was asked to post, and a project that the PSA was asked to create."""
    world = World()
    world.processes = (*world.processes, Answers())
    world.firm().contract()
    sheet = world.work("1")
    return world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")


def item(world: World, stream: StreamId) -> ExceptionItem:
    found: ExceptionItem = world.read(stream)
    return found


def test_a_refused_posting_becomes_a_work_item_with_the_money_at_risk(world: World) -> None:
    world.tell(INVOICE, RejectPosting("erp", "the period is closed"))
    problem = item(world, REFUSED).problem
    assert problem is not None
    assert problem.message == "erp refused invoice:I-1: the period is closed"
    assert (problem.system, problem.invoice, problem.engagement, problem.customer) == ("erp", "I-1", "E-1", "C-1")
    assert problem.money_at_risk == euros("1428.00")
    assert problem.owner_role == "finance_preparer"


def test_trying_again_asks_the_target_anew_and_its_confirmation_ends_the_work_item(world: World) -> None:
    world.tell(INVOICE, RejectPosting("erp", "the period is closed"))
    world.tell(REFUSED, RetryException("user:ann"))
    assert world.read(INVOICE).postings["erp"].state == "requested"
    assert item(world, REFUSED).is_open
    world.tell(INVOICE, ConfirmPosting("erp", "4711"))
    assert not item(world, REFUSED).is_open


def test_a_posting_in_doubt_is_a_work_item_that_ends_by_itself(world: World) -> None:
    world.tell(INVOICE, ReportPostingInDoubt("erp", "no answer within 2 s"))
    assert item(world, DOUBTED).is_open
    world.tell(INVOICE, ConfirmPosting("erp", "4711"))
    assert not item(world, DOUBTED).is_open


def test_a_doubt_that_turns_out_to_be_a_refusal_is_one_work_item(world: World) -> None:
    world.tell(INVOICE, ReportPostingInDoubt("erp", "no answer within 2 s"))
    world.tell(INVOICE, RejectPosting("erp", "the period is closed"))
    assert not item(world, DOUBTED).is_open
    assert item(world, REFUSED).is_open


def test_a_set_up_that_is_refused_names_the_project_and_is_asked_for_again(world: World) -> None:
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "More work", TimeAndMaterials())))
    project = stream_of("project", "P-1-L2")
    refused = exception_stream("rejected_by_target", "psa", project)
    world.tell(project, ReportSetUpInDoubt("psa", "silence"), RejectSetUp("psa", "no such customer"))
    problem = item(world, refused).problem
    assert problem is not None
    assert (problem.project, problem.engagement, problem.customer) == ("P-1-L2", "E-1", "C-1")
    world.tell(refused, RetryException("user:ann"))
    assert world.read(project).set_ups["psa"].state == "requested"
    world.tell(project, ConfirmSetUp("psa", "psa-2"))
    assert not item(world, refused).is_open


def test_what_was_answered_well_makes_no_work_items(world: World) -> None:
    world.tell(INVOICE, ReportPostingSent("erp"), ConfirmPosting("erp", "4711"))
    world.tell(PROJECT, ConfirmSetUp("psa", "psa-1"))
    assert not [name for name in world.names() if name.startswith("exception.")]
