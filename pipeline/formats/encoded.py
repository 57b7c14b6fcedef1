"""One sample as a shard holds it: the bytes of its members, and its row of the side-car."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.formats.picture import digest_pixels
from pipeline.formats.sample import FIELDS, Sample, count_regions, encode_sample, label_fractions

COLUMN = {"png": "picture", "label.png": "label", "regions.png": "regions", "json": "info"}
"""Start of the side-car's columns for each member."""

SIDECAR_SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        *((f"{name}_{part}", pa.int64()) for name in COLUMN.values() for part in ("offset", "size")),
        ("members_sha256", pa.binary(32)),  # of the four members' bytes, in order
        ("pixels_sha256", pa.binary(32)),  # of the picture's pixels; finds duplicates across encoders
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("kind", pa.string()),
        ("how_labelled", pa.string()),
        ("how_masked", pa.string()),
        ("num_regions", pa.int32()),
        ("synthetic_fraction", pa.float64()),
        ("natural_fraction", pa.float64()),
        ("ignore_fraction", pa.float64()),
        ("sources", pa.list_(pa.string())),  # SHA-256 of each, hexadecimal
        ("seed", pa.uint64()),
        ("perceptual_hash", pa.binary(32)),  # null: not known
        ("confidence", pa.float64()),  # of a labeller, mean over the picture; null: exact or no labels
    ]
)
CLASSES = pa.field("classes", pa.list_(pa.string()))
"""Last column, only in shards that have a sample with class names: the others keep the bytes they had without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSample:
    """A sample as a shard holds it; copying one from shard to shard decodes nothing."""

    members: dict[str, bytes]
    """The bytes of each member by ending, in the order of FIELDS."""
    row: dict[str, Any]
    """Its side-car row, without offsets and sizes."""


def encode(sample: Sample, *, compress_level: int = 6) -> EncodedSample:
    """Return the bytes and the side-car row of a sample; same sample, same bytes."""
    members = encode_sample(sample, compress_level=compress_level)
    info = sample.info
    row = {
        "key": info.key,
        "members_sha256": digest_members(members),
        "pixels_sha256": bytes.fromhex(digest_pixels(sample.picture)),
        "width": info.width,
        "height": info.height,
        "kind": info.kind,
        "how_labelled": info.how_labelled,
        "how_masked": info.how_masked,
        "num_regions": count_regions(sample.regions),
        "sources": [source.sha256 for source in info.sources],
        "seed": info.seed,
        "perceptual_hash": bytes.fromhex(info.perceptual_hash) or None,
        "confidence": info.details.get("confidence"),
        **({CLASSES.name: list(info.classes)} if info.classes else {}),
    }
    return EncodedSample(members=members, row=row | label_fractions(sample.label))


def digest_members(members: Mapping[str, bytes]) -> bytes:
    """Return the SHA-256 of a sample's members, in the order of FIELDS."""
    digest = hashlib.sha256()
    for ending in FIELDS:
        digest.update(members[ending])
    return digest.digest()
