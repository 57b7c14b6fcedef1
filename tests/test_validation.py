"""Validations: real bitstreams, bits and errors by place, averaged weights, what is shown and what follows."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.base.errors import ConfigError
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import load
from pipeline.codecs.coding import compress_picture
from pipeline.codecs.interface import CodecOutput
from pipeline.formats.corpus import open_split
from pipeline.formats.picture import read_picture
from tests.test_loop import CPU, make_data, save, train, weights
from tests.training_corpus import small_config, write_corpus
from training.averaging import WeightAverage
from training.bit_map import bit_map
from training.boundary import boundary
from training.config import check_continuation
from training.data import validation_batches
from training.figures import figures, measure
from training.loop import Alone
from training.pictures import grid, write_grid
from training.samples import SampleReader
from training.state import fresh_state, load_state, read_position
from training.validated import Validated
from training.validation import Shown, coded_numbers, validate


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write_corpus(tmp_path / "corpus")


def test_the_rate_is_that_of_whole_bitstreams_of_the_chosen_crops(corpus: str, tmp_path: Path):
    config = small_config(validate_crops=5, validate_bitstreams=2, crop=40, ema_decay=0.5, steps=2)
    assert coded_numbers(config) == {0, 2}
    state = fresh_state(config, CPU)
    reports = train(corpus, config, state)
    val = next(report for report in reports if report.split == "val")
    loaded = load(save(tmp_path, state, config))
    reader = SampleReader(open_split(Store(corpus), "val"), cache_bytes=0)
    pictures = torch.cat([batch.pictures for batch in validation_batches(reader, config, rank=0, num_ranks=1)])
    sizes = [len(compress_picture(loaded, pictures[n].permute(1, 2, 0).contiguous().numpy()).data) for n in (0, 2)]
    assert val.figures.bpp == 8 * sum(sizes) / (2 * 40 * 40)
    assert val.figures.bpp > val.figures.estimated_bpp
    assert all(report.figures.bpp is None for report in reports if report.split == "train")
    assert coded_numbers(small_config(validate_bitstreams=0)) == frozenset()
    assert coded_numbers(small_config(validate_crops=3, validate_bitstreams=9)) == {0, 1, 2}


def test_boundary_is_eight_pixels_on_both_sides_of_a_change_with_what_is_unlabelled():
    labels = torch.zeros(1, 20, 60, dtype=torch.uint8)
    labels[..., 30:], labels[..., 30:32] = 1, 255
    seen = boundary(labels)[0]
    # Synthetic ends at column 29, natural begins at 32: both are within 8 of the columns 24 to 37.
    assert seen.any(dim=0).nonzero()[:, 0].tolist() == list(range(24, 38))
    assert seen.all(dim=0).sum() == 14
    assert not boundary(torch.zeros(2, 5, 5)).any()


def test_bits_are_spread_over_the_nearest_pixels_and_none_is_lost():
    likelihoods = {"y": torch.full((2, 3, 2, 2), 0.5), "z": torch.full((2, 4, 1, 1), 0.25)}
    likelihoods["y"][1, :, 0, 1] = 2.0**-8
    bits = bit_map(likelihoods, (2, 33, 32))
    assert bits is not None
    assert bits.sum().item() == pytest.approx(2 * (12 + 8) + 3 * 7, rel=1e-6)
    assert bits[0, 0, 0].item() == pytest.approx(3 / (17 * 16) + 8 / (33 * 32))
    assert bits[1, 0, 31].item() == pytest.approx(24 / (17 * 16) + 8 / (33 * 32))
    assert bits[1, 32, 31].item() == pytest.approx(3 / (16 * 16) + 8 / (33 * 32))


@pytest.mark.parametrize("likelihoods", [{}, {"x": torch.ones(9)}, {"y": torch.ones(2, 3, 9, 2)}])
def test_bits_without_a_place_are_not_spread(likelihoods):
    assert bit_map(likelihoods, (2, 8, 8)) is None


def test_figures_by_place():
    labels = torch.zeros(1, 32, 64, dtype=torch.uint8)
    labels[..., 32:] = 1
    pictures = torch.full((1, 3, 32, 64), 0.5)
    decoded = pictures.clone()
    decoded[..., :32] += 0.1
    likelihoods = {"y": torch.full((1, 1, 2, 4), 0.5)}
    likelihoods["y"][..., 2:] = 0.125
    output = CodecOutput(reconstruction=decoded, likelihoods=likelihoods)
    seen = figures(measure(output, pictures, labels), lambda_rd=0.01, gamma=0.0)
    assert seen.estimated_bpp_synthetic == pytest.approx(1 / 256)
    assert seen.estimated_bpp_natural == pytest.approx(3 / 256)
    assert seen.estimated_bpp_boundary == pytest.approx(2 / 256)
    assert seen.estimated_bpp == pytest.approx(2 / 256)
    assert seen.psnr_synthetic == pytest.approx(20.0, abs=1e-3)
    assert seen.psnr_natural == 100.0
    assert seen.psnr_boundary == pytest.approx(20 + 10 * np.log10(2), abs=1e-3)


def test_averaged_weights_are_validated_and_saved_and_a_run_goes_on_with_its_own(corpus: str, tmp_path: Path):
    config = small_config(steps=3, ema_decay=0.8, checkpoint_every=3, learning_rate=1e-2)
    state = fresh_state(config, CPU)
    start = weights(state)
    train(corpus, config, state)
    own = weights(state)
    assert state.average is not None
    average = dict(state.average.tensors)
    name = "analysis.0.weight"
    assert (average[name] - start[name]).abs().sum() < (own[name] - start[name]).abs().sum()
    folder = save(tmp_path, state, config)
    assert all(torch.equal(tensor, own[key]) for key, tensor in weights(state).items()), "saving put them back"
    saved = dict(load(folder).codec.named_parameters())
    assert all(torch.equal(tensor, average[key]) for key, tensor in saved.items())
    again = load_state(folder, config, CPU)
    assert again.average is not None
    assert all(torch.equal(tensor, own[key]) for key, tensor in weights(again).items())
    assert all(torch.equal(tensor, average[key]) for key, tensor in again.average.tensors.items())


def test_a_young_average_follows_and_an_old_one_has_its_decay():
    config = small_config()
    state = fresh_state(config, CPU)
    average = WeightAverage(state.codec)
    name, parameter = next(iter(state.codec.named_parameters()))
    before = parameter.detach().clone()
    with torch.no_grad():
        parameter.add_(1.0)
    average.update(state.codec, decay=0.99, number=1)
    assert torch.allclose(average.tensors[name] - before, torch.tensor(1 - 2 / 11), atol=1e-6)
    with torch.no_grad():
        parameter.copy_(average.tensors[name] + 1.0)
    before = average.tensors[name].clone()
    average.update(state.codec, decay=0.99, number=10**6)
    assert torch.allclose(average.tensors[name] - before, torch.tensor(0.01), atol=1e-6)


def test_a_plateau_lowers_the_learning_rate_down_to_its_floor():
    config = small_config(schedule="plateau", plateau_patience=2, plateau_factor=0.5, final_rate=0.2, warmup_steps=0)
    seen, course = Validated(), []
    for step, loss in enumerate([3.0, 2.0, 2.0, 2.5, 1.0, float("nan"), 1.0, 1.0, 1.5, 1.2, 1.2]):
        best = seen.take(loss, step=step, config=config)
        course.append((best, seen.rate))
    assert [step for step, (best, _) in enumerate(course) if best] == [0, 1, 4]
    assert [rate for _, rate in course] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2]
    assert (seen.best_loss, seen.best_step) == (1.0, 4)
    with pytest.raises(ValueError, match="set validate_every"):
        small_config(schedule="plateau", validate_every=0)


def test_the_plateau_is_part_of_the_state(corpus: str, tmp_path: Path):
    config = small_config(
        schedule="plateau", plateau_patience=1, learning_rate=0.5, steps=8, validate_every=1, checkpoint_every=8
    )
    state = fresh_state(config, CPU)
    reports = train(corpus, config, state)
    assert state.validated.rate < 1, "such a learning rate makes things worse"
    assert reports[-1].learning_rate <= 0.5
    again = load_state(save(tmp_path, state, config), config, CPU)
    assert again.validated == state.validated


def test_a_picture_of_validation_crops_is_written(corpus: str, tmp_path: Path):
    config = small_config(validate_pictures=2, validate_crops=3, crop=40)
    state = fresh_state(config, CPU)
    sums, shown = validate(state, config, make_data(corpus, config).validation, Alone())
    assert bool(sums.isfinite().all())
    assert len(shown) == 2
    path = write_grid(tmp_path, shown, step=12)
    assert path.name == "step-00000012.png"
    pixels = read_picture(path.read_bytes(), where="").pixels
    assert pixels.shape == (2 * 40 + 4, 4 * 40 + 3 * 4, 3)
    assert (pixels[:40, :40] == shown[0].original).all()
    assert (pixels[44:, 44:84] == shown[1].decoded).all()
    assert {tuple(colour) for colour in pixels[:40, 88:128].reshape(-1, 3).tolist()} <= {
        (38, 92, 166),
        (230, 140, 30),
        (128, 128, 128),
    }
    assert validate(state, small_config(validate_pictures=0), make_data(corpus, config).validation, Alone())[1] == ()


def test_a_codec_without_a_head_has_a_grey_column():
    one = Shown(
        original=np.zeros((3, 5, 3), np.uint8),
        decoded=np.zeros((3, 5, 3), np.uint8),
        label=np.ones((3, 5), np.uint8),
        natural=None,
    )
    assert (grid([one])[:, -5:] == 128).all()


def test_a_checkpoint_of_an_earlier_release_goes_on(corpus: str, tmp_path: Path):
    config = small_config(steps=2)
    state = fresh_state(config, CPU)
    train(corpus, config, state)
    folder = save(tmp_path, state, config)
    position = json.loads((folder / "trainer.json").read_bytes())
    newer = ("ema_decay", "schedule", "accumulate", "lambdas", "init_from", "compile", "plateau_patience")
    position["config"] = {key: value for key, value in position["config"].items() if key not in newer}
    for key in ("validated", "skips_in_a_row"):
        del position[key]
    (folder / "trainer.json").write_text(json.dumps(position))
    check_continuation(read_position(folder)["config"], config, where="run")
    again = load_state(folder, config, CPU)
    assert (again.step, again.validated, again.skips_in_a_row) == (2, Validated(), 0)
    with pytest.raises(ConfigError, match=r"ema_decay = 0\.0, now it is 0\.9"):
        check_continuation(position["config"], small_config(ema_decay=0.9), where="run")
