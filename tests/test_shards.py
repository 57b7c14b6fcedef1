"""Shards, side-cars, commit records and the manifest; random access through them."""

import gc
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset

from pipeline.base.errors import ShardError, UsageError
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.sample import FIELDS, Sample, encode_sample
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
