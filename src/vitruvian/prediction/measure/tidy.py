"""Figures as a JSON file should hold them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["rounded", "write_json"]


def rounded(value: Any) -> Any:
    """Plain numbers to six significant digits, what is not finite as null, arrays as lists."""
    if isinstance(value, np.ndarray):
        return rounded(value.tolist())
    if isinstance(value, np.generic):
        return rounded(value.item())
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return value


def write_json(value: Any, path: Path) -> None:
    """Write `rounded` figures at `path`, whose folder is made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(value), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", "utf-8")
