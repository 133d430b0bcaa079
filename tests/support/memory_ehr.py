"""An EHR in memory, behind the gateway's own seam: what a ``Connection`` does, without HTTP.

It keeps every version, deletes, and can be told to be away. Conditional writes are honoured.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from fhir_mapping.genomics.vcf import is_imported
from fhir_mapping.instants import moment, render
from fhir_mapping.references import subject_id
from gateway.hospitals.connection import Fetched
from gateway.hospitals.errors import HospitalUnavailable, NotAuthorised, WriteConflict, WriteRefused

Resource = dict[str, Any]

READ = (
    *("Patient", "Consent", "Observation", "Condition", "Procedure"),
    *("MedicationRequest", "MedicationStatement", "Medication"),
)
WRITTEN = ("RiskAssessment", "Subscription")
PARAMETERS = ("_id", "_lastUpdated", "code", "patient", "subject", "identifier", "url")


class MemoryEhr:
    """The resources of a hospital.

    ``seen`` are the requests, ``away`` makes every one of them fail, ``forgets`` names an element that is
    lost when something is put.
    """

    base_url = "https://memory.example/fhir"

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._held: dict[tuple[str, str], list[Resource | None]] = {}
        self._numbers = itertools.count(1)
        self.seen: list[tuple[str, str]] = []
        self.away = False
        self.forgets: str | None = None
        self.refuses: dict[str, tuple[str, ...]] = {}
        self._next: dict[str, Callable[[], object]] = {}

    def covers(self, reference: str) -> bool:
        return not is_imported(reference)

    def at_next(self, kind: str, act: Callable[[], object]) -> None:
        """Do ``act`` in the middle of the next request for ``kind``."""
        self._next[kind] = act

    def enter(self, resource: Mapping[str, Any]) -> Resource:
        """Write as the hospital's own staff does; return what stands now."""
        key = resource["resourceType"], resource["id"]
        versions = self._held.setdefault(key, [])
        given = resource.get("meta", {})
        meta = {**given, "versionId": str(len(versions) + 1), "lastUpdated": render(self._clock())}
        versions.append({**resource, "meta": meta})
        return orjson.loads(orjson.dumps(versions[-1]))

    def remove(self, kind: str, id_: str) -> None:
        self._held[kind, id_].append(None)

    def all(self, kind: str) -> list[Resource]:
        """Return what stands of one type."""
        return [each for (held, _), (*_, each) in sorted(self._held.items()) if held == kind and each]

    def versions(self, kind: str, id_: str) -> int:
        return len(self._held.get((kind, id_), ()))

    def asking(self, scopes: tuple[str, ...]) -> MemoryEhr:
        """Return the same: no token is needed."""
        return self

    def capabilities(self) -> Resource:
        codes = ("read", "search-type", "create", "update")
        listed = [
            {
                "type": kind,
                "interaction": [{"code": code} for code in codes],
                "versioning": "versioned-update",
                "updateCreate": True,
                "searchParam": [{"name": name} for name in PARAMETERS],
            }
            for kind in (*READ, *WRITTEN)
        ]
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "software": {"name": "Memory"},
            "rest": [{"mode": "server", "resource": listed}],
        }

    def status(
        self, path: tuple[str, ...], parameters: Iterable[tuple[str, str]] = ()
    ) -> tuple[int, tuple[str, ...]]:
        strange = {name for name, _ in parameters} - {*PARAMETERS, "_summary"}
        return (400, ("not-supported",)) if strange else (200, ())

    def get(self, kind: str, id_: str) -> Fetched | None:
        self._answer("get", kind)
        if f"{kind}/{id_}" in self.refuses.get("get", ()):
            raise NotAuthorised("the EHR answered 403")
        standing = self._standing(kind, id_)
        return _fetched(standing) if standing else None

    def search(
        self, kind: str, parameters: Iterable[tuple[str, str]] = (), *, patient: str | None = None
    ) -> Iterator[Fetched]:
        self._answer("search", kind)
        asked = list(parameters)
        for resource in self.all(kind):
            mine = patient is None or self.owner(resource) == f"Patient/{patient}"
            if mine and all(_meets(resource, *one) for one in asked):
                yield _fetched(resource)

    def owner(self, resource: Mapping[str, Any]) -> str | None:
        found = resource["id"] if resource["resourceType"] == "Patient" else subject_id(dict(resource))
        return f"Patient/{found}" if found else None

    def put(self, resource: Mapping[str, Any], if_match: str | None = None) -> Fetched:
        self._answer("put", resource["resourceType"])
        if "put" in self.refuses:
            raise WriteRefused(422)
        standing = self._standing(resource["resourceType"], resource["id"])
        if if_match is not None and (standing is None or standing["meta"]["versionId"] != if_match):
            raise WriteConflict("the EHR answered 412")
        kept = {name: value for name, value in resource.items() if name != self.forgets}
        return _fetched(self.enter(kept))

    def create(self, resource: Mapping[str, Any], if_none_exist: str | None = None) -> Fetched:
        self._answer("create", resource["resourceType"])
        woken = {"status": "active"} if resource["resourceType"] == "Subscription" else {}
        return _fetched(self.enter({**resource, **woken, "id": f"m{next(self._numbers)}"}))

    def delete(self, kind: str, id_: str) -> None:
        self._answer("delete", kind)
        self.remove(kind, id_)

    def _standing(self, kind: str, id_: str) -> Resource | None:
        return self._held.get((kind, id_), [None])[-1]

    def _answer(self, method: str, kind: str) -> None:
        self.seen.append((method, kind))
        if self.away:
            raise HospitalUnavailable
        if kind in self._next:
            self._next.pop(kind)()


def _fetched(resource: Resource) -> Fetched:
    return Fetched(resource, orjson.dumps(resource), resource["meta"]["versionId"])


def _meets(resource: Resource, name: str, value: str) -> bool:
    match name:
        case "_id":
            return resource["id"] in value.split(",")
        case "_lastUpdated":
            stored, since = moment(resource["meta"]["lastUpdated"]), moment(value.removeprefix("ge"))
            return stored is not None and since is not None and stored.at >= since.at
        case "code":
            codings = resource.get("code", {}).get("coding", [])
            return bool({f"{each.get('system')}|{each['code']}" for each in codings} & {*value.split(",")})
        case "url":
            return resource.get("channel", {}).get("endpoint") == value
        case _:
            return True
