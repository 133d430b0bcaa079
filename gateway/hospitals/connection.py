"""One EHR's FHIR interface: read, search, create, update, delete.

A search is believed only if every page shows that the EHR searched for what was asked: real servers drop
parameters they do not know and answer 200 with everybody's resources. Three things are checked before
anything of a page is used: the parameters named in ``Bundle.link[self]``, the types, and, where a patient
was asked for, the subject of every resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson

from fhir_mapping.bundle import link
from fhir_mapping.errors import Unusable
from fhir_mapping.genomics.vcf import is_imported
from fhir_mapping.identity import version_of
from fhir_mapping.lenient import as_object
from fhir_mapping.release import Release, from_r4, receive
from gateway.hospitals import searchset
from gateway.hospitals.address import Base
from gateway.hospitals.answers import check_read, check_write, issues, parsed
from gateway.hospitals.errors import (
    AmbiguousWrite,
    BadAnswer,
    HospitalUnavailable,
    NotAuthorised,
    UnreliableSearch,
    UnsafeAddress,
    WriteRefused,
)
from gateway.hospitals.transport import Answer, Limits, Request, Transport

Parameters = Iterable[tuple[str, str]]

_FHIR_JSON = "application/fhir+json"
_STRICT = {"Prefer": "handling=strict"}
_CODES_A_QUERY = 40  # keeps an address under 4,000 characters
_PATH_PART = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Authorization(Protocol):
    """How requests to one EHR are authorised."""

    def header(self) -> str | None:
        """Return the Authorization header's value, None for none."""

    def refused(self, header: str | None) -> bool:
        """Hear that ``header`` got a 401; return whether a new one is worth an attempt."""

    def asking(self, scopes: tuple[str, ...]) -> Authorization:
        """Return how requests are authorised that need ``scopes`` (SMART, version 2 form)."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A resource as it came, in R4's shape.

    ``body`` holds the bytes received, also of an entry of a Bundle. ``version`` is None where the EHR keeps
    none. ``fault`` says why what came in another release of FHIR cannot be used; ``as_sent``
    tells that ``resource`` is what ``body`` holds, unchanged.
    """

    resource: dict[str, Any]
    body: bytes
    version: str | None
    fault: Unusable | None = None
    as_sent: bool = False

    @classmethod
    def of(cls, resource: dict[str, Any], body: bytes, version: str | None, release: Release) -> Fetched:
        """Return what came from an EHR of ``release``."""
        received = receive(resource, release)
        return cls(received.resource, body, version, received.fault, received.resource is resource)

    @property
    def id(self) -> str:
        return str(self.resource["id"])


