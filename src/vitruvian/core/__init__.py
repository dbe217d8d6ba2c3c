"""Units, time, identifiers, errors, limits, the vocabulary and the ports. Imports nothing else of ours."""
