"""Warnings on our FHIR address: what is made of an assessment is shown to whom the assessment is."""

import pytest

from fhir_mapping import communication, detected_issue
from tests.fhir_mapping.validators import accepted_by_all
from tests.gateway.web.fhir_ground import EHR, KEY, Ground, consent

SCOPES = ("system/RiskAssessment.rs", "system/DetectedIssue.rs", "system/Communication.rs")
ALL = " ".join(SCOPES)
KINDS = pytest.mark.parametrize("kind", ["DetectedIssue", "Communication"])


class Watched(Ground):
    """A ground whose client may read warnings."""

    def __init__(self, folder):
        super().__init__(folder)
        self.client_id = self.register("watch", KEY, SCOPES)

    def fetch(self, path, scope=ALL):
        return self.get(f"/fhir/{path}", scope=scope)

    def ids(self, path):
        answer = self.fetch(path)
        assert answer.status_code == 200, answer.data
        return [entry["resource"]["id"] for entry in answer.json.get("entry", ())]


@pytest.fixture
def ground(tmp_path):
    built = Watched(tmp_path)
    yield built
    built.close()


@pytest.fixture
def warned(ground):
    """Return the id of an assessment that warns, among others that do not."""
    for patient, grade in (("calm", "low"), ("near", "low-medium"), ("ahead", None)):
        ground.enrol(patient)
        ground.assess(patient, grade=grade)
    ground.enrol("p1")
    return ground.assess("p1", grade="high")


@KINDS
def test_only_what_warns_is_a_warning(ground, warned, kind):
    assert ground.ids(f"{kind}?patient=p1") == [warned]
    assert ground.ids(kind) == [warned]
    assert ground.ids(f"{kind}?patient=near,calm,ahead") == []
    assert ground.fetch(f"{kind}/{ground.assess('calm', 2, grade='low')}").status_code == 404


@pytest.mark.parametrize("way", [detected_issue, communication], ids=["issue", "communication"])
def test_a_warning_is_shown_with_version_and_leads_to_its_assessment(ground, warned, way):
    kind = {detected_issue: "DetectedIssue", communication: "Communication"}[way]
    answer = ground.fetch(f"{kind}/{warned}")
    assert answer.headers["ETag"] == 'W/"1"'
    assert accepted_by_all(answer.json)
    alert = way.read(answer.json)
    assert (alert.severity, alert.heading.subject) == ("high", f"{EHR}/Patient/p1")
    assert alert.assessment == f"RiskAssessment/{warned}/_history/1"
    assert alert.basis == ("Observation/17/_history/3",)


@KINDS
def test_a_warning_that_is_over_is_not_found(ground, warned, kind):
    ground.clock.forward(minutes=30)
    ground.assess("p1", 2, grade="low")
    assert ground.fetch(f"{kind}/{warned}").status_code == 404
    assert ground.ids(f"{kind}?patient=p1") == []


@KINDS
def test_a_warning_is_in_the_log_before_it_is_shown(ground, warned, kind):
    ground.fetch(f"{kind}/{warned}")
    [shown] = ground.events("disclosure")
    assert shown == ("success", f"client/{ground.client_id}", f"1 {kind}", (f"{kind}/{warned}/_history/1",))
    headers = ground.bearer(scope=ALL)
    assert ground.without_audit().get(f"/fhir/{kind}/{warned}", headers=headers).status_code == 503


@KINDS
def test_who_may_not_see_the_assessment_does_not_see_the_warning(ground, warned, kind):
    ground.enrol("p1", [consent("deny")])
    assert ground.fetch(f"{kind}/{warned}").status_code == 404
    assert ground.ids(f"{kind}?patient=p1") == []
    scope = f"system/{kind}.rs"
    assert ground.fetch(f"{kind}/{warned}", scope).status_code == 403
    assert ground.fetch(f"{kind}/{warned}", "system/RiskAssessment.rs").status_code == 403


def test_pages_of_warnings_pass_over_what_does_not_warn(ground):
    expected = []
    for number in range(7):
        ground.clock.forward(seconds=1)
        ground.enrol(f"n{number}")
        identifier = ground.assess(f"n{number}", grade="medium" if number % 3 == 0 else "low")
        if number % 3 == 0:
            expected.append(identifier)
    first = ground.fetch("DetectedIssue?_count=2").json
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    second = ground.fetch(following.rpartition("/fhir/")[2]).json
    shown = [entry["resource"]["id"] for page in (first, second) for entry in page["entry"]]
    assert shown == expected
