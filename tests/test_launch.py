"""training/launch.py: what it refuses without Ray, and one real run on two nodes, stopped and continued.

The cluster's second node is 127.0.0.2, whose daemons listen on all addresses; the test therefore runs in a network
namespace of its own that has a loopback device and nothing else.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.base.config import to_toml
from pipeline.base.errors import ConfigError, DiptychError, ShardError, TrainingError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import load
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.formats.corpus import open_split
from tests.isolation import run_isolated
from tests.training_corpus import make_sample, small_config, write_corpus
from training.config import PRESETS, TrainConfig, codec_config
from training.folder import open_folder, sole_run
from training.launch import _translate, run
from training.loop import Alone
from training.order import SampleOrder
from training.plan import plan
from training.rank import Job, run_rank
from training.records import append_row, follow, read_rows

ROOT = Path(__file__).parent.parent


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write_corpus(tmp_path / "corpus")


def start(config: TrainConfig, corpus: str, out: Path, *, resume: bool = False) -> object:
    return run(config, corpus=corpus, out=str(out), resume=resume, progress=Tally())


def train_alone(config: TrainConfig, corpus: str, out: Path) -> None:
    """Do a whole run in this process, as one rank, without Ray."""
    import torch

    out.mkdir()
    (out / "config.toml").write_text(to_toml(config))
    digest = plan(config, corpus).corpus_sha256
    list(run_rank(Job(config=config, corpus=corpus, corpus_sha256=digest, out=out), Alone(), torch.device("cpu")))


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.toml")))
def test_presets_load_and_name_a_codec_that_exists(preset):
    from pipeline.base.config import load as load_config

    assert codec_config(load_config(TrainConfig, preset, presets=PRESETS)) is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "steps must be positive"),
        ({"gamma": -0.1}, "gamma must not be negative"),
        ({"decay_share": 1.5}, "decay_share must be in 0..1"),
        ({"batch_size": 5}, "multiple of crops_per_picture"),
    ],
)
def test_config_refuses_values_out_of_range(changes, words):
    with pytest.raises(ValueError, match=words):
        small_config(**changes)


def test_a_used_folder_is_not_written_to_without_resume(corpus: str, tmp_path: Path):
    out = tmp_path / "run"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        start(small_config(), corpus, out)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_resume_needs_a_run(corpus: str, tmp_path: Path):
    with pytest.raises(UsageError, match="no run to resume"):
        start(small_config(), corpus, tmp_path / "nothing", resume=True)


def test_a_folder_behind_a_url_is_refused(corpus: str):
    with pytest.raises(UsageError, match="not a URL"):
        run(small_config(), corpus=corpus, out="memory://run", resume=False, progress=Tally())


def test_resume_under_another_config_names_the_key(corpus: str, tmp_path: Path):
    config = small_config(steps=2)
    train_alone(config, corpus, tmp_path / "run")
    for changes, words in (
        ({"lambda_rd": 0.05}, r"lambda_rd = 0\.01, now it is 0\.05"),
        ({"codec_set": ("num_channels=4",)}, "codec_set"),
    ):
        with pytest.raises(ConfigError, match=words):
            start(replace(config, **changes), corpus, tmp_path / "run", resume=True)
    with pytest.raises(UsageError, match="beyond the 1 steps"):
        start(replace(config, steps=1), corpus, tmp_path / "run", resume=True)


def test_resume_on_another_corpus_is_refused(corpus: str, tmp_path: Path):
    config = small_config(steps=2)
    train_alone(config, corpus, tmp_path / "run")
    other = write_corpus(tmp_path / "other", num_train=5)
    with pytest.raises(UsageError, match="not the corpus"):
        start(replace(config, steps=4), other, tmp_path / "run", resume=True)


def test_resume_before_the_first_checkpoint_compares_with_the_run_as_it_was_begun(corpus: str, tmp_path: Path):
    config, out = small_config(steps=2), tmp_path / "run"
    reading = plan(config, corpus)
    with sole_run(out, resume=False):
        assert open_folder(out, config, reading) == 0
    begun = (out / "config.toml").read_bytes()
    with pytest.raises(ConfigError, match=r"lambda_rd = 0\.01, now it is 0\.05"):
        start(replace(config, lambda_rd=0.05), corpus, out, resume=True)
    with pytest.raises(UsageError, match="not the corpus"):
        start(config, write_corpus(tmp_path / "other", num_train=5), out, resume=True)
    assert (out / "config.toml").read_bytes() == begun
    with sole_run(out, resume=True):
        assert open_folder(out, replace(config, steps=3), reading) == 0
    (out / "config.toml").write_text("steps = ")
    with pytest.raises(ConfigError, match="not the config of a run"):
        start(config, corpus, out, resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_in_which_a_run_is_at_work_is_refused(corpus: str, tmp_path: Path, resume: bool):
    config, out = small_config(steps=2), tmp_path / "run"
    if resume:
        train_alone(config, corpus, out)
    with sole_run(out, resume=resume), pytest.raises(UsageError, match="another run is at work here"):
        start(config, corpus, out, resume=resume)
    with sole_run(out, resume=resume):
        pass


def test_a_finished_run_without_records_is_summed_up(corpus: str, tmp_path: Path):
    config, out = small_config(steps=2), tmp_path / "run"
    train_alone(config, corpus, out)
    assert run(config, corpus=corpus, out=str(out), resume=True, progress=Tally()).crops_per_second > 0
    (out / "metrics.jsonl").write_text("")
    assert run(config, corpus=corpus, out=str(out), resume=True, progress=Tally()).crops_per_second == 0
    (out / "metrics.jsonl").unlink()
    assert run(config, corpus=corpus, out=str(out), resume=True, progress=Tally()).crops_per_second == 0


def test_a_finished_run_is_summed_up_without_workers(corpus: str, tmp_path: Path):
    config = small_config(steps=2)
    train_alone(config, corpus, tmp_path / "run")
    progress = Tally()
    summary = run(
        replace(config, num_workers=2), corpus=corpus, out=str(tmp_path / "run"), resume=True, progress=progress
    )
    assert (summary.steps, summary.resumed_from, summary.samples_seen) == (2, 2, 4)
    assert (progress.num_done, progress.num_total) == (2, 2)
    assert load(summary.checkpoint).weights_sha256 == summary.weights_sha256
    assert summary.val_metrics["split"] == "val"
    assert summary.val_metrics["step"] == 2


def test_progress_follows_the_records_and_survives_their_being_cut(tmp_path: Path):
    progress = Tally()
    row = {"split": "train", "loss": 1.0, "estimated_bpp": 0.5, "psnr": 30.0}
    with follow(tmp_path, progress, step=3):
        for step in (2, 4, 6):
            append_row(tmp_path, row | {"step": step})
    assert progress.num_done == 3
    with follow(tmp_path, progress, step=6):
        append_row(tmp_path, row | {"step": 8, "split": "val"})
        (tmp_path / "metrics.jsonl").write_text("")
        append_row(tmp_path, row | {"step": 7})
        append_row(tmp_path, row | {"step": 9, "loss": None})
    assert progress.num_done == 6


class WorkerGroupError(Exception):
    """What Ray raises, as far as the launcher looks at it."""

    def __init__(self, worker_failures: dict[int, Exception]) -> None:
        super().__init__("Training failed due to worker errors:\nTraceback ...")
        self.worker_failures = worker_failures


def test_an_error_of_ours_in_a_worker_is_raised_as_it_was(tmp_path: Path):
    job = Job(config=small_config(), corpus="c", corpus_sha256="0", out=tmp_path)
    ours = ShardError("shard 3 is torn")
    assert _translate(WorkerGroupError({0: RuntimeError("connection closed by peer"), 1: ours}), job) is ours


def test_another_error_in_a_worker_becomes_one_line(tmp_path: Path):
    job = Job(config=small_config(num_workers=2, batch_size=8), corpus="c", corpus_sha256="0", out=tmp_path)
    error = _translate(WorkerGroupError({1: MemoryError("no memory\nand more")}), job)
    assert type(error) is TrainingError
    assert str(error) == f"worker 1 of 2 failed: MemoryError: no memory; run is {tmp_path}"
    assert isinstance(_translate(RuntimeError("controller died"), job), DiptychError)


def isolated(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run this module's function `script` in a child process whose network is a loopback device alone."""
    command = [sys.executable, "-c", f"from tests.test_launch import {script}; {script}()", *arguments]
    return run_isolated(*command, env={**os.environ, "PYTHONPATH": str(ROOT)})


