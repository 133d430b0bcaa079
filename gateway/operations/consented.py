"""Consent is asked here, and the answer stands in the audit log before anything is done."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audit.record import Action, Event, Kind
from consent.decision import Act, Decision, Request, decide
from consent.policy import Directive
from gateway.operations.services import Hospital, Services
from gateway.telemetry import hop

PURPOSE = "TREAT"
LOOKED_UP = frozenset({"Patient", "Consent"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A system that reads from us; its scopes are a ceiling, ``request`` leads to the log."""

    id: str
    name: str
    scopes: frozenset[str]
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one twin, and for whom: the EHR itself unless a ``caller`` is named.

    ``interactions`` are the SMART letters that the act needs, where not those of the act.
    """

    act: Act
    classes: frozenset[str]
    labels: frozenset[str] = frozenset()
    caller: Caller | None = None
    interactions: str | None = None


def ask(
    services: Services,
    hospital: Hospital,
    twin: str,
    question: Question,
    directives: tuple[Directive, ...],
    *acts: Event,
) -> Decision:
    """Decide, and commit the decision to the audit log together with ``acts`` already done.

    Raises
    ------
    audit.log.AuditUnavailable
        The decision could not be recorded, so nothing may follow from it.
    """
    decision = weigh(services, hospital, twin, question, directives)
    with hop("audit"):
        services.audit.append(*acts, recorded(services, hospital, decision, directives, question.caller))
    return decision


def ask_for_hospital(services: Services, hospital: Hospital, intent: str) -> bool:
    """Decide whether it may be asked whose resources these are, and commit that with ``intent`` to the log.

    This is the consent lookup before any patient is known: it concerns the hospital as a whole.

    Raises
    ------
    audit.log.AuditUnavailable
        The decision could not be recorded, so nothing may follow from it.
    """
    question = Question("consent-lookup", LOOKED_UP)
    decision = weigh(services, hospital, hospital.id, question, ())
    told = recorded(services, hospital, decision, ())
    with hop("audit"):
        services.audit.append(replace(told, subject=None, detail=f"{told.detail}; {intent}"))
    return decision.permitted


def looked_up(services: Services, hospital: Hospital, what: str) -> Event:
    """Return the audit record of what a consent lookup of the hospital brought."""
    return Event(
        kind="pull",
        action="read",
        outcome="success",
        tenant=services.settings.tenant,
        actor=f"hospital/{hospital.id}",
        at=services.clock(),
        purpose=PURPOSE,
        detail=f"consent-lookup: {what}, nothing clinical",
    )


def weigh(
    services: Services, hospital: Hospital, twin: str, question: Question, directives: tuple[Directive, ...]
) -> Decision:
    """Decide without recording it: for whoever records many decisions at once before acting on any."""
    with hop("consent"):
        return decide(_request(services, hospital, twin, question), directives, hospital.policy)


def _request(services: Services, hospital: Hospital, twin: str, question: Question) -> Request:
    caller = question.caller
    if caller is not None:
        return Request(
            act=question.act,
            tenant=services.settings.tenant,
            subject=twin,
            purpose=PURPOSE,
            actors=frozenset({caller.id, caller.name}),
            at=services.clock(),
            classes=question.classes,
            labels=question.labels,
            scopes=caller.scopes,
            interactions=question.interactions,
        )
    return Request(
        act=question.act,
        tenant=services.settings.tenant,
        subject=twin,
        purpose=PURPOSE,
        actors=hospital.actors,
        at=services.clock(),
        classes=question.classes,
        labels=question.labels,
        recipient_enforces_labels=hospital.labels_attested,
    )


def recorded(
    services: Services,
    hospital: Hospital,
    decision: Decision,
    directives: tuple[Directive, ...],
    caller: Caller | None = None,
) -> Event:
    """Return the audit record of a decision; the Consents it rests on are in the sealed part."""
    return Event(
        kind="consent-decision",
        action="execute",
        outcome="success" if decision.permitted else "minor-failure",
        tenant=services.settings.tenant,
        actor=f"client/{caller.id}" if caller else f"hospital/{hospital.id}",
        at=decision.request.at,
        request=caller.request if caller else None,
        purpose=decision.request.purpose,
        subject=decision.request.subject,
        detail=f"{decision.request.act}: {'permit' if decision.permitted else 'deny'}; {decision.reason}",
        resources=tuple(f"Consent/{directive.id}/_history/{directive.version}" for directive in directives),
    )


def administered(services: Services, action: Action, detail: str) -> Event:
    """Return the audit record of what an administrator changed."""
    return Event(
        kind="policy",
        action=action,
        outcome="success",
        tenant=services.settings.tenant,
        actor="administrator",
        at=services.clock(),
        detail=detail,
    )


def acted(
    services: Services,
    hospital: Hospital,
    twin: str,
    kind: Kind,
    detail: str,
    resources: tuple[str, ...] = (),
) -> Event:
    """Return the audit record of an act on one twin."""
    return Event(
        kind=kind,
        action=_ACTIONS[kind],
        outcome="success",
        tenant=services.settings.tenant,
        actor=f"hospital/{hospital.id}",
        at=services.clock(),
        purpose=PURPOSE,
        subject=twin,
        detail=detail,
        resources=resources,
    )


_ACTIONS: dict[Kind, Action] = {
    "notification": "execute",
    "pull": "read",
    "twin-update": "update",
    "assessment-write": "create",
}
