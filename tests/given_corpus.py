"""Small corpora whose samples show the sources that a test gives them; written as datagen writes them."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.store import Store
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC, Sample, SampleInfo, Source
from pipeline.formats.shards import ShardName, write_manifest, write_shard


def source(name: str, *, kind: str = "photo", origin: str = "folder") -> Source:
    """Return a source that differs from those of other names and kinds."""
    digest = f"{kind}/{name}".encode().hex()
    return Source(kind=kind, name=name, sha256=digest.ljust(64, "0")[:64], licence="CC0-1.0", origin=origin)


WORDS = source("words-train", kind="text", origin="diptych datagen.vocabulary")
FONT = source("Sans.ttf", kind="font", origin="fonts 1.0")


def sample(key: str, *sources: Source, seed: int | None = None, look: str = "", **info: Any) -> Sample:
    """Return a sample of 24x16 with two regions; the same `seed` (default: from the key) gives the same pixels."""
    rng = np.random.default_rng(zlib.crc32(key.encode()) if seed is None else seed)
    height, width = 16, 24
    label = np.full((height, width), SYNTHETIC, np.uint8)
    label[4:12, 6:20] = NATURAL
    label[3, 6:20] = IGNORE
    regions = np.zeros((height, width), np.uint16)
    regions[0:6, 0:10] = 1
    regions[6:16, 5:24] = 2
    facts: dict[str, Any] = {"kind": "chat", "how_labelled": "compositor", "how_masked": "layout", "seed": 1}
    facts |= {"versions": {"diptych": "0"}, "perceptual_hash": look}
    return Sample(
        info=SampleInfo(key=key, width=width, height=height, sources=sources, **(facts | info)),
        picture=rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        label=label,
        regions=regions,
    )


def write_given(
    folder: Path, splits: dict[str, Sequence[Sample]], *, name: str = "screens", shard_size: int = 4
) -> str:
    """Write a corpus of these samples by split; return its path."""
    store = Store(folder)
    records = []
    for split, samples in splits.items():
        for index, first in enumerate(range(0, len(samples), shard_size)):
            shard = ShardName(corpus=name, split=split, index=index)
            records.append(write_shard(store, shard, samples[first : first + shard_size], plan_sha256="ab" * 32))
    write_manifest(store, records, config={"name": name}, versions={"diptych": "0"})
    return str(folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below `folder` by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
