"""What the mapping says of input that it cannot use."""

from __future__ import annotations

from dataclasses import dataclass


class Unusable(Exception):
    """Input that cannot be read at all.

    ``code`` is a FHIR issue type (``structure``, ``value``, ``code-invalid``, ``too-long``,
    ``not-supported``), ``status`` the HTTP status that a sender deserves, ``expression`` a
    FHIRPath-like place. No part ever holds a piece of the input.
    """

    def __init__(self, code: str, text: str, status: int = 400, expression: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status
        self.expression = expression


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a part of a readable resource is quarantined; ``text`` holds no piece of the input.

    ``code`` is stable: ``absent``, ``code``, ``comparator``, ``intent``, ``modifier``, ``range``,
    ``reference``, ``retracted``, ``status``, ``time``, ``unit``, ``value``.
    """

    code: str
    text: str
    expression: str
    signal: str | None = None
