"""Our FHIR address shows what may be seen, to whom it may be shown, after it was written down."""

from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from sqlalchemy import delete

from consent.policy import Provision
from gateway import jose
from gateway.operations import clients, directives, site_key
from gateway.storage.schema import client
from tests.gateway.web.fhir_ground import EHR, KEY, NOW, SCOPES, URL, Ground, assertion_of, consent

DENIES = consent("deny")
OTHER_EHR = "https://other.example/fhir"


@pytest.fixture
def ground(tmp_path):
    built = Ground(tmp_path)
    yield built
    built.close()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """Return a ground that the tests leave as it is; assessments of ``p1`` and ``p2`` may be seen."""
    built = Ground(tmp_path_factory.mktemp("lasting"))
    for patient in ("p2", "p1"):
        built.enrol(patient)
        built.p1 = built.assess(patient)
    yield built
    built.close()


@pytest.fixture
def shown(ground):
    """Return the id of an assessment that may be seen."""
    ground.enrol("p1")
    return ground.assess("p1")


def ids(answer):
    assert answer.status_code == 200, answer.data
    return [entry["resource"]["id"] for entry in answer.json.get("entry", ())]


def link(answer, relation):
    return next((each["url"] for each in answer.json["link"] if each["relation"] == relation), None)


def local(url):
    return url.removeprefix(URL)


def is_outcome(answer, status, code):
    assert (answer.status_code, answer.content_type) == (status, "application/fhir+json")
    assert answer.json["resourceType"] == "OperationOutcome"
    assert answer.json["issue"][0]["code"] == code
    return True


def test_an_assessment_is_shown_with_version_and_time(ground, shown):
    answer = ground.get(f"/fhir/RiskAssessment/{shown}")
    assert answer.status_code == 200
    assert answer.content_type == "application/fhir+json"
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.last_modified == NOW
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["id"] == shown
    assert answer.json["meta"]["versionId"] == "1"
    assert answer.json["meta"]["lastUpdated"] == "2026-03-01T12:00:00.000Z"
    assert answer.json["meta"]["source"] == "urn:didymos"


def test_references_lead_to_the_hospital_that_keeps_the_evidence(ground, shown):
    found = ground.get(f"/fhir/RiskAssessment/{shown}").json
    assert found["subject"]["reference"] == f"{EHR}/Patient/p1"
    assert found["basis"][0]["reference"] == f"{EHR}/Observation/17/_history/3"
    assert found["performer"]["reference"] == "#model"


def test_what_is_shown_is_in_the_log_first(ground, shown):
    ground.get(f"/fhir/RiskAssessment/{shown}")
    [(outcome, actor, detail, _)] = ground.events("consent-decision")
    assert (outcome, actor) == ("success", f"client/{ground.client_id}")
    assert detail.startswith("disclose: permit; patient:")
    reference = f"RiskAssessment/{shown}/_history/1"
    assert ground.events("disclosure") == [("success", actor, "1 RiskAssessment", (reference,))]


