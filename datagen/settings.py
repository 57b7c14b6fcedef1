"""Which scene is drawn by whom, at which size and scale: chosen for each sample from the config's weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from datagen.canvas import Antialiasing, Display
from datagen.config import CorpusConfig
from datagen.font_search import typefaces
from datagen.scenes.table import SCENES
from datagen.scripts import check_scripts
from pipeline.base.errors import ConfigError

_SUBPIXEL_SHARE = 0.3
"""Share of screens whose text is antialiased for the stripes of an LCD."""
_LARGEST_LOGICAL = (2560, 1600)
"""Above this many logical pixels people choose a higher scale if there is one."""


class Fits(Protocol):
    """What is asked of a scene of either renderer."""

    def fits(self, width: int, height: int, scale: float) -> bool:
        """Return whether it can be drawn on a screen of width x height device pixels at `scale`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is drawn, and for which screen."""

    renderer: str
    scene: str
    size: tuple[int, int]
    """Width and height in device pixels."""
    display: Display


def check_settings(config: CorpusConfig) -> None:
    """Raises: ConfigError: a scene or script that does not exist, or a size at which none can be drawn; classes of
    photographs without photographs of one's own.
    """
    if config.photo_classes is not None and config.photos is None:
        raise ConfigError("photo_classes: those in our libraries name no classes; give photos of your own")
    check_scripts(config.scripts, typefaces(config.fonts))
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
    display = Display(scale=scale, antialiasing=antialiasing, typefaces=typefaces(config.fonts))
    return Setting(renderer=renderer, scene=scene, size=size, display=display)


@lru_cache(maxsize=2)
def _scenes(renderer: str) -> Mapping[str, Fits]:
    if renderer == "raster":
        return SCENES
    # Imported here: only this renderer needs playwright.
    from datagen.browser.pages.table import PAGES

    return PAGES


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
