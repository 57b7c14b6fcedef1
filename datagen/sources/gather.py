"""Examining all files of a place: each decoded once on threads, copies and the unusable refused with a reason."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal

from datagen.sources.containers import Damage, Item, read_items
from datagen.sources.examine import Examined
from datagen.sources.model import Found, PlannedSource, RefusedSource
from datagen.sources.places import File, is_remote, without_secrets
from datagen.sources.provenance import Tables, of_row
from datagen.sources.seen import Record, Seen
from datagen.sources.stated import FIELDS, MEMBERS, folder_name
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.formats.sample import Source

LOCAL = "local folder"
"""Origin of a file that nothing is known about; its folder's name would change when the folder moves."""

_MAX_THREADS = 8
_AHEAD = 4

Examine = Callable[..., Examined]
NamedBy = Literal["source", "folder"]
"""Who says what pictures show: containers and tables, or the folders they lie in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search for sources and what it may use."""

    kind: str
    key: str
    """Field of the config, for messages."""
    place: str
    licence: str
    examine: Examine
    classes: NamedBy | None = None
    """Who names classes, so that what is wrong with a name is told; None: what is stated is kept and nothing asked."""
    same: str = "pixels"
    """What copies have in common, for messages."""
    seen: Seen = field(default_factory=Seen)
    progress: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A source that can be used, and what is known of it."""

    planned: PlannedSource
    examined: Examined
    faults: tuple[str, ...] = ()
    """As in Stated: labels that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What examining a place gave."""

    candidates: tuple[Candidate, ...]
    refused: tuple[RefusedSource, ...]


def gather(search: Search, files: Sequence[File], tables: Tables) -> Gathered:
    """Examine `files` in their order; of those that show the same the first counts. Raises: StorageError."""
    refused: list[RefusedSource] = []
    first: dict[str, Candidate] = {}
    for file, record in _examined(search, files, tables):
        examined = record.examined
        if not examined.reason and examined.shown_sha256 in first:
            kept = first[examined.shown_sha256].planned.source.name
            message = f"{record.name}: has the same {search.same} as {kept}"
            examined = replace(examined, reason="duplicate", message=message)
        if examined.reason:
            refused.append(RefusedSource(name=record.name, reason=examined.reason, message=examined.message))
        else:
            first[examined.shown_sha256] = _candidate(search, file, record)
    search.seen.save()
    return Gathered(candidates=tuple(first.values()), refused=tuple(refused))


def found(search: Search, gathered: Gathered) -> Found:
    """Return what can be used, and as refused also the labels that cannot.

    Raises: UsageError: nothing can be used, or classes are asked of the sources and none states any.
    """
    if not gathered.candidates:
        why = f"none of the {len(gathered.refused)} files can be used" if gathered.refused else "holds nothing"
        first = f" (first: {gathered.refused[0].message})" if gathered.refused else ""
        raise UsageError(f"{without_secrets(search.place)}: {why}{first} ({search.key})")
    sources = tuple(one.planned for one in gathered.candidates)
    faults = _faults(gathered) if search.classes is not None else []
    if search.classes == "source" and not any(planned.source.classes for planned in sources):
        first = f" (first: {faults[0].message})" if faults else ""
        raise UsageError(
            f"{without_secrets(search.place)}: none of the {len(sources)} pictures comes with a class name{first}; "
            f"expected a member .{MEMBERS[-1]}, or a key or column {', '.join(FIELDS)} ({search.key})"
        )
    return Found(sources=sources, refused=(*gathered.refused, *faults))


def _faults(gathered: Gathered) -> list[RefusedSource]:
    told = []
    for one in gathered.candidates:
        name = one.planned.source.name
        for fault in one.faults:
            reason, _, said = fault.partition(" ")
            told.append(RefusedSource(name=name, reason=reason, message=f"{name}: left out as a class: {said}"))
    return told


def _candidate(search: Search, file: File, record: Record) -> Candidate:
    origin = record.origin or (without_secrets(search.place) if is_remote(search.place) else LOCAL)
    stated = record.stated
    if search.classes == "folder":
        stated = folder_name(record.name, file.name if record.part else "")
    source = Source(
        kind=search.kind,
        name=record.name,
        sha256=record.examined.sha256,
        licence=record.licence or search.licence,
        origin=origin,
        classes=stated.names,
    )
    planned = PlannedSource(source=source, split="", path=file.path, part=record.part)
    return Candidate(planned=planned, examined=record.examined, faults=stated.faults)


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
    return Record(
        name=item.name,
        part=item.part,
        licence=known.licence,
        origin=known.origin,
        stated=known.stated,
        examined=examined,
    )


def _with_table(record: Record, tables: Tables) -> Record:
    """Return the record with what a table beside the files says; it outweighs the container."""
    row = tables.about(record.name)
    return replace(
        record,
        licence=row.licence or record.licence,
        origin=row.origin or record.origin,
        stated=row.stated.before(record.stated),
    )
