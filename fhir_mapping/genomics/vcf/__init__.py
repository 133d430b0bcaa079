"""VCF and BCF files -> Genomics Reporting Observations, for hospitals without genomic FHIR.

``calls`` reads the records of the genes asked for, ``samples`` tells which sample may be read,
``annotation`` what annotators wrote beside the records, ``assembly`` what chromosomes are called, and
``rendering`` writes the Observations. What comes of a file is read on as if an EHR had sent it.
Source: VCF 4.3 (samtools.github.io/hts-specs).
"""

from __future__ import annotations

import re

_IMPORTED = re.compile(r"Observation/vcf-[0-9a-f]{40}")


def is_imported(reference: str) -> bool:
    """Tell whether a reference is to an Observation rendered from a file, of which no EHR knows."""
    return _IMPORTED.fullmatch(reference) is not None
