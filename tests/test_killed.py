"""A run that is killed, wherever, and gone on with learns the same bits as one that was not."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.training_corpus import write_corpus
from training.records import read_rows

ROOT = Path(__file__).parent.parent
COSTS = ("_ms", "_mib", "_per_second")
"""Ends the names of what differs from run to run."""


def drive(corpus: str, out: Path, *kills: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.training_driver", corpus, str(out), *kills]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def unharmed(corpus: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("unharmed")
    return out, drive(corpus, out)


def assert_same(out: Path, answer: dict[str, Any], unharmed: tuple[Path, dict[str, Any]]) -> None:
    assert answer["signals"][-1] == 0
    assert answer["learned"] == unharmed[1]["learned"]
    assert answer["best"] == unharmed[1]["best"]
    mine, theirs = (
        [{key: value for key, value in row.items() if not key.endswith(COSTS)} for row in read_rows(folder)]
        for folder in (out, unharmed[0])
    )
    assert mine == theirs


def test_killed_in_steps_and_gone_on_with(corpus: str, tmp_path: Path, unharmed):
    steps = [f"step:{number}" for number in random.Random(5).sample(range(1, 8), 3)]
    answer = drive(corpus, tmp_path, *steps)
    assert answer["signals"][:-1] == [9] * len(steps)
    assert_same(tmp_path, answer, unharmed)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_between_the_files_of_a_checkpoint(corpus: str, tmp_path: Path, unharmed, when: str):
    """The first checkpoint's files are the 4th to 7th that the first life writes, after a picture and best weights."""
    kills = [f"{when}:{number}" for number in (5, 6, 7)]
    answer = drive(corpus, tmp_path, *kills)
    assert answer["signals"][:-1] == [9] * len(kills)
    assert_same(tmp_path, answer, unharmed)


def test_killed_at_any_time(corpus: str, tmp_path: Path, unharmed):
    draw = random.Random(int.from_bytes(os.urandom(4)))
    times = [draw.randrange(200, 1500) for _ in range(2)]
    answer = drive(corpus, tmp_path, *(f"ms:{time}" for time in times))
    # A life that ends by itself has reached the end.
    assert set(answer["signals"]) <= {9, 0}, times
    assert_same(tmp_path, answer, unharmed)
