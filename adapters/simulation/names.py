"""Names and numbers of the sample firm's world: invented companies, and ids of the shape that each system gives."""

from __future__ import annotations

import hashlib
from random import Random

FIRM = "Norvane Consulting"

_STEMS = (
    "Alderbeck", "Brightmoor", "Corvane", "Dunmere", "Estrelle", "Fennick", "Garlow", "Hollinhurst", "Istrana",
    "Jorvale", "Kestwick", "Lindquay", "Morrowby", "Nethergate", "Ostmark", "Pellworth", "Quillon", "Rosmere",
    "Silvane", "Thornaby", "Umberleigh", "Valdor", "Westrath", "Yarlow",
)  # fmt: skip
_TRADES = (
    "Insurance", "Logistics", "Energy", "Retail", "Bank", "Foods", "Pharma", "Rail", "Telecom", "Machinery",
    "Chemicals", "Media",
)  # fmt: skip
_FORMS = {"DE": "AG", "FR": "SA", "NL": "B.V.", "CH": "AG", "GB": "plc", "US": "Inc.", "JP": "K.K.", "SE": "AB"}
_SUBJECTS = (
    "Data platform", "Order-to-cash redesign", "Cloud migration", "Claims automation", "Pricing engine",
    "Master data clean-up", "Warehouse control", "Customer portal", "Planning model", "Regulatory reporting",
    "Payments hub", "Field service app",
)  # fmt: skip
_TASKS = ("Discovery", "Design", "Build", "Integration", "Data migration", "Testing", "Training", "Roll-out")
_STREETS = ("Harbour Street", "Mill Lane", "Station Road", "Kings Quay", "Market Square", "Bridge Street")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def customer_name(number: int, country: str) -> str:
    """An invented company; the name repeats with a numeral once all combinations are used."""
    stem, trade = _STEMS[number % len(_STEMS)], _TRADES[(number * 5 + number // len(_STEMS)) % len(_TRADES)]
    again = number // (len(_STEMS) * len(_TRADES))
    return " ".join(filter(None, (stem, trade, str(again + 1) if again else "", _FORMS.get(country, "Ltd"))))


def subject(rng: Random) -> str:
    """What an engagement is about."""
    return rng.choice(_SUBJECTS)


def tasks(rng: Random, count: int) -> tuple[str, ...]:
    """The names of so many different pieces of work, in the order in which projects do them."""
    return tuple(_TASKS[index] for index in sorted(rng.sample(range(len(_TASKS)), count)))


def street(rng: Random) -> str:
    """A street with a house number."""
    return f"{rng.choice(_STREETS)} {rng.randint(1, 180)}"


def salesforce_id(prefix: str, number: int) -> str:
    """A record id of 18 characters: prefix, instance and number in base 62, then three that make its case known."""
    digits = ""
    rest = number
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    short = f"{prefix}Nv0000{digits:0>6}"
    return short + "".join(case_of(short[start : start + 5]) for start in (0, 5, 10))


def case_of(five: str) -> str:
    """One character for which of five letters are capitals, the first being the lowest bit."""
    bits = sum(1 << index for index, letter in enumerate(five) if letter.isupper())
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]


def workday_id(*parts: object) -> str:
    """A Workday id: 32 hexadecimal digits."""
    return digest("workday", *parts)[:32]


def atlassian_account(*parts: object) -> str:
    """An Atlassian account id, of the older form (24 digits) or the newer one with its directory before a colon."""
    found = digest("atlassian", *parts)
    if int(found[0], 16) % 3:
        return found[:24]
    return f"712020:{found[:8]}-{found[8:12]}-4{found[13:16]}-8{found[17:20]}-{found[20:32]}"


def uuid_of(*parts: object) -> str:
    """A random-looking UUID (version 4) that is the same for the same parts."""
    found = digest("uuid", *parts)
    return f"{found[:8]}-{found[8:12]}-4{found[13:16]}-a{found[17:20]}-{found[20:32]}"


def digest(*parts: object) -> str:
    """64 hexadecimal digits that depend on all parts."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
