"""A corpus whose unlabelled samples get labels from a trained codec; the others keep their bytes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from datagen.config import LabelsConfig
from datagen.derived import RELABELLED, Derivation, begin, committed, done, name_of
from datagen.labeller import weights_digest
from datagen.render import label_unknown
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.encoded import EncodedSample, encode
from pipeline.formats.shards import Rejection, ShardRecord, write_manifest, write_shard

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
    assert labels.checkpoint is not None
    store = Store(out)
    derivation = Derivation(
        format=RELABELLED,
        source=Store(corpus),
        settings={"labels": {"min_confidence": labels.min_confidence}},
        versions={"labeller_sha256": weights_digest(labels.checkpoint)},
    )
    splits = derivation.splits()
    progress.total(sum(split.num_samples for split in splits))
    records: list[ShardRecord] = []
    with store.sole_writer():
        plan_sha256 = begin(store, derivation)
        for split in splits:
            for number, stem in enumerate(split.stems):
                record = done(store, stem, plan_sha256)
                if record is None:
                    items = _relabelled(split, number, labels)
                    record = write_shard(store, name_of(stem), items, plan_sha256=plan_sha256)
                records.append(record)
                progress.advance(record.num_samples)
        written = write_manifest(store, records, config=derivation.config(), versions=derivation.all_versions())
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
    yield from committed(split.store, split.stems[number]).rejected
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
