"""The doctor names what is wrong, and what only a person can set right is a failure."""

from __future__ import annotations

from dataclasses import replace

from gateway.operations.diagnosis import examine
from gateway.storage.schema import delivery, subscription
from tests.support import person
from tests.support.site import NOW


class Curt:
    """An EHR that answers, but not as it should."""

    def status(self, *_):
        return 404, ("not-found",)


def findings(site, settings=None, services=None):
    chosen = settings or site.services.settings
    return {one.what: one for one in examine(chosen, lambda _: services or site.services)}


def test_all_is_well_at_the_start(plain_site):
    assert [one.what for one in findings(plain_site).values() if not one.ok] == []


def test_embedded_broker_that_does_not_run_starts_with_serve(plain_site):
    assert "didymos serve" in findings(plain_site)["broker"].text


def test_broker_by_url_must_answer(plain_site, unused_port):
    settings = plain_site.services.settings.model_copy(
        update={"broker_url": f"redis://127.0.0.1:{unused_port}/0"}
    )
    assert not findings(plain_site, settings)["broker"].ok


def test_ehr_that_does_not_answer_with_200_is_named_with_its_status(plain_site):
    beside = plain_site.services.hospital
    services = replace(plain_site.services, hospital=lambda one: replace(beside(one), connection=Curt()))
    found = findings(plain_site, services=services)["EHR ward"]
    assert not found.ok
    assert "404" in found.text


def test_parked_twin_is_a_failure(plain_site):
    plain_site.tell(plain_site.ehr.enter(person.patient("p1")))
    plain_site.change_twin("p1", parked="BadAnswer")
    found = findings(plain_site)["parked twins"]
    assert (found.ok, found.text) == (False, "1 (BadAnswer)")


def test_refused_delivery_is_a_failure_and_a_withheld_one_is_shown(plain_site):
    for resource in person.adult("p1", NOW):
        plain_site.tell(plain_site.ehr.enter(resource))
    plain_site.run()
    settle(plain_site, "withheld", "labels")
    found = findings(plain_site)
    assert found["withheld deliveries"].ok
    assert found["withheld deliveries"].text == "1 (labels)"
    settle(plain_site, "refused", "the EHR refused with 422")
    assert not findings(plain_site)["refused deliveries"].ok


def settle(site, state, reason):
    with site.services.journal.transaction() as connection:
        connection.execute(delivery.update().values(state=state, reason=reason))


def test_event_that_no_patient_is_known_of_is_shown_after_a_minute(plain_site):
    plain_site.deliver("Observation", "Observation", "o1")
    assert findings(plain_site)["events that no patient is known of"].text == "none"
    plain_site.clock.advance(seconds=61)
    assert findings(plain_site)["events that no patient is known of"].text.startswith("1 ")


def test_inactive_subscription_is_shown(plain_site):
    with plain_site.services.journal.transaction() as connection:
        connection.execute(subscription.update().values(status="active"))
        mine = subscription.c.id == plain_site.subscription("Observation").id
    with plain_site.services.journal.transaction() as connection:
        connection.execute(subscription.update().where(mine).values(status="error"))
    assert findings(plain_site)["inactive Subscriptions"].text == "1 (error)"
