"""The plan of a corpus that is dealt from others: its samples in new splits and shards.

    plan.json         inputs with their digests, settings, digests of the two tables; its own digest is the plan's name
    deal.parquet      one row a sample of the inputs, in the order of the new shards: where it was, where it goes
    sources.parquet   kind, name, sha256, licence, origin, split, path, perhaps classes: one row a source
    origins/DIGEST/   plan.json, sources.parquet, config.toml of each corpus that drew samples of this one

`deal.parquet` names the plan that drew a sample (`origin`, its SHA-256) and the key that the sample had there, through
any number of splits and merges, so any sample can still be drawn again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from datagen.dataset.groups import Numbers, Rows
from datagen.dataset.origins import DEAL, PLAN, SOURCES, origin_files, origins_of
from pipeline.base.errors import UsageError
from pipeline.base.store import Store, canonical_json, sha256_hex
from pipeline.formats.encoded import CLASSES
from pipeline.formats.sample import Source, source_row
from pipeline.formats.shards import MANIFEST, read_manifest, read_parquet

FORMAT, FORMAT_VERSION = "diptych-corpus-deal", 1

SCHEMA = pa.schema(
    [
        ("split", pa.string()),
        ("shard", pa.int32()),  # number of the shard in its split
        ("key", pa.string()),
        ("input", pa.int32()),  # number of the input, as plan.json lists them
        ("input_split", pa.string()),
        ("input_index", pa.int64()),  # number of the sample in that split
        ("origin", pa.string()),  # SHA-256 of the plan that drew the sample; "" = not known
        ("origin_key", pa.string()),
        ("reason", pa.string()),  # why the sample is left out; null = it is not
        ("message", pa.string()),
    ]
)
_SOURCES_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("kind", "name", "sha256", "licence", "origin", "split", "path")]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A corpus that samples are taken from."""

    store: Store
    manifest: dict[str, Any]
    manifest_sha256: str
    prefix: str = ""
    """Put before the keys of its samples."""

    @property
    def name(self) -> str:
        """What its shards are called."""
        config: Mapping[str, Any] = self.manifest.get("config", {})
        return str(config.get("name", "corpus"))

    @property
    def label(self) -> str:
        """Its name and digest: says which corpus it is wherever it lies."""
        return f"{self.name} {self.manifest_sha256[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What becomes of the N samples of some rows."""

    splits: tuple[str, ...]
    split: Numbers
    """(N,): number of the new split in `splits`."""
    left_out: dict[int, tuple[str, str]]
    """Reason and message by sample; the others are copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """Everything that decides a dealt corpus's bytes, beside the inputs' samples."""

    name: str
    settings: dict[str, Any]
    """The verb and its options."""
    inputs: tuple[Input, ...]
    table: pa.Table
    """As SCHEMA says."""
    sources: pa.Table

    def config(self) -> dict[str, Any]:
        """Return what the manifest records as the corpus's config: settings, and each input's whole manifest."""
        inputs = [
            {"manifest_sha256": used.manifest_sha256, "key_prefix": used.prefix, "manifest": used.manifest}
            for used in self.inputs
        ]
        return {"name": self.name, **self.settings, "inputs": inputs}


def check_name(name: str) -> None:
    """Raises: UsageError: shards cannot be called so."""
    if not name or not all(char.isascii() and (char.isalnum() or char in "_-") for char in name):
        raise UsageError(f"name {name!r}: letters, digits, '_' and '-' only")


def open_inputs(stores: Sequence[Store]) -> tuple[Input, ...]:
    """Read the inputs' manifests. Raises: ShardError; UsageError: one is given twice."""
    inputs: dict[str, Input] = {}
    for store in stores:
        manifest = read_manifest(store)
        digest = sha256_hex(store.read_bytes(MANIFEST))
        if digest in inputs:
            raise UsageError(f"{store.url}: holds the same corpus as {inputs[digest].store.url}")
        inputs[digest] = Input(store=store, manifest=manifest, manifest_sha256=digest)
    return tuple(inputs.values())


def lay_out(rows: Rows, inputs: Sequence[Input], fates: Fates, *, samples_per_shard: int) -> pa.Table:
    """Return the deal's table: in each new split the samples keep the order of the inputs."""
    order = np.argsort(fates.split, kind="stable")
    per_split = np.bincount(fates.split, minlength=len(fates.splits))
    place = np.concatenate([np.arange(count) for count in per_split]) // samples_per_shard
    number = {used.store.url: place for place, used in enumerate(inputs)}
    input_of = np.asarray([number[split.store.url] for split in rows.splits])[rows.split]
    origin, origin_key = _origins(rows, inputs)
    why = [fates.left_out.get(sample, (None, None)) for sample in order.tolist()]
    columns = {
        "split": pa.array(fates.splits).take(pa.array(fates.split)),
        "key": keys(rows, inputs),
        "input": pa.array(input_of, pa.int32()),
        "input_split": pa.array([split.split for split in rows.splits]).take(pa.array(rows.split)),
        "input_index": pa.array(rows.index, pa.int64()),
        "origin": origin,
        "origin_key": origin_key,
    }
    ordered = {name: column.take(pa.array(order)) for name, column in columns.items()}
    ordered |= {
        "shard": pa.array(place, pa.int32()),
        "reason": pa.array([reason for reason, _ in why], pa.string()),
        "message": pa.array([message for _, message in why], pa.string()),
    }
    return pa.table({field.name: ordered[field.name] for field in SCHEMA}, schema=SCHEMA)


