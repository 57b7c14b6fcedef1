"""Learning what pictures show: class lists, multi-hot batches, their loss, and that a stopped run goes on exactly."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch.nn import functional

from pipeline.base.config import load as load_config
from pipeline.base.config import to_table
from pipeline.base.errors import CheckpointError, ConfigError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import load
from pipeline.codecs.interface import CodecOutput
from pipeline.formats.corpus import open_split
from tests.labelled_corpus import TINY, class_config, shown, write_corpus
from tests.training_corpus import small_config
from training.classes import multi_hot, with_classes
from training.config import TrainConfig, check_continuation, class_names
from training.data import SampleReader, train_batches
from training.figures import figures, measure
from training.folder import open_folder, sole_run
from training.launch import run
from training.loop import Alone
from training.objectives import class_cross_entropy, objective
from training.plan import plan
from training.rank import Job, run_rank
from training.records import describe, read_rows
from training.state import fresh_state

CPU = torch.device("cpu")
NAMES = ("blue", "green", "red")


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write_corpus(tmp_path / "corpus")


def resolved(corpus: str, **changes: object) -> TrainConfig:
    return with_classes(class_config(**changes), open_split(Store(corpus), "train"))


def job_of(config: TrainConfig, corpus: str, out: Path) -> Job:
    out.mkdir(exist_ok=True)
    return Job(config=config, corpus=corpus, corpus_sha256="0" * 64, out=out)


@pytest.mark.parametrize("as_kind", [False, True])
def test_the_training_split_s_classes_are_taken_once_and_sorted(tmp_path: Path, as_kind: bool) -> None:
    corpus = write_corpus(tmp_path / "c", as_kind=as_kind)
    config = resolved(corpus)
    assert class_names(config) == NAMES
    train = open_split(Store(corpus), "train")
    assert with_classes(config, train) == config, "a second time nothing changes"
    assert fresh_state(config, CPU).codec.config.class_names == NAMES


def test_named_classes_are_kept_and_strange_ones_refused(corpus: str) -> None:
    train = open_split(Store(corpus), "train")
    own = class_config(codec_set=(*TINY, 'class_names=["red", "mauve"]'))
    assert with_classes(own, train) == own
    with pytest.raises(UsageError, match="shows none of the classes"):
        with_classes(class_config(codec_set=(*TINY, 'class_names=["mauve", "teal"]')), train)
    other = small_config()
    assert with_classes(other, train) is other
    with pytest.raises(ConfigError, match="class_names is empty"):
        fresh_state(class_config(), CPU)


def test_one_class_is_nothing_to_learn(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "one", num_train=1)
    with pytest.raises(UsageError, match="shows blue alone"):
        resolved(corpus)


def test_batches_tell_what_each_picture_shows(corpus: str) -> None:
    config = class_config(batch_size=21)
    reader = SampleReader(open_split(Store(corpus), "train"), cache_bytes=0, class_names=NAMES, scale_to=32)
    batch = next(train_batches(reader, config, samples_seen=0, rank=0, num_ranks=1))
    assert batch.classes is not None and batch.classes.dtype == torch.float32
    expected = sorted(tuple(multi_hot(shown("train", number), NAMES)) for number in range(21))
    assert sorted(map(tuple, batch.classes.tolist())) == expected
    plain = SampleReader(open_split(Store(corpus), "train"), cache_bytes=0)
    assert next(train_batches(plain, config, samples_seen=0, rank=0, num_ranks=1)).classes is None


def test_pictures_are_scaled_with_their_maps(corpus: str) -> None:
    split = open_split(Store(corpus), "train")
    whole = SampleReader(split, cache_bytes=0, with_regions=True).read(2)
    for short_side in (24, 96):
        small = SampleReader(split, cache_bytes=0, with_regions=True, scale_to=short_side).read(2)
        size = (short_side, short_side * 64 // 48)
        assert small.picture.shape == (*size, 3) and small.label.shape == size
        assert small.regions is not None and small.regions.shape == size
        assert set(np.unique(small.label)) <= set(np.unique(whole.label))
    halves = SampleReader(split, cache_bytes=0, scale_to=24).read(2).picture.astype(float)
    means = whole.picture.reshape(24, 2, 32, 2, 3).mean(axis=(1, 3))
    assert np.abs(halves - means).max() <= 1, "the mean over each pixel's area"


def test_one_class_has_the_published_loss_and_several_share_it() -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0]], requires_grad=True)
    single = functional.one_hot(torch.tensor([0, 2, 1]), 3).float()
    expected = functional.cross_entropy(logits, torch.tensor([0, 2, 1]), reduction="sum")
    assert torch.allclose(class_cross_entropy(logits, single), expected)
    both = torch.tensor([[1.0, 1.0, 0.0]])
    one, two = (functional.cross_entropy(logits[:1], torch.tensor([number])) for number in (0, 1))
    assert torch.allclose(class_cross_entropy(logits[:1], both), (one + two) / 2)


def test_crops_without_a_known_class_do_not_count() -> None:
    x, labels = torch.rand(3, 3, 8, 8), torch.zeros(3, 8, 8, dtype=torch.uint8)
    logits = torch.tensor([[3.0, 0.0], [0.0, 3.0], [5.0, 0.0]], requires_grad=True)
    classes = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    output = CodecOutput(reconstruction=x, likelihoods={}, class_logits=logits)
    terms = objective(output, x, labels, classes, lambda_rd=1.0, gamma=1.0)
    expected = functional.cross_entropy(logits[:2], torch.tensor([0, 0]))
    assert torch.allclose(terms.loss, expected) and torch.allclose(terms.class_cross_entropy, expected)
    terms.loss.backward()
    assert logits.grad is not None and bool((logits.grad[2] == 0).all())
    expected = expected.detach()
    found = figures(measure(output, x, labels, classes), lambda_rd=1.0, gamma=1.0)
    assert found.class_accuracy == 0.5
    assert found.loss == pytest.approx(float(expected)) and found.estimated_bpp == 0 and found.mse == 0
    unknown = objective(output, x, labels, torch.zeros(3, 2), lambda_rd=1.0, gamma=1.0)
    assert float(unknown.loss.detach()) == 0
    nothing = figures(measure(output, x, labels, torch.zeros(3, 2)), lambda_rd=1.0, gamma=1.0)
    assert nothing.class_accuracy is None


def test_training_learns_what_pictures_show_and_a_stopped_run_goes_on_exactly(corpus: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    # A width at which noise drowns no colour.
    config = resolved(corpus, steps=60, batch_size=8, report_every=10, validate_every=60, checkpoint_every=30)
    straight = tmp_path / "straight"
    list(run_rank(job_of(config, corpus, straight), Alone(), CPU))
    rows = [row for row in read_rows(straight) if row["split"] == "train"]
    assert rows[-1]["loss"] < 0.6 * rows[0]["loss"]
    assert rows[-1]["class_accuracy"] > 0.8
    assert rows[-1]["class_cross_entropy"] == pytest.approx(rows[-1]["loss"])
    assert "of classes right" in describe(rows[-1])

    stopped = tmp_path / "stopped"
    for report in run_rank(job_of(config, corpus, stopped), Alone(), CPU):
        if report.checkpoint_due:
            break
    list(run_rank(job_of(config, corpus, stopped), Alone(), CPU))
    one, two = (load(out / "checkpoints" / "step-00000060") for out in (straight, stopped))
    assert one.weights_sha256 == two.weights_sha256
    assert one.codec.config.class_names == NAMES


def test_a_run_s_folder_holds_the_class_names_and_is_gone_on_with_by_them(corpus: str, tmp_path: Path) -> None:
    given, out = class_config(steps=2), tmp_path / "run"
    config = resolved(corpus, steps=2)
    reading = plan(given, corpus)
    with sole_run(out, resume=False):
        assert open_folder(out, config, reading) == 0
    assert class_names(load_config(TrainConfig, out / "config.toml", presets=out)) == NAMES
    job = Job(config=config, corpus=corpus, corpus_sha256=reading.corpus_sha256, out=out)
    list(run_rank(job, Alone(), CPU))
    # The caller's config, without names, is that of the run: the corpus gives the same ones.
    summary = run(given, corpus=corpus, out=str(out), resume=True, progress=Tally())
    assert load(summary.checkpoint).codec.config.class_names == NAMES
    assert summary.val_metrics["class_accuracy"] is not None
    other = class_config(steps=2, codec_set=(*TINY, 'class_names=["green", "red"]'))
    with pytest.raises(ConfigError, match="codec_set"):
        run(other, corpus=corpus, out=str(out), resume=True, progress=Tally())


def test_ranks_share_a_batch_out_with_its_classes(corpus: str) -> None:
    config = class_config(batch_size=6)

    def first(rank: int, num_ranks: int) -> torch.Tensor:
        reader = SampleReader(open_split(Store(corpus), "train"), cache_bytes=0, class_names=NAMES, scale_to=32)
        classes = next(train_batches(reader, config, samples_seen=6, rank=rank, num_ranks=num_ranks)).classes
        assert classes is not None
        return classes

    whole = first(0, 1)
    assert torch.equal(whole[0::2], first(0, 2))
    assert torch.equal(whole[1::2], first(1, 2))


def test_a_fresh_run_starts_from_given_weights_of_the_trunk(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = torchvision.models.vgg16(init_weights=False)
    model.classifier = torch.nn.Linear(1, 1)
    torch.save(model.state_dict(), tmp_path / "vgg.pth")
    vgg = ("trunk=vgg16", "num_channels=2", "depth_multiplier=1", 'class_names=["a", "b"]')
    config = class_config(codec_set=vgg, trunk_weights="vgg.pth")
    state = fresh_state(config, CPU, trunk_weights=str(tmp_path / "vgg.pth"))
    last = state.codec.network.trunk.convolutions[-1].weight  # type: ignore[union-attr]
    assert torch.equal(last, model.features[28].weight)
    (tmp_path / "other.pth").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"other\.pth"):
        fresh_state(config, CPU, trunk_weights=str(tmp_path / "other.pth"))
    with pytest.raises(UsageError, match="has no trunk"):
        fresh_state(small_config(), CPU, trunk_weights=str(tmp_path / "vgg.pth"))


def test_a_missing_file_of_weights_is_told_before_anything_starts(corpus: str, tmp_path: Path) -> None:
    config = class_config(trunk_weights=str(tmp_path / "none.pth"))
    with pytest.raises(UsageError, match=r"none\.pth: no such file"):
        run(config, corpus=corpus, out=str(tmp_path / "run"), resume=False, progress=Tally())


def test_a_run_of_an_earlier_release_goes_on_with_newer_keys_at_their_defaults() -> None:
    before = to_table(small_config())
    for name in ("scale_to", "trunk_weights"):
        del before[name]
    check_continuation(before, small_config(), where="run")
    with pytest.raises(ConfigError, match="scale_to = 0, now it is 64"):
        check_continuation(before, small_config(scale_to=64), where="run")


def test_crops_larger_than_the_scaled_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="scale_to 16 must be 0 or at least crop 32"):
        class_config(scale_to=16)