def test_without_the_log_nothing_is_shown(ground, shown):
    headers, app = ground.bearer(), ground.without_audit()
    for path in (f"RiskAssessment/{shown}", "RiskAssessment?patient=p1", f"Provenance/{shown}-1"):
        answer = app.get(f"/fhir/{path}", headers=headers)
        assert is_outcome(answer, 503, "transient")
        assert answer.headers["Retry-After"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer a.b.c", "Bearer \u00e9"])
def test_who_shows_no_token_sees_nothing(lasting, header):
    for path in (
        f"RiskAssessment/{lasting.p1}",
        "RiskAssessment",
        f"RiskAssessment/{lasting.p1}/_history/1",
        "Provenance",
    ):
        answer = lasting.app.test_client().get(f"/fhir/{path}", headers={"Authorization": header})
        assert is_outcome(answer, 401, "login")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def forged(ground, key=None, typ="at+jwt", **claims):
    seconds = int(ground.clock().timestamp())
    good = {
        "iss": URL,
        "aud": f"{URL}/fhir",
        "sub": ground.client_id,
        "iat": seconds,
        "exp": seconds + 300,
        "jti": "a",
        "scope": " ".join(SCOPES),
    }
    return jose.sign(good | claims, key or site_key.private_jwk(ground.services, "tokens"), typ=typ)


def status_with(ground, shown, token):
    headers = {"Authorization": f"Bearer {token}"}
    return ground.app.test_client().get(f"/fhir/RiskAssessment/{shown}", headers=headers).status_code


def test_only_our_own_access_tokens_let_in(ground, shown, tmp_path):
    other = Ground(tmp_path / "south", tenant="south")
    assert status_with(ground, shown, forged(ground)) == 200
    foreign = other.bearer()["Authorization"].removeprefix("Bearer ")
    other.close()
    tokens = {
        "of another tenant": foreign,
        "of another key": forged(ground, KEY),
        "for another": forged(ground, aud="https://other.example/fhir"),
        "by another": forged(ground, iss="https://other.example"),
        "an id token": forged(ground, typ="JWT"),
        "too long": forged(ground, exp=int(NOW.timestamp()) + 301),
        "an assertion": jose.client_assertion(KEY, ground.client_id, f"{URL}/oauth/token", NOW),
        "of nobody": forged(ground, sub="nobody"),
    }
    assert {name: status_with(ground, shown, token) for name, token in tokens.items()} == dict.fromkeys(
        tokens, 401
    )


def test_a_token_ends_after_five_minutes(ground, shown):
    headers = ground.bearer()
    ground.clock.forward(seconds=299)
    read = ground.app.test_client().get
    assert read(f"/fhir/RiskAssessment/{shown}", headers=headers).status_code == 200
    ground.clock.forward(seconds=1)
    assert read(f"/fhir/RiskAssessment/{shown}", headers=headers).status_code == 401


def test_a_client_that_is_removed_is_out_at_once(ground, shown):
    headers = ground.bearer()
    with ground.services.journal.transaction() as connection:
        connection.execute(delete(client))
    answer = ground.app.test_client().get(f"/fhir/RiskAssessment/{shown}", headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("system/Provenance.rs", "RiskAssessment/{}"),
        ("system/Provenance.rs", "RiskAssessment?patient=p1"),
        ("system/RiskAssessment.s", "RiskAssessment/{}"),
        ("system/RiskAssessment.r", "RiskAssessment?patient=p1"),
        ("system/RiskAssessment.rs", "Provenance/{}-1"),
        ("system/Provenance.rs", "Provenance/{}-1"),
        ("system/RiskAssessment.rs", "RiskAssessment/nobody"),
    ],
)
def test_a_scope_is_a_ceiling(lasting, scope, path):
    before = lasting.events("disclosure")
    answer = lasting.get(f"/fhir/{path.format(lasting.p1)}", scope=scope)
    if path.endswith("nobody"):
        assert is_outcome(answer, 404, "not-found")
    else:
        assert is_outcome(answer, 403, "forbidden")
        assert lasting.events("disclosure") == before


def test_what_is_forbidden_looks_like_what_is_not_there(ground):
    ground.enrol("denies", [DENIES])
    ground.enrol("erases", state="denied")
    ground.enrol("new", consents=None)
    hidden = [ground.assess(patient) for patient in ("denies", "erases", "new")]
    missing = ground.get("/fhir/RiskAssessment/nobody")
    assert is_outcome(missing, 404, "not-found")
    for identifier in hidden:
        for path in (f"RiskAssessment/{identifier}", f"RiskAssessment/{identifier}/_history/1"):
            answer = ground.get(f"/fhir/{path}", {"If-None-Match": 'W/"1"'})
            assert (answer.status_code, answer.data) == (404, missing.data)
        assert ground.get(f"/fhir/Provenance/{identifier}-1").data == missing.data
        assert ids(ground.get(f"/fhir/RiskAssessment?_id={identifier}")) == []
        assert ids(ground.get(f"/fhir/Provenance?target=RiskAssessment/{identifier}")) == []


def test_denied_read_is_recorded_and_never_made(ground):
    ground.enrol("denies", [DENIES])
    ground.get(f"/fhir/RiskAssessment/{ground.assess('denies')}")
    [(outcome, _, detail, resources)] = ground.events("consent-decision")
    assert outcome == "minor-failure"
    assert detail == "disclose: deny; patient: a Consent denies it"
    assert resources == ("Consent/c1/_history/1",)
    assert [detail for _, _, detail, _ in ground.events("disclosure")] == ["nothing of RiskAssessment"]


