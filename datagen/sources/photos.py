"""Finding photographs: listed, examined, those that show the same in another encoding found."""

from dataclasses import replace

import numpy as np

from datagen.dataset.near import cluster
from datagen.sources.bundled import bundled_photos
from datagen.sources.containers import COMPRESSED, PARQUET, TAR
from datagen.sources.examine import examine_photo
from datagen.sources.gather import Candidate, Gathered, NamedBy, Search, found, gather
from datagen.sources.model import Found, RefusedSource
from datagen.sources.places import File, list_files, without_secrets
from datagen.sources.provenance import Tables
from datagen.sources.seen import Seen
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.formats.picture import SUFFIXES

NEAR_BITS = 32
"""Photographs whose perceptual hashes differ in fewer of 256 bits show the same.

Measured on 364 photographs (BSDS500, Kodak, 40 others): copies as JPEG q50, at half or a third of the size, both, as
JPEG q20, 15 % brighter, grey or enlarged differ in at most 20 bits, with 1 % cut from each side in at most 30; of the
66066 pairs of distinct photographs the nearest two differ in 94.
"""


def find_photos(
    place: str | None,
    *,
    licence: str = "unknown",
    classes: NamedBy | None = None,
    seen: Seen | None = None,
    progress: Progress | None = None,
) -> Found:
    """Return the photographs of `place` (folder, tars, parquet, local or by URL), or those in our libraries' wheels.

    Not yet dealt to splits. Of files that show the same pixels the first counts, of those that show the same scaled or
    compressed again the largest; the others are refused as `duplicate` and `near_duplicate`. `classes`: who says what
    they show; without, what their containers and tables say is kept. Labels that are no names are refused by
    themselves, their pictures stay.
    Raises: UsageError: nothing there, no usable picture in it, or none with a class; StorageError: the network gave up.
    """
    if place is None:
        return bundled_photos()
    search = Search(
        kind="photo",
        key="photos",
        place=place,
        licence=licence,
        examine=examine_photo,
        classes=classes,
        seen=seen or Seen(),
        progress=progress,
    )
    return found(search, _without_near(gather(search, *pictures(search))))


def pictures(search: Search) -> tuple[list[File], Tables]:
    """Return the files that are pictures (or hold some) and the tables beside them. Raises: UsageError: none."""
    listed = list_files(search.place, search.key)
    files = [file for file in listed if file.name.lower().endswith((*SUFFIXES, TAR, PARQUET, *COMPRESSED))]
    if not files:
        known = ", ".join(sorted({*SUFFIXES, TAR, PARQUET}))
        raise UsageError(f"{without_secrets(search.place)}: holds no pictures ({known})")
    return files, Tables(listed)


def _without_near(gathered: Gathered) -> Gathered:
    """Keep the largest of each cluster of pictures that show the same."""
    candidates = gathered.candidates
    if not candidates:
        return gathered
    hashes = np.frombuffer(bytes.fromhex("".join(one.examined.perceptual_hash for one in candidates)), dtype=np.uint8)
    numbers = cluster(hashes.reshape(len(candidates), -1), bits=NEAR_BITS).tolist()
    best: dict[int, Candidate] = {}
    for number, one in zip(numbers, candidates, strict=True):
        if number not in best or one.examined.num_pixels > best[number].examined.num_pixels:
            best[number] = one
    refused = [
        _refused(one, best[number]) for number, one in zip(numbers, candidates, strict=True) if best[number] is not one
    ]
    kept = tuple(one for number, one in zip(numbers, candidates, strict=True) if best[number] is one)
    return replace(gathered, candidates=kept, refused=(*gathered.refused, *refused))


def _refused(one: Candidate, best: Candidate) -> RefusedSource:
    name = one.planned.source.name
    message = f"{name}: shows the same as {best.planned.source.name}, scaled or compressed again"
    return RefusedSource(name=name, reason="near_duplicate", message=message)
