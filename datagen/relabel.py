"""A corpus whose unlabelled samples get labels from a trained codec; the others keep their bytes."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from datagen.config import LabelsConfig
from datagen.labeller import weights_digest
from datagen.render import label_unknown
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store, canonical_json, sha256_hex
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.shards import (
    MANIFEST,
    EncodedSample,
    ShardName,
    ShardRecord,
    encode,
    read_manifest,
    read_record,
    write_manifest,
    write_shard,
)

PLAN = "plan.json"
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
        plan_sha256 = _begin(store, source, labels)
        for split in splits:
            for number, stem in enumerate(split.stems):
                record = read_record(store, stem)
                if record is None or record.plan_sha256 != plan_sha256:
                    items = _relabelled(split, number, labels)
                    record = write_shard(store, _name(stem), items, plan_sha256=plan_sha256)
                records.append(record)
                progress.advance(record.num_samples)
        written = write_manifest(
            store, records, config=manifest["config"] | {"labels": asdict(labels)}, versions=manifest["versions"]
        )
    confidences = list(_confidences(store, list(written["splits"])))
    return RelabelSummary(
        out=out,
        num_samples=sum(record.num_samples for record in records),
        num_labelled=len(confidences),
        mean_confidence=sum(confidences) / len(confidences) if confidences else None,
        rejected=manifest["rejected"],
        seconds=time.monotonic() - started,
    )


def _relabelled(split: CorpusSplit, number: int, labels: LabelsConfig) -> Iterator[EncodedSample]:
    """Give the samples of shard `number` of a split."""
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


def _begin(store: Store, source: Store, labels: LabelsConfig) -> str:
    """Write what is to be done, or check that the folder was begun with the same; return its digest."""
    assert labels.checkpoint is not None
    data = canonical_json(
        {
            "format": FORMAT,
            "corpus_manifest_sha256": sha256_hex(source.read_bytes(MANIFEST)),
            "weights_sha256": weights_digest(labels.checkpoint),
            "min_confidence": labels.min_confidence,
        }
    )
    if store.exists(PLAN):
        if store.read_bytes(PLAN) != data:
            found = json.loads(store.read_bytes(PLAN)).get("format", "unknown")
            raise UsageError(f"{store.where(PLAN)}: this folder holds something else ({found}); choose another folder")
        store.sweep()
    elif store.names():
        raise UsageError(f"{store.url}: not empty ({store.names()[0]}); choose another folder")
    else:
        store.write_bytes(PLAN, data)
    return sha256_hex(data)


def _name(stem: str) -> ShardName:
    corpus, split, index = stem.rsplit("-", 2)
    return ShardName(corpus=corpus, split=split, index=int(index))
