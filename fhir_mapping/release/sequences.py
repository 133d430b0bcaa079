"""MolecularSequence, which R5 replaced: a literal or formatted sequence, or edits relative to another.

R4's ``observedSeq`` is R5's ``literal``, its ``referenceSeq`` the starting sequence of ``relative`` and its
``variant`` an edit of it. A sequence that R5 puts together of several, or takes from another than the
subject, R4 cannot say.
"""

from __future__ import annotations

from fhir_mapping.lenient import as_object, objects
from fhir_mapping.release.place import Element, Place, Step, put_back, stow, unstow
from fhir_mapping.release.steps import Irregular, Only, Refused, Renamed

LOINC = "http://loinc.org"
_COORDINATES = {0: "LA30100-4", 1: "LA30102-0"}  # 0-based interval counting, 1-based character counting
_ELSEWHERE = "it is about another than the subject, which R4 cannot say"
_EDIT = {"replacementSequence": "observedAllele", "replacedSequence": "referenceAllele"}
_START = {
    "sequenceCodeableConcept": "referenceSeqId",
    "sequenceReference": "referenceSeqPointer",
    "sequenceString": "referenceSeqString",
}
_VARIANT = {"cigar": "string", "variantPointer": "Reference"}
_REPOSITORY = {
    "type": "code",
    "url": "uri",
    "name": "string",
    "datasetId": "string",
    "variantsetId": "string",
    "readsetId": "string",
}
_BOUNDS = {"start": "integer", "end": "integer"}
_STRUCTURE = {
    "variantType": "CodeableConcept",
    "exact": "boolean",
    "length": "integer",
    "outer": _BOUNDS,
    "inner": _BOUNDS,
}
_QUALITY = {
    "type": "code",
    "standardSequence": "CodeableConcept",
    "start": "integer",
    "end": "integer",
    "score": "Quantity",
    "method": "CodeableConcept",
    **dict.fromkeys(("truthTP", "queryTP", "truthFN", "queryFP", "gtFP"), "decimal"),
    **dict.fromkeys(("precision", "recall", "fScore"), "decimal"),
    "roc": {
        **dict.fromkeys(("score", "numTP", "numFP", "numFN"), "integer*"),
        **dict.fromkeys(("precision", "sensitivity", "fMeasure"), "decimal*"),
    },
}


def _relative(element: Element, place: Place) -> None:
    """R4 -> R5."""
    system = element.pop("coordinateSystem", None)
    reference, variants = element.pop("referenceSeq", None), objects(element.pop("variant", None))
    if reference is None and not variants:
        if isinstance(system, int):
            stow(element, place.url("coordinateSystem", "R4"), "integer", system)
        return
    relative: Element = {
        "coordinateSystem": {"coding": [{"system": LOINC, "code": _COORDINATES.get(system, "unknown")}]}
    }
    if reference is not None:
        relative["startingSequence"] = _starting(as_object(reference))
    if variants:
        where = place.inner("variant")
        relative["edit"] = [_edit(each, where) for each in variants]
    element["relative"] = [relative]


def _starting(reference: Element) -> Element:
    names = {there: here for here, there in _START.items()}
    build = {"genomeAssembly": {"text": reference["genomeBuild"]}} if "genomeBuild" in reference else {}
    kept = {names.get(key, key): part for key, part in reference.items() if key != "genomeBuild"}
    return kept | build


def _edit(variant: Element, place: Place) -> Element:
    names = {there: here for here, there in _EDIT.items()}
    edit = {names.get(key, key): part for key, part in variant.items() if key not in _VARIANT}
    for name, kind in _VARIANT.items():
        if name in variant:
            stow(edit, place.url(name, "R4"), kind, variant[name])
    return edit


def _reference(element: Element, place: Place) -> None:
    """R5 -> R4."""
    kept, _ = unstow(element, place.url("coordinateSystem", "R4"), "integer")
    element["coordinateSystem"] = kept[0] if kept else 1  # required; without positions it counts nothing
    relatives = objects(element.pop("relative", None))
    if len(relatives) > 1 or any("ordinalPosition" in each or "sequenceRange" in each for each in relatives):
        place.refuse("relative", "the sequence is put together of several, which R4 cannot say")
    for each in relatives[:1]:
        _counted(element, each, place)
        if "startingSequence" in each:
            element["referenceSeq"] = _named(as_object(each["startingSequence"]))
        variants = [_variant(edit, place.inner("variant")) for edit in objects(each.get("edit"))]
        element |= {"variant": variants} if variants else {}


def _counted(element: Element, relative: Element, place: Place) -> None:
    codings = objects(as_object(relative.get("coordinateSystem")).get("coding"))
    said = {each.get("code") for each in codings if each.get("system") == LOINC}
    found = [system for system, code in _COORDINATES.items() if code in said]
    if len(found) == 1:
        element["coordinateSystem"] = found[0]
    else:
        place.refuse("relative[0].coordinateSystem", "how positions are counted is not told by a known code")


def _named(start: Element) -> Element:
    assembly = as_object(start.get("genomeAssembly"))
    codings = objects(assembly.get("coding"))
    build = assembly.get("text") or next((one["display"] for one in codings if "display" in one), None)
    named = {_START.get(key, key): part for key, part in start.items() if key != "genomeAssembly"}
    return named | ({"genomeBuild": build} if build else {})


def _variant(edit: Element, place: Place) -> Element:
    variant = {_EDIT.get(key, key): part for key, part in edit.items()}
    for name, kind in _VARIANT.items():
        put_back(variant, name, unstow(variant, place.url(name, "R4"), kind), many=False)
    return variant


MOLECULAR_SEQUENCE: tuple[Step, ...] = (
    Renamed("patient", "subject"),
    Renamed("observedSeq", "literal"),
    Refused(("focus",), _ELSEWHERE),
    Refused(("formatted",), "the sequence is in a file, which R4 cannot say"),
    Irregular(_relative, _reference),
    Only("R4", "quantity", "Quantity"),
    Only("R4", "readCoverage", "integer"),
    Only("R4", "pointer", "Reference", many=True),
    Only("R4", "repository", _REPOSITORY, many=True),
    Only("R4", "quality", _QUALITY, many=True),
    Only("R4", "structureVariant", _STRUCTURE, many=True),
)
