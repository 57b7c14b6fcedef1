"""What a finished corpus lists: its shards, their side-cars as a stream, and its table of sources."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from pipeline.base.errors import ShardError
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.encoded import CLASSES, SIDECAR_SCHEMA
from pipeline.formats.sample import Source, source_of
from pipeline.formats.shards import MANIFEST, SHARD_TABLE, read_manifest, read_parquet

SOURCES = "sources.parquet"
"""Every photograph, text and font of the corpus, if its maker wrote the table."""
MAY_BE_NULL = ("perceptual_hash", "confidence", CLASSES.name)
"""Columns of a side-car that need not say something of every sample."""
_READ_AHEAD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRow:
    """One row of the shard table."""

    stem: str
    split: str
    num_samples: int
    tar_bytes: int
    tar_sha256: str
    parquet_sha256: str
    record_sha256: str = ""
    """Of the commit record; "" in tables of older releases."""


def read_shard_table(store: Store) -> tuple[ShardRow, ...]:
    """Return a finished corpus's shards in their order. Raises: ShardError: it is not finished, or damaged."""
    manifest = read_manifest(store)
    if sha256_hex(store.read_bytes(SHARD_TABLE)) != manifest["shard_table_sha256"]:
        raise ShardError(f"{store.where(SHARD_TABLE)}: not the table that {MANIFEST} was written over")
    return to_shard_rows(read_parquet(store, SHARD_TABLE), where=store.where(SHARD_TABLE))


def to_shard_rows(table: pa.Table, *, where: str) -> tuple[ShardRow, ...]:
    """Return the rows of a shard table. Raises: ShardError: a column is missing."""
    names = [name for name in ShardRow.__dataclass_fields__ if name in table.column_names or name != "record_sha256"]
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise ShardError(f"{where}: has no column {missing[0]!r}")
    return tuple(ShardRow(**row) for row in table.select(names).to_pylist())


def sidecars(store: Store, shards: tuple[ShardRow, ...]) -> Iterator[tuple[ShardRow, pa.Table]]:
    """Yield each shard with its side-car, in order; a few are read ahead, none are kept.

    Columns that an older release did not write are null. Raises: ShardError: a side-car is damaged.
    """
    with ThreadPoolExecutor(max_workers=_READ_AHEAD) as pool:
        waiting: deque[tuple[ShardRow, Future[pa.Table]]] = deque()
        for shard in shards:
            waiting.append((shard, pool.submit(read_sidecar, store, shard.stem)))
            if len(waiting) > _READ_AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


def read_sidecar(store: Store, stem: str) -> pa.Table:
    """Return a shard's side-car in today's schema, `classes` last.

    Raises: ShardError: it is damaged, or holds something else.
    """
    name = f"{stem}.parquet"
    table = read_parquet(store, name)
    schema = SIDECAR_SCHEMA.append(CLASSES)
    for field in schema:
        if field.name not in table.column_names:
            if field.name not in MAY_BE_NULL:
                raise ShardError(f"{store.where(name)}: has no column {field.name!r}")
            table = table.append_column(field, pa.nulls(len(table), field.type))
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise ShardError(f"{store.where(name)}: not a side-car ({error})") from error


def read_sources(store: Store) -> dict[str, Source]:
    """Return the corpus's sources by digest; empty if it has no table of them. Raises: ShardError."""
    if not store.exists(SOURCES):
        return {}
    names = list(Source.__dataclass_fields__)
    table = read_parquet(store, SOURCES)
    missing = [name for name in names if name not in table.column_names and name != CLASSES.name]
    if missing:
        raise ShardError(f"{store.where(SOURCES)}: has no column {missing[0]!r}")
    rows = table.select([name for name in names if name in table.column_names]).to_pylist()
    try:
        return {row["sha256"]: source_of(row) for row in rows}
    except (TypeError, ValueError) as error:
        raise ShardError(f"{store.where(SOURCES)}: not a table of sources ({error})") from error
