"""One labelled picture of a corpus: pixels, label map, region map and where all of it came from."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.base.errors import ShardError
from pipeline.formats.picture import PILLOW_ERRORS, Pixels, write_png
from pipeline.formats.png import decode_png, encode_png

SYNTHETIC, NATURAL, IGNORE = 0, 1, 255
"""Label values: drawn pixel, photographed pixel, pixel that mixes both or is not known."""

FIELDS = ("png", "label.png", "regions.png", "json")
"""Member endings of a sample, in the order in which a shard holds them."""

REGION_DETAILS = "regions"
"""Entry of a sample's `details` that says how good its region map's masks are."""

MAX_KEY_BYTES = 100 - len(".regions.png")
"""A tar's header holds 100 bytes of a member's name."""

_KEY = re.compile(r"[^./\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Something a sample was made from; splits never share one."""

    kind: str
    """`photo`, `text`, `page`, `screen`, `font`."""
    name: str
    sha256: str
    """Of the source's bytes, hexadecimal."""
    licence: str
    origin: str
    """Where it was taken from: a package and version, a path, a URL."""
    classes: tuple[str, ...] = ()
    """What it shows, as whoever made it says: class names; () = nobody says, and nothing is stored."""

    def __post_init__(self) -> None:
        _check_classes(self.classes, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleInfo:
    """A sample's metadata, stored as `<key>.json`."""

    key: str
    """`[^./ ]+`: a dot would make WebDataset readers merge samples."""
    width: int
    height: int
    kind: str
    """Scene name, such as `code_editor`, or `capture`."""
    how_labelled: str
    """`compositor` or `differential` (exact), `none` (all 255), or the labeller's name, weights and threshold."""
    how_masked: str
    """Engine and parameters that made the region map, such as `layout` or `felzenszwalb scale=200 ...`."""
    sources: tuple[Source, ...]
    seed: int
    versions: dict[str, str]
    """Of Diptych and the libraries that drew the pixels."""
    perceptual_hash: str = ""
    """DCT hash of the picture, 256 bits as 64 hexadecimal digits; near-duplicates differ in few. "" = not known."""
    details: dict[str, Any] = field(default_factory=dict)
    """What the renderer knows: `renderer`, `scale`, `dark`, `antialiasing`, `page`, `confidence` of a labeller, ..."""
    classes: tuple[str, ...] = ()
    """What the picture shows, one or more class names; (): its `kind` stands for them, and nothing is stored."""

    def __post_init__(self) -> None:
        _check_classes(self.classes, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One labelled picture."""

    info: SampleInfo
    picture: Pixels
    """(H, W, 3) uint8 RGB."""
    label: NDArray[np.uint8]
    """(H, W): SYNTHETIC, NATURAL or IGNORE."""
    regions: NDArray[np.uint16]
    """(H, W): class-agnostic region ids, dense from 1; 0 = none."""

    def __post_init__(self) -> None:
        size = (self.info.height, self.info.width)
        if self.picture.shape != (*size, 3) or self.label.shape != size or self.regions.shape != size:
            raise ValueError(f"{self.info.key}: picture, label and regions must all be {size[1]}x{size[0]}")
        if sum(_label_counts(self.label)) != self.label.size:
            raise ValueError(f"{self.info.key}: label values must be 0, 1 or 255")
        check_key(self.info.key)


def check_key(key: str) -> str:
    """Return `key` if tars and WebDataset readers keep it whole. Raises: ValueError."""
    if not _KEY.fullmatch(key) or not key.isprintable() or len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError(
            f"sample key {key!r} must match [^./ ]+ (a dot would merge samples), "
            f"be printable and have {MAX_KEY_BYTES} bytes at most"
        )
    return key


def _check_classes(classes: tuple[str, ...], where: str) -> None:
    if not all(isinstance(name, str) and name and name.isprintable() for name in classes):
        raise ValueError(f"{where}: classes must be printable names, got {list(classes)}")
    if len(set(classes)) < len(classes):
        raise ValueError(f"{where}: classes hold a name twice: {list(classes)}")


def source_row(source: Source) -> dict[str, Any]:
    """Return a source as metadata and tables hold it, by field; `classes` only where there are any."""
    row = asdict(source)
    # Left out rather than empty: without classes the bytes are those of before there were any.
    del row["classes"]
    return row | ({"classes": list(source.classes)} if source.classes else {})


def source_of(row: Mapping[str, Any]) -> Source:
    """Return the source that such a row holds; `classes` may be missing or null.

    Raises: TypeError: a field is missing or unknown, or classes are no list; ValueError: they are no names.
    """
    classes = row.get("classes")
    if not isinstance(classes, list | None):
        raise TypeError("a source's classes must be a list of names")
    return Source(**{**row, "classes": tuple(classes or ())})


def label_fractions(label: NDArray[np.uint8]) -> dict[str, float]:
    """Return the shares of synthetic, natural and ignored pixels; they add up to 1."""
    shares = [count / label.size for count in _label_counts(label)]
    return dict(zip(("synthetic_fraction", "natural_fraction", "ignore_fraction"), shares, strict=True))


def _label_counts(label: NDArray[np.uint8]) -> list[int]:
    return [int(np.count_nonzero(label == value)) for value in (SYNTHETIC, NATURAL, IGNORE)]


def count_regions(regions: NDArray[np.uint16]) -> int:
    """Return how many ids a region map (H, W) holds, 0 aside."""
    ids = regions.reshape(-1)
    # A map is made of long runs: looking at the first of each takes a third of the time of looking at all.
    firsts = ids[np.flatnonzero(ids[1:] != ids[:-1]) + 1]
    held = np.bincount(np.append(firsts, ids[:1]), minlength=1)
    return int(np.count_nonzero(held[1:]))


def encode_sample(sample: Sample, *, compress_level: int = 6) -> dict[str, bytes]:
    """Return the members of a sample by ending, in the order of FIELDS; same sample, same bytes."""
    return {
        "png": write_png(sample.picture, compress_level=compress_level),
        "label.png": encode_png(sample.label, compress_level=compress_level),
        "regions.png": encode_png(sample.regions, compress_level=compress_level),
        "json": encode_info(sample.info),
    }


def encode_info(info: SampleInfo) -> bytes:
    """Return `<key>.json`; same metadata, same bytes."""
    table = asdict(info) | {"sources": [source_row(source) for source in info.sources]}
    if not info.classes:
        # Left out rather than empty: metadata without classes keeps the bytes that it had before there were any.
        del table["classes"]
    return json.dumps(table, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def decode_sample(members: Mapping[str, bytes], *, where: str) -> Sample:
    """Return the sample whose members are given by ending. Raises: ShardError: one is missing or does not fit."""
    missing = [field for field in FIELDS if field not in members]
    if missing:
        raise ShardError(f"{where}: member .{missing[0]} is missing")
    try:
        return Sample(
            info=decode_info(members["json"], where=where),
            picture=decode_plane(members["png"]).astype(np.uint8, copy=False),
            label=decode_plane(members["label.png"]).astype(np.uint8, copy=False),
            regions=decode_plane(members["regions.png"]).astype(np.uint16, copy=False),
        )
    except (*PILLOW_ERRORS, Image.DecompressionBombError) as error:
        raise ShardError(f"{where}: {error}") from error


def decode_info(data: bytes, *, where: str) -> SampleInfo:
    """Parse `<key>.json`. Raises: ShardError."""
    try:
        table: dict[str, Any] = json.loads(data)
        table["sources"] = tuple(source_of(source) for source in table["sources"])
        if not isinstance(table.get("classes", []), list):
            raise TypeError("classes must be a list of names")
        table["classes"] = tuple(table.get("classes", []))
        return SampleInfo(**table)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ShardError(f"{where}: metadata is not a sample's ({error})") from error


def decode_plane(data: bytes) -> NDArray[Any]:
    """Decode one PNG member to an array of its own depth; (H, W) or (H, W, 3)."""
    return decode_png(data)
