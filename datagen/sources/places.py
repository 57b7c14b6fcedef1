"""Where sources lie: folders, single files, globs and `{000..010}` ranges, on a disk or behind any URL of fsspec.

A *place* is what a person writes into the config. Its *base* is the folder that all its files lie below; a plan stores
paths relative to it, so that a folder may move. `${NAME}` in a URL is filled from the environment when it is opened and
nowhere else, so that a key reaches neither plan nor samples.
"""

import glob
import importlib.util
import itertools
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import fsspec
from fsspec.registry import known_implementations

from pipeline.base.errors import MissingDependency, StorageError, UsageError

PACKAGE = "package:"
"""Starts the stored path of a file inside an installed package."""

_BRACES = re.compile(r"(?<!\$)\{([^{}$]+)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_VARIABLE = re.compile(r"\$\{\w+\}")
_SECRET = re.compile(
    r"^(x-amz-|x-goog-|sig$|se$|sp$|sv$)|token|secret|signature|password|passwd|credential|auth|key$|^pass$"
)
_STAMPS = (
    "ETag",
    "etag",
    "md5Hash",
    "md5",
    "content_md5",
    "generation",
    "mtime",
    "LastModified",
    "last_modified",
    "created",
)
_ATTEMPTS = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a place."""

    path: str
    """Local path or URL; opens with `open_file` and `read_range`."""
    name: str
    """Relative to the place's base, with "/" between folders."""
    stamp: str
    """Changes when the file does (size and time, or an ETag); "" if nobody can tell."""


def is_remote(path: str) -> bool:
    """Return whether `path` is a URL of something else than this machine's disk."""
    return "://" in path and not path.startswith(("file://", "local://"))


def base_of(place: str) -> str:
    """Return the folder that holds all of `place`: itself, or what comes before its first file or wildcard."""
    place = _local(place)
    fixed = re.split(r"[*?[{]", place.replace("${", "\0"), maxsplit=1)[0].replace("\0", "${")
    if not is_remote(place):
        fixed = place if Path(place).exists() else fixed
        return str(Path(place) if Path(place).is_dir() else Path(fixed + "_").parent)
    is_folder = fixed == place and not _looks_like_a_file(place)
    return place.rstrip("/") if is_folder else fixed.rsplit("/", 1)[0]


def relative(path: str, base: str) -> str:
    """Return `path` as a plan stores it: relative to `base` or to an installed package; as it is if below neither."""
    if base and path.startswith(f"{base.rstrip('/')}/"):
        return path[len(base.rstrip("/")) + 1 :]
    for folder in {Path(entry).resolve() for entry in sys.path if "site-packages" in entry}:
        if path.startswith(f"{folder}{os.sep}"):
            return PACKAGE + Path(path).relative_to(folder).as_posix()
    return path


def absolute(stored: str, base: str) -> str:
    """Return where this machine finds what `relative` stored. Raises: UsageError: the package is not installed."""
    if stored.startswith(PACKAGE):
        package, _, rest = stored.removeprefix(PACKAGE).partition("/")
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise UsageError(f"{stored}: the package {package} is not installed")
        return str(Path(spec.submodule_search_locations[0]) / rest)
    if not stored or not base or "://" in stored or Path(stored).is_absolute():
        return stored
    return f"{base.rstrip('/')}/{stored}"


def without_secrets(url: str) -> str:
    """Return `url` without user, password and, if any parameter looks like a key, without its query."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    secret = any(_SECRET.search(name.lower()) for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "" if secret else parts.query, ""))


def check_place(place: str, key: str) -> None:
    """Refuse a URL that holds a password or a key in the open. Raises: UsageError."""
    open_text = _VARIABLE.sub("", place)
    if "://" not in open_text:
        return
    parts = urlsplit(open_text)
    password = parts.netloc.rpartition("@")[0].partition(":")[2]
    keys = [name for name, value in parse_qsl(parts.query) if value and _SECRET.search(name.lower())]
    if password or keys:
        raise UsageError(
            f"{without_secrets(place)}: {key} holds a {'password' if password else keys[0]}, and configs are stored "
            "with what they make; write ${NAME} in its place and set NAME in the environment"
        )


def list_files(place: str, key: str) -> list[File]:
    """Return the files of `place` in the order of their names. Raises: UsageError: nothing there; StorageError."""
    check_place(place, key)
    place = _local(place)
    base = base_of(place)
    found: dict[str, File] = {}
    for pattern in _expand_braces(place):
        files = list(_list_remote(pattern, base)) if is_remote(pattern) else list(_list_local(pattern, base))
        if not files and pattern != place:
            raise UsageError(f"{without_secrets(pattern)}: no such file ({key})")
        found.update((file.path, file) for file in files)
    if not found:
        missing = not is_remote(place) and not glob.has_magic(place) and not Path(place).exists()
        raise UsageError(f"{without_secrets(place)}: {'no such folder' if missing else 'holds no files'} ({key})")
    return sorted(found.values(), key=lambda file: file.name)


def open_file(path: str) -> IO[bytes]:
    """Open `path` for reading and seeking; a remote file is read in blocks as it is needed. Raises: StorageError."""
    if not is_remote(path):
        with _errors(path):
            return open(path, "rb")
    system, inner = _system(path)
    with _errors(path):
        opened: IO[bytes] = system.open(inner, "rb", cache_type="readahead", block_size=4 << 20)
        return opened


def read_range(path: str, offset: int = 0, size: int | None = None) -> bytes:
    """Return `size` bytes of `path` from `offset` (default: all). Raises: OSError: local; StorageError: remote."""
    if not is_remote(path):
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read(-1 if size is None else size)
    system, inner = _system(path)
    end = None if size is None else offset + size
    data = _again(path, lambda: bytes(system.cat_file(inner, start=offset if size is not None else None, end=end)))
    # A server that knows no ranges sends the whole file.
    return data if size is None or len(data) <= size else data[offset:end]


def fill_in(path: str) -> str:
    """Return `path` with every `${NAME}` taken from the environment. Raises: UsageError: one is not set."""
    filled = os.path.expandvars(path) if "://" in path else path
    left = _VARIABLE.search(filled)
    if left and "://" in path:
        raise UsageError(f"{without_secrets(path)}: the environment has no {left.group()[2:-1]}")
    return filled


def _local(place: str) -> str:
    return place.removeprefix("file://").removeprefix("local://") or "/"


def _looks_like_a_file(place: str) -> bool:
    return bool(Path(urlsplit(place).path).suffix) and not place.endswith("/")


def _expand_braces(pattern: str) -> list[str]:
    """Return `a{0..2}.tar` as a0.tar, a1.tar, a2.tar, and `{x,y}` as x and y; digits keep their width."""
    match = _BRACES.search(pattern)
    if match is None or (not is_remote(pattern) and Path(pattern).exists()):
        return [pattern]
    span = _RANGE.fullmatch(match.group(1))
    if span:
        first, last = span.groups()
        choices = [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
    else:
        choices = match.group(1).split(",")
    head, tail = pattern[: match.start()], pattern[match.end() :]
    return list(itertools.chain.from_iterable(_expand_braces(head + choice + tail) for choice in choices))


def _list_local(pattern: str, base: str) -> Iterator[File]:
    path = Path(pattern)
    if path.is_dir():
        paths = [entry for entry in path.rglob("*") if entry.is_file()]
    elif path.is_file():
        paths = [path]
    else:
        paths = list(Path(base).glob(pattern.removeprefix(base).lstrip("/")))
        paths = [inner for entry in paths for inner in (entry.rglob("*") if entry.is_dir() else [entry])]
    for entry in paths:
        with _errors(str(entry)):
            if entry.is_file():
                stat = entry.stat()
                stamp = f"{stat.st_size} {stat.st_mtime_ns}"
                yield File(path=str(entry), name=entry.relative_to(base).as_posix(), stamp=stamp)


def _list_remote(pattern: str, base: str) -> Iterator[File]:
    system, inner = _system(pattern)

    def entries() -> dict[str, dict[str, Any]]:
        if "*" in inner or "[" in inner:
            return dict(system.glob(inner, detail=True))
        info = dict(system.info(inner)) if _looks_like_a_file(pattern) else {"type": "directory"}
        return dict(system.find(inner, detail=True)) if info["type"] == "directory" else {inner: info}

    try:
        listed = _again(pattern, entries)
    except FileNotFoundError:
        return
    inner_base = str(_system(base)[1]).rstrip("/")
    for name, info in sorted(listed.items()):
        if info.get("type", "file") != "file":
            continue
        short = str(name).removeprefix(inner_base).lstrip("/")
        stamp = " ".join(f"{part}={info[part]}" for part in _STAMPS if info.get(part))
        # A signed address has a query of its own, which the listing shows filled in.
        path = pattern if name == inner else f"{base.rstrip('/')}/{short}"
        yield File(path=path, name=short.split("?")[0], stamp=f"{info.get('size')} {stamp}" if stamp else "")


def _system(path: str) -> tuple[Any, str]:
    """Return the fsspec file system of `path` and the path inside it."""
    protocol = path.split("://")[0].split("::")[0]
    try:
        system, inner = fsspec.core.url_to_fs(fill_in(path))
    except ImportError as error:
        hint = known_implementations.get(protocol, {}).get("err", str(error))
        raise MissingDependency(f"{without_secrets(path)}: {protocol}:// is not installed ({hint})") from error
    except ValueError as error:
        raise UsageError(f"{without_secrets(path)}: {error}") from error
    return system, str(inner)


def _again(path: str, action: Callable[[], T]) -> T:
    """Try a network action a few times. Raises: FileNotFoundError: at once; StorageError: the last try failed."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return action()
        except _network_errors() as error:
            if _is_missing(error):
                raise
            if attempt == _ATTEMPTS:
                raise StorageError(f"{without_secrets(path)}: {_said(error, path)}") from error
            time.sleep(0.2 * 4**attempt)
    raise AssertionError("unreachable")


@contextmanager
def _errors(path: str) -> Iterator[None]:
    try:
        yield
    except _network_errors() as error:
        raise StorageError(f"{without_secrets(path)}: {_said(error, path)}") from error


def _network_errors() -> tuple[type[BaseException], ...]:
    # aiohttp's errors are not OSErrors; it is loaded only where http:// is read.
    client_error = getattr(sys.modules.get("aiohttp"), "ClientError", None)
    return (OSError,) if client_error is None else (OSError, client_error)


def _is_missing(error: BaseException) -> bool:
    # fsspec's HTTP says "not found" of whatever fails; what did is the cause.
    cause = error.__cause__
    refused = isinstance(cause, _network_errors()) and getattr(cause, "status", None) not in (None, 404, 410)
    unreachable = isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
    return isinstance(error, FileNotFoundError) and not refused and not unreachable


def _said(error: BaseException, path: str) -> str:
    """Return an error's text without the address it was about, which may hold what was filled in."""
    error = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error
    status = getattr(error, "status", None)
    if status:
        return f"the server answered {status}"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).replace(fill_in(path), without_secrets(path))
