"""Crops: where they are cut, so that picture, label and region maps agree, and the arrays that they are cut into.

Where a crop lies and whether it is mirrored come from names (seed, epoch, sample key, crop number), so a sample gives
the same crops whoever reads it. N crops, H, W side of a crop, C classes. Knows no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.base.seeds import generator
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from training.config import TrainConfig
from training.order import Visit
from training.samples import Planes, SampleReader, Spent

try:
    import cv2 as _opencv

    _cv2: Any = _opencv
except ImportError:
    _cv2 = None

Kind = Literal["natural", "synthetic", "boundary"]
KINDS: tuple[Kind, ...] = ("natural", "synthetic", "boundary")
"""What `crop_shares` are the shares of, in order."""

_GUESSES = 32
_BOUNDARY_STEPS = (4, 2)
"""Pixels between the points of a grid; those two steps apart are compared, first to look across antialiased seams,
which are labelled IGNORE, then for small parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CropArrays:
    """Room for crops, in the memory of whoever made it."""

    pictures: Pixels
    """(N, 3, H, W) uint8 RGB."""
    labels: NDArray[np.uint8]
    """(N, H, W)."""
    regions: NDArray[np.uint16] | None
    """(N, H, W)."""
    classes: NDArray[np.float32] | None
    """(N, C)."""

    def put(self, number: int, crop: Planes, *, flipped: bool = False) -> None:
        """Copy a crop to place `number`, mirrored left to right if asked."""
        _put_picture(crop.picture, self.pictures[number], flipped=flipped)
        step = -1 if flipped else 1
        self.labels[number] = crop.label[:, ::step]
        if self.regions is not None and crop.regions is not None:
            self.regions[number] = crop.regions[:, ::step]
        if self.classes is not None and crop.classes is not None:
            self.classes[number] = crop.classes

    def part(self, first: int, end: int) -> "CropArrays":
        """Return the places first..end-1, in the same memory."""
        return CropArrays(
            pictures=self.pictures[first:end],
            labels=self.labels[first:end],
            regions=None if self.regions is None else self.regions[first:end],
            classes=None if self.classes is None else self.classes[first:end],
        )

    def copy_from(self, other: "CropArrays") -> None:
        """Copy crops from arrays of the same shapes."""
        self.pictures[:] = other.pictures
        self.labels[:] = other.labels
        if self.regions is not None and other.regions is not None:
            self.regions[:] = other.regions
        if self.classes is not None and other.classes is not None:
            self.classes[:] = other.classes


def _put_picture(picture: Pixels, planes: Pixels, *, flipped: bool) -> None:
    """Write (H, W, 3) as (3, H, W), by OpenCV where it is installed: in a tenth of numpy's time."""
    if _cv2 is None or picture.strides[1:] != (3, 1):
        planes[:] = picture[:, :: -1 if flipped else 1].transpose(2, 0, 1)
        return
    _cv2.split(_cv2.flip(picture, 1) if flipped else picture, list(planes))


def empty_crops(num_crops: int, crop: int, *, with_regions: bool, num_classes: int) -> CropArrays:
    """Return fresh arrays for `num_crops` crops of side `crop`."""
    return CropArrays(
        pictures=np.empty((num_crops, 3, crop, crop), np.uint8),
        labels=np.empty((num_crops, crop, crop), np.uint8),
        regions=np.empty((num_crops, crop, crop), np.uint16) if with_regions else None,
        classes=np.empty((num_crops, num_classes), np.float32) if num_classes else None,
    )


def cut_visit(reader: SampleReader, visit: Visit, config: TrainConfig, *, into: CropArrays) -> Spent:
    """Cut the crops that one visit of a sample gives; return what reading and cutting cost.

    Raises: ShardError: the sample is damaged; StorageError: it cannot be read.
    """
    before = reader.spent
    sample = reader.read(visit.index)
    began = perf_counter()
    sample = enlarge(sample, config.crop)
    num_fallbacks = 0
    for number in range(config.crops_per_picture):
        rng = generator(config.seed, "crop", visit.epoch, sample.key, number)
        corner, fell_back = place_crop(sample.label, config.crop, rng, shares=config.crop_shares)
        num_fallbacks += fell_back
        flipped = bool(rng.random() < config.flip_probability)
        into.put(number, _cut(sample, config.crop, corner, flipped=False), flipped=flipped)
    read = reader.spent
    return Spent(
        num_samples=1,
        num_bytes=read.num_bytes - before.num_bytes,
        fetch_seconds=read.fetch_seconds - before.fetch_seconds,
        decode_seconds=read.decode_seconds - before.decode_seconds + perf_counter() - began,
        num_fallbacks=num_fallbacks,
    )


