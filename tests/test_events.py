"""training/events.py: a run's diary, and writing that waits for its storage."""

import json
from pathlib import Path

import pytest

from pipeline.base.errors import StorageError
from training.events import EVENTS, describe, num_restarts, patiently, read_events, steps_lost, tell


def test_a_diary_is_read_back_counted_and_described(tmp_path: Path):
    tell(tmp_path, "started", step=0, num_workers=2, steps_lost=0)
    tell(tmp_path, "failed", why="worker 1: ActorDiedError: gone")
    tell(tmp_path, "started", step=40, num_workers=1, steps_lost=3)
    with open(tmp_path / EVENTS, "a") as file:
        file.write('{"event": "star')
    events = read_events(tmp_path)
    assert [row["event"] for row in events] == ["started", "failed", "started"]
    assert (num_restarts(events), steps_lost(events)) == (1, 3)
    assert describe(events) == (
        "worker 1: ActorDiedError: gone",
        "1 workers went on from step 40, 3 steps lost",
    )
    assert (num_restarts([]), steps_lost([]), describe([])) == (0, 0, ())


def test_a_diary_that_cannot_be_written_or_read_fails_nothing(tmp_path: Path):
    tell(tmp_path / "nowhere", "started", step=0)
    assert read_events(tmp_path / "nowhere") == []


def test_writing_waits_for_the_storage_and_tells_of_it(tmp_path: Path):
    tries = []

    def write() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise StorageError("disk: No space left on device")

    patiently(write, tmp_path, patience_s=60)
    assert len(tries) == 3
    (row,) = read_events(tmp_path)
    assert row["event"] == "waited" and row["seconds"] >= 0.6
    assert describe([row]) == (f"waited {row['seconds']:g} s to write: disk: No space left on device",)
    tries.clear()
    with pytest.raises(StorageError, match="No space"):
        patiently(write, tmp_path, patience_s=0)
    assert len(tries) == 1
    assert [json.loads(line) for line in (tmp_path / EVENTS).read_text().splitlines()] == [row]
