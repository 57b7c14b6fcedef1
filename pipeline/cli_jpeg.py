"""`compress PICTURE OUT.jpg`: an ordinary JPEG, its bytes where a saliency map says."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.base.errors import PictureError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.codecs.checkpoint import LoadedCodec
    from pipeline.codecs.msroi_jpeg.encode import Request
    from pipeline.formats.picture import Pixels

SUFFIXES = (".jpg", ".jpeg")
_WHITE = 255

MapOption = Annotated[
    str | None,
    typer.Option(
        "--map",
        help="For OUT.jpg, what is salient: msroi (by --checkpoint), labels (drawn pixels, by --label or --labeller), "
        "or MAP.png (grey, brighter is more salient).",
    ),
]
EncoderOption = Annotated[
    Literal["rdo", "paper"] | None,
    typer.Option(help="For OUT.jpg: rdo (default), or the published composition of several qualities."),
]
BytesOption = Annotated[int | None, typer.Option("--bytes", help="For OUT.jpg: at most so many bytes.")]
LikeQualityOption = Annotated[
    int | None, typer.Option(help="For OUT.jpg: at most the bytes of plain JPEG at this quality, 1..100.")
]
QualityOption = Annotated[int | None, typer.Option(help="For OUT.jpg: 1..100; default: 75.")]
SubsamplingOption = Annotated[
    Literal["auto", "4:4:4", "4:2:0"] | None, typer.Option(help="For OUT.jpg: resolution of chroma.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegWishes:
    """The options, as given."""

    map: str | None
    encoder: Literal["rdo", "paper"] | None
    num_bytes: int | None
    like_quality: int | None
    quality: int | None
    subsampling: Literal["auto", "4:4:4", "4:2:0"] | None

    def refuse(self, target: Path) -> None:
        """Raise UsageError if any was given: the output is no JPEG."""
        names = {"num_bytes": "bytes", "like_quality": "like-quality"}
        for name in ("map", "encoder", "num_bytes", "like_quality", "quality", "subsampling"):
            if getattr(self, name) is not None:
                raise UsageError(f"--{names.get(name, name)}: {target} is no JPEG; expected a name that ends in .jpg")

    def request(self) -> "Request":
        """Return what the encoder is asked for. Raises: UsageError: sizes and qualities contradict each other."""
        from pipeline.codecs.msroi_jpeg.encode import Request

        quality = self.quality
        if quality is None and self.num_bytes is None and self.like_quality is None:
            quality = 75
        try:
            return Request(
                encoder=self.encoder or "rdo",
                quality=quality,
                num_bytes=self.num_bytes,
                like_quality=self.like_quality,
                subsampling=self.subsampling or "auto",
            )
        except ValueError as error:
            raise UsageError(f"JPEG: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSources:
    """What a saliency map may come from."""

    codec: "LoadedCodec | None"
    labeller: "LoadedCodec | None"
    label: "NDArray[np.uint8] | None"


def saliency_of(pixels: "Pixels", wishes: JpegWishes, sources: MapSources) -> "NDArray[np.float32]":
    """Return (H, W), 0..1. Raises: UsageError: what the map asks for was not given, or is no map."""
    import numpy as np

    from pipeline.cli_guidance import read_map
    from pipeline.codecs.guidance import Segmenter
    from pipeline.codecs.msroi_jpeg.codec import MsRoiJpegCodec
    from pipeline.formats.picture import to_rgb

    codec = None if sources.codec is None else sources.codec.codec
    kind = wishes.map
    if kind is None:
        has_labels = sources.label is not None or sources.labeller is not None
        kind = "labels" if codec is None and has_labels else "msroi"
    if kind == "msroi":
        if not isinstance(codec, MsRoiJpegCodec):
            raise UsageError(
                "--map msroi: needs --checkpoint of codec msroi_jpeg; else give --map labels or --map MAP.png"
            )
        return codec.saliency(to_rgb(pixels))
    if kind == "labels":
        if sources.label is not None:
            return np.choose(np.minimum(sources.label, 2), np.array([1.0, 0.0, 0.5], dtype=np.float32))
        segmenter: object = None if sources.labeller is None else sources.labeller.codec
        if not isinstance(segmenter, Segmenter):
            raise UsageError("--map labels: needs --label MAP.png, or --labeller with a segmentation head (mtl_sci)")
        drawn: NDArray[np.float32] = 1 - segmenter.label_probability(to_rgb(pixels))
        return drawn
    if not Path(kind).is_file():
        raise UsageError(f"--map {kind}: neither msroi nor labels nor a file")
    plane = read_map(Path(kind), height=pixels.shape[0], width=pixels.shape[1])
    brightest = 1 if plane.max() <= 1 else 255
    return (plane / brightest).astype(np.float32)


def encode(
    pixels: "Pixels", saliency: "NDArray[np.float32]", request: "Request", *, where: str
) -> tuple[bytes, dict[str, Any]]:
    """Return a JPEG of a picture (H, W, C), and what is to be said of it. Raises: PictureError."""
    import numpy as np

    from pipeline.codecs.msroi_jpeg.encode import encode_jpeg
    from pipeline.formats.picture import to_rgb

    rgb, notes = to_rgb(pixels), {}
    if pixels.shape[2] in (2, 4):
        alpha = pixels[:, :, -1:].astype(np.uint16)
        rgb = ((rgb * alpha + _WHITE * (255 - alpha) + 127) // 255).astype(np.uint8)
        notes["alpha"] = "laid on white: JPEG holds none"
    try:
        data = encode_jpeg(rgb, saliency, request)
    except PictureError as error:
        raise PictureError(error.reason, f"{where}: {error}") from error
    return data, {"encoder": request.encoder, "mean_saliency": round(float(saliency.mean()), 3), **notes}
