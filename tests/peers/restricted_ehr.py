"""An EHR as closed as a leading one really is, with faults to switch on.

Facts from the published R4 CapabilityStatement of Epic (May 2026): 59 types; no RiskAssessment and no
Subscription; no update under foreign ids, no conditional writes, no versions; Observation searched by
patient, code, date and issued, not by ``_lastUpdated``. Ids are the server's own.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

from gateway import jose

PUBLISHED = Path(__file__).parents[2] / "../shared/data/ehr-profiles/epic-r4-capabilitystatement-2026-05.json"
CLIENT = "didymos"
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_READ = ("read", "search-type")
_OBSERVATION = ("patient", "subject", "code", "category", "date", "issued", "identifier", "_id", "_count")
_SHORT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Patient": ((*_READ, "create"), ("identifier", "family", "given", "birthdate", "_id", "_count")),
    "Observation": ((*_READ, "create", "update"), _OBSERVATION),
    "Condition": ((*_READ, "create"), ("patient", "subject", "code", "category", "_id", "_count")),
    "MedicationRequest": (_READ, ("patient", "subject", "date", "status", "intent", "_id", "_count")),
    "Consent": (_READ, ("patient", "subject", "category", "status", "date", "_id", "_count")),
    "DocumentReference": (
        (*_READ, "create", "update"),
        ("patient", "subject", "type", "date", "_id", "_count"),
    ),
    "Provenance": (("read",), ()),
}


@dataclass
class Faults:
    """What goes wrong next."""

    hold_posts: bool = False  # store, then say nothing until the client has given up
    throttled: int = 0  # so many requests are answered 429
    retry_after: str = "0"
    foreign_next: str | None = None  # the next link of every page
    everybodys: bool = False  # patient= is claimed to be used, and is not
    refuse_unknown: bool = False  # unknown parameters are 400 instead of ignored
    say_little: bool = False  # creates are answered without a body
    grant: str | None = None  # the scope that tokens are given, whatever was asked
    unconfigured: bool = False  # no smart-configuration is published
    token_url: str | None = None  # the token endpoint that is published instead of the true one


@dataclass
class RestrictedEhr:
    """The server's state; tests read ``seen`` and turn ``faults``."""

    jwks: dict[str, Any]
    listed: dict[str, dict[str, Any]]
    page: int = 50
    base_url: str = ""
    faults: Faults = field(default_factory=Faults)
    store: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    assertions: set[str] = field(default_factory=set)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    closing: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def root(self) -> str:
        return self.base_url.removesuffix("/api/FHIR/R4")

    def add(self, resource: dict[str, Any]) -> str:
        """Enter a resource as the hospital's own staff would; return its id."""
        id_ = str(resource.get("id", f"e{next(self.numbers)}"))
        kept = {name: value for name, value in resource.items() if name != "meta"}
        self.store.setdefault(resource["resourceType"], {})[id_] = {**kept, "id": id_}
        return id_

    def requests(self, method: str, path: str) -> list[dict[str, str]]:
        """Return the headers of the requests seen."""
        return [headers for m, p, headers in self.seen if m == method and p.endswith(path)]


@contextmanager
def running(
    jwks: dict[str, Any], *, extra: dict[str, tuple[str, ...]] | None = None, page: int = 50
) -> Iterator[RestrictedEhr]:
    """Serve on a free port of 127.0.0.1.

    ``extra`` adds types that may be created, with their search parameters.
    """
    listed = {entry["type"]: entry for entry in _published() or _short()}
    for kind, parameters in (extra or {}).items():
        listed[kind] = _entry(kind, (*_READ, "create"), parameters)
    ehr = RestrictedEhr(jwks, listed, page)
    server = make_server("127.0.0.1", 0, _app(ehr), threaded=True, request_handler=_Quiet)
    ehr.base_url = f"http://127.0.0.1:{server.server_port}/api/FHIR/R4"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield ehr
    finally:
        ehr.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        return


def _published() -> list[dict[str, Any]] | None:
    if not PUBLISHED.exists():
        return None
    return list(orjson.loads(PUBLISHED.read_bytes())["rest"][0]["resource"])


