"""Long histories, written in seconds: tiles said again under other names, copied straight into the log's table.

The people of a firm grow with the square root of its events, and so do its months: 10,000 events are about 30 people
for three months, 1,000,000 about 320 people for two and a half years.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import chain
from operator import itemgetter
from struct import Struct
from typing import Any, Final, NamedTuple

from adapters.postgres import connect
from domain.kernel import Addressed
from domain.reference.fx_rate import PublishFxRate, fx_stream
from tests.bench import tiles
from tests.bench.tiles import CUSTOMER, ENTITIES, KINDS, MONDAY, TEAM, TILE, WEEKS, Books, Kind

FIRST_MONDAY: Final = date(2024, 1, 1)
EVENTS_PER_TILE: Final = 480
PHASE_BILL: Final = WEEKS + 1
PHASE_PAY: Final = WEEKS + 2
SLOTS_PER_CUSTOMER: Final = 2
REPORT_EVERY: Final = 20_000

_TOKEN: Final = re.compile(
    rb"(%b|%b|W-P00000\d|[A-Z]{2}01-2026-000001|[A-Z]{2}01-2026|2026-\d\d-\d\d|\"number\":1,)"
    % (TILE.encode(), CUSTOMER.encode())
)

Progress = Callable[[int, int], None]


class Row(NamedTuple):
    """An event as the log's table holds it, without its position."""

    stream: bytes
    version: int
    name: bytes
    state: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tile is put: the slot of the firm in which it runs, the period in which it begins."""

    slot: int
    period: int

    @property
    def kind(self) -> int:
        """Which kind of engagement runs here."""
        return self.slot % len(KINDS)

    @property
    def days_later(self) -> int:
        """How far its days are from the tile's own."""
        return (FIRST_MONDAY - MONDAY).days + 7 * WEEKS * self.period


class _Template:
    """A text with tokens in it, ready to be said with other values."""

    __slots__ = ("_fields", "_plain", "_text")

    def __init__(self, text: bytes) -> None:
        parts = _TOKEN.split(text)
        tokens = parts[1::2]
        self._plain = text
        self._text = b"%b".join(part.replace(b"%", b"%%") for part in parts[::2])
        self._fields = _several(tokens) if tokens else None

    def said(self, values: Mapping[bytes, bytes]) -> bytes:
        """The text with every token replaced."""
        return self._plain if self._fields is None else self._text % self._fields(values)


def _several(tokens: Sequence[bytes]) -> Callable[[Mapping[bytes, bytes]], Any]:
    """Picks values as a tuple, also a single one."""
    if len(tokens) == 1:
        (only,) = tokens
        return lambda values: (values[only],)
    return itemgetter(*tokens)


class _TileForm:
    """A tile as templates, phase by phase, with all tokens that occur in it."""

    def __init__(self, kind: Kind) -> None:
        phases = tiles.play(kind)
        self.phases = [
            [(_Template(e.stream.encode()), e.version, e.name.encode(), _Template(e.encoded)) for e in phase]
            for phase in phases
        ]
        texts = (text for phase in phases for event in phase for text in (event.stream.encode(), event.encoded))
        self.tokens = frozenset(token for text in texts for token in _TOKEN.findall(text))

    def said(self, phase: int, values: Mapping[bytes, bytes], number: int) -> Iterator[Row]:
        """The rows of one phase under the names of one place; ``number`` is the invoice's in its series."""
        for stream, version, name, state in self.phases[phase]:
            place = number if name == b"number_series.number_taken.v1" else version
            yield Row(stream.said(values), place, name, state.said(values))


@cache
def _form(kind: int) -> _TileForm:
    return _TileForm(KINDS[kind])


