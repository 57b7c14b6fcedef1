"""Photographs inside the wheels of libraries that Diptych needs anyway, so that a first corpus needs no download."""

import hashlib
import importlib.metadata
from dataclasses import dataclass

from datagen.fonts import package_folder
from datagen.sources.model import Found, PlannedSource
from pipeline.base.errors import UsageError
from pipeline.formats.sample import Source

_CC0, _FREE, _BSD = "CC0-1.0", "no known copyright restrictions", "BSD-3-Clause (scikit-image)"
_SKIMAGE = ("scikit-image", "skimage", "data")
_MATPLOTLIB = ("matplotlib", "matplotlib", "mpl-data/sample_data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """One photograph of a wheel."""

    distribution: str
    package: str
    folder: str
    licence: str


def _inside(place: tuple[str, str, str], licences: dict[str, str]) -> dict[str, Bundled]:
    distribution, package, folder = place
    return {
        name: Bundled(distribution=distribution, package=package, folder=folder, licence=licence)
        for name, licence in licences.items()
    }


BUNDLED = _inside(
    _SKIMAGE,
    {
        "astronaut.png": "public domain (NASA)",
        "brick.png": _CC0,
        "camera.png": _CC0,
        "chelsea.png": _CC0,
        "clock_motion.png": "public domain (Stefan van der Walt)",
        "coffee.png": _CC0,
        "coins.png": _FREE,
        "grass.png": _CC0,
        "gravel.png": _CC0,
        "hubble_deep_field.jpg": "public domain (NASA)",
        "ihc.png": _FREE,
        "moon.png": "public domain (NASA)",
        "motorcycle_left.png": _BSD,
        "retina.jpg": _CC0,
        "rocket.jpg": "public domain (SpaceX)",
    },
) | _inside(_MATPLOTLIB, {"grace_hopper.jpg": "public domain (US Navy)"})
"""By file name. Only one of the stereo pair: two would leak between splits."""


def bundled_photos() -> Found:
    """Return all that are installed. Raises: UsageError: none is."""
    sources = []
    for name, bundled in BUNDLED.items():
        path = package_folder(bundled.package) / bundled.folder / name
        if path.is_file():
            source = Source(
                kind="photo",
                name=name,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                licence=bundled.licence,
                origin=f"{bundled.distribution} {importlib.metadata.version(bundled.distribution)}",
            )
            sources.append(PlannedSource(source=source, split="", path=str(path)))
    if not sources:
        raise UsageError("the photographs of scikit-image and matplotlib are missing; give a folder of photographs")
    return Found(sources=tuple(sources), refused=())