class Connection:
    """Requests to one EHR; usable from many threads.

    Parameters
    ----------
    base
        The registered base address. Credentials go to no other address.
    release
        The release of FHIR that the EHR speaks. What is read and written here is R4 all the same.
    """

    def __init__(
        self,
        base: str,
        authorization: Authorization,
        limits: Limits | None = None,
        *,
        transport: Transport | None = None,
        release: Release = "R4",
    ) -> None:
        self._transport = transport or Transport(limits or Limits())
        self.base = Base.of(base, allow_http=self._transport.limits.allow_http)
        self._authorization = authorization
        self._release = release

    def asking(self, scopes: tuple[str, ...]) -> Connection:
        """Return a connection to the same EHR whose token has ``scopes``, where tokens are needed at all."""
        granted = self._authorization.asking(scopes)
        return Connection(self.base.url, granted, transport=self._transport, release=self._release)

    def covers(self, reference: str) -> bool:
        """Tell whether what is not shown is not there: all but what came from files beside the EHR."""
        return not is_imported(reference)

    def capabilities(self) -> dict[str, Any]:
        """Return the CapabilityStatement, which every EHR must show without credentials."""
        answer = self._transport.send(Request("GET", self.base.join("metadata"), {"Accept": _FHIR_JSON}))
        check_read(answer)
        statement = parsed(answer.body)
        if statement["resourceType"] != "CapabilityStatement":
            raise BadAnswer("metadata is no CapabilityStatement")
        return statement

    def get(self, kind: str, id_: str) -> Fetched | None:
        """Return the current version; None where there is none (404) or it was deleted (410)."""
        answer = self._send("GET", self._path(kind, id_))
        if answer.status in {404, 410}:
            return None
        check_read(answer)
        return _fetched(answer, kind, id_, self._release)

    def status(self, path: tuple[str, ...], parameters: Parameters = ()) -> tuple[int, tuple[str, ...]]:
        """Return status and issue codes of a read or strict search, to learn what an EHR knows."""
        query = urlencode(list(parameters))
        answer = self._send("GET", self._path(*path) + (f"?{query}" if query else ""), _STRICT)
        return answer.status, issues(answer)

    def search(
        self, kind: str, parameters: Parameters = (), *, patient: str | None = None
    ) -> Iterator[Fetched]:
        """Yield the matches of all pages, each resource once.

        A long list of codes is asked for in parts: neither an EHR nor the links of its pages take addresses
        without end.

        Parameters
        ----------
        patient
            Id of the only patient whose resources are wanted. Asked for as ``patient``, unless
            ``parameters`` name a patient or subject, and checked in every resource.

        Raises
        ------
        UnreliableSearch
            The EHR did not search for what was asked; nothing of that page was yielded.
        ForeignLink
            The next page is said to be elsewhere.
        """
        asked = list(parameters) if patient is None else _for_patient(kind, patient, parameters)
        parts = _parts(asked)
        yielded: set[str] = set()
        for part in parts:
            for found in self._pages(kind, part, patient):
                if len(parts) == 1 or found.id not in yielded:
                    yielded.add(found.id)
                    yield found

    def _pages(self, kind: str, asked: list[tuple[str, str]], patient: str | None) -> Iterator[Fetched]:
        url: str | None = f"{self._path(kind)}?{urlencode(asked)}"
        seen: set[str] = set()
        while url is not None:
            if url in seen or len(seen) >= self._transport.limits.pages:
                raise UnreliableSearch(f"the pages of {kind} do not end")
            bundle, body = self._page(url)
            if not seen:
                searchset.check_self(bundle, kind, asked)  # later pages may go by a cursor
            seen.add(url)
            yield from self._matches(bundle, body, kind, patient)
            following = link(bundle, "next")
            url = None if following is None else self.base.follow(following)

    def owner(self, resource: Mapping[str, Any]) -> str | None:
        """Return ``Patient/<id>`` of the patient a resource is about.

        None where it names none; a reference to another server stays whole and so equals no patient here.
        """
        if resource.get("resourceType") == "Patient":
            return f"Patient/{resource.get('id')}"
        reference = as_object(resource.get("subject") or resource.get("patient")).get("reference")
        return self.base.relative(reference) if isinstance(reference, str) else None

    def put(self, resource: Mapping[str, Any], if_match: str | None = None) -> Fetched:
        """Create or replace under the resource's own id; ``if_match`` is the version to replace."""
        headers = {} if if_match is None else {"If-Match": f'W/"{if_match}"'}
        return self._write("PUT", resource, headers, str(resource["id"]))

    def create(self, resource: Mapping[str, Any], if_none_exist: str | None = None) -> Fetched:
        """Create under an id of the EHR's choice; ``if_none_exist`` is a query that the EHR must know."""
        headers = {} if if_none_exist is None else {"If-None-Exist": if_none_exist}
        return self._write("POST", resource, headers, None)

    def delete(self, kind: str, id_: str) -> None:
        """Delete; nothing there is as good as deleted."""
        answer = self._send("DELETE", self._path(kind, id_))
        if answer.status not in {404, 410}:
            check_write(answer)

    def _path(self, *parts: str) -> str:
        if not all(_PATH_PART.fullmatch(part) and part.strip(".") for part in parts):
            raise UnsafeAddress("not a FHIR type or id")
        return self.base.join(*parts)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        stated = {"Accept": _FHIR_JSON, **(headers or {})}
        credential = self._authorization.header()
        answer = self._transport.send(Request(method, url, _with(stated, credential), body))
        if answer.status == 401 and self._authorization.refused(credential):
            renewed = _with(stated, self._authorization.header())
            answer = self._transport.send(Request(method, url, renewed, body))
        if answer.status in {401, 403}:
            raise NotAuthorised(f"the EHR answered {answer.status}")
        return answer

    def _page(self, url: str) -> tuple[dict[str, Any], bytes]:
        answer = self._send("GET", url, _STRICT)
        check_read(answer)
        bundle = parsed(answer.body)
        if bundle["resourceType"] != "Bundle":
            raise BadAnswer("a search was not answered with a Bundle")
        return bundle, answer.body

    def _matches(self, bundle: dict[str, Any], body: bytes, kind: str, patient: str | None) -> list[Fetched]:
        found = searchset.matches(bundle, body, kind)
        if patient is not None and any(self.owner(resource) != f"Patient/{patient}" for resource, _ in found):
            raise UnreliableSearch(f"a search for one patient's {kind} returned another's")
        return [Fetched.of(resource, raw, version_of(resource), self._release) for resource, raw in found]

    def _write(
        self, method: str, resource: Mapping[str, Any], headers: Mapping[str, str], id_: str | None
    ) -> Fetched:
        kind = str(resource["resourceType"])
        url = self._path(kind) if id_ is None else self._path(kind, id_)
        stated = {"Content-Type": _FHIR_JSON, "Prefer": "return=representation", **headers}
        answer = self._send(method, url, stated, self._written(resource))
        check_write(answer)
        try:
            return _fetched(answer, kind, id_, self._release)
        except BadAnswer:
            return self._read_written(kind, id_ or self._located(answer, kind))

    def _written(self, resource: Mapping[str, Any]) -> bytes:
        try:
            return orjson.dumps(from_r4(dict(resource), self._release))
        except Unusable as fault:
            raise WriteRefused(422, (fault.code,)) from fault

    def _read_written(self, kind: str, id_: str) -> Fetched:
        """Read what the EHR wrote without showing it: ``return=minimal`` is its right."""
        try:
            standing = self.get(kind, id_)
        except (HospitalUnavailable, BadAnswer) as error:
            raise AmbiguousWrite("a write was confirmed but cannot be read now") from error
        if standing is None:
            raise AmbiguousWrite("a write was confirmed but is not there")
        return standing

    def _located(self, answer: Answer, kind: str) -> str:
        named, _, id_ = self.base.relative(answer.headers.get("Location", "")).partition("/")
        if named != kind or not _PATH_PART.fullmatch(id_):
            raise AmbiguousWrite("a create was confirmed without saying where")
        return id_


