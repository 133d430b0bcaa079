"""Cholesterol in the two units of the laboratories."""

from __future__ import annotations

# 1 mmol/L is 38.67 mg/dL; PREVENT and SCORE2 take the reciprocal with these digits.
MMOL_PER_MG_DL = 0.02586
