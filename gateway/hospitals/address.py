r"""Addresses of an EHR: parsed once, by the parser that also opens the connection.

URL parsers differ: for ``http://127.0.0.1\@x.example`` the standard library sees host ``x.example`` while
the HTTP client connects to 127.0.0.1. So characters outside RFC 3986 are refused first, then urllib3's
parser (the client's own) decides, and the address is rebuilt from its parts.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urljoin

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from gateway.hospitals.errors import ForeignLink, UnsafeAddress

_RFC_3986 = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{1,8192}")
_HIDDEN_STEPS = ("%2e", "%2f", "%5c", "%00")  # a server may decode these into another path
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Base:
    """The base address of an EHR, without a trailing slash."""

    url: str

    @classmethod
    def of(cls, url: str, *, allow_http: bool = False) -> Base:
        """Return the base address in normal form; raises ``UnsafeAddress``."""
        parsed = parse(url, allow_http=allow_http)
        if parsed.query is not None:
            raise UnsafeAddress("a base address has no query")
        return cls(parsed.url.rstrip("/"))

    def join(self, *segments: str) -> str:
        """Return the address of a path below the base; segments are FHIR types, ids and fixed words."""
        return "/".join((self.url, *segments))

    def follow(self, link: str) -> str:
        """Return ``link``, absolute or relative, if it stays under this base; raises ``ForeignLink``."""
        encoded = link.replace("|", "%7C")  # seen unencoded in real servers' links; no parser disputes it
        try:
            target = parse(urljoin(self.url + "/", encoded), allow_http=True)
        except (UnsafeAddress, ValueError) as error:
            raise ForeignLink("a link that is no address") from error
        if not self.holds(target):
            raise ForeignLink("a link leads out of the EHR's base address")
        return target.url

    def holds(self, target: Url) -> bool:
        """Whether ``target`` is of our origin and at or under our path."""
        base = parse_url(self.url)
        path = (target.path or "").lower()
        if origin(target) != origin(base) or any(step in path for step in _HIDDEN_STEPS):
            return False
        root = base.path or ""
        return (target.path or "") == root or (target.path or "").startswith(root + "/")

    def relative(self, reference: str) -> str:
        """Return ``Type/id`` for a literal reference to this EHR, with or without its base or a version."""
        literal = reference.removeprefix(self.url + "/")
        return literal.partition("/_history/")[0]


def parse(url: str, *, allow_http: bool = False) -> Url:
    """Return ``url`` in parts.

    Raises
    ------
    UnsafeAddress
        For anything but https (http on loopback, or where ``allow_http``), for user information, fragments
        and characters outside RFC 3986.
    """
    if not _RFC_3986.fullmatch(url):
        raise UnsafeAddress("an address holds characters that no address has")
    try:
        parsed = parse_url(url)
    except LocationParseError as error:
        raise UnsafeAddress("not an address") from error
    odd = parsed.auth is not None or parsed.fragment is not None
    if parsed.scheme not in _PORTS or not parsed.host or odd:
        raise UnsafeAddress("an address needs https and a host, and neither user nor fragment")
    if parsed.scheme == "http" and not (allow_http or is_loopback(parsed.host)):
        raise UnsafeAddress("http is only for this machine; other addresses need https")
    return parsed


def origin(url: Url) -> tuple[str | None, str | None, int | None]:
    """Return scheme, host and port, the port always stated."""
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme or "")


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine by its plain name or canonical address (``127.1`` is neither)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
