"""A run's weights, copied out of its folder."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.base.errors import UsageError
from pipeline.codecs import checkpoint
from training.folder import CONFIG
from training.state import BEST, export, newest_complete


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """What was copied."""

    checkpoint: str
    codec: str
    step: int
    weights_sha256: str


def export_run(run: str, out: str, *, which: str = "last") -> ExportSummary:
    """Copy the weights of the run in folder `run` to a new folder `out`; the run may be at work.

    `which`: `last`, the newest complete checkpoint, or `best`, that of the lowest validation loss. Their entropy tables
    are those of the weights: both were frozen when they were saved.
    Raises: UsageError: no run, nothing saved yet, or `out` is not empty; CheckpointError, StorageError.
    """
    folder, target = Path(run), Path(out)
    if which not in ("last", "best"):
        raise UsageError(f"--which {which}: expected last or best")
    if not (folder / CONFIG).is_file():
        raise UsageError(f"{run}: no run (there is no {CONFIG})")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{out}: exists and is not an empty folder; give another one")
    source = newest_complete(folder) if which == "last" else folder / BEST
    if source is None or not (source / checkpoint.PROVENANCE).is_file():
        wanted = "checkpoint" if which == "last" else "validation"
        raise UsageError(f"{run}: the run has no complete {wanted} yet")
    weights_sha256 = export(source, target)
    # Compares the digest: a run at work may have replaced its weights meanwhile.
    checkpoint.load(target)
    provenance = checkpoint.read_provenance(target)
    return ExportSummary(
        checkpoint=out, codec=str(provenance["codec"]), step=int(provenance["step"]), weights_sha256=weights_sha256
    )
