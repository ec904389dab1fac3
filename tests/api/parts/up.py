"""``p2c up`` with small roles: the settings come from the environment."""

from api.commands import up
from api.roles import Role

if __name__ == "__main__":
    up.run(sample=False, roles=[Role(name, "test", "tests.api.parts") for name in ("steady", "answering")])