class History:
    """A firm whose log has at least ``events`` events; the same number makes the same log, byte for byte."""

    def __init__(self, events: int) -> None:
        tiles_wanted = max(1, math.ceil(events / EVENTS_PER_TILE))
        self.events = events
        self.slots = max(1, round(math.sqrt(tiles_wanted * 2)))
        self._books = Books()
        self._invoices: dict[str, int] = {}
        self._values: dict[Place, Mapping[bytes, bytes]] = {}
        self._numbers: dict[Place, int] = {}

    @property
    def people(self) -> int:
        """How many people write down their hours."""
        return self.slots * TEAM

    def commits(self) -> Iterator[tuple[datetime, list[Row]]]:
        """What was recorded together and when, from the founding of the firm until there are enough events."""
        left = self.events
        for at, rows in self._all():
            yield at, rows
            left -= len(rows)
            if left <= 0:
                return

    def _all(self) -> Iterator[tuple[datetime, list[Row]]]:
        yield from self._founding()
        week = 0
        while True:
            opened = datetime.combine(FIRST_MONDAY + timedelta(weeks=week), time(6, tzinfo=UTC))
            yield opened, self._news(opened.date())
            period, step = divmod(week, WEEKS)
            for slot in range(self.slots):
                closed = opened + timedelta(days=5, seconds=slot)
                yield from ((closed, rows) for rows in self._week(slot, period, step))
            week += 1

    def _week(self, slot: int, period: int, step: int) -> Iterator[list[Row]]:
        here = Place(slot, period)
        if step == 0:
            yield self._said(here, 0)
        yield self._said(here, step + 1)
        if step == 1:
            for periods_ago, phase in ((1, PHASE_BILL), (2, PHASE_PAY)):
                if period >= periods_ago:
                    yield self._said(Place(slot, period - periods_ago), phase)

    def _said(self, place: Place, phase: int) -> list[Row]:
        form = _form(place.kind)
        if phase == PHASE_BILL:
            self._take_number(place)
        rows = list(form.said(phase, self._values_of(place), self._numbers.get(place, 0)))
        if phase == PHASE_PAY:
            del self._values[place], self._numbers[place]
        return rows

    def _take_number(self, place: Place) -> None:
        entity, year = KINDS[place.kind].entity, self._billed_on(place).year
        number = self._invoices[f"{entity}-{year}"] = self._invoices.get(f"{entity}-{year}", 0) + 1
        self._numbers[place] = number
        series = f"{entity}-{year}".encode()
        taken = {
            f"{entity}-2026-000001".encode(): b"%b-%06d" % (series, number),
            f"{entity}-2026".encode(): series,
            b'"number":1,': b'"number":%d,' % number,
        }
        self._values[place] = {**self._values_of(place), **taken}

    @staticmethod
    def _billed_on(place: Place) -> date:
        return MONDAY + timedelta(days=7 * WEEKS + 2 + place.days_later)

    def _values_of(self, place: Place) -> Mapping[bytes, bytes]:
        """What each token means at a place."""
        known = self._values.get(place)
        if known is not None:
            return known
        values = {
            TILE.encode(): b"%03d%04d" % (place.period, place.slot),
            CUSTOMER.encode(): _customer(place.slot).encode(),
        }
        for number in range(TEAM):
            values[tiles.person(number).encode()] = _person(place.slot * TEAM + number).encode()
        later = timedelta(days=place.days_later)
        for token in _form(place.kind).tokens:
            if token.startswith(b"2026-"):
                values[token] = (date.fromisoformat(token.decode()) + later).isoformat().encode()
        self._values[place] = values
        return values

    def _founding(self) -> Iterator[tuple[datetime, list[Row]]]:
        """The entities, customers and people that are there from the first day."""
        at = datetime.combine(FIRST_MONDAY - timedelta(days=7), time(9, tzinfo=UTC))
        tiles.describe_firm(self._books)
        for slot in range(self.slots):
            kind = KINDS[Place(slot, 0).kind]
            if slot % SLOTS_PER_CUSTOMER == 0:
                tiles.describe_customer(self._books, _customer(slot), _country(kind.entity), at)
            for number in range(TEAM):
                resource = _person(slot * TEAM + number)
                tiles.describe_person(self._books, resource, kind.entity, kind.currency)
            yield at + timedelta(seconds=slot), self._taken()

    def _news(self, day: date) -> list[Row]:
        """Each week a rate of exchange, and now and then a customer with other terms of payment."""
        at = datetime.combine(day, time(6, tzinfo=UTC))
        for base, quote, rate in (("EUR", "USD", "1.08"), ("EUR", "GBP", "0.85")):
            published = PublishFxRate(base, quote, day, Decimal(rate), "ECB")
            self._books.tell("canonical", f"{base}{quote}{day}", at, Addressed(fx_stream(base, quote), published))
        week = (day - FIRST_MONDAY).days // 7
        slot = week * SLOTS_PER_CUSTOMER % max(SLOTS_PER_CUSTOMER, self.slots - self.slots % SLOTS_PER_CUSTOMER)
        country = _country(KINDS[Place(slot, 0).kind].entity)
        tiles.describe_customer(self._books, _customer(slot), country, at, terms_days=14 + week % 30)
        return self._taken()

    def _taken(self) -> list[Row]:
        return [Row(e.stream.encode(), e.version, e.name.encode(), e.encoded) for e in self._books.take()]


def _person(number: int) -> str:
    return f"W-{number:06d}"


def _customer(slot: int) -> str:
    return f"C-{slot // SLOTS_PER_CUSTOMER:06d}"


def _country(entity: str) -> str:
    return next(country for code, _, country, *_ in ENTITIES if code == entity)


_FIELDS: Final = Struct(">hi")
_LENGTH: Final = Struct(">i")
_NUMBER: Final = Struct(">iq")
_PLACES: Final = Struct(">iqiq")
_SINCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def store(history: History, url: str, schema: str, progress: Progress | None = None) -> int:
    """Copies a history into an empty log, in PostgreSQL's own binary form; returns the newest position."""
    position, reported = 0, 0
    columns = "originator_id, originator_version, topic, state, notification_id, recorded_at"
    with connect(url, schema, "p2c-bench") as conn, conn.transaction():
        with conn.cursor().copy(f"COPY stored_events ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for at, rows in history.commits():
                copy.write(b"".join(chain.from_iterable(_packed(rows, position, at))))
                position += len(rows)
                if progress and position - reported >= REPORT_EVERY:
                    progress(min(position, history.events), history.events)
                    reported = position
            copy.write(b"\xff\xff")
        conn.execute("SELECT setval('stored_events_notification_id_seq', %s)", [position])
    with connect(url, schema, "p2c-bench") as conn:
        conn.execute("VACUUM (ANALYZE) stored_events")
    return position


def _packed(rows: Sequence[Row], before: int, at: datetime) -> Iterator[tuple[bytes, ...]]:
    recorded_at = (at - _SINCE) // _MICROSECOND
    for position, (stream, version, name, state) in enumerate(rows, start=before + 1):
        yield (
            _FIELDS.pack(6, len(stream)),
            stream,
            _NUMBER.pack(8, version),
            _LENGTH.pack(len(name)),
            name,
            _LENGTH.pack(len(state)),
            state,
            _PLACES.pack(8, position, 8, recorded_at),
        )
