"""Fixtures for every test, and the two settings of Hypothesis."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import support

# `ci` is the default: bounded, and the same examples every time, so that a failure is the change's, not the day's.
settings.register_profile(
    "ci",
    max_examples=100,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
settings.register_profile("long", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return support.REPOSITORY


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The reference data's folder; skips (fails in CI) where it is absent."""
    return support.require_data()


@pytest.fixture
def free_port() -> int:
    """A free TCP port on the loopback interface."""
    return support.free_port()


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    """Where a test may keep a journal; no file is there yet."""
    return tmp_path / "journal.db"