def cut_crop(sample: Planes, crop: int, rng: np.random.Generator, *, flip_probability: float = 0.0) -> Planes:
    """Return a random crop x crop piece of a picture and the same piece of its maps.

    A picture smaller than the crop is continued by reflection, and labelled IGNORE there.
    """
    sample = enlarge(sample, crop)
    corner, _ = place_crop(sample.label, crop, rng)
    return _cut(sample, crop, corner, flipped=rng.random() < flip_probability)


def place_crop(
    label: NDArray[np.uint8], crop: int, rng: np.random.Generator, *, shares: Sequence[float] = ()
) -> tuple[tuple[int, int], bool]:
    """Return a crop's first row and column, and whether it lies just anywhere though a kind was drawn for it.

    `label` (H, W) is at least as large as the crop. `shares` of KINDS: a kind is drawn by them, and the crop's centre
    is a random pixel of that kind; what they leave of 1 is placed anywhere, as is a crop whose picture has nothing of
    its kind where a centre can be.
    """
    if not shares:
        return _anywhere(label, crop, rng), False
    drawn = int(np.searchsorted(np.cumsum(shares), rng.random(), side="right"))
    if drawn == len(shares):
        return _anywhere(label, crop, rng), False
    centre = crop // 2
    found = _find(
        label[centre : label.shape[0] - crop + centre + 1, centre : label.shape[1] - crop + centre + 1],
        KINDS[drawn],
        rng,
    )
    return (_anywhere(label, crop, rng), True) if found is None else (found, False)


def _anywhere(label: NDArray[np.uint8], crop: int, rng: np.random.Generator) -> tuple[int, int]:
    top = int(rng.integers(label.shape[0] - crop + 1))
    return top, int(rng.integers(label.shape[1] - crop + 1))


def _find(label: NDArray[np.uint8], kind: Kind, rng: np.random.Generator) -> tuple[int, int] | None:
    """Return row and column of a random pixel of a kind, or None if there is none."""
    if kind == "boundary":
        return _find_boundary(label, rng)
    wanted = NATURAL if kind == "natural" else SYNTHETIC
    # Guessing finds what covers some of the picture in microseconds, and every such pixel equally often.
    rows, columns = rng.integers(label.shape[0], size=_GUESSES), rng.integers(label.shape[1], size=_GUESSES)
    hits = np.flatnonzero(label[rows, columns] == wanted)
    if len(hits):
        return int(rows[hits[0]]), int(columns[hits[0]])
    pixels = np.flatnonzero(label == wanted)
    if not len(pixels):
        return None
    row, column = divmod(int(pixels[rng.integers(len(pixels))]), label.shape[1])
    return row, column


def _find_boundary(label: NDArray[np.uint8], rng: np.random.Generator) -> tuple[int, int] | None:
    """Return the middle between two points, a few pixels apart, of which one is natural and one synthetic."""
    for step in _BOUNDARY_STEPS:
        first = rng.integers(step, size=2)
        points = label[first[0] :: step, first[1] :: step]
        across = np.argwhere(_differ(points[:, :-2], points[:, 2:])) + np.array((0, 1))
        down = np.argwhere(_differ(points[:-2], points[2:])) + np.array((1, 0))
        num_places = len(across) + len(down)
        if num_places:
            choice = int(rng.integers(num_places))
            place = first + step * (across[choice] if choice < len(across) else down[choice - len(across)])
            return int(place[0]), int(place[1])
    return None


def _differ(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    differ: NDArray[np.bool_] = (one != other) & (one != IGNORE) & (other != IGNORE)
    return differ


def _cut(sample: Planes, crop: int, corner: tuple[int, int], *, flipped: bool) -> Planes:
    rows, columns = slice(corner[0], corner[0] + crop), slice(corner[1], corner[1] + crop)
    step = -1 if flipped else 1
    return replace(
        sample,
        picture=sample.picture[rows, columns][:, ::step],
        label=sample.label[rows, columns][:, ::step],
        regions=None if sample.regions is None else sample.regions[rows, columns][:, ::step],
    )


def enlarge(sample: Planes, crop: int) -> Planes:
    """Return a sample no side of which is shorter than `crop`: continued by reflection, and labelled IGNORE there."""
    height, width = sample.label.shape
    border = ((0, max(0, crop - height)), (0, max(0, crop - width)))
    if border == ((0, 0), (0, 0)):
        return sample
    return replace(
        sample,
        picture=np.pad(sample.picture, (*border, (0, 0)), mode="reflect"),
        label=np.pad(sample.label, border, constant_values=IGNORE),
        regions=None if sample.regions is None else np.pad(sample.regions, border, mode="reflect"),
    )
