"""What Workday's reports hold, as far as it matters here."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.numbers import Number, day_of_business
from adapters.vendors.unreadable import WrongType

ROWS_MAX: Final = 1000


class Workday(BaseModel):
    """Anything in a row; what is not listed here is left unread."""

    model_config = ConfigDict(strict=True)


class WorkerId(Workday):
    """A worker, by Workday's own id and the firm's."""

    wid: str = Field(alias="WID")
    employee: str = Field(alias="Employee_ID")


class CompanyId(Workday):
    """A company, by Workday's own id and the firm's."""

    wid: str | None = Field(None, alias="WID")
    reference: str = Field(alias="Company_Reference_ID")


class Amount(Workday):
    """An amount of money."""

    amount: Number = Field(alias="Amount")
    currency: str = Field(alias="Currency")


class OtherId(Workday):
    """The worker's id in another system; type ``Atlassian_Account_ID`` is the one that matters."""

    type: str = Field(alias="Type")
    id: str = Field(alias="ID")


class Row(Workday):
    """What every row has: from when on it holds, and when it was entered."""

    effective: str = Field(alias="Effective_Date")
    entered: datetime = Field(alias="Entry_Moment")

    @property
    def effective_from(self) -> date:
        """Workday writes a date with the tenant's offset behind it at times; the date is meant."""
        try:
            return day_of_business(date.fromisoformat(self.effective[:10]))
        except ValueError:
            raise WrongType(f"Effective_Date: {self.effective[:40]!r} is not a date.") from None


class Worker(Row):
    """A worker's role, employer, place and cost from a day on."""

    worker: WorkerId = Field(alias="Worker")
    role: str = Field(alias="Job_Profile", min_length=1)
    company: CompanyId = Field(alias="Company")
    location: str = Field("", alias="Location")
    practice: str = Field("", alias="Practice")
    cost_rate: Amount = Field(alias="Cost_Rate")
    weekly_hours: Number = Field(Decimal(40), alias="Scheduled_Weekly_Hours")
    other_ids: list[OtherId] = Field(default=[], alias="Other_IDs")


class Address(Workday):
    """Where post arrives; the region of the country is told where tax depends on it."""

    line: str = Field("", alias="Line_1")
    city: str = Field("", alias="City")
    postal_code: str = Field("", alias="Postal_Code")
    state: str = Field("", alias="Country_Region_ISO_Code")
    country: str = Field(alias="Country_ISO_Code", pattern="^[A-Z]{2}$")


class Company(Row):
    """A legal entity's terms from a day on."""

    company: CompanyId = Field(alias="Company")
    title: str = Field(alias="Name", min_length=1)
    address: Address = Field(alias="Address")
    currency: str = Field(alias="Currency")
    time_zone: str = Field(alias="Time_Zone")
    tax_id: str | None = Field(None, alias="Tax_ID")
    prefix: str = Field(alias="Invoice_Number_Prefix", min_length=1)
    approval_limit: Number = Field(alias="Invoice_Approval_Limit")
    region: str = Field("", alias="Region")
    terms_days: int = Field(30, alias="Payment_Terms_Days", ge=0, le=365)


class Report(Workday):
    """Rows as a report holds them."""

    rows: list[dict[str, object]] | None = Field(None, alias="Report_Entry", max_length=ROWS_MAX)


class Workers(Workday):
    """A report of workers."""

    rows: list[Worker] = Field(alias="Report_Entry")


class Companies(Workday):
    """A report of companies."""

    rows: list[Company] = Field(alias="Report_Entry")
