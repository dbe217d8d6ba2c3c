"""HL7 v2 over TCP: the minimal lower layer protocol (HL7 v2.x appendix C; IHE ITI TF-2, MLLP)."""

from vitruvian.streams.mllp.intake import Hl7Intake
from vitruvian.streams.mllp.server import Handler, MllpServer

__all__ = ["Handler", "Hl7Intake", "MllpServer"]
