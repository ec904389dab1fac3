"""Tokens say who asks; whatever is wrong with one, nobody gets in."""

from __future__ import annotations

import base64
import hmac
import json
import stat
import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from api.access import PERMISSIONS, NotPermitted, NotSignedIn, Principal, Reach, Role, may, require
from api.services.catalogue import SERVICES
from api.tokens import (
    AUDIENCE,
    KEY_FILE,
    KEYS_LIVE_SECONDS,
    KEYS_REFRESH_SECONDS_MIN,
    LEEWAY_SECONDS,
    LOCAL_ISSUER,
    ProviderKeys,
    Verifier,
    local_token,
    local_verifier,
    make_local_tokens,
)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    said: dict[str, Any] = {
        "iss": LOCAL_ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "exp": now + 60,
        "roles": ["finance_approver"],
        "entities": ["DE01"],
        "regions": ["AMER"],
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def signed(home: Path, said: dict[str, Any], alg: str = "ES256") -> str:
    local_token(home, Role.VIEWER)
    key = ECKey.import_key(json.loads((home / KEY_FILE).read_text()))
    return jwt.encode({"alg": alg, "kid": key.kid}, said, key)


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")


def test_a_local_token_says_its_role_for_the_whole_firm(tmp_path: Path) -> None:
    principal = local_verifier(tmp_path).principal(local_token(tmp_path, Role.FINANCE_PREPARER, hours=1))
    assert (principal.actor, principal.roles) == ("user:finance_preparer", frozenset({Role.FINANCE_PREPARER}))
    assert principal.reach.everywhere
    assert 3500 < (principal.expires_at - datetime.now(UTC)).total_seconds() <= 3600


def test_tokens_and_key_are_for_their_owner_only(tmp_path: Path) -> None:
    tokens = make_local_tokens(tmp_path / "home")
    assert set(json.loads(tokens.read_text())) == {role.value for role in Role}
    for name in ("tokens.json", KEY_FILE):
        assert stat.S_IMODE((tmp_path / "home" / name).stat().st_mode) == 0o600
    earlier = json.loads(tokens.read_text())["auditor"]
    make_local_tokens(tmp_path / "home")
    assert local_verifier(tmp_path / "home").principal(earlier).roles == {Role.AUDITOR}


def test_a_scope_names_entities_and_regions(tmp_path: Path) -> None:
    principal = local_verifier(tmp_path).principal(signed(tmp_path, claims()))
    assert principal.reach == Reach(frozenset({"DE01"}), frozenset({"AMER"}))
    assert principal.reach.covers("DE01", "EMEA")
    assert principal.reach.covers("US01", "AMER")
    assert not principal.reach.covers("FR01", "EMEA")
    assert not principal.reach.covers("FR01", None)


def test_a_token_without_scope_or_known_role_reaches_nothing(tmp_path: Path) -> None:
    said = claims(roles=["emperor"], entities=None, regions=None)
    principal = local_verifier(tmp_path).principal(signed(tmp_path, said))
    assert principal.roles == frozenset()
    assert not principal.reach.covers("DE01", "EMEA")


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody-else"},
        {"aud": "another-service"},
        {"exp": int(time.time()) - LEEWAY_SECONDS - 1},
        {"nbf": int(time.time()) + LEEWAY_SECONDS + 3_600},
        {"exp": None},
        {"sub": None},
        {"iss": None},
        {"aud": None},
        {"exp": "soon"},
        {"exp": 10**30},
        {"sub": 7},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(NotSignedIn):
        local_verifier(tmp_path).principal(signed(tmp_path, claims(**wrong)))


def test_a_token_of_another_key_is_refused(tmp_path: Path) -> None:
    stranger = signed(tmp_path / "other", claims())
    local_token(tmp_path, Role.VIEWER)
    with pytest.raises(NotSignedIn):
        local_verifier(tmp_path).principal(stranger)


def test_the_algorithm_is_ours_to_choose(tmp_path: Path) -> None:
    local_token(tmp_path, Role.VIEWER)
    public = ECKey.import_key(json.loads((tmp_path / KEY_FILE).read_text())).as_pem(private=False)
    said = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims()))
    forged = f"{said}.{encoded(hmac.digest(public, said.encode(), 'sha256'))}"
    unsigned = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "none"}, claims())) + "."
    for token in (forged, unsigned):
        with pytest.raises(NotSignedIn):
            local_verifier(tmp_path).principal(token)


