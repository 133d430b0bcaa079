r"""JSON Schemas that a resource meets only where it is right; they are compiled by jsonschema-rs.

The *structural* schema of a type accepts what `structure` finds nothing in. The *plain* one accepts less, and
of that `invariants` finds nothing either: no narrative, nothing contained, no part of a primitive, no date
that needs a calendar, no reference but one that begins with a type that belongs there. Most of what comes
in numbers is plain, and needs no other look. What a schema refuses is not thereby wrong.

The constructions are those that cost least: ``required`` apart from ``properties``, ``^\S*$`` alone, prefixes
instead of patterns, rules of choice on the rarer alternative; draft 4, in which 1.0 is no integer. A resource
within a resource is only an object here: a choice between the types would cost more than all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jsonschema_rs

from fhir_mapping import definitions
from fhir_mapping.definitions import ELEMENT, RESOURCE, Field, Type
from fhir_mapping.validation.constraints import CONSTRAINTS
from fhir_mapping.validation.primitives import MAX_STRING

Schema = dict[str, Any]

_MONTH_AND_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DAY = f"[12][0-9]{{3}}-{_MONTH_AND_DAY}"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]+)?"
_INSTANT = f"{_DAY}T{_TIME}(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
_B64 = "[0-9A-Za-z+/]"
_LARGEST = 2**31 - 1


def _matching(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def _between(low: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": _LARGEST}


_TOKEN: Schema = {"type": "string", "minLength": 1, "pattern": r"^\S*$"}
_TEXT: Schema = {"type": "string", "maxLength": MAX_STRING, "pattern": r"[^\x00-\x20]"}
_PRIMITIVES: dict[str, Schema] = {
    "base64Binary": _matching(f"(?:{_B64}{{4}})*(?:{_B64}{{4}}|{_B64}{{2}}==|{_B64}{{3}}=)"),
    "boolean": {"type": "boolean"},
    "canonical": _TOKEN,
    "code": _TOKEN,
    "date": _matching(f"{_DAY}|[12][0-9]{{3}}(?:-(?:0[1-9]|1[0-2]))?"),
    "dateTime": _matching(f"{_INSTANT}|{_DAY}|[12][0-9]{{3}}(?:-(?:0[1-9]|1[0-2]))?"),
    "decimal": {"type": "number"},
    "id": _matching("[A-Za-z0-9.-]{1,64}"),
    "instant": _matching(_INSTANT),
    "integer": _between(-(2**31)),
    "markdown": _TEXT,
    "oid": _matching(r"urn:oid:[0-2](?:[.](?:0|[1-9][0-9]*))+"),
    "positiveInt": _between(1),
    "string": _TEXT,
    "time": _matching(_TIME),
    "unsignedInt": _between(0),
    "uri": _TOKEN,
    "url": _TOKEN,
    "uuid": _matching("urn:uuid:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"),
    "xhtml": {"type": "string", "pattern": "^<div[ >]"},
}

_VALUES = frozenset(
    {
        "Address",
        "Age",
        "CodeableConcept",
        "Coding",
        "ContactPoint",
        "Duration",
        "HumanName",
        "Identifier",
        "Money",
    }
    | {"Period", "Quantity", "Range", "Ratio", "Reference"}
)
"""What an extension is expected to hold beside primitives; all that it may would be most of FHIR."""

_RARELY_BESIDE = ("Quantity", "CodeableConcept", "dateTime", "Reference", "string")
"""Of two alternatives of a choice the later forbids the other, so that the first costs nothing more."""


_NOTHING: Schema = {"not": {}}


@cache
def structural(resource_type: str) -> jsonschema_rs.Draft4Validator:
    """Return what accepts no resource of this type that `structure` would refuse."""
    return _compiled(resource_type, _Writer(plain=False))


@cache
def plain(resource_type: str) -> jsonschema_rs.Draft4Validator:
    """Return what accepts no resource of this type that `structure` or `invariants` would refuse."""
    return _compiled(resource_type, _Writer(plain=True))


def _compiled(resource_type: str, writer: _Writer) -> jsonschema_rs.Draft4Validator:
    schema = writer.object(definitions.type_of(resource_type)) or _NOTHING
    engine = jsonschema_rs.RegexOptions()
    return jsonschema_rs.Draft4Validator({**schema, "definitions": writer.shared}, pattern_options=engine)


@dataclass(slots=True)
class _Writer:
    """Writes the schema of one resource type; ``shared`` are the definitions referred to."""

    plain: bool
    shared: dict[str, Schema] = field(default_factory=dict)

    def object(self, kind: Type) -> Schema | None:
        """Return the schema of a type; None where nothing of it is plain."""
        proofs = _proofs(kind.name) if self.plain else []
        if proofs is None:
            return None
        forbidden = frozenset(name for proof in proofs for name in _forbidden(proof))
        properties = dict(self._properties(kind, forbidden))
        rules = _required(kind, properties) + [
            _in_draft_4(proof) for proof in proofs if not _forbidden(proof)
        ]
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            **_sizes(kind),
            **({"allOf": rules} if rules else {}),
            **_exclusive(kind, properties),
        }

    def _properties(self, kind: Type, forbidden: frozenset[str]) -> Iterable[tuple[str, Schema]]:
        if kind.is_resource:
            yield "resourceType", {"enum": [kind.name]}
        for name, each in kind.fields.items():
            schema = None if name in forbidden else self._field(kind, each)
            if schema is not None:
                yield name, {"type": "array", "minItems": 1, "items": schema} if each.repeats else schema

    def _field(self, kind: Type, each: Field) -> Schema | None:
        if self.plain and each.type in (ELEMENT, RESOURCE):
            return None
        if kind.name == "Extension" and not _is_expected(each):
            return None
        if definitions.is_primitive(each.type):
            return _PRIMITIVES[each.type] if each.codes is None else {"enum": _codes(each.codes)}
        if each.type == RESOURCE:
            return {"type": "object", "minProperties": 1}
        if each.codes is not None:
            return _bound(self._complex(each), each.codes)
        return self._complex(each)

    def _complex(self, each: Field) -> Schema | None:
        if self.plain and each.type == "Reference":
            return _reference(each.targets)
        if each.type not in self.shared:
            self.shared[each.type] = {}  # stands for itself where a type holds its own kind
            self.shared[each.type] = self.object(definitions.type_of(each.type)) or _NOTHING
        return None if self.shared[each.type] is _NOTHING else {"$ref": f"#/definitions/{each.type}"}


def _proofs(name: str) -> list[Any] | None:
    """Return what proves the constraints of a type; None where one of them has no proof."""
    proofs = [constraint.proof for constraint in CONSTRAINTS.get(name, ())]
    return None if None in proofs else proofs


def _forbidden(proof: Schema) -> tuple[str, ...]:
    """Return the names that a proof forbids, where it does no more than that."""
    named = proof["properties"] if proof.keys() == {"properties"} else {}
    return tuple(named) if all(schema is False for schema in named.values()) else ()


def _in_draft_4(schema: Any) -> Any:
    if isinstance(schema, dict):
        renamed = {"dependentRequired": "dependencies", "dependentSchemas": "dependencies"}
        return {renamed.get(name, name): _in_draft_4(each) for name, each in schema.items()}
    return _NOTHING if schema is False else schema


def _is_expected(each: Field) -> bool:
    """Tell whether an extension is expected to have it; what is not is left to the full reading."""
    if each.element == "id" or each.type == ELEMENT:
        return False
    return definitions.is_primitive(each.type) or each.type in _VALUES or each.element == "extension"


def _sizes(kind: Type) -> Schema:
    # The url of an extension, and one of value and extensions: counting makes the choice exclusive.
    return {"minProperties": 2, "maxProperties": 2} if kind.name == "Extension" else {"minProperties": 1}


def _required(kind: Type, properties: dict[str, Schema]) -> list[Schema]:
    wanted: list[tuple[str, ...]] = [("resourceType",)] if kind.is_resource else []
    wanted += [tuple(name for name in names if name in properties) for names in kind.required.values()]
    alone = [names[0] for names in wanted if len(names) == 1]
    some = [{"anyOf": [{"required": [name]} for name in names]} for names in wanted if len(names) > 1]
    return [{"required": alone}, *some] if alone else some


def _exclusive(kind: Type, properties: dict[str, Schema]) -> Schema:
    rules: Schema = {}
    for names in kind.choices.values() if kind.name != "Extension" else ():
        parts = {
            name: [each for each in (name, f"_{name}") if each in properties]
            for name in names
            if name[0] != "_"
        }
        earlier: list[Schema] = []
        for name in sorted(parts, key=lambda each: _rank(kind.fields[each].type)):
            if earlier:
                rules |= {part: {"not": {"anyOf": list(earlier)}} for part in parts[name]}
            earlier += [{"required": [part]} for part in parts[name]]
    return {"dependencies": rules} if rules else {}


def _rank(name: str) -> int:
    return _RARELY_BESIDE.index(name) if name in _RARELY_BESIDE else len(_RARELY_BESIDE)


def _codes(value_set: str) -> list[str]:
    return sorted(frozenset().union(*definitions.codes(value_set).values()))


def _bound(concept: Schema | None, value_set: str) -> Schema | None:
    """Return the schema of a concept that, where it has codings, has one of the value set."""
    if concept is None:
        return None
    listed = [
        {
            "properties": {"system": {"enum": [system]}, "code": {"enum": sorted(found)}},
            "required": ["system", "code"],
        }
        for system, found in definitions.codes(value_set).items()
    ]
    outside = {"type": "array", "items": {"not": {"anyOf": listed}}}
    return {"allOf": [concept, {"not": {"properties": {"coding": outside}, "required": ["coding"]}}]}


def _reference(targets: tuple[str, ...]) -> Schema:
    """Return the schema of a plain reference: by type and id, or to what is known by a URN."""
    begins: Schema = {
        "anyOf": [{"pattern": f"^{each}"} for each in (*(f"{name}/" for name in targets), "urn:")]
    }
    told = begins if targets else {**_TEXT, "not": {"pattern": "^#"}}
    texts = {"reference": {"type": "string", "maxLength": MAX_STRING, **told}, "display": _TEXT}
    return {"type": "object", "properties": texts, "additionalProperties": False, "minProperties": 1}
