"""Services around what is promised: lines, change orders, limits, progress, retainers and service credits."""

from __future__ import annotations

from typing import Any

from api.services.contracts.delivery import (
    GiveServiceCreditInput,
    MeasureProgressInput,
    RecordCostInput,
    ReviseEstimateInput,
    give_service_credit,
    measure_progress,
    record_cost,
    revise_estimate,
)
from api.services.contracts.limits import (
    AgreeBillingLimitInput,
    AgreeEngagementCapInput,
    ChangeLimitsInput,
    agree_billing_limit,
    agree_engagement_cap,
    change_limits,
)
from api.services.contracts.lines import (
    AgreeLineInput,
    ApproveChangeOrderInput,
    CompleteEngagementInput,
    ProposeChangeOrderInput,
    RejectChangeOrderInput,
    agree_line,
    approve_change_order,
    complete_engagement,
    propose_change_order,
    reject_change_order,
)
from api.services.contracts.retainers import GrantRetainerInput, RefundRetainerInput, grant_retainer, refund_retainer
from api.services.service import Service

_KINDS: Any = ("engagement",)
SERVICES = (
    Service("agree-line", AgreeLineInput, _KINDS, agree_line),
    Service("propose-change-order", ProposeChangeOrderInput, _KINDS, propose_change_order),
    Service("approve-change-order", ApproveChangeOrderInput, _KINDS, approve_change_order),
    Service("reject-change-order", RejectChangeOrderInput, _KINDS, reject_change_order),
    Service("change-limits", ChangeLimitsInput, _KINDS, change_limits),
    Service("agree-engagement-cap", AgreeEngagementCapInput, _KINDS, agree_engagement_cap),
    Service("agree-billing-limit", AgreeBillingLimitInput, _KINDS, agree_billing_limit),
    Service("measure-progress", MeasureProgressInput, _KINDS, measure_progress),
    Service("revise-estimate", ReviseEstimateInput, _KINDS, revise_estimate),
    Service("record-cost", RecordCostInput, _KINDS, record_cost),
    Service("grant-retainer", GrantRetainerInput, _KINDS, grant_retainer),
    Service("refund-retainer", RefundRetainerInput, _KINDS, refund_retainer),
    Service("give-service-credit", GiveServiceCreditInput, _KINDS, give_service_credit),
    Service("complete-engagement", CompleteEngagementInput, _KINDS, complete_engagement),
)
