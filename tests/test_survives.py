"""Runs on clusters of several nodes whose workers, nodes and disk fail: they go on, and say what happened."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.base.config import to_toml
from tests.isolation import run_isolated
from tests.training_corpus import small_config, write_corpus

pytestmark = pytest.mark.ray
ROOT = Path(__file__).parent.parent
EVERY = 20


def play(tmp_path: Path, *acts: str, **changes: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a line for each act and what the run said at its end."""
    write_corpus(tmp_path / "corpus")
    config = small_config(
        steps=1_000_000,
        batch_size=8,
        num_workers=2,
        min_workers=1,
        resize_every_s=1.0,
        checkpoint_every=EVERY,
        validate_every=0,
        **changes,
    )
    (tmp_path / "config.toml").write_text(to_toml(config))
    command = [sys.executable, "-m", "tests.cluster_scenes", str(tmp_path), *acts]
    child = run_isolated(*command, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout_s=1700)
    assert child.returncode == 0, child.stdout[-2000:] + child.stderr[-4000:]
    *told, end = (json.loads(line) for line in child.stdout.splitlines() if line.startswith("{"))
    assert [line["act"] for line in told] == list(acts)
    return told, end


def starts(end: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in end["events"] if row["event"] == "started"]


def check_starts(told: list[dict[str, Any]], end: dict[str, Any]) -> None:
    """No start went back behind what was saved when its cause came, and none lost more than the steps between two."""
    causes = [line for line in told if not line["act"].startswith("full")]
    assert len(starts(end)) >= 1 + len(causes)
    for earlier, later in zip(starts(end), starts(end)[1:], strict=False):
        assert later["step"] >= earlier["step"]
        assert later["step"] % EVERY == 0
        assert 0 <= later["steps_lost"] <= EVERY
    for cause in causes:
        assert any(start["step"] >= cause["saved"] for start in starts(end))


@pytest.mark.timeout(900)
def test_a_full_disk_a_killed_worker_and_a_node_that_leaves(tmp_path: Path):
    told, end = play(tmp_path, "full:3", "kill", "leave")
    check_starts(told, end)
    waited = [row for row in end["events"] if row["event"] == "waited"]
    assert waited and "No space left on device" in waited[0]["why"]
    failed = [row["why"] for row in end["events"] if row["event"] == "failed"]
    assert failed and all(why.startswith("worker ") for why in failed)
    assert [row["num_workers"] for row in (starts(end)[0], starts(end)[-1])] == [2, 1]
    assert end["said"].startswith("Interrupted: ")
    assert "workers took over" in end["said"] and "steps lost: see events.jsonl" in end["said"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_run_shrinks_with_its_cluster_and_grows_again(tmp_path: Path):
    told, end = play(tmp_path, "leave", "join", "kill")
    check_starts(told, end)
    sizes = [row["num_workers"] for row in starts(end)]
    assert sizes[0] == sizes[-1] == 2 and 1 in sizes
