"""A small EHR that speaks FHIR R5 over HTTP and takes nothing else: fhir.resources' R5 models are its gate.

Ids may be chosen by the client, resources have versions, and Subscriptions stand on topics of its own, one
for each type. It is open: tokens are tested elsewhere.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from fhir.resources import get_fhir_model_class
from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.serving import WSGIRequestHandler, make_server

TYPES = (
    "Patient",
    "Consent",
    "Observation",
    "Condition",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationAdministration",
    "Procedure",
    "FamilyMemberHistory",
    "DiagnosticReport",
    "MolecularSequence",
    "Medication",
    "RiskAssessment",
    "Subscription",
    "SubscriptionTopic",
)
PARAMETERS = ("_id", "_lastUpdated", "code", "patient", "identifier", "url", "status", "_count", "_elements")
TOPICS = "https://r5.example/topics"


@dataclass
class R5Ehr:
    """The server's state; ``seen`` are method and path of the requests."""

    base_url: str = ""
    version: str = "5.0.0"
    store: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def enter(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Write as the hospital's own staff does; what is not R5 raises ``ValidationError``."""
        kind, id_ = resource["resourceType"], resource["id"]
        get_fhir_model_class(kind).model_validate(resource)
        known = self.store.get((kind, id_), {}).get("meta", {}).get("versionId", "0")
        meta = {**resource.get("meta", {}), "versionId": str(int(known) + 1)}
        meta["lastUpdated"] = "2026-03-02T08:00:00Z"
        self.store[kind, id_] = {**resource, "meta": meta}
        return self.store[kind, id_]

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [each for (held, _), each in sorted(self.store.items()) if held == kind]

    def notification(self, resource: dict[str, Any], number: int) -> bytes:
        """Return what R5 tells of a change: a Bundle of a SubscriptionStatus and the resource."""
        reference = f"{self.base_url}/{resource['resourceType']}/{resource['id']}"
        event = {"eventNumber": str(number), "focus": {"reference": reference}}
        status = {
            "resourceType": "SubscriptionStatus",
            "id": "status",
            "status": "active",
            "type": "event-notification",
            "eventsSinceSubscriptionStart": str(number),
            "notificationEvent": [event],
            "subscription": {"reference": f"{self.base_url}/Subscription/s1"},
            "topic": f"{TOPICS}/{resource['resourceType']}",
        }
        get_fhir_model_class("SubscriptionStatus").model_validate(status)
        told = {
            "fullUrl": reference,
            "resource": resource,
            "request": {"method": "PUT", "url": reference},
            "response": {"status": "200"},
        }
        entries = [{"fullUrl": "urn:uuid:0d1c9a8e-6c0e-4d8b-9a52-8f6f5d0b1a11", "resource": status}, told]
        return orjson.dumps({"resourceType": "Bundle", "type": "subscription-notification", "entry": entries})


@contextmanager
def running(version: str = "5.0.0", topics: tuple[str, ...] = TYPES) -> Iterator[R5Ehr]:
    """Serve on a free port of 127.0.0.1; there is a topic for each of ``topics``."""
    ehr = R5Ehr(version=version)
    for kind in topics:
        ehr.enter(_topic(kind))
    server = make_server("127.0.0.1", 0, _app(ehr), threaded=True, request_handler=_Quiet)
    ehr.base_url = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield ehr
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        return


def _topic(kind: str) -> dict[str, Any]:
    return {
        "resourceType": "SubscriptionTopic",
        "id": f"all-{kind.lower()}",
        "url": f"{TOPICS}/{kind}",
        "status": "active",
        "resourceTrigger": [
            {
                "resource": f"http://hl7.org/fhir/StructureDefinition/{kind}",
                "supportedInteraction": ["create", "update", "delete"],
            }
        ],
        "canFilterBy": [{"resource": kind, "filterParameter": "code"}],
    }


def _app(ehr: R5Ehr) -> Flask:
    app = Flask("r5_ehr")
    app.before_request(lambda: ehr.seen.append((request.method, request.path)))
    routes = [
        ("GET", "/fhir/metadata", lambda: _json(200, _statement(ehr))),
        ("GET", "/fhir/<kind>", partial(_search, ehr)),
        ("POST", "/fhir/<kind>", partial(_create, ehr)),
        ("GET", "/fhir/<kind>/<id_>", partial(_read, ehr)),
        ("PUT", "/fhir/<kind>/<id_>", partial(_update, ehr)),
    ]
    for method, rule, view in routes:
        app.add_url_rule(rule, f"{method} {rule}", view, methods=[method])
    return app


def _statement(ehr: R5Ehr) -> dict[str, Any]:
    codes = ("read", "search-type", "create", "update")
    listed = [
        {
            "type": kind,
            "interaction": [{"code": code} for code in codes],
            "versioning": "versioned-update",
            "updateCreate": True,
            "searchParam": [{"name": name} for name in PARAMETERS],
        }
        for kind in TYPES
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "kind": "instance",
        "fhirVersion": ehr.version,
        "format": ["json"],
        "software": {"name": "R5 EHR"},
        "rest": [{"mode": "server", "resource": listed}],
    }


def _read(ehr: R5Ehr, kind: str, id_: str) -> Response:
    found = ehr.store.get((kind, id_))
    return _json(200, found) if found else _outcome(404, "not-found")


def _create(ehr: R5Ehr, kind: str) -> Response:
    return _write(ehr, {**orjson.loads(request.data), "id": f"s{next(ehr.numbers)}"}, 201)


def _update(ehr: R5Ehr, kind: str, id_: str) -> Response:
    standing = ehr.store.get((kind, id_), {}).get("meta", {}).get("versionId")
    wanted = request.headers.get("If-Match", "").removeprefix("W/").strip('"')
    if wanted and wanted != standing:
        return _outcome(412, "conflict")
    return _write(ehr, orjson.loads(request.data), 200 if standing else 201)


def _write(ehr: R5Ehr, resource: dict[str, Any], status: int) -> Response:
    if resource["resourceType"] == "Subscription":
        resource["status"] = "active"
    try:
        return _json(status, ehr.enter(resource))
    except ValidationError:
        return _outcome(422, "structure")


def _search(ehr: R5Ehr, kind: str) -> Response:
    if strange := {*request.args} - {*PARAMETERS, "_summary"}:
        return _outcome(400, "not-supported" if strange else "")
    used = list(request.args.items(multi=True))
    found = [each for each in ehr.all(kind) if all(_meets(each, *one) for one in used)]
    query = "&".join(f"{name}={value}" for name, value in used)
    return _json(
        200,
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": [{"relation": "self", "url": f"{ehr.base_url}/{kind}?{query}"}],
            "entry": [{"resource": each, "search": {"mode": "match"}} for each in found],
        },
    )


def _meets(resource: dict[str, Any], name: str, value: str) -> bool:
    match name:
        case "_id":
            return resource["id"] in value.split(",")
        case "patient":
            about = resource.get("subject") or resource.get("patient") or {}
            return about.get("reference") == f"Patient/{value.removeprefix('Patient/')}"
        case "code":
            codings = resource.get("code", {}).get("coding", [])
            return bool({f"{each.get('system')}|{each['code']}" for each in codings} & {*value.split(",")})
        case "url":
            return resource.get("endpoint") == value
        case _:
            return True


def _json(status: int, body: Any) -> Response:
    return Response(orjson.dumps(body), status, content_type="application/fhir+json")


def _outcome(status: int, code: str) -> Response:
    issue = {"severity": "error", "code": code}
    return _json(status, {"resourceType": "OperationOutcome", "issue": [issue]})
