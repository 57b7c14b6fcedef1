"""What earlier examinations of files told, kept beside a corpus, so that going on with a build decodes nothing twice.

A file counts as seen while its size and time (or its ETag) are those of then. Should one change and keep both, nothing
false is made of it: whoever reads a source compares its digest with the plan's.
"""

import importlib.metadata
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.sources.examine import Examined
from datagen.sources.places import File
from datagen.sources.stated import Stated
from pipeline.base.errors import ShardError, StorageError
from pipeline.base.store import Store
from pipeline.formats.shards import read_parquet

SEEN = "sources.seen.parquet"
_VERSION = "2"
"""Raise it when an examination would tell something else of the same file."""
_SAVE_EVERY_S = 60.0
_FRESH_NS = 3_000_000_000
"""A file younger than this may change again without a change of its time."""

_TEXTS = ("kind", "file", "stamp", "name", "part", "licence", "origin")
_EXAMINED = ("sha256", "shown_sha256", "perceptual_hash", "reason", "message")
_LISTS = {"classes": "names", "class_faults": "faults"}
"""Columns of what was stated of a picture: the fields of `Stated`."""
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in (*_TEXTS, *_EXAMINED)),
        ("num_pixels", pa.int64()),
        *((name, pa.list_(pa.string())) for name in _LISTS),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One picture of a file, and what examining it told."""

    name: str
    part: str
    licence: str
    """As its container says; "" = it does not."""
    origin: str
    stated: Stated = field(default_factory=Stated)
    examined: Examined


class Seen:
    """Records by kind of examination, file and stamp; saved into `store` if there is one."""

    def __init__(self, store: Store | None = None, *, worth_s: float = 5.0) -> None:
        """What took less than `worth_s` seconds to find out is not worth a file."""
        self._store = store
        self._worth_s = worth_s
        self._made_at = time.monotonic()
        self._records: dict[tuple[str, str, str], list[Record]] = {}
        self._saved_at = time.monotonic()
        self._changed = False
        if store is not None:
            self._read(store)

    def find(self, kind: str, file: File) -> list[Record] | None:
        """Return what is known about a file as it is now, or None."""
        return self._records.get((kind, file.name, file.stamp)) if file.stamp else None

    def add(self, kind: str, file: File, records: Iterable[Record]) -> None:
        """Remember a file that was examined to its end; saves now and then."""
        if not file.stamp or _is_fresh(file):
            return
        self._records[(kind, file.name, file.stamp)] = list(records)
        self._changed = True
        if time.monotonic() - self._saved_at > _SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Write what is known into the store. Raises: StorageError."""
        self._saved_at = time.monotonic()
        if self._store is None or not self._changed or time.monotonic() - self._made_at < self._worth_s:
            return
        rows = [
            {"kind": kind, "file": file, "stamp": stamp, "name": record.name, "part": record.part}
            | {"licence": record.licence, "origin": record.origin}
            | {name: list(getattr(record.stated, part)) for name, part in _LISTS.items()}
            | asdict(record.examined)
            for (kind, file, stamp), records in self._records.items()
            for record in records
        ]
        buffer = BytesIO()
        schema = _SCHEMA.with_metadata({"version": _version()})
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, compression="zstd", write_page_checksum=True)
        self._store.write_bytes(SEEN, buffer.getvalue())
        self._changed = False

    def _read(self, store: Store) -> None:
        try:
            table = read_parquet(store, SEEN) if store.exists(SEEN) else None
        except (ShardError, StorageError):
            # It only saves time; a damaged one is as good as none.
            return
        if table is None or (table.schema.metadata or {}).get(b"version") != _version().encode():
            return
        for row in table.to_pylist():
            examined = Examined(num_pixels=row["num_pixels"], **{name: row[name] for name in _EXAMINED})
            stated = Stated(**{part: tuple(row[name]) for name, part in _LISTS.items()})
            texts = {name: row[name] for name in ("name", "part", "licence", "origin")}
            record = Record(examined=examined, stated=stated, **texts)
            self._records.setdefault((row["kind"], row["file"], row["stamp"]), []).append(record)


def _version() -> str:
    return f"{_VERSION} pillow {importlib.metadata.version('pillow')}"


def _is_fresh(file: File) -> bool:
    modified = file.stamp.split()[-1]
    return modified.isdecimal() and time.time_ns() - int(modified) < _FRESH_NS
