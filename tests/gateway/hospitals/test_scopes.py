"""The granted scope is compared letter by letter, in both forms."""

import pytest

from gateway.hospitals.scopes import first_form, missing


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        (["system/Observation.rs"], ()),
        (["system/Observation.cruds"], ()),
        (["system/*.rs"], ()),
        (["system/*.read"], ()),
        (["system/Observation.*"], ()),
        (["system/Observation.r", "system/*.s"], ()),
        (["system/Observation.r"], ("system/Observation.s",)),
        (["system/Observation.write"], ("system/Observation.rs",)),
        (["system/Patient.rs"], ("system/Observation.rs",)),
        (["user/Observation.rs", "patient/*.rs"], ("system/Observation.rs",)),
        (["system/Observation.rs?category=laboratory"], ("system/Observation.rs",)),
        (["system/observation.rs"], ("system/Observation.rs",)),
        (["system/Observation.sr"], ("system/Observation.rs",)),
        (["system/Observation."], ("system/Observation.rs",)),
        ([], ("system/Observation.rs",)),
    ],
)
def test_what_is_missing_is_named(granted, lacking):
    assert missing(["system/Observation.rs"], granted) == lacking


def test_an_ehr_that_knows_only_the_first_form_is_asked_in_it():
    asked = ["system/Observation.rs", "system/RiskAssessment.crus", "system/Provenance.c"]
    assert first_form(asked) == (
        "system/Observation.read",
        "system/RiskAssessment.read",
        "system/RiskAssessment.write",
        "system/Provenance.write",
    )