def _parts(asked: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Return ``asked`` as often as its codes need, with a part of them each time."""
    codes = [code for name, value in asked if name == "code" for code in value.split(",")]
    if len(codes) <= _CODES_A_QUERY:
        return [asked]
    others = [one for one in asked if one[0] != "code"]
    starts = range(0, len(codes), _CODES_A_QUERY)
    return [[*others, ("code", ",".join(codes[at : at + _CODES_A_QUERY]))] for at in starts]


def _for_patient(kind: str, patient: str, parameters: Parameters) -> list[tuple[str, str]]:
    asked = list(parameters)
    name = "_id" if kind == "Patient" else "patient"
    stated = {"_id"} if kind == "Patient" else {"patient", "subject"}
    return asked if stated & {given for given, _ in asked} else [(name, patient), *asked]


def _with(headers: Mapping[str, str], credential: str | None) -> dict[str, str]:
    return dict(headers) if credential is None else {**headers, "Authorization": credential}


def _fetched(answer: Answer, kind: str, id_: str | None, release: Release) -> Fetched:
    resource = parsed(answer.body)
    found = resource.get("id")
    if resource["resourceType"] != kind or not isinstance(found, str) or id_ not in (None, found):
        raise BadAnswer(f"another resource came than the {kind} asked for")
    etag = answer.headers.get("ETag", "").removeprefix("W/").strip('"')
    return Fetched.of(resource, answer.body, version_of(resource) or etag or None, release)
