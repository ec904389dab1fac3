"""A TCP proxy before PostgreSQL that loses the reply to the end of a transaction, on request."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class CuttingProxy:
    """Passes everything on, until it is told to cut: then the next COMMIT still reaches the server, its reply nobody.

    An attempt that repeats what was recorded ends with COMMIT or ROLLBACK, as the refusal arrives late or early.

    With ``after_reply`` the server has certainly committed when the client learns of the loss; without it the
    connection breaks while the server may still be at work.
    """

    def __init__(self, database_url: str) -> None:
        given = conninfo_to_dict(database_url)
        self._host, self._port = str(given.get("host") or "127.0.0.1"), int(given.get("port") or 5432)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._to_cut = 0
        self._after_reply = True
        self.cuts = 0
        port = self._listening.getsockname()[1]
        self.url = make_conninfo(database_url, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def cut(self, times: int = 1, *, after_reply: bool = True) -> None:
        self._to_cut, self._after_reply = times, after_reply

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _upstream(self) -> socket.socket:
        if self._host.startswith("/"):
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(f"{self._host}/.s.PGSQL.{self._port}")
            return upstream
        return socket.create_connection((self._host, self._port))

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                upstream = self._upstream()
                losing = threading.Event()
                for target in (self._requests, self._replies):
                    threading.Thread(target=target, args=(client, upstream, losing), daemon=True).start()

    def _requests(self, client: socket.socket, upstream: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self._to_cut and (b"COMMIT" in data or b"ROLLBACK" in data):
                    self._to_cut -= 1
                    self.cuts += 1
                    losing.set()
                upstream.sendall(data)
                if losing.is_set() and not self._after_reply:
                    break
        if not (losing.is_set() and self._after_reply):
            self._close(client, upstream)

    def _replies(self, client: socket.socket, upstream: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(65536):
                if not losing.is_set():
                    client.sendall(data)
                elif b"COMMIT\x00" in data or b"ROLLBACK\x00" in data:
                    break
        self._close(client, upstream)

    @staticmethod
    def _close(*sockets: socket.socket) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