def keys(rows: Rows, inputs: Sequence[Input]) -> pa.Array:
    """Return the samples' keys, each with its input's prefix."""
    prefix = {used.store.url: used.prefix for used in inputs}
    prefixes = pa.array([prefix[split.store.url] for split in rows.splits]).take(pa.array(rows.split))
    return pc.binary_join_element_wise(prefixes, rows.table.column("key").combine_chunks(), "")


def source_table(rows: Rows, sources: Sequence[Source], fates: Fates) -> pa.Table:
    """Return `sources.parquet`: the sources of the samples that are copied; split = "" for what several splits show."""
    copied = np.ones(rows.num_samples, dtype=bool)
    copied[list(fates.left_out)] = False
    links = copied[rows.link_sample]
    source, split = rows.link_source[links], fates.split[rows.link_sample[links]]
    lowest = np.full(len(sources), len(fates.splits))
    highest = np.full(len(sources), -1)
    np.minimum.at(lowest, source, split)
    np.maximum.at(highest, source, split)
    listed = [
        source_row(sources[number]) | {"split": fates.splits[low] if low == high else "", "path": ""}
        for number, (low, high) in enumerate(zip(lowest.tolist(), highest.tolist(), strict=True))
        if high >= 0
    ]
    named = any("classes" in row for row in listed)
    return pa.Table.from_pylist(listed, schema=_SOURCES_SCHEMA.append(CLASSES) if named else _SOURCES_SCHEMA)


def begin(store: Store, deal: Deal) -> str:
    """Write the plan, or check that the one in the folder is the same; return its digest.

    Raises: UsageError: the folder holds something else.
    """
    table, sources, plan = _encode(deal)
    if store.exists(PLAN):
        found = sha256_hex(store.read_bytes(PLAN))
        if found != sha256_hex(plan):
            raise UsageError(
                f"{store.where(PLAN)}: this folder holds another corpus (plan {found[:9]}, not "
                f"{sha256_hex(plan)[:9]}); inputs, options or versions differ; choose another folder"
            )
        store.sweep()
        return found
    strangers = set(store.names()) - {SOURCES, DEAL}
    if strangers:
        raise UsageError(f"{store.url}: not empty ({min(strangers)}) and not a corpus; choose another folder")
    for used in deal.inputs:
        for name, data in origin_files(used.store).items():
            store.write_bytes(name, data)
    store.write_bytes(SOURCES, sources)
    store.write_bytes(DEAL, table)
    store.write_bytes(PLAN, plan)
    return sha256_hex(plan)


def digest(deal: Deal) -> str:
    """Return the SHA-256 that `begin` would give the plan."""
    return sha256_hex(_encode(deal)[2])


def _encode(deal: Deal) -> tuple[bytes, bytes, bytes]:
    """Return the bytes of `deal.parquet`, `sources.parquet` and `plan.json`."""
    table, sources = _parquet(deal.table), _parquet(deal.sources)
    plan = canonical_json(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "config": deal.config(),
            "deal_sha256": sha256_hex(table),
            "sources_sha256": sha256_hex(sources),
        }
    )
    return table, sources, plan


def _parquet(table: pa.Table) -> bytes:
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def _origins(rows: Rows, inputs: Sequence[Input]) -> tuple[pa.Array, pa.Array]:
    """Return (N,) digests of the plans that drew the samples, and their keys there."""
    dealt = {used.store.url: _dealt_rows(used.store) for used in inputs if used.store.exists(DEAL)}
    plans = {used.store.url: next(iter(origins_of(used.store)), "") for used in inputs if used.store.url not in dealt}
    origins, names = [], []
    start = 0
    for split in rows.splits:
        if split.store.url in dealt:
            table = dealt[split.store.url]
            table = table.filter(pc.equal(table.column("split"), split.split))
            origins.append(table.column("origin").combine_chunks())
            names.append(table.column("origin_key").combine_chunks())
        else:
            origins.append(pa.repeat(plans[split.store.url], split.num_samples))
            names.append(rows.table.column("key").slice(start, split.num_samples).combine_chunks())
        start += split.num_samples
    return pa.concat_arrays(origins), pa.concat_arrays(names)


def _dealt_rows(store: Store) -> pa.Table:
    table = read_parquet(store, DEAL, columns=["split", "origin", "origin_key", "reason"])
    return table.filter(pc.is_null(table.column("reason")))
