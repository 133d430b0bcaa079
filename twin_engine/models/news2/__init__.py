"""RCP NEWS2: how ill a person is now, by seven signs at the bedside."""

from twin_engine.models.news2.model import News2

__all__ = ["News2"]
