"""training/loop.py, optim.py, state.py: the steps themselves, and that a stopped run goes on exactly."""

import shutil
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.base.errors import CheckpointError, TrainingError
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import load
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.formats.corpus import open_split
from tests.training_corpus import make_sample, small_config, write_corpus
from training.config import TrainConfig
from training.data import SampleReader, train_batches, validation_batches
from training.loop import Alone, Report, TrainData, fit
from training.optim import main_parameters, rate_factor
from training.rank import Job, run_rank
from training.records import cut_rows, read_rows
from training.state import (
    TrainState,
    export,
    fresh_state,
    load_state,
    newest_complete,
    prune,
    save_state,
)

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write_corpus(tmp_path / "corpus")


def make_data(corpus: str, config: TrainConfig, *, samples_seen: int = 0) -> TrainData:
    train, val = (open_split(Store(corpus), split) for split in ("train", "val"))
    reader = SampleReader(train, cache_bytes=1 << 20)
    return TrainData(
        batches=train_batches(reader, config, samples_seen=samples_seen, rank=0, num_ranks=1),
        validation=validation_batches(SampleReader(val, cache_bytes=0), config, rank=0, num_ranks=1),
        num_samples=train.num_samples,
    )


def train(corpus: str, config: TrainConfig, state: TrainState, *, up_to: int | None = None) -> list[Report]:
    """Train until a report of step `up_to` that would save; return the reports."""
    reports = []
    for report in fit(state, config, make_data(corpus, config, samples_seen=state.samples_seen), Alone()):
        reports.append(report)
        if report.checkpoint_due and report.step == up_to:
            break
    return reports


def weights(state: TrainState) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in state.codec.named_parameters()}


def save(folder: Path, state: TrainState, config: TrainConfig) -> Path:
    return save_state(folder, state, config, provenance={"corpus_sha256": "0" * 64})


def test_training_lowers_the_loss_and_learns_the_label_map(corpus: str):
    config = small_config(
        codec_set=("num_channels=16", "num_latents=24"), steps=50, batch_size=8, report_every=10, checkpoint_every=50
    )
    reports = [report for report in train(corpus, config, fresh_state(config, CPU)) if report.split == "train"]
    assert reports[-1].figures.loss < 0.7 * reports[0].figures.loss
    assert reports[-1].figures.bce is not None
    assert reports[0].figures.bce is not None
    assert reports[-1].figures.bce < 0.6 * reports[0].figures.bce


def test_reports_come_when_they_are_due(corpus: str):
    config = small_config(steps=7, report_every=3, validate_every=4, checkpoint_every=5)
    reports = train(corpus, config, fresh_state(config, CPU))
    assert [(report.split, report.step) for report in reports] == [
        ("train", 3),
        ("val", 4),
        ("train", 4),
        ("train", 5),
        ("train", 6),
        ("val", 7),
        ("train", 7),
    ]
    assert [report.step for report in reports if report.checkpoint_due] == [5, 7]
    assert reports[-1].samples_seen == 14
    assert reports[-1].epoch == pytest.approx(2.0)


def test_half_a_run_saved_and_continued_gives_the_same_bits(corpus: str, tmp_path: Path):
    config = small_config(steps=6, checkpoint_every=3, validate_every=3)
    straight = fresh_state(config, CPU)
    train(corpus, config, straight)

    first = fresh_state(config, CPU)
    train(corpus, config, first, up_to=3)
    save(tmp_path, first, config)
    torch.manual_seed(99)
    newest = newest_complete(tmp_path)
    assert newest is not None
    second = load_state(newest, config, CPU)
    assert (second.step, second.samples_seen) == (3, 6)
    train(corpus, config, second)

    assert all(torch.equal(tensor, weights(second)[name]) for name, tensor in weights(straight).items())
    assert not any(
        torch.equal(tensor, weights(first)[name]) for name, tensor in weights(second).items() if "bias" in name
    )


