"""Shards, side-cars, commit records and the manifest; random access through them."""

import gc
import json
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.base.errors import ShardError, UsageError
from pipeline.base.store import Store
from pipeline.formats.corpus import classes_of, open_split
from pipeline.formats.encoded import encode
from pipeline.formats.sample import FIELDS, IGNORE, NATURAL, SYNTHETIC, Sample, SampleInfo, Source, encode_sample
from pipeline.formats.shards import Rejection, ShardName, check_shard, read_manifest, read_record, write_manifest
from pipeline.formats.shards import write_shard as write
from tests.test_sample import make_sample


def write_corpus(folder: Path, *, num_shards: int = 2, per_shard: int = 3) -> list[Sample]:
    store, samples, records = Store(folder), [], []
    for index in range(num_shards):
        inside = [make_sample(f"train-{index * per_shard + i:06d}", seed=index * 10 + i) for i in range(per_shard)]
        name = ShardName(corpus="screens", split="train", index=index)
        lost = Rejection(key=f"train-lost-{index}", reason="blank", message="all one colour")
        records.append(write(store, name, [*inside[:1], lost, *inside[1:]], plan_sha256="ab"))
        samples += inside
    write_manifest(store, records, config={"seed": 1}, versions={"diptych": "0"})
    return samples


# webdataset leaves its tars to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_any_tar_and_webdataset_reader_opens_a_shard(tmp_path: Path) -> None:
    samples = write_corpus(tmp_path)
    tars = sorted(tmp_path.glob("*.tar"))
    with tarfile.open(tars[0]) as tar:
        assert tar.getnames() == [f"{sample.info.key}.{ending}" for sample in samples[:3] for ending in FIELDS]
        assert {(member.mtime, member.uid, member.gid, member.uname) for member in tar} == {(0, 0, 0, "")}
    seen = list(webdataset.WebDataset([str(tar) for tar in tars], shardshuffle=False))
    assert [sample["__key__"] for sample in seen] == [sample.info.key for sample in samples]
    assert seen[4]["label.png"] == encode_sample(samples[4])["label.png"]
    gc.collect()


def test_the_side_cars_offsets_cut_members_out_of_the_tar(tmp_path: Path) -> None:
    samples = write_corpus(tmp_path)
    row = pq.read_table(tmp_path / "screens-train-000001.parquet").to_pylist()[2]
    tar = (tmp_path / "screens-train-000001.tar").read_bytes()
    assert tar[row["regions_offset"] :][: row["regions_size"]] == encode_sample(samples[5])["regions.png"]
    assert row["natural_fraction"] == pytest.approx((samples[5].label == 1).mean())
    assert row["seed"] == samples[5].info.seed


def test_any_sample_is_read_by_its_number(tmp_path: Path) -> None:
    samples = write_corpus(tmp_path)
    split = open_split(Store(tmp_path), "train")
    assert split.num_samples == 6
    for index in (5, 0, 3):
        assert np.array_equal(split.sample(index).picture, samples[index].picture)
    assert split.members(3, ["label.png"]) == {"label.png": encode_sample(samples[3])["label.png"]}
    with pytest.raises(IndexError):
        split.row(6)


def test_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_corpus(tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 2 * 3 + 2
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_records_and_manifest_count_everything(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    record = read_record(Store(tmp_path), "screens-train-000001")
    assert record is not None
    assert record.num_samples == 3
    assert [rejection.reason for rejection in record.rejected] == ["blank"]
    manifest = read_manifest(Store(tmp_path))
    assert manifest["splits"]["train"]["num_samples"] == 6
    assert manifest["rejected"] == {"blank": 2}
    assert read_record(Store(tmp_path), "screens-train-000002") is None


def test_a_flipped_byte_is_found_by_check_and_by_reading(tmp_path: Path) -> None:
    write_corpus(tmp_path, num_shards=1)
    store = Store(tmp_path)
    record = read_record(store, "screens-train-000000")
    assert record is not None
    check_shard(store, record)
    tar = tmp_path / "screens-train-000000.tar"
    data = bytearray(tar.read_bytes())
    data[open_split(store, "train").row(1)["picture_offset"] + 60] ^= 1
    tar.write_bytes(data)
    with pytest.raises(ShardError, match=r"000000\.tar: sha256 is"):
        check_shard(store, record)
    with pytest.raises(ShardError, match="train-000001"):
        open_split(store, "train").sample(1)
    tar.unlink()
    with pytest.raises(ShardError, match="missing"):
        check_shard(store, record)


def test_a_folder_that_is_no_corpus_and_a_split_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"no manifest\.json"):
        open_split(Store(tmp_path), "train")
    write_corpus(tmp_path)
    with pytest.raises(UsageError, match="splits: train"):
        open_split(Store(tmp_path), "test")
    (tmp_path / "shards.parquet").write_bytes((tmp_path / "screens-train-000000.parquet").read_bytes())
    with pytest.raises(ShardError, match="not the table"):
        open_split(Store(tmp_path), "train")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    del manifest["shard_table_sha256"]
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ShardError, match="shard_table_sha256"):
        open_split(Store(tmp_path), "train")
    manifest["splits"]["train"] = {"sambles": 1}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ShardError, match="not a corpus manifest"):
        read_manifest(Store(tmp_path))
    (tmp_path / "manifest.json").write_text('{"format": "other", "format_version": 1}')
    with pytest.raises(ShardError, match="is other version 1"):
        read_manifest(Store(tmp_path))


