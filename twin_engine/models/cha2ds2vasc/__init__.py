"""CHA2DS2-VASc: the risk of stroke in atrial fibrillation."""

from twin_engine.models.cha2ds2vasc.model import Cha2ds2Vasc

__all__ = ["Cha2ds2Vasc"]
