"""Settings come from the environment, and a wrong one is refused with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.settings import SettingsInvalid, load

SERVERS = {"P2C_DATABASE_URL": "postgresql://db.example/p2c", "P2C_NATS_URL": "nats://broker.example:4222"}


def test_without_any_setting_everything_is_local_and_embedded() -> None:
    settings = load({})
    assert (settings.mode, settings.database_url, settings.nats_url) == ("local", None, None)
    assert settings.home == Path.cwd() / ".p2c"
    assert settings.http_url == "http://127.0.0.1:8080"
    assert settings.db_schema == "ledger"


def test_every_setting_has_its_variable() -> None:
    settings = load(
        {**SERVERS, "P2C_HOME": "/srv/p2c", "P2C_HTTP_PORT": "9000", "P2C_SCHEMA": "cell_a", "P2C_MODE": "production"}
    )
    assert settings.database_url == "postgresql://db.example/p2c"
    assert settings.nats_url == "nats://broker.example:4222"
    assert (settings.home, settings.http_port, settings.db_schema) == (Path("/srv/p2c"), 9000, "cell_a")
    assert settings.tokens == Path("/srv/p2c/tokens.json")


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert load({"P2C_DATABASE_URL": "", "P2C_HTTP_PORT": ""}).http_port == 8080


def test_a_broker_may_have_several_servers() -> None:
    several = "nats://one.example:4222,tls://two.example:4222"
    assert load({"P2C_NATS_URL": several}).nats_url == several


def test_settings_cannot_be_changed_by_whoever_holds_them() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}).http_port = 1  # type: ignore[misc] # this is what must fail


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("P2C_HTTP_PORT", "eighty", "P2C_HTTP_PORT: .*integer"),
        ("P2C_HTTP_PORT", "70000", "P2C_HTTP_PORT: .*65535"),
        ("P2C_DATABASE_URL", "mysql://localhost/p2c", "P2C_DATABASE_URL: expected .*postgresql://"),
        ("P2C_DATABASE_URL", "postgresql://localhost", "P2C_DATABASE_URL: expected .*postgresql://"),
        ("P2C_NATS_URL", "localhost:4222", "P2C_NATS_URL: expected .*nats://"),
        ("P2C_NATS_URL", "nats://one:4222,two", "P2C_NATS_URL: expected .*nats://"),
        ("P2C_NATS_MONITOR_URL", "localhost:8222", "P2C_NATS_MONITOR_URL: expected .*http://"),
        ("P2C_SCHEMA", "Ledger; DROP", "P2C_SCHEMA: expected .*small letters"),
        ("P2C_SCHEMA", "pg_ledger", "P2C_SCHEMA: expected .*pg_"),
        ("P2C_MODE", "staging", "P2C_MODE: .*'local' or 'production'"),
        ("P2C_LOG_LEVEL", "loud", "P2C_LOG_LEVEL: "),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_variable(variable: str, value: str, complaint: str) -> None:
    with pytest.raises(SettingsInvalid, match=complaint):
        load({variable: value})


def test_a_refused_value_is_not_shown_since_it_may_hold_a_password() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load({"P2C_DATABASE_URL": "mysql://p2c:geheim@localhost/p2c"})
    assert "geheim" not in str(refused.value)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load({"P2C_HTTP_PORT": "0", "P2C_MODE": "x", "P2C_HTP_PORT": "8080"})
    assert len(refused.value.problems) == 3


def test_a_misspelt_variable_is_not_passed_over() -> None:
    with pytest.raises(SettingsInvalid, match=r"P2C_HTP_PORT is not a setting; did you mean P2C_HTTP_PORT\?"):
        load({"P2C_HTP_PORT": "8080"})


def test_variables_of_other_programs_are_nobodys_business() -> None:
    assert load({"PATH": "/bin", "PGPASSWORD": "x"}).http_port == 8080


def test_production_brings_its_own_servers() -> None:
    with pytest.raises(SettingsInvalid, match="set P2C_DATABASE_URL and P2C_NATS_URL"):
        load({"P2C_MODE": "production"})


@pytest.mark.parametrize("value", ["y", "true", "1", "On"])
def test_the_event_stores_database_functions_are_refused(value: str) -> None:
    with pytest.raises(SettingsInvalid, match="POSTGRES_ENABLE_DB_FUNCTIONS must stay off"):
        load({"POSTGRES_ENABLE_DB_FUNCTIONS": value})
