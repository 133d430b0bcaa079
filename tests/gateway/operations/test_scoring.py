"""A forecast is scored once, when its outcome arrives; what is withdrawn takes its scores along."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gateway.operations.calibrating import calibrate, standings
from gateway.operations.scoring import PATIENCE, open_score
from gateway.storage import scores
from gateway.storage.schema import awaited_outcome, calibration, forecast_score
from tests.gateway.operations.foretelling import SENSOR, Mute, foretelling, reads
from tests.support import person


@pytest.fixture
def told(site):
    return foretelling(site)


@pytest.fixture
def plain(plain_site):
    return foretelling(plain_site)


def rows(site):
    with site.services.journal.reading() as connection:
        return scores.of_twin(connection, site.twin_id("p1"), None)


def opened(site):
    return [(row.apart, open_score(site.services, row)) for row in rows(site)]


def waiting(site):
    with site.services.journal.reading() as connection:
        return connection.execute(select(func.count()).select_from(awaited_outcome)).scalar_one()


def sums(site):
    with site.services.journal.reading() as connection:
        return connection.execute(
            select(func.sum(calibration.c.n), func.sum(calibration.c.loss), func.sum(calibration.c.observed))
        ).one()


def records(site):
    found = standings(site.services, site.hospital_id)["foreteller"].records
    return {str(one.group): one for one in found if not one.group.people}


def test_a_forecast_is_scored_as_its_outcomes_arrive(told):
    reads(told, 100)
    assert rows(told) == []
    for value in (104, 115, 100, 65):
        reads(told, value)
    first = [score for _, score in opened(told) if score.made == min(one.made for _, one in opened(told))]
    found = {(score.what, score.horizon // 60): score for score in first}
    assert {key: one.between for key, one in found.items()} == {
        ("interstitial-glucose", 15): (0.5, 0.95),
        ("interstitial-glucose", 30): (0.95, 1.0),
        ("interstitial-glucose", 60): (0.0, 0.05),
        ("clinical-deterioration", 60): (0.1, 0.2),
    }
    low = found["clinical-deterioration", 60]
    assert (low.observed, low.expected, low.loss) == (1.0, 0.1, pytest.approx(0.81))
    assert (low.sex, low.band) == ("female", "40 to 64")
    # Pinball losses of 4 above the median: 0.05 * 14, 0.5 * 4, 0.05 * 6.
    assert found["interstitial-glucose", 15].loss == pytest.approx((0.7 + 2.0 + 0.3) / 3)
    assert found["interstitial-glucose", 15].width == 20.0


def test_what_is_told_twice_is_scored_once(told):
    for _ in range(3):
        reads(told, 100)
    before = rows(told)
    twice = next(one for one in told.ehr.all("Observation"))
    told.tell(told.ehr.enter(twice))
    told.run()
    assert [row.id for row in rows(told)] == [row.id for row in before]
    assert len({(row.made, row.kind, row.what, row.horizon) for row in before}) == len(before)


def test_who_and_how_it_went_is_sealed(plain):
    for _ in range(3):
        reads(plain, 100)
    with plain.services.journal.reading() as connection:
        stored = connection.execute(select(forecast_score)).mappings().all()
    assert {*stored[0]} - {"sealed"} == {
        *("id", "twin", "hospital", "model", "version", "kind", "what", "horizon", "made", "until"),
        *("apart", "counted"),
    }
    assert not any(b"female" in row["sealed"] or b"40 to 64" in row["sealed"] for row in stored)


def test_forecasts_that_overlap_do_not_stand_apart(plain):
    for _ in range(14):
        reads(plain, 100, minutes=10)
    hourly = sorted((score.made, apart) for apart, score in opened(plain) if score.horizon == 3600)
    begun = [made for made, apart in hourly if apart]
    assert len(hourly) > 2 * len(begun)
    assert all(later - one >= timedelta(hours=1) for one, later in zip(begun[::2], begun[2::2], strict=False))


def test_outcomes_that_arrive_late_are_scored_late(plain):
    reads(plain, 100)
    made = plain.clock()
    plain.clock.advance(hours=20)
    for minutes in (15, 30, 60):
        name = f"late-{minutes}"
        late = person.fhir.measurement(name, "p1", SENSOR, 100, made + timedelta(minutes=minutes))
        plain.tell(plain.ehr.enter(late))
    plain.run()
    assert {score.horizon // 60 for _, score in opened(plain) if score.made == made} == {15, 30, 60}


def test_a_forecast_whose_outcome_nobody_saw_is_given_up(plain):
    reads(plain, 100)
    assert waiting(plain) == 1
    plain.clock.advance(days=PATIENCE.days, hours=2)
    plain.tell(plain.ehr.enter(person.cholesterol("other", "p1", 200, plain.clock())))
    plain.run()
    assert rows(plain) == []
    assert waiting(plain) == 0


def test_scores_are_summed_up_by_the_sweeper_once(told):
    for value in (100, 104, 115, 100, 65):
        reads(told, value)
    scored = len(rows(told))
    for _ in range(3):
        calibrate(told.services)
    assert sums(told)[0] == scored
    found = records(told)
    assert found["interstitial glucose in 30 min"].n == 3
    assert found["interstitial glucose in 30 min"].coverage == pytest.approx(1 / 3)
    assert found["clinical deterioration in 60 min"].observed == 1.0


def test_an_amended_value_takes_away_the_scores_that_rest_on_it(told):
    reads(told, 100)
    wrong, at = reads(told, 300), told.clock()
    for _ in range(4):
        reads(told, 100)
    calibrate(told.services)
    before = {row.id for row in rows(told)}
    observation = next(one for one in told.ehr.all("Observation") if one["id"] == wrong)
    told.clock.advance(seconds=30)
    told.tell(told.ehr.enter(person.amended(observation, 101)))
    told.run()
    left = rows(told)
    assert {row.id for row in left} < before
    calibrate(told.services)
    assert sums(told)[0] == len(left)
    assert all(score.made > at or score.until < at for _, score in opened(told))
    assert sums(told)[1] == pytest.approx(sum(score.loss for _, score in opened(told)))


def test_a_withdrawn_consent_takes_away_all_scores(told):
    for value in (100, 60, 100, 100, 100):
        reads(told, value)
    calibrate(told.services)
    reads(told, 100)
    told.clock.advance(minutes=1)
    told.tell(told.ehr.enter(person.denial("c1", "p1", told.clock())))
    told.run()
    assert rows(told) == []
    assert waiting(told) == 0
    assert sums(told) == (0, pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))
    assert records(told) == {}


def test_scores_of_an_erased_twin_are_in_no_sum(plain):
    for _ in range(3):
        reads(plain, 100)
    plain.services.vault.destroy(f"twin/{plain.twin_id('p1')}")
    calibrate(plain.services)
    assert sums(plain)[0] is None


def test_old_scores_are_dropped_and_stay_in_the_sums(plain):
    for _ in range(3):
        reads(plain, 100)
    calibrate(plain.services)
    counted = sums(plain)[0]
    plain.clock.advance(days=93)
    for _ in range(2):
        reads(plain, 100)
    calibrate(plain.services)
    assert sums(plain)[0] == counted + len(rows(plain))
    assert all(row.made > counted for row in rows(plain))


def test_a_model_that_tells_no_outcomes_is_scored_on_its_courses(plain_site):
    site = foretelling(plain_site, Mute())
    for _ in range(6):
        reads(site, 100)
    assert {score.kind for _, score in opened(site)} == {"course"}
    assert standings(site.services, site.hospital_id)["foreteller"].verdict is None
