"""A small finished corpus for the tests of datagen.dataset, and a way to forge one that is wrong but well signed."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from datagen import build
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.encoded import EncodedSample, digest_members, encode
from pipeline.formats.sample import Sample, decode_sample
from pipeline.formats.shards import Rejection, ShardName, read_manifest, read_record, write_manifest, write_shard
from tests.small_corpus import photo_folder, small_config

Items = list[EncodedSample | Rejection]
Change = Callable[[str, Items], Items]


def build_small(folder: Path, **changes: Any) -> Path:
    """Build a corpus of 7 samples in 4 shards below `folder` and return where it is."""
    photos = photo_folder(folder / "photos", 5)
    build.run(small_config(photos, **changes), str(folder / "corpus"), workers=1, progress=Tally())
    return folder / "corpus"


def forge(source: Path, target: Path, change: Change, *, plan_sha256: str | None = None) -> Path:
    """Copy a corpus, its samples changed by `change(split, items)`; all digests fit what is written."""
    shutil.copytree(source, target)
    store, origin = Store(target), Store(source)
    manifest, records = read_manifest(origin), []
    for split in manifest["splits"]:
        opened = open_split(origin, split)
        for place, stem in enumerate(opened.stems):
            old = read_record(origin, stem)
            assert old is not None
            first, end = (int(number) for number in opened.first_index[place : place + 2])
            items: Items = [opened.encoded(index) for index in range(first, end)]
            name = ShardName(corpus=stem.rsplit("-", 2)[0], split=split, index=int(stem.rsplit("-", 1)[1]))
            digest = plan_sha256 or old.plan_sha256
            records.append(write_shard(store, name, change(split, items), plan_sha256=digest))
    write_manifest(store, records, config=manifest["config"], versions=manifest["versions"])
    return target


def decoded(item: EncodedSample | Rejection) -> Sample:
    """Return an encoded sample's pixels and metadata."""
    assert isinstance(item, EncodedSample)
    return decode_sample(item.members, where=item.row["key"])


def renamed(item: EncodedSample | Rejection, key: str) -> EncodedSample:
    """Return the sample under another key."""
    sample = decoded(item)
    return encode(replace(sample, info=replace(sample.info, key=key)), compress_level=1)


def with_member(item: EncodedSample | Rejection, ending: str, data: bytes, **row: Any) -> EncodedSample:
    """Return the sample with other bytes for one member and other values in its row; its digest fits."""
    assert isinstance(item, EncodedSample)
    members = item.members | {ending: data}
    return EncodedSample(members=members, row=item.row | {"members_sha256": digest_members(members)} | row)


def png(plane: np.ndarray[Any, Any], folder: Path) -> bytes:
    """Return a plane as PNG, of its own depth."""
    path = folder / "plane.png"
    Image.fromarray(plane).save(path)
    return path.read_bytes()


def first_of_train(change: Callable[[EncodedSample], EncodedSample]) -> Callable[[str, Items], Items]:
    """Change the sample train-000000 and leave the others alone."""

    def apply(split: str, items: Items) -> Items:
        head, *rest = items
        assert isinstance(head, EncodedSample)
        return [change(head), *rest] if head.row["key"] == "train-000000" else items

    return apply
