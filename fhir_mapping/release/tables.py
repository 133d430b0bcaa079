"""Which differences hold for which resource type."""

from __future__ import annotations

from fhir_mapping.release import clinical, medications, written
from fhir_mapping.release.audit_event import AUDIT_EVENT
from fhir_mapping.release.consents import CONSENT
from fhir_mapping.release.place import Element, Place, Step
from fhir_mapping.release.sequences import MOLECULAR_SEQUENCE
from fhir_mapping.release.steps import Codes, Irregular
from fhir_mapping.release.subscriptions import SUBSCRIPTION


def _without_issues(bundle: Element, _: Place) -> None:
    """Leave out what the server says of a search: it is not of what was found."""
    bundle.pop("issues", None)


TABLES: dict[str, tuple[Step, ...]] = {
    "AuditEvent": AUDIT_EVENT,
    "Bundle": (Codes("type", r4={"subscription-notification": "history"}), Irregular(None, _without_issues)),
    "CarePlan": written.CARE_PLAN,
    "CareTeam": clinical.CARE_TEAM,
    "Communication": written.COMMUNICATION,
    "Condition": clinical.CONDITION,
    "Consent": CONSENT,
    "DetectedIssue": written.DETECTED_ISSUE,
    "Device": written.DEVICE,
    "DiagnosticReport": clinical.DIAGNOSTIC_REPORT,
    "FamilyMemberHistory": clinical.FAMILY_MEMBER_HISTORY,
    "Group": clinical.GROUP,
    "GuidanceResponse": written.GUIDANCE_RESPONSE,
    "Medication": medications.MEDICATION,
    "MedicationAdministration": medications.MEDICATION_ADMINISTRATION,
    "MedicationRequest": medications.MEDICATION_REQUEST,
    "MedicationStatement": medications.MEDICATION_STATEMENT,
    "MolecularSequence": MOLECULAR_SEQUENCE,
    "Observation": clinical.OBSERVATION,
    "Organization": clinical.ORGANIZATION,
    "Patient": clinical.PATIENT,
    "Practitioner": clinical.PRACTITIONER,
    "Procedure": clinical.PROCEDURE,
    "Provenance": written.PROVENANCE,
    "RiskAssessment": written.RISK_ASSESSMENT,
    "Subscription": SUBSCRIPTION,
}
