"""What an EHR can do, found once at ``connect`` and kept with its registration.

The CapabilityStatement is read first. Two things it may not say are probed with reads that match nothing,
so no clinical data is created and none is returned: whether RiskAssessment is known though unlisted, and
whether ``Prefer: handling=strict`` is heeded.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from fhir_mapping import capability
from fhir_mapping.capability import Capabilities, TypeCapability
from fhir_mapping.errors import Unusable
from fhir_mapping.release import Release
from fhir_mapping.release import of as release_of
from fhir_mapping.subscription_topic import Topic
from gateway.hospitals import topics
from gateway.hospitals.connection import Connection
from gateway.hospitals.errors import BadAnswer, HospitalError, NotAuthorised, ScopeMissing

OUT = "RiskAssessment"
# What is read of every EHR: by these it is decided whose the rest is, and whether it may be read.
ALWAYS = ("Patient", "Consent")
CLINICAL = ("Observation", "Condition", "MedicationRequest", "MedicationStatement")
# What a twin can do without: the more it lacks of these, the fewer models speak.
SPARE = frozenset(
    {
        "DiagnosticReport",
        "FamilyMemberHistory",
        "Medication",
        "MedicationAdministration",
        "MolecularSequence",
        "Procedure",
    }
)
BY_ID = frozenset({"Patient", "Medication"})  # read where another resource names them, without a search
OTHERS = (OUT, "Provenance", "Device", "Subscription", "DocumentReference")

Sync = Literal["subscription", "polling"]
Write = Literal["update", "create", "kept-here"]


@dataclass(frozen=True, slots=True)
class TypeProfile:
    """One type as its EHR lists it; ``parameters`` are its search parameters."""

    interactions: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    versions: bool = False
    update_create: bool = False
    conditional_create: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What ``connect`` found; values only, so that it can be stored as JSON.

    Attributes
    ----------
    write
        ``update``: PUT under our own id; ``create``: POST under the EHR's; ``kept-here``: not written.
    unlisted
        RiskAssessment is written though the EHR does not list it: the first refusal means ``kept-here``.
    versions
        Whether the written type has versions, so that If-Match protects them.
    strict
        Whether unknown search parameters are refused when asked; where not, the checks of each page remain.
    reads
        The types that are read, as far as the EHR offers them.
    release
        The release of FHIR that the EHR speaks.
    topics
        What an R5 EHR is subscribed to, by resource type.
    """

    fhir_version: str
    software: str
    sync: Sync
    write: Write
    unlisted: bool
    versions: bool
    strict: bool
    types: Mapping[str, TypeProfile]
    notes: tuple[str, ...] = ()
    reads: tuple[str, ...] = (*ALWAYS, *CLINICAL)
    release: Release = "R4"
    topics: Mapping[str, Topic] = field(default_factory=dict)

    def searchable(self, kind: str, parameter: str) -> bool:
        """Whether the EHR advertises ``parameter`` on ``kind``."""
        return kind in self.types and parameter in self.types[kind].parameters

    def can(self, kind: str, interaction: str) -> bool:
        """Whether the EHR advertises ``interaction`` on ``kind``."""
        return kind in self.types and interaction in self.types[kind].interactions

    @property
    def scopes(self) -> tuple[str, ...]:
        """The SMART scopes, in version 2 form, that this EHR has to grant: what is used here and no more."""
        wanted = {kind: self.reads_of(kind) for kind in self.reads}
        if self.write != "kept-here":
            wanted[OUT] = "crus" if self.write == "create" or self.unlisted else "cru"
        if self.sync == "subscription":
            wanted["Subscription"] = "crus" if self.searchable("Subscription", "url") else "cru"
        return tuple(f"system/{kind}.{letters}" for kind, letters in wanted.items() if letters)

    def reads_of(self, kind: str) -> str:
        """Return the letters of what is used of read and search.

        What cannot be searched is not read, but for what other resources name.
        """
        searched = self.can(kind, "search-type") and kind != "Medication"
        read = self.can(kind, "read") and (searched or kind in BY_ID)
        return "r" * read + "s" * searched


