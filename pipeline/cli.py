"""`diptych VERB`: one verb a stage. Stages are imported inside their handlers, so `--help` is instant.

Exit codes: 0 done; 1 done, but something was rejected or did not verify (the summary says what); 2 a mistake in the
request, one line on stderr; 130 interrupted. Progress goes to stderr, results to stdout, `--json` for machines.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipeline import cli_coding, cli_datagen
from pipeline.base.errors import DiptychError, MissingDependency, UsageError
from pipeline.cli_archive import archive_app
from pipeline.cli_dataset import dataset_app
from pipeline.cli_options import (
    ConfigArgument,
    JsonOption,
    OutOption,
    PlanOption,
    PresetOption,
    SetOption,
    show,
)

app = typer.Typer(
    name="diptych",
    help="Labelled screen-content corpora, codecs trained on them, archives compressed with those codecs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Rich help panels cost 0.2 s of imports at every `--help`.
    rich_markup_mode=None,
)
app.add_typer(archive_app, name="archive")
app.add_typer(dataset_app, name="dataset")

# The package that provides each optional import, for the message when it is missing.
_EXTRAS = {"torch": "codecs", "numba": "codecs", "safetensors": "codecs", "mss": "datagen"}
_EXTRAS |= {"playwright": "browser", "imagehash": "datagen", "imagecodecs": "datagen", "Xlib": "datagen"}
_EXTRAS |= {"pycocotools": "datagen", "tensorboard": "watch", "wandb": "wandb", "mlflow": "mlflow"}
_EXTRAS |= {"skimage": "datagen", "matplotlib": "evaluate", "segment_anything": "sam", "ray": "train,serve"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        app(args=arguments, prog_name="diptych")
    except DiptychError as error:
        _fail(error)
    except OSError as error:
        # What the stages did not expect of the system (a name that is too long, a folder that may not be entered).
        _fail(UsageError(f"{error.filename or 'the system'}: {error.strerror or error}"))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = _EXTRAS.get(package)
        if extra is None:
            raise
        _fail(MissingDependency(f"{package} is not installed; pip install 'diptych[{extra}]'"))


app.command()(cli_datagen.datagen)
app.command()(cli_datagen.capture)
app.command("import")(cli_datagen.import_screens)
app.command()(cli_datagen.label)
app.command()(cli_datagen.masks)


@app.command()
def train(
    config: ConfigArgument,
    *,
    corpus: Annotated[str, typer.Option(help="A corpus made by `diptych datagen`: a folder, https://, s3://, gs://.")],
    out: Annotated[str | None, typer.Option("--out", help="Folder for the output; not needed with --plan.")] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="N|MIN-MAX", help="Workers over all nodes; a range follows the cluster.")
    ] = None,
    nodes: Annotated[int | None, typer.Option(min=1, help="Short for --set num_nodes=M.")] = None,
    gpus: Annotated[
        int | None, typer.Option("--gpus-per-worker", min=0, max=1, help="Short for --set use_gpu=.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster: auto, host:port, ray://host:port; local starts one here.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest complete checkpoint in --out.")
    ] = False,
    init_from: Annotated[
        str | None, typer.Option(help="Checkpoint whose weights a new run begins with, under a schedule of its own.")
    ] = None,
    plan: PlanOption = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a codec on a corpus with Ray Train; Ctrl-C saves a checkpoint."""
    from pipeline.base.config import load
    from pipeline.base.progress import open_progress
    from training import sweep
    from training.config import PRESETS, TrainConfig
    from training.placement import workers_range
    from training.plan import plan as plan_training

    given = {"init_from": init_from, "num_nodes": nodes, "ray_address": address, **workers_range(workers)}
    given |= {} if gpus is None else {"use_gpu": bool(gpus)}
    short = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items() if value is not None]
    loaded = load(TrainConfig, config, presets=PRESETS, overrides=[*(overrides or []), *short])
    if plan:
        show(plan_training(loaded, corpus), as_json=as_json)
        return
    if out is None:
        raise UsageError("--out is missing: a run needs a folder")
    with open_progress("train") as progress:
        summary = sweep.run_all(loaded, corpus=corpus, out=out, resume=resume, progress=progress)
    show(summary, as_json=as_json)


@app.command("export")
def export_checkpoint(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder made by `train`, of a run that may not be over.")],
    out: OutOption,
    *,
    which: Annotated[
        str, typer.Option(help="`last`: the newest checkpoint; `best`: that of the lowest validation loss.")
    ] = "last",
    as_json: JsonOption = False,
) -> None:
    """Copy the weights of a run into a checkpoint folder of their own, ready for archives."""
    from training.export import export_run

    show(export_run(run, out, which=which), as_json=as_json)


app.command()(cli_coding.compress)
app.command()(cli_coding.decompress)


@app.command()
def evaluate(
    config: ConfigArgument,
    *,
    checkpoints: Annotated[list[str], typer.Option("--checkpoint", help="May be given several times.")],
    pictures: Annotated[str, typer.Option(help="A folder of pictures, or a corpus.")],
    out: OutOption,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure checkpoints beside JPEG and WebP."""
    from pipeline.base.config import load
    from pipeline.base.progress import open_progress
    from pipeline.evaluation import evaluate as stage
    from pipeline.evaluation.config import PRESETS, EvaluateConfig

    loaded = load(EvaluateConfig, config, presets=PRESETS, overrides=overrides or [])
    with open_progress("evaluate") as progress:
        summary = stage.run(loaded, checkpoints=checkpoints, pictures=pictures, out=out, progress=progress)
    if markdown:
        typer.echo(summary.to_markdown())
    else:
        show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected else 0)


@app.command()
def report(
    out: Annotated[str, typer.Option("--out", help="The HTML file.")],
    *,
    corpus: Annotated[str | None, typer.Option(help="Folder made by `datagen`.")] = None,
    run: Annotated[str | None, typer.Option(help="Folder made by `train`.")] = None,
    archive: Annotated[str | None, typer.Option(help="Folder made by `archive create`.")] = None,
    evaluation: Annotated[str | None, typer.Option(help="Folder made by `evaluate`.")] = None,
    config: PresetOption = "default",
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one HTML page over what the others made."""
    from pipeline.base.config import load
    from pipeline.evaluation.config import REPORT_PRESETS, ReportConfig
    from pipeline.evaluation.report import write_report

    loaded = load(ReportConfig, config, presets=REPORT_PRESETS, overrides=overrides or [])
    path = write_report(out, corpus=corpus, run=run, archive=archive, evaluation=evaluation, config=loaded)
    show({"report": str(path), "bytes": Path(path).stat().st_size}, as_json=as_json)


@app.command()
def demo(
    out: OutOption,
    *,
    photos: Annotated[str | None, typer.Option(help="Folder of photographs; default: scikit-image's own.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="STAGE.A=VALUE", help="Such as train.steps=2000.")
    ] = None,
) -> None:
    """Walk the whole road once, in minutes.

    Corpus, training, archive, evaluation, report.
    """
    from pipeline import demo as stage

    stage.run(Path(out), photos=photos, display=os.environ.get("DISPLAY"), overrides=overrides or [])


def _fail(error: DiptychError) -> None:
    """Print one line and exit; a terminal must not see control characters that a file's name brought along."""
    line = "".join(character if character.isprintable() else " " for character in str(error))
    typer.echo(f"diptych: {error.word}: {' '.join(line.split())}", err=True)
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
