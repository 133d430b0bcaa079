"""What everything that a model says has in common: whose it is, where it is found, which model spoke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from fhir_mapping import device
from fhir_mapping.device import Software
from fhir_mapping.errors import Unusable
from fhir_mapping.identity import SOURCE, label_codings, labels_of

TAG = {"system": "urn:didymos:tag", "code": "decision-support", "display": "Not for sole use"}
NOT_FOR_SOLE_USE = "Decision support. Not for sole use."


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a resource.

    ``id`` is ours, ``subject`` a relative reference (``Patient/17``), ``identifier`` system and value by
    which it is found where the hospital gives ids of its own; ``labels`` as ``identity.labels_of``.
    """

    id: str
    subject: str
    identifier: tuple[str, str]
    software: Software
    labels: frozenset[str] = frozenset()


def render(kind: str, heading: Heading) -> dict[str, Any]:
    """Return the elements that every resource begins with; the element that names the patient is not one."""
    system, value = heading.identifier
    return {
        "resourceType": kind,
        "id": heading.id,
        "meta": meta(heading.labels) | {"tag": [TAG]},
        "contained": [device.render(heading.software)],
        "identifier": [{"system": system, "value": value}],
    }


def meta(labels: frozenset[str]) -> dict[str, Any]:
    """Return ``meta`` of what Didymos writes."""
    marked: dict[str, Any] = {"source": SOURCE}
    return marked | {"security": label_codings(labels)} if labels else marked


def read(resource: dict[str, Any], patient: str = "subject") -> Heading:
    """Return the head of a resource of ours; ``patient`` is the element that names whom it is about."""
    identifier = resource["identifier"][0]
    return Heading(
        resource["id"],
        resource[patient]["reference"],
        (identifier["system"], identifier["value"]),
        device.read(contained(resource, device.ID)),
        labels_of(resource),
    )


def contained(resource: dict[str, Any], identifier: str) -> dict[str, Any]:
    """Return the contained resource of that id.

    Raises
    ------
    Unusable
        There is none.
    """
    for each in resource["contained"]:
        if each["id"] == identifier:
            found: dict[str, Any] = each
            return found
    place = f"{resource['resourceType']}.contained"
    raise Unusable("structure", "what it refers to is not contained in it", 422, place)


_Value = TypeVar("_Value")


def as_we_write(
    kind: str,
) -> Callable[[Callable[[dict[str, Any]], _Value]], Callable[[dict[str, Any]], _Value]]:
    """Have a reader of our own valid resources refuse others of that kind, which lack what we always write.

    The reader raises Unusable then.
    """

    def decorate(reader: Callable[[dict[str, Any]], _Value]) -> Callable[[dict[str, Any]], _Value]:
        @wraps(reader)
        def read_ours(resource: dict[str, Any]) -> _Value:
            if resource.get("resourceType") != kind:
                raise Unusable("structure", f"it is not a {kind}", 422)
            try:
                return reader(resource)
            except (LookupError, TypeError, ValueError, AttributeError):
                raise Unusable("structure", "it is not as Didymos writes it", 422, kind) from None

        return read_ours

    return decorate
