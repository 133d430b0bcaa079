"""AHA PREVENT 2023: risk of cardiovascular disease, base equations."""

from twin_engine.models.prevent.model import Prevent

__all__ = ["Prevent"]
