"""One HTTP exchange with bounds: no redirects, a cap on bytes, a deadline over everything.

A GET is repeated, within bounds, on 429, 502, 503, 504 and lost connections; if the EHR asks for a longer
wait than we can spend, the caller is told how long. Nothing else is ever repeated here. urllib3's ``Retry``
is not used: it knows no deadline over all attempts and would call again before ``Retry-After`` is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from gateway.hospitals.errors import AmbiguousWrite, BadAnswer, HospitalUnavailable
from gateway.hospitals.per_process import PerProcess
from gateway.telemetry import waiting

_PASSING = frozenset({429, 502, 503, 504})
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one EHR's exchanges; seconds and bytes.

    ``longest_wait`` is the longest ``Retry-After`` that is waited out in place, ``authorities`` a file of
    certificate authorities (None: the usual ones), ``pages`` the longest search.
    """

    connect: float = 5.0
    read: float = 30.0
    deadline: float = 60.0
    body: int = 20 * 1024 * 1024
    repeats: int = 3
    longest_wait: float = 5.0
    backoff: float = 0.2
    pages: int = 1000
    pool: int = 16
    allow_http: bool = False
    authorities: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``retry_after`` in seconds, None where the server did not say."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class _Lost(Exception):
    """No answer. ``sent``: the request may have reached the server."""

    def __init__(self, sent: bool) -> None:
        super().__init__()
        self.sent = sent


class Transport:
    """Pooled connections to one EHR; usable from many threads and after a fork."""

    def __init__(
        self,
        limits: Limits,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._sleep = sleep
        self._session = PerProcess(lambda: _session(limits))

    @property
    def limits(self) -> Limits:
        return self._limits

    def send(self, request: Request) -> Answer:
        """Send and return whatever status came.

        Raises
        ------
        HospitalUnavailable
            No answer in time to something that changed nothing.
        AmbiguousWrite
            No answer to a request, other than GET, that may have arrived.
        """
        until = self._monotonic() + self._limits.deadline
        if request.method == "GET":
            return self._patiently(request, until)
        try:
            return self._once(request, until)
        except _Lost as lost:
            if lost.sent:
                raise AmbiguousWrite("no answer came to a write that was sent") from lost
            raise HospitalUnavailable from lost

    def _patiently(self, request: Request, until: float) -> Answer:
        attempt = 0
        while True:
            answer, wait = self._attempt(request, until)
            if answer is not None and answer.status not in _PASSING:
                return answer
            pause = self._limits.backoff * 2**attempt if wait is None else wait
            late = self._monotonic() + pause > until
            if attempt >= self._limits.repeats or pause > self._limits.longest_wait or late:
                raise HospitalUnavailable(retry_after=wait)
            self._sleep(pause)
            attempt += 1

    def _attempt(self, request: Request, until: float) -> tuple[Answer | None, float | None]:
        try:
            answer = self._once(request, until)
        except _Lost:
            return None, None
        return answer, answer.retry_after

    def _once(self, request: Request, until: float) -> Answer:
        limits = self._limits
        left = max(until - self._monotonic(), 0.001)
        try:
            with (
                waiting(),
                self._session().request(
                    request.method,
                    request.url,
                    headers=dict(request.headers),
                    data=request.body,
                    timeout=(min(limits.connect, left), min(limits.read, left)),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                body = self._body(response, request.method, until)
                return Answer(response.status_code, response.headers, body, _retry_after(response.headers))
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _Lost(_may_have_arrived(error)) from error

    def _body(self, response: requests.Response, method: str, until: float) -> bytes:
        body = bytearray()
        # read1 returns what has arrived: a server that drips bytes cannot hold us past the deadline
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if self._monotonic() > until:
                raise _Lost(sent=True)
            if len(body) > self._limits.body:
                raise _too_long(method)
        return bytes(body)


def _too_long(method: str) -> Exception:
    if method == "GET":
        return BadAnswer("the answer is longer than allowed")
    return AmbiguousWrite("the answer to a write is longer than allowed")


def _session(limits: Limits) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc or proxy of the machine must not touch our Authorization header
    session.verify = limits.authorities or True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=limits.pool, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _may_have_arrived(error: BaseException) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return False
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return not isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return seconds from ``Retry-After``; a date is counted from the server's own ``Date``."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        then = parsedate_to_datetime(value)
        now = parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(UTC)
        return max((then - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
