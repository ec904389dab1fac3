"""Does not stop when asked."""

import threading
import time

from adapters.settings import Settings
from tests.api.parts import note


def main(settings: Settings, _stop: threading.Event) -> None:
    note(settings, "stubborn", "started")
    while True:
        time.sleep(1)
