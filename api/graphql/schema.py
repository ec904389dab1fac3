"""The schema: every question, every governed service, what can be listened to, and what happens around all of them."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.extensions import DisableIntrospection, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from api.graphql.asking import value_of
from api.graphql.billing_eligibility import EligibilityQueries
from api.graphql.credit_notes import CreditNoteQueries
from api.graphql.engagements import EngagementQueries
from api.graphql.exceptions import ExceptionQueries
from api.graphql.figures import FigureQueries
from api.graphql.finance import FinanceQueries
from api.graphql.history import HistoryQueries
from api.graphql.intercompany import IntercompanyQueries
from api.graphql.invoices import InvoiceQueries
from api.graphql.journal import JournalQueries
from api.graphql.ledger import LedgerQueries
from api.graphql.limits import Limits, TextsCanBeKept
from api.graphql.lots import LotQueries
from api.graphql.margin import MarginQueries
from api.graphql.messages import MessageQueries
from api.graphql.mutations import mutation_type
from api.graphql.periods import PeriodQueries
from api.graphql.projects import ProjectQueries
from api.graphql.receivables import ReceivableQueries
from api.graphql.scalars import SCALARS
from api.graphql.subscriptions import Subscription
from api.graphql.sync_status import SyncQueries
from api.graphql.telling import IsMeasured, ReadsAreNoted, TellsNoSecrets
from api.graphql.timesheets import TimesheetQueries


@strawberry.type(description="What may be asked.")
class Query(
    LedgerQueries,
    EngagementQueries,
    ProjectQueries,
    TimesheetQueries,
    InvoiceQueries,
    CreditNoteQueries,
    ReceivableQueries,
    EligibilityQueries,
    LotQueries,
    MarginQueries,
    JournalQueries,
    SyncQueries,
    ExceptionQueries,
    HistoryQueries,
    MessageQueries,
    PeriodQueries,
    FinanceQueries,
    IntercompanyQueries,
    FigureQueries,
):
    """See the description."""


class QuietSchema(strawberry.Schema):
    """Refusals are answers, not faults: what nobody expected is logged where errors are told (``telling``)."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing is logged twice."""


@cache
def make_schema(*, local: bool) -> strawberry.Schema:
    """The schema, made once in a process; only on this machine may it be explored from outside."""
    extensions: list[type[SchemaExtension]] = [IsMeasured, TellsNoSecrets, Limits, TextsCanBeKept, ReadsAreNoted]
    if not local:
        extensions.append(DisableIntrospection)
    return QuietSchema(
        query=Query,
        mutation=mutation_type(),
        subscription=Subscription,
        extensions=extensions,
        config=StrawberryConfig(default_resolver=value_of, scalar_map=dict(SCALARS)),
    )
