"""Networks that read the last day hour by hour: LSTM, GRU, TCN and a small transformer, beside the current columns.

PyTorch (extra `train`) is imported only when one is fitted; what is served are ONNX graphs.
"""

from vitruvian.prediction.families.sequence.family import SequenceFamily
from vitruvian.prediction.families.sequence.settings import Settings

__all__ = ["SequenceFamily", "Settings"]
