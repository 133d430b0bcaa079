"""One package or module per model; a model is registered by its line in ``MODELS``."""

from __future__ import annotations

from twin_engine.model import Model
from twin_engine.models.cha2ds2vasc import Cha2ds2Vasc
from twin_engine.models.fib4 import Fib4
from twin_engine.models.glucose import TypeOneDiabetes
from twin_engine.models.kfre import Kfre
from twin_engine.models.news2 import News2
from twin_engine.models.prevent import Prevent
from twin_engine.models.progression import GlycaemicProgression, KidneyProgression
from twin_engine.models.score2 import Score2
from twin_engine.models.ukpds import Ukpds

# Equations for several populations are a model for each: a site starts the one of its people.
MODELS: tuple[Model, ...] = (
    Prevent(),
    *(Score2.of(region) for region in ("low", "moderate", "high", "very-high")),
    *(Kfre.of(continent) for continent in ("north-american", "non-north-american")),
    Cha2ds2Vasc(),
    Fib4(),
    Ukpds(),
    KidneyProgression(),
    GlycaemicProgression(),
    News2(),
    TypeOneDiabetes(),
)
