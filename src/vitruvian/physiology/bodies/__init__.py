"""Bodies: rooms joined by their declared couplings. The only part of the package that imports rooms."""

from vitruvian.physiology.bodies.registry import NAMES, body

__all__ = ["NAMES", "body"]
