"""The plan of a corpus, as data: what every shard holds, from which sources. Written before any pixel is drawn.

    config.toml       the resolved config; alone in saying in which folders the sources lie
    sources.parquet   kind, name, sha256, licence, origin, split, path, part, perhaps classes: one row a source
    plan.json         config, counts, versions, refused sources, digest of the table; its own digest is the plan's name

A worker needs nothing but these files, so a shard is a function of (plan, shard) on any machine that sees the sources.
Paths are relative to the folders in config.toml: the same sources elsewhere are the same plan.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.config import SPLITS, CorpusConfig
from datagen.sources import PlannedSource, RefusedSource
from datagen.sources.places import absolute, base_of, relative
from datagen.writings import Library
from pipeline.base.config import from_table, to_table, to_toml
from pipeline.base.errors import ShardError
from pipeline.base.store import Store, canonical_json, sha256_hex
from pipeline.formats.encoded import CLASSES
from pipeline.formats.sample import Source, source_of, source_row
from pipeline.formats.shards import ShardName, read_parquet

PLAN, SOURCES, CONFIG = "plan.json", "sources.parquet", "config.toml"
PAGES = "pages"
"""Folder of recorded pages, each named by its SHA-256."""
PAGE_INDEX = f"{PAGES}/index.json"
FORMAT, FORMAT_VERSION = "diptych-corpus-plan", 2

_PLACES = {"photo": "photos", "text": "texts", "code": "code", "screen": "captured"}
"""Which field of the config says where sources of a kind lie; not part of the plan's digest."""

PLACES = frozenset({*_PLACES.values(), "pages"})
"""Fields of the config that say where sources lie."""

