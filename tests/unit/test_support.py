"""The rule that CI skips nothing is itself tested: a quiet skip would let a broken promise through."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import support


def test_missing_data_skips_locally_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VITRUVIAN_DATA", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no reference data at"):
        support.require_data("fhir")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no reference data at"):
        support.require_data("fhir")
    (tmp_path / "fhir").mkdir()
    assert support.require_data("fhir") == tmp_path / "fhir"


def test_missing_program_skips_locally_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no such-a-program"):
        support.require_program("such-a-program")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no such-a-program"):
        support.require_program("such-a-program")
    assert support.require_program("such-a-program", "sh").endswith("sh")
