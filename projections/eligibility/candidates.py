"""Which work might be touched, as the live read models know it: for drafting and for processes, which check again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from domain.caps import CapUse
from domain.kernel import StreamId
from domain.ports import LotAt, SourceAt, WorkDone
from projections.eligibility import cap_use
from projections.pages import Conditions
from projections.reader import Reader

_UNBILLED: Final = "((i.is_open AND (i.is_lot OR i.status = 'approved')) OR i.status = 'non_billable')"
_LACKING: Final = "((i.is_lot AND i.cost_in_billing_currency IS NULL) OR i.unrated_code = 'FX_RATE_MISSING')"

_TOO_LITTLE: Final = (
    "(i.state = 'held' AND i.codes && ARRAY['BELOW_MINIMUM_INVOICE']"
    " AND i.codes <@ ARRAY['BELOW_MINIMUM_INVOICE', 'CAP_EXCEEDED'])"
)
"""Work that waits for more of its engagement: it may join a draft, or be billed with other engagements."""

_ANY_DAY: Final = "9999-12-31"

_WORK_DONE: Final = """
SELECT l.engagement, l.line, coalesce(sum(i.quantity) FILTER (WHERE i.unit = 'hour'), 0),
       CASE WHEN bool_or(i.item IS NOT NULL AND i.cost_in_billing_currency IS NULL) THEN NULL
            ELSE coalesce(sum(i.cost_in_billing_currency), 0) END
FROM (SELECT e.engagement, line ->> 'line' AS line FROM engagement e, json_array_elements(e.lines) line
      WHERE line ->> 'method' = 'percent_complete') l
LEFT JOIN item i ON i.engagement = l.engagement AND i.line = l.line AND i.is_lot
                AND i.status = 'non_billable' AND i.work_date <= %s
GROUP BY 1, 2 ORDER BY 1, 2
"""


class LiveCandidates:
    """Answers the domain's questions (``domain.ports.Candidates``) from the live generation, as far as that has come.

    Whoever must not miss what a fact has just caused waits for its position first.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def unbilled_of(
        self,
        *,
        engagement: str | None = None,
        customer: str | None = None,
        resource: str | None = None,
        lacking_rate_of: str | None = None,
    ) -> Sequence[SourceAt]:
        """Approved work that is neither reserved nor billed; all of the firm's when nothing is named."""
        conditions = Conditions()
        conditions.add(_UNBILLED)
        conditions.add("i.kind <> 'milestone'")
        conditions.equal("i.engagement", engagement)
        conditions.equal("i.customer", customer)
        conditions.equal("i.resource", resource)
        if lacking_rate_of is not None:
            conditions.add(f"i.cost_currency = %s AND {_LACKING}", lacking_rate_of)
        query = f"SELECT DISTINCT i.stream, i.source FROM item i {conditions.where} ORDER BY 1, 2"
        with self._reader.view() as view:
            return [SourceAt(StreamId(stream), source) for stream, source in view.rows(query, conditions.values)]

    def eligible_of(self, engagement: str, cut_off: str | None = None) -> Sequence[LotAt]:
        """The lots of an engagement that may be billed, worked up to a day (ISO 8601), in their order."""
        conditions = Conditions()
        conditions.add(f"i.is_open AND i.is_lot AND (i.state = 'eligible' OR {_TOO_LITTLE})")
        conditions.equal("i.engagement", engagement)
        conditions.between("i.work_date", None, cut_off)
        query = f"SELECT i.stream, i.item FROM item i {conditions.where} ORDER BY i.work_date, i.approved_at, i.item"
        with self._reader.view() as view:
            return [LotAt(StreamId(stream), lot) for stream, lot in view.rows(query, conditions.values)]

    def engagements_with_eligible(self, entity: str, cut_off: str | None = None) -> Sequence[str]:
        """The engagements of a selling entity that have something to bill."""
        conditions = Conditions()
        conditions.add("s.by = 'engagement' AND s.state IN ('eligible', 'held')")
        conditions.equal("s.selling_entity", entity)
        billable = f"i.is_open AND (i.state = 'eligible' OR {_TOO_LITTLE}) AND i.work_date <= %s"
        conditions.add(f"EXISTS (SELECT FROM item i WHERE i.engagement = s.key AND {billable})", cut_off or _ANY_DAY)
        query = f"SELECT DISTINCT s.key FROM item_sum s {conditions.where} ORDER BY 1"
        with self._reader.view() as view:
            return [engagement for (engagement,) in view.rows(query, conditions.values)]

    def engagements_billed_by_date(self) -> Sequence[str]:
        """The engagements with instalments, months of service, or retainers."""
        methods = ("fixed_fee_schedule", "managed_service", "retainer")
        query = (
            "SELECT e.engagement FROM engagement e, json_array_elements(e.lines) line"
            " WHERE line ->> 'method' = ANY (%s) GROUP BY 1 ORDER BY 1"
        )
        with self._reader.view() as view:
            return [engagement for (engagement,) in view.rows(query, [list(methods)])]

    def work_done(self, until: date) -> Sequence[WorkDone]:
        """What approved work up to a day took, for each line that is billed by progress."""
        with self._reader.view() as view:
            return [WorkDone(*row) for row in view.rows(_WORK_DONE, [until])]

    def drafts_of(self, entity: str) -> Sequence[str]:
        """The drafts of a selling entity that may still take up lots, the oldest first."""
        query = (
            "SELECT i.invoice FROM invoice i WHERE i.selling_entity = %s AND i.status = 'draft' ORDER BY i.drafted_at"
        )
        with self._reader.view() as view:
            return [invoice for (invoice,) in view.rows(query, [entity])]

    def transfers_of(
        self, *, lender: str | None = None, borrower: str | None = None, lacking_price: bool = False
    ) -> Sequence[LotAt]:
        """Lots that are not invoiced between lender and borrower yet, and those that were and count no more."""
        conditions = Conditions()
        conditions.one_of("t.status", ("lacking",) if lacking_price else ("due", "to_take_back", "lacking", "crossing"))
        conditions.equal("t.lender", lender)
        conditions.equal("t.borrower", borrower)
        query = f"SELECT t.stream, t.lot FROM transfer t {conditions.where} ORDER BY t.work_date, t.stream, t.lot"
        with self._reader.view() as view:
            return [LotAt(StreamId(stream), lot) for stream, lot in view.rows(query, conditions.values)]

    def transfer_pairs(self) -> Sequence[tuple[str, str]]:
        """The lenders and borrowers between which something is to be invoiced or taken back."""
        query = "SELECT DISTINCT lender, borrower FROM transfer WHERE status IN ('due', 'to_take_back') ORDER BY 1, 2"
        with self._reader.view() as view:
            return [(lender, borrower) for lender, borrower in view.rows(query)]

    def use_of_caps(self, engagement: str) -> Sequence[CapUse]:
        """How far each cap of an engagement is used up, work that is earned and not billed yet with it."""
        with self._reader.view() as view:
            return cap_use.of_engagement(view, self._reader.log, engagement)

    def use_of_limit(self, customer: str, currency: str) -> CapUse | None:
        """How far a customer's limit is used up over all engagements; None without a limit."""
        with self._reader.view() as view:
            return cap_use.of_limit(view, self._reader.log, customer, currency)
