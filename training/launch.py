"""Starting a run on Ray Train; the only file that imports it.

The run's folder, on a disk that all nodes share under one path:

    config.toml         the resolved config
    plan.json           what each rank reads
    metrics.jsonl       one line a report (training.records)
    checkpoints/        the newest complete one is where a stopped run goes on (training.state)
    best/               the weights of the lowest validation loss
    final/              the weights of the last step, exported when the run has ended
    pictures/           what validations decoded (training.pictures)
    .lock               locked while a run is at work (training.folder)
    .stop               there while a run is asked to stop (training.stop)
    events.jsonl        when workers started, died, waited for storage (training.events)

Ray places the workers and restarts them; what has been learned is on disk and only there, so Ray is told of no
checkpoint and there is one answer to where a run stands.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from pipeline.base.errors import CheckpointError, DiptychError, Interrupted, MissingDependency, TrainingError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.cluster import connect
from pipeline.codecs import checkpoint
from pipeline.formats.corpus import open_split
from training.beginning import absolute, check_beginning
from training.classes import with_classes
from training.config import TrainConfig, codec_config
from training.events import EVENTS, describe, num_restarts, read_events, steps_lost, tell
from training.folder import local_folder, open_folder, sole_run
from training.interrupt import in_thread, stop_on_interrupt
from training.placement import check_nodes, num_workers, start_settings, strategy, worker_resources
from training.plan import TrainPlan, plan
from training.rank import Job, run_rank
from training.ranks import Together, process_group
from training.reading import bottleneck
from training.records import follow, read_rows
from training.state import FINAL, export, newest_complete, read_position
from training.stop import forget_stop
from training.watchers import check_watchers

_RAY_FOLDER = ".ray-train"
_MAX_FAILED_STARTS = 2
"""Times the workers' start is tried again, 180 s each (pipeline.cluster); without a limit Ray waits for ever for nodes
that are not there."""

_MAX_RESIZES = 100
"""The same of elastic runs, whose starts fail whenever a node leaves before they are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSummary:
    """How a run ended."""

    checkpoint: str
    """The exported checkpoint's folder."""
    weights_sha256: str
    steps: int
    resumed_from: int
    """Step at which this call took over; 0 for a new run."""
    samples_seen: int
    num_repeats: int
    num_skipped: int
    seconds: float
    """Wall time of this call, Ray's start included."""
    num_restarts: int
    """Times in this call that workers took over from others: one died, or the cluster shrank or grew."""
    steps_lost: int
    """Steps taken again for that, as far as metrics.jsonl had told of them."""
    happened: tuple[str, ...]
    """What led to it, and waits for the storage, in order."""
    crops_per_second: float
    """While training, over all workers; 0 if the records are gone."""
    bottleneck: str
    """What a sample cost rank 0, in milliseconds, and what the run waited for most; empty if the records are gone."""
    val_metrics: Mapping[str, Any]
    """The last validation's line of metrics.jsonl; empty without one."""


def run(config: TrainConfig, *, corpus: str, out: str, resume: bool, progress: Progress) -> TrainSummary:
    """Train a codec on a corpus; write the run's folder; return its summary.

    A caller that already uses Ray keeps its cluster. `resume` goes on from the newest complete checkpoint, with more
    steps or other workers if wished; a finished run is only summed up.
    Raises: UsageError: `out` is in use, or the corpus or the cluster cannot feed all workers; ConfigError: the run was
    started with another config; TrainingError, StorageError, CheckpointError, ShardError: the run failed; Interrupted:
    by SIGINT, and saved.
    """
    check_watchers(config)
    began = time.monotonic()
    folder = local_folder(out)
    codec_config(config)
    reading = plan(config, absolute_url(corpus))
    config = with_classes(config, open_split(Store(reading.corpus), config.train_split))
    with sole_run(folder, resume=resume):
        num_events = len(read_events(folder))
        step = open_folder(folder, config, reading)
        newest = _train(config, reading, folder, step=step, progress=progress)
        summary = _summary(folder, newest, config, resumed_from=step, events=read_events(folder)[num_events:])
        return replace(summary, seconds=time.monotonic() - began)


def _train(config: TrainConfig, reading: TrainPlan, folder: Path, *, step: int, progress: Progress) -> Path:
    """Train from `step` to the end; return the newest checkpoint."""
    num_events = len(read_events(folder))
    progress.total(config.steps)
    progress.advance(step)
    if step < config.steps:
        if step == 0:
            check_beginning(config)
        forget_stop(folder)
        job = Job(
            config=config,
            corpus=reading.corpus,
            corpus_sha256=reading.corpus_sha256,
            out=folder,
            trunk_weights=absolute(config.trunk_weights),
            init_from=absolute(config.init_from),
        )
        progress.note("starting workers")
        address = config.ray_address or None
        with (
            connect(address=address, num_cpus=num_cpus(config), settings=start_settings(config)),
            follow(folder, progress, step=step),
            stop_on_interrupt(folder, progress.note),
        ):
            _fit(job)
        forget_stop(folder)
    newest, events = newest_complete(folder), read_events(folder)[num_events:]
    if newest is None:
        raise CheckpointError(f"{folder}: the workers ended without leaving a complete checkpoint")
    reached = int(read_position(newest)["step"])
    if reached < config.steps:
        raise Interrupted(
            f"{folder}: saved at step {reached} of {config.steps}; the same with --resume goes on{_troubles(events)}"
        )
    return newest


