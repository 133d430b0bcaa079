"""The answers of LOINC's lists that genomics reports use, in the engine's words.

Sources: LOINC 2.78 answer lists LL1971-2 (presence), LL378-1 (genomic source class), LL381-5 (allelic state),
LL4034-6 (clinical significance), LL379-9 (DNA change type), LL3856-3 (metabolizer phenotypes), LL539-8 (drug
efficacy), LL5489-1 (origin of a variant); SNOMED CT qualifiers; Sequence Ontology.
"""

from __future__ import annotations

from fhir_mapping.codes import LOINC, SYSTEMS
from fhir_mapping.genomics.parts import coded, single
from twin_engine.twin import GenotypeState

_STATE: dict[str, GenotypeState] = {
    "LA9633-4": "present",
    "LA9634-2": "absent",
    "LA18198-4": "no-call",
    "LA11884-6": "indeterminate",
}
_STATE_SNOMED: dict[str, GenotypeState] = {
    "52101004": "present",
    "10828004": "present",
    "2667000": "absent",
    "260385009": "absent",
    "82334004": "indeterminate",
}
ORIGIN = {
    "LA6683-2": "germline",
    "LA18194-3": "likely-germline",
    "LA26807-0": "de-novo",
    "LA6684-0": "somatic",
    "LA18195-0": "somatic",
    "LA10429-1": "fetal",
    "LA18196-8": "fetal",
}
ZYGOSITY = {
    "LA6705-3": "homozygous",
    "LA6706-1": "heterozygous",
    "LA6707-9": "hemizygous",
    "LA6703-8": "heteroplasmic",
    "LA6704-6": "homoplasmic",
    "LA26217-2": "compound-heterozygous",
    "LA26220-6": "double-heterozygous",
}
SIGNIFICANCE = {
    "LA6668-3": "pathogenic",
    "LA26332-9": "likely-pathogenic",
    "LA26333-7": "uncertain",
    "LA26334-5": "likely-benign",
    "LA6675-8": "benign",
}
PHASE = {"LA26320-4": "maternal", "LA26321-2": "paternal"}
RELATIVE_PHASE = {"Cis": "cis", "Trans": "trans"}
EFFECT = {
    "LA10315-2": "ultrarapid-metabolizer",
    "LA25390-8": "rapid-metabolizer",
    "LA25391-6": "normal-metabolizer",
    "LA10317-8": "intermediate-metabolizer",
    "LA9657-3": "poor-metabolizer",
    "LA25392-4": "increased-function",
    "LA25393-2": "normal-function",
    "LA25395-7": "decreased-function",
    "LA25394-0": "poor-function",
    "LA19542-2": "low-risk",
    "LA19541-4": "high-risk",
    "LA6676-6": "resistant",
    "LA6677-4": "responsive",
    "LA9660-7": "presumed-resistant",
    "LA9661-5": "presumed-responsive",
    "LA9662-3": "presumed-non-responsive",
}
# DNA change type: the reference itself.
UNCHANGED = {"LA9658-1": "reference", "SO:0002073": "reference"}
# DNA change type, and how ISCN and HGVS abbreviate it.
ABBREVIATION = {
    "LA6692-3": "del",
    "SO:0000159": "del",
    "LA6686-5": "dup",
    "SO:1000035": "dup",
    "LA6687-3": "ins",
    "SO:0000667": "ins",
    "LA6689-9": "inv",
    "SO:1000036": "inv",
}


def state(value: object) -> GenotypeState | None:
    """Return whether a variant was found; None where the answer is not one that is known.

    Raises
    ------
    fhir_mapping.genomics.parts.Contradiction
        It is said to be there and not to be there.
    """
    known = (coded(value, {code: name}, system) for system, code, name in _STATES)
    return single(name for name in known if name is not None)


_STATES = tuple(
    (system, code, name)
    for system, table in ((LOINC, _STATE), (SYSTEMS["snomed"], _STATE_SNOMED))
    for code, name in table.items()
)
