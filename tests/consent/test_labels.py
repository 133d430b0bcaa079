import pytest

from consent.labels import denied_by, permitted_by, sensitive


def split(text: str) -> frozenset[str]:
    return frozenset(text.split())


@pytest.mark.parametrize(
    ("codes", "data", "denied", "permitted"),
    [
        ("N", "", True, True),
        ("R", "", False, False),
        ("R", "N", False, False),
        ("R", "R", True, True),
        ("R", "V", True, False),
        ("N", "R", True, False),
        ("V", "N R", False, False),
        ("N R", "N R", True, True),
        ("N R", "ETHUD R", True, True),
        ("R", "PSY", True, True),
        ("PSY", "", False, False),
        ("PSY", "PSY", True, True),
        ("PSY", "PSY R", True, True),
        ("PSY", "PSY HIV R", True, False),
        ("PSY SDV", "PSY SDV", True, True),
        ("N PSY", "HIV", True, False),
        ("ETH", "ETHUD", True, True),
        ("SUD", "OPIOIDUD", True, True),
        ("ETHUD", "ETH", False, False),
        ("N", "HTEST", True, True),
        ("PSY", "UNHEARD-OF", False, False),
    ],
)
def test_a_denial_reaches_upwards_and_a_permission_covers_every_label(codes, data, denied, permitted):
    assert (denied_by(split(codes), split(data)), permitted_by(split(codes), split(data))) == (
        denied,
        permitted,
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", False),
        ("N", False),
        ("L HTEST", False),
        ("R", True),
        ("N V", True),
        ("PSY", True),
        ("UNHEARD-OF", True),
    ],
)
def test_more_than_normal_is_sensitive(data, expected):
    assert sensitive(split(data)) is expected
