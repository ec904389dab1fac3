"""Tax packs as files: one TOML file per jurisdiction in ``tax/``, in the words of ``domain.reference.tax_pack``.

A file says once what most of its rules share: a rule without a day of its own is in force from the pack's, and one
without a source rests on the pack's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from domain.kernel import Refused
from domain.reference.tax_pack import CountryGroup, DatedRate, Levy, PackRule, RoundingPolicy, TaxPack, check

FOLDER: Final = Path(__file__).parent / "tax"
_PACKS: Final = TypeAdapter(TaxPack)
_PARTS: Final = {
    "rounding": RoundingPolicy,
    "rates": DatedRate,
    "rules": PackRule,
    "groups": CountryGroup,
    "levies": Levy,
}


class PackUnreadable(Refused):
    """The file is not a tax pack."""

    code = "tax_pack.unreadable"
    fix = "Write it like the files in adapters/policy_packs/tax."


def shipped() -> Iterator[TaxPack]:
    """The packs that come with the ledger, by jurisdiction."""
    for file in sorted(FOLDER.glob("*.toml")):
        yield read(file)


def pack_of(jurisdiction: str) -> TaxPack | None:
    """The pack of a country that comes with the ledger; None if there is none."""
    file = FOLDER / f"{jurisdiction}.toml"
    return read(file) if file.is_file() else None


def told(pack: TaxPack) -> dict[str, Any]:
    """A pack as messages carry it."""
    content: dict[str, Any] = _PACKS.dump_python(pack, mode="json")
    return content


def read(file: Path) -> TaxPack:
    """The pack in a file, whole and without contradictions, or PackUnreadable."""
    try:
        told = _complete(tomllib.loads(file.read_text(encoding="utf-8")))
        _require_known_words(told, TaxPack)
        pack = _PACKS.validate_python(told)
    except (OSError, ValueError, TypeError, ValidationError) as problem:
        raise PackUnreadable(f"{file.name}: {problem}") from problem
    check(pack)
    return pack


def _complete(told: dict[str, Any]) -> dict[str, Any]:
    shared = {name: told[name] for name in ("effective_from", "source") if name in told}
    return {**told, "rules": [{**shared, **rule} for rule in told.get("rules", ())]}


def _require_known_words(told: Any, kind: type[Any]) -> None:
    """A misspelt word would be left out in silence otherwise, and with it what it was to restrict."""
    known = {each.name for each in fields(kind)}
    for word, value in told.items():
        if word not in known:
            raise ValueError(f"{kind.__name__} has no {word}")
        if word in _PARTS:
            for part in value if isinstance(value, list) else [value]:
                _require_known_words(part, _PARTS[word])
