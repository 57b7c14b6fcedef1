"""What a run will read, by rank, before anything is started; refuses what would make the ranks wait for each other."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from pipeline.base.errors import UsageError
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.shards import SHARD_TABLE, read_manifest, read_parquet
from training.config import TrainConfig
from training.order import SampleOrder, rank_positions, rank_visits

_MAX_COUNTED = 10_000
"""Visits of all ranks that are looked at one by one, up to 0.1 ms each."""
_MAX_EPOCHS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RankPlan:
    """One rank's share of the run."""

    rank: int
    node: int
    """Of `num_nodes`, whose ranks stand together; 0 where placement is left to Ray."""
    num_batches: int
    num_samples: int
    """Samples read, repeats included."""
    num_crops: int
    num_repeats: int
    """Samples read again only to equal the other ranks."""
    num_bytes: int
    """Estimated from the mean size of a sample in its tar; nothing is read twice that fits into `cache_mib`."""
    num_shards: int
    """Tars it reads from; the expected number where a run is too long to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """The whole run's reading."""

    corpus: str
    corpus_sha256: str
    """Digest of the corpus's shard table; a run is continued on the same corpus only."""
    num_train_samples: int
    num_val_samples: int
    """0 if the run validates never."""
    samples_per_batch: int
    epochs: float
    num_shards: int
    """In the training split."""
    num_nodes: int
    """0: as Ray places the workers."""
    ranks: tuple[RankPlan, ...]

    @property
    def num_repeats(self) -> int:
        return sum(rank.num_repeats for rank in self.ranks)


def plan(config: TrainConfig, corpus: str) -> TrainPlan:
    """Return the plan of a run on the corpus folder `corpus`.

    Raises: UsageError: a split is missing or empty, or a rank would have nothing to read; ShardError: the corpus is
    damaged.
    """
    store = Store(corpus)
    train = open_split(store, config.train_split)
    val = open_split(store, config.val_split) if config.validate_every else None
    _refuse_idle_ranks(config, train, val)
    rows = read_parquet(store, SHARD_TABLE).to_pylist()
    tar_bytes = sum(row["tar_bytes"] for row in rows if row["split"] == config.train_split)
    return TrainPlan(
        corpus=corpus,
        corpus_sha256=str(read_manifest(store)["shard_table_sha256"]),
        num_train_samples=train.num_samples,
        num_val_samples=val.num_samples if val is not None else 0,
        samples_per_batch=config.samples_per_batch,
        epochs=config.steps * config.samples_per_batch / train.num_samples,
        num_shards=len(train.stems),
        num_nodes=config.num_nodes,
        ranks=tuple(
            _rank_plan(config, rank, train, tar_bytes / train.num_samples) for rank in range(config.num_workers)
        ),
    )


def _refuse_idle_ranks(config: TrainConfig, train: CorpusSplit, val: CorpusSplit | None) -> None:
    for split in (train, val):
        if split is not None and split.num_samples == 0:
            raise UsageError(f"{split.store.url}: split {split.split!r} holds no samples")
    if train.num_samples < config.num_workers:
        raise UsageError(
            f"{train.store.url}: split {train.split!r} holds {train.num_samples} samples for {config.num_workers} "
            f"workers; every worker needs one"
        )
    if config.samples_per_batch < config.num_workers:
        raise UsageError(
            f"batch_size {config.batch_size} with {config.crops_per_picture} crops a picture reads "
            f"{config.samples_per_batch} pictures a step for {config.num_workers} workers; every worker needs one"
        )


def _rank_plan(config: TrainConfig, rank: int, train: CorpusSplit, mean_bytes: float) -> RankPlan:
    positions = rank_positions(0, config.samples_per_batch, rank=rank, num_ranks=config.num_workers)
    num_samples = config.steps * len(positions)
    return RankPlan(
        rank=rank,
        # Ray numbers the workers node by node.
        node=rank * config.num_nodes // config.num_workers,
        num_batches=config.steps,
        num_samples=num_samples,
        num_crops=num_samples * config.crops_per_picture,
        num_repeats=config.steps * sum(repeat for _, repeat in positions),
        num_bytes=round(num_samples * mean_bytes),
        num_shards=_count_shards(config, rank, train, num_samples),
    )


def _count_shards(config: TrainConfig, rank: int, train: CorpusSplit, num_visits: int) -> int:
    """Return from how many tars a rank reads."""
    sizes = np.diff(train.first_index)
    if num_visits * config.num_workers <= _MAX_COUNTED:
        order = SampleOrder(num_samples=train.num_samples, seed=config.seed)
        visits = rank_visits(order, config.samples_per_batch, start=0, rank=rank, num_ranks=config.num_workers)
        indices = [visit.index for visit in islice(visits, num_visits)]
        return len(np.unique(np.searchsorted(train.first_index, indices, side="right")))
    # Of each epoch a rank reads a random part; a shard is missed if none of its samples is in any.
    epochs, part = divmod(num_visits / train.num_samples, 1 / config.num_workers)
    parts = np.asarray([1 / config.num_workers] * min(round(epochs), _MAX_EPOCHS) + [part])
    log_missed = np.log1p(-np.minimum(parts, 1 - 1e-12)).sum()
    return round(float((1 - np.exp(sizes * log_missed)).sum()))
