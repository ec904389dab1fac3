"""Works until it is told to stop, and then takes a moment, and the database if there is one, to finish."""

import threading
import time

import psycopg

from adapters.settings import Settings
from tests.api.parts import note


def main(settings: Settings, stop: threading.Event) -> None:
    note(settings, "steady", "started")
    stop.wait()
    time.sleep(0.2)
    if settings.database_url is not None:
        psycopg.connect(settings.database_url).close()
    note(settings, "steady", "finished")
