"""What the mapping says of input that it cannot use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one element; ``text`` holds no piece of the input.

    ``expression`` is what FHIR R4 takes for ``OperationOutcome.issue.expression``: "a simple subset of
    FHIRPath limited to element names, repetition indicators and the default child accessor". A choice has
    the name of its element (``Observation.value.unit``), what stands beside a primitive that of the
    primitive, and a name that HL7 does not know is told at what holds it. It is empty where no element can be
    named.

    ``code`` is stable. Of a part that is quarantined: ``absent``, ``code``, ``comparator``, ``intent``,
    ``modifier``, ``range``, ``reference``, ``retracted``, ``status``, ``time``, ``unit``, ``value``. Of
    input that is refused: a FHIR issue type.
    """

    code: str
    text: str
    expression: str
    signal: str | None = None


class Unusable(Exception):
    """Input that cannot be read at all.

    ``code`` is a FHIR issue type (``structure``, ``value``, ``code-invalid``, ``too-long``,
    ``not-supported``), ``status`` the HTTP status that a sender deserves, ``expression`` as in a
    ``Problem``; ``problems`` name every fault where more than one was found. No part ever holds a piece of
    the input.
    """

    def __init__(
        self,
        code: str,
        text: str,
        status: int = 400,
        expression: str | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = status
        self.expression = expression
        self.problems = problems or (Problem(code, text, expression or ""),)