def test_a_consent_can_name_the_client_it_shuts_out(ground, shown):
    shut_out = consent("permit", Provision("deny", actors=frozenset({"analytics"})))
    services = ground.services
    with services.journal.transaction() as connection:
        directives.remember(connection, services, services.twin_id(ground.hospital, "p1"), (shut_out,))
    ground.register("care", KEY)
    care = ground.register("care", KEY)
    assert ground.get(f"/fhir/RiskAssessment/{shown}").status_code == 404
    assert ground.get(f"/fhir/RiskAssessment/{shown}", client=care).status_code == 200


def test_labelled_assessments_stay_with_us(ground):
    ground.enrol("p1")
    labelled = ground.assess("p1", labels=frozenset({"PSY"}))
    assert ground.get(f"/fhir/RiskAssessment/{labelled}").status_code == 404


def test_an_erased_patient_is_not_there(ground, shown):
    ground.services.vault.destroy(f"twin/{ground.services.twin_id(ground.hospital, 'p1')}")
    assert ground.get(f"/fhir/RiskAssessment/{shown}").status_code == 404
    assert ids(ground.get("/fhir/RiskAssessment?patient=p1")) == []


def test_every_version_can_be_read(ground, shown):
    ground.clock.forward(hours=1)
    ground.assess("p1", 2)
    assert ground.get(f"/fhir/RiskAssessment/{shown}").headers["ETag"] == 'W/"2"'
    assert ground.get(f"/fhir/RiskAssessment/{shown}/_history/1").json["meta"]["versionId"] == "1"
    for odd in ("0", "3", "01", "-1", "x", "9" * 30, "\u0661"):
        assert ground.get(f"/fhir/RiskAssessment/{shown}/_history/{quote(odd)}").status_code == 404


def test_a_version_that_the_reader_has_is_not_sent_again(ground, shown):
    answer = ground.get(f"/fhir/RiskAssessment/{shown}", {"If-None-Match": 'W/"1"'})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == 'W/"1"'
    assert ground.get(f"/fhir/RiskAssessment/{shown}", {"If-None-Match": 'W/"2"'}).status_code == 200
    assert [event[3] for event in ground.events("disclosure")] == [
        (),
        (f"RiskAssessment/{shown}/_history/1",),
    ]


def test_provenance_leads_from_the_version_to_its_inputs(ground, shown):
    answer = ground.get(f"/fhir/Provenance/{shown}-1")
    assert answer.json["id"] == f"{shown}-1"
    assert answer.json["target"][0]["reference"] == f"RiskAssessment/{shown}/_history/1"
    assert answer.json["entity"][0]["what"]["reference"] == f"{EHR}/Observation/17/_history/3"
    assert ground.events("disclosure")[0][3] == (f"Provenance/{shown}-1/_history/1",)


def test_provenance_is_searched_by_target(ground, shown):
    ground.assess("p1", 2)
    both, second = [f"{shown}-1", f"{shown}-2"], [f"{shown}-2"]
    found = {
        f"RiskAssessment/{shown}": both,
        shown: both,
        f"RiskAssessment/{shown}/_history/2": second,
        f"{URL}/fhir/RiskAssessment/{shown}/_history/2": second,
        f"{EHR}/RiskAssessment/{shown}": [],
        f"Observation/{shown}": [],
    }
    for target, expected in found.items():
        assert ids(ground.get(f"/fhir/Provenance?target={quote(target)}")) == expected
    assert ids(ground.get(f"/fhir/Provenance?_id={shown}-2")) == second
    assert ids(ground.get(f"/fhir/Provenance?target={shown}&_id={shown}-9")) == []
    assert is_outcome(ground.get("/fhir/Provenance"), 400, "invalid")


