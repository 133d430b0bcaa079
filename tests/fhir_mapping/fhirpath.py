"""The subset of FHIRPath that OperationOutcome.issue.expression takes, read and followed through a resource.

FHIR R4: "limited to element names, repetition indicators and the default child accessor". It is read by its
own grammar and followed along HL7's definitions, apart from the code that writes it.
"""

import re

from fhir_mapping import definitions

_STEP = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9]*|`div`)(?:\[(?P<index>0|[1-9][0-9]*)\])?")
# FHIRPath N1, keyword: an identifier of these names must be quoted; `as`, `contains`, `in` and `is` need not.
KEYWORDS = {"and", "or", "xor", "implies", "div", "mod", "true", "false"}


def follow(expression, resource):
    """Return what stands at each step of ``expression``; fail where one is not an element of its type."""
    root, *steps = expression.split(".")
    assert root == resource["resourceType"]
    kind, here, found = root, resource, []
    for step in steps:
        read = _STEP.fullmatch(step)
        assert read, f"{step} is not a name with an index or without"
        assert read["name"] not in KEYWORDS
        kind, here = _child(kind, here, read["name"].strip("`"))
        if isinstance(here, list):
            index = int(read["index"] or 0)
            here = here[index] if index < len(here) else None
        if kind == "Resource" and isinstance(here, dict):
            kind = here.get("resourceType")
        found.append(here)
    return found


def _child(kind, holder, name):
    element = f"{name}[x]" if f"{name}[x]" in definitions.elements()[kind] else name
    assert element in definitions.elements()[kind], f"{name} is not an element of {kind}"
    fields = definitions.type_of(kind).fields.items()
    known = {key: field.type for key, field in fields if field.element == element}
    given = [key for key in known if isinstance(holder, dict) and key in holder]
    key = min(given, default=min(known), key=lambda each: each.startswith("_"))
    beside = definitions.is_primitive(known[key])
    return "Element" if beside else known[key], holder.get(key) if given else None
