"""Known outcomes: the example Consents of IHE Privacy Consent on FHIR against its example resources.

Expectations follow the notes that accompany each example in that guide.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consent.evaluation import evaluate
from consent.period import Period
from consent.policy import Directive, Provision
from tests.consent.sample import request

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "consent-pcf"

if not FOLDER.is_dir():
    pytest.skip("the IHE PCF examples (../shared/data/consent-pcf) are absent", allow_module_level=True)

AUTHOR, PRACTITIONER, CLERK = (
    "Practitioner/ex-author",
    "Practitioner/ex-practitioner",
    "Practitioner/ex-clerk",
)
PRIVILEGED = "Group/ex-privilegedUsers"


def instant(text: str | None, *, end: bool = False) -> datetime | None:
    if text is None:
        return None
    read = datetime.fromisoformat(text)
    if read.tzinfo:
        return read
    return read.replace(tzinfo=UTC) + (timedelta(days=1, microseconds=-1) if end else timedelta())


def period(element: dict | None) -> Period | None:
    return element and Period(instant(element.get("start")), instant(element.get("end"), end=True))


def provision(element: dict) -> Provision:
    data = element.get("data", [])
    return Provision(
        element.get("type"),
        period=period(element.get("period")) or Period(),
        actors=frozenset(actor["reference"]["reference"] for actor in element.get("actor", [])),
        purposes=frozenset(purpose["code"] for purpose in element.get("purpose", [])),
        labels=frozenset(label["code"] for label in element.get("securityLabel", [])),
        data_period=period(element.get("dataPeriod")),
        data=frozenset(datum["reference"]["reference"] for datum in data),
        unknown=any(datum["meaning"] != "instance" for datum in data),
        provisions=tuple(map(provision, element.get("provision", []))),
    )


def example(name: str) -> Directive:
    content = json.loads((FOLDER / f"ex-{name}.json").read_text())
    return Directive(
        id=content["id"],
        version="1",
        status=content["status"],
        scope=content["scope"]["coding"][0]["code"],
        categories=frozenset(content["category"][0]["coding"][0]["code"]),
        root=provision(content["provision"]),
    )


def outcome(consent: str, resource: str, actor: str, purpose: str) -> str:
    content = json.loads((FOLDER / f"ex-{resource}.json").read_text())
    when = content["effectiveDateTime"]
    asked = request(
        purpose=purpose,
        actors=frozenset({actor}),
        at=datetime(2024, 1, 1, tzinfo=UTC),
        act="disclose",
        labels=frozenset(label["code"] for label in content["meta"]["security"]),
        data=frozenset({f"Observation/ex-{resource}"}),
        data_period=Period(instant(when), instant(when, end=True)),
    )
    return evaluate(example(consent), asked)


@pytest.mark.parametrize(
    ("consent", "resource", "actor", "purpose", "expected"),
    [
        ("consent-basic-treat", "weight", CLERK, "TREAT", "permit"),
        ("consent-basic-treat", "alcoholUse", CLERK, "TREAT", "permit"),
        ("consent-basic-treat", "weight", CLERK, "HRESCH", "silent"),
        ("consent-basic-reject", "weight", CLERK, "TREAT", "deny"),
        ("consent-basic-reject", "weight", CLERK, "HRESCH", "silent"),
        ("consent-basic-research", "weight", CLERK, "HRESCH", "permit"),
        ("consent-basic-research", "weight", CLERK, "TREAT", "silent"),
        ("consent-expired-treat", "weight", CLERK, "TREAT", "silent"),
        ("consent-intermediate-purpose", "weight", "Organization/ex-org-researcher", "TREAT", "silent"),
        ("consent-intermediate-timeframe", "alcoholUse", CLERK, "TREAT", "permit"),
        ("consent-intermediate-timeframe", "weight", CLERK, "TREAT", "deny"),
        ("consent-intermediate-not-timeframe", "alcoholUse", CLERK, "TREAT", "deny"),
        ("consent-intermediate-not-timeframe", "weight", CLERK, "TREAT", "permit"),
        ("consent-intermediate-data", "weight", CLERK, "TREAT", "permit"),
        ("consent-intermediate-not-data", "alcoholUse", CLERK, "TREAT", "deny"),
        ("consent-intermediate-not-data", "weight", CLERK, "TREAT", "permit"),
        ("consent-intermediate-authoredby", "weight", CLERK, "TREAT", "indeterminate"),
        ("consent-intermediate-not-authoredby", "weight", CLERK, "TREAT", "indeterminate"),
        ("consent-intermediate-encounter", "weight", CLERK, "TREAT", "indeterminate"),
        ("consent-advanced-normal", "weight", CLERK, "TREAT", "permit"),
        ("consent-advanced-normal", "alcoholUse", CLERK, "TREAT", "deny"),
        ("consent-advanced-normal-restricted", "alcoholUse", CLERK, "TREAT", "permit"),
        ("consent-advanced-normal-not-restricted", "weight", CLERK, "TREAT", "permit"),
        ("consent-advanced-normal-not-restricted", "alcoholUse", CLERK, "TREAT", "deny"),
        ("consent-advanced-normal-focused-restricted", "alcoholUse", PRACTITIONER, "TREAT", "permit"),
        ("consent-advanced-normal-focused-restricted", "alcoholUse", CLERK, "TREAT", "deny"),
        ("consent-advanced-normal-focused-psy", "alcoholUse", PRACTITIONER, "TREAT", "deny"),
        ("consent-advanced-normal-focused-psy", "weight", PRACTITIONER, "TREAT", "permit"),
        ("consent-advanced-normal-break-glass-restricted", "alcoholUse", PRIVILEGED, "BTG", "permit"),
        ("consent-advanced-normal-break-glass-restricted", "alcoholUse", PRIVILEGED, "TREAT", "deny"),
        ("consent-advanced-normal-break-glass-restricted", "alcoholUse", CLERK, "BTG", "deny"),
        ("dissent-intermediate-break-glass", "weight", PRIVILEGED, "BTG", "permit"),
        ("dissent-intermediate-break-glass", "weight", PRIVILEGED, "TREAT", "deny"),
        ("dissent-intermediate-break-glass", "weight", AUTHOR, "BTG", "deny"),
    ],
)
def test_published_examples_have_their_published_outcome(consent, resource, actor, purpose, expected):
    assert outcome(consent, resource, actor, purpose) == expected


@pytest.mark.parametrize(
    ("labels", "actor", "expected"),
    [
        ({"PSY", "R"}, PRACTITIONER, "permit"),
        ({"SDV", "PSY", "R"}, PRACTITIONER, "permit"),
        ({"PSY", "HIV", "R"}, PRACTITIONER, "deny"),
        ({"PSY", "R"}, CLERK, "deny"),
    ],
)
def test_a_resource_with_two_sensitivities_needs_permission_for_both(labels, actor, expected):
    asked = request(labels=frozenset(labels), actors=frozenset({actor}))
    assert evaluate(example("consent-advanced-normal-focused-psy-or-sdv"), asked) == expected
