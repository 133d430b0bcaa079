"""An entry of the audit log <-> AuditEvent (R4), in the patterns of IHE Basic Audit Log Patterns (BALP 1.1).

Type, subtype and the roles of the two sides follow BALP; ``KINDS`` is the table. What our entries do not
hold is left out: addresses of machines (``agent.network``), hence no BALP profile is claimed. The leaf that
stands in the log's tree is carried along as an entity's detail, so that each exported event can be
tied to a checkpoint; what was erased is said to be erased.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from audit.record import ACTIONS, OUTCOMES, Kind, Leaf, Operational, Personal
from audit.sealing import Opened
from fhir_mapping import evidence, narrative, timestamps
from fhir_mapping.heading import as_we_write, meta
from fhir_mapping.identity import ACT_REASON
from fhir_mapping.references import parse

ACTOR, TENANT, TWIN = "urn:didymos:actor", "urn:didymos:tenant", "urn:didymos:twin"
KIND, ENTRY = "urn:didymos:audit-kind", "urn:didymos:audit-entry"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
REST = "http://hl7.org/fhir/restful-interaction"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
BALP_CONSENT = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
_ERASED = {"display": "erased"}
_LEAF = "leaf"

Code = tuple[str, str]
APPLICATION: Code = (DCM, "110150")
DESTINATION: Code = (DCM, "110152")
SOURCE: Code = (DCM, "110153")
RECIPIENT: Code = ("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")
DECIDER: Code = ("http://terminology.hl7.org/CodeSystem/extra-security-role-type", "authserver")


@dataclass(frozen=True, slots=True)
class Pattern:
    """How one kind of entry is written: ``ours`` and ``theirs`` are the roles of gateway and actor."""

    type: Code
    subtype: Code | None
    ours: Code
    theirs: Code
    we_ask: bool = False


_REST: Code = (EVENT_TYPE, "rest")
_ALERT: Code = (DCM, "110113")
KINDS: Mapping[Kind, Pattern] = {
    "notification": Pattern(_REST, (LIFECYCLE, "receive"), DESTINATION, SOURCE),
    "consent-decision": Pattern(_ALERT, (BALP_CONSENT, "AuthZ-Consent"), DECIDER, RECIPIENT),
    "pull": Pattern(_REST, (REST, "read"), DESTINATION, SOURCE, we_ask=True),
    "twin-update": Pattern((LIFECYCLE, "amend"), (LIFECYCLE, "transform"), APPLICATION, SOURCE, we_ask=True),
    "twin-read": Pattern((LIFECYCLE, "access"), (REST, "read"), SOURCE, RECIPIENT),
    "assessment-write": Pattern(_REST, (REST, "create"), SOURCE, DESTINATION, we_ask=True),
    "disclosure": Pattern((DCM, "110106"), (LIFECYCLE, "disclose"), SOURCE, DESTINATION),
    "token": Pattern((DCM, "110114"), (DCM, "110122"), DECIDER, APPLICATION),
    "key": Pattern(_ALERT, (DCM, "110135"), APPLICATION, APPLICATION),
    "policy": Pattern(_ALERT, (DCM, "110129"), APPLICATION, APPLICATION),
    "audit-read": Pattern((DCM, "110101"), (REST, "read"), SOURCE, RECIPIENT),
    "lifecycle": Pattern((DCM, "110100"), None, APPLICATION, APPLICATION, we_ask=True),
}
_DISPLAY: Mapping[Code, str] = {
    _REST: "RESTful Operation",
    _ALERT: "Security Alert",
    (DCM, "110100"): "Application Activity",
    (DCM, "110101"): "Audit Log Used",
    (DCM, "110106"): "Export",
    (DCM, "110114"): "User Authentication",
    (DCM, "110122"): "Login",
    (DCM, "110129"): "Security Configuration",
    (DCM, "110135"): "Object Security Attributes Changed",
    APPLICATION: "Application",
    DESTINATION: "Destination Role ID",
    SOURCE: "Source Role ID",
    RECIPIENT: "information recipient",
    DECIDER: "authorization server",
    (ENTITY_TYPE, "1"): "Person",
    (ENTITY_TYPE, "2"): "System Object",
    (ENTITY_ROLE, "1"): "Patient",
    (ENTITY_ROLE, "4"): "Domain Resource",
}
_ACTION = {name: chr(code) for code, name in ACTIONS.items()}
_OUTCOME = {name: str(code) for code, name in OUTCOMES.items()}


def render(entry: Opened) -> dict[str, Any]:
    """Return the AuditEvent of an entry as the log opened it."""
    leaf, told = entry.leaf, entry.operational
    pattern, outcome = KINDS[leaf.kind], _OUTCOME[leaf.outcome]
    lines = (f"{leaf.action}: {leaf.outcome}", *((told.detail,) if told and told.detail else ()))
    return {
        "resourceType": "AuditEvent",
        "id": str(leaf.uuid),
        "meta": meta(frozenset()),
        "text": narrative.render(f"{leaf.kind} at {timestamps.render(leaf.recorded)}", lines),
        "type": _coding(pattern.type),
        "subtype": [*map(_coding, filter(None, [pattern.subtype])), {"system": KIND, "code": leaf.kind}],
        "action": _ACTION[leaf.action],
        "recorded": timestamps.render(leaf.recorded),
        "outcome": outcome,
        **(_circumstances(told) if told else {}),
        "agent": _agents(pattern, told),
        "source": _source(told),
        "entity": list(_entities(entry)),
    }


@as_we_write("AuditEvent")
def read(resource: dict[str, Any]) -> Opened:
    """Return the entry of the log.

    Raises
    ------
    Unusable
        It is not as we write it.
    """
    entities = {_kind(each): each for each in resource["entity"]}
    entry = entities["entry"]
    (leaf,) = (each["valueBase64Binary"] for each in entry["detail"] if "valueBase64Binary" in each)
    patient = entities.get("patient")
    told = _operational(resource, entities) if "site" in resource["source"] else None
    if patient is not None and patient["what"] == _ERASED:
        personal = None
    else:
        kept = (_read_what(each["what"]) for each in resource["entity"] if _kind(each) == "resource")
        personal = Personal(patient["what"]["identifier"]["value"] if patient else None, tuple(kept))
    return Opened(int(entry["what"]["identifier"]["value"]), Leaf.decode(b64decode(leaf)), personal, told)


def _circumstances(told: Operational) -> dict[str, Any]:
    at = timestamps.render(told.at)
    said: dict[str, Any] = {"period": {"start": at, "end": at}}
    if told.detail:
        said["outcomeDesc"] = told.detail
    if told.purpose is not None:
        said["purposeOfEvent"] = [{"coding": [{"system": ACT_REASON, "code": told.purpose}]}]
    return said


def _agents(pattern: Pattern, told: Operational | None) -> list[dict[str, Any]]:
    """Return both sides; exactly one of them asked for the act."""
    actor = {"identifier": {"system": ACTOR, "value": told.actor}} if told else _ERASED
    return [
        _agent(pattern.theirs, actor, requestor=not pattern.we_ask),
        _agent(pattern.ours, {"display": "Didymos"}, requestor=pattern.we_ask),
    ]


def _agent(role: Code, who: dict[str, Any], *, requestor: bool) -> dict[str, Any]:
    return {"type": {"coding": [_coding(role)]}, "who": who, "requestor": requestor}


def _source(told: Operational | None) -> dict[str, Any]:
    server = {
        "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
        "code": "4",
        "display": "Application Server",
    }
    observer = {"observer": {"display": "Didymos"}, "type": [server]}
    return {"site": told.tenant, **observer} if told else observer


def _entities(entry: Opened) -> Iterable[dict[str, Any]]:
    if entry.personal is None:
        yield _patient(_ERASED)
    elif entry.personal.subject is not None:
        yield _patient({"identifier": {"system": TWIN, "value": entry.personal.subject}})
    yield from (_resource(source) for source in (entry.personal.resources if entry.personal else ()))
    if entry.operational and entry.operational.request is not None:
        request = {"identifier": {"value": entry.operational.request}}
        yield {"type": {"system": BALP_ENTITY, "code": "XrequestId"}, "what": request}
    yield _log_entry(entry)


def _patient(what: dict[str, Any]) -> dict[str, Any]:
    return {"type": _coding((ENTITY_TYPE, "1")), "role": _coding((ENTITY_ROLE, "1")), "what": what}


def _resource(source: str) -> dict[str, Any]:
    found = parse(source)
    if found is not None and found.type == "Consent":
        return {"type": {"system": RESOURCE_TYPES, "code": "Consent"}, "what": evidence.render(source)}
    what = {"display": source} if found is None else evidence.render(source)
    return {"type": _coding((ENTITY_TYPE, "2")), "role": _coding((ENTITY_ROLE, "4")), "what": what}


def _log_entry(entry: Opened) -> dict[str, Any]:
    leaf = {"type": _LEAF, "valueBase64Binary": b64encode(entry.leaf.encode()).decode()}
    more = entry.operational.attributes if entry.operational else ()
    return {
        "type": {"system": ENTRY, "code": "entry"},
        "what": {"identifier": {"system": ENTRY, "value": str(entry.index)}},
        "detail": [leaf, *({"type": name, "valueString": value} for name, value in more)],
    }


def _kind(entity: dict[str, Any]) -> str:
    system, code = entity["type"]["system"], entity["type"]["code"]
    if system == ENTITY_TYPE:
        return "patient" if code == "1" else "resource"
    return {BALP_ENTITY: "request", RESOURCE_TYPES: "resource", ENTRY: "entry"}[system]


def _read_what(what: dict[str, Any]) -> str:
    return what["display"] if "display" in what else evidence.listed((what,))[0]


def _operational(resource: dict[str, Any], entities: Mapping[str, dict[str, Any]]) -> Operational:
    purposes, request = resource.get("purposeOfEvent"), entities.get("request")
    details = entities["entry"]["detail"]
    return Operational(
        tenant=resource["source"]["site"],
        actor=resource["agent"][0]["who"]["identifier"]["value"],
        at=timestamps.read(resource["period"]["start"]),
        purpose=purposes[0]["coding"][0]["code"] if purposes else None,
        detail=resource.get("outcomeDesc", ""),
        request=request["what"]["identifier"]["value"] if request else None,
        attributes=tuple((each["type"], each["valueString"]) for each in details if "valueString" in each),
        names_subject="patient" in entities,
    )


def _coding(code: Code) -> dict[str, str]:
    coding = {"system": code[0], "code": code[1]}
    return coding | {"display": _DISPLAY[code]} if code in _DISPLAY else coding
