"""Serving: a bundle of members to calibrated risks with intervals, in batch and live."""
