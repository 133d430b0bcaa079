"""A model is on, silent or off; one that drifts is silenced by itself. Nobody is shown what is not on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from gateway.app import create
from gateway.cli import main
from gateway.errors import BadRequest
from gateway.operations import portrait
from gateway.operations.calibrating import standings
from gateway.operations.diagnosis import examine
from gateway.operations.disclosure import Reader
from gateway.operations.people import Person
from gateway.operations.switches import Word, states, switches, turn
from gateway.operations.synchronise import update
from gateway.storage.schema import forecast_score
from gateway.wiring import wire
from tests.gateway.operations.foretelling import CARD, Foreteller, Mute, foretelling, reads
from tests.gateway.web.signing import signed_in
from tests.support import person
from tests.support import site as sites
from twin_engine import store

CLINICIAN = Reader(Person("eva", "Dr Eva Brandt", "clinician"), "request")


@pytest.fixture
def told(site):
    """A hospital that was told one forecast."""
    site = foretelling(site)
    reads(site, 100)
    return site


@pytest.fixture
def plain(plain_site):
    site = foretelling(plain_site)
    reads(site, 100)
    return site


def say(site, state, hospital=""):
    count = turn(site.services, Word("foreteller", state, "A. Person", "a recall", hospital))
    site.clock.advance(seconds=1)
    site.run()
    return count


def standing(site):
    (only,) = site.ehr.all("RiskAssessment")
    return only


def snapshots(site):
    with site.services.journal.reading() as connection:
        return store.latest_snapshots(connection, site.services.vault, site.twin_id("p1"))


def scored(site):
    with site.services.journal.reading() as connection:
        return connection.execute(select(func.count()).select_from(forecast_score)).scalar_one()


def state(site, name="foreteller"):
    with site.services.journal.reading() as connection:
        return states(connection, site.services, site.hospital_id)[name]


def details(site):
    log = site.services.audit
    return [entry.operational.detail for entry in log.entries(0, log.size_and_root()[0])]


def test_a_stopped_model_is_taken_back_and_not_computed(told):
    assert "prediction" in standing(told)
    assert say(told, "off") == 1
    assert "prediction" not in standing(told)
    assert "not shown at this site" in standing(told)["note"][-1]["text"]
    (before,) = snapshots(told)
    reads(told, 120)
    assert snapshots(told) == (before,)
    assert "prediction" not in standing(told)


def test_a_silent_model_is_computed_and_scored_and_shown_to_nobody(told):
    say(told, "silent")
    assert "prediction" not in standing(told)
    for _ in range(3):
        reads(told, 100)
    assert snapshots(told)[0].valid == told.clock()
    assert scored(told) > 0
    assert "prediction" not in standing(told)
    shown = portrait.one(told.services, CLINICIAN, told.twin_id("p1"))
    assert shown.told == ()
    assert [switch.said for switch in shown.not_shown] == [
        "silent since 2026-03-02 08:15Z by A. Person: a recall"
    ]


def test_a_started_model_speaks_again(told):
    say(told, "off")
    assert say(told, "on") == 1
    assert "prediction" in standing(told)
    assert state(told) == "on"


def test_who_stopped_it_and_why_stands_in_the_audit_log(plain):
    say(plain, "off")
    assert "model foreteller off at every EHR by A. Person: a recall" in details(plain)


def test_a_model_is_stopped_at_one_hospital_alone(plain):
    other = sites.join(plain.services, plain.queue, plain.clock, "clinic")
    say(plain, "off", plain.hospital_id)
    assert (state(plain), state(other)) == ("off", "on")


def test_what_is_stopped_everywhere_cannot_be_started_at_one_hospital(plain):
    say(plain, "silent")
    with pytest.raises(BadRequest, match="everywhere first"):
        say(plain, "on", plain.hospital_id)
    say(plain, "on")
    say(plain, "silent", plain.hospital_id)
    say(plain, "on", plain.hospital_id)
    assert state(plain) == "on"


def test_a_person_stops_every_version(plain):
    say(plain, "off")
    newer = Foreteller(card=replace(CARD, version="2"))
    assert state(replace(plain, services=replace(plain.services, models={"foreteller": newer}))) == "off"


def test_a_word_needs_a_name_a_reason_and_a_model_that_is_there(plain):
    for word in (
        Word("foreteller", "off", " ", "why"),
        Word("foreteller", "off", "who", ""),
        Word("foreteller", "off", "who", "x" * 201),
        Word("another", "off", "who", "why"),
    ):
        with pytest.raises(BadRequest):
            turn(plain.services, word)
    assert state(plain) == "on"


def test_what_waits_to_be_written_is_not_written_after_the_stop(told):
    told.clock.advance(minutes=5)
    before = told.ehr.versions("RiskAssessment", standing(told)["id"])
    observation = person.amended(next(iter(told.ehr.all("Observation"))), 130)
    told.tell(told.ehr.enter(observation))
    told.queue.lose()
    assert update(told.services, told.twin_id("p1")) is not None
    turn(told.services, Word("foreteller", "silent", "A. Person", "a recall"))
    calls = told.queue.lose()
    told.services.queue.deliver(told.twin_id("p1"))
    told.run()
    assert "prediction" not in standing(told)
    assert told.ehr.versions("RiskAssessment", standing(told)["id"]) == before + 1
    assert calls


def test_a_stop_holds_here_though_the_ehr_is_away(plain):
    plain.ehr.away = True
    say(plain, "off")
    assert not plain.assessments("p1")["foreteller"].live
    plain.ehr.away = False
    plain.clock.advance(minutes=10)
    plain.sweep()
    assert "prediction" not in standing(plain)


def test_a_site_chooses_which_models_are_on_by_default(tmp_path):
    quiet = foretelling(sites.site(sites.settings(tmp_path)), by_default="prevent, news2")
    reads(quiet, 100)
    assert state(quiet) == "off"
    assert quiet.ehr.all("RiskAssessment") == []
    say(quiet, "on", quiet.hospital_id)
    assert "prediction" in standing(quiet)


def drifting(site):
    """Let the intervals of the model hold nothing, until it is found out."""
    site = foretelling(site)
    for number in range(14):
        reads(site, 100 + 60 * (number % 2))
        site.sweep()
        if state(site) != "on":
            return site
    raise AssertionError("it was never found out")


@pytest.fixture(scope="module")
def drifted(tmp_path_factory):
    """A site whose model was found out; tests leave it silent."""
    return drifting(sites.site(sites.settings(tmp_path_factory.mktemp("drifted"))))


def test_a_model_that_drifts_is_silenced_by_itself(drifted):
    assert "prediction" not in standing(drifted)
    with drifted.services.journal.reading() as connection:
        held = switches(connection, drifted.services, drifted.hospital_id)["foreteller"]
    assert (held.state, held.by) == ("silent", "didymos")
    assert held.reason.startswith("intervals too narrow: interstitial glucose in 15 min")
    said = f"model foreteller 1 silent at {drifted.hospital_id}: drifting: {held.reason}"
    assert said in details(drifted)


def test_a_model_that_was_silenced_is_still_scored(drifted):
    before = scored(drifted)
    reads(drifted, 100)
    assert scored(drifted) > before


def test_another_version_is_judged_by_its_own_outcomes(drifted):
    newer = Foreteller(card=replace(CARD, version="2"))
    site = replace(drifted, services=replace(drifted.services, models={"foreteller": newer}))
    assert state(site) == "on"
    assert standings(site.services, site.hospital_id)["foreteller"].records == ()


def test_a_model_started_again_is_judged_anew(site):
    drifted = drifting(site)
    say(drifted, "on", drifted.hospital_id)
    reads(drifted, 100)
    drifted.sweep()
    assert state(drifted) == "on"
    found = standings(drifted.services, drifted.hospital_id)["foreteller"]
    assert found.verdict is not None
    assert found.verdict.state == "sound"


def test_drift_is_told_by_health_metrics_and_page(drifted):
    web = create(drifted.services).test_client()
    assert web.get("/health").json["models_not_on"] == ["foreteller"]
    lines = web.get("/metrics").text.splitlines()
    place = f'hospital="{drifted.hospital_id}",model="foreteller"'
    assert f'didymos_model_state{{{place},state="silent",version="1"}} 1.0' in lines
    assert f'didymos_model_drifting{{{place},version="1"}} 1.0' in lines
    page = signed_in(drifted.services).get(f"/twins/{drifted.twin_id('p1')}").text
    assert "FORETELLER 1 is not shown at this hospital" in page
    assert "intervals too narrow" in page


def test_a_model_without_limits_is_only_scored(plain_site):
    site = foretelling(plain_site, Mute())
    for number in range(12):
        reads(site, 100 + 60 * (number % 2))
        site.sweep()
    assert state(site) == "on"
    assert standings(site.services, site.hospital_id)["foreteller"].records[0].n > 0


def test_the_page_tells_how_a_model_did(plain):
    for _ in range(5):
        reads(plain, 100)
    plain.sweep()
    page = signed_in(plain.services).get(f"/twins/{plain.twin_id('p1')}").text
    assert "Clinical deterioration in 60 min: 2 forecasts, 0 events where 0.2 were expected" in page
    assert "Interstitial glucose in 15 min: 5 forecasts, 100.0 % of values inside the 90 % interval" in page
    assert "Within the limits that the model promises" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["model", "list"], "prevent"),
        (["model", "scores", "prevent"], "coverage"),
        (
            ["model", "stop", "prevent", "--by", "A. Person", "--reason", "a recall"],
            "prevent is off everywhere",
        ),
        (
            ["model", "silence", "news2", "--hospital", "ward", "--by", "A. Person", "--reason", "a recall"],
            "news2 is silent at ward; 0 twins are updated",
        ),
        (["model", "start", "news2", "--by", "A. Person", "--reason", "mended"], "news2 is on everywhere"),
    ],
    ids=lambda words: words[1] if isinstance(words, list) else None,
)
def test_the_command_is_understood(plain_site, words, said):
    answered = CliRunner().invoke(main, words, env=plain_site.services.settings.environment())
    assert (answered.exit_code, answered.exception) == (0, None)
    assert said in answered.output


def test_the_command_says_in_one_line_what_is_wrong(plain_site):
    words = ["model", "stop", "nothing", "--by", "A", "--reason", "b"]
    answered = CliRunner().invoke(main, words, env=plain_site.services.settings.environment())
    assert answered.exit_code == 1
    assert answered.output.startswith("Error: no model is called nothing")


def test_the_doctor_finds_a_default_that_no_model_has(tmp_path):
    chosen = sites.settings(tmp_path, models="prevent prevnt")
    (found,) = [one for one in examine(chosen, lambda _: wire(chosen)) if one.what == "models by default"]
    assert (found.ok, found.text) == (False, "not registered: prevnt")
