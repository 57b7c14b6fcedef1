"""A corpus made sample by sample from another: the same splits and shards, some members anew.

    plan.json          `format` says which stage; digest of the corpus, settings, versions, samples of each shard
    sources.parquet    as in the corpus that it was made from, and so is deal.parquet if that was dealt
    origins/DIGEST/    the plan that drew the samples, so that they can still be drawn again

Begun and gone on with like any corpus: shards with a commit record for this plan are done.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datagen.dataset.origins import DEAL, PLAN, SOURCES, origin_files, origins_of, read_plan
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.store import Store, canonical_json, sha256_hex
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.shards import MANIFEST, ShardName, ShardRecord, read_manifest, read_record

RELABELLED, REMASKED, TILED = "diptych-relabel-plan", "diptych-masks-plan", "diptych-tiles-plan"
FORMATS = (RELABELLED, REMASKED, TILED)
"""Of `plan.json`, by stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """What a stage does to a corpus."""

    format: str
    """One of FORMATS."""
    source: Store
    settings: Mapping[str, Any]
    """The stage's part of the config, by name; the checkpoint's place is nobody's business."""
    versions: Mapping[str, str]
    """What else can change the samples' bytes, such as a checkpoint's digest."""
    num_samples: Mapping[str, int] | None = None
    """Samples, and refusals that are passed on, of each shard by its stem; None: as many as the source has."""

    def splits(self) -> list[CorpusSplit]:
        """Open the source's splits. Raises: ShardError: it is damaged."""
        return [open_split(self.source, split) for split in read_manifest(self.source)["splits"]]

    def config(self) -> dict[str, Any]:
        """Return the config that the new corpus records: the source's, and the stage's in it."""
        return {**read_manifest(self.source)["config"], **self.settings}

    def all_versions(self) -> dict[str, str]:
        """Return the versions that the new corpus records."""
        return {**read_manifest(self.source)["versions"], **self.versions}


def begin(store: Store, derivation: Derivation) -> str:
    """Write what is to be done, or check that the folder was begun with the same; return the plan's digest.

    Raises: UsageError: the folder holds something else; ShardError: the source is damaged.
    """
    source = derivation.source
    table, deal = (source.read_bytes(name) if source.exists(name) else None for name in (SOURCES, DEAL))
    stems = [stem for split in derivation.splits() for stem in split.stems]
    records = {stem: committed(source, stem) for stem in stems}
    data = canonical_json(
        {
            "format": derivation.format,
            "corpus_manifest_sha256": sha256_hex(source.read_bytes(MANIFEST)),
            "config": derivation.config(),
            "versions": derivation.all_versions(),
            "num_samples": derivation.num_samples
            or {stem: record.num_samples + len(record.rejected) for stem, record in records.items()},
            "sources_sha256": None if table is None else sha256_hex(table),
            "deal_sha256": None if deal is None else sha256_hex(deal),
            "origin": None if deal is not None else next(iter(origins_of(source)), ""),
        }
    )
    if store.exists(PLAN):
        if store.read_bytes(PLAN) != data:
            raise UsageError(f"{store.where(PLAN)}: this folder holds {_held(store)}; choose another folder")
        store.sweep()
        return sha256_hex(data)
    strangers = set(store.names()) - {SOURCES, DEAL}
    if strangers:
        raise UsageError(f"{store.url}: not empty ({min(strangers)}); choose another folder")
    for name, origin in origin_files(source).items():
        store.write_bytes(name, origin)
    for name, kept in ((SOURCES, table), (DEAL, deal)):
        if kept is not None:
            store.write_bytes(name, kept)
    store.write_bytes(PLAN, data)
    return sha256_hex(data)


def is_tiled(store: Store) -> bool:
    """Return whether a corpus is made of tiles; not of one whose plan cannot be read."""
    try:
        return store.exists(PLAN) and read_plan(store)["format"] == TILED
    except ShardError:
        return False


def done(store: Store, stem: str, plan_sha256: str) -> ShardRecord | None:
    """Return the commit record of a shard that an earlier run finished for this plan, or None."""
    record = read_record(store, stem)
    return record if record is not None and record.plan_sha256 == plan_sha256 else None


def committed(source: Store, stem: str) -> ShardRecord:
    """Return the commit record of a source's shard. Raises: ShardError: it is not there."""
    record = read_record(source, stem)
    if record is None:
        raise ShardError(f"{source.where(stem)}.done.json: not there; the corpus is damaged")
    return record


def name_of(stem: str) -> ShardName:
    """Return the parts of a shard's name."""
    corpus, split, index = stem.rsplit("-", 2)
    return ShardName(corpus=corpus, split=split, index=int(index))


def _held(store: Store) -> str:
    try:
        found = json.loads(store.read_bytes(PLAN)).get("format", "unknown")
    except (ValueError, AttributeError):
        found = "a damaged plan"
    return f"something else ({found}), or the same with other inputs, settings or versions"
