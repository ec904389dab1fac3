"""Which entry of a week a claim stands for, and which entries tell of the same hours, found without a search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tellings:
    """The entries by what was told of them: each claim stands for one entry, a fingerprint may fit several.

    It follows from the entries alone, and is kept beside them so that a command need not look through all of them.
    """

    entry_of: Mapping[str, str] = field(default_factory=dict)
    alike: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def heard(self, entry: str, claim: str, fingerprint: str | None = None) -> Tellings:
        """With one more telling of an entry; a deletion has no fingerprint."""
        entry_of = self.entry_of if self.entry_of.get(claim) == entry else {**self.entry_of, claim: entry}
        alike = self.alike
        if fingerprint is not None and entry not in (told := alike.get(fingerprint, ())):
            alike = {**alike, fingerprint: (*told, entry)}
        return Tellings(entry_of, alike)

    def merged(self, kept: str, dropped: str, claims: Iterable[str]) -> Tellings:
        """With everything that was told of one entry told of another."""
        entry_of = {**self.entry_of, **dict.fromkeys(claims, kept)}
        alike = {
            fingerprint: tuple(dict.fromkeys(kept if name == dropped else name for name in names))
            for fingerprint, names in self.alike.items()
        }
        return Tellings(entry_of, alike)

    def others(self, entry: str, fingerprints: Iterable[str]) -> bool:
        """Whether any of these fingerprints fits another entry too."""
        alike = self.alike
        return any(name != entry for fingerprint in fingerprints for name in alike.get(fingerprint, ()))
