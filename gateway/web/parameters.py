"""Search parameters -> what is wanted. What is not understood is refused: a filter ignored shows too much.

A parameter that comes twice must be met twice (FHIR's AND), values with commas are alternatives
(OR). Modifiers, chains and prefixes other than those of ``_DATES`` are not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from werkzeug.datastructures import MultiDict

from fhir_mapping import instants
from fhir_mapping.references import is_id, parse
from gateway.errors import BadRequest
from gateway.operations import registry
from gateway.operations.assess import IDENTIFIER
from gateway.operations.reading import Kind
from gateway.operations.services import Services
from gateway.storage.engine import to_us
from gateway.storage.records import Key, Wanted

COUNT, MOST = 50, 200
ALTERNATIVES = 50
FORMATS = frozenset({"json", "application/json", "application/fhir+json"})
_DATES = ("eq", "ge", "gt", "le", "lt")

Reader = Callable[[Services, Wanted, str], Wanted]


def wanted(services: Services, kind: Kind, given: MultiDict[str, str]) -> Wanted:
    """Return the search that the parameters ask for.

    Raises
    ------
    BadRequest
        A parameter or a value is not understood, or Provenance is searched without a target.
    """
    readers = PARAMETERS[kind]
    if not set(given) <= {*readers, "_format"}:
        raise BadRequest("a search parameter is not known; /fhir/metadata lists those that are")
    if len(given.getlist("_count")) > 1:
        raise BadRequest("_count is given more than once")
    if kind == "Provenance" and not {"target", "_id"} & set(given):
        raise BadRequest("Provenance is searched by target or _id")
    if kind in OF_A_PATIENT and not {"patient", "subject"} & set(given):
        raise BadRequest(f"{kind} is searched by patient")
    search = Wanted(newest=kind != "Provenance", count=COUNT)
    for name, value in given.items(multi=True):
        if name in readers:
            search = readers[name](services, search, value)
    return search


def number(text: str) -> int | None:
    """Return a version number; None for anything else."""
    plain = text.isascii() and text.isdigit() and len(text) < 10 and not text.startswith("0")
    return int(text) if plain else None


def provenance_key(text: str) -> Key | None:
    """Return the assessment version whose Provenance has this id."""
    identifier, _, version = text.rpartition("-")
    found = number(version)
    return (identifier, found) if found is not None and is_id(identifier) else None


def _alternatives(value: str) -> list[str]:
    found = value.split(",")
    if not all(found) or len(found) > ALTERNATIVES:
        raise BadRequest(f"a parameter has 1 to {ALTERNATIVES} values, none empty")
    return found


def _patient(services: Services, search: Wanted, value: str) -> Wanted:
    twins = frozenset(twin for each in _alternatives(value) for twin in _twins(services, each))
    return replace(search, twins=twins if search.twins is None else search.twins & twins)


def _twins(services: Services, value: str) -> list[str]:
    """Return the twins that a patient may be: one in each EHR, unless the address says in which."""
    found = parse(value)
    patient = value if is_id(value) else found.id if found and found.type == "Patient" else None
    if patient is None or (found is not None and found.version is not None):
        raise BadRequest("a patient is given as id, Patient/id or the address of a Patient")
    everywhere = registry.hospitals(services).values()
    if "://" not in value:
        return [services.twin_id(hospital, patient) for hospital in everywhere]
    base = value.removesuffix(f"/Patient/{patient}")
    return [
        services.twin_id(each, patient) for each in everywhere if services.hospital(each).base_url == base
    ]


def _id(_services: Services, search: Wanted, value: str) -> Wanted:
    return _with(search, ((each, None) for each in _ids(value)))


def _provenance_id(_services: Services, search: Wanted, value: str) -> Wanted:
    return _with(search, (key for each in _ids(value) if (key := provenance_key(each))))


def _ids(value: str) -> list[str]:
    found = _alternatives(value)
    if not all(map(is_id, found)):
        raise BadRequest("_id is a FHIR id")
    return found


def _identifier(_services: Services, search: Wanted, value: str) -> Wanted:
    keys: set[Key] = set()
    for each in _alternatives(value):
        system, bar, code = each.rpartition("|")
        if is_id(code) and (not bar or system == IDENTIFIER):
            keys.add((code, None))
    return _with(search, keys)


def _target(services: Services, search: Wanted, value: str) -> Wanted:
    return _with(search, (key for each in _alternatives(value) if (key := _target_key(services, each))))


def _target_key(services: Services, value: str) -> Key | None:
    """Return the assessment that a reference names; None where it names something else."""
    found = parse(value.removeprefix(f"{services.settings.url}/fhir/"))
    if is_id(value):
        return value, None
    if found is None:
        raise BadRequest("target is a reference, for instance RiskAssessment/id")
    version = None if found.version is None else number(found.version)
    impossible = "://" in value and not value.startswith(f"{services.settings.url}/fhir/")
    if found.type != "RiskAssessment" or impossible or (found.version is not None and version is None):
        return None
    return found.id, version


def _with(search: Wanted, keys: object) -> Wanted:
    return replace(search, keys=(*search.keys, frozenset(keys)))  # type: ignore[call-overload]


def _count(_services: Services, search: Wanted, value: str) -> Wanted:
    found = number(value)
    if found is None:
        raise BadRequest("_count is a whole number of at least 1")
    return replace(search, count=min(found, MOST))


def _last_updated(_services: Services, search: Wanted, value: str) -> Wanted:
    """Compare as FHIR does: a date is a span of time, as wide as its precision."""
    prefix, text = (value[:2], value[2:]) if value[:2] in _DATES else ("eq", value)
    start, end = _span(text)
    if prefix in ("eq", "ge", "gt"):
        bound = end if prefix == "gt" else start
        search = replace(search, since=bound if search.since is None else max(bound, search.since))
    if prefix in ("eq", "le", "lt"):
        bound = start if prefix == "lt" else end
        search = replace(search, before=bound if search.before is None else min(bound, search.before))
    return search


def _span(text: str) -> tuple[int, int]:
    """Return the first microsecond that a FHIR date names, and the first after it."""
    found = instants.moment(text)
    if found is None:
        raise BadRequest(f"_lastUpdated is a FHIR date after one of {' '.join(_DATES)} or nothing")
    try:
        return to_us(found.at), to_us(_end(text, found.at))
    except (OverflowError, ValueError) as error:
        raise BadRequest("_lastUpdated is out of range") from error


def _end(text: str, start: datetime) -> datetime:
    if "T" in text:
        digits = len(text.partition(".")[2].rstrip("Z").partition("+")[0].partition("-")[0])
        return start + timedelta(microseconds=10 ** max(6 - digits, 0))
    if len(text) == len("2026-03-01"):
        return start + timedelta(days=1)
    if len(text) == len("2026-03"):
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start.replace(year=start.year + 1)


_ASSESSMENT: Mapping[str, Reader] = {
    "patient": _patient,
    "identifier": _identifier,
    "_id": _id,
    "_lastUpdated": _last_updated,
    "_count": _count,
}
PARAMETERS: Mapping[Kind, Mapping[str, Reader]] = {
    "RiskAssessment": {**_ASSESSMENT, "subject": _patient},
    "Provenance": {
        "target": _target,
        "_id": _provenance_id,
        "_lastUpdated": _last_updated,
        "_count": _count,
    },
    "DetectedIssue": _ASSESSMENT,
    "Communication": {**_ASSESSMENT, "subject": _patient},
    "GuidanceResponse": {"patient": _patient, "subject": _patient},
    "Observation": {"patient": _patient, "subject": _patient},
    "MedicationRequest": {"patient": _patient, "subject": _patient},
}
OF_A_PATIENT = ("GuidanceResponse", "Observation", "MedicationRequest")
