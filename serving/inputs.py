"""Which pictures go into an archive: folders, files and globs become a sorted list with unique relative names.

A file named by itself is always listed, and so is one with a picture's suffix in a folder; if it cannot be coded, the
engine says why. A folder's other files, hidden files and editors' leftovers are counted, not listed. Links to folders
are followed, each folder once.
"""

import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import NoReturn
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
    folder's name in front. A file reached twice, by links to folders or otherwise, is listed once.
    Raises: UsageError: a source is missing or cannot be looked at, or there is no picture at all; StorageError: a
    folder cannot be read.
    """
    namer = _Namer()
    inputs: list[Input] = []
    seen: set[str] = set()
    num_not_listed = 0
    real_folder = lru_cache(maxsize=1024)(os.path.realpath)
    for source in sources:
        found: list[tuple[str, str]] = []
        for root, path, wanted in _files(source):
            folder, file = os.path.split(os.path.join(root, path))  # noqa: PTH118 - text, so that odd bytes survive
            if not wanted:
                num_not_listed += 1
            elif (full := f"{real_folder(folder)}/{file}") not in seen:
                seen.add(full)
                found.append((root, path))
        if found:
            found.sort()
            names = namer.assign(found[0][0], [path for _, path in found])
            inputs += [_input(name, *file) for name, file in zip(names, found, strict=True)]
    if not inputs:
        raise UsageError(f"no pictures in {', '.join(sources)}; suffixes: {', '.join(sorted(SUFFIXES))}")
    return Listing(inputs=tuple(sorted(inputs, key=lambda item: item.name)), num_not_listed=num_not_listed)


def local_path(location: str) -> str:
    """Return the path to open for an input's location (`PlanRow.location`)."""
    if location.startswith(_URL):
        return os.fsdecode(unquote_to_bytes(location.removeprefix(_URL)))
    return location


def _files(source: str) -> Iterator[tuple[str, str, bool]]:
    """Yield (root, path below it, whether it is to be listed) of all files of one source."""
    mode = _mode(source)
    if mode is not None and stat.S_ISDIR(mode):
        found = _walk(os.path.abspath(source), "")  # noqa: PTH100 - as above
    elif mode is not None:
        folder, file = os.path.split(os.path.abspath(source))  # noqa: PTH100
        # The person named it: its content decides, not its suffix.
        yield folder, file, True
        return
    elif glob.has_magic(source):
        found = _match(source)
    else:
        raise UsageError(f"{source}: no such file or folder")
    for root, path in found:
        yield root, path, _is_listed(path)


def _mode(source: str) -> int | None:
    """Return what a source is, or None if there is no such file; a pattern need not be a possible file name."""
    try:
        return os.stat(source).st_mode  # noqa: PTH116 - Path("") would be the working directory
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        if glob.has_magic(source):
            return None
        raise UsageError(f"{source}: {getattr(error, 'strerror', None) or error}") from error


def _match(pattern: str) -> Iterator[tuple[str, str]]:
    parts = Path(pattern).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    root = os.path.abspath(Path(*parts[:fixed]))  # noqa: PTH100
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob does not take absolute patterns
    if not found:
        raise UsageError(f"{pattern}: no file matches")
    for path in found:
        below = os.path.relpath(os.path.abspath(path), root)  # noqa: PTH100
        if not os.path.isdir(path):  # noqa: PTH112 - a name too long is no folder, not an error
            yield root, below
        elif "**" not in parts:
            # With `**` the files below are matched themselves.
            yield from _walk(root, below)


def _walk(root: str, below: str) -> Iterator[tuple[str, str]]:
    """Yield all files below a folder; links to folders after all else, and no folder twice, so that loops end."""
    visited: set[tuple[int, int]] = set()
    starts = [os.path.join(root, below) if below else root]  # noqa: PTH118
    while starts:
        links: list[str] = []
        for start in starts:
            for folder, folders, files in os.walk(start, onerror=_fail):
                if not _is_new(folder, visited):
                    folders.clear()
                    continue
                folders.sort()
                prefix = os.path.relpath(folder, root)
                prefix = "" if prefix == "." else f"{prefix}/"
                # What a hidden folder's links lead to would not be listed anyway.
                links += [
                    f"{folder}/{name}"
                    for name in folders
                    if not _is_hidden(prefix + name) and os.path.islink(f"{folder}/{name}")  # noqa: PTH114
                ]
                for file in sorted(files):
                    yield root, prefix + file
        starts = links


def _is_new(folder: str, visited: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(folder)  # noqa: PTH116
    except OSError as error:
        _fail(error)
    identity = (status.st_dev, status.st_ino)
    is_new = identity not in visited
    visited.add(identity)
    return is_new


def _fail(error: OSError) -> NoReturn:
    # A folder that cannot be read would otherwise be left out without a word.
    raise StorageError(f"{error.filename}: {error.strerror}") from error


def _is_hidden(path: str) -> bool:
    return any(part.startswith((".", "~")) or part.endswith("~") for part in path.split("/"))


def _is_listed(path: str) -> bool:
    return not _is_hidden(path) and os.path.splitext(path)[1].lower() in SUFFIXES  # noqa: PTH122


class _Namer:
    """Gives files their names; one source's files stay together behind one prefix."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._folders: set[str] = set()
        self._prefixes: dict[str, str] = {}
        self._numbers: dict[str, Iterator[int]] = {}

    def assign(self, root: str, paths: Sequence[str]) -> list[str]:
        """Return the names of files below `root`, apart from all names given before."""
        plain = list(_unique(_plain(path) for path in paths))
        for prefix in self._candidates(root):
            names = [prefix + name for name in plain]
            folders = _folders(names)
            # A file may not stand where another picture's folder stands, or extraction could not write both.
            if self._names.isdisjoint(names) and self._folders.isdisjoint(names) and self._names.isdisjoint(folders):
                break
        if prefix:
            self._prefixes[root] = prefix
        self._names.update(names)
        self._folders |= folders
        return names

    def _candidates(self, root: str) -> Iterator[str]:
        yield ""
        if root in self._prefixes:
            yield self._prefixes[root]
        base = _plain(Path(root).name) or "root"
        # Numbers go on where the last folder of this name left off: trying all of them each time would be quadratic.
        for number in self._numbers.setdefault(base, count(1)):
            yield f"{base}/" if number == 1 else f"{base}-{number}/"


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
