"""Policies are published once; a changed file under the same version is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.eventstore.memory import MemoryLedger
from adapters.policy_packs.tax_packs import FOLDER
from api.policies import publish
from domain.catalogue import DECIDERS, EVENTS
from domain.kernel import StreamId
from domain.reference.tax_rule import TaxPackVersionChanged


def test_policies_are_published_once_and_a_changed_file_is_refused(tmp_path: Path) -> None:
    ledger = MemoryLedger(EVENTS, DECIDERS)
    new = publish(ledger)
    assert "tax_rule:DE@1" in new
    assert "billing_calendar:DE-BY@1" in new
    assert publish(ledger) == []
    changed = tmp_path / "DE.toml"
    changed.write_text((FOLDER / "DE.toml").read_text().replace('percent = "19"', 'percent = "18"'))
    with pytest.raises(TaxPackVersionChanged, match=r"DE 2026\.2"):
        publish(ledger, [changed])
    changed.write_text(changed.read_text().replace('version = "2026.2"', 'version = "2026.3"'))
    assert publish(ledger, [changed]) == ["tax_rule:DE@2"]
    assert len(ledger.load([StreamId("tax_rule:DE")])[StreamId("tax_rule:DE")].state.packs) == 2
