"""The narrow view of FHIR's datatypes that the mapping needs, checked without coercion.

msgspec takes no text for a number, no number for a text and no code outside a bound value set. Its
messages name the place and the type expected; the part that could hold a value is not passed on.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec

from fhir_mapping import definitions
from fhir_mapping.errors import Unusable
from twin_engine.threads import ready

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1_048_576)]


class Shape(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An object of FHIR, of which only the named fields are looked at."""


class Coding(Shape, frozen=True):
    """FHIR Coding."""

    system: Text | None = None
    code: Text | None = None
    display: Text | None = None


class CodeableConcept(Shape, frozen=True):
    """FHIR CodeableConcept."""

    coding: tuple[Coding, ...] = ()
    text: Text | None = None


class Quantity(Shape, frozen=True):
    """FHIR Quantity."""

    value: float | None = None
    comparator: Text | None = None
    unit: Text | None = None
    system: Text | None = None
    code: Text | None = None


class Ref(Shape, frozen=True):
    """FHIR Reference."""

    reference: Text | None = None
    display: Text | None = None


class Period(Shape, frozen=True):
    """FHIR Period."""

    start: Text | None = None
    end: Text | None = None


_T = TypeVar("_T", bound=Shape)
_PLACE = re.compile(r" - at `\$\.?(?P<path>[A-Za-z0-9_.\[\]]*)`\Z")
_REQUIRED = re.compile(r"Object missing required field `(?P<field>[A-Za-z]+)`")


def view(resource: dict[str, Any], shape: type[_T]) -> _T:
    """Return ``resource`` as ``shape``.

    Raises
    ------
    Unusable
        ``structure`` (a wrong type), ``required`` (a missing element), ``code-invalid`` or ``value``.
    """
    try:
        return msgspec.convert(resource, ready(shape))
    except msgspec.ValidationError as error:
        raise _unusable(str(resource.get("resourceType")), str(error)) from None


def _unusable(kind: str, message: str) -> Unusable:
    place = _PLACE.search(message)
    path = place["path"].replace("[...]", "") if place else ""
    missing = _REQUIRED.match(message)
    if missing:
        path = f"{path}.{missing['field']}".strip(".")
        return Unusable("required", "a required element is missing", 422, _expression(kind, path))
    expression = _expression(kind, path)
    if message.startswith("Invalid enum value"):
        return Unusable("code-invalid", "a code is outside its required value set", 422, expression)
    return Unusable("structure", "an element has the wrong type", 422, expression)


def _expression(kind: str, path: str) -> str:
    """Return the place that JSON's names lead to as FHIRPath, as far as HL7 knows them."""
    told, of_type = [kind], kind
    for name in path.split(".") if path else ():
        field = definitions.type_of(of_type).fields.get(name) if of_type in definitions.elements() else None
        if field is None:
            break
        told.append(field.step)
        of_type = field.type
    return ".".join(told)
