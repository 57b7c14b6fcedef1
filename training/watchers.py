"""Where a run's curves and pictures go besides its own folder: TensorBoard, Weights & Biases, MLflow.

Each is an optional package behind the same two calls; rank 0 makes them.
"""

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pipeline.base.config import to_table
from pipeline.base.errors import MissingDependency
from pipeline.base.store import Store
from training.config import TrainConfig

_PACKAGES = {"tensorboard": ("tensorboard", "watch"), "wandb": ("wandb", "wandb"), "mlflow": ("mlflow", "mlflow")}
_MLFLOW_RUN = ".mlflow-run"


class Watcher(Protocol):
    """Is told what rank 0 writes."""

    def row(self, row: Mapping[str, Any]) -> None:
        """Take one line of metrics.jsonl."""

    def picture(self, path: Path, *, step: int) -> None:
        """Take a validation's picture, a PNG."""

    def close(self) -> None:
        """Hand on what is still held."""


def check_watchers(config: TrainConfig) -> None:
    """Refuse a run whose watchers are not installed. Raises: MissingDependency."""
    for key, (package, extra) in _PACKAGES.items():
        if getattr(config, key) and importlib.util.find_spec(package) is None:
            raise MissingDependency(f"{key} = true, but {package} is not installed; pip install 'diptych[{extra}]'")


def open_watchers(config: TrainConfig, out: Path, *, step: int) -> list[Watcher]:
    """Return the watchers that the config asks for, of a run in `out` that goes on from `step`.

    Raises: MissingDependency.
    """
    check_watchers(config)
    watchers: list[Watcher] = []
    if config.tensorboard:
        watchers.append(_TensorBoard(out, step))
    if config.wandb:
        watchers.append(_WeightsAndBiases(config, out))
    if config.mlflow:
        watchers.append(_Mlflow(config, out))
    return watchers


def numbers(row: Mapping[str, Any]) -> dict[str, float]:
    """Return a line's figures by `split/name`; what is no number is left out."""
    return {
        f"{row['split']}/{name}": float(value)
        for name, value in row.items()
        if name not in ("step", "split") and isinstance(value, int | float)
    }


class _TensorBoard:
    """Event files under `tensorboard/`."""

    def __init__(self, out: Path, step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        # What a killed run told beyond its checkpoint is told again.
        self._writer = SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)

    def row(self, row: Mapping[str, Any]) -> None:
        for name, value in numbers(row).items():
            self._writer.add_scalar(name, value, row["step"])

    def picture(self, path: Path, *, step: int) -> None:
        from pipeline.formats.picture import read_picture

        pixels = read_picture(path.read_bytes(), where=str(path)).pixels
        self._writer.add_image("val/pictures", pixels, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


class _WeightsAndBiases:
    """A run of its own, continued under the same id; offline ones lie under `wandb/`."""

    def __init__(self, config: TrainConfig, out: Path) -> None:
        import wandb

        run_id = hashlib.sha256(str(out).encode()).hexdigest()[:16]
        self._wandb = wandb
        self._run = wandb.init(dir=str(out), id=run_id, name=out.name, resume="allow", config=to_table(config))
        # Steps are the run's: a continued one may tell some again, which W&B's own counter refuses.
        self._run.define_metric("*", step_metric="step")

    def row(self, row: Mapping[str, Any]) -> None:
        self._run.log({**numbers(row), "step": row["step"]})

    def picture(self, path: Path, *, step: int) -> None:
        self._run.log({"val/pictures": self._wandb.Image(str(path)), "step": step})

    def close(self) -> None:
        self._run.finish()


class _Mlflow:
    """A run in the experiment `diptych`."""

    def __init__(self, config: TrainConfig, out: Path) -> None:
        import mlflow
        from mlflow.tracking import MlflowClient

        if not mlflow.is_tracking_uri_set():  # type: ignore[no-untyped-call]
            # MLflow prefers databases, which its small package does not bring, and wants to hear that files are meant.
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
            mlflow.set_tracking_uri((out / "mlflow").as_uri())
        self._client = MlflowClient()
        self._run_id = self._begin(config, out)

    def _begin(self, config: TrainConfig, out: Path) -> str:
        noted = out / _MLFLOW_RUN
        if noted.is_file():
            run_id = noted.read_text().strip()
            self._client.update_run(run_id, status="RUNNING")
            return run_id
        found = self._client.get_experiment_by_name("diptych")
        experiment = found.experiment_id if found is not None else self._client.create_experiment("diptych")
        run_id = str(self._client.create_run(experiment, run_name=out.name).info.run_id)
        for name, value in to_table(config).items():
            self._client.log_param(run_id, name, value)
        Store(out).write_bytes(_MLFLOW_RUN, run_id.encode())
        return run_id

    def row(self, row: Mapping[str, Any]) -> None:
        for name, value in numbers(row).items():
            self._client.log_metric(self._run_id, name, value, step=row["step"])

    def picture(self, path: Path, *, step: int) -> None:  # noqa: ARG002 - the interface's
        self._client.log_artifact(self._run_id, str(path), "pictures")

    def close(self) -> None:
        self._client.set_terminated(self._run_id)
