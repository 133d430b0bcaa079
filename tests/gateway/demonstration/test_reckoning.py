"""Whether what stands in the EHR still says something about its patient."""

import pytest

from gateway.demonstration.reckoning import speaks


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        ({"status": "final", "prediction": [{}]}, True),
        ({"status": "amended"}, True),
        ({"status": "cancelled", "prediction": [{}]}, True),
        ({"prediction": [{}]}, True),
        ({"status": "cancelled"}, False),
        ({"status": "entered-in-error"}, False),
    ],
)
def test_an_assessment_is_silent_only_without_prediction(resource, said):
    assert speaks(resource) is said
