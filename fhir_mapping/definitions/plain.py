"""A JSON schema for each resource type that accepts only what has nothing to look at beyond its structure.

Most resources are plain: no narrative, nothing contained, no extension but one with a simple value, days
that every month has, references by type. For them the compiled schema stands in for the walk of
``invariants``; what it does not accept is not thereby wrong, only walked. A resource that it accepts and
that is structurally valid has no fault: a law of the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import jsonschema_rs

from fhir_mapping import definitions
from fhir_mapping.definitions.constraint import Schema, without
from fhir_mapping.definitions.constraints import CONSTRAINTS

# A day that the calendar has for certain, in a text that has the form of a date; 29 February is left out.
_DAY = {
    "pattern": "^....(-..)?$|^....-..-([01]|2[0-8])|^....-(0[13-9]|1[0-2])-(29|30)|^....-(0[13578]|1[02])-31"
}
_DATES = frozenset({"date", "dateTime", "instant"})
# The types whose values a plain extension may have: more would draw nearly every type into each schema.
_SIMPLE = frozenset({"CodeableConcept", "Coding", "Period", "Quantity", "Reference"})
Definitions = dict[str, Schema | bool]


@cache
def validator(name: str) -> jsonschema_rs.Validator | None:
    """Return the compiled schema of a resource type; None where no such resource is plain."""
    found: Definitions = {}
    root = _type(name, found)
    return jsonschema_rs.validator_for({**root, "$defs": found}) if isinstance(root, dict) else None


def _type(name: str, found: Definitions) -> Schema | bool:
    proofs = [constraint.proof for constraint in CONSTRAINTS.get(name, ())]
    if any(proof is None for proof in proofs):
        return False
    fields = {each: _field(name, each, found) for each in definitions.type_of(name).fields}
    known = {each: schema for each, schema in fields.items() if schema is not True}
    return {"properties": known, "allOf": proofs} if proofs else {"properties": known}


def _field(owner: str, name: str, found: Definitions) -> Schema | bool:
    field = definitions.type_of(owner).fields[name]
    if owner == "Extension" and not (definitions.is_primitive(field.type) or field.type in _SIMPLE):
        return False
    if field.type in {definitions.ELEMENT, definitions.RESOURCE}:
        return False
    schema = _value(field.type, definitions.elements()[owner][field.element].get("target", ()), found)
    return {"items": schema} if field.repeats and schema is not True else schema


def _value(name: str, targets: Sequence[str], found: Definitions) -> Schema | bool:
    if name == "Reference":
        return _reference(targets)
    return _DAY if name in _DATES else _complex(name, found)


def _complex(name: str, found: Definitions) -> Schema | bool:
    if definitions.is_primitive(name):
        return True
    if name not in found:
        found[name] = False  # stands for itself where a type holds its own kind
        found[name] = _type(name, found)
    return {"$ref": f"#/$defs/{name}"} if found[name] else False


def _reference(allowed: Sequence[str]) -> Schema:
    pattern = f"^(?:urn:|(?:{'|'.join(allowed)})/)" if allowed else "^[^#]"
    unseen = without("extension", "type", "identifier", "_reference", "_display")["properties"]
    return {"properties": {"reference": {"pattern": pattern}, **unseen}}
