"""One table: domain error -> HTTP status and OperationOutcome code. Unknown errors say nothing."""

from __future__ import annotations

from dataclasses import dataclass


class DidymosError(Exception):
    """The root of our errors. Texts are for people and never hold patient data."""


class NotFound(DidymosError):
    """There is nothing here for this caller."""


class NotAuthenticated(DidymosError):
    """The caller did not prove who it is."""


class NotPermitted(DidymosError):
    """Consent, scope or policy forbids it."""


class Overloaded(DidymosError):
    """Too much is waiting; try later."""


class BadRequest(DidymosError):
    """The request is not of the form this address takes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How an error is answered. ``text`` None: the error's own words are safe to show."""

    status: int
    code: str
    text: str | None = None


ANSWERS: dict[str, Answer] = {
    "NotFound": Answer(404, "not-found", "not found"),
    "NotAuthenticated": Answer(401, "login"),
    "NotPermitted": Answer(403, "forbidden"),
    "Overloaded": Answer(429, "throttled"),
    "BadRequest": Answer(400, "invalid"),
    "TokenRefused": Answer(401, "login", "the token was refused"),
    "AuditUnavailable": Answer(503, "transient", "the audit log cannot be written, so nothing is done"),
    "KeyDestroyed": Answer(410, "deleted", "erased"),
    "HospitalUnavailable": Answer(503, "transient", "the EHR cannot be reached"),
    "HospitalError": Answer(502, "exception", "the EHR gave no usable answer"),
    "OperationalError": Answer(503, "transient", "the database cannot be reached"),
}

UNKNOWN = Answer(500, "exception", "the gateway failed; the request identifier leads to the log")


def answer(error: BaseException) -> Answer:
    """Return the answer for ``error`` by the nearest class in the table."""
    for kind in type(error).__mro__:
        if kind.__name__ in ANSWERS:
            return ANSWERS[kind.__name__]
    return UNKNOWN