@pytest.mark.parametrize(
    "query",
    [
        "patient=p1",
        "patient=Patient/p1",
        "subject=Patient/p1",
        "subject=p1",
        f"patient={quote(EHR)}/Patient/p1",
    ],
)
def test_a_patient_is_found_by_the_hospitals_id(lasting, query):
    answer = lasting.get(f"/fhir/RiskAssessment?{query}")
    assert ids(answer) == [lasting.p1]
    assert answer.json["type"] == "searchset"
    assert "total" not in answer.json
    assert answer.json["entry"][0]["fullUrl"] == f"{URL}/fhir/RiskAssessment/{lasting.p1}"
    assert link(answer, "self").startswith(f"{URL}/fhir/RiskAssessment?")
    assert link(answer, "next") is None


def test_the_same_patient_id_in_two_hospitals_is_two_patients(ground, shown):
    second = ground.hospital_at("clinic", OTHER_EHR)
    ground.enrol("p1", at=second)
    other = ground.assess("p1", at=second)
    assert set(ids(ground.get("/fhir/RiskAssessment?patient=p1"))) == {shown, other}
    assert ids(ground.get(f"/fhir/RiskAssessment?patient={OTHER_EHR}/Patient/p1")) == [other]
    assert ids(ground.get("/fhir/RiskAssessment?patient=https://nowhere.example/Patient/p1")) == []


def test_each_hospital_is_asked_under_its_own_policy(ground, shown):
    strict = ground.hospital_at("strict", OTHER_EHR, policy="deny")
    ground.enrol("p1", at=strict)
    ground.assess("p1", at=strict)
    assert ids(ground.get("/fhir/RiskAssessment?patient=p1")) == [shown]


def test_a_search_may_be_posted_so_that_no_patient_is_in_an_address(ground, shown):
    post = ground.app.test_client().post
    answer = post("/fhir/RiskAssessment/_search", data={"patient": "p1"}, headers=ground.bearer())
    assert ids(answer) == [shown]
    refused = post("/fhir/RiskAssessment/_search", json={"patient": "p1"}, headers=ground.bearer())
    assert is_outcome(refused, 415, "not-supported")


def test_identifier_and_id_and_alternatives(ground, shown):
    ground.enrol("p2")
    other = ground.assess("p2")
    found = {
        f"identifier={shown}": [shown],
        f"identifier=urn:didymos:assessment|{shown}": [shown],
        f"identifier=urn:other|{shown}": [],
        f"identifier=|{shown}": [],
        f"_id={shown}": [shown],
        f"_id={shown},{other}": sorted([shown, other]),
        f"_id={shown}&_id={other}": [],
        "patient=p1,p2": sorted([shown, other]),
        "patient=p1&patient=p2": [],
        f"patient=p2&_id={shown}": [],
    }
    for query, expected in found.items():
        assert sorted(ids(ground.get(f"/fhir/RiskAssessment?{query}"))) == expected, query


@pytest.mark.parametrize(
    ("value", "hit"),
    [
        ("2026", True),
        ("2026-03", True),
        ("2026-02", False),
        ("2026-03-01", True),
        ("2026-03-01T12:00:00Z", True),
        ("2026-03-01T12:00:00.000Z", True),
        ("2026-03-01T13:00:00%2B01:00", True),
        ("2026-03-01T12:00:00.001Z", False),
        ("ge2026-03-01", True),
        ("gt2026-03-01", False),
        ("gt2026-03-01T12:00:00.000Z", False),
        ("gt2026-02-28", True),
        ("lt2026-03-01", False),
        ("lt2026-03-02", True),
        ("le2026-03-01T12:00:00Z", True),
        ("le2026-03-01T11:59:59Z", False),
        ("ge2026-01-01&_lastUpdated=lt2026-02-01", False),
        ("ge2026-01-01&_lastUpdated=lt2026-12", True),
    ],
)
def test_last_updated_compares_spans_of_time(lasting, value, hit):
    found = ids(lasting.get(f"/fhir/RiskAssessment?patient=p1&_lastUpdated={value}"))
    assert found == ([lasting.p1] if hit else [])


