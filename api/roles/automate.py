"""The part that acts on what has happened: each process of the domain, each event once."""

from __future__ import annotations

import threading
from functools import partial

import structlog

from adapters.automation.process import Automated
from adapters.automation.service import Automation
from adapters.collector import spare_the_collector
from adapters.eventstore.ledger import Ledger
from adapters.settings import Settings
from adapters.tax_ids import check
from adapters.turns import turn_of
from api.books import open_ledger
from api.candidates import open_candidates
from api.policies import publish
from domain.kernel import Refused
from domain.processes.answers import Answers
from domain.processes.cap_alerts import CapAlerts
from domain.processes.drawdown import Drawdown
from domain.processes.falling_due import FallingDue
from domain.processes.listening import Listening
from domain.processes.measuring import Measuring
from domain.processes.posting import Posting
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning
from domain.processes.tax_ids import TaxIds

_log = structlog.get_logger(__name__)

PROCESSES = (
    Automated(Provisioning(), owner_role="project_manager"),
    Automated(Pricing(), together=False, owner_role="finance_preparer"),
    Automated(Posting(), owner_role="finance_preparer"),
    Automated(Answers()),
    Automated(TaxIds(check), owner_role="finance_preparer"),
    Automated(Drawdown(), owner_role="finance_preparer"),
    Automated(FallingDue(), together=False, owner_role="finance_preparer"),
    Automated(Measuring(), owner_role="project_manager"),
    Automated(CapAlerts(), owner_role="project_manager"),
    Automated(Listening(), owner_role="integration"),
)
"""What runs. A name is for ever: how far a process has come is kept under it."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Act until told to stop."""
    assert settings.database_url is not None, "roles are started on servers that run"
    spare_the_collector()
    turns = partial(turn_of, settings.database_url, schema=settings.db_schema)
    with (
        open_ledger(settings, pool_size=len(PROCESSES) + 1) as ledger,
        open_candidates(settings, ledger) as candidates,
    ):
        _publish_policies(ledger)
        Automation(ledger, PROCESSES, candidates, turns).work(stop)


def _publish_policies(ledger: Ledger) -> None:
    """What comes with this version and is not in the log yet; a pack that was changed by hand is left to people."""
    try:
        new = publish(ledger)
    except Refused as refused:
        _log.error("policies not published", code=refused.code, detail=refused.detail)
    else:
        _log.info("policies published", facts=len(new))