def inspect(
    connection: Connection,
    clinical: Collection[str] = CLINICAL,
    nonce: Callable[[int], str] = secrets.token_hex,
) -> Profile:
    """Return what the EHR behind ``connection`` can do; ``clinical`` are the types that are to be read.

    The CapabilityStatement is had without a token; each probe asks for the scopes that it needs.

    Raises
    ------
    HospitalError
        It cannot be reached, shows no CapabilityStatement, or speaks a release of FHIR that is not known.
    NotAuthorised
        It does not let us read; ``ScopeMissing`` names the scopes that it must grant.
    """
    absent = f"didymos-probe-{nonce(8)}"
    stated = _stated(connection)
    listed = {kind: _type(each) for kind, each in stated.types.items()}
    found = _tried(connection, _as_stated(stated, listed, (*ALWAYS, *clinical)), absent)
    found = _with_topics(found, topics.offered(connection, stated)) if found.release == "R5" else found
    found = _let_in(connection, found, absent)
    strict = _heeds_strict(connection.asking(found.scopes), listed, absent)
    return _annotated(replace(found, strict=strict), [one for one in clinical if one not in found.reads])


def _let_in(connection: Connection, found: Profile, absent: str) -> Profile:
    """Return ``found`` without the types that are not granted and can be done without."""
    try:
        connection.asking(found.scopes).status(("Patient",), [("_id", absent), ("_summary", "count")])
    except ScopeMissing as refusal:
        kept = tuple(one for one in found.reads if one not in SPARE or not _lacks(refusal.missing, one))
        if kept == found.reads:
            raise
        return _let_in(connection, replace(found, reads=kept), absent)
    return found


def _lacks(missing: Iterable[str], kind: str) -> bool:
    return any(scope.startswith(f"system/{kind}.") for scope in missing)


def _as_stated(stated: Capabilities, listed: Mapping[str, TypeProfile], reads: tuple[str, ...]) -> Profile:
    write, unlisted = _write(listed)
    return Profile(
        fhir_version=stated.fhir_version,
        software=stated.software or "unnamed",
        sync="subscription" if stated.offers("Subscription", "create") else "polling",
        write=write,
        unlisted=unlisted,
        versions=listed.get(OUT, TypeProfile()).versions or (unlisted and _usually(listed, "versions")),
        strict=False,
        types={kind: listed[kind] for kind in (*reads, *OTHERS) if kind in listed},
        reads=reads,
        release=_release(stated),
    )


def _release(stated: Capabilities) -> Release:
    try:
        return release_of(stated.fhir_version)
    except Unusable as error:
        raise BadAnswer(error.text) from error


def _with_topics(found: Profile, offered: Mapping[str, Topic]) -> Profile:
    """Return ``found``, subscribed only where everything that is read has its topic."""
    told = replace(found, topics={kind: topic for kind, topic in offered.items() if kind in found.reads})
    return replace(told, sync="polling") if _without_topic(told) else told


def _without_topic(found: Profile) -> list[str]:
    heard = [kind for kind in found.reads if found.reads_of(kind) and kind != "Medication"]
    return [kind for kind in heard if kind not in found.topics]


def _stated(connection: Connection) -> Capabilities:
    try:
        return capability.read(connection.capabilities())
    except Unusable as error:
        raise BadAnswer(error.text) from error


def _type(offered: TypeCapability) -> TypeProfile:
    return TypeProfile(
        interactions=tuple(sorted(offered.interactions)),
        parameters=tuple(sorted(offered.parameters)),
        versions=offered.versioning == "versioned-update",
        update_create=offered.update_create,
        conditional_create=offered.conditional_create,
    )


