"""Who may ask and do what: roles, the legal entities they are for, and one table of permissions. Denied by default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.kernel import Refused


class Role(StrEnum):
    """What a person or program is trusted with."""

    VIEWER = "viewer"
    PROJECT_MANAGER = "project_manager"
    FINANCE_PREPARER = "finance_preparer"
    FINANCE_APPROVER = "finance_approver"
    AUDITOR = "auditor"
    INTEGRATION = "integration"
    ADMIN = "admin"


class NotSignedIn(Refused):
    """A valid access token is needed."""

    code = "access.not_signed_in"
    fix = "Send the header 'Authorization: Bearer <token>'; on this machine p2c token makes one."


class NotPermitted(Refused):
    """The role of the token does not allow this."""

    code = "access.not_permitted"
    fix = "Ask somebody who has one of the named roles, or for a token with that role."


class OutOfScope(Refused):
    """The token is not for this legal entity."""

    code = "access.out_of_scope"
    fix = "Use a token whose scope names the legal entity or its region."


@dataclass(frozen=True, slots=True)
class Reach:
    """The legal entities that a token is for: those it names, and those of the regions it names; or the whole firm."""

    entities: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    everywhere: bool = False

    def covers(self, entity: str, region: str | None) -> bool:
        """Whether facts of a legal entity of a region may be seen."""
        return self.everywhere or entity in self.entities or (region is not None and region in self.regions)


WHOLE_FIRM = Reach(everywhere=True)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the subject of a verified token, what it may do, where, and until when."""

    subject: str
    roles: frozenset[Role]
    reach: Reach
    expires_at: datetime

    @property
    def actor(self) -> str:
        """The name under which facts are recorded."""
        return f"user:{self.subject}"


_EVERYBODY = frozenset(Role)
_OFFICE = _EVERYBODY - {Role.INTEGRATION}
_FINANCE = frozenset({Role.FINANCE_PREPARER, Role.FINANCE_APPROVER, Role.ADMIN})
_DELIVERY = frozenset({Role.PROJECT_MANAGER, Role.ADMIN})
_DESKS = _FINANCE | _DELIVERY
_EVIDENCE = frozenset({Role.AUDITOR, Role.INTEGRATION, Role.ADMIN})

