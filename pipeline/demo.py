"""The road from screen to archive, walked once: an executable document of how the stages meet.

Each step is what one `diptych` command does; Ray is started once for all of them. Every stage resumes, so a demo that
was interrupted goes on when it is started again.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from pipeline.base.config import load
from pipeline.base.errors import ConfigError, UsageError
from pipeline.base.progress import BarProgress, open_progress
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.sample import decode_info
from pipeline.formats.shards import read_manifest

if TYPE_CHECKING:
    from training.config import TrainConfig

HELD_OUT = "test"
STAGES = ("capture", "datagen", "train", "archive", "evaluate")


@dataclass(slots=True)
class Walk:
    """Where the demo writes, and what each step came to."""

    out: Path
    console: Console
    overrides: Sequence[str]
    """`stage.a.b=value`: changes to the presets."""
    rows: list[tuple[str, str, float]] = field(default_factory=list)

    def folder(self, name: str) -> str:
        return str(self.out / name)

    def overrides_of(self, stage: str) -> list[str]:
        """Return the changes to one stage's preset, without the stage's name."""
        return [text.removeprefix(f"{stage}.") for text in self.overrides if text.startswith(f"{stage}.")]

    @contextmanager
    def step(self, title: str) -> Iterator["Step"]:
        """Show a progress bar for one stage; its `result` and its time become a row of the summary."""
        started, step = time.monotonic(), Step(title=title)
        with open_progress(f"{title:<10}") as step.progress:
            yield step
        self.rows.append((title, step.result, time.monotonic() - started))


@dataclass(slots=True)
class Step:
    """One stage of the walk."""

    title: str
    progress: BarProgress = field(init=False)
    result: str = ""


def run(out: Path, *, photos: str | None, display: str | None, overrides: Sequence[str] = ()) -> None:
    """Walk the road in the folder `out`; prints the summary table and the report's path on stdout.

    `photos`: folder of photographs, None = scikit-image's own. `display`: X display to capture, None = start Xvfb if
    it is installed. `overrides`: `stage.a.b=value`, such as `train.steps=2000`. Raises: DiptychError.
    """
    from pipeline.cluster import connect

    walk = Walk(out=out, console=Console(stderr=True), overrides=overrides)
    for text in overrides:
        if text.partition(".")[0] not in STAGES:
            raise ConfigError(f"--set {text}: expected STAGE.KEY=VALUE with STAGE one of {', '.join(STAGES)}")
    if photos is not None and not Path(photos).is_dir():
        raise UsageError(f"{photos}: no such folder of photographs")
    _capture(walk, display)
    _datagen(walk, photos)
    walk.console.print("Starting Ray on 127.0.0.1 ...")
    with connect(num_cpus=max(os.cpu_count() or 1, _num_train_cpus(walk))):
        _train(walk)
        _archive(walk)
    _verify_and_extract(walk)
    _evaluate(walk)
    report = _report(walk)
    _print_summary(walk, report)


def _capture(walk: Walk, display: str | None) -> None:
    from datagen import capture
    from datagen.capture import PRESETS, CaptureConfig

    config = load(CaptureConfig, "demo", presets=PRESETS, overrides=["xvfb=auto", *walk.overrides_of("capture")])
    with walk.step("capture") as step:
        held = list((walk.out / "captured").glob("*.png"))
        if held:
            # Taken by an earlier start of this demo; the corpus was planned with them.
            step.result = f"{len(held)} screens, taken before"
            return
        if (walk.out / "corpus" / "plan.json").exists():
            step.result = "left out: the corpus in this folder was begun without captured screens"
            return
        try:
            summary = capture.run(config, walk.folder("captured"), display=display, progress=step.progress)
            step.result = f"{summary.num_frames} screens of display {summary.display}"
        except UsageError as error:
            # Not every machine has a display or Xvfb; the summary says so, and the road goes on without captures.
            step.result = f"left out: {error}"


def _datagen(walk: Walk, photos: str | None) -> None:
    from datagen import build
    from datagen.config import PRESETS, CorpusConfig

    overrides = walk.overrides_of("datagen")
    if photos is not None:
        overrides.append(f"photos={Path(photos).absolute()}")
    captured = walk.out / "captured"
    if any(captured.glob("*.png")):
        overrides.append(f"captured={captured.absolute()}")
    config = load(CorpusConfig, "demo", presets=PRESETS, overrides=overrides)
    with walk.step("datagen") as step:
        summary = build.run(config, walk.folder("corpus"), workers=2, progress=step.progress)
        step.result = f"{summary.num_samples} labelled screens in {summary.num_shards} shards"


def _train_config(walk: Walk) -> "TrainConfig":
    from training.config import PRESETS, TrainConfig

    return load(TrainConfig, "tiny", presets=PRESETS, overrides=walk.overrides_of("train"))


def _num_train_cpus(walk: Walk) -> int:
    config = _train_config(walk)
    return config.num_workers * config.threads_per_worker


def _train(walk: Walk) -> None:
    from training import launch

    config = _train_config(walk)
    run_folder = walk.folder("run")
    with walk.step("train") as step:
        resume = (walk.out / "run" / "config.toml").exists()
        summary = launch.run(
            config, corpus=walk.folder("corpus"), out=run_folder, resume=resume, progress=step.progress
        )
        step.result = f"{config.codec}/{config.codec_preset}, {summary.steps} steps on {config.num_workers} workers"


def _archive(walk: Walk) -> None:
    from serving import jobs
    from serving.config import PRESETS, ArchiveConfig

    pictures = _write_held_out(walk)
    config = load(ArchiveConfig, "demo", presets=PRESETS, overrides=walk.overrides_of("archive"))
    with walk.step("archive") as step:
        summary = jobs.create(
            [str(pictures)],
            walk.folder("archive"),
            config=config,
            checkpoint=str(walk.out / "run" / "final"),
            progress=step.progress,
        )
        step.result = f"{summary.num_entries} pictures in {summary.bitstream_bytes:,} bytes, {summary.bpp:.3f} bpp"


def _write_held_out(walk: Walk) -> Path:
    """Write the held-out split's pictures as the PNG files that somebody would archive."""
    folder = walk.out / "pictures"
    store, split = Store(folder), open_split(Store(walk.folder("corpus")), HELD_OUT)
    for index in range(split.num_samples):
        members = split.checked_members(index)
        info = decode_info(members["json"], where=f"{HELD_OUT} sample {index}")
        if not store.exists(f"{info.key}.png"):
            # Left alone otherwise: an archive goes on only with the very files it was begun with.
            store.write_bytes(f"{info.key}.png", members["png"])
    return folder