def _short() -> list[dict[str, Any]]:
    return [_entry(kind, *facts) for kind, facts in _SHORT.items()]


def _entry(kind: str, interactions: tuple[str, ...], parameters: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalUpdate": False,
        "searchParam": [{"name": name} for name in parameters],
    }


def _app(ehr: RestrictedEhr) -> Flask:
    app = Flask("restricted_ehr")
    fhir = "/api/FHIR/R4"
    app.before_request(partial(_guard, ehr))
    routes = [
        ("GET", f"{fhir}/metadata", lambda: _json(200, _statement(ehr))),
        ("GET", f"{fhir}/.well-known/smart-configuration", partial(_configuration, ehr)),
        ("POST", "/oauth2/token", lambda: _token(ehr)),
        ("GET", f"{fhir}/<kind>", partial(_search, ehr)),
        ("POST", f"{fhir}/<kind>", partial(_create, ehr)),
        ("GET", f"{fhir}/<kind>/<id_>", partial(_read, ehr)),
        ("PUT", f"{fhir}/<kind>/<id_>", partial(_update, ehr)),
    ]
    for method, rule, view in routes:
        app.add_url_rule(rule, f"{method} {rule}", view, methods=[method])
    return app


def _guard(ehr: RestrictedEhr) -> Response | None:
    ehr.seen.append((request.method, request.path, dict(request.headers)))
    if request.path.endswith(("/metadata", "/smart-configuration", "/token")):
        return None
    if ehr.faults.throttled > 0:
        ehr.faults.throttled -= 1
        return _outcome(429, "throttled", {"Retry-After": ehr.faults.retry_after})
    if request.headers.get("Authorization", "").removeprefix("Bearer ") not in ehr.tokens:
        return _outcome(401, "login", {"WWW-Authenticate": "Bearer"})
    return None


def _configuration(ehr: RestrictedEhr) -> Response:
    if ehr.faults.unconfigured:
        return Response(status=404)
    capabilities = ["client-confidential-asymmetric", "permission-v1", "permission-v2"]
    url = ehr.faults.token_url or f"{ehr.root}/oauth2/token"
    return _json(200, {"token_endpoint": url, "capabilities": capabilities})


def _read(ehr: RestrictedEhr, kind: str, id_: str) -> Response:
    if kind not in ehr.listed:
        return _outcome(404, "not-supported")
    found = ehr.store.get(kind, {}).get(id_)
    return _json(200, found) if found else _outcome(404, "not-found")


def _update(ehr: RestrictedEhr, kind: str, id_: str) -> Response:
    if not _may(ehr, kind, "update"):
        return _outcome(405, "not-supported")
    if id_ not in ehr.store.get(kind, {}):
        return _outcome(404, "not-found")
    ehr.add({**orjson.loads(request.data), "id": id_})
    return _json(200, ehr.store[kind][id_])


def _statement(ehr: RestrictedEhr) -> dict[str, Any]:
    token = {"url": "token", "valueUri": f"{ehr.root}/oauth2/token"}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "software": {"name": "Restricted EHR", "version": "May 2026"},
        "rest": [
            {
                "mode": "server",
                "security": {"extension": [{"url": _OAUTH_URIS, "extension": [token]}]},
                "resource": list(ehr.listed.values()),
            }
        ],
    }


def _token(ehr: RestrictedEhr) -> Response:
    try:
        claims = jose.verify(
            request.form.get("client_assertion", ""),
            ehr.jwks,
            audience=f"{ehr.root}/oauth2/token",
            issuer=CLIENT,
            now=ehr.clock(),
            max_age=timedelta(minutes=5),
        )
    except jose.TokenRefused:
        return _json(401, {"error": "invalid_client"})
    if claims["jti"] in ehr.assertions or request.form.get("grant_type") != "client_credentials":
        return _json(401, {"error": "invalid_client"})
    ehr.assertions.add(claims["jti"])
    token = f"token-{next(ehr.numbers)}"
    ehr.tokens.add(token)
    scope = ehr.faults.grant if ehr.faults.grant is not None else request.form.get("scope", "")
    granted = {"access_token": token, "token_type": "bearer", "expires_in": 300, "scope": scope}
    return _json(200, granted, {"Cache-Control": "no-store"})


