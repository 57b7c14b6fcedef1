"""`diptych dataset VERB`: look at a corpus, check it, describe it, change its shape."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli_options import JsonOption, show

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
