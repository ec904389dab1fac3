"""The systems that the ledger understands, by the word that their subjects carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.vendors.canonical import translate as canonical
from adapters.vendors.ecb import translate as ecb
from adapters.vendors.intake import Vendor
from adapters.vendors.jira import translate as jira
from adapters.vendors.salesforce import translate as salesforce
from adapters.vendors.targets import translate as targets
from adapters.vendors.tempo import translate as tempo
from adapters.vendors.workday import translate as workday

VENDORS: Final[Mapping[str, Vendor]] = {
    "canonical": canonical.VENDOR,
    "ecb": ecb.VENDOR,
    "erp": targets.ERP,
    "jira": jira.VENDOR,
    "psa": targets.PSA,
    "salesforce": salesforce.VENDOR,
    "tempo": tempo.VENDOR,
    "workday": workday.VENDOR,
}
"""How each system's messages are named and read."""
