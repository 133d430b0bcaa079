"""A therapy is tried on a twin by who may see it, and nothing is stored or written."""

import orjson
import pytest

from fhir_mapping import course_observation
from tests.fhir_mapping.validators import accepted_by_all
from tests.gateway.web.fhir_ground import EHR, KEY, Ground, consent
from twin_engine import store
from twin_engine.specimen import ordinary
from twin_engine.store import EvidenceRecord
from twin_engine.twin import Subject

SCOPE = "system/RiskAssessment.rs system/Observation.rs"
HOURS = {"name": "hours", "valueDecimal": 24 * 366}


class Exploring(Ground):
    """A ground whose client may try therapies on the twin of p1."""

    def __init__(self, folder):
        super().__init__(folder)
        self.client_id = self.register("exploring", KEY, SCOPE.split())
        self.enrol("p1")
        self.assessment = self.assess("p1")
        self.know("p1")

    def know(self, patient):
        twin = self.services.twin_id(self.hospital, patient)
        known = ordinary(self.services.models["prevent"], "female", self.clock())
        with self.services.journal.transaction() as connection:
            for number, record in enumerate((person(known.subject), record_of(known.items))):
                store.put_evidence(
                    connection, self.services.vault, twin, record, key=f"k{number}", known=self.clock()
                )

    def simulate(self, *parameters, identifier=None, scope=SCOPE, body=None):
        sent = orjson.dumps({"resourceType": "Parameters", "parameter": [*parameters]})
        return self.app.test_client().post(
            f"/fhir/RiskAssessment/{identifier or self.assessment}/$simulate",
            data=sent if body is None else body,
            content_type="application/fhir+json",
            headers=self.bearer(scope=scope),
        )


def person(subject: Subject) -> EvidenceRecord:
    return EvidenceRecord("Patient/p1", "1", None, "0" * 64, subject=subject)


def record_of(items) -> EvidenceRecord:
    return EvidenceRecord("Observation/all", "1", None, "0" * 64, items=tuple(items))


@pytest.fixture
def ground(tmp_path):
    built = Exploring(tmp_path)
    yield built
    built.close()


def test_a_plan_shows_a_course_that_is_marked_as_a_forecast(ground):
    pressure = {
        "name": "signal",
        "part": [
            {"name": "name", "valueCode": "systolic-blood-pressure"},
            {"name": "value", "valueDecimal": 120},
        ],
    }
    as_it_is, lower = ground.simulate(HOURS), ground.simulate(HOURS, pressure)
    assert (as_it_is.status_code, lower.status_code) == (200, 200)
    courses = [each["resource"] for each in lower.json["parameter"] if each["name"] == "course"]
    assert all(accepted_by_all(each) for each in courses)
    assert courses[0]["subject"]["reference"] == f"{EHR}/Patient/p1"
    risks = [first(answer) for answer in (as_it_is, lower)]
    assert risks[1] < risks[0]


def first(answer):
    course = next(each["resource"] for each in answer.json["parameter"] if each["name"] == "course")
    return course_observation.read(course).value.median()[0]


def test_a_trial_is_on_record_before_it_is_shown_and_stores_nothing(ground):
    assert ground.simulate(HOURS).status_code == 200
    [(outcome, _, _, resources)] = ground.events("disclosure")
    assert (outcome, resources) == ("success", (f"RiskAssessment/{ground.assessment}/_history/1",))
    twin = ground.services.twin_id(ground.hospital, "p1")
    with ground.services.journal.reading() as connection:
        assert store.latest_snapshots(connection, ground.services.vault, twin) == ()


def test_a_plan_that_the_model_will_not_try_is_answered_with_its_reasons(ground):
    dose = {
        "name": "dose",
        "part": [
            {"name": "substance", "valueCode": "fast-acting-insulin"},
            {"name": "amount", "valueDecimal": 4},
        ],
    }
    unknown = {
        "name": "signal",
        "part": [{"name": "name", "valueCode": "shoe-size"}, {"name": "value", "valueDecimal": 44}],
    }
    for wrong in (unknown, dose):
        refused = ground.simulate(HOURS, wrong)
        assert refused.status_code == 422
        assert refused.json["resourceType"] == "OperationOutcome"
        assert refused.json["issue"][0]["code"] == "business-rule"


@pytest.mark.parametrize(
    "parameters",
    [
        (),
        (HOURS, HOURS),
        ({"name": "hours", "valueDecimal": 0},),
        ({"name": "hours", "valueString": "many"},),
        (HOURS, {"name": "spell"}),
        (HOURS, {"name": "signal", "part": [{"name": "name", "valueCode": "egfr"}]}),
        (HOURS, {"name": "scaled", "part": [{"name": "factor", "valueBoolean": True}]}),
    ],
)
def test_what_is_no_plan_is_refused_with_a_place(ground, parameters):
    refused = ground.simulate(*parameters)
    assert refused.status_code == 422
    assert refused.json["issue"][0]["expression"]


def test_nonsense_is_refused_and_harms_nothing(ground):
    for body in (b"", b"{", b"[]", b'{"resourceType": "Patient"}', b"\xff"):
        assert ground.simulate(body=body).status_code in {400, 422}
    assert ground.simulate(HOURS).status_code == 200


def test_who_may_not_see_the_twin_may_not_try_anything_on_it(ground):
    ground.enrol("p2", [consent("deny")])
    hidden = ground.assess("p2")
    assert ground.simulate(HOURS, identifier=hidden).status_code == 404
    assert ground.simulate(HOURS, identifier="a" * 32).status_code == 404
    assert ground.simulate(HOURS, scope="system/RiskAssessment.rs").status_code == 403


def test_the_same_trial_shows_the_same_course(ground):
    assert ground.simulate(HOURS).json == ground.simulate(HOURS).json
