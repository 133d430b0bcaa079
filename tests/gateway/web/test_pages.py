"""What the clinician's pages show, to whom, and what must stand in the audit log before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from audit.log import AuditUnavailable
from gateway.operations.portrait import PAGE
from gateway.web.pages import charts, words
from gateway.web.pages.evidence import link
from tests.gateway.web import planted
from tests.gateway.web.planted import Made
from tests.gateway.web.signing import CLINICIAN, client, signed_in
from twin_engine.twin import Contribution

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class FullLog:
    """An audit log that can take no more."""

    def append(self, *events: object) -> tuple[int, ...]:
        raise AuditUnavailable("full")


@pytest.fixture
def twins(services):
    return planted.plant(services, planted.cohort())


def events_of(services, twin):
    """Return kind, outcome, actor and purpose of the entries about one twin, the newest first."""
    return [
        (
            entry.leaf.kind,
            entry.leaf.outcome,
            entry.operational.actor.split("/")[0],
            entry.operational.purpose,
        )
        for entry in services.audit.for_subject(twin, 10)
    ]


def test_the_list_names_the_patients_the_highest_risk_first(services, twins):
    page = signed_in(services).get("/twins").text
    names = ["Miriam Ada Okafor", "Jonas Lindqvist", "Leila Haddad"]
    assert sorted(names, key=page.index) == names
    assert "Female, 55 years" in page
    assert "High risk" in page
    assert "rising" in page


def test_the_page_of_a_twin_says_what_a_clinician_must_know(services, twins):
    page = signed_in(services).get(f"/twins/{twins['17']}").text
    for said in (
        "Decision support; not for sole use.",
        "Not a medical device.",
        "born 3 May 1971",
        "9.8 %",
        "Total cardiovascular disease within 10 years",
        "11 points",
        "Valid until",
        "What moved it",
        "Diabetes",
        "The published equations give no interval for one person.",
        "the unit is not one of the signal",
        "read back",
        "Intended use",
        "Out of scope",
        "Limitations",
        "10.1161/CIRCULATIONAHA.123.067626",
    ):
        assert said in page, said


def test_evidence_links_to_its_version_in_the_ehr(services, twins):
    page = signed_in(services).get(f"/twins/{twins['17']}").text
    assert f'href="{planted.EHR}/Condition/127/_history/2"' in page


def test_missing_inputs_are_named_and_no_figure_is_given(services, twins):
    page = signed_in(services).get(f"/twins/{twins['19']}").text
    assert "Missing: Total cholesterol." in page
    assert "No assessment" in page
    assert "Total cardiovascular disease within 10 years" not in page


def test_an_expired_assessment_is_marked_in_words(services, twins, clock):
    clock.at += timedelta(hours=13)
    browser = signed_in(services)
    page = browser.get(f"/twins/{twins['17']}").text
    assert "Last result, no longer valid" in page
    assert "Do not use." in page
    assert "Partly expired" in page
    assert "High risk" not in browser.get("/twins").text


def test_a_denied_twin_shows_nothing(services, twins):
    browser = signed_in(services)
    pages = [browser.get("/twins"), browser.get(f"/twins/{twins['21']}")]
    assert [page.status_code for page in pages] == [200, 403]
    assert "not available to you" in pages[0].text
    for page in pages:
        assert "Zzmarker" not in page.text
        assert twins["21"] not in page.text
        assert "onsent" not in page.text
    assert {event[:2] for event in events_of(services, twins["21"])} == {
        ("consent-decision", "minor-failure")
    }


def test_a_twin_whose_consents_were_never_read_shows_nothing(services):
    twins = planted.plant(services, [replace(planted.cohort()[4], directives=None)])
    answer = signed_in(services).get(f"/twins/{twins['21']}")
    assert answer.status_code == 403
    assert "Zzmarker" not in answer.text


def test_labelled_data_is_not_shown(services):
    twins = planted.plant(services, [replace(planted.cohort()[1], labels=frozenset({"R"}))])
    answer = signed_in(services).get(f"/twins/{twins['18']}")
    assert answer.status_code == 403
    assert "Lindqvist" not in answer.text


def test_a_twin_that_may_not_be_used_shows_no_old_assessment(services):
    twins = planted.plant(services, [replace(planted.cohort()[1], state="denied")])
    page = signed_in(services).get(f"/twins/{twins['18']}").text
    assert "Consent does not permit an assessment" in page
    assert "Total cardiovascular disease" not in page


def test_each_view_is_a_decision_and_a_reading_in_the_audit_log(services, twins):
    browser = signed_in(services)
    assert events_of(services, twins["18"]) == []
    browser.get(f"/twins/{twins['18']}")
    assert events_of(services, twins["18"]) == [
        ("twin-read", "success", "Practitioner", "TREAT"),
        ("consent-decision", "success", "Practitioner", "TREAT"),
    ]
    before = services.audit.size_and_root()[0]
    browser.get("/twins")
    assert services.audit.size_and_root()[0] == before + 2 * 4 + 1


@pytest.mark.parametrize("path", ["/twins", "/twins/{twin}"])
def test_nothing_is_shown_while_the_audit_log_takes_no_entry(services, twins, path):
    browser = signed_in(services)
    browser.application.extensions["didymos"] = replace(services, audit=FullLog())
    answer = browser.get(path.format(twin=twins["17"]))
    assert answer.status_code == 503
    assert answer.mimetype == "text/html"
    assert "Okafor" not in answer.text
    assert "Decision support" in answer.text


def test_an_erased_twin_is_gone_and_the_list_goes_on(services, twins):
    services.vault.destroy(f"twin/{twins['17']}")
    browser = signed_in(services)
    assert browser.get(f"/twins/{twins['17']}").status_code == 410
    page = browser.get("/twins").text
    assert "Okafor" not in page
    assert "Lindqvist" in page


def test_an_unknown_twin_is_an_html_page(services, twins):
    answer = signed_in(services).get("/twins/unknown")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_errors_of_the_api_stay_operation_outcomes(services):
    answer = client(services).post("/notifications/unknown")
    assert answer.mimetype == "application/fhir+json"


def test_a_hostile_name_is_escaped(services, twins):
    page = signed_in(services).get(f"/twins/{twins['20']}").text
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("name", [None, "text", [{"family": 1}], [{}], [{"given": [None]}]])
def test_a_name_that_cannot_be_read_is_said_to_be_missing(services, name):
    twins = planted.plant(services, [Made("30", name)])
    assert "Name not recorded" in signed_in(services).get(f"/twins/{twins['30']}").text


@pytest.mark.parametrize(
    "path", ["/sign-in", "/twins", "/twins/{twin}", "/twins/unknown", "/pages/static/pages.css"]
)
def test_every_answer_carries_the_headers_that_confine_it(services, twins, path):
    with signed_in(services).get(path.format(twin=twins["17"])) as answer:
        expected = HEADERS if "static" not in path else {**HEADERS, "Cache-Control": "no-cache"}
        assert {name: answer.headers[name] for name in HEADERS} == expected


def test_a_page_uses_nothing_that_its_policy_forbids(services, twins):
    browser = signed_in(services)
    for path in ("/twins", f"/twins/{twins['17']}", "/sign-in"):
        page = browser.get(path).text
        assert "style=" not in page
        assert "<style" not in page
        assert 'src="http' not in page


def test_the_list_is_cut_into_pages_that_lose_nobody(services):
    planted.plant(
        services, [Made(str(number), [{"text": f"Patient {number}"}]) for number in range(PAGE + 3)]
    )
    browser = signed_in(services)
    first = browser.get("/twins").text
    more = first.split('href="/twins?after=')[1].split('"')[0]
    second = browser.get(f"/twins?after={more}").text
    assert (first.count('scope="row"'), second.count('scope="row"')) == (PAGE, 3)
    assert "More patients" not in second


def test_a_person_of_another_role_sees_no_patient(services, twins):
    browser = signed_in(services)
    with services.journal.transaction() as connection:
        connection.exec_driver_sql("update person set role = 'auditor'")
    answer = browser.get("/twins")
    assert answer.status_code == 403
    assert "Okafor" not in answer.text


def test_the_clinician_and_how_to_sign_out_stand_on_each_page(services, twins):
    page = signed_in(services).get("/twins").text
    assert CLINICIAN in page
    assert 'action="/sign-out"' in page


def test_a_link_leads_only_to_web_addresses_and_to_versions_the_ehr_has():
    assert (
        link("https://ehr/fhir", "Observation/1/_history/2").url
        == "https://ehr/fhir/Observation/1/_history/2"
    )
    assert (
        link("https://ehr/fhir", "Observation/1/_history/sha256-00").url == "https://ehr/fhir/Observation/1"
    )
    assert link("javascript:alert(1)", "Observation/1/_history/2").url is None


@pytest.mark.parametrize(
    ("probability", "said"), [(0.0745, "7.5 %"), (0.9999, "100.0 %"), (0.0003, "under 0.1 %"), (0.0, "0.0 %")]
)
def test_probabilities_are_rounded_half_up(probability, said):
    assert words.percent(probability) == said


def test_an_effect_is_said_in_the_unit_of_its_scale():
    raises, lowers = (Contribution("x", "1", weight, None, "") for weight in (0.6931, -1.0))
    assert words.effect(raises, "log-odds").endswith("2.00")
    assert words.effect(lowers, "points").endswith("1 point")
    assert (words.direction(raises), words.direction(lowers)) == ("raises", "lowers")


def test_bars_start_at_zero_and_show_the_sign():
    right, left = charts.bars([Contribution("x", "", weight, None, "") for weight in (2.0, -1.0)])
    assert (right.x, right.width) == (charts.BAR_WIDTH / 2, charts.BAR_WIDTH / 2)
    assert left.x + left.width == left.zero


def test_a_course_stays_inside_its_frame():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    course = charts.line([(start + timedelta(days=day), value) for day, value in enumerate((5.0, 1.0, 9.0))])
    places = [tuple(map(float, place.split(","))) for place in course.points.split()]
    assert all(0 < x < charts.LINE_WIDTH and 0 < y < charts.LINE_HEIGHT for x, y in places)
    assert charts.line([(start, 1.0)]) is None
    assert charts.line([(start, 1.0)] * 3).count == 3
