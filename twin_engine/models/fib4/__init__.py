"""FIB-4: how likely advanced fibrosis of the liver is."""

from twin_engine.models.fib4.model import Fib4

__all__ = ["Fib4"]
