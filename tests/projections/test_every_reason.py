"""Every reason of the closed list: a history that makes it appear, and the fact that makes it vanish unasked.

Histories are told by commands; the read models follow the log alone, in one batch, fact by fact and with restarts.
"""

from __future__ import annotations

from datetime import date

import pytest

from domain.billing.draft_plan import DraftPlan, LotsNotEligible
from domain.billing.drafting import draft_invoices
from domain.ports import LotAt
from domain.reason_codes import MEANINGS, ReasonAlwaysBlocks, ReasonCode
from projections.eligibility.items import ITEMS, Item
from tests.projections.books import Rows, folded, given
from tests.projections.reason_steps import SHEET, Story, entity, opened
from tests.projections.reason_stories import STORIES

DRAFTS_TOO = (
    ReasonCode.LATE_ENTRY_AFTER_CUTOFF,
    ReasonCode.CONTRACT_ENDED,
    ReasonCode.ACCOUNT_MAPPING_MISSING,
    ReasonCode.INTERCOMPANY_AGREEMENT_MISSING,
    ReasonCode.TRANSFER_PRICE_MISSING,
)


def items_of(rows: Rows, source: str) -> list[Item]:
    items = [ITEMS.row(values) for values in rows.store.all(ITEMS).values()]
    return sorted((each for each in items if each.source == source), key=lambda each: each.recorded_version)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.code.value)
def test_a_reason_appears_with_its_cause_and_vanishes_with_its_cure(story: Story) -> None:
    world = story.world()
    story.appears(world)
    held = [each for each in items_of(given(world).when(folded), story.source) if story.code.value in each.codes]
    assert held
    story.vanishes(world)
    newest = items_of(given(world).when(folded), story.source)[-1]
    assert story.code.value not in newest.codes


@pytest.mark.parametrize("story", [each for each in STORIES if each.code in DRAFTS_TOO], ids=lambda each: each.code)
def test_what_the_read_model_holds_no_draft_takes_until_it_is_cured(story: Story) -> None:
    world = story.world()
    story.appears(world)
    lots = [LotAt(SHEET, f"{story.source}#1")]
    with pytest.raises(LotsNotEligible, match=story.code.value):
        world.draft("I-1", lots)
    story.vanishes(world)
    on = date(2026, 4, 30)
    plan = DraftPlan(on, "paul", on, strict=True)
    assert draft_invoices(world.read, lots, plan, lambda _: "I-1").invoices == ("I-1",)


def test_the_table_tells_of_every_reason_of_the_list() -> None:
    assert {story.code for story in STORIES} == set(ReasonCode)
    assert list(MEANINGS) == list(ReasonCode), "documented in the order of the list"


def test_a_policy_of_the_entity_lets_a_reason_pass_and_never_one_that_always_blocks() -> None:
    world = opened("psa", "erp", purchase_order_required=True)()
    world.work("1")
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="held", codes=("PO_MISSING",))
    entity(world, lets_pass=("PO_MISSING",))
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="eligible", codes=())
    world.draft("I-1", world.lots(SHEET))
    with pytest.raises(ReasonAlwaysBlocks, match="CUSTOMER_BLOCKED"):
        entity(world, lets_pass=("CUSTOMER_BLOCKED",))
