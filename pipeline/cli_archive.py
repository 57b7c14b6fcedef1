"""`diptych archive VERB`."""

from typing import Annotated

import typer

from pipeline.base.errors import UsageError
from pipeline.cli_options import (
    CheckpointOption,
    JsonOption,
    PlanOption,
    PresetOption,
    SetOption,
    TextExactOption,
    show,
)

WorkersOption = Annotated[int, typer.Option("--workers", min=1, help="Processes.")]

archive_app = typer.Typer(help="Create, list, verify, extract archives.", no_args_is_help=True, rich_markup_mode=None)


@archive_app.command("create")
def archive_create(
    paths: Annotated[list[str], typer.Argument(metavar="SRC... DEST", help="Pictures or folders, then the archive.")],
    *,
    checkpoint: CheckpointOption,
    config: PresetOption = "default",
    overrides: SetOption = None,
    text_exact: TextExactOption = False,
    plan: PlanOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compress pictures into an archive.

    Run again after a crash, it goes on where it stopped. What cannot be coded is listed in rejected.jsonl.
    """
    from pipeline.base.config import load
    from pipeline.base.progress import open_progress
    from pipeline.codecs.config import TEXT_EXACT_STEP
    from serving import jobs
    from serving.config import PRESETS, ArchiveConfig

    if len(paths) < 2:
        raise UsageError(f"archive create: got only {paths[0]!r}, expected SRC... DEST")
    overrides = overrides or []
    if text_exact:
        overrides = [*overrides, "exact=synthetic", f"background_step={TEXT_EXACT_STEP}"]
    loaded = load(ArchiveConfig, config, presets=PRESETS, overrides=overrides)
    if plan:
        show(jobs.describe(paths[:-1], paths[-1], config=loaded), as_json=as_json)
        return
    with open_progress("compress") as progress:
        summary = jobs.create(paths[:-1], paths[-1], config=loaded, checkpoint=checkpoint, progress=progress)
    show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected else 0)


@archive_app.command("list")
def archive_list(archive: str, *, as_json: JsonOption = False) -> None:
    """List an archive's pictures.

    Needs neither torch nor ray.
    """
    from pipeline.base.store import Store
    from pipeline.formats.archive import open_archive

    rows = [entry.summary() for entry in open_archive(Store(archive)).entries()]
    for_machines = {"shard", "offset", "pixels_sha256"} if not as_json else set()
    show([{key: row[key] for key in row if key not in for_machines} for row in rows], as_json=as_json)


@archive_app.command("verify")
def archive_verify(
    archive: str,
    *,
    workers: WorkersOption = 1,
    checksums: Annotated[bool, typer.Option("--checksums", help="Only checksums: no decoding, no torch.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check every entry of an archive.

    Its checksum, and that it decodes to the picture its encoder promised.
    """
    from pipeline.base.progress import open_progress
    from serving import jobs

    with open_progress("verify") as progress:
        summary = jobs.verify(archive, decode=not checksums, progress=progress, workers=workers)
    show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.problems else 0)


@archive_app.command("extract")
def archive_extract(
    archive: str,
    out: str,
    names: Annotated[list[str] | None, typer.Argument(help="Only these pictures.")] = None,
    *,
    workers: WorkersOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Decode an archive's pictures to PNGs."""
    from pipeline.base.progress import open_progress
    from serving import jobs

    with open_progress("extract") as progress:
        summary = jobs.extract(archive, out, names=names or None, progress=progress, workers=workers)
    show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.problems else 0)
