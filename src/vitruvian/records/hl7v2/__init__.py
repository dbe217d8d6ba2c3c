"""HL7 v2: ADT, ORU and OUL, RDE and RAS messages to entries; acknowledgements."""

from vitruvian.records.hl7v2.acknowledge import acknowledge
from vitruvian.records.hl7v2.message import Message, parse, split_messages
from vitruvian.records.hl7v2.reader import NAME, read, read_bytes, read_message, sniff

__all__ = ["NAME", "Message", "acknowledge", "parse", "read", "read_bytes", "read_message", "sniff", "split_messages"]
