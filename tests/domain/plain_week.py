"""A week in the plainest words: what was told, what was decided, and what has become of every hour of it.

It knows nothing of the ledger and takes nothing from it. Hours lie in drawers, prices are tables, decisions have
clocks; how an entry stands is worked out anew from all that was said of it, each time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

NONE: Final = Decimal(0)
LIVE: Final = ("reserved", "billed")
HOME: Final = "E-1"
Drawer = tuple[str, str]
"""To which engagement hours are billed, and how they stand there."""


@dataclass
class Said:
    """A decision about hours: approved, rejected or, of a period, open again; ``hours`` may be other than were told."""

    word: str
    at: datetime
    hours: Decimal | None = None


@dataclass
class PlainEntry:
    """Hours of one day as they were told last, what was said of them, and the drawers in which they lie."""

    day: date
    told: Decimal
    said_at: datetime
    heard_at: datetime
    gone: bool = False
    decisions: list[Said] = field(default_factory=list)
    drawers: dict[Drawer, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def live(self) -> Decimal:
        return sum((hours for (_, how), hours in self.drawers.items() if how in LIVE), NONE)


@dataclass
class PlainWeek:
    """The entries of a week, and what was decided about periods of it."""

    entries: dict[str, PlainEntry] = field(default_factory=dict)
    periods: dict[tuple[date, date], Said] = field(default_factory=dict)

    # -- what may be billed ------------------------------------------------------------------------------------------

    def billable(self, name: str) -> Decimal | None:
        """How many hours of an entry may be billed; None while it is not approved."""
        entry = self.entries[name]
        own = _newest(each for each in entry.decisions if each.at >= entry.said_at)
        of_period = _newest(
            said
            for (starts, ends), said in self.periods.items()
            if starts <= entry.day <= ends and said.at >= entry.said_at
        )
        other_hours = own.hours if own is not None and own.word == "approved" else None
        last = of_period if of_period is not None and (own is None or own.at < of_period.at) else own
        if entry.gone or last is None or last.word != "approved":
            return None
        return entry.told if other_hours is None else other_hours

    def standing(self, name: str) -> tuple[Decimal, Decimal] | None:
        """The hours that lots add up to and those that may be billed; None while it is not approved."""
        billable = self.billable(name)
        return None if billable is None else (max(self.entries[name].told, billable), billable)

    # -- what is said ------------------------------------------------------------------------------------------------

    def tell(self, name: str, day: date, hours: Decimal, at: datetime) -> bool:
        """Each of these says whether it is allowed: what is on a draft or an invoice stays as it is."""
        known, before = self.entries.get(name), deepcopy(self)
        if known is None:
            self.entries[name] = PlainEntry(day, hours, at, at)
            return self._settled(before)
        if at <= known.heard_at:
            return True
        known.heard_at = at
        if known.gone or known.told != hours:
            known.told, known.said_at, known.gone = hours, at, False
            return self._settled(before, name)
        return True

    def delete(self, name: str, day: date, at: datetime) -> bool:
        known = self.entries.get(name)
        if known is None:
            self.entries[name] = PlainEntry(day, NONE, at, at, gone=True)
            return True
        if known.gone or at < known.heard_at:
            return True
        before = deepcopy(self)
        known.gone, known.said_at, known.heard_at = True, at, at
        return self._settled(before, name)

    def decide(self, name: str, said: Said) -> bool:
        if name not in self.entries or self.entries[name].gone:
            return False
        before = deepcopy(self)
        self.entries[name].decisions.append(said)
        return self._settled(before)

    def decide_period(self, starts: date, ends: date, said: Said) -> bool:
        known = self.periods.get((starts, ends))
        if known is not None and known.at >= said.at:
            return True
        before = deepcopy(self)
        self.periods[starts, ends] = said
        return self._settled(before)

    def _settled(self, before: PlainWeek, *told_anew: str) -> bool:
        """Hours of which something else is so now begin anew, unless they are on a draft or an invoice."""
        for name, entry in self.entries.items():
            was = before.standing(name) if name in before.entries else None
            now = self.standing(name)
            begins = name in told_anew or (was and was[0]) != (now and now[0])
            if entry.live() and (begins or now is None or entry.live() > now[1]):
                self.entries, self.periods = before.entries, before.periods
                return False
            if begins:
                entry.drawers = defaultdict(Decimal, {} if now is None else {(HOME, "open"): now[0]})
        return True

    # -- what becomes of hours ---------------------------------------------------------------------------------------

    def move(self, name: str, hours: Decimal, place: Drawer, to: Drawer) -> None:
        drawers = self.entries[name].drawers
        drawers[place] -= hours
        drawers[to] += hours

    def transfer(self, name: str, hours: Decimal, place: Drawer, to: str) -> None:
        """They leave one engagement, and come in at another."""
        self.move(name, hours, place, (place[0], "transferred"))
        self.entries[name].drawers[to, "open"] += hours

    def drawers(self) -> Iterator[tuple[str, str, str, Decimal]]:
        for name, entry in self.entries.items():
            for (engagement, how), hours in entry.drawers.items():
                if hours:
                    yield name, engagement, how, hours


def _newest(said: Iterable[Said]) -> Said | None:
    """The newest; of two of one moment a rejection, then the one that was heard first."""
    newest: Said | None = None
    for each in said:
        if newest is None or (each.at, each.word == "rejected") > (newest.at, newest.word == "rejected"):
            newest = each
    return newest


@dataclass
class PlainPrices:
    """What an hour of a day costs the customer: the contract's own rates before the firm's, times what was changed."""

    firm: Decimal = Decimal(150)
    own: dict[str, tuple[date, Decimal]] = field(default_factory=dict)
    factors: list[tuple[date, Decimal]] = field(default_factory=list)

    def on(self, day: date) -> Decimal:
        own = [(since, rate) for since, rate in self.own.values() if since <= day]
        rate = max(own)[1] if own else self.firm
        factor, newest = Decimal(1), date.min
        for since, each in self.factors:
            if newest <= since <= day:
                factor, newest = each, since
        return rate * factor