NESTED = base64.urlsafe_b64encode(b"[" * 3_000 + b"]" * 3_000).decode() + ".x.x"


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "💥", "eyJ.eyJ.x", "x" * 10_000, "bnVsbA.bnVsbA.bnVsbA", NESTED])
def test_nonsense_is_refused(tmp_path: Path, token: str) -> None:
    with pytest.raises(NotSignedIn):
        local_verifier(tmp_path).principal(token)


def test_a_changed_payload_is_refused(tmp_path: Path) -> None:
    header, _, signature = signed(tmp_path, claims()).split(".")
    _, payload, _ = signed(tmp_path, claims(roles=["admin"])).split(".")
    with pytest.raises(NotSignedIn):
        local_verifier(tmp_path).principal(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "token"])
def test_the_header_is_a_bearer_token_or_nothing(tmp_path: Path, header: str | None) -> None:
    with pytest.raises(NotSignedIn):
        local_verifier(tmp_path).bearer(header)


class Provider:
    """An identity provider whose keys can change and which can be away."""

    def __init__(self) -> None:
        self.keys = [RSAKey.generate_key(2048, parameters={"kid": "k1"})]
        self.asked = 0
        self.is_away = False
        self.now = 1_000_000.0

    def fetch(self, _url: str) -> bytes:
        self.asked += 1
        if self.is_away:
            raise OSError("no answer")
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.keys]}).encode()

    def verifier(self) -> Verifier:
        keys = ProviderKeys("https://id.example/keys", self.fetch, clock=lambda: self.now)
        return Verifier(keys, issuer=LOCAL_ISSUER)

    def token(self, key: RSAKey) -> str:
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims(), key)


def test_the_providers_keys_are_asked_for_once() -> None:
    provider = Provider()
    verifier = provider.verifier()
    for _ in range(3):
        assert verifier.principal(provider.token(provider.keys[0])).subject == "ann"
    assert provider.asked == 1
    provider.now += KEYS_LIVE_SECONDS + 1
    verifier.principal(provider.token(provider.keys[0]))
    assert provider.asked == 2


def test_a_new_key_is_asked_for_at_a_bounded_rate() -> None:
    provider = Provider()
    verifier = provider.verifier()
    verifier.principal(provider.token(provider.keys[0]))
    new = RSAKey.generate_key(2048, parameters={"kid": "k2"})
    provider.keys.append(new)
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            verifier.principal(provider.token(new))
    assert provider.asked == 1
    provider.now += KEYS_REFRESH_SECONDS_MIN + 1
    assert verifier.principal(provider.token(new)).subject == "ann"
    assert provider.asked == 2


def test_known_keys_stay_while_the_provider_is_away() -> None:
    provider = Provider()
    verifier = provider.verifier()
    verifier.principal(provider.token(provider.keys[0]))
    provider.is_away, provider.now = True, provider.now + KEYS_LIVE_SECONDS + 1
    assert verifier.principal(provider.token(provider.keys[0])).subject == "ann"
    assert provider.asked == 2


def test_nobody_gets_in_while_the_provider_was_never_there() -> None:
    provider = Provider()
    provider.is_away = True
    with pytest.raises(NotSignedIn):
        provider.verifier().principal(provider.token(provider.keys[0]))


def somebody(*roles: Role) -> Principal:
    return Principal("ann", frozenset(roles), Reach(), datetime(2100, 1, 1, tzinfo=UTC))


def test_what_is_not_listed_nobody_may_do() -> None:
    everything = somebody(*Role)
    assert not may(everything, "drop-the-books")
    with pytest.raises(NotPermitted, match="nobody"):
        require(everything, "drop-the-books")
    with pytest.raises(NotSignedIn):
        require(None, "ledger")


def test_every_service_has_its_line_in_the_table() -> None:
    assert set(SERVICES) <= set(PERMISSIONS)


def test_no_role_that_only_reads_can_use_a_service() -> None:
    for name in SERVICES:
        assert not may(somebody(Role.VIEWER, Role.AUDITOR), name)


def test_preparing_and_approving_are_different_roles() -> None:
    assert may(somebody(Role.FINANCE_PREPARER), "request-invoice")
    assert not may(somebody(Role.FINANCE_PREPARER), "approve-invoice")
    assert may(somebody(Role.FINANCE_APPROVER), "approve-invoice")
    assert not may(somebody(Role.FINANCE_APPROVER), "request-invoice")
