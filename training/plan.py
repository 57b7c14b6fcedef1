"""What a run will read, by rank, before anything is started; refuses what would make the ranks wait for each other."""

from dataclasses import dataclass

from pipeline.base.errors import UsageError
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.shards import SHARD_TABLE, read_manifest, read_parquet
from training.config import TrainConfig
from training.order import rank_positions


@dataclass(frozen=True, slots=True, kw_only=True)
class RankPlan:
    """One rank's share of the run."""

    rank: int
    num_batches: int
    num_samples: int
    """Samples read, repeats included."""
    num_crops: int
    num_repeats: int
    """Samples read again only to equal the other ranks."""
    num_bytes: int
    """Estimated from the mean size of a sample in its tar."""


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
        ranks=tuple(_rank_plan(config, rank, tar_bytes / train.num_samples) for rank in range(config.num_workers)),
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


def _rank_plan(config: TrainConfig, rank: int, mean_bytes: float) -> RankPlan:
    positions = rank_positions(0, config.samples_per_batch, rank=rank, num_ranks=config.num_workers)
    num_samples = config.steps * len(positions)
    return RankPlan(
        rank=rank,
        num_batches=config.steps,
        num_samples=num_samples,
        num_crops=num_samples * config.crops_per_picture,
        num_repeats=config.steps * sum(repeat for _, repeat in positions),
        num_bytes=round(num_samples * mean_bytes),
    )
