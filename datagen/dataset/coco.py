"""Region or label maps as a COCO file: one annotation a region, its mask in COCO's compressed run lengths.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", arXiv:1405.0312, and pycocotools, whose C code turns
run lengths into COCO's text. The run lengths of all regions of a picture come from one pass over its map, so hundreds
of regions cost about as much as one.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import ShardError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.picture import PILLOW_ERRORS
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC, decode_plane
from pipeline.formats.shards import MANIFEST, read_manifest, read_parquet

What = Literal["regions", "labels"]

REGION_CATEGORY = 1
LABEL_CATEGORIES = {SYNTHETIC: 1, NATURAL: 2, IGNORE: 3}
"""COCO's category number by label value."""
_CATEGORY_OF = np.zeros(256, dtype=np.uint16)
_CATEGORY_OF[list(LABEL_CATEGORIES)] = list(LABEL_CATEGORIES.values())
_IMAGE_COLUMNS = ["key", "width", "height", "picture_offset", "picture_size", "kind", "how_labelled", "how_masked"]
_CATEGORIES: dict[What, list[dict[str, Any]]] = {
    "regions": [{"id": REGION_CATEGORY, "name": "region", "supercategory": "screen"}],
    "labels": [
        {"id": number, "name": name, "supercategory": "screen"}
        for number, name in zip(LABEL_CATEGORIES.values(), ("synthetic", "natural", "ignore"), strict=True)
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoSummary:
    """What was exported."""

    out: str
    num_images: int
    num_annotations: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """One region of a picture as COCO holds it."""

    number: int
    """The region's id in its map."""
    counts: str
    """Compressed run lengths, column by column, beginning with a run outside the region."""
    area: int
    """Pixels."""
    bbox: tuple[float, float, float, float]
    """x, y, width, height in pixels."""


def export(corpus: str, out: Path, *, split: str | None, what: What, progress: Progress) -> CocoSummary:
    """Write the maps of a corpus, or of one of its splits, to the COCO file `out`; one sample in memory at a time.

    Raises: UsageError: no such split; ShardError: the corpus is damaged; StorageError.
    """
    started = time.monotonic()
    store = Store(corpus)
    names = list(read_manifest(store)["splits"])
    if split is not None and split not in names:
        raise UsageError(f"{store.url}: has no split {split!r}; splits: {', '.join(names)}")
    splits = [open_split(store, name) for name in names if split in (None, name)]
    num_images = sum(opened.num_samples for opened in splits)
    progress.total(num_images)
    target = Store(out.parent)
    with target.writing(out.name) as path, open(path, "w", encoding="utf-8") as file:
        file.write('{"info": ' + json.dumps(_info(store, what), ensure_ascii=False))
        file.write(',\n"licenses": [],\n"categories": ' + json.dumps(_CATEGORIES[what]))
        _write_array(file, "images", _images(splits))
        num_annotations = _write_array(file, "annotations", _annotations(splits, what, progress))
        file.write("\n}\n")
    return CocoSummary(
        out=str(out),
        num_images=num_images,
        num_annotations=num_annotations,
        bytes=out.stat().st_size,
        seconds=time.monotonic() - started,
    )


def region_masks(regions: NDArray[np.uint16]) -> list[Mask]:
    """Return the masks of the regions above 0 in a map (H, W), in the order of their ids."""
    from pycocotools import mask as coco

    height, width = regions.shape
    columns = np.ascontiguousarray(regions.T).reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(columns[1:] != columns[:-1]) + 1])
    ends = np.append(starts[1:], len(columns))
    owners = columns[starts]
    # Sorted by region; a stable sort keeps each region's runs in the order of the columns.
    order = np.argsort(owners, kind="stable")
    order = order[np.searchsorted(owners[order], 1) :]
    if not len(order):
        return []
    owners, starts, ends = owners[order], starts[order], ends[order]
    numbers, first = np.unique(owners, return_index=True)
    # A run's first number is the gap before it: since the region's run before, or since the first pixel.
    gaps = starts - np.concatenate([[0], ends[:-1]])
    gaps[first] = starts[first]
    runs = np.stack([gaps, ends - starts], axis=1).astype(np.uint32)
    last = np.append(first[1:], len(order)) - 1
    size = [height, width]
    pieces = zip(np.split(runs, first[1:]), (len(columns) - ends[last]).tolist(), strict=True)
    # A last gap of 0 is left out, as pycocotools does when it encodes a mask.
    counts = [np.append(piece, after) if after else piece.reshape(-1) for piece, after in pieces]
    found = coco.frPyObjects([{"size": size, "counts": runs_of_one} for runs_of_one in counts], height, width)
    return [
        Mask(number=int(number), counts=rle["counts"].decode("ascii"), area=int(area), bbox=tuple(box))
        for number, rle, area, box in zip(
            numbers, found, coco.area(found).tolist(), coco.toBbox(found).tolist(), strict=True
        )
    ]