PERMISSIONS: Mapping[str, frozenset[Role]] = {
    # what may be asked
    "ledger": _EVERYBODY,
    "engagements": _EVERYBODY,
    "engagement": _EVERYBODY,
    "projects": _EVERYBODY,
    "project": _EVERYBODY,
    "timesheets": _EVERYBODY,
    "timesheet": _EVERYBODY,
    "invoices": _EVERYBODY,
    "invoice": _EVERYBODY,
    "credit_notes": _EVERYBODY,
    "credit_note": _EVERYBODY,
    "document": _EVERYBODY - {Role.INTEGRATION},
    "receivables": _EVERYBODY,
    "payments": _EVERYBODY,
    "billing_eligibility": _EVERYBODY,
    "lot": _EVERYBODY,
    "sync_status": _EVERYBODY,
    "exceptions": _EVERYBODY,
    "timeline": _EVERYBODY,
    "history": _EVERYBODY,
    "changes": _EVERYBODY,
    "invoice_changed": _EVERYBODY,
    "periods": _EVERYBODY,
    "fx_rates": _EVERYBODY,
    "account_map": _EVERYBODY,
    "intercompany": _OFFICE,
    "period_difference": _OFFICE,
    "group_margin": frozenset({Role.FINANCE_PREPARER, Role.FINANCE_APPROVER, Role.AUDITOR, Role.ADMIN}),
    "margin": _OFFICE,
    "figures": _OFFICE,
    "journal": _OFFICE,
    "cost": _OFFICE,
    "source_payload": _EVIDENCE,
    "messages": _EVIDENCE,
    "metrics": frozenset({Role.INTEGRATION, Role.ADMIN}),
    # what may be done
    "create-project": _DELIVERY | {Role.INTEGRATION},
    "assign-resource": _DELIVERY | {Role.INTEGRATION},
    "appoint-manager": _DELIVERY | {Role.INTEGRATION},
    "post-approved-time": _DELIVERY | {Role.INTEGRATION},
    "submit-billable-expense": _DELIVERY | {Role.INTEGRATION},
    "approve-expense": _DELIVERY,
    "accept-milestone": _DELIVERY,
    "hold-billing": _DESKS,
    "release-billing": _DESKS,
    "record-purchase-order": _DESKS | {Role.INTEGRATION},
    "change-cap": _FINANCE,
    "agree-line": _FINANCE,
    "propose-change-order": _DESKS,
    "approve-change-order": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "reject-change-order": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "change-limits": _FINANCE,
    "agree-engagement-cap": _FINANCE,
    "agree-billing-limit": _FINANCE,
    "measure-progress": _DESKS | {Role.INTEGRATION},
    "revise-estimate": _DESKS | {Role.INTEGRATION},
    "record-cost": _DESKS | {Role.INTEGRATION},
    "grant-retainer": _FINANCE,
    "refund-retainer": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "give-service-credit": _DESKS,
    "complete-engagement": _DESKS,
    "request-invoice": frozenset({Role.FINANCE_PREPARER, Role.ADMIN}),
    "preview-invoice": _FINANCE,
    "refresh-draft": frozenset({Role.FINANCE_PREPARER, Role.ADMIN}),
    "adjust-invoice-line": frozenset({Role.FINANCE_PREPARER, Role.ADMIN}),
    "state-allowances": frozenset({Role.FINANCE_PREPARER, Role.ADMIN}),
    "state-prepayments": frozenset({Role.FINANCE_PREPARER, Role.ADMIN}),
    "postpone-lots": _DESKS,
    "hold-lots": _DESKS,
    "lift-lot-holds": _DESKS,
    "write-off-lots": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "give-lots-free": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "discard-draft": _FINANCE,
    "approve-invoice": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "issue-invoice": _FINANCE,
    "draft-credit-note": frozenset({Role.FINANCE_PREPARER, Role.ADMIN}),
    "approve-credit-note": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "issue-credit-note": _FINANCE,
    "discard-credit-note": _FINANCE,
    "deliver-credit-note": _FINANCE | {Role.INTEGRATION},
    "transfer-lots": _FINANCE,
    "record-payment": _FINANCE | {Role.INTEGRATION},
    "deliver-invoice": _FINANCE | {Role.INTEGRATION},
    "dispute-invoice": _DESKS | {Role.INTEGRATION},
    "resolve-dispute": _FINANCE | {Role.INTEGRATION},
    "hand-to-collections": _FINANCE,
    "write-off-receivable": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "release-holdback": _FINANCE,
    "refund-balance": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "receive-payment": _FINANCE | {Role.INTEGRATION},
    "apply-payment": _FINANCE | {Role.INTEGRATION},
    "unapply-payment": _FINANCE,
    "refund-payment": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "open-period": _FINANCE,
    "soft-close-period": _FINANCE,
    "close-period": frozenset({Role.FINANCE_APPROVER}),
    "reopen-period": frozenset({Role.FINANCE_APPROVER}),
    "map-account": _FINANCE | {Role.INTEGRATION},
    "state-fx-policy": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "state-agreement": frozenset({Role.FINANCE_APPROVER, Role.ADMIN}),
    "run-intercompany": _FINANCE,
    "settle-intercompany": _FINANCE | {Role.INTEGRATION},
    "resolve-exception": _DESKS | {Role.INTEGRATION},
    "retry-exception": _DESKS | {Role.INTEGRATION},
    "assign-identifier": frozenset({Role.INTEGRATION, Role.ADMIN}),
}
"""Which roles may ask each question and use each service. What is not listed nobody may do."""


def may(principal: Principal, permission: str) -> bool:
    """Whether one of the roles of a token allows something."""
    return bool(principal.roles & PERMISSIONS.get(permission, frozenset()))


def require(principal: Principal | None, permission: str) -> Principal:
    """The one who asks, if a role of theirs allows it; raises NotSignedIn or NotPermitted."""
    if principal is None:
        raise NotSignedIn
    if not may(principal, permission):
        allowed = ", ".join(sorted(PERMISSIONS.get(permission, frozenset()))) or "nobody"
        raise NotPermitted(f"{permission} is for: {allowed}.")
    return principal
