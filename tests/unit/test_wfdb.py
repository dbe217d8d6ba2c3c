"""WFDB records: numerics become observations, waveforms stay files, damage stays with its record."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.support import require_data
from vitruvian.core.errors import ConfigurationError
from vitruvian.core.events import Blob, Person, Quantity, Reading
from vitruvian.core.time import parse_iso
from vitruvian.records import wfdb
from vitruvian.records.base import Context, discover, iter_readings
from vitruvian.records.tally import summarise
from vitruvian.records.wfdb.signals import measure_of

pytest.importorskip("wfdb")


GAINS = {"bpm": 1, "mmHg": 10, "%": 1, "pm": 1, "mV": 100}
LOST = -32_768  # format 16 has no number there


def write_record(
    folder: Path, name: str, start: str, fs: str, signals: dict[str, str], frames: list[list[float]]
) -> None:
    """A header and a format-16 signal file, by the letter of the WFDB header and signal specifications."""
    gains = [GAINS[unit] for unit in signals.values()]
    digital = [
        [LOST if np.isnan(value) else round(value * gain) for value, gain in zip(frame, gains, strict=True)]
        for frame in frames
    ]
    (folder / f"{name}.dat").write_bytes(np.array(digital, "<i2").tobytes())
    lines = [f"{name} {len(signals)} {fs} {len(frames)}{start}"]
    lines += [f"{name}.dat 16 {GAINS[unit]}/{unit} 16 0 0 0 0 {signal}" for signal, unit in signals.items()]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n# <age>: 63 <sex>: F\n")


@pytest.fixture
def numerics(tmp_path: Path) -> Path:
    """A minute-by-minute record of MIMIC's matched numerics."""
    folder = tmp_path / "p000020"
    folder.mkdir()
    lost = float("nan")
    signals = {"HR": "bpm", "ABP Sys": "mmHg", "NBP Dias": "mmHg", "SpO2": "%", "RESP": "pm", "PVC Rate": "mV"}
    frames = [[80, 120, 61.5, 97, 18, 3], [81, lost, lost, lost, 19, 3], [lost] * 6]
    write_record(folder, "p000020-2183-04-28-17-47n", " 17:47:32 28/04/2183", "0.0166666666666667", signals, frames)
    return folder


def test_numerics_become_observations_of_the_patient_who_is_named(numerics: Path) -> None:
    who, first, second, nothing = iter_readings(numerics)
    person = who.entries[0].events[0].value
    assert isinstance(person, Person) and person.sex == "female"
    (entry,) = first.entries
    assert {event.concept: event.value for event in entry.events} == {
        "heart_rate": Quantity(80.0, "/min"),
        "systolic_pressure_arterial": Quantity(120.0, "mm[Hg]", "", 120.0, "mmHg"),
        "diastolic_pressure": Quantity(
            pytest.approx(61.5, abs=0.01), "mm[Hg]", "", pytest.approx(61.5, abs=0.01), "mmHg"
        ),
        "oxygen_saturation": Quantity(pytest.approx(97.0), "%"),
        "respiratory_rate": Quantity(pytest.approx(18.0), "/min"),
    }
    assert {event.occurred_us for event in entry.events} == {parse_iso("2183-04-28T17:47:32Z").us}
    assert entry.subject[0].system == "mimic-iii:patient" and entry.subject[0].value == "20"
    assert [event.concept for event in second.entries[0].events] == ["heart_rate", "respiratory_rate"]
    assert second.entries[0].events[0].occurred_us == parse_iso("2183-04-28T17:48:32Z").us
    assert nothing.ignored


