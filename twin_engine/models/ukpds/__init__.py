"""UKPDS Outcomes Model 2: complications and death of people with type 2 diabetes."""

from twin_engine.models.ukpds.model import Ukpds

__all__ = ["Ukpds"]
