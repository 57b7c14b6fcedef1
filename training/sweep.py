"""Several models of one config, a lambda each, one after another: `lambdas` of a training config.

    config.toml             the resolved config, with all lambdas
    lambda-0.0067/          a run's folder each (training.launch)

Each model is trained as a run of its own would be, so that its folder can be used, exported and gone on with alone.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.base.config import to_toml
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.cluster import connect
from training.config import TrainConfig, codec_config
from training.folder import CONFIG, begun_config, check_begun, local_folder, sole_run
from training.launch import TrainSummary, absolute_url, num_cpus, run
from training.placement import start_settings
from training.plan import plan
from training.state import newest_complete, read_position
from training.watchers import check_watchers


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSummary:
    """How the models of several lambdas ended, in their order."""

    models: tuple[TrainSummary, ...]
    lambdas: tuple[float, ...]
    seconds: float


def run_all(
    config: TrainConfig, *, corpus: str, out: str, resume: bool, progress: Progress
) -> TrainSummary | SweepSummary:
    """Train one codec, or one for each of the config's `lambdas` in folders of `out` (training.sweep).

    Ray is started once. `resume` goes on with the first model that is not finished. Raises: as `run`.
    """
    if not config.lambdas:
        return run(config, corpus=corpus, out=out, resume=resume, progress=progress)
    began = time.monotonic()
    codec_config(config)
    plan(config, absolute_url(corpus))
    check_watchers(config)
    progress.total(config.steps * len(config.lambdas))
    with open_sweep(config, local_folder(out), resume=resume) as legs, _ray_for(legs, config):
        models = tuple(
            run(leg.config, corpus=corpus, out=str(leg.out), resume=leg.resume, progress=LegProgress(progress, leg))
            for leg in legs
        )
    return SweepSummary(models=models, lambdas=config.lambdas, seconds=time.monotonic() - began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One model of a sweep."""

    config: TrainConfig
    out: Path
    resume: bool


def _ray_for(legs: Sequence[Leg], config: TrainConfig) -> AbstractContextManager[None]:
    if all(_is_finished(leg) for leg in legs):
        return nullcontext()
    return connect(address=config.ray_address or None, num_cpus=num_cpus(config), settings=start_settings(config))


def _is_finished(leg: Leg) -> bool:
    newest = newest_complete(leg.out)
    return newest is not None and int(read_position(newest)["step"]) >= leg.config.steps


@contextmanager
def open_sweep(config: TrainConfig, out: Path, *, resume: bool) -> Iterator[list[Leg]]:
    """Hold the folder `out` for one sweep while the block runs; give its models, those begun before to be resumed.

    Lambdas may be added or left out when it is resumed. Raises: UsageError, ConfigError, StorageError: as for a run.
    """
    with sole_run(out, resume=resume):
        before = begun_config(out)
        if before is not None:
            check_begun(before, config, where=str(out))
        Store(out).write_bytes(CONFIG, to_toml(config).encode())
        yield [_leg(config, out, value) for value in config.lambdas]


def _leg(config: TrainConfig, out: Path, value: float) -> Leg:
    folder = out / f"lambda-{value:g}"
    return Leg(config=replace(config, lambda_rd=value, lambdas=()), out=folder, resume=(folder / CONFIG).is_file())


class LegProgress:
    """A run's progress as a part of the whole sweep's."""

    def __init__(self, progress: Progress, leg: Leg) -> None:
        self._progress = progress
        self._name = leg.out.name

    def total(self, num_items: int) -> None:
        """Known already."""

    def advance(self, num_items: int = 1) -> None:
        self._progress.advance(num_items)

    def reject(self, reason: str, num_items: int = 1) -> None:
        self._progress.reject(reason, num_items)

    def note(self, text: str) -> None:
        self._progress.note(f"{self._name}: {text}")