def _troubles(events: Sequence[Mapping[str, Any]]) -> str:
    """Return such as ` (workers took over 2 times, 14 steps lost: see events.jsonl)`, or nothing."""
    times = num_restarts(events)
    return f" (workers took over {times} times, {steps_lost(events)} steps lost: see {EVENTS})" if times else ""


def absolute_url(corpus: str) -> str:
    """Return a corpus's folder as workers need it, who have a working directory of their own."""
    return corpus if "://" in corpus else str(Path(corpus).resolve())


def num_cpus(config: TrainConfig) -> int:
    """Return the CPUs that a run's workers take."""
    return config.num_workers * config.threads_per_worker


def _fit(job: Job) -> None:
    try:
        import ray
        from ray import train
        from ray.train.backend import Backend
        from ray.train.torch import TorchConfig, TorchTrainer
    except ImportError as error:
        raise MissingDependency(f"Ray Train cannot be imported ({error}); pip install 'diptych[train]'") from error

    class WithoutGroup(TorchConfig):
        """The workers make the process group themselves: Ray's listens on all interfaces (training.ranks)."""

        @property
        def backend_cls(self) -> type[Backend]:
            return Backend

    class Diary(train.UserCallback):
        """Tells the run's folder why workers ended; Ray, which restarts them, tells nobody."""

        def after_exception(self, run_context: object, worker_exceptions: dict[int, Exception]) -> None:  # noqa: ARG002
            for rank, error in sorted(worker_exceptions.items()):
                tell(job.out, "failed", why=f"worker {rank}: {_one_line(error)}")

    config = job.config
    check_nodes(ray.nodes(), config)  # type: ignore[no-untyped-call]
    scratch = job.out / _RAY_FOLDER
    # What an earlier driver left there would make Ray take the run for its own and restore it.
    shutil.rmtree(scratch, ignore_errors=True)
    trainer = TorchTrainer(
        _work,
        train_loop_config={"job": job},
        torch_config=WithoutGroup(),
        scaling_config=train.ScalingConfig(  # type: ignore[call-arg]
            # The type checker sees the class of Ray Train's first version, which knows no range.
            num_workers=num_workers(config),  # type: ignore[arg-type]
            elastic_resize_monitor_interval_s=config.resize_every_s,
            use_gpu=config.use_gpu,
            resources_per_worker=worker_resources(config),
            placement_strategy=strategy(config),
        ),
        run_config=train.RunConfig(
            name="run",
            storage_path=str(scratch),
            callbacks=[Diary()],  # type: ignore[list-item]
            # The type checker sees the class of Ray Train's first version, which lacks the limit.
            failure_config=train.FailureConfig(  # type: ignore[call-arg]
                max_failures=config.max_failures,
                controller_failure_limit=_MAX_RESIZES if config.min_workers else _MAX_FAILED_STARTS,
            ),
        ),
    )
    try:
        # On the main thread Ray would take SIGINT for itself and abort.
        in_thread(trainer.fit)
    except train.TrainingFailedError as error:
        raise _translate(error, job) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _work(told: dict[str, Any]) -> None:
    """What each worker runs; every rank reports equally often, as Ray requires."""
    # Ray takes up a report when it next polls its workers, and they wait for that: 0.2 s each. The curve is therefore
    # in metrics.jsonl, and Ray hears only of checkpoints.
    import ray
    from ray import train
    from ray.train.collective import broadcast_from_rank_zero
    from ray.train.torch import get_device

    job: Job = told["job"]
    torch.set_num_threads(job.config.threads_per_worker)
    context = train.get_context()
    ranks = Together(rank=context.get_world_rank(), num_ranks=context.get_world_size(), device=get_device())
    host: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
    with process_group(ranks, host=host, share=broadcast_from_rank_zero):
        for report in run_rank(job, ranks, ranks.device):
            if report.checkpoint_due:
                train.report({"step": report.step, "loss": report.figures.loss})


def _translate(error: Exception, job: Job) -> DiptychError:
    """Return the one error that says why the workers failed; ours are kept as they were raised."""
    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    for failure in failures.values():
        if isinstance(failure, DiptychError):
            return failure
    for rank, failure in sorted(failures.items()):
        return TrainingError(
            f"worker {rank} of {job.config.num_workers} failed: {_one_line(failure)}; run is {job.out}"
        )
    cause = getattr(error, "controller_failure", error)
    return TrainingError(f"Ray could not run the workers: {_one_line(cause)}; run is {job.out}")


def _one_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"[:300]


def _summary(
    out: Path, newest: Path, config: TrainConfig, *, resumed_from: int, events: Sequence[Mapping[str, Any]]
) -> TrainSummary:
    weights_sha256 = export(newest, out / FINAL)
    position = read_position(newest)
    rows = [row for row in read_rows(out) if row["split"] == "train"]
    # The first report holds the workers' warm-up.
    times = [row["read_ms"] + row["model_ms"] for row in rows[1:] or rows]
    batch_size = position["config"]["batch_size"]
    return TrainSummary(
        checkpoint=str(out / FINAL),
        weights_sha256=weights_sha256,
        steps=position["step"],
        resumed_from=resumed_from,
        samples_seen=position["samples_seen"],
        num_repeats=position["num_repeats"],
        num_skipped=position["num_skipped"],
        seconds=0.0,
        num_restarts=num_restarts(events),
        steps_lost=steps_lost(events),
        happened=describe(events),
        crops_per_second=1000 * batch_size * len(times) / sum(times) if sum(times) else 0.0,
        bottleneck=bottleneck(rows, config),
        val_metrics=checkpoint.read_provenance(newest)["val_metrics"],
    )
