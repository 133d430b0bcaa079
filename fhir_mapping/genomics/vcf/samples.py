"""Which sample of a file is of the germline: a tumour says nothing of what was inherited.

Sources: VCF 4.3 (INFO SOMATIC), GATK Mutect2 (``##tumor_sample``, ``##normal_sample``), Strelka
(``##content``) and VarScan (INFO SS, the somatic status).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fhir_mapping.errors import Unusable

_CALLER = re.compile(
    r"^##(?:source=.*(?:mutect|strelka|somatic)|content=.*somatic|mutect|gatkcommandline.*\bID=mutect"
    r"|(?:tumou?r|normal)_sample=)",
    re.IGNORECASE | re.MULTILINE,
)
_GERMLINE = re.compile(r"^##content=strelka germline", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"^##INFO=<ID=SS,.*somatic", re.IGNORECASE | re.MULTILINE)
_TUMOUR = re.compile(r"(?<![a-z])tumou?r(?![a-z])", re.IGNORECASE)
_NORMAL = re.compile(r"(?<![a-z])normal(?![a-z])", re.IGNORECASE)
_NORMAL_LINE = re.compile(r"^##normal_sample=(.+)$", re.MULTILINE)


def germline_sample(header: str, samples: Sequence[str], wanted: str | None) -> tuple[str, bool]:
    """Return the sample to read, and whether it is the normal one beside a tumour.

    Raises
    ------
    Unusable
        The file is of a tumour and no normal sample of it was named, or it is not clear which sample to read.
    """
    normal = wanted is not None and wanted in _normals(header, samples)
    if not normal and (_is_somatic(header) or any(_TUMOUR.search(name) for name in samples)):
        raise of_a_tumour()
    chosen = wanted if wanted is not None else samples[0] if len(samples) == 1 else None
    if chosen not in samples:
        raise Unusable("value", f"name one of the {len(samples)} samples of the file")
    return str(chosen), normal


def of_a_tumour() -> Unusable:
    """Return the refusal of a file that says nothing of the germline."""
    text = "the file is of a tumour: only the normal sample of a pair, named, tells of the germline"
    return Unusable("not-supported", text)


def _is_somatic(header: str) -> bool:
    told = _CALLER.search(header) is not None and _GERMLINE.search(header) is None
    return told or _STATUS.search(header) is not None


def _normals(header: str, samples: Sequence[str]) -> frozenset[str]:
    """Return the normal samples that stand beside another sample."""
    declared = {name.strip() for name in _NORMAL_LINE.findall(header)}
    named = {name for name in samples if _NORMAL.search(name) and not _TUMOUR.search(name)}
    found = frozenset(declared or named) & frozenset(samples)
    return found if len(found) < len(samples) else frozenset()
