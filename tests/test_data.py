"""training/data.py: crops that agree with their labels, a bounded memory, a thread that ends."""

import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.base.errors import ShardError
from pipeline.base.seeds import generator
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from tests.training_corpus import make_sample, small_config, write_corpus
from training.crops import cut_crop
from training.data import read_ahead, train_batches, validation_batches
from training.samples import Planes, SampleReader


@pytest.fixture
def split(tmp_path: Path) -> CorpusSplit:
    return open_split(Store(write_corpus(tmp_path)), "train")


def coordinates(height: int, width: int) -> Planes:
    """Return a picture whose first channels are row and column, and maps that follow from them."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.uint8)
    label = np.where(columns % 3 == 0, NATURAL, SYNTHETIC).astype(np.uint8)
    regions = rows.astype(np.uint16) * 256 + columns
    return Planes(picture=np.stack([rows, columns, rows], axis=2), label=label, regions=regions)


def test_reader_gives_the_pixels_and_maps_that_were_written(split: CorpusSplit):
    reader = SampleReader(split, cache_bytes=1 << 20, with_regions=True)
    sample = reader.read(4)
    written = make_sample("train", 4)
    assert reader.key(4) == "train-0004"
    assert sample.regions is not None
    assert np.array_equal(sample.regions, written.regions)
    assert np.array_equal(sample.picture, written.picture)
    assert np.array_equal(sample.label, written.label)


def test_reader_holds_recent_samples_within_its_memory(split: CorpusSplit):
    size = make_sample("train", 0).picture.nbytes * 4 // 3
    reader = SampleReader(split, cache_bytes=2 * size)
    first = reader.read(0)
    assert reader.read(0) is first
    reader.read(1)
    reader.read(0)
    reader.read(2)
    assert reader.read(0) is first, "the sample used last stays"
    assert reader._held_bytes <= 2 * size


def test_reader_names_the_sample_that_is_damaged(tmp_path: Path):
    write_corpus(tmp_path)
    split = open_split(Store(tmp_path), "train")
    row = split.row(0)
    tar = tmp_path / row["tar"]
    data = bytearray(tar.read_bytes())
    data[row["picture_offset"] + row["picture_size"] // 2] ^= 0xFF
    tar.write_bytes(data)
    with pytest.raises(ShardError, match="train-0000"):
        SampleReader(split, cache_bytes=0).read(0)


def test_reader_refuses_every_flipped_bit_of_a_sample(tmp_path: Path):
    write_corpus(tmp_path)
    split = open_split(Store(tmp_path), "train")
    row = split.row(1)
    tar = tmp_path / row["tar"]
    good = tar.read_bytes()
    rng = generator(3, "flips")
    for member in ("picture", "label", "regions", "info"):
        for bit in rng.integers(8 * row[f"{member}_size"], size=60).tolist():
            data = bytearray(good)
            data[row[f"{member}_offset"] + bit // 8] ^= 1 << bit % 8
            tar.write_bytes(data)
            with pytest.raises(ShardError, match="train-0001"):
                SampleReader(split, cache_bytes=0).read(1)
    tar.write_bytes(good)
    assert np.array_equal(SampleReader(split, cache_bytes=0).read(1).picture, make_sample("train", 1).picture)


@pytest.mark.parametrize("flip_probability", [0.0, 1.0])
def test_crop_of_the_maps_is_the_piece_that_the_picture_crop_is(flip_probability):
    sample = coordinates(90, 70)
    corners = set()
    for number in range(20):
        crop = cut_crop(sample, 16, generator(1, number), flip_probability=flip_probability)
        picture, label = crop.picture, crop.label
        assert np.array_equal(crop.regions, picture[:, :, 0].astype(np.uint16) * 256 + picture[:, :, 1])
        assert picture.shape == (16, 16, 3)
        assert np.array_equal(label == NATURAL, picture[:, :, 1] % 3 == 0)
        assert (np.diff(picture[0, :, 1].astype(int)) == (-1 if flip_probability else 1)).all()
        corners.add((picture[0, 0, 0], picture[0, 0, 1]))
    assert len(corners) > 10, "crops lie at many places"


def test_crops_reach_every_border():
    picture_rows = {
        row
        for number in range(200)
        for row in (lambda crop: (crop[0, 0, 0], crop[-1, 0, 0]))(
            cut_crop(coordinates(12, 12), 8, generator(2, number)).picture
        )
    }
    assert {0, 4, 7, 11} <= picture_rows


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 40), (40, 5), (20, 20)])
def test_small_picture_is_continued_and_its_continuation_ignored(height, width):
    sample = coordinates(height, width)
    crop = cut_crop(sample, 32, generator(0, "x"))
    picture = crop.picture
    assert picture.shape == (32, 32, 3)
    assert np.array_equal(crop.regions, picture[:, :, 0].astype(np.uint16) * 256 + picture[:, :, 1])
    inside = (crop.label != IGNORE).sum()
    assert inside == min(height, 32) * min(width, 32)
    if height == width == 20:
        assert np.array_equal(picture[:20, :20], sample.picture)
        assert np.array_equal(picture[20, :20], sample.picture[18]), "reflected, not black"


def test_batches_carry_region_maps_only_if_asked(split: CorpusSplit):
    config = small_config()
    for with_regions in (False, True):
        reader = SampleReader(split, cache_bytes=0, with_regions=with_regions)
        batch = next(train_batches(reader, config, samples_seen=0, rank=0, num_ranks=1))
        assert (batch.regions is not None) == with_regions
    assert batch.regions is not None
    assert batch.regions.shape == batch.labels.shape
    known = batch.labels != IGNORE
    assert torch.equal(batch.regions[known] == 1, batch.labels[known] == NATURAL)


def test_batches_do_not_depend_on_where_reading_began(split: CorpusSplit):
    config = small_config()

    def batches(samples_seen: int, count: int) -> list[torch.Tensor]:
        reader = SampleReader(split, cache_bytes=0)
        return [
            batch.pictures
            for batch in islice(train_batches(reader, config, samples_seen=samples_seen, rank=0, num_ranks=1), count)
        ]

    straight = batches(0, 6)
    later = batches(6, 3)
    assert all(torch.equal(a, b) for a, b in zip(straight[3:], later, strict=True))
    assert not torch.equal(straight[0], straight[3]), "other samples"


def test_ranks_together_read_the_batch_of_one_rank(split: CorpusSplit):
    config = small_config(batch_size=8)

    def first(rank: int, num_ranks: int) -> torch.Tensor:
        reader = SampleReader(split, cache_bytes=0)
        return next(train_batches(reader, config, samples_seen=4, rank=rank, num_ranks=num_ranks)).pictures

    whole = first(0, 1).reshape(4, 2, 3, 32, 32)
    halves = [first(rank, 2).reshape(2, 2, 3, 32, 32) for rank in range(2)]
    assert torch.equal(whole[0::2], halves[0])
    assert torch.equal(whole[1::2], halves[1])


def test_the_same_sample_gives_other_crops_in_the_next_epoch(split: CorpusSplit):
    config = small_config(batch_size=14)
    batches = train_batches(SampleReader(split, cache_bytes=0), config, samples_seen=0, rank=0, num_ranks=1)
    one, two = next(batches), next(batches)
    crops = {crop.numpy().tobytes() for batch in (one, two) for crop in batch.pictures}
    assert len(crops) > 20


def test_validation_crops_are_the_same_every_time_and_shared_out(tmp_path: Path):
    split = open_split(Store(write_corpus(tmp_path)), "val")
    config = small_config(validate_crops=5)

    def crops(rank: int, num_ranks: int) -> list[bytes]:
        batches = validation_batches(SampleReader(split, cache_bytes=0), config, rank=rank, num_ranks=num_ranks)
        return [crop.numpy().tobytes() for batch in batches for crop in batch.pictures]

    assert len(crops(0, 1)) == 5
    assert sorted(crops(0, 1)) == sorted(crops(0, 3) + crops(1, 3) + crops(2, 3))
    assert crops(5, 6) == []


def test_reading_ahead_keeps_order_and_ends_its_thread():
    with read_ahead(iter(range(100))) as items:
        assert list(items) == list(range(100))
    endless = iter(lambda: 1, 2)
    with read_ahead(endless) as items:
        assert list(islice(items, 3)) == [1, 1, 1]
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_an_error_while_reading_ahead_reaches_the_consumer():
    def failing():
        yield 1
        raise ShardError("torn")

    with read_ahead(failing()) as items, pytest.raises(ShardError, match="torn"):
        assert next(items) == 1
        next(items)
