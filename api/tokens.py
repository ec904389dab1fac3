"""Access tokens say who asks and what for, signed on this machine or by the firm's identity provider."""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import JWSRegistry
from joserfc.util import to_bytes
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.settings import Settings
from api.access import NotSignedIn, Principal, Reach, Role

LOCAL_ISSUER = "p2c-local"
AUDIENCE = "p2c-ledger"
LOCAL_ALGORITHMS = ("ES256",)
PROVIDER_ALGORITHMS = ("RS256", "PS256", "ES256")
LOCAL_HOURS = 30 * 24
KEY_FILE = "token-key.json"
IDENTITY_FILE = "identity.json"
TOKEN_CHARACTERS_MAX = 8_192
LEEWAY_SECONDS = 30
KEYS_LIVE_SECONDS = 3_600.0
"""How long the provider's keys are used before they are asked for again."""
KEYS_REFRESH_SECONDS_MIN = 30.0
"""A token with an unknown key makes the provider be asked again, but not more often than this."""
KEYS_BYTES_MAX = 512 * 1024
FETCH_SECONDS_MAX = 5.0


class Keys(Protocol):
    """The public keys that tokens may be signed with."""

    def for_token(self, key_id: str | None) -> KeySet:
        """The keys to try for a token that names a key."""
        ...


class LocalKeys:
    """The one key of this installation."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def for_token(self, key_id: str | None) -> KeySet:  # noqa: ARG002 - there is one key, whatever the token names
        return KeySet([_local_key(self._home)])


class ProviderKeys:
    """The keys of an OpenID Connect provider, kept for an hour, and asked for again when a token names a new one."""

    def __init__(
        self,
        url: str,
        fetch: Callable[[str], bytes] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = _fetch if fetch is None else fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched = self._tried = -KEYS_LIVE_SECONDS

    def for_token(self, key_id: str | None) -> KeySet:
        with self._lock:
            known = self._keys is not None and any(key.kid == key_id for key in self._keys.keys)
            is_old = self._clock() - self._fetched > KEYS_LIVE_SECONDS
            may_ask = self._keys is None or self._clock() - self._tried > KEYS_REFRESH_SECONDS_MIN
            if (is_old or not known) and may_ask:
                self._refresh()
            return self._keys if self._keys is not None else KeySet([])

    def _refresh(self) -> None:
        """When the provider does not answer, the keys that are known stay in use."""
        self._tried = self._clock()
        with suppress(OSError, ValueError, JoseError):
            self._keys = KeySet.import_key_set(json.loads(self._fetch(self._url)))
            self._fetched = self._tried


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=FETCH_SECONDS_MAX) as answer:  # noqa: S310 - the address is configured
        content: bytes = answer.read(KEYS_BYTES_MAX + 1)
    if len(content) > KEYS_BYTES_MAX:
        raise ValueError("the key set is too large")
    return content


class Verifier:
    """Tells who a token speaks for; the algorithm is fixed here and never taken from the token."""

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: str = AUDIENCE,
        algorithms: Sequence[str] = PROVIDER_ALGORITHMS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._algorithms = list(algorithms)
        self._registry = JWSRegistry(algorithms=self._algorithms)
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(clock()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    def principal(self, token: str) -> Principal:
        """Who asks; raises NotSignedIn for a token that is not valid here and now, without telling why in detail."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise NotSignedIn("The token is too long.")
        try:
            keys = self._keys.for_token(_key_id(token))
            found = jwt.decode(token, keys, algorithms=self._algorithms, registry=self._registry)
            self._claims.validate(found.claims)
            return _principal(found.claims)
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as invalid:
            raise NotSignedIn(f"The token is not valid ({type(invalid).__name__}).") from None

    def bearer(self, authorization: str | None) -> Principal:
        """Who asks, by the Authorization header."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotSignedIn
        return self.principal(token.strip())


def _key_id(token: str) -> str | None:
    header, _, _ = token.partition(".")
    from joserfc.util import urlsafe_b64decode  # noqa: PLC0415 - kept beside its only use

    said = json.loads(urlsafe_b64decode(to_bytes(header)))
    key_id = said.get("kid") if isinstance(said, dict) else None
    return key_id if isinstance(key_id, str) else None


def _principal(claims: Mapping[str, Any]) -> Principal:
    known = {role.value: role for role in Role}
    roles = frozenset(known[name] for name in _texts(claims.get("roles")) if name in known)
    entities, regions = frozenset(_texts(claims.get("entities"))), frozenset(_texts(claims.get("regions")))
    reach = Reach(entities - {"*"}, regions - {"*"}, everywhere="*" in entities or "*" in regions)
    return Principal(str(claims["sub"]), roles, reach, datetime.fromtimestamp(int(claims["exp"]), UTC))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split()
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


class IdentityMissing(Exception):
    """In production access tokens come from an identity provider, and it is not said which one."""


class Identity(BaseModel):
    """The identity provider of a production installation: ``identity.json`` in its home."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str
    keys_url: str
    audience: str = AUDIENCE


def verifier_of(settings: Settings) -> Verifier:
    """Who is believed here: this installation's own key, or in production the identity provider's keys."""
    if settings.mode == "local":
        return local_verifier(settings.home)
    path = settings.home / IDENTITY_FILE
    try:
        identity = Identity.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as problem:
        wanted = '{"issuer": "https://...", "keys_url": "https://...", "audience": "p2c-ledger"}'
        raise IdentityMissing(f"{path} has to say {wanted}") from problem
    return Verifier(ProviderKeys(identity.keys_url), issuer=identity.issuer, audience=identity.audience)


def local_verifier(home: Path) -> Verifier:
    """The verifier of tokens that this installation made itself."""
    return Verifier(LocalKeys(home), issuer=LOCAL_ISSUER, algorithms=LOCAL_ALGORITHMS)


def local_token(
    home: Path,
    role: Role,
    *,
    hours: float = LOCAL_HOURS,
    subject: str | None = None,
    entities: Sequence[str] = ("*",),
    regions: Sequence[str] = (),
) -> str:
    """A token for one role, signed with this installation's own key, which is made when it is first needed."""
    now = int(time.time())
    claims = {
        "iss": LOCAL_ISSUER,
        "aud": AUDIENCE,
        "sub": subject or role.value,
        "iat": now,
        "exp": now + int(hours * 3600),
        "roles": [role.value],
        "entities": list(entities),
        "regions": list(regions),
    }
    key = _local_key(home)
    return jwt.encode({"alg": LOCAL_ALGORITHMS[0], "kid": key.kid}, claims, key, algorithms=list(LOCAL_ALGORITHMS))


def make_local_tokens(home: Path, hours: float = LOCAL_HOURS) -> Path:
    """Write ``tokens.json``, a token for each role, readable by its owner only; the key of earlier ones stays."""
    home.mkdir(parents=True, exist_ok=True)
    tokens = {role.value: local_token(home, role, hours=hours) for role in Role}
    return _write_private(home / "tokens.json", json.dumps(tokens, indent=2) + "\n")


def _local_key(home: Path) -> ECKey:
    path = home / KEY_FILE
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        key = ECKey.generate_key("P-256", auto_kid=True)
        _write_private(path, json.dumps(key.as_dict(private=True)), exclusive=True)
    return ECKey.import_key(json.loads(path.read_text(encoding="utf-8")))


def _write_private(path: Path, text: str, *, exclusive: bool = False) -> Path:
    """Whole or not at all; with ``exclusive`` the first of several writers wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(text)
    if exclusive:
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    else:
        draft.replace(path)
    return path
