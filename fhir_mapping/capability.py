"""CapabilityStatement -> what the hospital's server says it can do.

It is a claim: servers write types that they do not list and ignore parameters that they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_mapping.errors import Unusable
from fhir_mapping.lenient import as_list, as_object, objects


@dataclass(frozen=True, slots=True)
class TypeCapability:
    """What is offered for one resource type. ``versioning`` is ``no-version`` where it is not said."""

    interactions: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()
    versioning: str = "no-version"
    update_create: bool = False
    conditional_create: bool = False
    conditional_update: bool = False
    read_history: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A server's statement. ``token`` and ``authorize`` are the OAuth addresses it names, if any."""

    fhir_version: str
    software: str
    types: dict[str, TypeCapability]
    interactions: frozenset[str]
    formats: frozenset[str]
    token: str | None
    authorize: str | None

    def offers(self, kind: str, interaction: str) -> bool:
        """Tell whether ``interaction`` (``read``, ``search-type``, ``create`` …) is offered for ``kind``."""
        return interaction in self.types.get(kind, TypeCapability()).interactions


def read(statement: dict[str, Any]) -> Capabilities:
    """Read a CapabilityStatement; parts that are absent or malformed count as not offered.

    Raises
    ------
    Unusable
        Where it is another resource or names no FHIR version.
    """
    version = statement.get("fhirVersion")
    if statement.get("resourceType") != "CapabilityStatement" or not isinstance(version, str):
        raise Unusable("structure", "it is not a CapabilityStatement", 422)
    server = next((rest for rest in objects(statement.get("rest")) if rest.get("mode") == "server"), {})
    software = as_object(statement.get("software"))
    addresses = _oauth(as_object(server.get("security")))
    return Capabilities(
        version,
        " ".join(str(software[key]) for key in ("name", "version") if key in software),
        {str(each["type"]): _type(each) for each in objects(server.get("resource")) if "type" in each},
        _codes(server.get("interaction"), "code"),
        frozenset(each for each in as_list(statement.get("format")) if isinstance(each, str)),
        addresses.get("token"),
        addresses.get("authorize"),
    )


def _type(entry: dict[str, Any]) -> TypeCapability:
    versioning = entry.get("versioning")
    return TypeCapability(
        _codes(entry.get("interaction"), "code"),
        _codes(entry.get("searchParam"), "name"),
        _codes(entry.get("operation"), "name"),
        versioning if isinstance(versioning, str) else "no-version",
        entry.get("updateCreate") is True,
        entry.get("conditionalCreate") is True,
        entry.get("conditionalUpdate") is True,
        entry.get("readHistory") is True,
    )


def _oauth(security: dict[str, Any]) -> dict[str, str]:
    return {
        str(inner.get("url")): inner["valueUri"]
        for extension in objects(security.get("extension"))
        if str(extension.get("url")).endswith("/oauth-uris")
        for inner in objects(extension.get("extension"))
        if isinstance(inner.get("valueUri"), str)
    }


def _codes(value: object, key: str) -> frozenset[str]:
    return frozenset(each[key] for each in objects(value) if isinstance(each.get(key), str))
