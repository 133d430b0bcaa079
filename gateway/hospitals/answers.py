"""One reading of status codes and bodies, for reads and for writes."""

from __future__ import annotations

import re
from typing import Any

from fhir_mapping import guard
from fhir_mapping.errors import Unusable
from fhir_mapping.lenient import objects
from gateway.hospitals.errors import (
    AmbiguousWrite,
    BadAnswer,
    HospitalUnavailable,
    ReadRefused,
    WriteConflict,
    WriteRefused,
)
from gateway.hospitals.transport import Answer

_ISSUE_CODE = re.compile(r"[a-z][a-z-]{0,31}")
_LATER = frozenset({408, 429, 503})


def parsed(body: bytes) -> dict[str, Any]:
    """Return the resource in ``body``; raises ``BadAnswer``, where asked also for a key that stands twice."""
    try:
        return guard.resource(body, guard.BUNDLE)
    except Unusable as error:
        raise BadAnswer("the answer is not usable FHIR JSON") from error


def issues(answer: Answer) -> tuple[str, ...]:
    """Return the issue codes of an OperationOutcome, never its texts: they may name a patient."""
    try:
        outcome = parsed(answer.body)
    except BadAnswer:
        return ()
    listed = objects(outcome.get("issue")) if outcome["resourceType"] == "OperationOutcome" else []
    codes = (issue.get("code") for issue in listed)
    return tuple(code for code in codes if isinstance(code, str) and _ISSUE_CODE.fullmatch(code))


def check_read(answer: Answer) -> None:
    """Raise what a read's status means; 200 is silent."""
    if answer.status == 200:
        return
    if answer.status in _LATER or answer.status >= 500:
        raise HospitalUnavailable(f"the EHR answered {answer.status}", answer.retry_after)
    if answer.status < 400:
        raise BadAnswer(f"the EHR answered {answer.status}")
    raise ReadRefused(answer.status, issues(answer))


def check_write(answer: Answer) -> None:
    """Raise what a write's status means; 200, 201 and 204 are silent."""
    if answer.status in {200, 201, 204}:
        return
    if answer.status in _LATER:
        raise HospitalUnavailable(f"the EHR answered {answer.status}", answer.retry_after)
    if answer.status in {409, 412}:
        raise WriteConflict(f"the EHR answered {answer.status}")
    if answer.status >= 500 and answer.status != 501:
        raise AmbiguousWrite(f"the EHR answered {answer.status}")  # it may have failed after storing
    raise WriteRefused(answer.status, issues(answer))
