"""Subscriptions stand once in the third-party EHR, and are woken when it has put them to sleep."""

import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from gateway.hospitals.profile import inspect
from gateway.hospitals.subscribe import Wanted, look, reactivate, register, remove
from tests.gateway.hospitals.conftest import connected
from tests.gateway.hospitals.samples import observation

pytestmark = pytest.mark.peer


@contextmanager
def one_notification():
    """Serve one notification; yields the endpoint and what it will have been."""
    received = {}

    class Hook(BaseHTTPRequestHandler):
        def take(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received.update(method=self.command, path=self.path, secret=self.headers["X-Hook"], body=body)
            self.send_response(200)
            self.end_headers()

        do_PUT = do_POST = take  # noqa: N815 - the names that http.server calls

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.timeout = 10
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", received, thread
    finally:
        thread.join()
        server.server_close()


def wanted(name):
    # port 9 (discard): nothing is ever delivered to these
    return Wanted(f"Observation?code={name}", f"http://127.0.0.1:9/hooks/{name}", "X-Hook: secret")


@pytest.fixture(scope="module")
def profile(sekmet_ehr):
    return inspect(connected(sekmet_ehr.base_url, sekmet_ehr.private_key))


def test_registering_twice_leaves_one_active_subscription(open_ehr, profile):
    first = register(open_ehr, wanted("once"), profile)
    assert first.status == "active"
    assert register(open_ehr, wanted("once"), profile) == first
    assert register(open_ehr, wanted("once"), profile, stored=first.id) == first
    found = list(open_ehr.search("Subscription", [("url", wanted("once").endpoint)]))
    assert [each.id for each in found] == [first.id]


def test_a_stored_id_that_is_gone_is_registered_anew(open_ehr, profile):
    again = register(open_ehr, wanted("anew"), profile, stored="no-such-subscription")
    assert again.status == "active"


def test_a_changed_secret_is_mended_in_place(open_ehr, profile):
    first = register(open_ehr, wanted("mend"), profile)
    changed = replace(wanted("mend"), header="X-Hook: another")
    assert register(open_ehr, changed, profile) == first
    assert open_ehr.get("Subscription", first.id).resource["channel"]["header"] == ["X-Hook: another"]


def test_a_subscription_in_error_is_seen_and_woken(sekmet_ehr, open_ehr, profile):
    made = register(open_ehr, wanted("asleep"), profile)
    standing = open_ehr.get("Subscription", made.id).resource
    sekmet_ehr.load({**standing, "status": "error", "error": "delivery failed"})
    assert look(open_ehr, made.id).status == "error"
    assert reactivate(open_ehr, wanted("asleep"), made.id).status == "active"
    sekmet_ehr.load({**standing, "status": "off"})
    assert register(open_ehr, wanted("asleep"), profile) == made


def test_a_removed_subscription_is_gone(open_ehr, profile):
    made = register(open_ehr, wanted("removed"), profile)
    remove(open_ehr, made.id)
    remove(open_ehr, made.id)
    assert look(open_ehr, made.id).status == "gone"


def test_a_subscription_that_may_not_be_deleted_is_switched_off(sekmet_ehr, open_ehr, profile):
    scopes = tuple(scope for scope in profile.scopes if "Subscription" in scope)
    ours = connected(sekmet_ehr.base_url, sekmet_ehr.private_key, scopes=scopes)
    made = register(ours, wanted("off"), profile)
    remove(ours, made.id)
    assert look(open_ehr, made.id).status == "off"


@pytest.mark.parametrize("payload", [None, "application/fhir+json"])
def test_what_was_asked_for_is_delivered_with_its_secret(sekmet_ehr, open_ehr, profile, payload):
    with one_notification() as (endpoint, received, thread):
        code = f"delivered-{payload is None}"
        made = register(
            open_ehr, Wanted(f"Observation?code={code}", endpoint, "X-Hook: s3cret", payload), profile
        )
        stored = sekmet_ehr.load(observation("s1", code=code))[0]
        thread.join(10)
        remove(open_ehr, made.id)
    assert received["secret"] == "s3cret"
    if payload is None:
        assert (received["method"], received["body"]) == ("POST", b"")
    else:
        assert received["path"] == f"/hook/Observation/{stored['id']}"
