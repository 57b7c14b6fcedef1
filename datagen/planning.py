"""Making the plan of a corpus: sources are searched, examined, and dealt to the splits."""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from datagen.config import SPLITS, CorpusConfig
from datagen.font_search import SYSTEM, typefaces
from datagen.fonts import font_sources
from datagen.labeller import weights_digest
from datagen.plan import PLACES, Plan
from datagen.sam.checkpoint import digest_of, located
from datagen.scripts import languages_of, words_in
from datagen.settings import check_settings
from datagen.sources import (
    Found,
    PlannedSource,
    RefusedSource,
    Seen,
    deal_by_hash,
    deal_in_order,
    find_captured,
    find_code,
    find_photos,
    find_texts,
)
from datagen.sources.places import is_remote
from datagen.sources.stated import REASONS as LABEL_REASONS
from pipeline.base.progress import Progress

_DISTRIBUTIONS = ("diptych", "imagecodecs", "numpy", "opencv-python-headless", "pillow", "scikit-image")
"""What can change a sample's bytes; another version is another plan."""
_TAKEN_ONLY_WEIGHTS = {"train": 8, "val": 1, "test": 1}


def make(
    config: CorpusConfig,
    *,
    seen: Seen | None = None,
    pages: Found | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Look for the sources and decide who gets what; draws nothing and writes nothing but what was `seen`.

    `pages` are those that were recorded (datagen.pages).

    Raises: UsageError: a folder is missing or holds no usable picture; ConfigError: a scene that does not exist.
    """
    check_settings(config)
    config = _anywhere(config)
    weights = {split: config.num_samples.of(split) for split in SPLITS}
    sources: list[PlannedSource] = []
    refused: list[RefusedSource] = []
    if config.num_samples.total:
        for found in _found(config, seen, progress):
            sources += deal_by_hash(found.sources, weights, seed=config.seed)
            refused += found.refused
        sources += [
            PlannedSource(source=words_in(language, split).source, split=split, path="")
            for split in SPLITS
            for language in languages_of(config.scripts)
            if weights[split]
        ]
        families = typefaces(config.fonts).families
        sources += [PlannedSource(source=source, split="", path="") for source in font_sources(families)]
    if pages is not None:
        sources += _deal_runs(pages, weights if config.num_samples.total else _TAKEN_ONLY_WEIGHTS)
        refused += (replace(page, is_picture=True) for page in pages.refused)
    if config.captured is not None:
        near_bits = config.quality.near_duplicate_bits
        classes = config.labels.classes
        screens = find_captured(config.captured, near_bits=near_bits, classes=classes, seen=seen, progress=progress)
        shares = weights if config.num_samples.total else _TAKEN_ONLY_WEIGHTS
        if classes is None:
            sources += _deal_runs(screens, shares)
        else:
            # Runs of a folder of classes would give each split classes of its own.
            sources += deal_by_hash(screens.sources, shares, seed=config.seed)
        refused += (replace(screen, is_picture=screen.reason not in LABEL_REASONS) for screen in screens.refused)
    return Plan(config=config, sources=tuple(sources), refused=tuple(refused), versions=_versions(config))


def _anywhere(config: CorpusConfig) -> CorpusConfig:
    """Return the config with absolute paths, which hold for workers in other folders."""
    fields = PLACES if config.fonts == SYSTEM else {*PLACES, "fonts"}
    places = {field: getattr(config, field) for field in fields}
    local = {field: place for field, place in places.items() if place is not None and not is_remote(place)}
    found: dict[str, Any] = {
        field: str(Path(place.removeprefix("file://")).absolute()) for field, place in local.items()
    }
    checkpoint = config.masks.sam_checkpoint
    if checkpoint is not None and not is_remote(checkpoint):
        found["masks"] = replace(config.masks, sam_checkpoint=str(Path(checkpoint).absolute()))
    return replace(config, **found)


def _found(config: CorpusConfig, seen: Seen | None, progress: Progress | None) -> Iterator[Found]:
    """Give the photographs, texts and source files, those that are asked for."""
    yield find_photos(
        config.photos, licence=config.photo_licence, classes=config.photo_classes, seen=seen, progress=progress
    )
    if config.texts is not None:
        yield find_texts(config.texts, covers=typefaces(config.fonts).covers, seen=seen, progress=progress)
    if config.code is not None:
        yield find_code(config.code, seen=seen, progress=progress)


def _deal_runs(found: Found, weights: dict[str, int]) -> tuple[PlannedSource, ...]:
    # Neighbouring frames, and pages of one site, look alike, so each split gets a run of them. One or two go to the
    # largest splits.
    ranked = sorted(SPLITS, key=lambda split: -weights[split])
    served = set(ranked[: len(found.sources)])
    return deal_in_order(found.sources, {split: weights[split] if split in served else 0 for split in SPLITS})


def _versions(config: CorpusConfig) -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in _DISTRIBUTIONS}
    if config.masks.sam_checkpoint is not None:
        versions["sam_checkpoint_sha256"] = digest_of(located(config.masks.sam_checkpoint))
    if config.labels.checkpoint is not None and config.captured is not None:
        versions["labeller_sha256"] = weights_digest(config.labels.checkpoint)
    if config.pages is not None or config.renderers.get("browser", 0) > 0:
        # Imported here: it needs playwright, and starts a browser.
        from datagen.pages import chromium_version

        versions["chromium"] = chromium_version()
    return versions
