"""Finding photographs: listed, decoded once, the unusable refused with a reason, copies found in any encoding."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from datagen.dataset.near import cluster
from datagen.sources.bundled import bundled_photos
from datagen.sources.containers import COMPRESSED, PARQUET, TAR, Damage, Item, read_items
from datagen.sources.examine import Examined, examine_photo
from datagen.sources.model import Found, PlannedSource, RefusedSource
from datagen.sources.places import File, is_remote, list_files, without_secrets
from datagen.sources.provenance import Tables, of_row
from datagen.sources.seen import Record, Seen
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.formats.picture import SUFFIXES
from pipeline.formats.sample import Source

NEAR_BITS = 32
"""Photographs whose perceptual hashes differ in fewer of 256 bits show the same.

Measured on 364 photographs (BSDS500, Kodak, 40 others): copies as JPEG q50, at half or a third of the size, both, as
JPEG q20, 15 % brighter, grey or enlarged differ in at most 20 bits, with 1 % cut from each side in at most 30; of the
66066 pairs of distinct photographs the nearest two differ in 94.
"""

LOCAL = "local folder"
"""Origin of a file that nothing is known about; its folder's name would change when the folder moves."""

_MAX_THREADS = 8
_AHEAD = 4

Examine = Callable[..., Examined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search for pictures and what it may use."""

    kind: str
    key: str
    """Field of the config, for messages."""
    place: str
    licence: str
    examine: Examine
    seen: Seen
    progress: Progress | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    planned: PlannedSource
    examined: Examined


def find_photos(
    place: str | None, *, licence: str = "unknown", seen: Seen | None = None, progress: Progress | None = None
) -> Found:
    """Return the photographs of `place` (folder, tars, parquet, local or by URL), or those in our libraries' wheels.

    Not yet dealt to splits. Of files that show the same pixels the first counts, of those that show the same scaled or
    compressed again the largest; the others are refused as `duplicate` and `near_duplicate`.
    Raises: UsageError: nothing there, or no usable picture in it; StorageError: the network gave up.
    """
    if place is None:
        return bundled_photos()
    search = Search(
        kind="photo",
        key="photos",
        place=place,
        licence=licence,
        examine=examine_photo,
        seen=seen or Seen(),
        progress=progress,
    )
    files = pictures(search, containers=True)
    return gather(search, files, near_bits=NEAR_BITS)


def pictures(search: Search, *, containers: bool) -> tuple[list[File], Tables]:
    """Return the files that are pictures (or hold some) and the tables beside them. Raises: UsageError: none."""
    listed = list_files(search.place, search.key)
    endings = (*SUFFIXES, TAR, PARQUET, *COMPRESSED) if containers else tuple(SUFFIXES)
    files = [file for file in listed if file.name.lower().endswith(endings)]
    if not files:
        known = ", ".join(sorted({*SUFFIXES, TAR, PARQUET} if containers else SUFFIXES))
        raise UsageError(f"{without_secrets(search.place)}: holds no pictures ({known})")
    return files, Tables(listed)


def gather(search: Search, files: tuple[list[File], Tables], *, near_bits: int) -> Found:
    """Examine all pictures and return those that can be used. Raises: UsageError: not one."""
    refused: list[RefusedSource] = []
    first: dict[str, _Candidate] = {}
    for file, record in _examined(search, files[0], files[1]):
        examined = record.examined
        if not examined.reason and examined.shown_sha256 in first:
            kept = first[examined.shown_sha256].planned.source.name
            message = f"{record.name}: has the same pixels as {kept}"
            examined = replace(examined, reason="duplicate", message=message)
        if examined.reason:
            refused.append(RefusedSource(name=record.name, reason=examined.reason, message=examined.message))
            continue
        first[examined.shown_sha256] = _Candidate(planned=_planned(search, file, record), examined=examined)
    candidates, near = _without_near(list(first.values()), near_bits)
    refused += near
    search.seen.save()
    if not candidates:
        why = f"none of the {len(refused)} pictures can be used (first: {refused[0].message})" if refused else ""
        raise UsageError(f"{without_secrets(search.place)}: {why or 'holds no pictures'}")
    return Found(sources=tuple(one.planned for one in candidates), refused=tuple(refused))


def _planned(search: Search, file: File, record: Record) -> PlannedSource:
    origin = record.origin or (without_secrets(search.place) if is_remote(search.place) else LOCAL)
    source = Source(
        kind=search.kind,
        name=record.name,
        sha256=record.examined.sha256,
        licence=record.licence or search.licence,
        origin=origin,
    )
    return PlannedSource(source=source, split="", path=file.path, part=record.part)


def _without_near(candidates: Sequence[_Candidate], bits: int) -> tuple[list[_Candidate], list[RefusedSource]]:
    """Return the largest of each cluster of pictures that show the same, and the refused others."""
    if not candidates:
        return [], []
    hashes = np.frombuffer(bytes.fromhex("".join(one.examined.perceptual_hash for one in candidates)), dtype=np.uint8)
    numbers = cluster(hashes.reshape(len(candidates), -1), bits=bits).tolist()
    kept: dict[int, _Candidate] = {}
    for number, one in zip(numbers, candidates, strict=True):
        if number not in kept or one.examined.num_pixels > kept[number].examined.num_pixels:
            kept[number] = one
    refused = []
    for number, one in zip(numbers, candidates, strict=True):
        if kept[number] is not one:
            name, best = one.planned.source.name, kept[number].planned.source.name
            message = f"{name}: shows the same as {best}, scaled or compressed again"
            refused.append(RefusedSource(name=name, reason="near_duplicate", message=message))
    return [one for number, one in zip(numbers, candidates, strict=True) if kept[number] is one], refused


def _examined(search: Search, files: Sequence[File], tables: Tables) -> Iterator[tuple[File, Record]]:
    """Give every picture's record in the order of the files; decoding runs on threads, a bounded number ahead."""
    num_threads = min(_MAX_THREADS, len(os.sched_getaffinity(0)))
    if search.progress is not None:
        search.progress.total(len(files))
    with ThreadPoolExecutor(num_threads) as pool:
        waiting: deque[tuple[File, Future[Record] | Record | None]] = deque()
        done: list[Record] = []

        def settle(limit: int) -> Iterator[tuple[File, Record]]:
            while len(waiting) > limit:
                file, task = waiting.popleft()
                if task is None:
                    search.seen.add(search.kind, file, done)
                    done.clear()
                    if search.progress is not None:
                        search.progress.advance()
                    continue
                record = task.result() if isinstance(task, Future) else task
                done.append(record)
                yield file, _with_table(record, tables)

        for file in files:
            known = search.seen.find(search.kind, file)
            for task in known if known is not None else _submit(search, pool, file):
                waiting.append((file, task))
                yield from settle(_AHEAD * num_threads)
            waiting.append((file, None))
        yield from settle(0)


def _submit(search: Search, pool: ThreadPoolExecutor, file: File) -> Iterator[Future[Record] | Record]:
    for item in read_items(file):
        if isinstance(item, Damage):
            examined = Examined(sha256="", reason=item.reason, message=item.message)
            yield Record(name=item.name, part="", licence="", origin="", examined=examined)
        else:
            yield pool.submit(_examine, search.examine, item)


def _examine(examine: Examine, item: Item) -> Record:
    try:
        data = item.read()
    except OSError as error:
        message = f"{item.name}: {error.strerror or error}"
        examined = Examined(sha256="", reason="unreadable", message=message)
    else:
        examined = examine(data, sha256=hashlib.sha256(data).hexdigest(), where=item.name)
    known = of_row(item.notes)
    return Record(name=item.name, part=item.part, licence=known.licence, origin=known.origin, examined=examined)


def _with_table(record: Record, tables: Tables) -> Record:
    """Return the record with what a table beside the files says; it outweighs the container."""
    row = tables.about(record.name)
    if not row.licence and not row.origin:
        return record
    return replace(record, licence=row.licence or record.licence, origin=row.origin or record.origin)
