"""Our own FHIR address: what twins say, for backend systems that an administrator registered.

Everything but the two documents that say what is here needs an access token. What is not there and what
may not be seen are answered alike.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, g, jsonify, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotAcceptable, UnsupportedMediaType

from fhir_mapping import capability_statement, guidance_response, plan
from fhir_mapping import exit as outward
from fhir_mapping.references import is_id
from gateway.errors import BadRequest, NotAuthenticated, NotFound
from gateway.operations import answering, clients, continuation, present, tokens
from gateway.operations import simulate as trying
from gateway.operations.consented import Caller
from gateway.operations.reading import Kind
from gateway.storage.engine import from_us
from gateway.storage.records import Key, Wanted
from gateway.web import parameters
from gateway.web.answers import fhir, services
from gateway.web.authorization import FORM
from twin_engine.twin import Refusal

blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")

PAGE = "_page"
_TAKEN = frozenset({"application/fhir+json", "application/json", "application/*", "*/*"})


def _types(rule: str) -> str:
    return f"/<any(RiskAssessment, Provenance, DetectedIssue, Communication):kind>{rule}"


def _asked(rule: str) -> str:
    return f"/<any(GuidanceResponse, Observation, MedicationRequest):kind>{rule}"


@blueprint.get("/metadata")
def metadata() -> Response:
    """Say what is here."""
    _negotiate()
    return fhir(
        capability_statement.render(_base(), tokens.token_url(services()), parameters.PARAMETERS.items())
    )


@blueprint.get("/.well-known/smart-configuration")
def configuration() -> Response:
    """Say how to be let in (SMART App Launch 2.2)."""
    return jsonify(
        issuer=services().settings.url,
        token_endpoint=tokens.token_url(services()),
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=["ES384", "RS384"],
        grant_types_supported=[tokens.GRANT],
        scopes_supported=list(clients.SCOPES),
        code_challenge_methods_supported=["S256"],  # SMART requires the list, also where nobody signs in
        capabilities=["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    )


@blueprint.get(_types("/<identifier>"))
def read(kind: Kind, identifier: str) -> Response:
    """Return the newest version of one resource."""
    return _one(kind, identifier, None)


@blueprint.get("/RiskAssessment/<identifier>/_history/<version>")
def read_version(identifier: str, version: str) -> Response:
    """Return one version of an assessment."""
    return _one("RiskAssessment", identifier, version)


def _one(kind: Kind, identifier: str, version: str | None) -> Response:
    caller = _caller()
    _negotiate()
    if set(request.args) - {"_format"}:
        raise BadRequest("a read takes no parameter but _format")
    shown = present.read(services(), caller, kind, _key(kind, identifier, version), _held)
    marks = {"ETag": f'W/"{shown.version}"'}
    if shown.resource is None:
        return Response(status=304, headers=marks)
    answer = fhir(shown.resource)
    answer.headers.update(marks)
    answer.last_modified = from_us(shown.recorded)
    return answer


def _held(version: int) -> bool:
    return request.if_none_match.contains_weak(str(version))


def _key(kind: Kind, identifier: str, version: str | None) -> Key:
    wanted = None if version is None else parameters.number(version)
    key = parameters.provenance_key(identifier) if kind == "Provenance" else (identifier, wanted)
    if key is None or not is_id(key[0]) or (version is not None and wanted is None):
        raise NotFound
    return key


@blueprint.get(_types(""))
@blueprint.post(_types("/_search"))
def search(kind: Kind) -> Response:
    """Return a page of what matches and may be seen."""
    caller = _searching()
    wanted = _wanted(caller, kind)
    page = present.search(services(), caller, kind, wanted)
    links = {"self": _address(kind, _given())}
    if page.next is not None:
        token = continuation.issue(services(), caller, kind, wanted, page.next)
        links["next"] = _address(kind, MultiDict({PAGE: token}))
    return fhir(outward.searchset(page.resources, _base(), links))


@blueprint.get(_asked(""))
@blueprint.post(_asked("/_search"))
def answers(kind: Kind) -> Response:
    """Return what each model answers about a patient now, the numbers of its answers, or what it proposes."""
    caller = _searching()
    wanted = parameters.wanted(services(), kind, _given())
    found = answering.search(services(), caller, kind, wanted.twins or frozenset())
    return fhir(outward.searchset(found, _base(), {"self": _address(kind, _given())}))


@blueprint.post("/RiskAssessment/<identifier>/$simulate")
def simulate(identifier: str) -> Response:
    """Try a therapy on the twin of an assessment; a model that will not says why (422)."""
    caller = _caller()
    _negotiate()
    if request.mimetype not in {"application/fhir+json", "application/json"}:
        raise UnsupportedMediaType
    if not is_id(identifier):
        raise NotFound
    now = services().clock()
    trial = plan.read(request.get_data(cache=False), now)
    found = trying.simulate(services(), caller, identifier, trial, now)
    if isinstance(found, Refusal):
        answer = fhir(guidance_response.outcome_of(found))
        answer.status_code = 422
        return answer
    return fhir(found)


def _wanted(caller: Caller, kind: Kind) -> Wanted:
    given = _given()
    if PAGE not in given:
        return parameters.wanted(services(), kind, given)
    if set(given) - {PAGE, "_format"} or len(given.getlist(PAGE)) > 1:
        raise BadRequest("a page address is followed as it was given")
    return continuation.resume(services(), caller, kind, given[PAGE])


def _given() -> MultiDict[str, str]:
    """Return the parameters of address and form, which a search takes alike."""
    values = request.values
    return MultiDict([(name, value) for name in values for value in values.getlist(name)])


def _address(kind: Kind, given: MultiDict[str, str]) -> str:
    query = urlencode(list(given.items(multi=True)))
    return f"{_base()}/{kind}?{query}" if query else f"{_base()}/{kind}"


def _base() -> str:
    return f"{services().settings.url}/fhir"


def _caller() -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("an access token is needed; /fhir/.well-known/smart-configuration says where")
    return tokens.check(services(), token.strip(), g.get("request"))


def _searching() -> Caller:
    """Return who searches, by GET or with a form."""
    caller = _caller()
    _negotiate()
    if request.method == "POST" and request.mimetype != FORM:
        raise UnsupportedMediaType
    return caller


def _negotiate() -> None:
    """Refuse readers who take no JSON; ``_format`` speaks before the header (FHIR R4, 3.1.0.1.11)."""
    formats = request.values.getlist("_format")
    if any(each not in parameters.FORMATS for each in formats):
        raise NotAcceptable
    taken = {kind.partition(";")[0].strip() for kind, quality in request.accept_mimetypes if quality > 0}
    if not formats and request.accept_mimetypes and not taken & _TAKEN:
        raise NotAcceptable
