"""A corpus whose unlabelled samples get labels from a trained codec; the others keep their bytes."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datagen.config import LabelsConfig
from datagen.dataset.origins import DEAL, PLAN, SOURCES, origin_files, origins_of
from datagen.labeller import weights_digest
from datagen.render import label_unknown
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store, canonical_json, sha256_hex
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.shards import (
    MANIFEST,
    EncodedSample,
    Rejection,
    ShardName,
    ShardRecord,
    encode,
    read_manifest,
    read_record,
    write_manifest,
    write_shard,
)

FORMAT = "diptych-relabel-plan"
UNKNOWN = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelSummary:
    """What was labelled."""

    out: str
    num_samples: int
    num_labelled: int
    mean_confidence: float | None
    rejected: dict[str, int]
    seconds: float


def run(corpus: str, out: str, *, labels: LabelsConfig, progress: Progress) -> RelabelSummary:
    """Write the corpus `corpus` to the folder `out`, its samples without labels labelled; goes on where it was stopped.

    Splits, keys and pictures stay. Raises: UsageError: `out` holds something else; ShardError: the corpus is damaged;
    CheckpointError: the checkpoint cannot label.
    """
    started = time.monotonic()
    source, store = Store(corpus), Store(out)
    manifest = read_manifest(source)
    splits = [open_split(source, split) for split in manifest["splits"]]
    progress.total(sum(split.num_samples for split in splits))
    records: list[ShardRecord] = []
    with store.sole_writer():
        plan_sha256 = _begin(store, source, manifest, labels)
        for split in splits:
            for number, stem in enumerate(split.stems):
                record = read_record(store, stem)
                if record is None or record.plan_sha256 != plan_sha256:
                    items = _relabelled(split, number, labels)
                    record = write_shard(store, _name(stem), items, plan_sha256=plan_sha256)
                records.append(record)
                progress.advance(record.num_samples)
        settings = _settings(manifest, labels)
        written = write_manifest(store, records, config=settings, versions=manifest["versions"])
    confidences = list(_confidences(store, list(written["splits"])))
    return RelabelSummary(
        out=out,
        num_samples=sum(record.num_samples for record in records),
        num_labelled=len(confidences),
        mean_confidence=sum(confidences) / len(confidences) if confidences else None,
        rejected=written["rejected"],
        seconds=time.monotonic() - started,
    )


def _relabelled(split: CorpusSplit, number: int, labels: LabelsConfig) -> Iterator[EncodedSample | Rejection]:
    """Give the samples of shard `number` of a split, and what had been refused for it."""
    yield from _record(split.store, split.stems[number]).rejected
    for index in range(int(split.first_index[number]), int(split.first_index[number + 1])):
        if split.row(index)["how_labelled"] != UNKNOWN:
            yield split.encoded(index)
            continue
        sample = split.sample(index)
        guessed = label_unknown(labels, sample.picture)
        info = replace(sample.info, how_labelled=guessed.how_labelled, details=sample.info.details | guessed.details)
        yield encode(replace(sample, info=info, label=guessed.label))


def _confidences(store: Store, splits: list[str]) -> Iterator[float]:
    for name in splits:
        split = open_split(store, name)
        for index in range(split.num_samples):
            confidence = split.row(index).get("confidence")
            if confidence is not None:
                yield confidence


def _settings(manifest: Mapping[str, Any], labels: LabelsConfig) -> dict[str, Any]:
    """Return the config of the corpus with the labels' in it; the checkpoint's place is nobody's business."""
    return {**manifest["config"], "labels": {"min_confidence": labels.min_confidence}}


def _begin(store: Store, source: Store, manifest: Mapping[str, Any], labels: LabelsConfig) -> str:
    """Write what is to be done, or check that the folder was begun with the same; return its digest."""
    assert labels.checkpoint is not None
    table, deal = (source.read_bytes(name) if source.exists(name) else None for name in (SOURCES, DEAL))
    stems = [stem for split in manifest["splits"] for stem in open_split(source, split).stems]
    records = {stem: _record(source, stem) for stem in stems}
    data = canonical_json(
        {
            "format": FORMAT,
            "corpus_manifest_sha256": sha256_hex(source.read_bytes(MANIFEST)),
            "weights_sha256": weights_digest(labels.checkpoint),
            "config": _settings(manifest, labels),
            "versions": manifest["versions"],
            "num_samples": {stem: record.num_samples + len(record.rejected) for stem, record in records.items()},
            "sources_sha256": None if table is None else sha256_hex(table),
            "deal_sha256": None if deal is None else sha256_hex(deal),
            "origin": None if deal is not None else next(iter(origins_of(source)), ""),
        }
    )
    if store.exists(PLAN):
        if store.read_bytes(PLAN) != data:
            found = json.loads(store.read_bytes(PLAN)).get("format", "unknown")
            raise UsageError(f"{store.where(PLAN)}: this folder holds something else ({found}); choose another folder")
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


def _record(source: Store, stem: str) -> ShardRecord:
    record = read_record(source, stem)
    if record is None:
        raise ShardError(f"{source.where(stem)}.done.json: not there; the corpus is damaged")
    return record


def _name(stem: str) -> ShardName:
    corpus, split, index = stem.rsplit("-", 2)
    return ShardName(corpus=corpus, split=split, index=int(index))