def test_the_same_frames_whatever_the_chunk(numerics: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(iter_readings(numerics))
    monkeypatch.setattr("vitruvian.records.wfdb.reader.FRAMES", 1)
    assert list(iter_readings(numerics)) == whole


def test_names_and_units_must_both_be_certain() -> None:
    assert measure_of("ABP", "mmHg") is None and measure_of("HR", "furlong") is None
    temperature = measure_of("Temp", "degC")
    assert temperature is not None and temperature.concept.name == "body_temperature"


@pytest.mark.data
def test_waveforms_are_kept_as_files_with_their_sampling() -> None:
    folder = require_data("waveforms")
    readings: list[Reading] = list(wfdb.read(folder / "03700181.hea", Context()))
    (entry,) = readings[0].entries
    (event,) = entry.events
    assert event.value == Blob(
        hashlib.sha256((folder / "03700181.dat").read_bytes()).hexdigest(),
        675_000,
        "application/x-wfdb",
        "03700181.dat",
    )
    assert event.code == "wfdb:waveform|03700181|MCL1 500 Hz mV, ABP 125 Hz mmHg, RESP 125 Hz mV"
    assert event.occurred_us == parse_iso("1994-08-15T17:27:45Z").us
    assert event.ended_us == event.occurred_us + 600_000_000


@pytest.mark.data
def test_the_sample_records_are_all_accounted_for() -> None:
    tally = summarise(iter_readings(require_data("waveforms")))
    assert dict(tally.read_by_type) == {"header": 2, "waveform": 3}
    assert dict(tally.ignored_by_type) == {"annotation file": 4}


@pytest.mark.data
@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("100 2 360 650000\n100.dat 212 200 11 1024 995\n", "unreadable-file"),
        ("100 1 360 650000\n../100.dat 212 200 11 1024 995 0 0 MLII\n", "unreadable-file"),
        ("100 1 0 650000\n100.dat 212 200 11 1024 995 0 0 MLII\n", "unreadable-file"),
        ("100 1 360 650000\nabsent.dat 212 200 11 1024 995 0 0 MLII\n", "unreadable-file"),
    ],
)
def test_a_damaged_header_costs_its_record_only(tmp_path: Path, header: str, reason: str) -> None:
    folder = require_data("waveforms")
    for name in ("s0010_re.hea", "s0010_re.dat", "s0010_re.xyz", "100.dat"):
        shutil.copy(folder / name, tmp_path / name)
    (tmp_path / "100.hea").write_text(header)
    tally = summarise(iter_readings(tmp_path))
    assert dict(tally.reasons) == {reason: 1} and tally.read_by_type["waveform"] == 1


def test_segments_are_read_with_their_record(tmp_path: Path) -> None:
    for number in (1, 2):
        write_record(tmp_path, f"3000003_000{number}", "", "0.5", {"HR": "bpm"}, [[70 + number]] * 3)
    (tmp_path / "3000003.hea").write_text(
        "3000003/3 1 0.5 8 10:00:00 01/02/2100\n3000003_0001 3\n~ 2\n3000003_0002 3\n"
    )
    entries = [entry for reading in iter_readings(tmp_path) for entry in reading.entries]
    start = datetime(2100, 2, 1, 10, tzinfo=UTC)
    wanted = [start + timedelta(seconds=2 * frame) for frame in (0, 1, 2, 5, 6, 7)]
    assert [entry.events[0].occurred_us for entry in entries] == [int(when.timestamp()) * 1_000_000 for when in wanted]
    assert [round(entry.events[0].value.value) for entry in entries] == [71, 71, 71, 72, 72, 72]  # type: ignore[union-attr]
    assert {entry.subject[0].value for entry in entries} == {"3000003"}


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import sys

    monkeypatch.setitem(sys.modules, "wfdb", None)
    yield


@pytest.mark.usefixtures("without_package")
def test_a_missing_package_says_how_to_get_it(numerics: Path) -> None:
    found = next(item for item in discover(numerics) if item.path.suffix == ".hea")
    with pytest.raises(ConfigurationError, match=r"pip install 'vitruvian\[wfdb\]'"):
        list(wfdb.read(found.path, Context()))
