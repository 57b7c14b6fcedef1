"""What `compress` and `archive create` are told about classes and regions, from options to numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import UsageError

if TYPE_CHECKING:
    from pipeline.codecs.checkpoint import LoadedCodec
    from pipeline.codecs.guidance import Exact, Guidance
    from pipeline.codecs.table import CodecSpec

_CLASSES: tuple["Exact", ...] = ("synthetic", "natural")


@dataclass(frozen=True, slots=True, kw_only=True)
class Maps:
    """Maps of one picture's pixels."""

    label: NDArray[np.uint8] | None
    exact: NDArray[np.bool_] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options, understood."""

    exact: "Exact"
    exact_map: Path | None
    background_step: int
    label: Path | None

    def guidance(self, spec: "CodecSpec", labeller: "LoadedCodec | None") -> "Guidance":
        """Return the settings, checked against the codec. Raises: UsageError: the codec has no use for them."""
        from pipeline.codecs.guidance import Guidance, check

        guidance = Guidance(exact=self.exact, background_step=self.background_step, labeller=labeller)
        check(guidance, spec)
        for path, needed in ((self.label, "label"), (self.exact_map, "exact")):
            if path is not None and needed not in spec.side_inputs:
                raise UsageError(f"{path}: codec {spec.name} has no use for it; one that has: seec")
        return guidance

    def maps(self, *, height: int, width: int) -> Maps:
        """Read the maps of a picture of this size. Raises: UsageError: not a map, or of another size."""
        label = None if self.label is None else read_map(self.label, height=height, width=width)
        exact = None if self.exact_map is None else read_map(self.exact_map, height=height, width=width) != 0
        return Maps(label=label, exact=exact)


def read_guidance(
    *, roi: str | None, background_step: int | None, text_exact: bool, label: Path | None = None
) -> Wishes:
    """Return what the options mean. Raises: UsageError: they contradict each other, or name no region."""
    from pipeline.codecs.config import TEXT_EXACT_STEP

    if text_exact:
        if roi is not None or background_step is not None:
            raise UsageError("--text-exact is --roi synthetic --background-step 8; give one or the other")
        return Wishes(exact="synthetic", exact_map=None, background_step=TEXT_EXACT_STEP, label=label)
    if roi is None:
        if background_step is not None:
            raise UsageError("--background-step: there is no background without --roi")
        return Wishes(exact="all", exact_map=None, background_step=0, label=label)
    step = background_step or 0
    for name in _CLASSES:
        if roi == name:
            return Wishes(exact=name, exact_map=None, background_step=step, label=label)
    if not Path(roi).is_file():
        raise UsageError(f"--roi {roi}: neither natural nor synthetic nor a mask file")
    return Wishes(exact="all", exact_map=Path(roi), background_step=step, label=label)


def read_map(path: Path, *, height: int, width: int) -> NDArray[np.uint8]:
    """Return a one-channel picture of this size, (H, W). Raises: UsageError: it is no such picture."""
    from pipeline.formats.sample import decode_plane

    try:
        plane: NDArray[Any] = decode_plane(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(f"{path}: not a readable map ({error})") from error
    if plane.ndim == 3 and bool((plane == plane[:, :, :1]).all()):
        plane = plane[:, :, 0]
    if plane.ndim != 2:
        raise UsageError(f"{path}: a map has one channel, this has {plane.shape[2]} that differ")
    if plane.shape != (height, width):
        raise UsageError(f"{path}: the map is {plane.shape[1]}x{plane.shape[0]}, the picture {width}x{height}")
    return plane.astype(np.uint8)
