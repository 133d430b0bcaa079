"""Type 1 diabetes: glucose, insulin and food."""

from twin_engine.models.glucose.model import TypeOneDiabetes

__all__ = ["TypeOneDiabetes"]
