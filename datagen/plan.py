"""The plan of a corpus, as data: what every shard holds, from which sources. Written before any pixel is drawn.

    config.toml       the resolved config; alone in saying in which folders the sources lie
    sources.parquet   kind, name, sha256, licence, origin, split, path, part: one row a source
    plan.json         config, counts, versions, refused sources, digest of the table; its own digest is the plan's name

A worker needs nothing but these files, so a shard is a function of (plan, shard) on any machine that sees the sources.
Paths are relative to the folders in config.toml: the same sources elsewhere are the same plan.
"""

import importlib.metadata
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.config import SPLITS, CorpusConfig
from datagen.font_search import SYSTEM, typefaces
from datagen.fonts import font_sources
from datagen.labeller import weights_digest
from datagen.scripts import languages_of, words_in
from datagen.settings import check_settings
from datagen.sources import (
    Found,
    PlannedSource,
    RefusedSource,
    Seen,
    deal_by_hash,
    deal_in_order,
    find_captured,
    find_code,
    find_photos,
    find_texts,
)
from datagen.sources.places import absolute, base_of, is_remote, relative
from datagen.writings import Library
from pipeline.base.config import from_table, to_table, to_toml
from pipeline.base.errors import ShardError
from pipeline.base.progress import Progress
from pipeline.base.store import Store, canonical_json, sha256_file, sha256_hex
from pipeline.formats.sample import Source
from pipeline.formats.shards import ShardName, read_parquet

PLAN, SOURCES, CONFIG = "plan.json", "sources.parquet", "config.toml"
PAGES = "pages"
"""Folder of recorded pages, each named by its SHA-256."""
PAGE_INDEX = f"{PAGES}/index.json"
FORMAT, FORMAT_VERSION = "diptych-corpus-plan", 2

_DISTRIBUTIONS = ("diptych", "imagecodecs", "numpy", "opencv-python-headless", "pillow", "scikit-image")
"""What can change a sample's bytes; another version is another plan."""
_TAKEN_ONLY_WEIGHTS = {"train": 8, "val": 1, "test": 1}

_PLACES = {"photo": "photos", "text": "texts", "code": "code", "screen": "captured"}
"""Which field of the config says where sources of a kind lie; not part of the plan's digest."""

PLACES = frozenset({*_PLACES.values(), "pages"})
"""Fields of the config that say where sources lie."""

_SOURCE = ("kind", "name", "sha256", "licence", "origin")
_COLUMNS = (*_SOURCE, "split", "path", "part")
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


def make(
    config: CorpusConfig,
    *,
    seen: Seen | None = None,
    pages: Found | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Look for the sources and decide who gets what; draws nothing and writes nothing but what was `seen`.

    `pages` are those that were recorded (datagen.pages).

    Raises: UsageError: a folder is missing or holds no usable picture; ConfigError: a scene that does not exist.
    """
    check_settings(config)
    config = _anywhere(config)
    weights = {split: config.num_samples.of(split) for split in SPLITS}
    sources: list[PlannedSource] = []
    refused: list[RefusedSource] = []
    if config.num_samples.total:
        for found in _found(config, seen, progress):
            sources += deal_by_hash(found.sources, weights, seed=config.seed)
            refused += found.refused
        sources += [
            PlannedSource(source=words_in(language, split).source, split=split, path="")
            for split in SPLITS
            for language in languages_of(config.scripts)
            if weights[split]
        ]
        families = typefaces(config.fonts).families
        sources += [PlannedSource(source=source, split="", path="") for source in font_sources(families)]
    if pages is not None:
        sources += _deal_runs(pages, weights if config.num_samples.total else _TAKEN_ONLY_WEIGHTS)
        refused += (replace(page, is_picture=True) for page in pages.refused)
    if config.captured is not None:
        near_bits = config.quality.near_duplicate_bits
        screens = find_captured(config.captured, near_bits=near_bits, seen=seen, progress=progress)
        sources += _deal_runs(screens, weights if config.num_samples.total else _TAKEN_ONLY_WEIGHTS)
        refused += (replace(screen, is_picture=True) for screen in screens.refused)
    return Plan(config=config, sources=tuple(sources), refused=tuple(refused), versions=_versions(config))


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
        asdict(planned.source)
        | {
            "split": planned.split,
            "path": relative(planned.path, bases.get(planned.source.kind, "")),
            "part": planned.part,
        }
        for planned in plan.sources
    ]
    buffer = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), buffer, compression="zstd", write_page_checksum=True)
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
    source = Source(**{name: row[name] for name in _SOURCE})
    path = absolute(row["path"], bases.get(source.kind, ""))
    return PlannedSource(source=source, split=row["split"], path=path, part=row["part"])


def _bases(config: CorpusConfig) -> dict[str, str]:
    """Return the folder that the paths of each kind are relative to."""
    places = {kind: getattr(config, field) for kind, field in _PLACES.items()}
    return {kind: base_of(place) for kind, place in places.items() if place is not None}


def _anywhere(config: CorpusConfig) -> CorpusConfig:
    """Return the config with absolute paths, which hold for workers in other folders."""
    fields = PLACES if config.fonts == SYSTEM else {*PLACES, "fonts"}
    places = {field: getattr(config, field) for field in fields}
    local = {field: place for field, place in places.items() if place is not None and not is_remote(place)}
    found: dict[str, Any] = {
        field: str(Path(place.removeprefix("file://")).absolute()) for field, place in local.items()
    }
    return replace(config, **found)


def _found(config: CorpusConfig, seen: Seen | None, progress: Progress | None) -> Iterator[Found]:
    """Give the photographs, texts and source files, those that are asked for."""
    yield find_photos(config.photos, licence=config.photo_licence, seen=seen, progress=progress)
    if config.texts is not None:
        yield find_texts(config.texts, covers=typefaces(config.fonts).covers, seen=seen, progress=progress)
    if config.code is not None:
        yield find_code(config.code, seen=seen, progress=progress)


def _deal_runs(found: Found, weights: dict[str, int]) -> tuple[PlannedSource, ...]:
    # Neighbouring frames, and pages of one site, look alike, so each split gets a run of them. One or two go to the
    # largest splits.
    ranked = sorted(SPLITS, key=lambda split: -weights[split])
    served = set(ranked[: len(found.sources)])
    return deal_in_order(found.sources, {split: weights[split] if split in served else 0 for split in SPLITS})


def _versions(config: CorpusConfig) -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in _DISTRIBUTIONS}
    if config.masks.sam_checkpoint is not None:
        versions["sam_checkpoint_sha256"] = sha256_file(Path(config.masks.sam_checkpoint))
    if config.labels.checkpoint is not None and config.captured is not None:
        versions["labeller_sha256"] = weights_digest(config.labels.checkpoint)
    if config.pages is not None or config.renderers.get("browser", 0) > 0:
        # Imported here: it needs playwright, and starts a browser.
        from datagen.pages import chromium_version

        versions["chromium"] = chromium_version()
    return versions
