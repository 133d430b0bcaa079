"""The third-party EHR of the demonstration, started for tests, with a client of ours that may do all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway import jose
from gateway.demonstration.ehr import BackendClient, EhrUnavailable, ThirdPartyEhr, installed

OURS = "didymos"
READER = "didymos-reader"
EVERYTHING = "system/*.*"


@dataclass(frozen=True)
class Sekmet:
    """A running EHR; ``loader`` is the session of somebody in the hospital who enters data."""

    ehr: ThirdPartyEhr
    private_key: dict[str, Any]

    @property
    def base_url(self) -> str:
        return self.ehr.base_url

    def load(self, *resources: dict[str, Any]) -> list[dict[str, Any]]:
        """PUT resources under their own ids, POST those without; return them as they stand."""
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/fhir+json"}
        with requests.Session() as session:
            session.headers.update(headers)
            return [self._stored(session, resource) for resource in resources]

    def delete(self, kind: str, id_: str) -> None:
        """Delete as somebody in the hospital does."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        requests.delete(f"{self.base_url}/{kind}/{id_}", headers=headers, timeout=10).raise_for_status()

    def transact(self, bundle: dict[str, Any]) -> list[str]:
        """Post a transaction as it was published; return where each entry stands now, as type and id."""
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/fhir+json"}
        answer = requests.post(self.base_url, json=bundle, headers=headers, timeout=120)
        answer.raise_for_status()
        places = (each["response"]["location"] for each in answer.json()["entry"])
        return ["/".join(place.partition("/_history")[0].split("/")[-2:]) for place in places]

    def _stored(self, session: requests.Session, resource: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.base_url}/{resource['resourceType']}"
        if "id" in resource:
            answer = session.put(f"{url}/{resource['id']}", json=resource, timeout=10)
        else:
            answer = session.post(url, json=resource, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def token(self) -> str:
        """Return a fresh access token for everything."""
        now = datetime.now(UTC)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": jose.ASSERTION_TYPE,
            "client_assertion": jose.client_assertion(self.private_key, OURS, self.ehr.token_url, now),
            "scope": EVERYTHING,
        }
        answer = requests.post(self.ehr.token_url, data=form, timeout=10)
        answer.raise_for_status()
        return str(answer.json()["access_token"])


@contextmanager
def running(directory: Path) -> Iterator[Sekmet]:
    """Run an EHR on a free port over ``directory``; skips where it is not installed."""
    try:
        installed()
    except EhrUnavailable:
        pytest.skip("the third-party EHR is not installed: make .ehr/.ready")
    key = jose.generate_key()
    public = jose.public_jwks(key)["keys"][0]
    clients = {OURS: BackendClient(public, EVERYTHING), READER: BackendClient(public, "system/Patient.rs")}
    with ThirdPartyEhr(directory, clients) as ehr:
        yield Sekmet(ehr, key)
