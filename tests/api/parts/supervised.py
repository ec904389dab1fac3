"""Runs the roles that are named on the command line, under a supervisor, until killed: ``<home> <role>...``."""

import sys
from pathlib import Path

from adapters.settings import Settings
from api.roles import Role
from api.running.supervisor import Supervisor

if __name__ == "__main__":
    supervisor = Supervisor(
        Settings(home=Path(sys.argv[1])), [Role(name, "test", "tests.api.parts") for name in sys.argv[2:]]
    )
    supervisor.start()
    while True:
        supervisor.step()
