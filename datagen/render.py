"""Sample i of a split: a screen drawn from the sample's own seed, or a captured screen taken as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from datagen.canvas import Antialiasing, Canvas, Display, Region
from datagen.config import CorpusConfig, LabelsConfig
from datagen.library import Library
from datagen.masks import make_regions
from datagen.materials import Materials
from datagen.quality import perceptual_hash, refusal
from datagen.scenes.table import SCENES, Scene
from datagen.sources import PlannedSource, Shelf, load_pixels, neighbourhood
from datagen.texts import Words, words_of
from pipeline.base.errors import ConfigError, PictureError
from pipeline.base.seeds import derive_seed
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, Sample, SampleInfo, Source

if TYPE_CHECKING:
    from datagen.labeller import Labeller

_SUBPIXEL_SHARE = 0.3
"""Share of screens whose text is antialiased for the stripes of an LCD."""
_LARGEST_LOGICAL = (2560, 1600)
"""Above this many logical pixels people choose a higher scale if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is drawn, and for which screen."""

    renderer: str
    scene: str
    size: tuple[int, int]
    """Width and height in device pixels."""
    display: Display


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A screen and what is known about it."""

    kind: str
    """Scene, or `capture`."""
    picture: Pixels
    """(H, W, 3)."""
    label: NDArray[np.uint8]
    """(H, W)."""
    how_labelled: str
    regions: Sequence[Region] | None
    """The layout's objects, None if it is not known."""
    num_letters: int | None
    """How many characters are visible, None if that is not known."""
    sources: tuple[Source, ...]
    details: dict[str, Any]


def check_settings(config: CorpusConfig) -> None:
    """Raises: ConfigError: a scene that does not exist, or a size at which none can be drawn."""
    known = {renderer: set(_scenes(renderer)) for renderer in config.renderers}
    unknown = sorted(set(config.scenes) - set().union(*known.values()))
    if unknown:
        names = ", ".join(sorted(set().union(*known.values())))
        raise ConfigError(f"scenes: unknown scene '{unknown[0]}'; known for these renderers: {names}")
    for text, size in zip(config.sizes, config.screens(), strict=True):
        if config.num_samples.total and not _candidates(config, size):
            raise ConfigError(f"sizes: none of the scenes can be drawn at {text} with scales {list(config.scales)}")


def choose_setting(config: CorpusConfig, rng: np.random.Generator) -> Setting:
    """Return a size, then a scene that can be drawn at it, then a scale; with probabilities as configured."""
    sizes = config.screens()
    size = sizes[int(rng.integers(len(sizes)))]
    candidates = _candidates(config, size)
    shares = np.asarray([weight for _, _, weight in candidates])
    renderer, scene, _ = candidates[int(rng.choice(len(candidates), p=shares / shares.sum()))]
    scales = _scales(config, renderer, scene, size)
    scale = scales[int(rng.integers(len(scales)))]
    antialiasing: Antialiasing = "rgb" if rng.random() < _SUBPIXEL_SHARE else "grey"
    return Setting(renderer=renderer, scene=scene, size=size, display=Display(scale=scale, antialiasing=antialiasing))


def draw(setting: Setting, materials: Materials, rng: np.random.Generator) -> Drawing:
    """Draw one screen. Raises: PictureError: a photograph cannot be read any more."""
    canvas = Canvas(*setting.size, (255, 255, 255), display=setting.display)
    SCENES[setting.scene].draw(canvas, materials, rng)
    display = setting.display
    return Drawing(
        kind=setting.scene,
        picture=canvas.picture,
        label=canvas.label,
        how_labelled="compositor",
        regions=canvas.regions,
        num_letters=canvas.num_letters,
        sources=materials.sources,
        details={"renderer": "raster", "scale": display.scale, "antialiasing": display.antialiasing},
    )


def synthesize(
    config: CorpusConfig,
    photos: tuple[PlannedSource, ...],
    key: str,
    versions: Mapping[str, str],
    *,
    library: Library | None = None,
    attempt: int = 0,
) -> Sample:
    """Return the synthesized sample named `key` (`{split}-{index:06d}`): a function of these arguments alone.

    `photos` and `library` are those of its split. Raises: PictureError: a photograph cannot be read any more, or the
    drawing is not worth having (reasons of datagen.quality).
    """
    seed = _seed(config, key, attempt)
    rng = np.random.Generator(np.random.PCG64(seed))
    setting = choose_setting(config, rng)
    split, _, index = key.rpartition("-")
    near = neighbourhood(photos, seed=config.seed, index=int(index))
    materials = Materials(near, _words(split), load=_shelf(), rng=rng, library=library)
    drawing = draw(setting, materials, rng)
    if attempt:
        drawing = replace(drawing, details=drawing.details | {"attempt": attempt})
    return _sample(config, key, drawing, seed=seed, versions=versions)


