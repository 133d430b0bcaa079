"""Whether every act on a person's data has its permission before it in the audit log.

The log is read as an auditor reads it: nothing but the entries counts.

- A consent decision on *consent-lookup* begins an update: what an earlier one permitted is over.
- A pull of Patient and Consent needs the permitted lookup, a pull of anything else *collect*.
- A twin that becomes current needs *use*.
- A write to the EHR needs *disclose*, and one permission is for one write of each outcome family. It
  outlives one more update, because the write of one may still be under way when the next begins.
- What says that an assessment no longer holds follows from a withdrawal and needs no permission.

Only what was decided about the same actor counts: that a clinician may see a page permits no write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.sealing import Opened

LOOKED_UP = frozenset({"Patient", "Consent"})
WITHDRAWN = ": withdrawn"


@dataclass(slots=True)
class _Disclosure:
    updates: int = 1  # for which it still holds
    families: set[str] = field(default_factory=set)  # that were written under it


@dataclass(slots=True)
class _Held:
    """What is permitted now to one actor with one person's data."""

    acts: set[str] = field(default_factory=set)
    disclosures: list[_Disclosure] = field(default_factory=list)

    def decide(self, act: str, *, permitted: bool) -> None:
        if act == "consent-lookup":
            self._begin()
        if act == "disclose":
            self.disclosures = [*self.disclosures, _Disclosure()] if permitted else []
        elif permitted:
            self.acts.add(act)
        else:
            self.acts.discard(act)

    def _begin(self) -> None:
        self.acts.clear()
        self.disclosures = [one for one in self.disclosures if one.updates]
        for one in self.disclosures:
            one.updates -= 1

    def permits(self, kind: str, detail: str, resources: Iterable[str]) -> bool:
        if kind == "pull":
            return self._permits_pull(resources)
        if kind == "twin-update":
            return not detail.startswith("current") or "use" in self.acts
        return kind != "assessment-write" or detail.endswith(WITHDRAWN) or self._spend(detail)

    def _permits_pull(self, resources: Iterable[str]) -> bool:
        types = {one.split("/", 1)[0] for one in resources}
        return (types <= LOOKED_UP and "consent-lookup" in self.acts) or "collect" in self.acts

    def _spend(self, family: str) -> bool:
        """Use up a permission for one family, if there is one left."""
        for one in self.disclosures:
            if family not in one.families:
                one.families.add(family)
                return True
        return False


def acts_without_decision(entries: Iterable[Opened]) -> list[str]:
    """Return acts on a person's data that no permission stands before in the log."""
    held: dict[tuple[str, str], _Held] = {}
    faults = []
    for entry in entries:
        if entry.personal is None or entry.operational is None or not entry.personal.subject:
            continue
        detail = entry.operational.detail or ""
        mine = held.setdefault((entry.personal.subject, entry.operational.actor), _Held())
        if entry.leaf.kind == "consent-decision":
            act, _, said = detail.partition(": ")
            mine.decide(act, permitted=said.startswith("permit"))
        elif not mine.permits(entry.leaf.kind, detail, entry.personal.resources):
            faults.append(f"audit entry {entry.index}: {entry.leaf.kind} without a permission before it")
    return faults
