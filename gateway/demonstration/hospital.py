"""The hospital's own systems in the demo: they write patients and results, and read assessments back.

This is the other side of the wire. It shares nothing with how the gateway talks to an EHR, so that what it
reads back is evidence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import requests

from gateway import jose

JSON = "application/fhir+json"
Resource = dict[str, Any]
_EARLY = timedelta(seconds=30)  # a token is renewed before it expires on the way


class EhrRefused(RuntimeError):
    """The EHR answered with an error status; what it said is left out, for it may name a patient."""

    def __init__(self, method: str, resource_type: str, status: int) -> None:
        super().__init__(f"the EHR answered {status} to {method} {resource_type}")
        self.status = status


class BackendToken:
    """SMART Backend Services access token, asked for when needed and shared by threads."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        private_jwk: Mapping[str, Any],
        scope: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._token_url = token_url
        self._client_id = client_id
        self._private_jwk = private_jwk
        self._scope = scope
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until: datetime | None = None

    def __call__(self) -> str:
        with self._lock:
            now = self._clock()
            if self._until is None or now >= self._until:
                self._renew(now)
            return self._token

    def _renew(self, now: datetime) -> None:
        assertion = jose.client_assertion(dict(self._private_jwk), self._client_id, self._token_url, now)
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        with _session() as session:
            answer = session.post(self._token_url, data=form, timeout=10)
        _checked(answer, "POST", "token")
        granted = answer.json()
        self._token = granted["access_token"]
        self._until = now + timedelta(seconds=granted["expires_in"]) - _EARLY


class EhrClient:
    """FHIR REST to one EHR; every call raises ``EhrRefused`` on an error status. One thread at a time."""

    def __init__(self, base_url: str, token: Callable[[], str], timeout: float = 30.0) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._session = _session()

    def put(self, resource: Resource) -> Resource:
        """Write under the resource's own id; returns what the EHR now holds, with its version."""
        kind = resource["resourceType"]
        return self._json(self._send("PUT", kind, f"{kind}/{resource['id']}", json=resource))

    def read(self, kind: str, identity: str) -> Resource | None:
        """Return the current version, or None where there is none."""
        answer = self._send("GET", kind, f"{kind}/{identity}", missing_is_answer=True)
        return self._json(answer) if answer.status_code == requests.codes.ok else None

    def search(self, kind: str, **parameters: str) -> Iterator[Resource]:
        """Every match, over all pages; a parameter the EHR does not know is refused, never ignored."""
        url: str | None = kind
        query: Mapping[str, str] = parameters
        while url is not None:
            page = self._json(self._send("GET", kind, url, params=query))
            for entry in page.get("entry", ()):
                yield entry["resource"]
            url, query = _next_page(page), {}

    def transact(self, resources: Iterable[Resource]) -> None:
        """Write all under their own ids, or none."""
        entries = [_put_entry(resource) for resource in resources]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        self._send("POST", "Bundle", "", json=bundle, headers={"Prefer": "return=minimal"})

    def _send(
        self, method: str, kind: str, path: str, *, missing_is_answer: bool = False, **options: Any
    ) -> requests.Response:
        url = path if path.startswith("http") else f"{self._base_url}/{path}"
        headers = {
            "Accept": JSON,
            "Authorization": f"Bearer {self._token()}",
            "Prefer": "handling=strict",
        } | options.pop("headers", {})
        if "json" in options:
            headers["Content-Type"] = JSON
        answer = self._session.request(method, url, headers=headers, timeout=self._timeout, **options)
        if missing_is_answer and answer.status_code in (requests.codes.not_found, requests.codes.gone):
            return answer
        return _checked(answer, method, kind)

    @staticmethod
    def _json(answer: requests.Response) -> Resource:
        resource: Resource = answer.json()
        return resource


def load(client: EhrClient, resources: Iterable[Resource], size: int = 200) -> None:
    """Write resources by transactions of ``size``, in their order."""
    waiting = iter(resources)
    while part := list(islice(waiting, size)):
        client.transact(part)


def _put_entry(resource: Resource) -> Resource:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "request": {"method": "PUT", "url": url}}


def _next_page(bundle: Resource) -> str | None:
    return next((link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"), None)


def _checked(answer: requests.Response, method: str, kind: str) -> requests.Response:
    if not answer.ok:
        raise EhrRefused(method, kind, answer.status_code)
    return answer


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy between the demo and its own machine
    return session
