"""Limits on everything that arrives or waits. A bound that is hit is an error or a slower source, never a
loss.
"""

from typing import Final

BODY_BYTES_MAX: Final = 1 << 20  # one HTTP or MQTT payload
BUNDLE_BYTES_MAX: Final = 64 << 20  # one FHIR bundle or HL7 v2 batch, by configuration
JSON_DEPTH_MAX: Final = 32
MESSAGE_EVENTS_MAX: Final = 4_096  # events in one entry
TEXT_CHARS_MAX: Final = 16_384  # one text value
IDENTIFIER_CHARS_MAX: Final = 256
QUEUE_ENTRIES_MAX: Final = 16_384  # entries waiting for a commit
COMMIT_ENTRIES_MAX: Final = 2_048  # entries in one commit
QUARANTINE_BYTES_MAX: Final = 65_536  # raw bytes kept of one refused input
SKEW_US_MAX: Final = 5 * 60 * 1_000_000  # a source clock further ahead of ours than this is flagged
FUTURE_US_MAX: Final = 24 * 3600 * 1_000_000  # and further than this is quarantined on live streams