@pytest.mark.parametrize(
    "query",
    [
        "code=x",
        "patient.name=x",
        "subject:Patient=p1",
        "patient:missing=true",
        "_include=*",
        "_sort=date",
        "_summary=count",
        "_total=accurate",
        "patient=",
        "patient=a,,b",
        "patient=Practitioner/1",
        "patient=Patient/p1/_history/2",
        "patient=%27%20OR%201=1%20--",
        "patient=%00",
        "_id=" + "a" * 65,
        "_id=../../x",
        "_id=" + ",".join(["a"] * 51),
        "_count=0",
        "_count=-1",
        "_count=x",
        "_count=5&_count=6",
        "_lastUpdated=yesterday",
        "_lastUpdated=sa2026",
        "_lastUpdated=2026-13",
        "_lastUpdated=9999-12-31",
        "_lastUpdated=2026-03-01T12:00:00",
        "_page=abc",
        "_page=%C3%A9",
        "_page=abc&patient=p1",
    ],
)
def test_what_is_not_understood_is_refused_and_not_ignored(lasting, query):
    before = lasting.events("disclosure")
    answer = lasting.get(f"/fhir/RiskAssessment?{query}")
    assert is_outcome(answer, 400, "invalid")
    assert lasting.events("disclosure") == before
    assert b"OR 1=1" not in answer.data


def test_odd_ids_are_not_there(ground, shown):
    for odd in ("' OR '1'='1", "..", "a" * 65, "x\x00", "\u00e9", "%", shown.upper()):
        assert ground.get(f"/fhir/RiskAssessment/{quote(odd)}").status_code == 404
        assert ground.get(f"/fhir/Provenance/{quote(odd)}-1").status_code == 404
    assert ground.get(f"/fhir/Provenance/{shown}").status_code == 404
    assert is_outcome(ground.get(f"/fhir/RiskAssessment/{shown}?_summary=true"), 400, "invalid")


@pytest.mark.parametrize(
    "accept", ["application/fhir+xml", "text/html", "application/fhir+json;q=0, text/xml"]
)
def test_only_json_is_spoken(lasting, accept):
    assert lasting.get(f"/fhir/RiskAssessment/{lasting.p1}", {"Accept": accept}).status_code == 406
    assert lasting.app.test_client().get("/fhir/metadata", headers={"Accept": accept}).status_code == 406


@pytest.mark.parametrize(
    "accept", ["application/fhir+json; fhirVersion=4.0", "text/html, */*;q=0.1", "application/json"]
)
def test_json_is_taken_by_all_its_names(lasting, accept):
    assert lasting.get(f"/fhir/RiskAssessment/{lasting.p1}", {"Accept": accept}).status_code == 200


def test_format_speaks_before_the_header(ground, shown):
    path = f"/fhir/RiskAssessment/{shown}"
    assert ground.get(f"{path}?_format=json", {"Accept": "text/html"}).status_code == 200
    assert ground.get(f"{path}?_format=xml").status_code == 406
    assert ids(ground.get("/fhir/RiskAssessment?patient=p1&_format=application/fhir%2Bjson")) == [shown]


def many(ground, number):
    found = []
    for index in range(number):
        ground.clock.forward(seconds=1)
        hidden = index % 3 == 1
        ground.enrol(f"marked-{index}", [DENIES] if hidden else [])
        identifier = ground.assess(f"marked-{index}")
        if not hidden:
            found.append(identifier)
    return found


def test_pages_hold_all_that_may_be_seen_and_do_not_tell_of_the_rest(ground):
    visible = many(ground, 9)
    pages, url = [], f"{URL}/fhir/RiskAssessment?_count=2"
    while url:
        answer = ground.get(local(url))
        pages.append(ids(answer))
        url = link(answer, "next")
    assert pages == [visible[:2], visible[2:4], visible[4:]]


def test_a_page_of_what_stays_hidden_has_no_next(ground):
    visible = many(ground, 2)
    answer = ground.get("/fhir/RiskAssessment?_count=1")
    assert (ids(answer), link(answer, "next")) == (visible, None)


def test_what_is_written_meanwhile_moves_nothing_across_the_edge(ground):
    visible = many(ground, 6)
    first = ground.get("/fhir/RiskAssessment?_count=2")
    ground.clock.forward(seconds=1)
    ground.assess("marked-0", 2)
    second = ground.get(local(link(first, "next")))
    third = ground.get(local(link(second, "next")))
    assert ids(second) == visible[2:4]
    assert ids(third) == [visible[0]]


