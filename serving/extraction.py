"""Extraction of an archive's pictures to PNG files."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.base.errors import ArchiveError, DiptychError, StorageError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.archive import Archive, open_archive
from pipeline.formats.archive_index import Entry
from pipeline.formats.archive_records import CommitRecord, Problem
from pipeline.formats.archive_salvage import committed_entries
from pipeline.formats.pack import check_name
from pipeline.formats.picture import write_png
from serving.decoding import Decoder, as_problem, as_write_problem, open_decoder
from serving.local import map_chunks

_ENTRIES_A_CHUNK = 16
_SUFFIX = ".png"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractSummary:
    """What extraction wrote."""

    num_extracted: int
    num_renamed: int
    """Files that could not get their first-choice name, since another picture has it."""
    output_bytes: int
    problems: tuple[Problem, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    entry: Entry
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    decoder: Decoder
    out: Store


class TargetNames:
    """Gives each picture its file's name: its own, with `.png` at the end.

    `a.jpg` becomes `a.jpg.png`. Where that is taken, by a file or by a folder, a number follows: `a.jpg~2.png`. The
    names depend on the pictures' order alone.
    """

    def __init__(self) -> None:
        self.num_renamed = 0
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def assign(self, name: str) -> str:
        """Return the file's name. Raises: ArchiveError: the picture's name could leave the folder."""
        check_name(name, where="extract")
        stem = name.removesuffix(_SUFFIX)
        target, k = stem + _SUFFIX, 1
        while not self._is_free(target):
            k += 1
            # A file stands where one of the folders should be: the path is laid flat.
            blocked = any(folder in self._files for folder in _folders_of(target))
            stem = stem.replace("/", "_") if blocked else stem
            target = f"{stem}~{k}{_SUFFIX}"
        self.num_renamed += k > 1
        self._files.add(target)
        self._folders.update(_folders_of(target))
        return target

    def _is_free(self, target: str) -> bool:
        taken = target in self._files or target in self._folders
        return not taken and not any(folder in self._files for folder in _folders_of(target))


def extract(
    archive: str, out: str, *, names: Sequence[str] | None, progress: Progress, workers: int = 1
) -> ExtractSummary:
    """Decode all pictures, or those in `names`, to PNG files in the folder `out`; no other file there is replaced.

    A file that an earlier extraction wrote is left as it is. Each file appears whole or not at all. Damaged entries
    are reported and the others extracted; where a shard's index is lost, its pictures are found in the tar.
    Raises: ArchiveError: not an archive; UsageError: a name is not in it; StorageError: `out` cannot be written.
    """
    started = time.monotonic()
    opened = open_archive(Store(archive))
    problems = list(opened.problems)
    progress.total(opened.num_pictures if names is None else len(set(names)))
    target_names = TargetNames()
    chunks = _chunks(opened, _Selection(names), target_names, problems)
    open_state = partial(_open_state, archive, out)
    num_extracted = output_bytes = 0
    for results in map_chunks(open_state, _extract_chunk, chunks, workers=workers):
        for result in results:
            if isinstance(result, Problem):
                problems.append(result)
                progress.reject(result.reason)
            else:
                num_extracted += 1
                output_bytes += result
                progress.advance()
    return ExtractSummary(
        num_extracted=num_extracted,
        num_renamed=target_names.num_renamed,
        output_bytes=output_bytes,
        problems=tuple(problems),
        seconds=time.monotonic() - started,
    )


class _Selection:
    """Which pictures are wanted; None stands for all."""

    def __init__(self, names: Sequence[str] | None) -> None:
        self._left = None if names is None else set(names)

    def may_hold(self, commit: CommitRecord) -> bool:
        return self._left is None or any(commit.first_name <= name <= commit.last_name for name in self._left)

    def take(self, name: str) -> bool:
        if self._left is None:
            return True
        if name in self._left:
            self._left.remove(name)
            return True
        return False

    def check_empty(self, archive: Archive) -> None:
        if self._left:
            raise UsageError(f"{archive.store.url}: holds no picture named {min(self._left)!r}")


def _chunks(
    archive: Archive, selection: _Selection, target_names: TargetNames, problems: list[Problem]
) -> Iterator[list[_Target]]:
    for commit in archive.commits:
        if not selection.may_hold(commit):
            continue
        try:
            found = committed_entries(archive, commit)
        except StorageError as error:
            problems.append(Problem(where=f"shard {commit.shard:06d}", reason="missing_file", message=str(error)))
            continue
        problems += found.problems
        chunk: list[_Target] = []
        for entry in found.entries:
            if not selection.take(entry.name):
                continue
            try:
                chunk.append(_Target(entry=entry, file=target_names.assign(entry.name)))
            except ArchiveError as error:
                problems.append(Problem(where=repr(entry.name), reason="bad_name", message=str(error)))
            if len(chunk) == _ENTRIES_A_CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk
    selection.check_empty(archive)


def _folders_of(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def _open_state(archive: str, out: str) -> _State:
    return _State(decoder=open_decoder(archive), out=Store(out))


def _extract_chunk(state: _State, chunk: Sequence[_Target]) -> list[Problem | int]:
    return [_extract_entry(state, target) for target in chunk]


def _extract_entry(state: _State, target: _Target) -> Problem | int:
    """Write one file; return its size in bytes."""
    try:
        data = write_png(state.decoder.decode(target.entry))
    except DiptychError as error:
        return as_problem(target.entry.name, error)
    try:
        if state.out.exists(target.file):
            if state.out.read_bytes(target.file) == data:
                return len(data)
            # Most likely the original: an archive extracted into the folder that it was made from.
            message = f"{state.out.where(target.file)}: another file is there, and is left as it is"
            return Problem(where=target.entry.name, reason="exists", message=message)
        state.out.write_bytes(target.file, data)
    except StorageError as error:
        return as_write_problem(target.entry.name, error)
    return len(data)
