"""Which of a patient's Consents stand: newer ones replace older ones of the same kind.

1. Of several versions of one Consent only the newest counts.
2. Of several active Consents under the same policy, scope and controller the newest dated one replaces
   the others. A Consent that names no policy replaces none and is replaced by none.
3. A newer one that was withdrawn (inactive, rejected) takes from older ones of its kind the
   power to permit; what they deny stays denied, so that withdrawing never opens anything.

Only active ones stand. Where an order is unknown (no date), all are kept: a denial then overrides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.policy import Directive

_WITHDRAWN = frozenset({"inactive", "rejected"})


@dataclass(frozen=True, slots=True)
class Standing:
    """An active Consent; ``withdrawn`` where a newer withdrawal of its kind leaves it only its denials."""

    directive: Directive
    withdrawn: bool


def newest_versions(directives: Iterable[Directive]) -> tuple[Directive, ...]:
    """Keep the newest version of each Consent, or all where versions cannot be ordered."""
    return tuple(each for versions in _grouped(directives, lambda d: d.id) for each in _newest(versions))


def standing(directives: Iterable[Directive]) -> tuple[Standing, ...]:
    """Apply rules 2 and 3 of the module to one version of each Consent."""
    return tuple(each for kind in _grouped(directives, _kind) for each in _stand(kind))


def _grouped(
    directives: Iterable[Directive], key: Callable[[Directive], Hashable]
) -> Iterable[Sequence[Directive]]:
    groups: defaultdict[Hashable, list[Directive]] = defaultdict(list)
    for directive in directives:
        groups[key(directive)].append(directive)
    return groups.values()


def _newest(versions: Sequence[Directive]) -> Sequence[Directive]:
    if all(each.version.isdecimal() for each in versions):
        last = max(int(each.version) for each in versions)
        return [each for each in versions if int(each.version) == last]
    return _not_before(versions, _latest(versions))


def _kind(directive: Directive) -> Hashable:
    policy: Hashable = directive.policies or directive.id
    return policy, directive.scope, directive.controller


def _stand(kind: Sequence[Directive]) -> Iterable[Standing]:
    active = [each for each in kind if each.status == "active"]
    withdrawal = _latest([each for each in kind if each.status in _WITHDRAWN])
    for directive in _not_before(active, _latest(active)):
        made = directive.date_time
        yield Standing(directive, withdrawal is not None and (made is None or made < withdrawal))


def _latest(directives: Sequence[Directive]) -> datetime | None:
    return max((each.date_time for each in directives if each.date_time is not None), default=None)


def _not_before(directives: Sequence[Directive], latest: datetime | None) -> Sequence[Directive]:
    return [each for each in directives if each.date_time is None or each.date_time == latest]
