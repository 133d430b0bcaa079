"""What every address shares: the services, and errors as OperationOutcome."""

from __future__ import annotations

import secrets
from typing import cast

import orjson
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from fhir_mapping import operation_outcome
from fhir_mapping.errors import Unusable
from gateway import errors
from gateway.errors import Answer
from gateway.operations.services import Services
from gateway.telemetry import log, place

FHIR_JSON = "application/fhir+json"


def services() -> Services:
    """Return the services of this application."""
    return cast("Services", current_app.extensions["didymos"])


def fhir(resource: object, status: int = 200, **headers: str) -> Response:
    """Return ``resource`` as FHIR JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(orjson.dumps(resource), status, named, content_type=FHIR_JSON)


def install(app: Flask) -> None:
    """Answer every error with an OperationOutcome and every response with sober headers."""
    app.before_request(_name_request)
    app.after_request(_headers)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failed)


def _name_request() -> None:
    g.request = secrets.token_hex(8)


def _headers(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    response.headers["X-Request-Id"] = g.get("request", "")
    return response


def _http(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        return outcome(Answer(413, "too-long", "the body is larger than this address takes"))
    status = error.code or 500
    codes = {404: "not-found", 405: "not-supported", 415: "not-supported"}
    texts = {
        404: "not found",
        405: "this address does not take this method",
        415: "this content type is not taken",
    }
    answer = Answer(status, codes.get(status, "invalid"), texts.get(status, "the request cannot be used"))
    return outcome(answer, **{name: value for name, value in error.get_headers() if name == "Allow"})


def _failed(error: Exception) -> Response:
    if isinstance(error, Unusable):
        return fhir(operation_outcome.of(error), error.status)
    answer = errors.answer(error)
    if answer is errors.UNKNOWN:
        log().error("request-failed", request=g.get("request"), endpoint=request.endpoint, fault=place(error))
    text = str(error) if answer.text is None else answer.text
    headers = {"WWW-Authenticate": "Bearer"} if answer.status == 401 else {}
    headers |= {"Retry-After": "5"} if answer.status in (429, 503) else {}
    return outcome(Answer(answer.status, answer.code, text), **headers)


def outcome(answer: Answer, **headers: str) -> Response:
    """Return an OperationOutcome."""
    return fhir(operation_outcome.render(answer.code, answer.text or ""), answer.status, **headers)
