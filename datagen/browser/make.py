"""A page of one scene from a sample's seed: its look, language, words and photographs."""

import numpy as np

from datagen.browser.kit import Kit, language_of
from datagen.browser.page import Page
from datagen.browser.pages.table import PAGES, PageScene
from datagen.browser.themes import choose_look
from datagen.materials import Materials

_WIDEST = 2100
"""CSS pixels above which people zoom in."""
_ZOOMS = (1.0, 1.0, 1.0, 0.75, 0.8, 0.9, 1.1, 1.2, 1.25, 1.5)


def make_page(name: str, materials: Materials, rng: np.random.Generator, size: tuple[int, int], scale: float) -> Page:
    """Return the page scene `name` for a window of `size` (width, height in device pixels) at `scale`.

    Raises: KeyError: no such scene; PictureError: a photograph cannot be read any more.
    """
    scene = PAGES[name]
    zoom = _choose_zoom(scene, size, scale, rng)
    look = choose_look(rng)
    language = language_of(materials.text.sentence())
    kit = Kit(
        look=look,
        materials=materials,
        rng=rng,
        width=round(size[0] / (scale * zoom)),
        height=round(size[1] / (scale * zoom)),
        scale=scale * zoom,
        language=language,
    )
    body = scene.draw(kit)
    direction = "rtl" if language == "ar" else "ltr"
    html = (
        f"<!doctype html><html lang='{language}' dir='{direction}'><meta charset='utf-8'><title>{name}</title>"
        f"<style>{kit.web_fonts()}{look.css}</style><body>{body}</body></html>"
    )
    details = {"dark": look.palette.dark, "language": language, "zoom": zoom}
    return Page(name=name, html=html, resources=kit.files, zoom=zoom, details=details)


def _choose_zoom(scene: PageScene, size: tuple[int, int], scale: float, rng: np.random.Generator) -> float:
    """Return a zoom at which the window is a whole number of CSS pixels.

    Otherwise Chromium resamples what it has drawn by a hair, and how depends on what it drew before.
    """
    usual = [zoom for zoom in _ZOOMS if _is_whole(size, scale * zoom) and scene.fits(*size, scale * zoom)]
    zooms = [zoom for zoom in usual if size[0] / (scale * zoom) <= _WIDEST] or usual[-1:] or [1.0]
    return zooms[int(rng.integers(len(zooms)))]


def _is_whole(size: tuple[int, int], scale: float) -> bool:
    return all(abs(side / scale - round(side / scale)) < 1e-6 for side in size)
