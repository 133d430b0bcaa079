from datetime import UTC, datetime

import pytest

from fhir_mapping.observation import effective
from fhir_mapping.observation.effective import Effective
from tests.fhir_mapping.observation.observations import AT, NOW, WEIGHT, items, observed, ucum

EARLIER = datetime(2026, 1, 10, 7, tzinfo=UTC)
LATER = "2026-01-10T08:00:00Z"
SOONER = "2026-01-10T08:00:00+01:00"
TO_COME = "2026-01-15T13:00:00Z"


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"effectiveDateTime": SOONER}, Effective(EARLIER)),
        ({"effectiveDateTime": "2026-01-10T08:00:00.000Z"}, Effective(AT)),
        ({"effectiveInstant": "2026-01-10T09:00:00.000+01:00"}, Effective(AT)),
        ({"effectivePeriod": {"start": SOONER, "end": LATER}}, Effective(AT, EARLIER)),
        ({"effectivePeriod": {"start": LATER}}, Effective(AT)),
        ({"effectivePeriod": {"end": LATER}}, Effective(AT)),
        ({"effectiveTiming": {"event": [LATER]}}, Effective(AT)),
        ({"effectiveTiming": {"event": [LATER, None, SOONER, LATER]}}, Effective(AT, EARLIER)),
        (
            {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": SOONER, "end": LATER}}}},
            Effective(AT, EARLIER),
        ),
    ],
)
def test_each_kind_of_time_is_read(element, expected):
    assert effective.read(element, NOW) == expected


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2025-03", datetime(2025, 3, 1, tzinfo=UTC)),
        ("2025-03-04", datetime(2025, 3, 4, tzinfo=UTC)),
    ],
)
def test_a_partial_date_stands_for_its_first_moment_and_is_not_exact(text, at):
    for element in ({"effectiveDateTime": text}, {"effectivePeriod": {"end": text}}):
        assert effective.read(element, NOW) == Effective(at, None, exact=False)


def test_a_period_of_a_day_and_a_time_is_not_exact():
    found = effective.read({"effectivePeriod": {"start": "2026-01-10", "end": LATER}}, NOW)
    assert found == Effective(AT, datetime(2026, 1, 10, tzinfo=UTC), exact=False)


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ({}, "the time at which the value was true is not given"),
        ({"issued": LATER}, "the time at which the value was true is not given"),
        ({"effectivePeriod": {}}, "the time at which the value was true is not given"),
        (
            {"effectivePeriod": {"start": "2026-02-30", "end": LATER}},
            "the time is not a FHIR dateTime with its zone",
        ),
        ({"effectiveDateTime": "2026-01-10T08:00:00"}, "the time is not a FHIR dateTime with its zone"),
        (
            {"effectiveTiming": {"event": [LATER, "2026-02-30"]}},
            "the time is not a FHIR dateTime with its zone",
        ),
        ({"effectiveDateTime": TO_COME}, "the time lies in the future"),
        ({"effectivePeriod": {"start": SOONER, "end": TO_COME}}, "the time lies in the future"),
        ({"effectiveTiming": {"event": [SOONER, TO_COME]}}, "the time lies in the future"),
        (
            {"effectiveTiming": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}},
            "the timing names neither an event nor the period that bounds it",
        ),
        (
            {"effectiveTiming": {"code": {"text": "BID"}}},
            "the timing names neither an event nor the period that bounds it",
        ),
    ],
)
def test_what_gives_no_instant_has_its_reason(element, text):
    found = effective.read(element, NOW)
    assert (found.code, found.text, found.expression) == ("time", text, "Observation.effective")


def test_a_value_of_a_period_is_of_its_end_and_knows_its_beginning():
    period = {"start": SOONER, "end": LATER}
    weight = observed(WEIGHT, valueQuantity=ucum(70, "kg"), effectiveDateTime=None, effectivePeriod=period)
    (item,) = items(weight)
    assert (item.time, item.context.began) == (AT, EARLIER)
