"""A store: a folder of named files, on a disk or behind any fsspec URL, in which a file appears whole or not at all.

Locally a file is written under a temporary name, fsynced, renamed, and its folder fsynced; an object store's PUT is
atomic by itself. Every stage commits the same way: data first, a commit record with the data's digest last. Readers
trust what a commit record lists, nothing else.
"""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.base.errors import StorageError, UsageError
from pipeline.base.remote import Remote

TEMPORARY_PREFIX = ".tmp-"


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a local file as 64 hexadecimal digits, in constant memory."""
    with _os_errors(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical_json(value: Any) -> bytes:
    """Return `value` as UTF-8 JSON with sorted keys and a final newline: same value, same bytes."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


class Store:
    """A folder of named files. `url` is a local path or any URL that fsspec opens (memory://, s3://, ...).

    Names are relative, with "/" between folders. All methods raise StorageError when the system refuses.
    """

    def __init__(self, url: str | Path) -> None:
        self.url = str(url)
        path = self.url.removeprefix("file://")
        # fsspec writes file:// in place, under the final name; ours is the way of a local folder.
        self._local = Path(path) if "://" not in path else None
        if self._local is None:
            self._remote = Remote(self.url)

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    @property
    def absolute_url(self) -> str:
        """The URL as a process with another working directory needs it."""
        return self.url if self._local is None else str(self._local.resolve())

    def where(self, name: str) -> str:
        """Return the full path or URL of `name`, for messages and for readers of other kinds."""
        return f"{self.url.rstrip('/')}/{name}"

    def local_path(self, name: str = "") -> Path | None:
        """Return the path of `name` on this machine, or None if the store is remote."""
        return None if self._local is None else self._local / name

    def exists(self, name: str) -> bool:
        """Return whether the file `name` is there, whole."""
        with _os_errors(self.where(name)):
            if self._local is not None:
                return (self._local / name).is_file()
            return self._remote.is_file(name)

    def size(self, name: str) -> int:
        """Return the size of `name` in bytes."""
        with _os_errors(self.where(name)):
            if self._local is not None:
                return (self._local / name).stat().st_size
            return self._remote.size(name)

    def names(self, folder: str = "") -> list[str]:
        """Return the names of the files directly in `folder`, sorted; temporary files and subfolders are left out."""
        with _os_errors(self.where(folder)):
            if self._local is not None:
                base = self._local / folder
                found = [entry.name for entry in base.iterdir() if entry.is_file()] if base.is_dir() else []
            else:
                found = self._remote.names(folder)
        prefix = f"{folder.rstrip('/')}/" if folder else ""
        return sorted(prefix + name for name in found if not name.startswith(TEMPORARY_PREFIX))

    def read_bytes(self, name: str, *, start: int = 0, size: int | None = None) -> bytes:
        """Return `size` bytes of `name` from offset `start` (default: to the end); fewer if the file ends there."""
        with _os_errors(self.where(name)):
            if self._local is not None:
                with open(self._local / name, "rb") as file:
                    file.seek(start)
                    return file.read(-1 if size is None else size)
            return self._remote.read(name, start=start, size=size)

    def write_bytes(self, name: str, data: bytes) -> None:
        """Publish `data` as `name`: the file appears whole or not at all."""
        if self._local is None:
            self._remote.write(name, data)
            return
        with self.writing(name) as path, open(path, "wb") as file:
            file.write(data)

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """Give a local path to write to; it is published as `name` when the block ends without an exception."""
        with _os_errors(self.where(name)):
            folder = (self._local / name).parent if self._local is not None else Path(tempfile.gettempdir())
            _make_folder(folder)
            descriptor, text = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=folder)
            os.close(descriptor)
        temporary = Path(text)
        try:
            with _os_errors(self.where(name)):
                yield temporary
                _fsync(temporary)
                if self._local is not None:
                    # mkstemp makes files private; a published file gets what the person's umask gives.
                    temporary.chmod(0o666 & ~_umask())
                    temporary.replace(self._local / name)
                    _fsync(folder)
                else:
                    self._remote.upload(temporary, name)
        finally:
            temporary.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove `name`; it need not exist."""
        with _os_errors(self.where(name)):
            if self._local is not None:
                (self._local / name).unlink(missing_ok=True)
            else:
                self._remote.remove(name)

    def sweep(self) -> int:
        """Remove temporary files left by a killed writer, in all folders; return how many."""
        if self._local is None:
            return 0
        with _os_errors(self.url):
            leftovers = [path for path in self._local.rglob(f"{TEMPORARY_PREFIX}*") if path.is_file()]
            for path in leftovers:
                path.unlink(missing_ok=True)
        return len(leftovers)

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """Hold a lock on the folder while the block runs; remote stores have none. It leaves no file behind.

        Raises: UsageError: another process holds it; StorageError: the folder cannot be made.
        """
        if self._local is None:
            yield
            return
        with _os_errors(self.url):
            _make_folder(self._local)
            descriptor = os.open(self._local, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(f"{self.url}: another process is writing here") from error
            except OSError:
                # Some network file systems lock no folders; there the person must see to it.
                pass
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _os_errors(where: str | Path) -> Iterator[None]:
    """The one border where the operating system's errors become ours."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{where}: {error.strerror or error}") from error


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents, each one's entry on disk before this returns."""
    missing = [folder, *folder.parents]
    missing = missing[: next(i for i, path in enumerate(missing) if path.exists())]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _fsync(path.parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    # The umask can only be read by setting it; workers are processes, not threads, so nobody sees the gap.
    current = os.umask(0)
    os.umask(current)
    return current
