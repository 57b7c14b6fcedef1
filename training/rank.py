"""One rank's whole run: find the newest checkpoint, read, train, write. Knows no Ray."""

import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from pipeline.base.config import to_table
from pipeline.base.errors import TrainingError
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from training.config import TrainConfig, class_names, needs_regions
from training.data import SampleReader, read_ahead, train_batches, validation_batches
from training.loop import Ranks, Report, TrainData, fit
from training.records import append_row, cut_rows, report_row
from training.state import TrainState, fresh_state, load_state, newest_complete, prune, save_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every rank is told."""

    config: TrainConfig
    corpus: str
    corpus_sha256: str
    out: Path
    """The run's folder; every node sees it under this path."""
    trunk_weights: str = ""
    """The config's file as an absolute path: workers have a working directory of their own."""


def run_rank(job: Job, ranks: Ranks, device: torch.device) -> Iterator[Report]:
    """Train from the newest complete checkpoint in the run's folder, or from the start; yield the loop's reports.

    Rank 0 writes metrics and checkpoints before a report is yielded.
    Raises: TrainingError, CheckpointError, ShardError, StorageError.
    """
    config = job.config
    state = _start(job, ranks, device)
    writer = _Writer(job, state) if ranks.rank == 0 else None
    store = Store(job.corpus)
    names = class_names(config)
    reader = SampleReader(
        open_split(store, config.train_split),
        cache_bytes=config.cache_mib << 20,
        with_regions=needs_regions(config),
        class_names=names,
        scale_to=config.scale_to,
    )
    validation = []
    if config.validate_every:
        val_split = open_split(store, config.val_split)
        val_reader = SampleReader(val_split, cache_bytes=0, class_names=names, scale_to=config.scale_to)
        validation = validation_batches(val_reader, config, rank=ranks.rank, num_ranks=ranks.num_ranks)
    batches = train_batches(reader, config, samples_seen=state.samples_seen, rank=ranks.rank, num_ranks=ranks.num_ranks)
    with read_ahead(batches) as ready:
        data = TrainData(batches=ready, validation=validation, num_samples=reader.split.num_samples)
        for report in fit(state, config, data, ranks):
            if writer is not None:
                writer.take(report)
            yield report


def _start(job: Job, ranks: Ranks, device: torch.device) -> TrainState:
    newest = newest_complete(job.out)
    if newest is None:
        state = fresh_state(job.config, device, trunk_weights=job.trunk_weights)
    else:
        state = load_state(newest, job.config, device)
    mean_step = torch.tensor([float(state.step)], dtype=torch.float64, device=device)
    ranks.average(mean_step)
    if float(mean_step) != state.step:
        raise TrainingError(
            f"rank {ranks.rank} would go on from step {state.step}, others from another one: "
            f"is {job.out} a folder that all nodes share?"
        )
    return state


class _Writer:
    """Writes what rank 0 has to write."""

    def __init__(self, job: Job, state: TrainState) -> None:
        self._job = job
        self._state = state
        self._validation: dict[str, Any] = {}
        cut_rows(job.out, step=state.step)

    def take(self, report: Report) -> None:
        """Append the report's line; save a checkpoint if it is due."""
        row = report_row(report)
        append_row(self._job.out, row)
        if report.split == "val":
            self._validation = row
        if report.checkpoint_due:
            save_state(self._job.out, self._state, self._job.config, provenance=self._provenance(report))
            prune(self._job.out, keep=self._job.config.keep_checkpoints)

    def _provenance(self, report: Report) -> dict[str, Any]:
        row = report_row(report)
        return {
            "step": report.step,
            "samples_seen": report.samples_seen,
            "epoch": report.epoch,
            "corpus_sha256": self._job.corpus_sha256,
            "train_config": to_table(self._job.config),
            "train_metrics": row,
            "val_metrics": self._validation,
            "versions": versions(),
        }


def versions() -> dict[str, str]:
    """Return the versions of what trains; a package that is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in ("diptych", "torch", "numba", "numpy", "ray"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
