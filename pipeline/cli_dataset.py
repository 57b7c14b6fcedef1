"""`diptych dataset VERB`: look at a corpus, check it, describe it, change its shape."""

import typer

dataset_app = typer.Typer(
    help="Statistics, gallery, checks and card of a corpus.", no_args_is_help=True, rich_markup_mode=None
)


@dataset_app.callback()
def dataset() -> None:
    """Statistics, gallery, checks and card of a corpus."""