def _info(store: Store, what: What) -> dict[str, Any]:
    return {
        "description": f"{what} of {store.url.rstrip('/').rsplit('/', 1)[-1]}",
        "corpus_manifest_sha256": sha256_hex(store.read_bytes(MANIFEST)),
        "contributor": "Diptych",
    }


def _write_array(file: IO[str], name: str, items: Iterator[dict[str, Any]]) -> int:
    """Write a JSON array as a member of the object that is begun; return how many items it has."""
    file.write(f',\n"{name}": [')
    count = 0
    for count, item in enumerate(items, start=1):
        file.write(("\n" if count == 1 else ",\n") + json.dumps(item, ensure_ascii=False))
    file.write("\n]")
    return count


def _images(splits: Sequence[CorpusSplit]) -> Iterator[dict[str, Any]]:
    """Yield one image a sample, from the side-cars alone."""
    number = 0
    for opened in splits:
        for stem in opened.stems:
            for row in read_parquet(opened.store, f"{stem}.parquet", columns=_IMAGE_COLUMNS).to_pylist():
                number += 1
                yield {
                    "id": number,
                    "file_name": f"{row['key']}.png",
                    "width": row["width"],
                    "height": row["height"],
                    "split": opened.split,
                    "tar": f"{stem}.tar",
                    "offset": row["picture_offset"],
                    "size": row["picture_size"],
                    "scene": row["kind"],
                    "how_labelled": row["how_labelled"],
                    "how_masked": row["how_masked"],
                }


def _annotations(splits: Sequence[CorpusSplit], what: What, progress: Progress) -> Iterator[dict[str, Any]]:
    number = 0
    pictures = ((opened, index) for opened in splits for index in range(opened.num_samples))
    for image, (opened, index) in enumerate(pictures, start=1):
        for fields in _of_picture(opened, index, what):
            number += 1
            yield {"id": number, "image_id": image, "iscrowd": 0} | fields
        progress.advance()


def _of_picture(opened: CorpusSplit, index: int, what: What) -> Iterator[dict[str, Any]]:
    """Yield what the annotations of one picture say, but for their numbers."""
    members = opened.checked_members(index)
    label = _plane(opened, index, members["label.png"]).astype(np.uint8, copy=False)
    if what == "labels":
        for mask in region_masks(_CATEGORY_OF[label]):
            yield {"category_id": mask.number} | _fields(mask, label.shape)
        return
    regions = _plane(opened, index, members["regions.png"]).astype(np.uint16, copy=False)
    natural = np.bincount(regions[label == NATURAL], minlength=int(regions.max(initial=0)) + 1)
    for mask in region_masks(regions):
        share = round(float(natural[mask.number]) / mask.area, 6)
        fields = {"category_id": REGION_CATEGORY, "region": mask.number, "natural_fraction": share}
        yield fields | _fields(mask, regions.shape)


def _plane(opened: CorpusSplit, index: int, data: bytes) -> NDArray[Any]:
    try:
        return decode_plane(data)
    except PILLOW_ERRORS as error:
        raise ShardError(f"{opened.where(opened.row(index))}: {error}") from error


def _fields(mask: Mask, size: tuple[int, ...]) -> dict[str, Any]:
    return {"segmentation": {"size": list(size), "counts": mask.counts}, "area": mask.area, "bbox": list(mask.bbox)}
