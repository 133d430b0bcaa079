"""A gateway joined to the third-party EHR, and the hospital's own way into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from werkzeug.serving import WSGIRequestHandler, make_server

from gateway.app import create
from gateway.demonstration.hospital import BackendToken, EhrClient
from gateway.hospitals import subscribe
from gateway.operations import registry
from gateway.operations.registry import Access, Registration
from gateway.settings import Settings
from gateway.storage.schema import subscription
from gateway.wiring import connect, utc_now, wire
from tests.peers.sekmet import EVERYTHING, OURS, Sekmet
from tests.support.held_queue import HeldQueue
from tests.support.site import POLICY, Clock, Site


def entering(ehr: Sekmet) -> EhrClient:
    """Return the hospital's own client: it writes results and reads assessments."""
    token = BackendToken(ehr.ehr.token_url, OURS, ehr.private_key, EVERYTHING, utc_now)
    return EhrClient(ehr.base_url, token)


def joined(chosen: Settings, ehr: Sekmet, clock: Clock, name: str = "ward") -> Site:
    """Return a gateway that has registered the EHR; no Subscription stands yet."""
    queue = HeldQueue()
    services = wire(chosen, clock=clock, queue=queue)
    access = Access(OURS, ehr.private_key)
    registration = Registration(name, ehr.base_url, access, POLICY, frozenset())
    link = connect(chosen, ehr.base_url, access, utc_now)
    identifier, _ = registry.register(services, registration, link)
    return Site(services, queue, clock, identifier, None)


@contextmanager
def subscribed(gateway: Site) -> Iterator[None]:
    """Let the Subscriptions stand in the EHR; take them away at the end."""
    registry.subscribe(gateway.services, gateway.hospital_id)
    try:
        yield
    finally:
        connection = gateway.services.hospital(gateway.hospital_id).connection
        with gateway.services.journal.reading() as journal:
            rows = journal.execute(subscription.select()).all()
        for row in rows:
            subscribe.remove(connection, row.remote_id)


@contextmanager
def listening(gateway: Site) -> Iterator[None]:
    """Serve the gateway's HTTP interface where its settings say."""
    settings = gateway.services.settings
    app = create(gateway.services)
    server = make_server(settings.host, settings.port, app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        return
