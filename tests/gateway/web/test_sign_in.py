"""People sign in by a one-time link and a cookie that ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.errors import BadRequest, NotAuthenticated, NotFound
from gateway.operations import people
from gateway.storage.schema import person
from tests.gateway.web import planted
from tests.gateway.web.signing import CLINICIAN, OWN_PAGE, client, signed_in


def posted(browser, ticket, **headers):
    return browser.post("/sign-in", data={"ticket": ticket}, headers=headers or OWN_PAGE)


@pytest.mark.parametrize("path", ["/", "/twins", "/twins/abc"])
def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page(services, path):
    answer = client(services).get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


def test_looking_at_the_link_does_not_spend_the_ticket(services):
    ticket = people.invite(services, CLINICIAN, "clinician")
    browser = client(services)
    assert ticket in browser.get(f"/sign-in/{ticket}").text
    assert posted(browser, ticket).status_code == 303


def test_a_ticket_works_once(services):
    ticket = people.invite(services, CLINICIAN, "clinician")
    assert posted(client(services), ticket).status_code == 303
    second = client(services)
    assert posted(second, ticket).status_code == 401
    assert second.get("/twins").status_code == 303


def test_a_ticket_expires(services, clock):
    ticket = people.invite(services, CLINICIAN, "clinician")
    clock.at += people.TICKET_LIFE
    assert posted(client(services), ticket).status_code == 401


def test_a_new_ticket_voids_the_one_before(services):
    first = people.invite(services, CLINICIAN, "clinician")
    second = people.invite(services, CLINICIAN, "clinician")
    with pytest.raises(NotAuthenticated):
        people.redeem(services, first)
    assert people.redeem(services, second).name == CLINICIAN


def test_the_journal_holds_no_ticket(services, tmp_path):
    ticket = people.invite(services, CLINICIAN, "clinician")
    with services.journal.reading() as connection:
        row = connection.execute(select(person)).one()
    assert len(row.ticket) == 32
    assert not any(ticket.encode() in file.read_bytes() for file in tmp_path.rglob("*.db*"))


@pytest.mark.parametrize(("name", "role"), [("", "clinician"), ("x" * 81, "clinician"), ("Eva", "janitor")])
def test_an_invitation_needs_a_name_and_a_known_role(services, name, role):
    with pytest.raises(BadRequest):
        people.invite(services, name, role)


def test_sign_ins_and_refusals_are_in_the_audit_log(services):
    signed_in(services)
    posted(client(services), "wrong")
    told = [
        (entry.operational.actor.split("/")[0], entry.operational.detail)
        for entry in services.audit.recent(3)
    ]
    assert told[0] == ("unknown", "sign-in refused: ticket")
    assert told[1] == ("Practitioner", "signed in as clinician")
    assert told[2][0] == "administrator"


def test_the_session_ends_eight_hours_after_sign_in_however_it_is_used(services, clock):
    browser = signed_in(services)
    clock.at += timedelta(hours=7, minutes=59)
    assert browser.get("/twins").status_code == 200
    clock.at += timedelta(minutes=1)
    assert browser.get("/twins").status_code == 303


def test_a_tampered_cookie_is_refused(services):
    browser = signed_in(services)
    cookie = browser.get_cookie("didymos")
    body, stamp, signature = cookie.value.split(".")
    changed = signature[:-2] + ("AA" if signature[-2:] != "AA" else "BB")
    browser.set_cookie("didymos", f"{body}.{stamp}.{changed}")
    assert browser.get("/twins").status_code == 303


def test_a_person_who_is_removed_is_signed_out(services):
    browser = signed_in(services)
    with services.journal.transaction() as connection:
        connection.execute(person.delete())
    assert browser.get("/twins").status_code == 303


def test_signing_out_ends_the_session(services):
    browser = signed_in(services)
    assert browser.post("/sign-out", headers=OWN_PAGE).headers["Location"] == "/sign-in"
    assert browser.get("/twins").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example.org"},
        {"Origin": "null"},
        {"Accept": "*/*"},
    ],
)
def test_a_post_from_another_site_is_refused(services, headers):
    ticket = people.invite(services, CLINICIAN, "clinician")
    assert posted(client(services), ticket, **headers).status_code == 403
    assert people.redeem(services, ticket).name == CLINICIAN


def test_a_post_from_our_own_origin_is_taken(services):
    ticket = people.invite(services, CLINICIAN, "clinician")
    assert posted(client(services), ticket, Origin="http://localhost").status_code == 303


def test_the_cookie_is_for_our_pages_only(services):
    ticket = people.invite(services, CLINICIAN, "clinician")
    cookie = posted(client(services), ticket).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert cookie.startswith("didymos=")


def test_over_https_the_cookie_is_bound_to_host_and_transport(tmp_path, clock):
    services = planted.gateway(tmp_path, clock, public_url="https://twins.example.org")
    ticket = people.invite(services, CLINICIAN, "clinician")
    cookie = posted(client(services), ticket).headers["Set-Cookie"]
    assert cookie.startswith("__Host-didymos=")
    assert "Secure" in cookie.split("; ")
    assert "Domain" not in cookie


def test_a_person_who_is_removed_is_signed_out_at_once(services):
    browser = signed_in(services)
    assert browser.get("/twins").status_code == 200
    people.remove(services, CLINICIAN)
    assert browser.get("/twins").status_code == 303


def test_the_ticket_of_a_person_who_is_removed_is_void(services):
    ticket = people.invite(services, CLINICIAN, "clinician")
    people.remove(services, CLINICIAN)
    assert posted(client(services), ticket).status_code == 401


def test_only_a_known_person_can_be_removed(services):
    with pytest.raises(NotFound):
        people.remove(services, "nobody")
