"""What moved a risk: attributions that add up, and tests of them."""

from vitruvian.prediction.reasons.attribute import attribute, attribute_member
from vitruvian.prediction.reasons.base import HOURLY, MISSING, Attributions, subject

__all__ = ["HOURLY", "MISSING", "Attributions", "attribute", "attribute_member", "subject"]
