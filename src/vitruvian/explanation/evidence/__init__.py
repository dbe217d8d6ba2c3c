"""Evidence: what the twin knows of one matter, as facts that an explanation cites. One builder a kind."""

from vitruvian.explanation.evidence.base import Direction, Evidence, Fact, Flag, Kind, Role

__all__ = ["Direction", "Evidence", "Fact", "Flag", "Kind", "Role"]
