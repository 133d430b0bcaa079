"""A browser of a test that has signed in."""

from __future__ import annotations

from flask.testing import FlaskClient

from gateway import app
from gateway.operations import people
from gateway.operations.services import Services

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
CLINICIAN = "Dr Eva Brandt"


def client(services: Services) -> FlaskClient:
    return app.create(services).test_client()


def signed_in(services: Services, url: str = "http://localhost") -> FlaskClient:
    browser = client(services)
    ticket = people.invite(services, CLINICIAN, "clinician")
    answer = browser.post("/sign-in", data={"ticket": ticket}, headers=OWN_PAGE, base_url=url)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/twins")
    return browser
