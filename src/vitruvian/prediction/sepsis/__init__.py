"""The recipe of the sepsis risk: what research chose (docs/research/sepsis_transfer.md)."""