@pytest.mark.ray
@pytest.mark.timeout(900)
def test_two_nodes_train_fail_on_a_damaged_sample_and_continue(tmp_path: Path):
    corpus, out = write_corpus(tmp_path / "corpus", num_train=24, shard_size=6), tmp_path / "run"
    child = isolated("two_nodes", corpus, str(out))
    assert child.returncode == 0, child.stdout + child.stderr
    failure, summary = (json.loads(line) for line in child.stdout.splitlines() if line.startswith("{"))

    assert failure["type"] == "ShardError"
    assert failure["message"].startswith(f"{corpus}/bars-train-")
    assert "\n" not in failure["message"]
    assert failure["num_done"] == 5, "two steps before the one that reads the damaged sample are known to be done"

    assert (summary["steps"], summary["resumed_from"], summary["samples_seen"]) == (6, 4, 24)
    assert summary["num_nodes"] == 2
    assert summary["num_done"] == summary["num_total"] == 6
    rows = [row for row in read_rows(out) if row["split"] == "train"]
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["samples_seen"] for row in rows] == [4, 8, 12, 16, 20, 24]
    assert not (out / ".ray-train").exists()
    for folder in (out / "final", out / "checkpoints" / "step-00000004"):
        loaded = load(folder)
        encoded = compress_picture(loaded, make_sample("val", 0).picture)
        assert (decompress_picture(loaded, encoded.data) == encoded.reconstruction).all()
    assert load(out / "final").weights_sha256 == summary["weights_sha256"]


