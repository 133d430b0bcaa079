"""One RiskAssessment into an EHR, by the way its profile allows, and back.

1. ``update``: the first PUT goes bare (a create under our id), later ones with If-Match. On a conflict what
   stands is read: a later one of ours wins over this, an earlier one of ours is replaced, anything else is
   left alone.
2. ``create``: the caller has recorded the intent. POST; conditionally only where the EHR advertises both
   the condition and the ``identifier`` it would need.
3. ``kept-here``: not written at all, and not by this module.

An ``AmbiguousWrite`` is answered with ``reconcile``, which looks and never writes. Doubles that an EHR may
hold are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fhir_mapping.identity import is_own
from fhir_mapping.lenient import as_object, objects
from gateway.hospitals.connection import Connection, Fetched
from gateway.hospitals.errors import WriteConflict
from gateway.hospitals.profile import Profile

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the EHR.

    ``superseded``: a later one of ours stood already and this was not written. ``doubles`` are further ids
    that carry the same identifier.
    """

    id: str
    version: str | None
    resource: dict[str, Any]
    superseded: bool = False
    doubles: tuple[str, ...] = ()


def put(
    connection: Connection, resource: Resource, *, known: str | None, is_later: Callable[[Resource], bool]
) -> Written:
    """Write under the resource's own id.

    Parameters
    ----------
    known
        The version that we last saw standing; None for the first write or an EHR without versions.
    is_later
        Whether a standing resource of ours tells of a later update than ``resource``.

    Raises
    ------
    WriteConflict
        Something that is not ours stands under the id, or another writer came between twice.
    """
    try:
        return _written(connection.put(resource, known))
    except WriteConflict:
        standing = connection.get(str(resource["resourceType"]), str(resource["id"]))
    if standing is None:
        return _written(connection.put(resource))
    if not is_own(standing.resource):
        raise WriteConflict("something that is not ours stands under the id")
    if is_later(standing.resource):
        return Written(standing.id, standing.version, standing.resource, superseded=True)
    return _written(connection.put(resource, standing.version))


def create(connection: Connection, resource: Resource, profile: Profile) -> Written:
    """Write under an id of the EHR's choice; the caller has recorded the intent before."""
    return _written(connection.create(resource, _condition(resource, profile)))


def reconcile(connection: Connection, resource: Resource, profile: Profile) -> Written | None:
    """Find whether a write of ``resource`` stands; None where it does not.

    By its own id where we choose ids, else by ``identifier``, else among the patient's, compared here.

    Raises
    ------
    HospitalError
        It cannot be found out; the write stays parked.
    """
    if profile.write == "update":
        return read_back(connection, str(resource["resourceType"]), str(resource["id"]))
    wanted = _identifiers(resource)
    found = [
        each for each in _candidates(connection, resource, profile) if wanted <= _identifiers(each.resource)
    ]
    if not found:
        return None
    first, *others = sorted(found, key=_age)
    return Written(first.id, first.version, first.resource, doubles=tuple(each.id for each in others))


def read_back(connection: Connection, kind: str, id_: str) -> Written | None:
    """Return what stands under an id; None where nothing does."""
    standing = connection.get(kind, id_)
    return None if standing is None else _written(standing)


def _written(fetched: Fetched) -> Written:
    return Written(fetched.id, fetched.version, fetched.resource)


def _condition(resource: Resource, profile: Profile) -> str | None:
    kind = str(resource["resourceType"])
    listed = profile.types.get(kind)
    if listed is None or not listed.conditional_create or "identifier" not in listed.parameters:
        return None
    return urlencode({"identifier": _token(resource)})


def _candidates(connection: Connection, resource: Resource, profile: Profile) -> list[Fetched]:
    kind = str(resource["resourceType"])
    owner = (connection.owner(resource) or "").removeprefix("Patient/") or None
    if profile.searchable(kind, "identifier"):
        by_identifier = list(connection.search(kind, [("identifier", _token(resource))]))
        return [each for each in by_identifier if connection.owner(each.resource) == f"Patient/{owner}"]
    name = "patient" if profile.searchable(kind, "patient") else "subject"
    return list(connection.search(kind, [(name, f"Patient/{owner}")], patient=owner))


def _token(resource: Resource) -> str:
    first = resource["identifier"][0]
    return f"{_escaped(first.get('system', ''))}|{_escaped(first['value'])}"


def _escaped(text: str) -> str:
    """Return ``text`` as a part of a search token (FHIR R4, search, escaping)."""
    for mark in "\\$,|":
        text = text.replace(mark, "\\" + mark)
    return text


def _identifiers(resource: Resource) -> frozenset[tuple[str, str]]:
    return frozenset(
        (str(one.get("system")), str(one.get("value"))) for one in objects(resource.get("identifier"))
    )


def _age(fetched: Fetched) -> tuple[str, str]:
    return str(as_object(fetched.resource.get("meta")).get("lastUpdated", "")), fetched.id
