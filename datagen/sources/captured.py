"""Finding captured screens, in the order of their capture."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from datagen.quality import HASH_SIDE
from datagen.sources.examine import examine_screen
from datagen.sources.gather import Candidate, Gathered, NamedBy, Search, found, gather
from datagen.sources.model import Found, RefusedSource
from datagen.sources.photos import pictures
from datagen.sources.places import is_remote, read_range
from datagen.sources.seen import Seen
from pipeline.base.errors import StorageError
from pipeline.base.progress import Progress

CAPTURE_LOG = "capture.jsonl"

_NUM_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1).astype(np.int64)
"""Of each byte."""


def find_captured(
    folder: str,
    *,
    near_bits: int = 0,
    classes: NamedBy | None = None,
    seen: Seen | None = None,
    progress: Progress | None = None,
) -> Found:
    """Return the captured screens in `folder`, in the order of capture; those with the same pixels count once.

    Tars and parquet files of pictures will do as well. `classes`: as for photographs.

    One whose perceptual hash differs from an earlier one's in fewer than `near_bits` of 256 bits is refused as
    `near_duplicate`: a split's last screen must not look like the next one's first.

    Raises: UsageError: no folder, no usable picture in it, or none with a class.
    """
    search = Search(
        kind="screen",
        key="captured",
        place=folder,
        licence="unknown",
        examine=examine_screen,
        classes=classes,
        seen=seen or Seen(),
        progress=progress,
    )
    files, tables = pictures(search)
    order = _capture_order(folder)
    files.sort(key=lambda file: (order.get(file.name.rpartition("/")[2], len(order)), file.name))
    return found(search, _without_near(gather(search, files, tables), near_bits))


def _without_near(gathered: Gathered, near_bits: int) -> Gathered:
    kept: list[Candidate] = []
    refused = list(gathered.refused)
    hashes = np.empty((len(gathered.candidates), HASH_SIDE**2 // 8), dtype=np.uint8)
    for one in gathered.candidates:
        own = np.frombuffer(bytes.fromhex(one.examined.perceptual_hash), dtype=np.uint8)
        differing = _NUM_BITS[hashes[: len(kept)] ^ own].sum(axis=1)
        if kept and differing.min() < near_bits:
            name, other = one.planned.source.name, kept[int(differing.argmin())].planned.source.name
            message = f"{name}: looks like {other}, {differing.min()} of 256 hash bits differ"
            refused.append(RefusedSource(name=name, reason="near_duplicate", message=message))
            continue
        hashes[len(kept)] = own
        kept.append(one)
    return replace(gathered, candidates=tuple(kept), refused=tuple(refused))


def _capture_order(folder: str) -> dict[str, int]:
    """Return each captured file's place in time, from the capture log if there is one."""
    path = f"{folder.rstrip('/')}/{CAPTURE_LOG}"
    if is_remote(folder) or not Path(path.removeprefix("file://")).is_file():
        return {}
    try:
        lines = read_range(path.removeprefix("file://")).decode(errors="replace").splitlines()
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
