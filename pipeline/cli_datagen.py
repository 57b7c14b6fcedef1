"""The verbs that make corpora: `datagen`, `capture`, `import`, `label`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli_options import ConfigArgument, JsonOption, OutOption, PlanOption, SetOption, show

if TYPE_CHECKING:
    from datagen.build import BuildSummary, Workers
    from datagen.config import CorpusConfig

Engine = Literal["local", "ray"]

_ALL_CPUS = os.cpu_count() or 1

WorkersOption = Annotated[int, typer.Option(min=1, help="Processes, or CPUs of a Ray cluster that is started.")]
EngineOption = Annotated[Engine, typer.Option(help="Processes of this machine, or tasks on a Ray cluster.")]
AddressOption = Annotated[
    str | None,
    typer.Option("--ray-address", help="A running Ray cluster, HOST:PORT; default: $RAY_ADDRESS, or a new one."),
]
LabellerOption = Annotated[
    str | None, typer.Option("--checkpoint", help="Checkpoint whose segmentation head labels the pictures.")
]
ConfidenceOption = Annotated[
    float, typer.Option(min=0.5, max=1, help="Pixels that the labeller is less sure of become 255.")
]


def datagen(
    config: ConfigArgument,
    out: OutOption,
    *,
    photos: Annotated[
        str | None,
        typer.Option(help="Photographs: folder, tars, parquet, by path or URL; default: those of our libraries."),
    ] = None,
    texts: Annotated[str | None, typer.Option(help="Folder of text files to take sentences from.")] = None,
    code: Annotated[str | None, typer.Option(help="Folder of source files for editors and terminals.")] = None,
    pages: Annotated[
        str | None, typer.Option(help="Pages to draw in Chromium: folder of HTML, URL, file of URLs.")
    ] = None,
    captured: Annotated[str | None, typer.Option(help="Folder of captured screens to add.")] = None,
    workers: WorkersOption = _ALL_CPUS,
    engine: EngineOption = "local",
    address: AddressOption = None,
    plan: PlanOption = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a corpus of labelled screens.

    Synthesized (and captured) screens with label and region maps, as WebDataset shards with parquet side-cars.
    """
    from datagen.build import Workers
    from datagen.config import PRESETS, CorpusConfig
    from pipeline.base.config import load

    places = {"photos": photos, "texts": texts, "code": code, "pages": pages, "captured": captured}
    extra = [f"{key}={_place(value)}" for key, value in places.items() if value is not None]
    loaded = load(CorpusConfig, config, presets=PRESETS, overrides=[*(overrides or []), *extra])
    if plan:
        from datagen import build

        show(build.describe(loaded), as_json=as_json)
        return
    _build(loaded, out, Workers(engine=engine, num_workers=workers, address=address), as_json=as_json)


