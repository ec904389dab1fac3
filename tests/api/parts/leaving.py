"""Returns although nobody has asked it to."""

import threading

from adapters.settings import Settings
from tests.api.parts import note


def main(settings: Settings, _stop: threading.Event) -> None:
    note(settings, "leaving", "started")