_COLUMNS = ("kind", "name", "sha256", "licence", "origin", "split", "path", "part")
_SCHEMA = pa.schema([(name, pa.string()) for name in _COLUMNS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One unit of work: the samples `first` to `first + num_samples - 1` of a split."""

    name: ShardName
    first: int
    num_samples: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that decides a corpus's bytes."""

    config: CorpusConfig
    sources: tuple[PlannedSource, ...]
    refused: tuple[RefusedSource, ...]
    versions: dict[str, str]

    @cached_property
    def _dealt(self) -> dict[tuple[str, str], tuple[PlannedSource, ...]]:
        """The sources by (kind, split): with 10^6 of them nobody searches the list for each sample."""
        found: dict[tuple[str, str], list[PlannedSource]] = {}
        for planned in self.sources:
            found.setdefault((planned.source.kind, planned.split), []).append(planned)
        return {place: tuple(members) for place, members in found.items()}

    def photos(self, split: str) -> tuple[PlannedSource, ...]:
        """Return the photographs that only `split` may show."""
        return self._dealt.get(("photo", split), ())

    def writings(self, split: str) -> Library:
        """Return the texts and source files that only `split` may show."""
        texts = self._dealt.get(("text", split), ())
        return Library(texts=tuple(text for text in texts if text.path), code=self._dealt.get(("code", split), ()))

    def pages(self, split: str) -> tuple[PlannedSource, ...]:
        """Return the recorded pages of `split`; one sample for each configured size follows the synthesized ones."""
        return self._dealt.get(("page", split), ())

    def screens(self, split: str) -> tuple[PlannedSource, ...]:
        """Return the captured screens of `split`, in order; they come last."""
        return self._dealt.get(("screen", split), ())

    def is_synthesized(self, key: str) -> bool:
        """Return whether the sample `key` (`{split}-{index:06d}`) is drawn, not taken."""
        split, _, index = key.rpartition("-")
        return int(index) < self.config.num_samples.of(split)

    def num_samples(self, split: str) -> int:
        """Return how many samples are planned for `split`: synthesized, of pages, captured."""
        num_visited = len(self.pages(split)) * len(self.config.sizes)
        return self.config.num_samples.of(split) + num_visited + len(self.screens(split))

    def shards(self) -> list[Shard]:
        """Return all shards in their canonical order."""
        size = self.config.samples_per_shard
        return [
            Shard(
                name=ShardName(corpus=self.config.name, split=split, index=first // size),
                first=first,
                num_samples=min(size, self.num_samples(split) - first),
            )
            for split in SPLITS
            for first in range(0, self.num_samples(split), size)
        ]


def write(store: Store, plan: Plan) -> str:
    """Write the plan's files, `plan.json` last; return its SHA-256."""
    table, data = _encode(plan)
    write_config(store, plan)
    store.write_bytes(SOURCES, table)
    store.write_bytes(PLAN, data)
    return sha256_hex(data)


def settings(config: CorpusConfig) -> dict[str, Any]:
    """Return the config as a table without the fields that say where the sources lie."""
    return {name: value for name, value in to_table(config).items() if name not in PLACES}


def write_config(store: Store, plan: Plan) -> None:
    """Write where the sources lie now; all else in the file is what it was if the digest is."""
    store.write_bytes(CONFIG, to_toml(plan.config).encode())


def digest(plan: Plan) -> str:
    """Return the SHA-256 that `write` would give the plan."""
    return sha256_hex(_encode(plan)[1])


def read(store: Store) -> tuple[Plan, str]:
    """Return the plan in a corpus folder and its SHA-256. Raises: ShardError: it is damaged."""
    data = store.read_bytes(PLAN)
    where = store.where(PLAN)
    try:
        table = json.loads(data)
        if (table["format"], table["format_version"]) != (FORMAT, FORMAT_VERSION):
            raise ValueError(f"format is {table['format']} {table['format_version']}")
        expected = table["sources_sha256"]
        places = tomllib.loads(store.read_bytes(CONFIG).decode())
        given = {field: places[field] for field in PLACES if field in places}
        config = from_table(CorpusConfig, table["config"] | given, where=where)
        refused = tuple(RefusedSource(**row) for row in table["refused"])
        versions = dict(table["versions"])
    except (ValueError, TypeError, KeyError) as error:
        raise ShardError(f"{where}: not a corpus plan ({error})") from error
    if sha256_hex(store.read_bytes(SOURCES)) != expected:
        raise ShardError(f"{store.where(SOURCES)}: not the table that {PLAN} was written over")
    rows = read_parquet(store, SOURCES).to_pylist()
    bases = _bases(config)
    sources = tuple(_planned(row, bases) for row in rows)
    return Plan(config=config, sources=sources, refused=refused, versions=versions), sha256_hex(data)


def _encode(plan: Plan) -> tuple[bytes, bytes]:
    """Return the bytes of `sources.parquet` and `plan.json`."""
    bases = _bases(plan.config)
    rows = [
        source_row(planned.source)
        | {
            "split": planned.split,
            "path": relative(planned.path, bases.get(planned.source.kind, "")),
            "part": planned.part,
        }
        for planned in plan.sources
    ]
    buffer = BytesIO()
    schema = _SCHEMA.append(CLASSES) if any(planned.source.classes for planned in plan.sources) else _SCHEMA
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, compression="zstd", write_page_checksum=True)
    table = buffer.getvalue()
    shards = plan.shards()
    data = canonical_json(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "config": settings(plan.config),
            "num_samples": {split: plan.num_samples(split) for split in SPLITS},
            "num_shards": {split: sum(shard.name.split == split for shard in shards) for split in SPLITS},
            "refused": [asdict(refused) for refused in plan.refused],
            "sources_sha256": sha256_hex(table),
            "versions": plan.versions,
        }
    )
    return table, data


def _planned(row: Mapping[str, Any], bases: Mapping[str, str]) -> PlannedSource:
    source = source_of({name: row[name] for name in Source.__dataclass_fields__ if name in row})
    path = absolute(row["path"], bases.get(source.kind, ""))
    return PlannedSource(source=source, split=row["split"], path=path, part=row["part"])


def _bases(config: CorpusConfig) -> dict[str, str]:
    """Return the folder that the paths of each kind are relative to."""
    places = {kind: getattr(config, field) for kind, field in _PLACES.items()}
    return {kind: base_of(place) for kind, place in places.items() if place is not None}
