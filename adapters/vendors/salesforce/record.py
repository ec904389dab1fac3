"""A Salesforce record as told: by a change event, which tells changed fields alone, or by a row, which tells all.

In a change event null means "unchanged", unless the header lists the field as nulled; in a row null means empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.intake import EPOCH, moment, moment_of_ms
from adapters.vendors.letter import Letter
from adapters.vendors.numbers import day_of_business
from adapters.vendors.unreadable import WrongType
from domain.reference.identifier import ExternalRef
from domain.statements import Scalar

SYSTEM: Final = "salesforce"
_SEQUENCE_MAX: Final = 999
_SUFFIX: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


class Header(BaseModel):
    """The part of a change event that says what changed when."""

    model_config = ConfigDict(strict=True)

    entity: str = Field(alias="entityName")
    records: list[str] = Field(alias="recordIds", min_length=1, max_length=10_000)
    change: str = Field(alias="changeType")
    transaction: str = Field(alias="transactionKey")
    sequence: int = Field(alias="sequenceNumber")
    committed_ms: int = Field(alias="commitTimestamp")
    nulled: list[str] = Field(default=[], alias="nulledFields")


class Attributes(BaseModel):
    """The part of a row that says of what kind it is."""

    model_config = ConfigDict(strict=True)

    type: str


class Fields(BaseModel):
    """The fields that every record has; each kind of record adds its own."""

    model_config = ConfigDict(strict=True)

    header: Header | None = Field(None, alias="ChangeEventHeader")
    attributes: Attributes | None = None
    id: str | None = Field(None, alias="Id")
    modified: int | str | None = Field(None, alias="LastModifiedDate")


FieldsOfKind = TypeVar("FieldsOfKind", bound=Fields)


class _Head(Fields):
    """Any record, for what it says of itself."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Which records of which kind are told of, how they changed, and Salesforce's clock."""

    kind: str
    records: tuple[str, ...]
    change: str
    said_at: datetime
    nulled: frozenset[str] | None

    def refs(self, kind: str) -> Iterator[ExternalRef]:
        """The names of the records."""
        return (ExternalRef(SYSTEM, kind, record) for record in self.records)


def heading(letter: Letter) -> Heading:
    """What a change event or a row says of itself; raises WrongType when it is neither."""
    head = letter.read(_Head)
    if head.header is not None:
        change = head.header
        # Changes of one transaction have one time; their order is in the sequence.
        within = timedelta(microseconds=min(max(change.sequence, 0), _SEQUENCE_MAX))
        said_at = moment_of_ms(change.committed_ms, "commitTimestamp") + within
        records = tuple(record_id(each, "recordIds") for each in change.records)
        return Heading(change.entity, records, change.change, said_at, frozenset(change.nulled))
    if head.attributes is not None and head.id is not None:
        return Heading(head.attributes.type, (record_id(head.id, "Id"),), "ROW", _modified(head.modified), None)
    raise WrongType("neither a change event (ChangeEventHeader) nor a row (attributes and Id).")


def told(fields: Fields, head: Heading, field: str, *other_names: str) -> bool:
    """Whether a field was told at all; its value None then means that it is empty."""
    if getattr(fields, field) is not None:
        return True
    alias = type(fields).model_fields[field].alias or field
    if head.nulled is None:
        return field in fields.model_fields_set
    return bool(head.nulled & {alias, *other_names})


def record_id(value: str, field: str) -> str:
    """A record's id in its long form: the short one of 15 characters gets the suffix that tells capitals apart."""
    if not (value.isascii() and value.isalnum() and len(value) in (15, 18)):
        raise WrongType(f"{field}: {value[:40]!r} is not a Salesforce id.")
    return value if len(value) == 18 else value + _suffix(value)


def _suffix(short: str) -> str:
    """Three characters for the capitals among each five of the short id."""
    fives = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(_SUFFIX[sum(1 << place for place, letter in enumerate(five) if letter.isupper())] for five in fives)


def day_text(value: int | str | None, field: str) -> Scalar:
    """A day as ISO text: milliseconds of its midnight in UTC in change events, ISO text in rows."""
    if value is None:
        return None
    try:
        if isinstance(value, int):
            return day_of_business((EPOCH + timedelta(milliseconds=value)).date()).isoformat()
        return day_of_business(date.fromisoformat(value)).isoformat()
    except (ValueError, OverflowError):
        raise WrongType(f"{field}: {value!r} is not a day.") from None


def number_text(value: Decimal | int | None) -> Scalar:
    """A number as plain text: ``30``, ``1.5``; Salesforce sends whole numbers as 30.0 too."""
    if value is None:
        return None
    exact = Decimal(value)
    return f"{exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact.normalize():f}"


def flag_text(value: bool | None) -> Scalar:
    """A checkbox as ``true`` or ``false``."""
    return None if value is None else str(value).lower()


def _modified(value: int | str | None) -> datetime:
    if isinstance(value, int):
        return moment_of_ms(value, "LastModifiedDate")
    try:
        return moment(datetime.fromisoformat(value or ""), "LastModifiedDate").astimezone(UTC)
    except ValueError:
        raise WrongType(f"LastModifiedDate: {value!r} is not a time.") from None