def capture(
    config: ConfigArgument,
    out: OutOption,
    *,
    display: Annotated[str | None, typer.Option(help="X display, such as :1; default: $DISPLAY.")] = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Capture real screens as lossless PNGs."""
    from datagen import capture as stage
    from datagen.capture import PRESETS, CaptureConfig
    from pipeline.base.config import load
    from pipeline.base.progress import open_progress

    loaded = load(CaptureConfig, config, presets=PRESETS, overrides=overrides or [])
    with open_progress("capture") as progress:
        summary = stage.run(loaded, out, display=display or os.environ.get("DISPLAY"), progress=progress)
    show(summary, as_json=as_json)


def import_screens(
    folder: Annotated[
        str,
        typer.Argument(metavar="DIR", help="Screenshots or photographs: a folder with its subfolders, tars, parquet."),
    ],
    out: OutOption,
    *,
    checkpoint: LabellerOption = None,
    min_confidence: ConfidenceOption = 0.8,
    workers: WorkersOption = 1,
    plan: PlanOption = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a folder of screenshots into shards.

    Labelled by a checkpoint if one is given, else 255 everywhere; with region maps.
    """
    _take(folder, out, checkpoint, min_confidence, workers, plan, overrides, as_json)


def label(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Captured screens, or a corpus with unlabelled ones.")
    ],
    out: OutOption,
    *,
    checkpoint: Annotated[
        str, typer.Option("--checkpoint", help="Checkpoint whose segmentation head labels the pictures.")
    ],
    min_confidence: ConfidenceOption = 0.8,
    workers: WorkersOption = 1,
    plan: PlanOption = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Label captured screens with a trained codec's segmentation head.

    Of a corpus, samples that have labels keep their bytes; the others are labelled.
    """
    from pipeline.base.store import Store
    from pipeline.formats.shards import MANIFEST

    if not Store(source).exists(MANIFEST):
        _take(source, out, checkpoint, min_confidence, workers, plan, overrides, as_json)
        return
    from datagen import relabel
    from datagen.config import LabelsConfig
    from pipeline.base.progress import open_progress

    labels = LabelsConfig(checkpoint=str(Path(checkpoint).absolute()), min_confidence=min_confidence)
    with open_progress("label") as progress:
        summary = relabel.run(source, out, labels=labels, progress=progress)
    show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected else 0)


def masks(
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", help="Corpus whose region maps are made anew.")],
    out: OutOption,
    *,
    engine: Annotated[
        Literal["auto", "sam", "felzenszwalb", "layout"],
        typer.Option(help="auto: sam with a checkpoint, else layout where it was drawn and felzenszwalb elsewhere."),
    ] = "auto",
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help="Segment Anything checkpoint, by path or URL.")
    ] = None,
    workers: WorkersOption = 1,
    runner: Annotated[Engine, typer.Option(help="Processes of this machine, or actors on a Ray cluster.")] = "local",
    address: AddressOption = None,
    plan: PlanOption = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a corpus's region maps anew.

    With Segment Anything, Felzenszwalb's segmentation, or the layout that was drawn. Pictures and labels keep their
    bytes, the old corpus is not touched. --set changes a field of the masks' config, such as sam_points_per_side=16.
    """
    from datagen import remask
    from datagen.build import Workers
    from datagen.masks_config import MasksConfig
    from pipeline.base.config import override
    from pipeline.base.progress import open_progress

    given = {"engine": engine} | ({} if checkpoint is None else {"sam_checkpoint": _place(checkpoint)})
    # As in `datagen`, whose config holds this one under `masks`.
    config = override(MasksConfig, given, [one.strip().removeprefix("masks.") for one in overrides or []])
    if plan:
        show(remask.describe(corpus, config), as_json=as_json)
        return
    crew = Workers(engine=runner, num_workers=workers, address=address)
    try:
        with open_progress("masks") as progress:
            summary = remask.run(corpus, out, config=config, workers=crew, progress=progress, say=_say)
    except KeyboardInterrupt:
        typer.echo(f"diptych: stopped; the same command goes on with what is in {out}", err=True)
        raise
    show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected or (engine == "layout" and summary.num_without_layout) else 0)


def _take(
    folder: str,
    out: str,
    checkpoint: str | None,
    min_confidence: float,
    workers: int,
    plan: bool,
    overrides: list[str] | None,
    as_json: bool,
) -> None:
    """Make a corpus of the pictures in a folder alone."""
    from datagen import build
    from datagen.build import Workers
    from datagen.config import PRESETS, CorpusConfig
    from pipeline.base.config import load

    extra = [f"captured={_place(folder)}", f"labels.min_confidence={min_confidence}"]
    if checkpoint is not None:
        extra.append(f"labels.checkpoint={Path(checkpoint).absolute()}")
    loaded = load(CorpusConfig, "import", presets=PRESETS, overrides=[*extra, *(overrides or [])])
    if plan:
        show(build.describe(loaded), as_json=as_json)
        return
    _build(loaded, out, Workers(num_workers=workers), as_json=as_json)


def _build(config: "CorpusConfig", out: str, workers: "Workers", *, as_json: bool) -> None:
    from datagen import build
    from pipeline.base.progress import open_progress

    try:
        with open_progress("datagen") as progress:
            summary = build.run(config, out, workers=workers, progress=progress)
    except KeyboardInterrupt:
        typer.echo(f"diptych: stopped; the same command goes on with what is in {out}", err=True)
        raise
    finish(summary, as_json=as_json)


def finish(summary: "BuildSummary", *, as_json: bool) -> None:
    """Show what was made; exit code 1 if anything is missing."""
    show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected or summary.quarantined else 0)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _place(text: str) -> str:
    """Return a path as any process can use it; URLs, and `system`, stay as they are."""
    return text if "://" in text else str(Path(text).absolute())
