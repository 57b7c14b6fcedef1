"""training/export.py and training/beginning.py: weights out of a run, and into a new one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pipeline.base.errors import CheckpointError, UsageError
from pipeline.cli import main
from pipeline.codecs.checkpoint import load, read_provenance
from pipeline.codecs.coding import compress_picture, verify_picture
from tests.test_launch import start, train_alone
from tests.training_corpus import make_sample, small_config, write_corpus
from training.beginning import check_beginning
from training.export import export_run
from training.loop import Alone
from training.plan import plan
from training.rank import Job, run_rank
from training.records import read_rows
from training.state import fresh_state


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write_corpus(tmp_path / "corpus")


def test_best_and_last_weights_are_exported_and_code_pictures(corpus: str, tmp_path: Path):
    run = tmp_path / "run"
    train_alone(small_config(steps=8, learning_rate=3e-2), corpus, run)
    losses = {row["step"]: row["loss"] for row in read_rows(run) if row["split"] == "val"}
    best = min(losses, key=lambda step: losses[step])
    summary = export_run(str(run), str(tmp_path / "best"), which="best")
    assert (summary.step, summary.codec) == (best, "mtl_sci")
    assert read_provenance(tmp_path / "best")["val_metrics"]["loss"] == losses[best]
    assert export_run(str(run), str(tmp_path / "last")).step == 8
    for name in ("best", "last"):
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["checkpoint.json", "weights.safetensors"]
        loaded = load(tmp_path / name)
        verify_picture(loaded, compress_picture(loaded, make_sample("val", 0).picture))


def test_an_export_says_what_is_missing(corpus: str, tmp_path: Path):
    with pytest.raises(UsageError, match="no run"):
        export_run(str(tmp_path), str(tmp_path / "out"))
    train_alone(small_config(steps=2, validate_every=0), corpus, tmp_path / "run")
    with pytest.raises(UsageError, match="no complete validation yet"):
        export_run(str(tmp_path / "run"), str(tmp_path / "out"), which="best")
    with pytest.raises(UsageError, match="expected last or best"):
        export_run(str(tmp_path / "run"), str(tmp_path / "out"), which="first")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        export_run(str(tmp_path / "run"), str(tmp_path / "out"))


def test_provenance_names_revision_corpus_and_versions(corpus: str, tmp_path: Path):
    train_alone(small_config(steps=2), corpus, tmp_path / "run")
    found = read_provenance(tmp_path / "run" / "checkpoints" / "step-00000002")
    assert found["corpus_sha256"] == plan(small_config(), corpus).corpus_sha256
    assert set(found["versions"]) >= {"python", "torch", "diptych"}
    if (Path(__file__).parent.parent / ".git").exists():
        assert len(found["git_revision"]) == 40
        assert isinstance(found["git_changed"], bool)


def test_a_new_run_begins_with_the_weights_of_a_checkpoint(corpus: str, tmp_path: Path):
    config = small_config(steps=2)
    train_alone(config, corpus, tmp_path / "run")
    first = tmp_path / "run" / "best"
    begun = small_config(steps=1, lambda_rd=0.1, seed=9, validate_every=0, init_from=str(first))
    check_beginning(begun)
    state = fresh_state(begun, torch.device("cpu"), init_from=str(first))
    theirs = dict(load(first).codec.named_parameters())
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in state.codec.named_parameters())
    assert state.step == 0
    out = tmp_path / "second"
    out.mkdir()
    job = Job(config=begun, corpus=corpus, corpus_sha256="0" * 64, out=out, init_from=str(first))
    list(run_rank(job, Alone(), torch.device("cpu")))
    assert read_provenance(out / "checkpoints" / "step-00000001")["train_config"]["init_from"] == str(first)


def test_weights_that_do_not_fit_are_refused_in_one_line_before_anything_starts(corpus: str, tmp_path: Path):
    train_alone(small_config(steps=2), corpus, tmp_path / "run")
    weights = str(tmp_path / "run" / "best")
    config = small_config(init_from=weights)
    with pytest.raises(CheckpointError, match=r"with num_channels = 8, this run has 4$"):
        start(replace(config, codec_set=("num_channels=4", "num_latents=8")), corpus, tmp_path / "other")
    with pytest.raises(CheckpointError, match="weights of codec mtl_sci, this run trains segpic"):
        check_beginning(replace(config, codec="segpic", codec_set=()))
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        check_beginning(replace(config, init_from=str(tmp_path / "nothing")))
    with pytest.raises(ValueError, match="leave one of them out"):
        replace(config, trunk_weights="vgg.safetensors")


def test_the_command_exports_and_refuses_in_one_line(corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    train_alone(small_config(steps=2), corpus, tmp_path / "run")
    with pytest.raises(SystemExit) as done:
        main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--which", "best", "--json"])
    assert done.value.code == 0
    assert json.loads(capsys.readouterr().out)["weights_sha256"] == load(tmp_path / "out").weights_sha256
    with pytest.raises(SystemExit) as done:
        main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "out")])
    assert done.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        f"diptych: error: {tmp_path / 'out'}: exists and is not an empty folder; give another one"
    ]
    with pytest.raises(SystemExit) as done:
        main(
            ["train", "tiny", "--corpus", corpus, "--out", str(tmp_path / "new"), "--init-from", str(tmp_path / "out")]
        )
    assert done.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"diptych: error: {tmp_path / 'out'}: weights of codec mtl_sci with num_channels = 8, this run has 32"
    )
