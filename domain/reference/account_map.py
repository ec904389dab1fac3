"""An account map says which account of an ERP stands for each role of the journal in a legal entity, from a day on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import assert_never

from domain.books.account_role import AccountRole
from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.periods import valid_on

ERP = "erp"
"""The target whose accounts are meant where no other is named."""


def account_map_stream(entity: str, target: str = ERP) -> StreamId:
    """The history of an entity's accounts in one ERP: ``account_map:DE01:erp``."""
    return stream_of("account_map", entity, target)


@dataclass(frozen=True, slots=True)
class AccountMapping:
    """The account of the ERP that stands for a role from a day on."""

    role: AccountRole
    account: str
    effective_from: date


@dataclass(frozen=True, slots=True)
class MapAccount:
    """State which account of an ERP stands for a role in an entity from a day on."""

    entity: str
    target: str
    mapping: AccountMapping
    by: str


@dataclass(frozen=True, slots=True)
class AccountMapped:
    """An account of an ERP was stated to stand for a role in an entity from a day on."""

    entity: str
    target: str
    mapping: AccountMapping
    by: str


class AccountNameEmpty(Refused):
    """An account of an ERP has a name or a number."""

    code = "account_map.account_empty"
    fix = "Send the account as the ERP knows it."


Event = AccountMapped
Command = MapAccount


@dataclass(frozen=True, slots=True)
class AccountMap:
    """The accounts of one entity in one ERP, each role with all its versions."""

    entity: str = ""
    target: str = ""
    versions: Mapping[AccountRole, tuple[AccountMapping, ...]] = field(default_factory=dict)

    def on(self, role: AccountRole, day: date) -> str | None:
        """The account that stands for a role on a day."""
        found = valid_on(self.versions.get(role, ()), day)
        return found.account if found else None

    def missing(self, roles: Iterable[AccountRole], day: date) -> tuple[AccountRole, ...]:
        """Those of some roles that have no account on a day (the reason ACCOUNT_MAPPING_MISSING)."""
        return tuple(role for role in roles if self.on(role, day) is None)


def decide(command: Command, state: AccountMap) -> Sequence[Event]:
    match command:
        case MapAccount(entity, target, mapping, by):
            if not mapping.account.strip():
                raise AccountNameEmpty(f"{mapping.role.value} of {entity}.")
            if state.on(mapping.role, mapping.effective_from) == mapping.account:
                return []
            return [AccountMapped(entity, target, mapping, by)]
        case _:
            assert_never(command)


def evolve(state: AccountMap, event: Event) -> AccountMap:
    known = state.versions.get(event.mapping.role, ())
    versions = {**state.versions, event.mapping.role: (*known, event.mapping)}
    return AccountMap(event.entity, event.target, versions)


decider: Decider[Command, AccountMap, Event] = Decider("account_map", AccountMap(), decide, evolve)
