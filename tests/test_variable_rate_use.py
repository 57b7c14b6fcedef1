"""Several rates in use: training at a level a crop, validations of all levels, the commands, archives."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.base.config import load
from pipeline.base.errors import ConfigError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.codecs import checkpoint as checkpoints
from pipeline.codecs.interface import CodecOutput
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.formats.archive import open_archive, read_bitstream
from pipeline.formats.bitstream import unpack
from pipeline.formats.picture import write_png
from serving import jobs
from serving.config import ArchiveConfig
from tests.test_cli import GRADIENT, assert_one_line, diptych
from tests.test_loop import CPU, make_data, save, train, weights
from tests.training_corpus import small_config, write_corpus
from training.config import PRESETS, TrainConfig, codec_config
from training.figures import figures, measure
from training.loop import Alone
from training.objectives import counts, objective, part_of
from training.records import report_row
from training.state import fresh_state, load_state
from training.validation import validate

LAMBDAS = (0.001, 0.01, 0.1)
SHAPE = ("num_channels=8", "num_latents=8", "num_rates=3")


def config_of_rates(**changes: Any) -> TrainConfig:
    return small_config(**({"codec_set": SHAPE, "rate_lambdas": LAMBDAS} | changes))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    return write_corpus(tmp_path / "corpus")


# --- training --------------------------------------------------------------------------------------------------------


def test_after_a_short_training_rates_are_in_order(corpus: str):
    config = config_of_rates(
        codec_set=("num_channels=16", "num_latents=24", "num_rates=3"),
        steps=60,
        batch_size=8,
        report_every=60,
        validate_every=60,
        checkpoint_every=60,
        validate_bitstreams=3,
    )
    state = fresh_state(config, CPU)
    started = {name: value for name, value in weights(state).items() if name.startswith("gains.")}
    (val,) = (report for report in train(corpus, config, state) if report.split == "val")
    assert len(val.by_rate) == 3
    for name in ("bpp", "estimated_bpp", "psnr"):
        low, middle, high = (getattr(one, name) for one in val.by_rate)
        assert low < middle < high, name
    row = report_row(val)
    assert [row[f"psnr_rate_{rate}"] for rate in range(3)] == [one.psnr for one in val.by_rate]
    assert json.dumps(row)
    # The report's own figures are the means over all rates, and the loss that of all.
    assert val.figures.mse == pytest.approx(sum(one.mse for one in val.by_rate) / 3)
    assert val.figures.loss == pytest.approx(sum(one.loss for one in val.by_rate) / 3)
    assert started
    assert all(not torch.equal(value, weights(state)[name]) for name, value in started.items())


def test_levels_start_where_their_lambdas_quantise_and_a_level_counts_by_its_lambda(corpus: str):
    state = fresh_state(config_of_rates(), CPU)
    gains: Any = state.codec.gains
    assert gains.y.exp2().square().mean(dim=1).tolist() == pytest.approx([0.1, 1.0, 10.0], rel=1e-5)
    assert torch.equal(gains.y_inverse, -gains.y)
    pictures, labels = torch.zeros(3, 3, 4, 4), torch.zeros(3, 4, 4, dtype=torch.uint8)
    shown = torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1, 1).expand(3, 3, 4, 4)
    output = CodecOutput(reconstruction=shown, likelihoods={})
    lambdas = torch.tensor(LAMBDAS)
    terms = objective(output, pictures, labels, lambda_rd=lambdas, gamma=0.0)
    expected = 255**2 * (0.001 * 0.01 + 0.01 * 0.04 + 0.1 * 0.09) / 3
    assert terms.loss.item() == pytest.approx(expected, rel=1e-6)
    seen = figures(measure(output, pictures, labels, lambdas_N=lambdas), lambda_rd=None, gamma=0.0)
    assert seen.loss == pytest.approx(expected, rel=1e-6)
    whole = counts(labels, None)
    parts = [
        part_of(
            objective(
                CodecOutput(reconstruction=shown[one], likelihoods={}),
                pictures[one],
                labels[one],
                lambda_rd=lambdas[one],
                gamma=0.0,
            ),
            counts(labels[one], None),
            whole,
            gamma=0.0,
        )
        for one in (slice(0, 1), slice(1, 3))
    ]
    assert sum(part.item() for part in parts) == pytest.approx(expected, rel=1e-6)
    # Equal lambdas are one lambda.
    same = objective(output, pictures, labels, lambda_rd=torch.full((3,), 0.01), gamma=0.0).loss.item()
    assert same == pytest.approx(objective(output, pictures, labels, lambda_rd=0.01, gamma=0.0).loss.item(), rel=1e-6)


def test_half_a_run_saved_and_continued_gives_the_same_bits(corpus: str, tmp_path: Path):
    config = config_of_rates(steps=4, checkpoint_every=2, validate_every=2, accumulate=2, ema_decay=0.9)
    straight = fresh_state(config, CPU)
    train(corpus, config, straight)
    first = fresh_state(config, CPU)
    train(corpus, config, first, up_to=2)
    second = load_state(save(tmp_path, first, config), config, CPU)
    train(corpus, config, second)
    assert all(torch.equal(value, weights(second)[name]) for name, value in weights(straight).items())


def test_a_validation_has_a_row_for_each_rate_and_shows_the_middle_one(corpus: str):
    config = config_of_rates(validate_pictures=1, validate_bitstreams=1)
    sums_RS, shown = validate(fresh_state(config, CPU), config, make_data(corpus, config).validation, Alone())
    assert len(sums_RS) == 3
    assert len(shown) == 1
    fixed = small_config(validate_pictures=1)
    assert len(validate(fresh_state(fixed, CPU), fixed, make_data(corpus, fixed).validation, Alone())[0]) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate_lambdas": (0.01, 0.1)}, "num_rates = 3, which needs 3 of them, got 2"),
        ({"rate_lambdas": ()}, "num_rates = 3, which needs 3 of them, got 0"),
        ({"codec_set": ()}, "num_rates = 1, which needs none, got 3"),
        ({"codec": "segpic"}, "num_rates = 1, which needs none, got 3"),
    ],
)
def test_lambdas_that_do_not_fit_the_codec_are_one_line(changes: dict[str, Any], message: str):
    config = config_of_rates(**({"codec_set": ()} if "codec" in changes else {}) | changes)
    with pytest.raises(ConfigError, match=message) as caught:
        codec_config(config)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lambdas", [(0.01, 0.01, 0.1), (0.1, 0.01, 0.001), (0.0, 0.1, 0.2)])
def test_lambdas_have_to_rise(lambdas: tuple[float, ...]):
    with pytest.raises(ValueError, match="rate_lambdas must be positive and rise"):
        config_of_rates(rate_lambdas=lambdas)


def test_one_model_for_all_rates_and_one_for_each_exclude_each_other():
    with pytest.raises(ValueError, match="leave one of them out"):
        config_of_rates(lambdas=(0.01,))


@pytest.mark.parametrize("name", ["variable_small", "variable_tiny"])
def test_presets_load(name: str):
    config = load(TrainConfig, name, presets=PRESETS)
    assert codec_config(config).num_rates == len(config.rate_lambdas) > 1


# --- commands and archives -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    torch.manual_seed(0)
    codec: Any = checkpoints.build_codec("mtl_sci", MtlSciConfig(num_channels=16, num_latents=24, num_rates=3))
    codec.start_rates(LAMBDAS)
    checkpoints.save(Store(folder), "mtl_sci", codec, provenance={"step": 0})
    return folder


def test_compress_at_a_rate_and_decompress_without_one(checkpoint: Path, tmp_path: Path):
    (tmp_path / "shot.png").write_bytes(write_png(GRADIENT))
    sizes, told = {}, {}
    for rate in ("0", "0.5", "1", "2"):
        out = tmp_path / f"{rate}.dpt"
        done = diptych(
            "compress", tmp_path / "shot.png", out, "--checkpoint", checkpoint, "--rate", rate, "--verify", "--json"
        )
        assert done.returncode == 0, done.stderr
        sizes[rate], told[rate] = out.stat().st_size, json.loads(done.stdout)["rate"]
        assert diptych("decompress", out, "--checkpoint", checkpoint).returncode == 0
    assert sizes["0"] < sizes["0.5"] < sizes["1"] < sizes["2"]
    assert told == {"0": 0, "0.5": 0.5, "1": 1, "2": 2}
    done = diptych("compress", tmp_path / "shot.png", tmp_path / "default.dpt", "--checkpoint", checkpoint, "--json")
    assert json.loads(done.stdout)["rate"] == 1
    assert (tmp_path / "default.dpt").read_bytes() == (tmp_path / "1.dpt").read_bytes()


def test_a_rate_that_the_weights_do_not_have_is_one_line(checkpoint: Path, tmp_path: Path):
    (tmp_path / "shot.png").write_bytes(write_png(GRADIENT))
    shot, out = tmp_path / "shot.png", tmp_path / "out.dpt"
    for rate in ("-0.1", "2.01", "nan"):
        done = diptych("compress", shot, out, "--checkpoint", checkpoint, f"--rate={rate}")
        assert_one_line(done, "rate", "expected 0 (fewest bytes) to 2")
    assert_one_line(diptych("compress", shot, tmp_path / "out.jpg", "--rate", "1"), "a JPEG has no --rate")
    fixed = tmp_path / "fixed"
    codec = checkpoints.build_codec("mtl_sci", MtlSciConfig(num_channels=8, num_latents=8))
    checkpoints.save(Store(fixed), "mtl_sci", codec, provenance={})
    assert_one_line(diptych("compress", shot, out, "--checkpoint", fixed, "--rate", "0"), "one rate")
    assert not out.exists()


def test_an_archive_is_made_at_its_rate(checkpoint: Path, tmp_path: Path):
    source = tmp_path / "pictures"
    source.mkdir()
    for number in range(2):
        (source / f"{number}.png").write_bytes(write_png(GRADIENT[number:]))

    def create(name: str, rate: float | None) -> list[int]:
        config = replace(ArchiveConfig(), rate=rate)
        arguments: dict[str, Any] = {"config": config, "checkpoint": str(checkpoint), "progress": Tally()}
        assert jobs.create([str(source)], str(tmp_path / name), **arguments).rejected == {}
        assert not jobs.verify(str(tmp_path / name), decode=True, progress=Tally()).problems
        store = Store(tmp_path / name)
        streams = [unpack(read_bitstream(store, entry)) for entry in open_archive(store).entries()]
        return [int.from_bytes(stream.segments[4], "little") for stream in streams]

    assert create("given", 0.25) == [64, 64]
    assert create("default", None) == [256, 256]
    with pytest.raises(UsageError, match="rate"):
        create("given", 1.0)
    with pytest.raises(UsageError, match="expected 0"):
        create("beyond", 2.5)
    with pytest.raises(ValueError, match="rate must be 0 or more"):
        ArchiveConfig(rate=-1.0)
