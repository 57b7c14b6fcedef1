"""Chromium's part of a corpus: page scenes of our own, and pages that people have.

Somebody's pages are recorded before the plan is made, each with everything it loads: `pages/SHA256.zip` in the corpus,
and `pages/index.json`, written last. Samples are drawn from the recordings, so that they can be made again when the
page has changed or is gone.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from datagen.browser.chromium import held_browser
from datagen.browser.make import make_page
from datagen.browser.recording import read_recording
from datagen.browser.render import render_page
from datagen.browser.rendered import Rendered
from datagen.browser.tab import Window
from datagen.browser.user_pages import find_pages, record, render_recording
from datagen.canvas import Display
from datagen.config import CorpusConfig
from datagen.drawing import Drawing
from datagen.materials import Materials
from datagen.plan import PAGE_INDEX, PAGES
from datagen.sources import Found, PlannedSource, RefusedSource
from pipeline.base.errors import PictureError, ShardError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store, canonical_json, sha256_hex
from pipeline.formats.sample import Source

FORMAT, FORMAT_VERSION = "diptych-pages", 1

_SMALLEST_CSS_WIDTH = 320
"""CSS pixels; narrower windows no page is made for."""


def chromium_version() -> str:
    """Return the version of the Chromium that draws. Raises: UsageError: there is none."""
    return held_browser().version


def draw_scene(
    scene: str, size: tuple[int, int], display: Display, materials: Materials, rng: np.random.Generator
) -> Drawing:
    """Draw a page scene. Raises: PictureError: `page_timeout`, `page_failed`, `unstable`; UsageError: no Chromium."""
    page = make_page(scene, materials, rng, size, display.scale)
    rendered = render_page(held_browser(display.antialiasing), page, size, display.scale)
    return _drawing(scene, rendered, materials.sources, antialiasing=display.antialiasing)


def draw_recording(
    store: Store, planned: PlannedSource, size: tuple[int, int], scale: float, *, scroll: float
) -> Drawing:
    """Draw a recorded page; `scroll` is how far down it is looked at, 0..1. Raises: PictureError, UsageError."""
    recording = read_recording(store.read_bytes(planned.path), where=store.where(planned.path))
    if recording.sha256 != planned.source.sha256:
        raise PictureError("source_changed", f"{store.where(planned.path)}: not the recording that was planned with")
    window = Window(width=size[0], height=size[1], scale=scale)
    rendered = render_recording(held_browser(), recording, window, scroll=scroll)
    return _drawing("page", rendered, (planned.source,), antialiasing="grey")


def choose_window(config: CorpusConfig, view: int, rng: np.random.Generator) -> tuple[tuple[int, int], float, float]:
    """Return size, scale and scroll of the `view`-th picture of a page: one for each configured size.

    The first view of a size shows the page's top; a size that is listed again shows other parts.
    """
    sizes = config.screens()
    size = sizes[view]
    scales = [scale for scale in config.scales if size[0] / scale >= _SMALLEST_CSS_WIDTH] or [1.0]
    scale = scales[int(rng.integers(len(scales)))]
    scroll = float(rng.random())
    return size, scale, scroll if size in sizes[:view] else 0.0


def gather(store: Store, config: CorpusConfig, progress: Progress) -> Found:
    """Record the configured pages into the corpus folder, or read what an earlier run recorded.

    Pages with the same bytes count once. Raises: UsageError: no such pages, no Chromium; StorageError.
    """
    assert config.pages is not None
    pages = find_pages(config.pages)
    if store.exists(PAGE_INDEX):
        return _read_index(store, [page.name for page in pages])
    windows = [Window(width=width, height=height, scale=1.0) for width, height in dict.fromkeys(config.screens())]
    sources: dict[str, PlannedSource] = {}
    refused: list[RefusedSource] = []
    for page in pages:
        progress.note(f"recording {page.name}")
        try:
            recording = record(held_browser(), page, windows)
            if recording.sha256 in sources:
                earlier = sources[recording.sha256].source.name
                raise PictureError("duplicate", f"{page.name}: has the same bytes as {earlier}")
        except PictureError as error:
            refused.append(RefusedSource(name=page.name, reason=error.reason, message=str(error)))
            continue
        data = recording.to_bytes()
        name = f"{PAGES}/{sha256_hex(data)}.zip"
        store.write_bytes(name, data)
        source = Source(
            kind="page", name=page.name, sha256=recording.sha256, licence="unknown", origin=recording.address
        )
        sources[recording.sha256] = PlannedSource(source=source, split="", path=name)
    found = Found(sources=tuple(sources.values()), refused=tuple(refused))
    store.write_bytes(PAGE_INDEX, canonical_json(_to_table([page.name for page in pages], found)))
    return found


def _read_index(store: Store, names: list[str]) -> Found:
    """Return the pages that were recorded into a corpus folder.

    Raises: ShardError: the index is damaged; UsageError: other pages were recorded.
    """
    try:
        table: dict[str, Any] = json.loads(store.read_bytes(PAGE_INDEX))
        if (table["format"], table["format_version"]) != (FORMAT, FORMAT_VERSION):
            raise ValueError(f"format is {table['format']} {table['format_version']}")
        if table["pages"] != names:
            raise UsageError(
                f"{store.where(PAGE_INDEX)}: {len(table['pages'])} other pages were recorded; choose another folder"
            )
        sources = tuple(
            PlannedSource(source=Source(**row["source"]), split="", path=str(row["path"])) for row in table["sources"]
        )
        return Found(sources=sources, refused=tuple(RefusedSource(**row) for row in table["refused"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ShardError(f"{store.where(PAGE_INDEX)}: not an index of recorded pages ({error})") from error


def _to_table(names: list[str], found: Found) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "pages": names,
        "sources": [
            {
                "source": {
                    "kind": planned.source.kind,
                    "name": planned.source.name,
                    "sha256": planned.source.sha256,
                    "licence": planned.source.licence,
                    "origin": planned.source.origin,
                },
                "path": planned.path,
            }
            for planned in found.sources
        ],
        "refused": [{"name": row.name, "reason": row.reason, "message": row.message} for row in found.refused],
    }


def _drawing(kind: str, rendered: Rendered, sources: Sequence[Source], *, antialiasing: str) -> Drawing:
    return Drawing(
        kind=kind,
        picture=rendered.picture,
        label=rendered.label,
        how_labelled="differential",
        regions=rendered.regions,
        num_letters=rendered.num_letters,
        sources=tuple(sources),
        details=rendered.details | {"antialiasing": antialiasing},
    )
