"""Arguments and options that several verbs share, and the way results reach stdout."""

from typing import Annotated, Any

import typer

ConfigArgument = Annotated[str, typer.Argument(metavar="CONFIG", help="A .toml file, or the name of a preset.")]
OutOption = Annotated[str, typer.Option("--out", help="Folder for the output.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="Change one config value.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Print what would be done, and do nothing.")]
PresetOption = Annotated[str, typer.Option("--config", help="A .toml file, or the name of a preset.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
CheckpointOption = Annotated[str, typer.Option("--checkpoint", help="Checkpoint folder or weights.safetensors.")]

TEXT_EXACT_HELP = "Drawn pixels exact, photographed ones within 4 levels: --roi synthetic --background-step 8."
TextExactOption = Annotated[bool, typer.Option("--text-exact", help=TEXT_EXACT_HELP)]
LabellerOption = Annotated[
    str | None,
    typer.Option(help="Checkpoint whose segmentation head tells drawn from photographed pixels; default: the codec."),
]
BackgroundStepOption = Annotated[
    int | None,
    typer.Option(help="Pixels outside the region are off by at most half of it; 0: as the codec predicts them."),
]


def show(result: Any, *, as_json: bool) -> None:
    """Print a verb's result on stdout."""
    from pipeline import present

    present.show(result, as_json=as_json)
