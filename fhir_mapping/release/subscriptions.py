"""Subscription: R5 subscribes to topics of the server, which R4 does as HL7's Subscriptions Backport says.

There ``criteria`` is the canonical of the topic, and filters, the amount of content and the numbers of the
channel are extensions (hl7.fhir.uv.subscriptions-backport 1.1.0). A classic R4 Subscription, whose
``criteria`` is a search, has no counterpart: R5 knows no criteria of the client's own.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from fhir_mapping.lenient import as_list, as_object, objects
from fhir_mapping.release.place import Element, Place, Step
from fhir_mapping.release.steps import Codes, Demanded, Irregular, Only

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
FILTER = f"{BACKPORT}filter-criteria"
CONTENT = f"{BACKPORT}payload-content"
KIND = f"{BACKPORT}channel-type"
CHANNEL = "http://terminology.hl7.org/CodeSystem/subscription-channel-type"
_NUMBERS = {
    "heartbeatPeriod": (f"{BACKPORT}heartbeat-period", "valueUnsignedInt"),
    "timeout": (f"{BACKPORT}timeout", "valueUnsignedInt"),
    "maxCount": (f"{BACKPORT}max-count", "valuePositiveInt"),
}
_PLAIN = {"endpoint": "endpoint", "payload": "contentType"}
_SAFE = "/|,:$-"


def _topic(element: Element, place: Place) -> None:
    """R4 -> R5."""
    topic, shadow = str(element.pop("criteria", "")), as_object(element.pop("_criteria", None))
    if "?" in topic or ":" not in topic:
        place.refuse("criteria", "R5 subscribes to a topic of the server, not to a search")
    element["topic"] = topic
    texts = [
        str(each.get("valueString")) for each in objects(shadow.get("extension")) if each.get("url") == FILTER
    ]
    filters = [each for text in texts for each in _filters(text)]
    element |= {"filterBy": filters} if filters else {}
    channel = as_object(element.pop("channel", None))
    element["channelType"] = _custom(channel) or {"system": CHANNEL, "code": channel.get("type")}
    element |= {r5: channel[r4] for r4, r5 in _PLAIN.items() if r4 in channel}
    parameters = [_parameter(str(each), place) for each in as_list(channel.get("header"))]
    element |= {"parameter": parameters} if parameters else {}
    _amounts(element, channel)


def _amounts(element: Element, channel: Element) -> None:
    told = {each.get("url"): each for each in objects(channel.get("extension"))}
    for name, (url, value) in _NUMBERS.items():
        if value in told.get(url, {}):
            element[name] = told[url][value]
    shadow = objects(as_object(channel.get("_payload")).get("extension"))
    content = [each.get("valueCode") for each in shadow if each.get("url") == CONTENT]
    element |= {"content": content[0]} if content else {}


def _custom(channel: Element) -> Element | None:
    """Return a kind of channel that R4 does not know."""
    told = objects(as_object(channel.get("_type")).get("extension"))
    return next((each["valueCoding"] for each in told if each.get("url") == KIND), None)


def _filters(text: str) -> list[Element]:
    kind, _, query = text.partition("?")
    found = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        parameter, _, modifier = name.partition(":")
        if value:
            found.append(
                {
                    **({"resourceType": kind} if kind else {}),
                    "filterParameter": parameter,
                    **({"modifier": modifier} if modifier else {}),
                    "value": unquote(value),
                }
            )
    return found


def _parameter(header: str, place: Place) -> Element:
    name, _, value = header.partition(":")
    if not value.strip():
        place.refuse("channel.header", "it is not a name and a value")
    return {"name": name.strip(), "value": value.strip()}


def _criteria(element: Element, _: Place) -> None:
    """R5 -> R4."""
    element["criteria"] = element.pop("topic", None)
    filters: dict[str, list[str]] = {}
    for each in objects(element.pop("filterBy", None)):
        filters.setdefault(_kind(each), []).append(_condition(each))
    texts = [f"{kind}?{'&'.join(conditions)}" for kind, conditions in filters.items()]
    if texts:
        element["_criteria"] = {"extension": [{"url": FILTER, "valueString": text} for text in texts]}
    element["channel"] = _channel(element)


def _channel(element: Element) -> Element:
    kind = as_object(element.pop("channelType", None))
    channel: Element = {"type": kind.get("code")}
    if kind.get("system") != CHANNEL:  # R4 requires one of its own; a webhook is how the Backport has it
        channel = {"type": "rest-hook", "_type": {"extension": [{"url": KIND, "valueCoding": kind}]}}
    channel |= {r4: element.pop(r5) for r4, r5 in _PLAIN.items() if r5 in element}
    parameters = objects(element.pop("parameter", None))
    if parameters:
        channel["header"] = [f"{each.get('name')}: {each.get('value')}" for each in parameters]
    numbers = [
        {"url": url, key: element.pop(name)} for name, (url, key) in _NUMBERS.items() if name in element
    ]
    channel |= {"extension": numbers} if numbers else {}
    if "content" in element:
        channel["_payload"] = {"extension": [{"url": CONTENT, "valueCode": element.pop("content")}]}
    return channel


def _kind(condition: Element) -> str:
    return str(condition.get("resourceType", "")).rsplit("/", 1)[-1]


def _condition(condition: Element) -> str:
    modifier, comparator = condition.get("modifier"), condition.get("comparator")
    name = f"{condition.get('filterParameter')}{f':{modifier}' if modifier else ''}"
    prefix: Any = comparator if comparator not in (None, "eq") else ""
    return f"{name}={prefix}{quote(str(condition.get('value')), safe=_SAFE)}"


SUBSCRIPTION: tuple[Step, ...] = (
    Codes("status", r4={"entered-in-error": "off"}),
    Irregular(_topic, _criteria),
    Demanded("R4", "reason"),
    Only("R4", "error", "string"),
    Only("R5", "identifier", "Identifier", many=True),
    Only("R5", "name", "string"),
    Only("R5", "managingEntity", "Reference"),
)
