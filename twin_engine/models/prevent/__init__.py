"""AHA PREVENT 2023: risk of cardiovascular disease by the base equations or a fuller variant."""

from twin_engine.models.prevent.model import Prevent

__all__ = ["Prevent"]
