"""Publications of exchange rates in the ledger's words: one statement for each currency and day.

A publication that is repeated changes nothing; one that is corrected counts from when it arrives. A currency that the
ledger does not know is one exception, and the others of the publication count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import Final

from adapters.vendors.ecb import forms
from adapters.vendors.intake import Intake, Resolved, Vendor, moment, name, revision_of
from adapters.vendors.letter import Letter, sha256
from adapters.vendors.unreadable import UnknownSubject
from domain.kernel import Addressed
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.identifier import ExternalRef

PUBLISHED_AT: Final = time(15, tzinfo=UTC)
"""About when a rate of a day is published, for a feed that does not tell: 16:00 in Frankfurt."""


def translate(letter: Letter) -> Sequence[Intake]:
    """A statement for each rate of a publication."""
    if (letter.object, letter.verb) != ("fx", "published"):
        raise UnknownSubject(f"{letter.system} has no {letter.object}.{letter.verb} here.")
    return [_statement(letter, told) for told in forms.read(letter.content)]


def message_id(letter: Letter) -> str | None:
    """A publication is what it says."""
    return f"sha256:{sha256(letter.content).hex()}"


def _statement(letter: Letter, told: forms.Told) -> Intake:
    base, quote, source = name(told.base, "base"), name(told.quote, "currency"), letter.system
    stream = fx_stream(base, quote)
    clock = letter.event_time
    said_at = moment(clock, "time") if clock is not None else datetime.combine(told.on, PUBLISHED_AT)

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        yield Addressed(stream, PublishFxRate(base, quote, told.on, told.rate, source))

    return Intake(
        source=ExternalRef(source, "fx", f"{base}/{quote}@{told.on}"),
        revision=revision_of(said_at) if clock is not None else "",
        said_at=said_at,
        needs=(),
        touches=lambda _names: (stream,),
        commands=commands,
    )


VENDOR: Final = Vendor(translate, message_id, {"fx.published": forms.Publication})
