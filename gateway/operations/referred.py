"""Resources that a patient's refer to and that are nobody's own: the Medication that a request names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fhir_mapping import references
from gateway.hospitals.connection import Fetched
from gateway.hospitals.errors import BadAnswer, NotAuthorised, ReadRefused
from gateway.operations.services import Hospital
from gateway.telemetry import hop

TYPES = frozenset({"Medication"})
LIMIT = 100  # in one update; what is beyond stays unread, with its reason


@dataclass(slots=True)
class Referred:
    """What was read in one update, each once; ``seen`` are the references with version."""

    hospital: Hospital
    seen: list[str] = field(default_factory=list)
    _asked: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def read(self, wants: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the resources by reference as it is written, without those that cannot be had."""
        wanted = tuple(wants)
        with hop("pull"):
            for one in wanted:
                if one not in self._asked and len(self._asked) < LIMIT:
                    self._asked[one] = self._fetch(one)
        found = ((one, self._asked.get(one)) for one in wanted)
        return {one: resource for one, resource in found if resource is not None}

    def _fetch(self, text: str) -> dict[str, Any] | None:
        """Read one; a resource of another server is not asked for, and one that is refused is not there."""
        here = text.removeprefix(f"{self.hospital.base_url.rstrip('/')}/")
        target = None if "://" in here else references.parse(here)
        if target is None or target.type not in TYPES or not self.hospital.profile.can(target.type, "read"):
            return None
        try:
            fetched = self.hospital.reader.get(target.type, target.id)
        except (NotAuthorised, ReadRefused, BadAnswer):
            return None
        if fetched is None:
            return None
        self.seen.append(_versioned(target.type, fetched))
        return None if fetched.fault else fetched.resource


def _versioned(kind: str, fetched: Fetched) -> str:
    plain = f"{kind}/{fetched.id}"
    return f"{plain}/_history/{fetched.version}" if fetched.version else plain
