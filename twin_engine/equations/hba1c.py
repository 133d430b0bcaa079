"""Glycated haemoglobin in the units of the NGSP (%) and the IFCC (mmol/mol).

Source: Hoelzel W et al., Clin Chem 2004;50:166-174, doi 10.1373/clinchem.2003.024802 (master equation).
"""

from __future__ import annotations


def ifcc(ngsp: float) -> float:
    """Return HbA1c in mmol/mol from HbA1c in %."""
    return (ngsp - 2.152) / 0.09148
