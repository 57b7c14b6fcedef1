"""Which pictures go into an archive: folders, files and globs become a sorted list with unique relative names.

A file with a picture's suffix is always listed; if it cannot be coded, the engine says why. Other files, hidden files
and editors' leftovers are counted, not listed.
"""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pipeline.base.errors import ArchiveError, StorageError, UsageError
from pipeline.formats.pack import check_name
from pipeline.formats.picture import SUFFIXES

_URL = "file://"
_NOT_IN_NAMES = re.compile(r"[\\%\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One file that was found."""

    name: str
    """Of the picture in the archive; unique."""
    root: str
    path: str
    """Below root. Both are percent-encoded, root starting with `file://`, if the path is not valid UTF-8."""
    num_bytes: int
    mtime: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All inputs, sorted by name."""

    inputs: tuple[Input, ...]
    num_not_listed: int
    """Files that were passed over: no picture's suffix, hidden, or temporary."""


def list_inputs(sources: Sequence[str]) -> Listing:
    """Find the pictures in `sources`: folders (searched recursively), files, or glob patterns.

    Names are relative to the folder searched. Where two sources hold the same name, all names of the later one get its
    folder's name in front. A file reached twice is listed once.
    Raises: UsageError: a source is missing, or there is no picture at all; StorageError: a folder cannot be read.
    """
    inputs: dict[str, Input] = {}
    seen: set[str] = set()
    num_not_listed = 0
    for source in sources:
        found: list[tuple[str, str]] = []
        for root, path in _files(source):
            if not _is_listed(path):
                num_not_listed += 1
            elif (full := os.path.join(root, path)) not in seen:  # noqa: PTH118 - text, so that odd bytes survive
                seen.add(full)
                found.append((root, path))
        inputs |= _named(sorted(found), source, inputs)
    if not inputs:
        raise UsageError(f"no pictures in {', '.join(sources)}; suffixes: {', '.join(sorted(SUFFIXES))}")
    return Listing(inputs=tuple(inputs[name] for name in sorted(inputs)), num_not_listed=num_not_listed)


def local_path(location: str) -> str:
    """Return the path to open for an input's location (`PlanRow.location`)."""
    if location.startswith(_URL):
        return os.fsdecode(unquote_to_bytes(location.removeprefix(_URL)))
    return location


def _files(source: str) -> Iterator[tuple[str, str]]:
    """Yield (root, path below it) of all files of one source."""
    if Path(source).is_dir():
        yield from _walk(os.path.abspath(source), "")  # noqa: PTH100 - as above
    elif Path(source).exists():
        yield tuple(os.path.split(os.path.abspath(source)))  # type: ignore[misc]  # noqa: PTH100
    elif glob.has_magic(source):
        yield from _match(source)
    else:
        raise UsageError(f"{source}: no such file or folder")


def _match(pattern: str) -> Iterator[tuple[str, str]]:
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    root = os.path.abspath(Path(*parts[:fixed]))  # noqa: PTH100
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob does not take absolute patterns
    if not found:
        raise UsageError(f"{pattern}: no file matches")
    for path in found:
        below = os.path.relpath(os.path.abspath(path), root)  # noqa: PTH100
        if not Path(path).is_dir():
            yield root, below
        elif "**" not in parts:
            # With `**` the files below are matched themselves.
            yield from _walk(root, below)


def _walk(root: str, below: str) -> Iterator[tuple[str, str]]:
    def fail(error: OSError) -> None:
        # A folder that cannot be read would otherwise be left out without a word.
        raise StorageError(f"{error.filename}: {error.strerror}") from error

    start = os.path.join(root, below) if below else root  # noqa: PTH118
    for folder, folders, files in os.walk(start, onerror=fail):
        folders.sort()
        for file in sorted(files):
            yield root, os.path.relpath(os.path.join(folder, file), root)  # noqa: PTH118


def _is_listed(path: str) -> bool:
    hidden = any(part.startswith((".", "~")) or part.endswith("~") for part in path.split("/"))
    return not hidden and os.path.splitext(path)[1].lower() in SUFFIXES  # noqa: PTH122


def _named(found: Sequence[tuple[str, str]], source: str, taken: dict[str, Input]) -> dict[str, Input]:
    """Give one source's files their names, apart from all in `taken`."""
    base = _plain(Path(os.path.abspath(source)).name) or "root"  # noqa: PTH100
    prefixes = ["", *(f"{base}{suffix}/" for suffix in ("", *(f"-{k}" for k in range(2, len(taken) + 3))))]
    plain = list(_unique(_plain(path) for _, path in found))
    folders = _folders(taken)
    for prefix in prefixes:
        names = [prefix + name for name in plain]
        if not _clashes(names, taken, folders):
            break
    return {name: _input(name, *file) for name, file in zip(names, found, strict=True)}


def _clashes(names: Sequence[str], taken: dict[str, Input], folders: set[str]) -> bool:
    # A file may not stand where another picture's folder stands, or extraction could not write both.
    return any(name in taken or name in folders for name in names) or not _folders(names).isdisjoint(taken)


def _folders(names: Iterable[str]) -> set[str]:
    return {name[:i] for name in names for i, letter in enumerate(name) if letter == "/"}


def _plain(path: str) -> str:
    """Percent-encode what a name in an archive may not hold; other names stay as they are."""
    if not _NOT_IN_NAMES.search(path):
        return path
    plain = path
    try:
        check_name(path, where=path)
    except ArchiveError:
        plain = _NOT_IN_NAMES.sub(lambda found: quote_from_bytes(os.fsencode(found[0])), path)
    return plain


def _unique(names: Iterable[str]) -> Iterator[str]:
    taken: set[str] = set()
    for name in names:
        stem, dot, suffix = name.rpartition(".")
        unique, k = name, 1
        while unique in taken:
            k += 1
            unique = f"{stem}~{k}{dot}{suffix}"
        taken.add(unique)
        yield unique


def _input(name: str, root: str, path: str) -> Input:
    try:
        status = os.stat(os.path.join(root, path))  # noqa: PTH116, PTH118
        num_bytes, mtime = status.st_size, int(status.st_mtime)
    except OSError:
        # It is listed all the same: the engine will say what is wrong with it.
        num_bytes = mtime = 0
    try:
        (root + path).encode()
    except UnicodeEncodeError:
        root, path = _URL + quote_from_bytes(os.fsencode(root)), quote_from_bytes(os.fsencode(path))
    return Input(name=name, root=root, path=path, num_bytes=num_bytes, mtime=mtime)
