"""Fails as soon as it is started."""

import threading

from adapters.settings import Settings
from tests.api.parts import note


def main(settings: Settings, _stop: threading.Event) -> None:
    note(settings, "crashing", "started")
    raise ValueError("no rate for EUR, see postgresql://p2c:secret@localhost/p2c")
