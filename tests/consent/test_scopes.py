import pytest

from consent.decision import decide
from consent.policy import load_policy
from consent.scopes import covers
from tests.consent.sample import request


@pytest.mark.parametrize(
    ("granted", "resource_type", "interactions", "expected"),
    [
        ("system/Observation.rs", "Observation", "rs", True),
        ("system/Observation.r system/Observation.s", "Observation", "rs", True),
        ("system/Observation.r", "Observation", "rs", False),
        ("system/*.cruds", "Observation", "cruds", True),
        ("system/*.rs", "*", "rs", True),
        ("system/Observation.rs", "*", "r", False),
        ("user/Observation.read", "Observation", "rs", True),
        ("patient/Observation.write", "Observation", "r", False),
        ("system/Observation.*", "Observation", "cruds", True),
        ("system/Condition.rs", "Observation", "r", False),
        ("system/Observation.rs?category=laboratory", "Observation", "r", False),
        ("system/Observation.sr", "Observation", "r", False),
        ("system/Observation.", "Observation", "r", False),
        ("System/Observation.rs", "Observation", "r", False),
        ("openid launch/patient", "Observation", "r", False),
        ("", "Observation", "r", False),
        ("", "Observation", "", True),
    ],
)
def test_scopes_cover_by_type_and_letter(granted, resource_type, interactions, expected):
    assert covers(granted.split(), resource_type, interactions) is expected


def test_a_scope_with_a_newline_in_it_is_no_scope():
    assert not covers(["system/Observation.rs\n"], "Observation", "r")


@pytest.mark.parametrize(
    ("changes", "permitted"),
    [
        ({"scopes": None}, True),
        ({"scopes": frozenset({"system/Observation.rs"})}, True),
        ({"scopes": frozenset({"system/Observation.r"})}, False),
        ({"scopes": frozenset()}, False),
        ({"scopes": frozenset({"system/Observation.rs"}), "classes": frozenset()}, False),
        ({"scopes": frozenset(), "act": "use"}, True),
        ({"scopes": frozenset({"system/Observation.r"}), "act": "disclose"}, True),
        ({"scopes": frozenset({"system/Observation.r"}), "act": "disclose", "interactions": "cu"}, False),
        ({"scopes": frozenset({"system/Observation.cud"}), "act": "disclose", "interactions": "cu"}, True),
    ],
)
def test_scopes_are_a_ceiling(changes, permitted):
    assert decide(request(**changes), (), load_policy("treat-when-silent")).permitted is permitted


def test_scopes_alone_permit_nothing():
    assert not decide(request(scopes=frozenset({"system/*.cruds"})), (), load_policy("deny")).permitted