def test_a_corpus_on_an_object_store_is_read_the_same_way(tmp_path: Path) -> None:
    store = Store("memory://corpus-on-object-store")
    samples = [make_sample()]
    record = write(store, ShardName(corpus="m", split="train", index=0), samples, plan_sha256="")
    write_manifest(store, [record], config={}, versions={})
    check_shard(store, record)
    assert np.array_equal(open_split(store, "train").sample(0).picture, samples[0].picture)


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
KEYS = st.text(st.characters(codec="utf-8", categories=("L", "N"), include_characters="_-"), min_size=1, max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
SOURCES = st.builds(
    Source, kind=TEXT, name=TEXT, sha256=st.binary(min_size=32, max_size=32).map(bytes.hex), licence=TEXT, origin=TEXT
)
NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
HASHES = st.just("") | st.binary(min_size=32, max_size=32).map(bytes.hex)


@st.composite
def drawn_samples(draw: st.DrawFn, key: str) -> Sample:
    """Return any sample that may stand in a shard under `key`."""
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    details: dict[str, Any] = draw(st.dictionaries(TEXT.filter(lambda name: name != "confidence"), VALUES, max_size=3))
    if draw(st.booleans()):
        details["confidence"] = draw(st.floats(0, 1))
    info = SampleInfo(
        key=key,
        width=width,
        height=height,
        kind=draw(TEXT),
        how_labelled=draw(TEXT),
        how_masked=draw(TEXT),
        sources=tuple(draw(st.lists(SOURCES, max_size=3))),
        seed=draw(st.integers(0, 2**64 - 1)),
        versions=draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        perceptual_hash=draw(HASHES),
        details=details,
        classes=tuple(draw(st.lists(NAMES, max_size=2, unique=True))),
    )
    values = st.sampled_from((SYNTHETIC, NATURAL, IGNORE))
    return Sample(
        info=info,
        picture=draw(arrays.arrays(np.uint8, (height, width, 3))),
        label=draw(arrays.arrays(np.uint8, (height, width), elements=values)),
        regions=draw(arrays.arrays(np.uint16, (height, width))),
    )


@st.composite
def drawn_items(draw: st.DrawFn) -> list[Sample | Rejection]:
    """Return what a shard may be made of; keys differ."""
    refused = st.builds(Rejection, key=TEXT, reason=TEXT, message=TEXT, redrawn=st.booleans())
    return [draw(drawn_samples(key) | refused) for key in draw(st.lists(KEYS, max_size=4, unique=True))]


@settings(deadline=None, max_examples=60)
@given(drawn_items())
def test_whatever_goes_into_a_shard_comes_out_of_it(items: list[Sample | Rejection]) -> None:
    samples = [item for item in items if isinstance(item, Sample)]
    name = ShardName(corpus="c", split="train", index=0)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        record = write(store, name, items, plan_sha256="ab")
        assert read_record(store, name.stem) == record and record.num_samples == len(samples)
        refused = [item for item in items if isinstance(item, Rejection)]
        assert list(record.rejected) == [item for item in refused if not item.redrawn]
        assert sum(record.redrawn.values()) == sum(item.redrawn for item in refused)
        write_manifest(store, [record], config={}, versions={})
        opened = open_split(store, "train")
        for index, sample in enumerate(samples):
            back = opened.sample(index)
            assert back.info == sample.info
            for plane in ("picture", "label", "regions"):
                assert np.array_equal(getattr(back, plane), getattr(sample, plane))
            assert opened.encoded(index) == encode(sample)


@settings(deadline=None, max_examples=30)
@given(drawn_items())
def test_copied_samples_give_the_bytes_of_drawn_ones(items: list[Sample | Rejection]) -> None:
    name = ShardName(corpus="c", split="train", index=0)
    with tempfile.TemporaryDirectory() as drawn, tempfile.TemporaryDirectory() as copied:
        store = Store(drawn)
        write_manifest(store, [write(store, name, items, plan_sha256="ab")], config={}, versions={})
        opened = open_split(store, "train")
        encoded = iter([opened.encoded(index) for index in range(opened.num_samples)])
        again = [next(encoded) if isinstance(item, Sample) else item for item in items]
        write(Store(copied), name, again, plan_sha256="ab")
        for path in Path(copied).iterdir():
            assert path.read_bytes() == (Path(drawn) / path.name).read_bytes()


def test_a_side_car_has_classes_only_where_a_sample_has_some(tmp_path: Path) -> None:
    store = Store(tmp_path)
    plain, named = make_sample("a"), make_sample("b")
    named = replace(named, info=replace(named.info, classes=("dog", "sofa")))
    records = [
        write(store, ShardName(corpus="c", split=split, index=0), samples, plan_sha256="0" * 64)
        for split, samples in (("train", [plain]), ("val", [plain, named]))
    ]
    write_manifest(store, records, config={}, versions={})
    train, val = (open_split(store, split) for split in ("train", "val"))
    assert "classes" not in train.row(0)
    assert (classes_of(val.row(0)), classes_of(val.row(1))) == (("chat",), ("dog", "sofa"))
    assert (train.classes(), val.classes()) == (("chat",), ("chat", "dog", "sofa"))
    assert val.encoded(0) == encode(plain)
    assert val.encoded(1) == encode(named)
