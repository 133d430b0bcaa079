"""SCORE2, SCORE2-OP and SCORE2-Diabetes: cardiovascular events in 10 years, in the four regions of Europe."""

from twin_engine.models.score2.model import Score2

__all__ = ["Score2"]
