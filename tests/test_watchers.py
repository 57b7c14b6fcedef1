"""training/watchers.py, with the real packages, offline, and what is told when one is missing."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.base.errors import MissingDependency
from tests.test_launch import start
from tests.training_corpus import small_config, write_corpus
from training.config import CHANGEABLE
from training.watchers import check_watchers, numbers

ROOT = Path(__file__).parent.parent
RUN = r"""
import sys
from pathlib import Path
import torch
from tests.training_corpus import small_config
from training.loop import Alone
from training.rank import Job, run_rank

key, corpus, out = sys.argv[1:]
torch.set_num_threads(1)
Path(out).mkdir(exist_ok=True)
for steps in (2, 4):
    config = small_config(steps=steps, validate_bitstreams=0, validate_pictures=1, **{key: True})
    job = Job(config=config, corpus=corpus, corpus_sha256="0" * 64, out=Path(out))
    list(run_rank(job, Alone(), torch.device("cpu")))
"""


def watched(key: str, tmp_path: Path) -> Path:
    """Train 2 steps, then 2 more in a second part of the run, watched; return the run's folder."""
    corpus, out = write_corpus(tmp_path / "corpus"), tmp_path / "run"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, "-c", RUN, key, corpus, str(out)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "wandb").exists(), "nothing is written outside of the run's folder"
    assert not (tmp_path / "mlruns").exists()
    return out


def test_tensorboard_event_files_hold_curves_and_pictures(tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(watched("tensorboard", tmp_path) / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [1, 2, 3, 4]
    assert [event.step for event in events.Scalars("val/psnr_natural")] == [2, 4]
    assert [image.step for image in events.Images("val/pictures")] == [2, 4]


def test_weights_and_biases_offline(tmp_path: Path):
    pytest.importorskip("wandb")
    out = watched("wandb", tmp_path)
    runs = sorted((out / "wandb").glob("offline-run-*"))
    assert len(runs) == 2
    assert len({path.name.rpartition("-")[2] for path in runs}) == 1, "one run, gone on with"
    assert all(list(path.glob("*.wandb")) for path in runs)


def test_mlflow_in_files(tmp_path: Path):
    pytest.importorskip("mlflow")
    out = watched("mlflow", tmp_path)
    (losses,) = (out / "mlflow").rglob("metrics/train/loss")
    assert [int(line.split()[2]) for line in losses.read_text().splitlines()] == [1, 2, 3, 4]
    assert (losses.parents[2] / "params" / "lambda_rd").read_text() == "0.01"
    assert [path.name for path in sorted((out / "mlflow").rglob("step-*.png"))] == [
        "step-00000002.png",
        "step-00000004.png",
    ]


@pytest.mark.parametrize("key", ["tensorboard", "wandb", "mlflow"])
def test_a_missing_package_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    corpus = write_corpus(tmp_path / "corpus")
    with pytest.raises(MissingDependency, match=rf"{key} = true, but {key} is not installed; pip install 'diptych\["):
        start(small_config(**{key: True}), corpus, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    check_watchers(small_config())
    assert key in CHANGEABLE


def test_what_is_no_number_is_not_told():
    row = json.loads('{"split": "val", "step": 3, "loss": 1.5, "bce": null, "bpp": 2}')
    assert numbers(row) == {"val/loss": 1.5, "val/bpp": 2.0}
