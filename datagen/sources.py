"""Where the pixels come from: photographs of a folder or of scikit-image, captured screens; each with its provenance.

A source belongs to one split only, so no photograph is seen in training and again in testing.
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datagen.config import SPLITS
from datagen.fonts import package_folder
from pipeline.base.errors import PictureError, StorageError, UsageError
from pipeline.base.seeds import derive_seed
from pipeline.formats.picture import SUFFIXES, Picture, Pixels, digest_pixels, read_picture, to_rgb
from pipeline.formats.sample import Source

MIN_PHOTO_SIDE = 96
"""Smaller pictures are icons, not photographs."""

CAPTURE_LOG = "capture.jsonl"

_CC0, _FREE = "CC0-1.0", "no known copyright restrictions"
BUNDLED = {
    "astronaut.png": "public domain (NASA)",
    "brick.png": _CC0,
    "camera.png": _CC0,
    "chelsea.png": _CC0,
    "clock_motion.png": "BSD-3-Clause (scikit-image)",
    "coffee.png": _CC0,
    "coins.png": _FREE,
    "grass.png": _CC0,
    "gravel.png": _CC0,
    "hubble_deep_field.jpg": "public domain (NASA)",
    "ihc.png": _FREE,
    "moon.png": "public domain (NASA)",
    "motorcycle_left.png": "BSD-3-Clause (scikit-image)",
    "retina.jpg": _CC0,
    "rocket.jpg": "public domain (SpaceX)",
}
"""Photographs inside scikit-image's wheel (only one of the stereo pair: two would leak between splits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSource:
    """A source, the split that owns it, and where this machine finds it."""

    source: Source
    split: str
    """`train`, `val`, `test`, or "" for what all splits share (fonts)."""
    path: str
    """File to read it from; "" if it is built in. Not part of a sample's provenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSource:
    """A file that was found and cannot be used."""

    name: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search for sources gave."""

    sources: tuple[PlannedSource, ...]
    refused: tuple[RefusedSource, ...]


def find_photos(folder: str | None) -> Found:
    """Return the photographs below `folder`, or scikit-image's; not yet dealt to splits.

    Of files that show the same pixels the first counts; the others are refused as `duplicate`.
    Raises: UsageError: no folder, or no usable picture in it.
    """
    if folder is None:
        return _bundled_photos()
    return _gather("photo", folder, _pictures_below(folder, "photos"), _read_photo)


def find_captured(folder: str) -> Found:
    """Return the captured screens in `folder`, in the order of capture; duplicates are refused as photographs are.

    Raises: UsageError: no folder, or no usable picture in it.
    """
    order = _capture_order(Path(folder))
    paths = _pictures_below(folder, "captured")
    paths.sort(key=lambda path: (order.get(path.name, len(order)), path))
    return _gather("screen", folder, paths, _read_file)


def deal_by_hash(sources: Sequence[PlannedSource], weights: dict[str, int], *, seed: int) -> tuple[PlannedSource, ...]:
    """Give each source to one split: rank by a hash of (seed, digest), then cut by `weights` (samples a split).

    Every split with a weight above 0 gets at least one. Raises: UsageError: fewer sources than such splits.
    """
    ranked = sorted(sources, key=lambda planned: derive_seed(seed, "deal", planned.source.sha256))
    return deal_in_order(ranked, weights)


def deal_in_order(sources: Sequence[PlannedSource], weights: dict[str, int]) -> tuple[PlannedSource, ...]:
    """Give contiguous runs of `sources` to the splits, by `weights`. Raises: UsageError: too few sources."""
    used = [split for split in SPLITS if weights[split] > 0]
    if len(sources) < len(used):
        raise UsageError(f"{len(sources)} source(s) cannot serve {len(used)} splits; splits never share one")
    counts = dict.fromkeys(used, 1)
    total = sum(weights[split] for split in used)
    for _ in range(len(sources) - len(used)):
        # The split that is furthest below its share takes the next one; ties go to the first.
        short = max(used, key=lambda split: (weights[split] / total) * len(sources) - counts[split])
        counts[short] += 1
    splits = [split for split in used for _ in range(counts[split])]
    return tuple(replace(planned, split=split) for planned, split in zip(sources, splits, strict=True))


