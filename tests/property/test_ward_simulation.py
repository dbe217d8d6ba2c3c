"""Whatever the transport does to a ward's day, the twins end up the same (reliability: seeded simulation)."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitruvian.testing.simulator import Story, faulty, live, orderly


async def check(folder: Path, seed: int) -> None:
    """One day, delivered in order and delivered badly, on wards that are restarted."""
    story = Story(seed)
    (folder / "orderly").mkdir()
    (folder / "faulty").mkdir()
    bad = faulty(story, seed)
    straight = await live(folder / "orderly", orderly(story), story)
    crooked = await live(folder / "faulty", bad, story, restarts=3)
    told = f"seed {seed}: run check(folder, {seed}) again"
    assert sum(len(one.entries) for one in bad) > 1.3 * len(story.said), told
    assert straight.kept == crooked.kept == len(story.said), told  # each entry once, however often it came
    assert len(straight.hashes) >= story.patients, told
    assert crooked.hashes == straight.hashes, told
    assert crooked.places == straight.places, told


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 5))])
async def test_a_badly_delivered_day_ends_in_the_same_twins(tmp_path: Path, seed: int) -> None:
    await check(tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5, 205))
async def test_two_hundred_badly_delivered_days(tmp_path: Path, seed: int) -> None:
    await check(tmp_path, seed)


async def test_half_duplicated_and_shuffled_within_ten_minutes(tmp_path: Path) -> None:
    """No outages and no restarts: what any network does on any day."""
    story = Story(1_000, patients=3, hours=6.0)
    for name in ("orderly", "faulty"):
        (tmp_path / name).mkdir()
    bad = faulty(story, 1, duplicated=0.5, late=0.0)
    straight = await live(tmp_path / "orderly", orderly(story), story)
    crooked = await live(tmp_path / "faulty", bad, story)
    assert (crooked.hashes, crooked.places, crooked.kept) == (straight.hashes, straight.places, straight.kept)


def test_a_seed_decides_everything() -> None:
    one, same, other = Story(7), Story(7), Story(8)
    assert one.said == same.said != other.said
    assert faulty(one, 1) == faulty(same, 1) != faulty(one, 2)
    names = [(said.entry.source_id, said.entry.source_version) for said in one.said]
    assert len(names) == len(set(names))
