"""All governed services by their names, which are contracts: subjects of NATS and, in camel case, GraphQL mutations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.services import (
    contracts,
    crediting,
    drafts,
    engagements,
    exceptions,
    finance,
    invoices,
    lots,
    payments,
    projects,
    work,
)
from api.services.service import Service

SERVICES: Mapping[str, Service[Any]] = {
    service.name: service
    for service in (
        *projects.SERVICES,
        *work.SERVICES,
        *engagements.SERVICES,
        *contracts.SERVICES,
        *drafts.SERVICES,
        *lots.SERVICES,
        *invoices.SERVICES,
        *crediting.SERVICES,
        *payments.SERVICES,
        *exceptions.SERVICES,
        *finance.SERVICES,
    )
}
