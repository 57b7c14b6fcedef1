"""A gallery of a corpus: one HTML file that opens anywhere and loads nothing from anywhere."""

import html
import json
from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from datagen.dataset.listing import ShardRow, read_shard_table, sidecars
from datagen.dataset.overlays import Shown, shrink
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.base.seeds import derive_seed
from pipeline.base.store import Store
from pipeline.formats.encoded import COLUMN
from pipeline.formats.sample import FIELDS, Sample, decode_sample, source_row
from pipeline.formats.shards import read_manifest

_FILES = Path(__file__).parent / "gallery"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewConfig:
    """Which samples a gallery shows."""

    num_samples: int = 48
    split: str | None = None
    scene: str | None = None
    seed: int = 0
    """Another seed shows other samples."""
    max_megabytes: float = 24.0
    """Of the page; pictures are shown smaller to stay below, 320 pixels at the least."""

    def __post_init__(self) -> None:
        if self.num_samples < 1 or self.max_megabytes <= 0:
            raise ValueError("num_samples must be 1 or more, max_megabytes positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSummary:
    """What a gallery shows."""

    page: str
    num_samples: int
    num_bytes: int
    scenes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A sample that was chosen, and where it lies."""

    shard: ShardRow
    row: dict[str, Any]


def view(store: Store, page: Path, config: ViewConfig, *, progress: Progress) -> ViewSummary:
    """Write a gallery of a finished corpus to `page`.

    Raises: ShardError: the corpus is damaged; UsageError: no sample fits.
    """
    chosen, num_fitting = choose(store, config)
    progress.total(len(chosen))
    max_bytes = int(config.max_megabytes * 1e6 / len(chosen))
    entries = []
    for item in chosen:
        sample, num_bytes = _read(store, item)
        shown = shrink(sample, max_bytes=max_bytes)
        entries.append(_entry(item, sample, shown, num_bytes))
        progress.advance()
    name = read_manifest(store).get("config", {}).get("name", "corpus")
    data = _page(str(name), f"{len(chosen):,} of {num_fitting:,} samples, evenly over the scenes", entries)
    Store(page.absolute().parent).write_bytes(page.name, data)
    scenes: dict[str, int] = defaultdict(int)
    for item in chosen:
        scenes[item.row["kind"]] += 1
    return ViewSummary(
        page=str(page), num_samples=len(chosen), num_bytes=len(data), scenes=dict(sorted(scenes.items()))
    )


def choose(store: Store, config: ViewConfig) -> tuple[tuple[Chosen, ...], int]:
    """Return the samples to show, the same for the same seed, evenly over the scenes; and how many fit.

    Raises: UsageError: none fits.
    """
    num_fitting = 0
    # A scene keeps its `num_samples` best ranks, so memory does not grow with the corpus.
    ranked: dict[str, list[tuple[int, Chosen]]] = defaultdict(list)
    for shard, table in sidecars(store, read_shard_table(store)):
        if config.split is not None and shard.split != config.split:
            continue
        kinds, keys = table.column("kind").to_pylist(), table.column("key").to_pylist()
        for place, (kind, key) in enumerate(zip(kinds, keys, strict=True)):
            if config.scene is None or kind == config.scene:
                num_fitting += 1
                found, rank = ranked[kind], derive_seed(config.seed, "view", key)
                if len(found) < config.num_samples or rank < found[-1][0]:
                    row = table.slice(place, 1).to_pylist()[0]
                    insort(found, (rank, Chosen(shard=shard, row=row)), key=lambda item: item[0])
                    del found[config.num_samples :]
    if not ranked:
        wanted = ", ".join(f"{name} {value!r}" for name, value in _wanted(config))
        raise UsageError(f"{store.url}: no samples{' of ' + wanted if wanted else ''}")
    rounds = zip_longest(*(ranked[scene] for scene in sorted(ranked)))
    chosen = [item[1] for items in rounds for item in items if item is not None]
    return tuple(chosen[: config.num_samples]), num_fitting


def _wanted(config: ViewConfig) -> Iterator[tuple[str, str]]:
    for name, value in (("split", config.split), ("scene", config.scene)):
        if value is not None:
            yield name, value


def _read(store: Store, chosen: Chosen) -> tuple[Sample, int]:
    row, tar = chosen.row, f"{chosen.shard.stem}.tar"
    members = {
        ending: store.read_bytes(tar, start=row[f"{COLUMN[ending]}_offset"], size=row[f"{COLUMN[ending]}_size"])
        for ending in FIELDS
    }
    return decode_sample(members, where=f"{store.where(tar)}: {row['key']}"), sum(map(len, members.values()))


def _entry(chosen: Chosen, sample: Sample, shown: Shown, num_bytes: int) -> dict[str, Any]:
    info, row = sample.info, chosen.row
    return {
        "key": info.key,
        "split": chosen.shard.split,
        "shard": chosen.shard.stem,
        "scene": info.kind,
        "width": info.width,
        "height": info.height,
        "shown": [shown.width, shown.height],
        "picture": shown.picture,
        "layers": shown.layers,
        "shares": {name: row[f"{name}_fraction"] for name in ("synthetic", "natural", "ignore")},
        "num_regions": row["num_regions"],
        "how_labelled": info.how_labelled,
        "how_masked": info.how_masked,
        "confidence": row["confidence"],
        "bytes": num_bytes,
        "details": info.details,
        "sources": [source_row(source) for source in info.sources],
        # As text: JavaScript's numbers end at 2**53.
        "seed": str(info.seed),
        "versions": info.versions,
    }


def _page(title: str, subtitle: str, entries: Sequence[dict[str, Any]]) -> bytes:
    # "<" would end the script element; JSON holds it as an escape just as well.
    samples = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "title": html.escape(title),
        "subtitle": html.escape(subtitle),
        "style": (_FILES / "gallery.css").read_text(encoding="utf-8"),
        "script": (_FILES / "gallery.js").read_text(encoding="utf-8"),
        "samples": samples,
    }
    before, *rest = (_FILES / "gallery.html").read_text(encoding="utf-8").split("{{")
    pieces = [before]
    for piece in rest:
        name, _, text = piece.partition("}}")
        pieces += [parts[name], text]
    return "".join(pieces).encode()
