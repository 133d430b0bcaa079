"""What the page of a person with type 1 diabetes shows, and what can be tried on the twin."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.log import AuditUnavailable
from gateway.storage import scores
from gateway.web.pages.exploring import FIELDS
from tests.gateway.web import planted
from tests.gateway.web.planted import NOW
from tests.gateway.web.signing import OWN_PAGE, signed_in
from twin_engine import store

EARLIER = NOW - timedelta(hours=1)
USUAL = {field.name: f"{field.usual:g}" for field in FIELDS}


class FullLog:
    """An audit log that can take no more."""

    def append(self, *events: object) -> tuple[int, ...]:
        raise AuditUnavailable("full")


@pytest.fixture(scope="module")
def clock():
    return planted.Clock()


@pytest.fixture(scope="module")
def services(tmp_path_factory, clock):
    return planted.gateway(tmp_path_factory.mktemp("gateway"), clock)


@pytest.fixture(scope="module")
def twin(services):
    """A twin that foretold an hour ago, and again now."""
    [twin_id] = planted.plant(services, [planted.on_a_pump(EARLIER)]).values()
    since = [planted.reading(EARLIER + timedelta(minutes=5 * n)) for n in range(1, 13)]
    planted.renew(services, twin_id, since, NOW)
    return twin_id


@pytest.fixture(scope="module")
def page(services, twin):
    return signed_in(services).get(f"/twins/{twin}").text


def tried(services, twin, headers=OWN_PAGE, model="type-1-diabetes", **numbers):
    return signed_in(services).post(f"/twins/{twin}/try/{model}", data=USUAL | numbers, headers=headers)


def drawings(text):
    """Return label and content of each drawing with a forecast."""
    return re.findall(r'<svg viewBox="0 0 720 240" role="img" aria-label="([^"]*)">(.*?)</svg>', text, re.S)


def test_the_fan_shows_what_is_foretold_and_what_was_measured_before(page):
    label, drawn = drawings(page)[0]
    assert label.startswith("Interstitial glucose, mg/dL: at the end about ")
    assert re.search(r"; \d+ % of the forecasts between [\d.]+ and [\d.]+; \d+ values measured before", label)
    assert drawn.count("<polygon") == 2
    assert drawn.count("<circle") == 37
    assert drawn.count('line class="limit"') == 2


def test_an_earlier_forecast_is_shown_with_what_came_after_it(page):
    assert "What was foretold earlier, and what came" in page
    label, drawn = drawings(page)[1]
    assert "12 measured after" in label
    assert label.startswith("Foretold 22 Nov 2026, 13:30 UTC")
    assert drawn.count("<circle") > 12


def test_risks_of_the_next_hours_end_at_a_time_of_day(page):
    assert "Glucose below 70 mg/dL for 15 minutes within 30 minutes" in page
    assert "22 Nov 2026, 15:00 UTC" in page


def test_derived_numbers_stand_with_their_periods_and_intervals(page):
    for said in ("Estimated need of basal insulin", "Mean glucose of the period", "Low blood glucose index"):
        assert said in page
    assert "8 Nov 2026 to 22 Nov 2026" in page
    assert re.search(r"[\d.]+ U/h <span", page)
    assert "mg/dL per U" in page
    assert "[iU]" not in page


def test_a_grade_that_stands_for_a_forecast_is_said_once(page):
    assert page.count("Minimal risk") == 1


def test_what_the_models_say_stands_before_what_they_do_not(page):
    assert page.index("Hypoglycaemia") < page.index("No assessment")


def test_the_profile_is_drawn_with_its_words_and_shares(page):
    [label] = [label for label, _ in drawings(page) if label.startswith("Ambulatory")]
    assert "the middle is highest about 06:00" in label
    assert "14 days with readings from 8 Nov 2026 to 22 Nov 2026" in page
    assert "in 100 % of the time" in page
    shares = [float(found) for found in re.findall(r'<td class="number">([\d.]+) %</td></tr>', page)]
    assert sum(shares[:5]) == pytest.approx(100, abs=0.3)


def test_with_too_few_readings_no_profile_is_drawn_and_the_page_says_so(services):
    [twin] = planted.plant(services, [replace(planted.on_a_pump(NOW, days=5), id="23")]).values()
    page = signed_in(services).get(f"/twins/{twin}").text
    assert "There are too few readings for a profile" in page
    assert not [label for label, _ in drawings(page) if label.startswith("Ambulatory")]
    assert "Where this twin can be trusted, and where not" in page


def test_where_the_twin_can_be_trusted_stands_beside_what_it_says(page):
    assert "Where this twin can be trusted, and where not" in page
    assert "No forecast has been compared yet with what came at this hospital." in page
    assert "A meal or bolus that is not recorded is seen only by its effect" in page


def test_a_week_of_readings_is_told_by_its_newest(page):
    assert page.count('<th scope="row">Interstitial glucose</th>') <= 6
    assert re.search(r"and \d+ earlier", page)


def test_a_model_for_another_disease_is_named_in_one_line_only(services, twin):
    twins = planted.plant(services, planted.cohort()[1:2])
    browser = signed_in(services)
    page, rows = (browser.get(path).text for path in (f"/twins/{twins['18']}", "/twins"))
    assert "Not for this patient: " in page
    assert "Type 1 diabetes twin" in page
    for absent in ("Hypoglycaemia", 'action="/twins/', "Glucose of two weeks"):
        assert absent not in page
    assert rows.count('data-label="Hypoglycaemia"><span class="quiet">\N{EN DASH}</span>') == 1


def test_nothing_can_be_tried_once_the_forecast_has_run_out(services, twin, clock):
    clock.at += timedelta(minutes=31)
    try:
        assert "/try/" not in signed_in(services).get(f"/twins/{twin}").text
        assert tried(services, twin).status_code == 404
    finally:
        clock.at = NOW


def test_a_trial_shows_the_course_with_the_doses_and_without_them(services, twin):
    shown = tried(services, twin, bolus="6", food="30", after="15", basal="120")
    assert shown.status_code == 200
    labels = [label for label, _ in drawings(shown.text)]
    assert [label.split(",")[0] for label in labels] == ["With these doses", "Without them"]
    assert ends(labels[0]) < ends(labels[1])
    assert "not advice and not for treatment" in shown.text
    assert 'value="6"' in shown.text


def ends(label):
    return float(label.split("at the end about ")[1].split(";")[0])


def test_a_trial_stores_nothing(services, twin):
    def known():
        with services.journal.reading() as connection:
            return (
                store.latest_snapshots(connection, services.vault, twin),
                [record.reference for record in store.current_evidence(connection, services.vault, twin)],
            )

    before = known()
    assert tried(services, twin, bolus="3").status_code == 200
    assert known() == before


def test_a_trial_is_decided_and_on_record_before_it_is_shown(services, twin):
    tried(services, twin)
    kinds = [(entry.leaf.kind, entry.leaf.outcome) for entry in services.audit.for_subject(twin, 2)]
    assert kinds == [("twin-read", "success"), ("consent-decision", "success")]
    browser = signed_in(services)
    browser.application.extensions["didymos"] = replace(services, audit=FullLog())
    refused = browser.post(f"/twins/{twin}/try/type-1-diabetes", data=USUAL, headers=OWN_PAGE)
    assert refused.status_code == 503
    assert "<svg" not in refused.text


@pytest.mark.parametrize("bolus", ["", "-1", "51", "nan", "inf", "many", "1e400"])
def test_a_bad_number_is_refused_with_what_would_be_a_good_one(services, twin, bolus):
    refused = tried(services, twin, bolus=bolus)
    assert (refused.status_code, refused.mimetype) == (400, "text/html")
    assert "Bolus of fast-acting insulin is a number from 0 to 50 U" in refused.text


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {}])
def test_a_trial_that_another_site_sends_is_refused(services, twin, headers):
    assert tried(services, twin, headers).status_code == 403


def test_nothing_can_be_tried_on_a_twin_that_may_not_be_shown(services):
    refusing = replace(planted.on_a_pump(), id="24", directives=(planted.DENIAL,))
    [twin] = planted.plant(services, [refusing]).values()
    refused = tried(services, twin)
    assert refused.status_code == 403
    assert "Olga" not in refused.text


@pytest.mark.parametrize("model", ["prevent", "unknown"])
def test_only_the_model_that_takes_doses_can_be_tried(services, twin, model):
    assert tried(services, twin, model=model).status_code == 404


def test_who_has_not_signed_in_tries_nothing(services, twin):
    browser = signed_in(services).application.test_client()
    answer = browser.post(f"/twins/{twin}/try/type-1-diabetes", data=USUAL, headers=OWN_PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


def test_what_came_of_its_forecasts_at_this_hospital_is_told(services, twin):
    model = services.models["type-1-diabetes"].card
    common = (planted.HOSPITAL, model.name, model.version, 0)
    risk = ("risk", "glucose-below-70-30min", 1800, "female", "18 to 39", "0.0..0.1", True)
    course = ("course", "interstitial-glucose", 1800, "female", "18 to 39", "0.25..0.75", True)
    with services.journal.transaction() as connection:
        scores.add(connection, {(*common, *risk): (40, 1.0, 3.0, 2.5, 0.0)})
        scores.add(connection, {(*common, *course): (40, 300.0, 0.0, 0.0, 2400.0)})
    page = signed_in(services).get(f"/twins/{twin}").text
    assert "What its forecasts came to at this hospital" in page
    assert "3 events where 2.5 were expected" in page
    assert "Interstitial glucose in 30 min" in page
    assert "100.0 % of values inside the 90 % interval" in page
    assert "No forecast has been compared yet" not in page
