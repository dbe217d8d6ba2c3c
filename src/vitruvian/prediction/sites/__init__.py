"""Another site: recalibration, drift, quality of data, updates behind a gate."""