def _verify_and_extract(walk: Walk) -> None:
    from serving import jobs

    with walk.step("verify") as step:
        verified = jobs.verify(walk.folder("archive"), decode=True, progress=step.progress)
        step.result = f"{verified.num_verified} entries decode as promised, {len(verified.problems)} problems"
    with walk.step("extract") as step:
        extracted = jobs.extract(walk.folder("archive"), walk.folder("extracted"), names=None, progress=step.progress)
        step.result = f"{extracted.num_extracted} PNGs"


def _evaluate(walk: Walk) -> None:
    from pipeline.evaluation import evaluate
    from pipeline.evaluation.config import PRESETS, EvaluateConfig

    config = load(EvaluateConfig, "demo", presets=PRESETS, overrides=walk.overrides_of("evaluate"))
    with walk.step("evaluate") as step:
        summary = evaluate.run(
            config,
            checkpoints=[str(walk.out / "run" / "final")],
            pictures=walk.folder("corpus"),
            out=walk.folder("evaluation"),
            progress=step.progress,
        )
        step.result = f"{summary.num_pictures} pictures beside JPEG and WebP"


def _report(walk: Walk) -> Path:
    from pipeline.evaluation.report import write_report

    with walk.step("report") as step:
        step.progress.total(1)
        path = write_report(
            walk.folder("report.html"),
            corpus=walk.folder("corpus"),
            run=walk.folder("run"),
            archive=walk.folder("archive"),
            evaluation=walk.folder("evaluation"),
        )
        step.progress.advance()
        step.result = f"{Path(path).stat().st_size:,} bytes of HTML"
    return Path(path)


def _print_summary(walk: Walk, report: Path) -> None:
    console = Console()
    table = Table(title="From screen to archive")
    table.add_column("stage")
    table.add_column("result", overflow="fold")
    table.add_column("seconds", justify="right")
    for title, result, seconds in walk.rows:
        table.add_row(title, result, f"{seconds:.1f}")
    splits = read_manifest(Store(walk.folder("corpus")))["splits"]
    table.caption = "corpus: " + ", ".join(f"{name} {split['num_samples']}" for name, split in splits.items())
    console.print(table)
    console.print(f"Report: {report.absolute()}", soft_wrap=True, highlight=False)
