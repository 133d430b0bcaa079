"""The kidney failure risk equations: dialysis or transplantation in 2 and 5 years."""

from twin_engine.models.kfre.model import Kfre

__all__ = ["Kfre"]
