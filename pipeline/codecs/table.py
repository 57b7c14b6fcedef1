"""The codecs, read top to bottom. Free of torch: builders are named, not imported.

A wire id is written by hand and never used again, even after its codec is gone.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.base.errors import ConfigError, MissingDependency, UnsupportedBitstream


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecSpec:
    """One codec: its name, its number on the wire, and where it is built."""

    name: str
    wire_id: int
    lossless: bool
    side_inputs: tuple[str, ...] = ()
    """What `compress` takes beside the picture: `label`, `regions`, `exact`, `saliency`, `rate`."""
    training_inputs: tuple[str, ...] = ()
    """What training takes beside the picture: `regions` and `label` go to `forward`; `classes` to the objective, and
    their names to the codec's config (`class_names`)."""
    config: str
    """`module:class` of its config dataclass."""
    builder: str
    """`module:function` taking that config and returning an AbstractCodec."""
    presets: str
    """Folder of TOML presets, relative to this file."""


CODECS = (
    CodecSpec(
        name="mtl_sci",
        wire_id=1,
        lossless=False,
        side_inputs=("rate",),
        config="pipeline.codecs.mtl_sci.config:MtlSciConfig",
        builder="pipeline.codecs.mtl_sci.codec:build",
        presets="mtl_sci/presets",
    ),
    CodecSpec(
        name="segpic",
        wire_id=2,
        lossless=False,
        training_inputs=("regions",),
        config="pipeline.codecs.segpic.config:SegPicConfig",
        builder="pipeline.codecs.segpic.codec:build",
        presets="segpic/presets",
    ),
    CodecSpec(
        name="seec",
        wire_id=3,
        lossless=True,
        side_inputs=("label", "exact"),
        training_inputs=("label",),
        config="pipeline.codecs.seec.config:SeecConfig",
        builder="pipeline.codecs.seec.codec:build",
        presets="seec/presets",
    ),
    CodecSpec(
        name="msroi_jpeg",
        wire_id=4,
        lossless=False,
        side_inputs=("saliency",),
        training_inputs=("classes",),
        config="pipeline.codecs.msroi_jpeg.config:MsRoiConfig",
        builder="pipeline.codecs.msroi_jpeg.codec:build",
        presets="msroi_jpeg/presets",
    ),
    CodecSpec(
        name="screen",
        wire_id=5,
        lossless=True,
        config="pipeline.codecs.screen.config:ScreenConfig",
        builder="pipeline.codecs.screen.codec:build",
        presets="screen/presets",
    ),
)


def find_codec(name: str) -> CodecSpec:
    """Return the codec called `name`. Raises: ConfigError: there is none."""
    for spec in CODECS:
        if spec.name == name:
            return spec
    raise ConfigError(f"codec {name!r} is not in the table; known: {', '.join(spec.name for spec in CODECS)}")


def find_wire_id(wire_id: int, *, where: str) -> CodecSpec:
    """Return the codec with this wire id. Raises: UnsupportedBitstream: this release has none."""
    for spec in CODECS:
        if spec.wire_id == wire_id:
            return spec
    raise UnsupportedBitstream(f"{where}: codec number {wire_id} is unknown to this release")


def resolve(reference: str) -> Callable[..., Any]:
    """Import `module:attribute` and return it. Raises: MissingDependency: the extra it needs is not installed."""
    module_name, _, attribute = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise MissingDependency(f"{error.name} is not installed; pip install 'diptych[codecs]'") from error
    target: Callable[..., Any] = getattr(module, attribute)
    return target


def presets_folder(spec: CodecSpec) -> Path:
    """Return the folder of the codec's TOML presets."""
    return Path(__file__).parent / spec.presets
