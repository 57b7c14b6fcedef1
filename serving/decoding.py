"""Decoding an archive's entries with the archive's own weights; shared by verification and extraction."""

import errno
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.base.errors import (
    ArchiveError,
    CheckpointError,
    CorruptBitstream,
    DiptychError,
    MissingDependency,
    ReconstructionMismatch,
    StorageError,
    TruncatedBitstream,
    UnsupportedBitstream,
)
from pipeline.base.store import Store
from pipeline.formats.archive import read_bitstream
from pipeline.formats.archive_index import Entry
from pipeline.formats.archive_records import Problem, weights_name
from pipeline.formats.bitstream import unpack
from pipeline.formats.picture import Pixels

if TYPE_CHECKING:
    from pipeline.codecs.checkpoint import LoadedCodec

_REASONS: tuple[tuple[type[DiptychError], str], ...] = (
    (TruncatedBitstream, "truncated_bitstream"),
    (CorruptBitstream, "corrupt_bitstream"),
    (UnsupportedBitstream, "unsupported_bitstream"),
    (ReconstructionMismatch, "reconstruction_mismatch"),
    (CheckpointError, "weights_unusable"),
    (ArchiveError, "misplaced_bitstream"),
    (StorageError, "unreadable"),
)
_OWN_FAULT = {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EISDIR}
"""Why a file system refuses one file and not the next: its name."""


class Decoder:
    """Decodes entries of one archive; loads each weights file once."""

    def __init__(self, url: str) -> None:
        self._store = Store(url)
        self._loaded: dict[bytes, LoadedCodec] = {}

    def decode(self, entry: Entry) -> Pixels:
        """Return the picture (H, W, C). Raises: BitstreamError, ArchiveError, CheckpointError, StorageError."""
        from pipeline.codecs.coding import decompress_picture
        from pipeline.codecs.threads import torch_threads

        data = read_bitstream(self._store, entry)
        digest = unpack(data, where=entry.name).weights_digest
        if digest not in self._loaded:
            self._loaded[digest] = self._load(digest)
        # More threads wait for one another more than they help; `workers` is the way to use more cores.
        with torch_threads(1):
            return decompress_picture(self._loaded[digest], data, where=entry.name)

    def _load(self, digest: bytes) -> "LoadedCodec":
        from pipeline.codecs.checkpoint import load

        names = [name for name in self._store.names("weights") if name.startswith(f"weights/{digest.hex()}")]
        if not names:
            raise CheckpointError(f"{self._store.url}: no weights file for {digest.hex()}...")
        path = self._store.local_path(names[0])
        if path is not None:
            loaded = load(path)
        else:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / "weights.safetensors"
                copy.write_bytes(self._store.read_bytes(names[0]))
                loaded = load(copy)
        if weights_name(loaded.weights_sha256) != names[0]:
            raise CheckpointError(f"{self._store.where(names[0])}: its sha256 is {loaded.weights_sha256[:16]}...")
        return loaded


def open_decoder(url: str) -> Decoder:
    """Return a decoder for the archive at `url`. Raises: MissingDependency: torch is not installed."""
    try:
        import torch  # noqa: F401 - looked for here, so that the error names what to install
    except ModuleNotFoundError as error:
        raise MissingDependency("decoding needs torch; pip install 'diptych[codecs]'") from error
    return Decoder(url)


def as_problem(name: str, error: DiptychError) -> Problem:
    """Return what an entry could not be read for, as a problem to report."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return Problem(where=name, reason=reason, message=str(error))
    raise error


def as_write_problem(name: str, error: StorageError) -> Problem:
    """Return what a picture could not be written for. Raises it again if it is not this picture's own fault."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in _OWN_FAULT:
        return Problem(where=name, reason="bad_name", message=str(error))
    raise error
