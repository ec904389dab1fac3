"""The stock consumer: one message is fetched, translated, loaded, decided, saved and acknowledged, then the next.

It is given what helps it: our translators, no receipts and no raw messages to write, names looked up once and then
remembered, an acknowledgement that nobody waits for.
"""

from __future__ import annotations

from typing import Final

from nats.aio.msg import Msg
from nats.js import JetStreamContext

from adapters.vendors.intake import Resolved, Vendor
from adapters.vendors.jira.translate import VENDOR as JIRA
from adapters.vendors.letter import opened
from adapters.vendors.tempo.translate import VENDOR as TEMPO
from domain.kernel import Cause, Refused
from domain.reference.identifier import ExternalRef, identifier_stream
from tests.bench.stock import StockLedger

STREAM_PREFIX: Final = "bench."
"""What the subjects of the stock consumer's own stream begin with."""

_FETCH_SECONDS: Final = 5.0
_VENDORS: Final[dict[str, Vendor]] = {"jira": JIRA, "tempo": TEMPO}


class StockConsumer:
    """A consumer of Jira's and Tempo's messages on the stock application."""

    def __init__(self, app: StockLedger) -> None:
        self.app = app
        self._names: dict[ExternalRef, str] = {}

    async def work(self, subscription: JetStreamContext.PullSubscription, messages: int) -> None:
        """Takes this many messages, one at a time."""
        for _ in range(messages):
            (message,) = await subscription.fetch(1, timeout=_FETCH_SECONDS)
            self._take(message)
            await message.ack()

    def _take(self, message: Msg) -> None:
        letter = opened(message.subject.removeprefix(STREAM_PREFIX), message.headers or {}, message.data)
        vendor = _VENDORS[letter.system]
        message_id = f"{letter.system}:{vendor.message_id(letter)}"
        for intake in vendor.translate(letter):
            names = {ref: self._name(ref) for ref in intake.needs}
            resolved = Resolved(names, None, lambda stream: self.app.known(stream).state)
            cause = Cause(f"system:{letter.system}", message_id, message_id, message_id, intake.said_at)
            for addressed in intake.commands(resolved):
                try:
                    self.app.execute(addressed, cause)
                except Refused:
                    continue

    def _name(self, ref: ExternalRef) -> str:
        if ref not in self._names:
            self._names[ref] = self.app.known(identifier_stream(ref)).state.target
        return self._names[ref]
