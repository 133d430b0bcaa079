"""AuditEvent: R5 says by concepts and references what R4 said by codes and text.

``type`` and ``subtype`` are R5's ``category`` and ``code``; an event without subtype is coded by its type.
The outcomes keep R4's code system, for which R5 offers HL7's issue severities beside it.
"""

from __future__ import annotations

from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.release.coded import Concepts
from fhir_mapping.release.place import Element, Place, Step, put_back, stow, unstow
from fhir_mapping.release.steps import Demanded, Irregular, Only, Refused, Renamed, Within

OUTCOME = "http://terminology.hl7.org/CodeSystem/audit-event-outcome"
_SEVERITIES = {"success": "0", "information": "0", "warning": "4", "error": "8", "fatal": "12"}
_URI = "5"  # network-type of R4


def _coded_to_r5(element: Element, place: Place) -> None:
    kind, subtypes = element.pop("type", None), as_list(element.pop("subtype", None))
    others, _ = unstow(element, place.url("category", "R5"), "CodeableConcept")
    if subtypes:
        element["code"] = {"coding": subtypes[:1]}
        stow(element, place.url("subtype", "R4"), "Coding", subtypes[1:])
        element["category"] = [{"coding": [kind]}, *others]
    elif kind is not None:
        element["code"] = {"coding": [kind]}


def _coded_to_r4(element: Element, place: Place) -> None:
    code, categories = as_object(element.pop("code", None)), as_list(element.pop("category", None))
    others, _ = unstow(element, place.url("subtype", "R4"), "Coding")
    codings = objects(code.get("coding"))
    kinds = [coding for each in categories for coding in objects(as_object(each).get("coding"))]
    if not kinds:
        kinds, codings = codings[:1], codings[1:]
    if not kinds:
        place.refuse("code", "it has no coding, which R4 needs")
        return
    element["type"] = kinds[0]
    if codings or others:
        element["subtype"] = [*codings, *others]
    more = [each for each in categories if each != {"coding": kinds[:1]}]
    stow(element, place.url("category", "R5"), "CodeableConcept", more)


def _outcome_to_r5(element: Element, place: Place) -> None:
    outcome, description = element.pop("outcome", None), element.pop("outcomeDesc", None)
    if outcome is None:
        stow(element, place.url("outcomeDesc", "R4"), "string", description)
        return
    element["outcome"] = {"code": {"system": OUTCOME, "code": outcome}}
    if description is not None:
        element["outcome"]["detail"] = [{"text": description}]


def _outcome_to_r4(element: Element, place: Place) -> None:
    put_back(element, "outcomeDesc", unstow(element, place.url("outcomeDesc", "R4"), "string"), many=False)
    outcome = as_object(element.pop("outcome", None))
    if not outcome:
        return
    coding = as_object(outcome.get("code"))
    code = str(coding.get("code"))
    element["outcome"] = code if coding.get("system") == OUTCOME else _SEVERITIES.get(code, code)
    told = [each["text"] for each in objects(outcome.get("detail")) if "text" in each]
    element |= {"outcomeDesc": "; ".join(told)} if told else {}


def _network_to_r5(element: Element, place: Place) -> None:
    network = as_object(element.pop("network", None))
    kind = network.get("type")
    if "address" in network:
        element["networkUri" if kind == _URI else "networkString"] = network["address"]
    if kind is not None and (kind != _URI or "address" not in network):
        stow(element, place.url("network.type", "R4"), "code", kind)


def _network_to_r4(element: Element, place: Place) -> None:
    uri, address = element.pop("networkUri", None), element.pop("networkString", None)
    kinds, _ = unstow(element, place.url("network.type", "R4"), "code")
    kinds = [_URI] if uri is not None else kinds
    network = {} if uri is None and address is None else {"address": address if uri is None else uri}
    network |= {"type": kinds[0]} if kinds else {}
    element |= {"network": network} if network else {}


def _site_to_r5(element: Element, _: Place) -> None:
    if "site" in element:
        element["site"] = {"display": element["site"]}


def _site_to_r4(element: Element, _: Place) -> None:
    site = as_object(element.pop("site", None))
    named = site.get("display") or site.get("reference")
    element |= {"site": named} if named else {}


def _detail_to_r5(element: Element, _: Place) -> None:
    if "type" in element:
        element["type"] = {"text": element["type"]}


def _detail_to_r4(element: Element, place: Place) -> None:
    text = as_object(element.get("type")).get("text")
    if isinstance(text, str):
        element["type"] = text
    else:
        place.refuse("type", "it is said by a code, for which R4 has only text")


def _period_to_r4(element: Element, _: Place) -> None:
    at = element.pop("occurredDateTime", None)
    element |= {"period": {"start": at, "end": at}} if at is not None else {}


_OTHER_VALUES = Refused(
    tuple(
        f"value{kind}"
        for kind in (
            "Quantity",
            "CodeableConcept",
            "Boolean",
            "Integer",
            "Range",
            "Ratio",
            "Time",
            "DateTime",
            "Period",
        )
    ),
    "R4 knows no value of this kind",
)
AUDIT_EVENT: tuple[Step, ...] = (
    Irregular(_coded_to_r5, _coded_to_r4),
    Irregular(_outcome_to_r5, _outcome_to_r4),
    Irregular(None, _period_to_r4),
    Renamed("period", "occurredPeriod"),
    Renamed("purposeOfEvent", "authorization"),
    Only("R5", "severity", "code"),
    Only("R5", "patient", "Reference"),
    Only("R5", "encounter", "Reference"),
    Only("R5", "basedOn", "Reference", many=True),
    Within(
        "agent",
        (
            Demanded("R5", "who", primitive=False),
            Demanded("R4", "requestor"),
            Irregular(_network_to_r5, _network_to_r4),
            Renamed("purposeOfUse", "authorization"),
            Only("R4", "altId", "string"),
            Only("R4", "name", "string"),
            Only("R4", "media", "Coding"),
            Only("R5", "networkReference", "Reference"),
        ),
    ),
    Within("source", (Irregular(_site_to_r5, _site_to_r4), Concepts("type"))),
    Within(
        "entity",
        (
            Concepts("role"),
            Concepts("securityLabel"),
            Only("R4", "type", "Coding"),
            Only("R4", "lifecycle", "Coding"),
            Only("R4", "name", "string"),
            Only("R4", "description", "string"),
            Within("detail", (Irregular(_detail_to_r5, _detail_to_r4), _OTHER_VALUES)),
            Refused(("agent",)),
        ),
    ),
)
