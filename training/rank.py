"""One rank's whole run: find the newest checkpoint, read, train, write. Knows no Ray."""

import platform
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch

from pipeline.base.config import to_table
from pipeline.base.errors import TrainingError
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from training.config import TrainConfig, class_names, needs_regions
from training.data import validation_batches
from training.events import patiently, tell
from training.loop import Report, TrainData, fit
from training.pictures import write_grid
from training.ranks import Ranks
from training.reading import BatchStream, open_batches
from training.records import append_row, cut_rows, read_rows, report_row
from training.samples import SampleReader
from training.state import (
    TrainState,
    fresh_state,
    frozen_digest,
    load_state,
    newest_complete,
    prune,
    save_best,
    save_state,
)
from training.stop import StopWish
from training.watchers import open_watchers


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
    init_from: str = ""
    """The same."""


def run_rank(job: Job, ranks: Ranks, device: torch.device) -> Iterator[Report]:
    """Train from the newest complete checkpoint in the run's folder, or from the start; yield the loop's reports.

    Rank 0 writes metrics and checkpoints before a report is yielded.
    Raises: TrainingError, CheckpointError, ShardError, StorageError.
    """
    config = job.config
    state = _start(job, ranks, device)
    writer = _Writer(job, state, ranks) if ranks.rank == 0 else None
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
    place = {"samples_seen": state.samples_seen, "rank": ranks.rank, "num_ranks": ranks.num_ranks}
    with open_batches(reader, config, **place) as batches:
        data = TrainData(batches=batches, validation=validation, num_samples=reader.split.num_samples)
        # One rank looks, all are told: they must take the same last step.
        wish = {"should_stop": StopWish(job.out)} if ranks.rank == 0 else {}
        try:
            for report in fit(state, config, data, ranks, **wish):
                if report.checkpoint_due:
                    _check_equal(state, ranks)
                if writer is not None:
                    writer.take(report, batches)
                yield report
        finally:
            if writer is not None:
                writer.close()


def _start(job: Job, ranks: Ranks, device: torch.device) -> TrainState:
    newest = newest_complete(job.out)
    if newest is None:
        state = fresh_state(job.config, device, trunk_weights=job.trunk_weights, init_from=job.init_from)
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


def _check_equal(state: TrainState, ranks: Ranks) -> None:
    """Refuse to go on with weights or entropy tables that differ between ranks: what is saved would be one rank's.

    Raises: TrainingError: the same on all ranks.
    """
    if ranks.num_ranks == 1:
        return
    digest = torch.tensor(list(frozen_digest(state)), dtype=torch.float64, device=state.codec.device)
    mean = digest.clone()
    ranks.average(mean)
    # All are equal to the mean, or one of them is not; that one must not leave the others waiting for it.
    differs = torch.tensor([float(not torch.equal(mean, digest))], dtype=torch.float64, device=state.codec.device)
    ranks.average(differs)
    if float(differs):
        raise TrainingError(
            f"step {state.step}: the ranks' weights or entropy tables differ (seen by rank {ranks.rank})"
        )


class _Writer:
    """Writes what rank 0 has to write."""

    def __init__(self, job: Job, state: TrainState, ranks: Ranks) -> None:
        self._job = job
        self._state = state
        self._validation: dict[str, Any] = {}
        self._write_seconds = 0.0
        self._cpu_seconds = process_time()
        self._last_step = state.step
        self._versions = versions()
        self._revision = revision(Path(__file__).parent)
        told = max((int(row["step"]) for row in read_rows(job.out)), default=0)
        self._patiently(lambda: cut_rows(job.out, step=state.step))
        lost = max(0, told - state.step)
        tell(job.out, "started", step=state.step, num_workers=ranks.num_ranks, steps_lost=lost)
        self._watchers = open_watchers(job.config, job.out, step=state.step)

    def close(self) -> None:
        """End what watches; the run may go on later."""
        for watcher in self._watchers:
            watcher.close()

    def take(self, report: Report, batches: BatchStream) -> None:
        """Append the report's line and show it; save a checkpoint if it is due, and the best weights."""
        began = perf_counter()
        row = report_row(report)
        if report.split == "train":
            row |= batches.take_costs() | self._take_times(report.step)
        self._patiently(lambda: append_row(self._job.out, row))
        for watcher in self._watchers:
            watcher.row(row)
        if report.shown:
            self._patiently(lambda: self._show(report))
        if report.split == "val":
            self._validation = row
        if report.best:
            self._patiently(lambda: self._save(report, save_best))
        if report.checkpoint_due:
            self._patiently(lambda: self._save(report, save_state))
            self._patiently(lambda: prune(self._job.out, keep=self._job.config.keep_checkpoints))
        self._write_seconds += perf_counter() - began

    def _patiently(self, write: Callable[[], object]) -> None:
        patiently(write, self._job.out, patience_s=self._job.config.storage_patience_s)

    def _save(self, report: Report, save: Callable[..., object]) -> None:
        save(self._job.out, self._state, self._job.config, provenance=self._provenance(report))

    def _show(self, report: Report) -> None:
        path = write_grid(self._job.out, report.shown, step=report.step)
        for watcher in self._watchers:
            watcher.picture(path, step=report.step)

    def _take_times(self, step: int) -> dict[str, float]:
        """Return the milliseconds a step, since the last line, of writing and of this process's CPU.

        The last line's own writing is counted here.
        """
        num_steps, self._last_step = max(1, step - self._last_step), step
        seconds, self._write_seconds = self._write_seconds, 0.0
        now = process_time()
        cpu_seconds, self._cpu_seconds = now - self._cpu_seconds, now
        return {"write_ms": 1000 * seconds / num_steps, "cpu_ms": 1000 * cpu_seconds / num_steps}

    def _provenance(self, report: Report) -> dict[str, Any]:
        found: dict[str, Any] = {
            "step": report.step,
            "samples_seen": report.samples_seen,
            "epoch": report.epoch,
            "corpus_sha256": self._job.corpus_sha256,
            "train_config": to_table(self._job.config),
            "val_metrics": self._validation,
            "versions": self._versions,
            **self._revision,
        }
        return found if report.split == "val" else found | {"train_metrics": report_row(report)}


def revision(folder: Path) -> dict[str, Any]:
    """Return the git revision of the sources in `folder`, and whether they were changed since; {} outside of git."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    try:
        # An installed package may lie in somebody's repository without being part of it.
        git("ls-files", "--error-unmatch", "rank.py")
        return {"git_revision": git("rev-parse", "HEAD"), "git_changed": bool(git("status", "--porcelain", "--", "."))}
    except (OSError, subprocess.SubprocessError):
        return {}


def versions() -> dict[str, str]:
    """Return the versions of what trains; a package that is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in ("diptych", "torch", "numba", "numpy", "ray"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
