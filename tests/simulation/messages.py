"""A small world: what really happened in two weeks, and the messages that tell it, in no order at all.

What happened is kept in plain numbers, so that somebody who has never seen the ledger can say what its books must be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from adapters.targets.names import jira_project_key
from tests.adapters.vendors.payloads import (
    ACCOUNT,
    ACCOUNT_FIELDS,
    ANNA,
    BORIS,
    LEAD,
    NINE,
    WON_DEAL,
    Letter,
    canonical,
    change,
    company,
    jira_issue,
    jira_worklog,
    row,
    tempo_approval,
    tempo_worklog,
    worker,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTE = timedelta(minutes=1)
PEOPLE: Final = {"W-1": ANNA, "W-2": BORIS}
RATE, NEW_RATE = Decimal(150), Decimal(160)
NEW_RATE_FROM = date(2026, 3, 9)
MONDAYS = (date(2026, 3, 2), date(2026, 3, 9))


@dataclass(frozen=True)
class Hours:
    """Hours of one day, as they stood in the end."""

    person: str
    deal: str
    day: date
    hours: Decimal
    approved: bool

    @property
    def value(self) -> Decimal:
        return self.hours * (NEW_RATE if self.day >= NEW_RATE_FROM else RATE)


@dataclass(frozen=True)
class Spent:
    """An expense that was approved in the end."""

    deal: str
    amount: Decimal


@dataclass(frozen=True)
class Told:
    """A message, and the fates that it may have."""

    letter: Letter
    fates: frozenset[str] = frozenset({"recorded", "quiet"})


@dataclass
class SmallWorld:
    """Two weeks of a small firm."""

    hours: list[Hours] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    caps: dict[str, Decimal | None] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def tell(self, *letters: Letter) -> None:
        self.told += [Told(letter) for letter in letters]

    def approved_value(self, deal: str) -> Decimal:
        worked = sum((each.value for each in self.hours if each.deal == deal and each.approved), Decimal(0))
        return worked + sum((each.amount for each in self.spent if each.deal == deal), Decimal(0))

    def billed_value(self, deal: str) -> Decimal:
        """All approved work, up to the cap."""
        value, cap = self.approved_value(deal), self.caps[deal]
        return value if cap is None else min(value, cap)


def deal_id(number: int) -> str:
    return f"00600000000000{number}AAA"


def small_world(seed: int) -> SmallWorld:
    """The world of a seed."""
    rng, world = Random(f"{seed}/world"), SmallWorld()
    _firm(world)
    for number in range(1, rng.choice((1, 1, 1, 2)) + 1):
        _deal(world, rng, number)
    _weeks(world, rng)
    _expenses(world, rng)
    _nonsense(world, rng)
    return world


def _firm(world: SmallWorld) -> None:
    world.tell(company(), *(worker(person, account, entered=NINE - 90 * DAY) for person, account in PEOPLE.items()))
    world.tell(worker("W-9", LEAD, entered=NINE - 90 * DAY))
    rule = {"effective_from": "2020-01-01", "customer_country": "DE", "category": "S", "rate": "19"}
    world.tell(canonical("tax_rule.set.v1", "tax_rule:DE", {"jurisdiction": "DE", "rule": rule}, name="tax"))
    for name, rate, since in (("old", RATE, "2026-01-01"), ("new", NEW_RATE, NEW_RATE_FROM.isoformat())):
        priced = {"row": name, "rate": {"amount": str(rate), "currency": "EUR"}, "effective_from": since}
        priced["role"] = "Senior"
        world.tell(canonical("rate_card.set_rate.v1", "rate_card:firm:FIRM", {"row": priced}, name=f"rate-{name}"))
    address = {"Street": "Am Markt 2", "City": "Bonn", "PostalCode": "53111", "CountryCode": "DE", "Country": "Germany"}
    fields = {**ACCOUNT_FIELDS, "Tax_Id__c": "DE136695976", "BillingAddress": {**address, "City": "Koeln"}}
    world.tell(change("Account", ACCOUNT, fields, kind="CREATE", at=NINE - 30 * DAY))
    world.tell(change("Account", ACCOUNT, {"BillingAddress": {"City": "Bonn"}}, at=NINE - 20 * DAY))


def _deal(world: SmallWorld, rng: Random, number: int) -> None:
    deal, needs_order = deal_id(number), rng.random() < 0.3
    cap = Decimal(rng.choice((600, 1000, 2000))) if rng.random() < 0.4 else None
    world.caps[deal] = cap
    won = {**WON_DEAL, "Name": f"Platform {number}", "PO_Required__c": needs_order}
    early = {**won, "StageName": "Prospecting", "IsWon": False}
    world.tell(change("Opportunity", deal, early, kind="CREATE", at=NINE - 25 * DAY))
    world.tell(change("Opportunity", deal, {"StageName": "Closed Won", "IsWon": True}, at=NINE - 15 * DAY))
    if rng.random() < 0.5:
        world.tell(row("Opportunity", deal, won, at=NINE - 14 * DAY))
    line = {
        "OpportunityId": deal,
        "Name": "Build",
        "Billing_Method__c": "T&M",
        "Cap__c": None if cap is None else str(cap),
        "CurrencyIsoCode": "EUR",
        "Line_Code__c": "L1",
    }
    world.tell(row("OpportunityLineItem", f"00k00000000000{number}AAA", line, at=NINE - 15 * DAY))
    if needs_order:
        data = {"order": {"number": f"PO-{number}"}}
        stream = f"engagement:E-{deal}"
        world.tell(canonical("engagement.record_purchase_order.v1", stream, data, name=f"po-{number}"))
    key = jira_project_key(f"P-{deal}-L1")
    world.tell(jira_issue(_issue(number), key=f"{key}-1", project=key, at=NINE - 10 * DAY))


def _issue(number: int) -> str:
    return str(12_460 + number)


def _weeks(world: SmallWorld, rng: Random) -> None:
    days = [(person, monday, day) for person in PEOPLE for monday in MONDAYS for day in range(5)]
    chosen = sorted(rng.sample(days, rng.randint(2, 5)))
    weeks = dict.fromkeys(each[:2] for each in chosen)
    verdicts = {week: _verdict(world, rng, *week) for week in weeks}
    taken = {(person, monday + day * DAY) for person, monday, day in chosen}
    for number, (person, monday, day) in enumerate(chosen, start=1):
        entry = _Entry(number, person, monday + day * DAY, 900 * rng.randint(2, 32))
        moved = (person, entry.day + 7 * DAY)
        may_move = monday == MONDAYS[0] and moved not in taken
        final = _told(world, rng, entry, may_move=may_move)
        if final is not None:
            taken.add((person, final.day))
            week = (person, final.day - final.day.weekday() * DAY)
            hours = Decimal(final.seconds) / 3600
            world.hours.append(Hours(person, final.deal, final.day, hours, verdicts.get(week, False)))


def _verdict(world: SmallWorld, rng: Random, person: str, monday: date) -> bool:
    """What the lead said of a week: nothing, yes, or yes and then no."""
    said = rng.choices(("nothing", "yes", "yes and no", "no and yes"), (1, 5, 1, 1))[0]
    words = {"nothing": [], "yes": ["APPROVED"], "yes and no": ["APPROVED", "OPEN"], "no and yes": ["OPEN", "APPROVED"]}
    for number, key in enumerate(words[said]):
        at = NINE + (20 + number) * DAY
        ends = (monday + 6 * DAY).isoformat()
        world.tell(tempo_approval(key, user=PEOPLE[person], starts=monday.isoformat(), ends=ends, at=at))
    return bool(words[said]) and words[said][-1] == "APPROVED"


@dataclass(frozen=True)
class _Entry:
    """Hours as somebody tells them."""

    number: int
    person: str
    day: date
    seconds: int
    deal: str = ""


def _told(world: SmallWorld, rng: Random, entry: _Entry, *, may_move: bool) -> _Entry | None:
    """Tells hours, by one system or by both, perhaps corrects, moves or deletes them; what is there in the end."""
    deal_number = rng.randint(1, len(world.caps))
    entry = replace(entry, deal=deal_id(deal_number))
    issue, tellers = _issue(deal_number), rng.choice(("jira", "jira", "tempo", "both"))
    at = NINE + (entry.day - NINE.date()).days * DAY + 8 * HOUR
    if tellers in ("tempo", "both"):
        world.tell(_by_tempo(entry, issue, at + MINUTE))
    if tellers in ("jira", "both"):
        world.tell(_by_jira(entry, issue, at))
    if tellers == "jira" and rng.random() < 0.4:
        entry = replace(entry, seconds=900 * rng.randint(2, 32))
        world.tell(_by_jira(entry, issue, at + HOUR, "updated"))
    if tellers == "jira" and may_move and rng.random() < 0.5:
        entry = replace(entry, day=entry.day + 7 * DAY)
        world.tell(_by_jira(entry, issue, at + 2 * HOUR, "updated"))
    if tellers == "jira" and rng.random() < 0.15:
        world.tell(_by_jira(entry, issue, at + 3 * HOUR, "deleted"))
        return None
    return entry


def _by_jira(entry: _Entry, issue: str, at: datetime, verb: str = "created") -> Letter:
    started = NINE + (entry.day - NINE.date()).days * DAY
    name, author = str(10_000 + entry.number), PEOPLE[entry.person]
    return jira_worklog(name, verb=verb, issue=issue, author=author, started=started, seconds=entry.seconds, at=at)


def _by_tempo(entry: _Entry, issue: str, at: datetime) -> Letter:
    day, author = entry.day.isoformat(), PEOPLE[entry.person]
    return tempo_worklog(
        entry.number, issue=issue, author=author, day=day, start_second=36_000, seconds=entry.seconds, at=at
    )


def _expenses(world: SmallWorld, rng: Random) -> None:
    if rng.random() < 0.5:
        return
    deal, amount, approved = deal_id(1), Decimal(rng.randint(10, 90)), rng.random() < 0.7
    line = {
        "line": "1",
        "project": f"P-{deal}-L1",
        "category": "travel",
        "spent_on": "2026-03-04",
        "amount": {"amount": f"{amount}.00", "currency": "EUR"},
        "recoverable_tax": {"amount": "0.00", "currency": "EUR"},
        "billable": True,
        "receipt": "scan.pdf",
    }
    data = {"report": "R-1", "resource": "W-1", "expense": line, "at": NINE.isoformat()}
    world.tell(canonical("expense.record.v1", "expense_report:R-1", data, name="expense"))
    if approved:
        data = {"lines": ["1"], "by": "W-9", "at": (NINE + DAY).isoformat()}
        world.tell(canonical("expense.approve.v1", "expense_report:R-1", data, name="expense-approved"))
        world.spent.append(Spent(deal, amount))


def _nonsense(world: SmallWorld, rng: Random) -> None:
    """Messages that tell nothing, each with what must become of it."""
    cut_short = Letter("p2c.in.jira.worklog.created", b'{"timestamp": 1767605400000, "worklog": {"id": "77')
    future = canonical("fx_rate.publish.v9", "fx_rate:EUR:USD", {"rate": "1.1"}, name="future")
    too_long = jira_worklog("900", issue=_issue(1), seconds=108_000, hook="thirty-hours")
    stranger = jira_worklog("901", author="nobody", hook="stranger")
    each = [(cut_short, "quarantined"), (future, "quarantined"), (too_long, "refused"), (stranger, "parked")]
    for letter, fate in rng.sample(each, rng.randint(0, 2)):
        world.told.append(Told(letter, frozenset({fate})))
    if rng.random() < 0.5:
        _same_id_other_content(world, rng)


def _same_id_other_content(world: SmallWorld, rng: Random) -> None:
    """A careless proxy sends a webhook again with other bytes; whichever comes first counts, and both say the same."""
    place = rng.choice(range(len(world.told)))
    told = world.told[place]
    if isinstance(told.letter.body, bytes) or not told.letter.headers:
        return
    either = frozenset({"recorded", "quiet", "conflict"}) if told.fates & {"recorded"} else told.fates | {"conflict"}
    world.told[place] = replace(told, fates=either)
    world.told.append(Told(replace(told.letter, body={**told.letter.body, "proxy": "careless"}), either))


def in_some_order(world: SmallWorld, rng: Random) -> Sequence[Told]:
    """The messages, most of them near their place, some far from it, or in no order at all."""
    if rng.random() < 0.3:
        return rng.sample(world.told, len(world.told))
    near = [(place + rng.expovariate(1 / 4) * rng.choice((0, 1)), told) for place, told in enumerate(world.told)]
    return [told for _, told in sorted(near, key=lambda each: each[0])]