def load_pixels(planned: PlannedSource) -> Pixels:
    """Return a source's RGB pixels (H, W, 3). Raises: PictureError: `source_changed` or what read_picture raises."""
    picture = read_picture(_read_bytes(Path(planned.path)), where=planned.path)
    if picture.file_sha256 != planned.source.sha256:
        raise PictureError("source_changed", f"{planned.path}: changed since the plan was made")
    return to_rgb(picture.pixels)


def _bundled_photos() -> Found:
    folder = package_folder("skimage") / "data"
    origin = f"scikit-image {importlib.metadata.version('scikit-image')}"
    sources = []
    for name, licence in BUNDLED.items():
        path = folder / name
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            source = Source(kind="photo", name=name, sha256=digest, licence=licence, origin=origin)
            sources.append(PlannedSource(source=source, split="", path=str(path)))
    if not sources:
        raise UsageError(f"{folder}: scikit-image's pictures are missing; give a folder of photographs")
    return Found(sources=tuple(sources), refused=())


def _pictures_below(folder: str, key: str) -> list[Path]:
    base = Path(folder)
    if not base.is_dir():
        raise UsageError(f"{folder}: no such folder ({key})")
    paths = sorted(path for path in base.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise UsageError(f"{folder}: holds no pictures ({', '.join(sorted(SUFFIXES))})")
    return paths


def _gather(kind: str, folder: str, paths: Sequence[Path], read: Callable[[Path], Picture]) -> Found:
    sources: dict[str, PlannedSource] = {}
    refused: list[RefusedSource] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            picture = read(path)
            # Of what a scene would show, so that neither encoder nor grey or opaque channels hide a second copy.
            shown = digest_pixels(to_rgb(picture.pixels))
            if shown in sources:
                raise PictureError("duplicate", f"{path}: has the same pixels as {sources[shown].source.name}")
        except PictureError as error:
            refused.append(RefusedSource(name=name, reason=error.reason, message=_relative(error, folder)))
            continue
        source = Source(kind=kind, name=name, sha256=picture.file_sha256, licence="unknown", origin=Path(folder).name)
        sources[shown] = PlannedSource(source=source, split="", path=str(path))
    if not sources:
        raise UsageError(f"{folder}: none of the {len(refused)} pictures can be used (first: {refused[0].message})")
    return Found(sources=tuple(sources.values()), refused=tuple(refused))


def _read_file(path: Path) -> Picture:
    return read_picture(_read_bytes(path), where=str(path))


def _read_photo(path: Path) -> Picture:
    picture = _read_file(path)
    height, width, num_channels = picture.pixels.shape
    if min(height, width) < MIN_PHOTO_SIDE:
        raise PictureError("too_small", f"{path}: {width}x{height}, a photograph has {MIN_PHOTO_SIDE} or more a side")
    if num_channels in (2, 4):
        raise PictureError("transparent", f"{path}: has transparent pixels; a photograph has none")
    return picture


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError("unreadable", f"{path}: {error.strerror or error}") from error


def _relative(error: PictureError, folder: str) -> str:
    """Return the message without the folder: it is stored in the plan, which may travel."""
    return str(error).replace(f"{folder.rstrip('/')}/", "")


def _capture_order(folder: Path) -> dict[str, int]:
    """Return each captured file's place in time, from the capture log if there is one."""
    path = folder / CAPTURE_LOG
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
    places: dict[str, int] = {}
    for place, line in enumerate(lines):
        try:
            places.setdefault(str(json.loads(line)["file"]), place)
        except (ValueError, KeyError, TypeError):
            # A capture that was killed may leave its last line unfinished; the order is a convenience.
            continue
    return places
