import dataclasses
import json
import re
from pathlib import Path

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from fhir_mapping import operation_outcome
from fhir_mapping.errors import Problem, Unusable

# FHIR R4 value set issue-type, as far as the mapping uses it.
ISSUE_TYPES = {
    "invalid", "structure", "required", "value", "code-invalid", "too-long", "not-supported", "business-rule",
    "not-found", "deleted", "extension", "invariant",
}  # fmt: skip


def test_unusable_input_gives_a_valid_outcome_with_its_place():
    outcome = operation_outcome.of(Unusable("value", "no", 422, "Observation.value"))
    assert OperationOutcome.model_validate(outcome).issue[0].expression == ["Observation.value"]
    assert "expression" not in operation_outcome.of(Unusable("structure", "no"))["issue"][0]


def test_every_code_of_a_problem_is_written_as_an_issue_type_of_fhir():
    (field,) = [field for field in dataclasses.fields(Problem) if field.name == "code"]
    assert field.name in Problem.__doc__
    for code in re.findall(r"``([a-z]+)``[,.]", Problem.__doc__.partition("is stable:")[2]):
        assert operation_outcome.render(code, "text")["issue"][0]["code"] in ISSUE_TYPES


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[1] / "golden").glob("*/*.error.json")), ids=lambda p: p.stem
)
def test_every_golden_refusal_has_an_issue_type_of_fhir(path):
    assert json.loads(path.read_text())["code"] in ISSUE_TYPES
