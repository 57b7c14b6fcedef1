"""The run's folder: who may write there, and from which step a run goes on.

What the folder holds is listed in training.launch.
"""

import fcntl
import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.base.config import to_toml
from pipeline.base.errors import ConfigError, StorageError, UsageError
from pipeline.base.store import Store, canonical_json
from training.config import TrainConfig, check_continuation
from training.plan import TrainPlan
from training.state import newest_complete, read_position

CONFIG, PLAN, LOCK = "config.toml", "plan.json", ".lock"


def local_folder(out: str) -> Path:
    """Return the run's folder as an absolute path. Raises: UsageError: it is a URL."""
    if "://" in out:
        raise UsageError(f"{out}: a run's folder must be a path that all nodes share, not a URL")
    return Path(out).resolve()


@contextmanager
def sole_run(out: Path, *, resume: bool) -> Iterator[None]:
    """Hold the folder for one run while the block runs; make it if it is missing.

    The lock ends with the process that holds it, however that ends.
    Raises: UsageError: another run is at work there, the folder holds something else, or there is no run to resume.
    """
    # Before the lock is made as well: a folder that is refused is left as it was.
    _check_use(out, resume=resume)
    try:
        out.mkdir(parents=True, exist_ok=True)
        # A file, as network file systems lock no folders.
        descriptor = os.open(out / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StorageError(f"{out}: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"{out}: another run is at work here; wait for its end or choose another folder"
            ) from error
        except OSError as error:
            raise StorageError(f"{out / LOCK}: cannot be locked ({error.strerror or error})") from error
        _check_use(out, resume=resume)
        yield
    finally:
        os.close(descriptor)


def open_folder(out: Path, config: TrainConfig, reading: TrainPlan) -> int:
    """Compare a run that was begun in `out` with this one, write config and plan; return the step to go on from.

    Raises: ConfigError: the run was started with another config; UsageError: or on another corpus, or it is beyond
    the steps asked for; CheckpointError, StorageError.
    """
    newest = newest_complete(out)
    position = read_position(newest) if newest is not None else _begun(out)
    step = 0
    if position is not None:
        check_begun(position["config"], config, where=str(out))
        if position["corpus_sha256"] not in (None, reading.corpus_sha256):
            raise UsageError(f"{reading.corpus}: not the corpus that the run in {out} was started with")
        step = int(position["step"])
        if step > config.steps:
            raise UsageError(f"{out}: the run is at step {step}, beyond the {config.steps} steps asked for")
    store = Store(out)
    store.sweep()
    store.write_bytes(CONFIG, to_toml(config).encode())
    store.write_bytes(PLAN, canonical_json(asdict(reading)))
    return step


def _check_use(out: Path, *, resume: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file, expected a folder for the run")
    used = out.is_dir() and any(path.name != LOCK for path in out.iterdir())
    if used and not resume:
        raise UsageError(f"{out}: is not empty; add --resume to continue the run there, or choose another folder")
    if resume and not (out / CONFIG).is_file():
        raise UsageError(f"{out}: no run to resume (there is no {CONFIG})")


def begun_config(out: Path) -> dict[str, Any] | None:
    """Return the config that the run in `out` was begun with, as a table; None if there is no run.

    Raises: ConfigError: the file is damaged.
    """
    if not (out / CONFIG).is_file():
        return None
    try:
        return tomllib.loads((out / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{out / CONFIG}: not the config of a run ({error})") from error


def check_begun(before: dict[str, Any], config: TrainConfig, *, where: str) -> None:
    """Refuse to go on with one run as several of its kind, or the other way round, or under another config.

    Raises: ConfigError.
    """
    if bool(before.get("lambdas")) != bool(config.lambdas):
        kind = "for several lambdas" if before.get("lambdas") else "for one lambda"
        raise ConfigError(f"{where}: the run was started {kind}; give the same kind, or another folder")
    check_continuation(before, config, where=where)


def _begun(out: Path) -> dict[str, Any] | None:
    """Return the position of a run without a checkpoint, or None if there is no run; its corpus is None if unknown."""
    config = begun_config(out)
    return None if config is None else {"step": 0, "config": config, "corpus_sha256": _planned_corpus(out)}


def _planned_corpus(out: Path) -> str | None:
    # The plan is written after the config: a run that was killed between them has none.
    if not (out / PLAN).is_file():
        return None
    try:
        return str(json.loads((out / PLAN).read_bytes())["corpus_sha256"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{out / PLAN}: not the plan of a run ({error})") from error