def _create(ehr: RestrictedEhr, kind: str) -> Response:
    if not _may(ehr, kind, "create"):
        return _outcome(405 if kind in ehr.listed else 404, "not-supported")
    sent = {name: value for name, value in orjson.loads(request.data).items() if name != "id"}
    id_ = ehr.add(sent)
    if ehr.faults.hold_posts:
        ehr.closing.wait(5)
    location = {"Location": f"{ehr.base_url}/{kind}/{id_}"}
    if ehr.faults.say_little:
        return Response(status=201, headers=location)
    return _json(201, ehr.store[kind][id_], location)


def _search(ehr: RestrictedEhr, kind: str) -> Response:
    if not _may(ehr, kind, "search-type"):
        return _outcome(405 if kind in ehr.listed else 404, "not-supported")
    known = {parameter["name"] for parameter in ehr.listed[kind]["searchParam"]} | {"_count", "cursor"}
    if ehr.faults.refuse_unknown and set(request.args) - known:
        return _outcome(400, "not-supported")
    used = [(name, value) for name, value in request.args.items(multi=True) if name in known]
    found = [
        each for each in ehr.store.get(kind, {}).values() if all(_meets(ehr, each, *one) for one in used)
    ]
    return _json(200, _bundle(ehr, kind, used, found))


def _bundle(
    ehr: RestrictedEhr, kind: str, used: list[tuple[str, str]], found: list[dict[str, Any]]
) -> dict[str, Any]:
    start = int(request.args.get("cursor", 0))
    size = min(int(request.args.get("_count", ehr.page)), ehr.page)
    query = "&".join(f"{name}={value}" for name, value in used if name != "cursor")
    address = f"{ehr.base_url}/{kind}"
    links = [{"relation": "self", "url": f"{address}?{query}"}]
    if ehr.faults.foreign_next:
        links.append({"relation": "next", "url": ehr.faults.foreign_next})
    elif start + size < len(found):
        links.append({"relation": "next", "url": f"{address}?{query}&cursor={start + size}"})
    entries = [{"resource": each, "search": {"mode": "match"}} for each in found[start : start + size]]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": links,
        "entry": entries,
    }


def _meets(ehr: RestrictedEhr, resource: dict[str, Any], name: str, value: str) -> bool:
    match name:
        case "_id":
            return resource["id"] in value.split(",")
        case "patient" | "subject":
            return ehr.faults.everybodys or _subject(resource) == value.removeprefix("Patient/")
        case "date":
            return _since(resource.get("effectiveDateTime", resource.get("authoredOn", "")), value)
        case "issued":
            return _since(resource.get("issued", ""), value)
        case "code":
            return bool(_tokens(resource.get("code", {}).get("coding", []), "code") & set(value.split(",")))
        case "identifier":
            return bool(_tokens(resource.get("identifier", []), "value") & set(value.split(",")))
        case _:
            return True


def _tokens(listed: list[dict[str, str]], key: str) -> set[str]:
    return {f"{each.get('system', '')}|{each[key]}" for each in listed}


def _subject(resource: dict[str, Any]) -> str:
    about = resource.get("subject") or resource.get("patient") or {}
    return str(about.get("reference", "")).removeprefix("Patient/")


def _since(stated: str, value: str) -> bool:
    return value.startswith("ge") and stated[:10] >= value[2:12] and bool(stated)


def _may(ehr: RestrictedEhr, kind: str, interaction: str) -> bool:
    return kind in ehr.listed and interaction in {each["code"] for each in ehr.listed[kind]["interaction"]}


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, content_type="application/fhir+json")


def _outcome(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": "Doe, Jane (MRN 4711): refused"}
    return _json(status, {"resourceType": "OperationOutcome", "issue": [issue]}, headers)