def test_a_next_page_names_nobody_and_serves_its_own_client_only(ground):
    many(ground, 6)
    first = ground.get("/fhir/RiskAssessment?patient=marked-0,marked-2,marked-3&_count=1")
    following = link(first, "next")
    assert "marked" not in following
    assert [name for name, _ in parse_qsl(urlsplit(following).query)] == ["_page"]
    other = ground.register("other", KEY)
    assert is_outcome(ground.get(local(following), client=other), 400, "invalid")
    assert ground.get(local(following).replace("RiskAssessment", "Provenance")).status_code == 400
    assert ground.get(f"{local(following)}&_count=100").status_code == 400
    assert ground.get(f"{local(following)}&{following.split('?')[1]}").status_code == 400
    assert ground.get(f"{local(following)[:-3]}AAA").status_code == 400
    assert len(ids(ground.get(local(following)))) == 1


def test_consent_is_decided_again_for_every_page(ground):
    many(ground, 6)
    following = link(ground.get("/fhir/RiskAssessment?patient=marked-0,marked-2&_count=1"), "next")
    services = ground.services
    with services.journal.transaction() as connection:
        directives.remember(connection, services, services.twin_id(ground.hospital, "marked-2"), (DENIES,))
    assert ids(ground.get(local(following))) == []
    ground.clock.forward(hours=2)
    assert ground.get(local(following)).status_code == 400


def test_one_record_for_each_person_of_a_page(ground):
    visible = many(ground, 3)
    ground.get("/fhir/RiskAssessment")
    shown = [event[3] for event in ground.events("disclosure")]
    assert shown == [(f"RiskAssessment/{identifier}/_history/1",) for identifier in visible]
    assert len(ground.events("consent-decision")) == 3


def test_nothing_here_can_be_written(ground, shown):
    app, headers = ground.app.test_client(), ground.bearer()
    for method in (app.put, app.delete, app.patch, app.post):
        assert method(f"/fhir/RiskAssessment/{shown}", headers=headers, json={}).status_code == 405
    assert app.post("/fhir/RiskAssessment", headers=headers, json={}).status_code == 405
    assert app.get("/fhir/Patient/p1", headers=headers).status_code == 404


def test_metadata_says_what_is_here_and_all_of_it_holds(ground, shown):
    everything = ground.register("all", KEY, [scope for scope in clients.SCOPES if scope.endswith(".rs")])
    statement = ground.app.test_client().get("/fhir/metadata").json
    assert statement["fhirVersion"] == "4.0.1"
    [rest] = statement["rest"]
    values = {"target": shown, "_lastUpdated": "2026", "_id": shown}
    for resource in rest["resource"]:
        for parameter in resource["searchParam"]:
            query = {parameter["name"]: values.get(parameter["name"], "p1")}
            if resource["type"] == "Provenance":
                query |= {"target": shown}
            path = f"/fhir/{resource['type']}?" + "&".join(f"{name}={value}" for name, value in query.items())
            assert ground.get(path, client=everything, scope="system/*.rs").status_code == 200, path


def test_smart_configuration_leads_to_the_token_address(ground):
    found = ground.app.test_client().get("/fhir/.well-known/smart-configuration")
    assert found.content_type == "application/json"
    assert found.json["token_endpoint"] == f"{URL}/oauth/token"
    assert "client-confidential-asymmetric" in found.json["capabilities"]
    assert set(found.json["token_endpoint_auth_signing_alg_values_supported"]) == {"ES384", "RS384"}


def test_either_database_searches_pages_and_remembers_alike(stored):
    ground = Ground(settings=stored)
    visible = many(ground, 3)
    ground.clock.forward(seconds=1)
    ground.assess("marked-0", 2)
    first = ground.get("/fhir/RiskAssessment?_count=1")
    assert ids(first) == visible[1:]
    assert ids(ground.get(local(link(first, "next")))) == visible[:1]
    assert len(ids(ground.get(f"/fhir/Provenance?target={visible[0]}"))) == 2
    assert ids(ground.get("/fhir/RiskAssessment?identifier=x&_lastUpdated=ge2026")) == []
    assert ground.get("/fhir/RiskAssessment/%00").status_code == 404
    used = assertion_of(ground.client_id, ground.clock())
    assert [ground.ask_token(client_assertion=used).status_code for _ in "ab"] == [200, 401]
    ground.close()
