"""Which reader takes which path, how a path becomes readings, and that the sums add up."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.fhir_support import bundle, observation, patient
from vitruvian.core.errors import ReadingError
from vitruvian.core.events import Reading
from vitruvian.records.base import Context, discover, iter_readings, quarantined, read_events, readers
from vitruvian.records.tally import OTHERS, Tally, summarise


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.json").write_text("{}")
    (tmp_path / "b" / "deep" / "two.json").write_text(json.dumps(bundle(patient(), observation())))
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(observation(id="o2")).encode()))
    (tmp_path / "c.unknown").write_bytes(b"\x00\x01 nothing anyone reads")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    return tmp_path


def test_files_are_found_in_order_and_folders_behind_links_are_not_entered(folder: Path) -> None:
    found = [(item.path.name, item.reader.NAME if item.reader else None) for item in discover(folder)]
    assert found == [("a.json.gz", "fhir"), ("two.json", "fhir"), ("c.unknown", None)]


def test_readings_of_a_folder_and_of_one_file(folder: Path) -> None:
    assert summarise(iter_readings(folder)).read == 3
    assert len(list(read_events(folder / "a.json.gz"))) == 1
    assert [entry.source for entry in read_events(folder / "a.json.gz", Context(source="fhir:north"))] == ["fhir:north"]
    with pytest.raises(ReadingError, match="known format"):
        list(iter_readings(folder / "c.unknown"))
    with pytest.raises(ReadingError, match="found nothing"):
        list(iter_readings(folder / "absent"))


def test_a_truncated_file_is_counted_not_raised(folder: Path) -> None:
    path = folder / "a.json.gz"
    path.write_bytes(path.read_bytes()[:-8])
    tally = summarise(iter_readings(path))
    assert (tally.read, tally.reasons) == (0, {"unreadable-file": 1})


def test_every_reader_keeps_to_the_contract() -> None:
    assert readers()
    for reader in readers():
        assert reader.NAME
        assert reader.sniff(Path("/nowhere/at.all"), b"\x00\xff not a record") is False


def test_the_tallys_three_sums_are_all_there_was() -> None:
    tally = Tally(files=2)
    tally.add(Reading("A", entries=()))
    tally.add(Reading("B", ignored="no home yet", unmapped=("x|1|",)))
    tally.add(quarantined("B", "json", "found {", "test", raw=b"{"))
    stated = tally.as_dict()
    assert stated["read"] + stated["ignored"] + stated["quarantined"] == stated["total"] == 3
    assert stated["ignored_by_type"] == {"B": 1}
    assert stated["reasons"] == {"json": 1}
    assert stated["unmapped"] == {"x|1|": 1}
    assert json.dumps(stated)


def test_the_tally_is_bounded() -> None:
    tally = summarise(Reading("B", ignored="x", unmapped=(str(number),)) for number in range(10_050))
    assert len(tally.unmapped) <= 10_001
    assert tally.unmapped[OTHERS] == 50
    assert tally.unmapped.total() == 10_050