def test_saving_does_not_disturb_the_run(corpus: str, tmp_path: Path):
    config = small_config(steps=4)
    saved, unsaved = fresh_state(config, CPU), fresh_state(config, CPU)
    for report in fit(saved, config, make_data(corpus, config), Alone()):
        if report.checkpoint_due:
            save(tmp_path, saved, config)
    train(corpus, config, unsaved)
    assert all(torch.equal(tensor, weights(unsaved)[name]) for name, tensor in weights(saved).items())


class Pair:
    """Two ranks in one process: `average` takes the mean with what the other rank left."""

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.num_ranks = 2

    def average(self, tensor: Tensor) -> None:
        raise NotImplementedError


def test_ranks_that_average_stay_equal_and_take_the_mean_gradient(corpus: str):
    """Both ranks are run in turn, step by step, their messages exchanged between two passes."""
    config = small_config(steps=1, batch_size=4, validate_every=0, num_workers=2)
    messages: list[list[Tensor]] = [[], []]

    def collect(rank: int) -> None:
        ranks = Pair(rank)
        ranks.average = lambda tensor: messages[rank].append(tensor.clone())  # type: ignore[method-assign]
        run(rank, ranks)

    def run(rank: int, ranks: Pair) -> TrainState:
        state = fresh_state(config, CPU)
        reader = SampleReader(open_split(Store(corpus), "train"), cache_bytes=0)
        batches = train_batches(reader, config, samples_seen=0, rank=rank, num_ranks=2)
        list(fit(state, config, TrainData(batches=batches, validation=[], num_samples=7), ranks))
        return state

    for rank in range(2):
        collect(rank)
    means = [(one + two) / 2 for one, two in zip(*messages, strict=True)]
    assert not torch.equal(messages[0][0], messages[1][0]), "ranks see other pictures"

    states = []
    for rank in range(2):
        ranks, queue = Pair(rank), list(means)
        ranks.average = lambda tensor, queue=queue: tensor.copy_(queue.pop(0))  # type: ignore[method-assign,misc]
        states.append(run(rank, ranks))
    one, two = map(weights, states)
    assert all(torch.equal(one[name], two[name]) for name in one)
    before = weights(fresh_state(config, CPU))
    assert all(not torch.equal(one[name], before[name]) for name in one if name.startswith("analysis"))


def test_a_step_without_a_finite_gradient_is_left_out_and_counted(corpus: str):
    config = small_config(steps=3, validate_every=0, checkpoint_every=9)
    data = make_data(corpus, config)

    def spoiled():
        for number, batch in enumerate(data.batches):
            if number == 1:
                poison()
            yield batch

    state = fresh_state(config, CPU)
    snapshot: dict[str, Tensor] = {}

    def poison() -> None:
        snapshot.update(weights(state))
        handle = main_parameters(state.codec)[0].register_hook(lambda gradient: gradient * float("nan"))
        handles.append(handle)

    handles: list[torch.utils.hooks.RemovableHandle] = []
    reports = []
    for report in fit(state, config, TrainData(batches=spoiled(), validation=[], num_samples=7), Alone()):
        reports.append(report)
        if report.step == 2:
            assert all(torch.equal(tensor, snapshot[name]) for name, tensor in weights(state).items())
            handles[0].remove()
    assert [report.num_skipped for report in reports] == [0, 1, 1]
    assert state.step == 3
    assert all(bool(tensor.isfinite().all()) for tensor in weights(state).values())


def test_too_many_such_steps_in_a_row_end_the_run(corpus: str):
    config = small_config(steps=50, max_skips_in_a_row=3, validate_every=0, checkpoint_every=50)
    state = fresh_state(config, CPU)
    main_parameters(state.codec)[0].register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(TrainingError, match="step 3: 3 steps in a row"):
        train(corpus, config, state)


