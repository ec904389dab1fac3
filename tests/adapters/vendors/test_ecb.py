"""Feeds of exchange rates: every shape of a publication, repeated, corrected, malformed, from several sources."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from adapters.vendors.ecb import forms
from adapters.vendors.letter import opened
from adapters.vendors.registry import VENDORS
from adapters.vendors.unreadable import MalformedJson, WrongType
from domain.conversion import FxRateMissing, fx_quote
from domain.reference.fx_policy import FX_POLICY, FxPolicyTerms, SourceNamedTwice, StateFxPolicy, decider
from domain.reference.fx_rate import PublishFxRate, fx_stream
from tests.adapters.vendors.payloads import Letter
from tests.adapters.vendors.reading import mail
from tests.spec import given
from tests.world import MONDAY, NEW_YEAR, World

XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube><Cube time='2026-03-02'><Cube currency='USD' rate='1.0492'/><Cube currency='JPY' rate='157.61'/></Cube></Cube>
</gesmes:Envelope>"""
DAILY_CSV = b"Date, USD, JPY, \n02 March 2026, 1.0492, 157.61, \n"
HISTORY_CSV = b"Date,USD,BGN,JPY,\n2026-03-02,1.0492,N/A,157.61,\n"
PORTAL_CSV = (
    b"KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE\n"
    b"EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2026-03-02,1.0492\n"
    b"EXR.D.JPY.EUR.SP00.A,D,JPY,EUR,SP00,A,2026-03-02,157.61\n"
)
JSON = b'{"base": "EUR", "date": "2026-03-02", "rates": {"USD": 1.0492, "JPY": 157.61}}'
EXPECTED = [
    forms.Told("EUR", "USD", MONDAY, Decimal("1.0492")),
    forms.Told("EUR", "JPY", MONDAY, Decimal("157.61")),
]


@pytest.mark.parametrize("content", [XML, DAILY_CSV, HISTORY_CSV, PORTAL_CSV, JSON])
def test_every_shape_of_a_publication_says_the_same(content: bytes) -> None:
    assert forms.read(content) == EXPECTED


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b'{"base": "EUR", "rates": ', MalformedJson),
        (b'{"rates": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", MalformedJson),
        (b'{"base": "EUR", "date": "2026-03-02"}', WrongType),
        (b'{"date": "yesterday", "rates": {"USD": 1}}', WrongType),
        (b'{"date": "2026-03-02", "rates": {"USD": "much"}}', WrongType),
        (b'{"date": "2026-03-02", "rates": {}}', WrongType),
        (b"<Cube time='2026-03-02'><Cube", WrongType),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", WrongType),
        (b"<Cube><Cube currency='USD' rate='1'/></Cube>", WrongType),
        (b"hello", WrongType),
        (b"\xff\xfe", WrongType),
    ],
)
def test_what_is_no_publication_is_unreadable(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        forms.read(content)


def told(source: str, content: bytes, world: World) -> None:
    letter = opened(f"p2c.in.{source}.fx.published", {}, content)
    for intake in VENDORS["ecb"].translate(letter):
        world.record(list(intake.commands(None)))  # type: ignore[arg-type]  # these look nothing up


def test_a_feed_of_any_name_is_read_and_its_name_is_the_source() -> None:
    read = mail(Letter("p2c.in.treasury.fx.published", {"date": "2026-03-02", "rates": {"USD": 1.05}}))
    assert (read.unreadable, read.system, len(read.intakes)) == (None, "treasury", 1)


def test_a_repetition_is_quiet_and_a_correction_counts() -> None:
    world = World()
    told("ecb", JSON, world)
    told("ecb", XML, world)
    assert world.names() == ["fx_rate.published.v1"] * 2
    told("ecb", JSON.replace(b"1.0492", b"1.0500"), world)
    quote = fx_quote(world.read, "EUR", "USD", MONDAY)
    assert (quote.rate, quote.rate_id) == (Decimal("1.0500"), "fx_rate:EUR:USD@2026-03-02")


def test_the_policy_says_whose_rate_counts_whatever_was_told_last() -> None:
    world = World()
    told("treasury", JSON.replace(b"1.0492", b"1.06"), world)
    told("ecb", JSON, world)
    assert fx_quote(world.read, "EUR", "USD", MONDAY).rate == Decimal("1.0492")
    world.tell(FX_POLICY, StateFxPolicy(FxPolicyTerms(NEW_YEAR, "EUR", ("treasury", "ecb"))))
    assert fx_quote(world.read, "EUR", "USD", MONDAY).rate == Decimal("1.06")
    told("bank", JSON.replace(b"1.0492", b"1.07"), world)
    assert fx_quote(world.read, "EUR", "USD", MONDAY).rate == Decimal("1.06")


def test_a_rate_names_the_publications_that_it_is_made_of() -> None:
    world = World()
    told("ecb", JSON, world)
    assert fx_quote(world.read, "USD", "EUR", date(2026, 3, 4)).rate_id == "1/fx_rate:EUR:USD@2026-03-02"
    crossed = fx_quote(world.read, "USD", "JPY", MONDAY)
    assert crossed.rate_id == "fx_rate:EUR:JPY@2026-03-02/fx_rate:EUR:USD@2026-03-02"
    with pytest.raises(FxRateMissing):
        fx_quote(world.read, "EUR", "USD", date(2026, 3, 20))


def test_the_currency_policy_is_stated_and_checked() -> None:
    terms = FxPolicyTerms(NEW_YEAR, "EUR", ("ecb", "ecb"))
    given(decider).when(StateFxPolicy(terms)).refuses(SourceNamedTwice)
    fine = StateFxPolicy(FxPolicyTerms(NEW_YEAR, "EUR", ("ecb",)))
    given(decider).when(fine, fine).then_happens(type(given(decider).when(fine).events[0]))


def test_one_source_corrects_itself_and_not_another() -> None:
    world = World()
    stream = fx_stream("EUR", "USD")
    for source, rate in (("ecb", "1.05"), ("bank", "1.06"), ("ecb", "1.05")):
        world.tell(stream, PublishFxRate("EUR", "USD", MONDAY, Decimal(rate), source))
    assert world.names() == ["fx_rate.published.v1"] * 2
