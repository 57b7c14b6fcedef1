"""The verbs `compress` and `decompress`: one picture and its file."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import cli_jpeg
from pipeline.base.errors import UsageError
from pipeline.cli_jpeg import (
    BytesOption,
    EncoderOption,
    LikeQualityOption,
    MapOption,
    QualityOption,
    SubsamplingOption,
)
from pipeline.cli_options import (
    BackgroundStepOption,
    CheckpointOption,
    JsonOption,
    LabellerOption,
    OverwriteOption,
    PresetOption,
    SetOption,
    TextExactOption,
    show,
)

if TYPE_CHECKING:
    from pipeline.codecs.checkpoint import LoadedCodec
    from pipeline.codecs.config import CodingConfig


def compress(
    picture: Annotated[Path, typer.Argument(help="A picture file.")],
    out: Annotated[Path | None, typer.Argument(help="The bitstream; default: PICTURE.dpt.")] = None,
    *,
    checkpoint: Annotated[
        str | None, typer.Option(help="Checkpoint folder or weights.safetensors; OUT.jpg may do without.")
    ] = None,
    label: Annotated[Path | None, typer.Option(help="Label map, PNG: 0 drawn, 1 photographed, 255 unknown.")] = None,
    labeller: LabellerOption = None,
    roi: Annotated[
        str | None,
        typer.Option(help="What stays exact with a lossless codec: natural, synthetic, or MASK.png (not 0: exact)."),
    ] = None,
    background_step: BackgroundStepOption = None,
    text_exact: TextExactOption = False,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Of weights with several rates: 0 (fewest bytes) to the last, fractions too; default: middle."
        ),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Decode before the file is written, and compare.")] = False,
    saliency_map: MapOption = None,
    encoder: EncoderOption = None,
    num_bytes: BytesOption = None,
    like_quality: LikeQualityOption = None,
    quality: QualityOption = None,
    subsampling: SubsamplingOption = None,
    config: PresetOption = "default",
    overrides: SetOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compress one picture; to OUT.jpg, as an ordinary JPEG."""
    from pipeline.cli_guidance import read_guidance
    from pipeline.codecs.coding import compress_picture, verify_picture
    from pipeline.codecs.gains import default_rate
    from pipeline.codecs.guidance import check_rate, side_inputs
    from pipeline.formats.picture import read_picture

    settings = _coding_config(config, overrides)
    target = _target(out or picture.with_name(picture.name + ".dpt"), overwrite=overwrite)
    pixels = read_picture(_read(picture), where=str(picture), max_pixels=settings.max_pixels).pixels
    wishes = read_guidance(roi=roi, background_step=background_step, text_exact=text_exact, label=label)
    of_jpeg = cli_jpeg.JpegWishes(
        map=saliency_map,
        encoder=encoder,
        num_bytes=num_bytes,
        like_quality=like_quality,
        quality=quality,
        subsampling=subsampling,
    )
    loaded, labels = (None if path is None else _load(path, settings) for path in (checkpoint, labeller))
    maps = wishes.maps(height=pixels.shape[0], width=pixels.shape[1])
    row = {"picture": str(picture), "width": pixels.shape[1], "height": pixels.shape[0]}
    if target.suffix.lower() in cli_jpeg.SUFFIXES:
        if roi is not None or background_step is not None or text_exact or verify:
            raise UsageError(f"{target}: a JPEG has no exact region; --map says what is salient")
        if rate is not None:
            raise UsageError(f"{target}: a JPEG has no --rate; --quality, --bytes and --like-quality say how large")
        sources = cli_jpeg.MapSources(codec=loaded, labeller=labels, label=maps.label)
        request = of_jpeg.request()
        saliency = cli_jpeg.saliency_of(pixels, of_jpeg, sources)
        data, notes = cli_jpeg.encode(pixels, saliency, request, where=str(picture))
        _write(target, data)
        row |= {"jpeg": str(target), "bytes": len(data), "bpp": round(8 * len(data) / pixels[..., 0].size, 4), **notes}
        show(row, as_json=as_json)
        return
    of_jpeg.refuse(target)
    if loaded is None:
        raise UsageError(f"{target}: needs --checkpoint (only a name that ends in .jpg does without)")
    check_rate(rate, loaded)
    guidance = replace(wishes.guidance(loaded.spec, labels), rate=rate)
    try:
        encoded = compress_picture(loaded, pixels, side_inputs(guidance, pixels, label=maps.label, exact=maps.exact))
    except ValueError as error:
        # The one thing of the user's that only the codec can judge.
        raise UsageError(f"{label}: {error}") if label is not None else error from error
    if verify:
        verify_picture(loaded, encoded, where=str(target))
    _write(target, encoded.data)
    height, width, num_channels = pixels.shape
    size = len(encoded.data)
    row |= {
        "bitstream": str(target),
        "num_channels": num_channels,
        "bytes": size,
        "bpp": round(8 * size / (width * height), 4),
    }
    if loaded.codec.num_rates > 1:
        row["rate"] = default_rate(loaded.codec.num_rates) if rate is None else rate
    row |= {name: round(value) for name, value in encoded.details.items()}
    show(row, as_json=as_json)


def decompress(
    bitstream: Annotated[Path, typer.Argument(help="A bitstream written by `diptych compress`.")],
    out: Annotated[Path | None, typer.Argument(help="The PNG; default: shot.decoded.png for shot.png.dpt.")] = None,
    *,
    checkpoint: CheckpointOption,
    config: PresetOption = "default",
    overrides: SetOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Decompress one picture to a PNG."""
    from pipeline.codecs.coding import decompress_picture
    from pipeline.formats.picture import SUFFIXES, write_png

    settings = _coding_config(config, overrides)
    original = bitstream.with_name(bitstream.name.removesuffix(".dpt"))
    stem = original.stem if original.suffix.lower() in SUFFIXES else original.name
    target = _target(out or bitstream.with_name(f"{stem}.decoded.png"), overwrite=overwrite)
    data = _read(bitstream)
    pixels = decompress_picture(_load(checkpoint, settings), data, where=str(bitstream))
    _write(target, write_png(pixels))
    show({"picture": str(target), "width": pixels.shape[1], "height": pixels.shape[0]}, as_json=as_json)


def _coding_config(config: str, overrides: list[str] | None) -> "CodingConfig":
    from pipeline.base.config import load
    from pipeline.codecs.config import PRESETS, CodingConfig

    return load(CodingConfig, config, presets=PRESETS, overrides=overrides or [])


def _load(checkpoint: str, settings: "CodingConfig") -> "LoadedCodec":
    import torch

    from pipeline.codecs import checkpoint as checkpoints

    torch.set_num_threads(settings.threads)
    return checkpoints.load(checkpoint, device=settings.device)


def _target(path: Path, *, overwrite: bool) -> Path:
    """Return `path` if it may be written: `decompress shot.dpt` must not put its lossy copy over shot.png."""
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: exists; give another name, or --overwrite")
    return path


def _write(path: Path, data: bytes) -> None:
    from pipeline.base.store import Store

    Store(path.parent).write_bytes(path.name, data)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
