"""Runs on clusters of several nodes whose workers, nodes and disk fail: they go on, and say what happened."""

import json
import os
import re
import sys
from dataclasses import replace
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
    )
    config = replace(config, **changes)
    (tmp_path / "config.toml").write_text(to_toml(config))
    command = [sys.executable, "-m", "tests.cluster_scenes", str(tmp_path), *acts]
    child = run_isolated(*command, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout_s=1700)
    assert child.returncode == 0, child.stdout[-2000:] + child.stderr[-4000:]
    *told, end = (json.loads(line) for line in child.stdout.splitlines() if line.startswith("{"))
    assert [line["act"] for line in told] == [act for act in acts if not act.startswith("ends:")]
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


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("act", "changes", "words"),
    [
        ("ends:kill", {"max_failures": 0, "min_workers": 0}, "TrainingError: worker "),
        ("ends:full", {"max_failures": 0, "storage_patience_s": 2.0}, "StorageError: .*No space left on device"),
    ],
)
def test_a_run_that_may_not_go_on_says_why_in_one_line(tmp_path: Path, act: str, changes: dict[str, Any], words: str):
    _, end = play(tmp_path, act, **changes)
    assert re.match(words, end["said"])
    assert "\n" not in end["said"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_two_and_four_workers_on_two_and_three_nodes_learn_along_one_curve(tmp_path: Path):
    write_corpus(tmp_path / "corpus", num_train=16)
    # The label map's loss is a mean over a worker's labelled pixels, of which workers have unlike many.
    config = small_config(steps=6, batch_size=8, gamma=0.0, validate_every=3, checkpoint_every=6)
    (tmp_path / "config.toml").write_text(to_toml(config))
    script = "import sys; from pathlib import Path; from tests import cluster_scenes as scenes; "
    command = [sys.executable, "-c", script + "scenes.curves(Path(sys.argv[1]))", str(tmp_path)]
    child = run_isolated(*command, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout_s=850)
    assert child.returncode == 0, child.stdout[-2000:] + child.stderr[-4000:]
    found = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
    assert [line["num_workers"] for line in found] == [1, 2, 4, 4]
    for line in found[1:]:
        assert line["losses"] == pytest.approx(found[0]["losses"], rel=1e-5)
