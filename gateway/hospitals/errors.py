"""What can go wrong with one EHR.

None of these texts holds patient data: an EHR's own words (``OperationOutcome.diagnostics``) may name a
patient, so only its issue *codes* are kept. ::

    HospitalError
    |-- HospitalUnavailable    nothing was done; may be tried again
    |-- NotAuthorised          the EHR does not let us
    |   +-- ScopeMissing
    |-- BadAnswer              what came is not what was asked for
    |   |-- ForeignLink
    |   +-- UnreliableSearch
    |-- ReadRefused
    |-- WriteConflict          another version stands
    |-- WriteRefused           nothing was written
    |-- AmbiguousWrite         perhaps written: reconcile, never repeat blindly
    +-- UnsafeAddress
"""

from __future__ import annotations

from gateway.errors import DidymosError


class HospitalError(DidymosError):
    """Something between us and one EHR."""


class HospitalUnavailable(HospitalError):
    """The EHR did not answer, or asked us to wait ``retry_after`` seconds (None: it did not say)."""

    def __init__(self, reason: str = "the EHR cannot be reached", retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NotAuthorised(HospitalError):
    """The EHR, or its authorization server, does not let us."""


class ScopeMissing(NotAuthorised):
    """The token grants less than is needed; ``missing`` in SMART v2 form."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(
            f"the EHR did not grant {', '.join(missing)}; its administrator must add that to our client there"
        )
        self.missing = missing


class BadAnswer(HospitalError):
    """The EHR's answer cannot be used."""


class ForeignLink(BadAnswer):
    """A link leads out of the EHR's own base address; it is not followed."""


class UnreliableSearch(BadAnswer):
    """The EHR did not search for what was asked; nothing of the page is used."""


class _Refused(HospitalError):
    def __init__(self, status: int, issues: tuple[str, ...] = ()) -> None:
        super().__init__(f"the EHR refused with {status} ({', '.join(issues) or 'no issue code'})")
        self.status = status
        self.issues = issues


class ReadRefused(_Refused):
    """A read or search was refused; ``issues`` are its OperationOutcome codes."""


class WriteRefused(_Refused):
    """A write was refused and nothing was written."""


class WriteConflict(HospitalError):
    """Another version stands than the one that was to be replaced."""


class AmbiguousWrite(HospitalError):
    """The write was sent and no trustworthy answer came: it may or may not stand."""


class UnsafeAddress(HospitalError):
    """An address that must not be called."""
