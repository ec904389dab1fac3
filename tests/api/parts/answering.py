"""Says that the ledger is ready, as the role ``serve`` does."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from adapters.settings import Settings
from tests.api.parts import note


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()


def main(settings: Settings, stop: threading.Event) -> None:
    server = ThreadingHTTPServer((settings.http_host, settings.http_port), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    note(settings, "answering", "started")
    stop.wait()
    server.shutdown()
    server.server_close()
    note(settings, "answering", "finished")
