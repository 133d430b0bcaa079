"""Where a search goes on: a token that only its client can use, and only as an address.

The token is the search itself, sealed: it names no patient to who sees the address in a log, and
cannot be bent to another search. It carries no permission; consent is decided again for every page.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, replace

import msgspec

from consent.vault import SealBroken
from gateway.errors import BadRequest
from gateway.operations.consented import Caller
from gateway.operations.reading import Kind
from gateway.operations.services import Services
from gateway.storage.records import Place, Wanted
from twin_engine.threads import ready

LIFE = 3600  # seconds; a search that rests longer is begun anew


@dataclass(frozen=True, slots=True)
class _Continuation:
    kind: Kind
    wanted: Wanted
    expires: int


def issue(services: Services, caller: Caller, kind: Kind, wanted: Wanted, after: Place) -> str:
    """Return the token that leads to what comes after a place."""
    expires = int(services.clock().timestamp()) + LIFE
    state = _Continuation(kind, replace(wanted, after=after), expires)
    sealed = services.seal(services.ours, "continuation", caller.id, msgspec.msgpack.encode(state))
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def resume(services: Services, caller: Caller, kind: Kind, token: str) -> Wanted:
    """Return the search to go on with.

    Raises
    ------
    BadRequest
        The token is another client's, of another type, over, or none of ours.
    """
    try:
        sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        opened = services.unseal(services.ours, "continuation", caller.id, sealed)
    except (SealBroken, NotBase64, UnicodeError) as error:
        raise BadRequest("this page address cannot be used; search anew") from error
    state = msgspec.msgpack.decode(opened, type=ready(_Continuation))
    if state.kind != kind or state.expires < services.clock().timestamp():
        raise BadRequest("this page address cannot be used; search anew")
    return state.wanted
