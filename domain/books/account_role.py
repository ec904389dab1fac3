"""The roles that accounts have in the journal: a closed list, that each ERP's own accounts are mapped to."""

from __future__ import annotations

from enum import StrEnum


class AccountRole(StrEnum):
    """What an account is for; each ERP's own accounts are mapped to these, per entity."""

    AR = "AR"
    IC_AR = "IC_AR"
    RETENTION = "RETENTION"
    CONTRACT_ASSET = "CONTRACT_ASSET"
    CONTRACT_LIABILITY = "CONTRACT_LIABILITY"
    TAX_OUT = "TAX_OUT"
    TAX_IN = "TAX_IN"
    IC_AP = "IC_AP"
    REVENUE_TM = "REVENUE_TM"
    REVENUE_FIXED = "REVENUE_FIXED"
    REVENUE_MILESTONE = "REVENUE_MILESTONE"
    REVENUE_EXPENSE = "REVENUE_EXPENSE"
    REVENUE_IC = "REVENUE_IC"
    REVENUE_ADJUSTMENT = "REVENUE_ADJUSTMENT"
    COST_LABOUR = "COST_LABOUR"
    LABOUR_ABSORBED = "LABOUR_ABSORBED"
    COST_EXPENSE = "COST_EXPENSE"
    COST_IC = "COST_IC"
    LOSS_PROVISION = "LOSS_PROVISION"
    FX_REALISED = "FX_REALISED"
    FX_UNREALISED = "FX_UNREALISED"
    CASH = "CASH"
    BAD_DEBT = "BAD_DEBT"
