"""What a model foretold that is not on is not read from our FHIR address, before it is even taken back."""

from __future__ import annotations

import pytest

from gateway.operations.switches import Word, turn
from tests.gateway.web.fhir_ground import Ground


@pytest.fixture
def ground(tmp_path):
    built = Ground(tmp_path)
    yield built
    built.close()


@pytest.mark.parametrize("state", ["silent", "off"])
def test_nobody_reads_a_model_that_is_not_on(ground, state):
    twin = ground.enrol("p1")
    shown = ground.assess("p1")
    assert ground.get(f"/fhir/RiskAssessment/{shown}").status_code == 200
    turn(ground.services, Word("prevent", state, "A. Person", "a recall"))
    assert ground.queue.calls == [twin]
    assert ground.get(f"/fhir/RiskAssessment/{shown}").status_code == 404
    assert ground.get(f"/fhir/RiskAssessment/{shown}/_history/1").status_code == 404
    assert ground.get(f"/fhir/Provenance/{shown}-1").status_code == 404
    assert ground.get("/fhir/RiskAssessment?patient=p1").json.get("entry", []) == []
    turn(ground.services, Word("prevent", "on", "A. Person", "mended"))
    assert ground.get(f"/fhir/RiskAssessment/{shown}").status_code == 200
