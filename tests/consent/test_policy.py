import pytest

from consent.policy import UnknownPolicy, load_policy, policy_names


def test_the_default_policy_permits_nothing_in_silence():
    assert load_policy("deny").silence == frozenset()


def test_the_treatment_policy_permits_the_three_acts_for_treatment_only():
    silence = {("collect", "TREAT"), ("use", "TREAT"), ("disclose", "TREAT")}
    assert load_policy("treat-when-silent").silence == silence


@pytest.mark.parametrize("name", policy_names())
def test_every_named_policy_loads_and_can_learn_what_patients_want(name):
    policy = load_policy(name)
    assert policy.name == name
    assert policy.lookups
    assert policy.scopes
    assert policy.categories


def test_an_unknown_policy_is_an_error_that_names_the_known_ones():
    with pytest.raises(UnknownPolicy, match="deny, treat-when-silent"):
        load_policy("allow")
