"""Benchmarks: `scripts/bench NAME` runs benchmarks/NAME.py, which records what it measured in docs/results/."""
