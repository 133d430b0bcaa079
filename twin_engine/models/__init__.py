"""One package or module per model; a model is registered by its line in ``MODELS``."""

from __future__ import annotations

from twin_engine.model import Model
from twin_engine.models.news2 import News2
from twin_engine.models.prevent import Prevent

MODELS: tuple[Model, ...] = (Prevent(), News2())
