"""How eGFR and HbA1c go on: state-space twins of a level and a slope."""

from twin_engine.models.progression.glycaemia import GlycaemicProgression
from twin_engine.models.progression.kidney import KidneyProgression

__all__ = ["GlycaemicProgression", "KidneyProgression"]
