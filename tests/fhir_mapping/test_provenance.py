import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping.errors import Unusable
from fhir_mapping.identity import is_own
from fhir_mapping.provenance import Act, read, render
from tests.fhir_mapping.spoken import AT, BASES, INSTANTS, SOFTWARE, SOFTWARES, SOURCES
from tests.fhir_mapping.validators import accepted_by_all

ACTS = st.builds(
    Act,
    st.from_regex(r"[a-z2-7]{32}-[1-9]", fullmatch=True),
    st.sampled_from(["RiskAssessment/abc123/_history/2", SOURCES[1]]),
    INSTANTS,
    SOFTWARES,
    BASES,
    st.booleans(),
    st.frozensets(st.sampled_from(["R", "PSY", "urn:local|secret"])),
)


@settings(deadline=None)  # the validators are slow at first
@given(ACTS)
def test_an_act_is_valid_for_all_and_reads_back_as_it_was(act):
    rendered = render(act)
    assert accepted_by_all(rendered)
    assert read(orjson.loads(orjson.dumps(rendered))) == act


def test_provenance_names_model_version_code_and_inputs():
    rendered = render(Act("pr1", "RiskAssessment/abc123/_history/2", AT, SOFTWARE, SOURCES, created=False))
    (device,) = rendered["contained"]
    assert [each["value"] for each in device["version"]] == ["1.0.0", "sha256:ab"]
    assert [each["what"]["reference"] for each in rendered["entity"]] == [
        "Observation/1/_history/3", "Observation/2", "Patient/17/_history/1",
    ]  # fmt: skip
    assert rendered["activity"]["coding"][0]["code"] == "UPDATE"
    assert is_own(rendered)


def test_provenance_of_somebody_else_is_refused():
    theirs = render(Act("pr1", SOURCES[0], AT, SOFTWARE, ())) | {"contained": []}
    with pytest.raises(Unusable):
        read(theirs)
