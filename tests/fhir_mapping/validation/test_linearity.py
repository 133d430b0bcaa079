"""Ten times the input takes less than twelve times the work, in whatever shape it grows."""

import pytest

from fhir_mapping import validation
from fhir_mapping.validation import structure
from tests.fhir_mapping.effort import growth
from tests.fhir_mapping.sizes import DEEPENING, ENDLESS, GROWING

SHAPES = GROWING | DEEPENING


@pytest.mark.parametrize("made", SHAPES.values(), ids=SHAPES)
def test_the_work_grows_with_the_size_and_not_with_its_square(made):
    assert growth(validation.problems, made(20), made(200)) < 12


@pytest.mark.parametrize("made", SHAPES.values(), ids=SHAPES)
def test_a_full_account_of_the_structure_does_so_as_well(made):
    assert growth(lambda resource: list(structure.faults(resource)), made(20), made(200)) < 12


@pytest.mark.parametrize("resource", ENDLESS.values(), ids=ENDLESS)
def test_a_text_of_a_megabyte_is_judged_to_its_end(resource):
    """Were a pattern to begin anew at each character, this would run for hours."""
    assert validation.problems(resource)
