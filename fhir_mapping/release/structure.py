"""Whether an R5 resource is what R5's definitions say, as far as fhir.resources knows them.

It is a structural check: types, cardinalities, unknown elements, choices. Its classes are imported at the
first R5 resource of their type, so an R4 hospital never pays for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_mapping.errors import Problem

_SENTENCES = {
    "extra_forbidden": ("structure", "R5 has no element of this name here"),
    "missing": ("required", "a required element is missing"),
}
_LIMIT = 50


def faults(resource: dict[str, Any]) -> tuple[Problem, ...]:
    """Return what is wrong with an R5 resource; no text holds a piece of it."""
    from fhir.resources import get_fhir_model_class
    from pydantic import ValidationError

    kind = str(resource.get("resourceType"))
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return tuple(_problem(kind, each["type"], each["loc"]) for each in found[:_LIMIT])
    except (LookupError, ValueError, TypeError, RecursionError):
        return (
            Problem("not-supported", "it is, or holds, a resource of a type that R5 does not have", kind),
        )
    return ()


def _problem(kind: str, fault: str, place: Iterable[int | str]) -> Problem:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    code, text = _SENTENCES.get(fault, ("structure", "an element is not as R5 defines it"))
    return Problem(code, text, f"{kind}{path}")
