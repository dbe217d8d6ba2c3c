"""Devices that stand at a bed, as the site code map lists them: entries that say so."""

from __future__ import annotations

from typing import Final

from vitruvian.core.events import Association, Entry, Event
from vitruvian.records.mapping import Mapping

SOURCE: Final = "mapping"
SINCE_US: Final = 0  # the map says where a device stands, not since when: for as long as it is told


def placements(mapping: Mapping) -> list[Entry]:
    """One entry a device of `[beds]`. Another bed in a later map is a correction of the same entry."""
    return [
        Entry(
            SOURCE,
            f"bed|{device}",
            (Event("device", "", Association("start", device, location), SINCE_US),),
            device=device,
        )
        for device, location in sorted(mapping.beds.items())
    ]
