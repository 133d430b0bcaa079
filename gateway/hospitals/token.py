"""SMART Backend Services: a token of our own for one EHR, got with a signed assertion.

Source: SMART App Launch 2.2, "Backend Services" and "Client Authentication: Asymmetric". The scope that the
EHR granted is checked and never assumed: an answer that names no scope grants none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from fhir_mapping import capability
from fhir_mapping.errors import Unusable
from gateway import jose
from gateway.hospitals import scopes
from gateway.hospitals.address import Base, parse
from gateway.hospitals.errors import (
    AmbiguousWrite,
    BadAnswer,
    HospitalUnavailable,
    NotAuthorised,
    ScopeMissing,
)
from gateway.hospitals.per_process import PerProcess
from gateway.hospitals.transport import Answer, Request, Transport

_MARGIN = timedelta(seconds=30)  # a token is renewed this long before it ends
_UNSTATED_LIFE = 60  # seconds, where the EHR does not say how long a token lives
_LONGEST_LIFE = 86_400
_OAUTH_ERRORS = {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope"}


class OpenAccess:
    """No credentials at all: only for an EHR that was registered as open."""

    def header(self) -> None:
        """Return nothing to send."""
        return

    def refused(self, header: str | None) -> bool:  # noqa: ARG002 - the protocol's shape
        """Return that no other attempt is worth it."""
        return False

    def asking(self, scopes: tuple[str, ...]) -> OpenAccess:  # noqa: ARG002 - the protocol's shape
        """Return the same: nothing is asked for."""
        return self


class NoAccess(OpenAccess):
    """An EHR from which we were disconnected: nothing is sent to it."""

    def header(self) -> None:
        """Refuse."""
        raise NotAuthorised("this EHR is disconnected; `didymos connect` connects it again")


@dataclass(frozen=True, slots=True)
class Client:
    """We, as registered with one EHR; ``scopes`` in version 2 form, all of them needed."""

    client_id: str
    private_key: Mapping[str, Any]
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where tokens are had, and whether the EHR speaks version 2 scopes."""

    url: str
    second_form: bool


@dataclass(frozen=True, slots=True)
class _Token:
    header: str
    until: datetime


class _Held:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.token: _Token | None = None


class BackendServices:
    """The authorization of one EHR: a token kept until shortly before it ends, one per process."""

    def __init__(
        self,
        base: str,
        client: Client,
        clock: Callable[[], datetime],
        transport: Transport,
    ) -> None:
        self._base = Base.of(base, allow_http=transport.limits.allow_http)
        self._client = client
        self._clock = clock
        self._transport = transport
        self._held = PerProcess(_Held)

    def header(self) -> str:
        """Return the Authorization header's value.

        Raises
        ------
        NotAuthorised
            The EHR does not know us; ``ScopeMissing`` where it grants less than we need.
        HospitalUnavailable
            No token could be had now.
        """
        held = self._held()
        with held.lock:
            if held.token is None or self._clock() >= held.token.until:
                held.token = self._fetch()
            return held.token.header

    def refused(self, header: str | None) -> bool:
        """Drop the token that got a 401, unless another thread has already replaced it."""
        held = self._held()
        with held.lock:
            if held.token is not None and held.token.header == header:
                held.token = None
        return True

    def asking(self, scopes: tuple[str, ...]) -> BackendServices:
        """Return the same client with a token of its own for ``scopes``, all of them needed."""
        client = replace(self._client, scopes=scopes)
        return BackendServices(self._base.url, client, self._clock, self._transport)

    def _fetch(self) -> _Token:
        endpoint = discover(self._base, self._transport)
        now = self._clock()
        wanted = self._client.scopes if endpoint.second_form else scopes.first_form(self._client.scopes)
        assertion = jose.client_assertion(self._client.private_key, self._client.client_id, endpoint.url, now)
        answer = self._post(endpoint.url, {"scope": " ".join(wanted), "client_assertion": assertion})
        granted = _granted(answer)
        lacking = scopes.missing(self._client.scopes, str(granted.get("scope", "")).split())
        if lacking:
            raise ScopeMissing(lacking)
        return _Token(f"Bearer {granted['access_token']}", now + _life(granted) - _MARGIN)

    def _post(self, url: str, form: Mapping[str, str]) -> Answer:
        fields = {
            "grant_type": "client_credentials",
            "client_assertion_type": jose.ASSERTION_TYPE,
            **form,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            return self._transport.send(Request("POST", url, headers, urlencode(fields).encode()))
        except AmbiguousWrite as error:
            raise HospitalUnavailable("no answer to a token request") from error


def discover(base: Base, transport: Transport) -> Endpoint:
    """Return the token endpoint that the EHR publishes, in its SMART configuration or CapabilityStatement.

    Raises ``NotAuthorised`` where it publishes none, ``UnsafeAddress`` for one that must not be called.
    """
    allow_http = transport.limits.allow_http
    stated = _document(base.join(".well-known", "smart-configuration"), transport)
    url = stated.get("token_endpoint")
    if isinstance(url, str):
        capabilities = stated.get("capabilities")
        second = isinstance(capabilities, list) and "permission-v2" in capabilities
        return Endpoint(parse(url, allow_http=allow_http).url, second)
    url = _oauth_uri(_document(base.join("metadata"), transport))
    if url is None:
        raise NotAuthorised("the EHR publishes no token endpoint")
    return Endpoint(parse(url, allow_http=allow_http).url, False)


def _document(url: str, transport: Transport) -> dict[str, Any]:
    answer = transport.send(Request("GET", url, {"Accept": "application/json"}))
    if answer.status >= 500:
        raise HospitalUnavailable(f"the EHR answered {answer.status}", answer.retry_after)
    return _object(answer.body) if answer.status == 200 else {}


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _oauth_uri(statement: dict[str, Any]) -> str | None:
    try:
        return capability.read(statement).token
    except Unusable:
        return None


def _granted(answer: Answer) -> dict[str, Any]:
    if answer.status == 429 or answer.status >= 500:
        raise HospitalUnavailable(f"the token endpoint answered {answer.status}", answer.retry_after)
    said = _object(answer.body)
    if answer.status not in {200, 201}:
        error = said.get("error")
        raise NotAuthorised(f"no token: {error if error in _OAUTH_ERRORS else answer.status}")
    token = said.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise BadAnswer("the token endpoint gave no token")
    if str(said.get("token_type", "")).lower() != "bearer":
        raise BadAnswer("the token endpoint gave a token of another type")
    return said


def _life(granted: Mapping[str, Any]) -> timedelta:
    stated = granted.get("expires_in")
    seconds = stated if type(stated) is int and 0 < stated <= _LONGEST_LIFE else _UNSTATED_LIFE
    return timedelta(seconds=seconds)