def two_nodes() -> None:
    """Train on a corpus of which a sample read in step 6 is damaged, repair it, continue; print two JSON lines."""
    from pipeline.cluster import ENVIRONMENT

    os.environ.update(ENVIRONMENT)
    import ray
    from ray.cluster_utils import Cluster

    corpus, out = sys.argv[1:]
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"node_ip_address": "127.0.0.1", "num_cpus": 1, "include_dashboard": False},
    )
    cluster.add_node(node_ip_address="127.0.0.2", num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    config = small_config(
        num_workers=2, batch_size=8, placement="STRICT_SPREAD", steps=6, checkpoint_every=4, max_failures=0
    )
    progress = Tally()
    tar, good = _damage(corpus, position=21, seed=config.seed)
    try:
        run(config, corpus=corpus, out=out, resume=False, progress=progress)
    except DiptychError as error:
        _print(type=type(error).__name__, message=str(error), num_done=progress.num_done)
    tar.write_bytes(good)
    progress = Tally()
    summary = run(config, corpus=corpus, out=out, resume=True, progress=progress)
    _print(
        steps=summary.steps,
        resumed_from=summary.resumed_from,
        samples_seen=summary.samples_seen,
        weights_sha256=summary.weights_sha256,
        num_done=progress.num_done,
        num_total=progress.num_total,
        num_nodes=sum(node["Alive"] for node in ray.nodes()),
    )
    ray.shutdown()
    cluster.shutdown()


def _damage(corpus: str, *, position: int, seed: int) -> tuple[Path, bytes]:
    """Change a byte of the picture that is read at `position`; return the tar and its good bytes."""
    split = open_split(Store(corpus), "train")
    row = split.row(SampleOrder(num_samples=split.num_samples, seed=seed).visit(position).index)
    tar = Path(corpus) / row["tar"]
    good = tar.read_bytes()
    middle = row["picture_offset"] + row["picture_size"] // 2
    tar.write_bytes(good[:middle] + bytes([good[middle] ^ 0xFF]) + good[middle + 1 :])
    return tar, good


def _print(**values: object) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