def _write(listed: Mapping[str, TypeProfile]) -> tuple[Write, bool]:
    """Return the way to write as listed, and whether it first has to be tried."""
    out = listed.get(OUT)
    if out is None:
        return ("update", True) if _usually(listed, "update_create") else ("kept-here", False)
    if "update" in out.interactions and out.update_create:
        return "update", False
    return ("create", False) if "create" in out.interactions else ("kept-here", False)


def _usually(listed: Mapping[str, TypeProfile], trait: str) -> bool:
    """Whether most listed types have ``trait``: a guess for a type that is not listed."""
    having = sum(bool(getattr(each, trait)) for each in listed.values())
    return having * 2 > len(listed)


def _tried(connection: Connection, found: Profile, absent: str) -> Profile:
    """Return ``found``, without the unlisted type where the EHR does not know it or does not let us at it."""
    if not found.unlisted or _knows(connection.asking((f"system/{OUT}.crus",)), absent):
        return found
    return replace(found, write="kept-here", unlisted=False, versions=False)


def _knows(connection: Connection, absent: str) -> bool:
    """Whether the EHR says "no such resource" and not "no such type"."""
    try:
        read, issues = connection.status((OUT, absent))
        search, _ = connection.status((OUT,), [("_id", absent), ("_summary", "count")])
    except NotAuthorised:
        return False
    return (read, search) == (404, 200) and "not-found" in issues


def _heeds_strict(connection: Connection, listed: Mapping[str, TypeProfile], absent: str) -> bool:
    if "_id" not in listed.get("Observation", TypeProfile()).parameters:
        return False
    nothing = [("_id", absent), ("_summary", "count")]
    try:
        plain, _ = connection.status(("Observation",), nothing)
        odd, _ = connection.status(("Observation",), [*nothing, ("didymos-unknown-parameter", "1")])
    except HospitalError:
        return False
    return plain == 200 and odd == 400


def _annotated(found: Profile, withheld: Iterable[str]) -> Profile:
    notes = (_sync_note(found), _write_note(found), *_search_notes(found), *_type_notes(found))
    spared = [
        f"falls back: {kind} is not granted and not read; what it alone tells is not known"
        for kind in withheld
    ]
    return replace(found, notes=(*notes, *spared))


def _sync_note(found: Profile) -> str:
    if found.sync == "subscription":
        return "works: Subscriptions tell us what changed"
    if found.release == "R5" and found.can("Subscription", "create"):
        lacking = ", ".join(_without_topic(found))
        return f"falls back: no topic tells of every change of {lacking}; patients are polled"
    if found.can("Patient", "search-type"):
        return "falls back: no Subscriptions; patients are polled, new ones are searched for once a day"
    return "falls back: no Subscriptions; patients are polled, new ones must be brought in by `backfill`"


def _write_note(found: Profile) -> str:
    if found.unlisted:
        return "works, on trial: RiskAssessment is not listed but known; the first PUT decides"
    return {
        "update": "works: RiskAssessment is written under our own id",
        "create": "falls back: RiskAssessment gets ids of the EHR; intents are recorded and reconciled",
        "kept-here": "falls back: the EHR takes no RiskAssessment; assessments are served from our /fhir",
    }[found.write]


def _search_notes(found: Profile) -> tuple[str, ...]:
    return (
        "works: catch-up by _lastUpdated"
        if found.searchable("Observation", "_lastUpdated")
        else "falls back: no _lastUpdated on Observation; catch-up re-reads by date, patient by patient",
        "works: unknown search parameters are refused"
        if found.strict
        else "falls back: unknown search parameters may be ignored; every page is checked",
        "works: versions and If-Match protect what is written"
        if found.versions
        else "falls back: no versions of what we write; content is compared by hash",
    )


def _type_notes(found: Profile) -> tuple[str, ...]:
    lacking = [kind for kind in found.reads if kind != "Medication" and not found.can(kind, "search-type")]
    notes = [f"does not work: {kind} cannot be searched and is not read" for kind in lacking]
    if found.release != "R4":
        notes.append(f"works: the EHR speaks FHIR {found.release} ({found.fhir_version})")
    return tuple(notes)
