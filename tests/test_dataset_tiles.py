"""datagen/dataset/tiles.py: tiles are the pictures' pixels and maps, each known where it came from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from datagen.dataset import tiles
from datagen.dataset.check import CheckConfig, check
from datagen.dataset.tiles import TilesConfig, cut_tile, starts
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store, sha256_file
from pipeline.cli import app
from pipeline.formats.corpus import open_split
from pipeline.formats.shards import read_manifest
from tests.dataset_corpus import build_small
from tests.training_corpus import make_sample, small_config, write_corpus
from training.data import train_batches
from training.samples import SampleReader


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize(
    ("length", "side", "stride", "expected"),
    [
        (64, 32, 0, [0, 32]),
        (70, 32, 0, [0, 32, 38]),
        (64, 32, 16, [0, 16, 32]),
        (32, 32, 0, [0]),
        (20, 32, 8, [0]),
        (33, 32, 32, [0, 1]),
    ],
)
def test_tiles_cover_a_picture_and_end_where_it_ends(length: int, side: int, stride: int, expected: list[int]):
    assert starts(length, side, stride) == expected


@pytest.mark.parametrize("stride", [0, 24])
def test_tiles_are_the_pixels_and_maps_of_their_pictures(corpus: Path, tmp_path: Path, stride: int):
    config = TilesConfig(side=64, stride=stride, compress_level=1)
    summary = tiles.run(str(corpus), str(tmp_path), config, progress=Tally())
    splits = read_manifest(Store(corpus))["splits"]
    assert summary.num_pictures == sum(counts["num_samples"] for counts in splits.values())
    for name in splits:
        whole, cut = (open_split(Store(folder), name) for folder in (corpus, tmp_path))
        pictures = {sample.info.key: sample for sample in map(whole.sample, range(whole.num_samples))}
        covered = {key: np.zeros(picture.label.shape, bool) for key, picture in pictures.items()}
        for index in range(cut.num_samples):
            tile = cut.sample(index)
            place = tile.info.details["tile"]
            picture = pictures[place["of"]]
            area = np.s_[place["top"] : place["top"] + 64, place["left"] : place["left"] + 64]
            covered[place["of"]][area] = True
            assert np.array_equal(tile.picture, picture.picture[area])
            assert np.array_equal(tile.label, picture.label[area])
            assert tile.info.sources == picture.info.sources and tile.info.classes == picture.info.classes
            assert tile.info.seed == picture.info.seed and tile.info.kind == picture.info.kind
            # The same regions under new ids.
            pairs = {
                (int(old), int(new)) for old, new in zip(picture.regions[area].flat, tile.regions.flat, strict=True)
            }
            assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)
            assert (0, 0) in pairs or 0 not in {number for pair in pairs for number in pair}
            ids = set(tile.regions.flat) - {0}
            assert ids == set(range(1, len(ids) + 1))
        assert all(mask.all() for mask in covered.values())
    assert check(Store(tmp_path), CheckConfig(), progress=Tally()).findings == ()


def test_the_same_tiles_are_made_again_and_a_stopped_run_goes_on(corpus: Path, tmp_path: Path):
    config = TilesConfig(side=96)
    first, second = tmp_path / "first", tmp_path / "second"
    tiles.run(str(corpus), str(first), config, progress=Tally())
    tiles.run(str(corpus), str(second), config, progress=Tally())
    names = sorted(path.name for path in first.iterdir() if path.is_file())
    assert [sha256_file(first / name) for name in names] == [sha256_file(second / name) for name in names]
    removed = next(second.glob("*.done.json"))
    removed.unlink()
    summary = tiles.run(str(corpus), str(second), config, progress=Tally())
    assert summary.num_skipped_shards == len(list(first.glob("*.done.json"))) - 1
    assert sha256_file(removed) == sha256_file(first / removed.name)
    with pytest.raises(UsageError, match="holds something else"):
        tiles.run(str(corpus), str(second), TilesConfig(side=64), progress=Tally())


def test_tiles_are_not_drawn_again_and_the_check_says_where_to(corpus: Path, tmp_path: Path):
    tiles.run(str(corpus), str(tmp_path), TilesConfig(side=128), progress=Tally())
    with pytest.raises(UsageError, match="tiles are cut, not drawn"):
        check(Store(tmp_path), CheckConfig(regenerate=1.0), progress=Tally())


def test_figures_of_masks_follow_the_regions_that_a_tile_shows():
    sample = make_sample("train", 1)
    regions = np.zeros_like(sample.regions)
    regions[:, :16], regions[:, 16:40], regions[:, 40:] = 1, 2, 3
    details = {"regions": {"predicted_iou": [0.1, 0.2, 0.3], "stability": [0.4, 0.5, 0.6]}}
    sample = replace(sample, regions=regions, info=replace(sample.info, details=details))
    tile = cut_tile(sample, 0, 32, 32)
    assert tile.info.details["regions"] == {"predicted_iou": [0.2, 0.3], "stability": [0.5, 0.6]}
    assert tile.info.key == "train-0001-y0-x32"
    assert sorted(set(tile.regions.flat)) == [1, 2]
    with pytest.raises(UsageError, match="too long a key"):
        cut_tile(replace(sample, info=replace(sample.info, key="k" * 85)), 0, 32, 32)


def test_training_on_tiles_reads_tiles(tmp_path: Path):
    cut = tmp_path / "cut"
    # A corpus that was written by hand has no plan.
    tiles.run(write_corpus(tmp_path / "corpus"), str(cut), TilesConfig(side=32), progress=Tally())
    reader = SampleReader(open_split(Store(cut), "train"), cache_bytes=0, with_regions=True)
    assert reader.split.num_samples == 7 * 4
    batch = next(train_batches(reader, small_config(batch_size=8), samples_seen=0, rank=0, num_ranks=1))
    assert batch.pictures.shape == (8, 3, 32, 32)


def test_tiles_on_the_command_line(corpus: Path, tmp_path: Path):
    done = CliRunner().invoke(app, ["dataset", "tiles", str(corpus), str(tmp_path / "cut"), "--side", "128"])
    assert done.exit_code == 0
    assert "num tiles:" in done.stdout
    refused = CliRunner().invoke(app, ["dataset", "tiles", str(corpus), str(tmp_path / "x"), "--stride", "999"])
    assert isinstance(refused.exception, UsageError)