def adopt(config: CorpusConfig, screen: PlannedSource, key: str, versions: Mapping[str, str]) -> Sample:
    """Return a captured screen as the sample `key`, labelled by the configured checkpoint, else 255 everywhere.

    Raises: PictureError: the file cannot be read any more, has changed, or is not worth having.
    """
    picture = load_pixels(screen)
    labelled = label_unknown(config.labels, picture)
    drawing = Drawing(
        kind="capture",
        picture=picture,
        label=labelled.label,
        how_labelled=labelled.how_labelled,
        regions=None,
        num_letters=None,
        sources=(screen.source,),
        details={"renderer": "capture"} | labelled.details,
    )
    return _sample(config, key, drawing, seed=_seed(config, key, 0), versions=versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guessed:
    """Labels of a picture that nobody drew."""

    label: NDArray[np.uint8]
    """(H, W)."""
    how_labelled: str
    details: dict[str, Any]


def label_unknown(config: LabelsConfig, picture: Pixels) -> Guessed:
    """Return the configured checkpoint's labels of a picture (H, W, 3), or 255 everywhere if there is none.

    Raises: CheckpointError, MissingDependency: the labeller cannot start.
    """
    if config.checkpoint is None:
        unknown = np.full(picture.shape[:2], IGNORE, dtype=np.uint8)
        return Guessed(label=unknown, how_labelled="none", details={})
    labelled = _labeller(config.checkpoint).label(picture, min_confidence=config.min_confidence)
    details = {"confidence": labelled.confidence}
    return Guessed(label=labelled.label, how_labelled=labelled.how_labelled, details=details)


@lru_cache(maxsize=1)
def _labeller(checkpoint: str) -> "Labeller":
    # Imported here: torch takes seconds to load and only captured screens need it.
    from datagen.labeller import Labeller

    return Labeller(checkpoint)


def _sample(config: CorpusConfig, key: str, drawing: Drawing, *, seed: int, versions: Mapping[str, str]) -> Sample:
    """Return the sample with its region map and hash. Raises: PictureError: it is not worth having."""
    refused = refusal(config.quality, drawing.picture, drawing.label, drawing.num_letters)
    if refused is not None:
        raise PictureError(refused[0], f"{key}: {drawing.kind}: {refused[1]}")
    made = make_regions(config.masks, drawing.picture, drawing.regions)
    height, width = drawing.label.shape
    info = SampleInfo(
        key=key,
        width=width,
        height=height,
        kind=drawing.kind,
        how_labelled=drawing.how_labelled,
        how_masked=made.how_masked,
        sources=drawing.sources,
        seed=seed,
        versions=dict(versions),
        perceptual_hash=perceptual_hash(drawing.picture),
        details=drawing.details,
    )
    return Sample(info=info, picture=drawing.picture, label=drawing.label, regions=made.regions)


def _seed(config: CorpusConfig, key: str, attempt: int) -> int:
    split, _, index = key.rpartition("-")
    again = [f"attempt {attempt}"] if attempt else []
    return derive_seed(config.seed, "sample", split, int(index), *again)


def _scenes(renderer: str) -> Mapping[str, Scene]:
    if renderer == "raster":
        return SCENES
    raise NotImplementedError


def _candidates(config: CorpusConfig, size: tuple[int, int]) -> list[tuple[str, str, float]]:
    """Return (renderer, scene, weight) of all that can be drawn at `size`; a renderer's scenes share its weight."""
    found = []
    for renderer, share in config.renderers.items():
        names = [
            (name, config.scenes.get(name, 0.0) if config.scenes else 1.0)
            for name in _scenes(renderer)
            if _scales(config, renderer, name, size)
        ]
        total = sum(weight for _, weight in names)
        found += [(renderer, name, share * weight / total) for name, weight in names if share * weight > 0]
    return found


def _scales(config: CorpusConfig, renderer: str, scene: str, size: tuple[int, int]) -> list[float]:
    """Return the configured scales at which the scene fits the screen, without those that make everything tiny."""
    fitting = [scale for scale in config.scales if _scenes(renderer)[scene].fits(*size, scale)]
    longer, shorter = max(_LARGEST_LOGICAL), min(_LARGEST_LOGICAL)
    usual = [scale for scale in fitting if max(size) <= longer * scale and min(size) <= shorter * scale]
    return usual or fitting[-1:]


@lru_cache(maxsize=1)
def _shelf() -> Shelf:
    """The photographs this process holds."""
    return Shelf()


@lru_cache(maxsize=4)
def _words(split: str) -> Words:
    return words_of(split)
