"""Whether an installation is ready, and how far its read models are behind, told to whoever watches it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from api.sample.mark import expect_sample, sample_loaded
from tests.api.asker import Asker, asking


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    with asking(settings) as asker:
        asker.world.firm()
        yield asker


def ready(asker: Asker) -> tuple[int, dict[str, str]]:
    answer = asker.send("GET", "/health/ready")
    return answer.status_code, answer.json()["conditions"]


def figures(asker: Asker, **request: Any) -> dict[str, float]:
    page = asker.send("GET", "/metrics", **request).text
    return {name: float(value) for name, value in (line.split() for line in page.splitlines() if line[:4] == "p2c_")}


def test_it_is_ready_once_its_read_models_have_caught_up(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asker.send("GET", "/health/live").json() == {"live": True}
    assert ready(asker) == (503, {"database": "current", "read models": "not made yet", "sample": "none"})
    asker.fold()
    assert ready(asker)[0] == 200
    monkeypatch.setattr("api.serving.health.LAG_SECONDS_MAX", 0.0)
    asker.world.contract()
    status, conditions = ready(asker)
    assert (status, conditions["read models"].endswith("s behind")) == (503, True)


def test_it_is_not_ready_while_the_sample_is_being_loaded(asker: Asker) -> None:
    asker.fold()
    expect_sample(asker.parts.settings.home)
    assert ready(asker) == (503, {**ready(asker)[1], "sample": "being loaded"})
    sample_loaded(asker.parts.settings.home, {})
    assert ready(asker)[0] == 200


def test_who_watches_sees_how_far_the_read_models_are_behind(asker: Asker) -> None:
    asker.fold()
    assert figures(asker)["p2c_read_model_lag_seconds"] == 0
    asker.world.contract()
    behind = figures(asker)
    assert behind["p2c_read_model_lag_seconds"] > 0
    assert behind["p2c_read_model_position"] < behind["p2c_ledger_position"] == asker.parts.ledger.head()


def test_who_watches_sees_how_far_each_process_is_behind(asker: Asker) -> None:
    asker.fold()
    unit = asker.parts.ledger.unit()
    unit.track("pricing", 1)
    asker.parts.ledger.commit(unit)
    asker.world.contract()
    assert figures(asker)['p2c_process_lag_seconds{process="pricing"}'] > 0


def test_elsewhere_than_on_this_machine_figures_are_for_those_who_may(asker: Asker) -> None:
    asker.fold()
    production = replace(asker.parts, settings=asker.parts.settings.at(mode="production"))
    elsewhere = Asker(production, asker.world)
    assert elsewhere.send("GET", "/metrics").status_code == 401
    for role, status in ((Role.VIEWER, 403), (Role.INTEGRATION, 200)):
        headers = {"Authorization": f"Bearer {asker.token(role)}"}
        assert elsewhere.send("GET", "/metrics", headers=headers).status_code == status
