"""A question to the consent core, and what one rule answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from consent.period import Period

Act = Literal["consent-lookup", "collect", "use", "disclose"]
Verdict = Literal["permit", "deny", "silent"]


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks to do what with whose data, and why.

    ``subject`` is the twin's opaque identifier. ``purpose`` is an ActReason code (``TREAT``).
    ``actors`` are the recipient's references and identifiers as the hospital writes them.
    ``classes`` are resource types touched (empty: all). ``labels`` are security label codes of all the data
    touched (empty: unlabelled, confidentiality N). ``codes`` (``system|code``), ``data`` (references) and
    ``data_period`` (clinical period) describe the data where it is known; unknown, a denial limited to
    some of it applies and a permission limited to some of it does not. ``scopes`` are the SMART scopes
    granted by or to the other side (None: no token is involved), ``interactions`` the SMART letters
    (``cruds``) the act needs, by default those of the act.
    """

    act: Act
    tenant: str
    subject: str
    purpose: str
    actors: frozenset[str]
    at: datetime
    classes: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    recipient_enforces_labels: bool = False
    scopes: frozenset[str] | None = None
    restricted: bool = False
    codes: frozenset[str] = frozenset()
    data: frozenset[str] = frozenset()
    data_period: Period | None = None
    interactions: str | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule said, and why in words that hold no patient data."""

    rule: str
    verdict: Verdict
    reason: str
    directive: str | None = None
