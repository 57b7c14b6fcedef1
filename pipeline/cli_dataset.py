"""`diptych dataset VERB`: look at a corpus, check it, describe it, change its shape."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.base.errors import UsageError
from pipeline.cli_datagen import AddressOption, EngineOption, WorkersOption, finish
from pipeline.cli_options import JsonOption, OverwriteOption, PlanOption, show

NearBitsOption = Annotated[int, typer.Option(min=0, max=64, help="Fewer differing hash bits: the same picture.")]
ShardSizeOption = Annotated[int, typer.Option("--shard-size", min=1, help="Samples a shard.")]
CorpusArgument = Annotated[str, typer.Argument(metavar="CORPUS", help="Folder or URL of a finished corpus.")]

dataset_app = typer.Typer(
    help="Statistics, gallery, checks and card of a corpus.", no_args_is_help=True, rich_markup_mode=None
)


@dataset_app.command("stats")
def dataset_stats(
    corpus: CorpusArgument,
    *,
    parquet: Annotated[Path | None, typer.Option(help="Write all side-cars as one parquet file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Count what a corpus holds.

    By split, scene, renderer and size; label shares, regions, sources, rejections. Reads side-cars only.
    """
    from datagen.dataset.stats import measure, write_rows
    from datagen.dataset.tables import to_tables
    from pipeline.base.progress import open_progress
    from pipeline.base.store import Store

    store = Store(corpus)
    with open_progress("stats") as progress:
        statistics = measure(store, progress=progress)
    show(statistics if as_json else to_tables(statistics), as_json=as_json)
    if parquet is not None:
        with open_progress("parquet") as progress:
            write_rows(store, parquet, progress=progress)