def test_same_seed_same_weights_and_the_global_generator_is_left_alone():
    config = small_config()
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    one = weights(fresh_state(config, CPU))
    assert torch.equal(torch.rand(1), expected)
    torch.manual_seed(2)
    two = weights(fresh_state(config, CPU))
    other = weights(fresh_state(small_config(seed=5), CPU))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_learning_rate_rises_holds_and_falls():
    config = small_config(steps=100, warmup_steps=10, decay_share=0.4, final_rate=0.1)
    factors = [rate_factor(step, config) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:60] == [1.0] * 51
    assert factors[60:] == sorted(factors[60:], reverse=True)
    assert factors[-1] == pytest.approx(0.1)
    assert rate_factor(5, small_config(warmup_steps=0, decay_share=0.0)) == 1.0


def test_a_checkpoint_without_its_last_file_or_with_a_changed_one_does_not_count(corpus: str, tmp_path: Path):
    config = small_config(steps=4)
    state = fresh_state(config, CPU)
    folders = []
    for report in fit(state, config, make_data(corpus, config), Alone()):
        if report.checkpoint_due:
            folders.append(save(tmp_path, state, config))
    assert newest_complete(tmp_path) == folders[1]
    for name in ("weights.safetensors", "trainer.safetensors", "trainer.json"):
        path = folders[1] / name
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        assert newest_complete(tmp_path) == folders[0], name
        path.unlink()
        assert newest_complete(tmp_path) == folders[0], name
        path.write_bytes(data)
    (folders[1] / "checkpoint.json").unlink()
    assert newest_complete(tmp_path) == folders[0]
    shutil.rmtree(folders[0])
    assert newest_complete(tmp_path) is None


def test_old_checkpoints_are_removed_and_the_export_holds_no_trainer(tmp_path: Path):
    config = small_config()
    state = fresh_state(config, CPU)
    for step in range(4):
        state.step = step
        save(tmp_path, state, config)
    prune(tmp_path, keep=2)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-00000002", "step-00000003"]
    newest = newest_complete(tmp_path)
    assert newest is not None
    digest = export(newest, tmp_path / "final")
    assert sorted(path.name for path in (tmp_path / "final").iterdir()) == ["checkpoint.json", "weights.safetensors"]
    assert load(tmp_path / "final").weights_sha256 == digest


def test_optimiser_state_of_another_codec_is_refused(corpus: str, tmp_path: Path):
    config = small_config(steps=2, checkpoint_every=2)
    state = fresh_state(config, CPU)
    train(corpus, config, state)
    folder = save(tmp_path, state, config)
    other_config = small_config(codec_set=("num_channels=8", "num_latents=4"))
    other = fresh_state(other_config, CPU)
    train(corpus, other_config, other, up_to=2)
    other_folder = save(tmp_path / "other", other, other_config)
    shutil.copy(other_folder / "trainer.safetensors", folder / "trainer.safetensors")
    with pytest.raises(CheckpointError, match="does not fit"):
        load_state(folder, config, CPU)


def test_a_rank_writes_metrics_and_checkpoints_and_continues_from_them(corpus: str, tmp_path: Path):
    out = tmp_path / "run"
    job = Job(config=small_config(steps=6), corpus=corpus, corpus_sha256="0" * 64, out=out)
    out.mkdir()
    # Stopped after step 5: beyond the checkpoint of step 4, with its metrics written.
    list(islice(run_rank(job, Alone(), CPU), 7))
    assert [row["step"] for row in read_rows(out) if row["split"] == "train"] == [1, 2, 3, 4, 5]
    with open(out / "metrics.jsonl", "a") as file:
        file.write('{"split": "train", "st')
    list(run_rank(job, Alone(), CPU))
    rows = read_rows(out)
    assert [row["step"] for row in rows if row["split"] == "train"] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in rows if row["split"] == "val"] == [2, 4, 6]
    assert {"loss", "estimated_bpp", "mse", "psnr", "bce", "label_iou", "epoch", "psnr_natural"} <= set(rows[0])
    loaded = load(out / "checkpoints" / "step-00000006")
    picture = make_sample("train", 0).picture
    encoded = compress_picture(loaded, picture)
    assert (decompress_picture(loaded, encoded.data) == encoded.reconstruction).all()


def test_cutting_records_leaves_a_missing_file_missing(tmp_path: Path):
    cut_rows(tmp_path, step=3)
    assert read_rows(tmp_path) == []