@dataset_app.command("view")
def dataset_view(
    corpus: CorpusArgument,
    *,
    out: Annotated[Path, typer.Option("--out", help="The HTML file.")] = Path("gallery.html"),
    num: Annotated[int, typer.Option(min=1, help="Samples, evenly over the scenes.")] = 48,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    scene: Annotated[str | None, typer.Option(help="Only this scene.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed shows other samples.")] = 0,
    max_mb: Annotated[float, typer.Option(min=0.1, help="Size of the file; pictures shrink to stay below.")] = 24.0,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a gallery of a corpus: one HTML file, nothing loaded from anywhere.

    Pictures with overlays of their label and region maps, and where each sample comes from.
    """
    from datagen.dataset.view import ViewConfig, view
    from pipeline.base.progress import open_progress
    from pipeline.base.store import Store

    if out.exists() and not overwrite:
        raise UsageError(f"{out}: exists; give another name, or --overwrite")
    config = ViewConfig(num_samples=num, split=split, scene=scene, seed=seed, max_megabytes=max_mb)
    with open_progress("view") as progress:
        summary = view(Store(corpus), out, config, progress=progress)
    show(summary, as_json=as_json)


@dataset_app.command("show")
def dataset_show(
    corpus: CorpusArgument,
    key: Annotated[str, typer.Argument(help="A sample's key, such as train-000017.")],
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the sample's four members.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print a sample's metadata; write its members as files."""
    from datagen.dataset.show import show_sample
    from pipeline.base.store import Store

    show(show_sample(Store(corpus), key, out=out), as_json=as_json)


@dataset_app.command("card")
def dataset_card(
    corpus: CorpusArgument,
    *,
    name: Annotated[str, typer.Option(help="Default: the corpus's own.")] = "",
    licence: Annotated[str, typer.Option(help="As the Hugging Face hub knows it, such as cc-by-4.0.")] = "",
    url: Annotated[str, typer.Option(help="Where the corpus can be had.")] = "",
    version: Annotated[str, typer.Option(help="Of the corpus.")] = "1.0.0",
    date: Annotated[str, typer.Option(help="Of publication, such as 2025-06-01.")] = "",
    citation: Annotated[str, typer.Option(help="How to cite it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Write a dataset card (README.md) and Croissant metadata into a corpus.

    Every figure comes from the corpus itself; `dataset check` says when they no longer fit.
    """
    from datagen.dataset.card import CardConfig, write_card
    from pipeline.base.progress import open_progress
    from pipeline.base.store import Store

    config = CardConfig(name=name, licence=licence, url=url, version=version, date=date, citation=citation)
    with open_progress("card") as progress:
        summary = write_card(Store(corpus), config, progress=progress)
    show(summary, as_json=as_json)


@dataset_app.command("check")
def dataset_check(
    corpus: CorpusArgument,
    *,
    regenerate: Annotated[
        str, typer.Option(metavar="SHARE", help="Draw so many samples again and compare bytes: 1%, 0.01.")
    ] = "0",
    decode: Annotated[bool, typer.Option(help="Decode pictures and maps too.")] = True,
    near_bits: NearBitsOption = 10,
    workers: WorkersOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Re-read a corpus and list everything that is wrong with it.

    Flipped bytes, missing and unlisted files and members, rows that differ from their samples, label and region maps,
    and what two splits share. Exit code 1 if anything was found.
    """
    from datagen.dataset.check import CheckConfig, check
    from datagen.dataset.tables import to_report
    from pipeline.base.progress import open_progress
    from pipeline.base.store import Store

    share = _share(regenerate)
    config = CheckConfig(decode=decode, regenerate=share, near_bits=near_bits, workers=workers)
    with open_progress("check") as progress:
        summary = check(Store(corpus), config, progress=progress)
    show(summary if as_json else to_report(summary), as_json=as_json)
    raise typer.Exit(1 if summary.findings else 0)


def _share(text: str) -> float:
    """Return 0..1 for `1%` or `0.01`. Raises: UsageError."""
    number, percent, rest = text.strip().partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = -1.0
    if rest or not 0 <= share <= 1:
        raise UsageError(f"--regenerate {text}: expected a share such as 1% or 0.01")
    return share


@dataset_app.command("split")
def dataset_split(
    corpus: CorpusArgument,
    out: Annotated[str, typer.Argument(metavar="OUT", help="Folder for the new corpus.")],
    *,
    train: Annotated[float, typer.Option(min=0, max=1, help="Share of the samples.")] = 0.8,
    val: Annotated[float, typer.Option(min=0, max=1, help="Share of the samples.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of the samples.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Another seed deals the groups otherwise.")] = 0,
    tolerance: Annotated[float, typer.Option(min=0, max=1, help="How far a share may be off.")] = 0.05,
    near_bits: NearBitsOption = 20,
    samples_per_shard: ShardSizeOption = 64,
    name: Annotated[str | None, typer.Option(help="Starts the shards' names; default: as before.")] = None,
    plan: PlanOption = False,
    as_json: JsonOption = False,
) -> None:
    """Deal a corpus to train, val and test anew.

    Samples that share a photograph, page or screen, or look nearly alike, stay in one split. Bytes are copied.
    """
    from datagen.dataset import split as stage
    from pipeline.base.progress import open_progress

    config = stage.SplitConfig(
        train=train,
        val=val,
        test=test,
        seed=seed,
        tolerance=tolerance,
        near_bits=near_bits,
        samples_per_shard=samples_per_shard,
        name=name,
    )
    if plan:
        show(stage.describe(corpus, config), as_json=as_json)
        return
    with open_progress("split") as progress:
        summary = stage.run(corpus, config, out, progress=progress)
    show(summary, as_json=as_json)


@dataset_app.command("merge")
def dataset_merge(
    paths: Annotated[list[str], typer.Argument(metavar="CORPUS... OUT", help="Corpora, then the new folder.")],
    *,
    on_leak: Annotated[
        Literal["refuse", "drop"], typer.Option(help="A source in two splits: refuse, or drop all but one split's.")
    ] = "refuse",
    near_bits: NearBitsOption = 10,
    samples_per_shard: ShardSizeOption = 64,
    name: Annotated[str, typer.Option(help="Starts the shards' names.")] = "merged",
    plan: PlanOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make one corpus of several.

    Samples keep their splits; equal pictures are kept once; what is left out is counted in the shards' records.
    """
    from datagen.dataset import merge as stage
    from pipeline.base.progress import open_progress

    if len(paths) < 2:
        raise UsageError(f"dataset merge: got only {paths[0]!r}, expected CORPUS... OUT")
    config = stage.MergeConfig(on_leak=on_leak, near_bits=near_bits, samples_per_shard=samples_per_shard, name=name)
    if plan:
        show(stage.describe(paths[:-1], config), as_json=as_json)
        return
    with open_progress("merge") as progress:
        summary = stage.run(paths[:-1], config, paths[-1], progress=progress)
    show(summary, as_json=as_json)
    raise typer.Exit(1 if summary.rejected else 0)


@dataset_app.command("tiles")
def dataset_tiles(
    corpus: CorpusArgument,
    out: Annotated[str, typer.Argument(metavar="OUT", help="Folder for the new corpus.")],
    *,
    side: Annotated[int, typer.Option(min=16, help="Of the square tiles, in pixels.")] = 256,
    stride: Annotated[
        int, typer.Option(min=0, help="Pixels from tile to tile; below --side they overlap. 0: --side.")
    ] = 0,
    compress_level: Annotated[int, typer.Option(min=0, max=9, help="Of the PNG files.")] = 6,
    as_json: JsonOption = False,
) -> None:
    """Cut a corpus into lossless tiles, a corpus of their own.

    Training on tiles decodes only what it uses. Splits, shards, labels, regions, sources and classes are kept.
    """
    from datagen.dataset import tiles as stage
    from pipeline.base.progress import open_progress

    config = stage.TilesConfig(side=side, stride=stride, compress_level=compress_level)
    with open_progress("tiles") as progress:
        summary = stage.run(corpus, out, config, progress=progress)
    show(summary, as_json=as_json)


@dataset_app.command("coco")
def dataset_coco(
    corpus: CorpusArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT.json", help="The COCO file.")],
    *,
    split: Annotated[str | None, typer.Option(help="Only this split; default: all.")] = None,
    what: Annotated[Literal["regions", "labels"], typer.Option(help="Region masks, or label classes.")] = "regions",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export region or label masks as COCO annotations.

    Compressed run lengths, as pycocotools reads them; pictures are named by tar and member.
    """
    from datagen.dataset import coco as stage
    from pipeline.base.progress import open_progress

    if out.exists() and not overwrite:
        raise UsageError(f"{out}: exists; give another name, or --overwrite")
    with open_progress("coco") as progress:
        summary = stage.export(corpus, out, split=split, what=what, progress=progress)
    show(summary, as_json=as_json)


@dataset_app.command("retry-failed")
def dataset_retry_failed(
    corpus: CorpusArgument,
    *,
    workers: WorkersOption = 1,
    engine: EngineOption = "local",
    address: AddressOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make quarantined shards and samples again, and nothing else.

    All other samples keep their bytes. What was refused for its quality stays refused.
    """
    from datagen import retry
    from datagen.build import Workers
    from pipeline.base.progress import open_progress

    crew = Workers(engine=engine, num_workers=workers, address=address)
    with open_progress("retry") as progress:
        summary = retry.run(corpus, workers=crew, progress=progress)
    finish(summary, as_json=as_json)
