"""The corpus: counts, shares, and sample pictures under their label and region maps."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipeline.base.store import Store
from pipeline.evaluation.figures import OVERVIEW_SIDE, label_overlay_uri, overview_uri, regions_overlay_uri
from pipeline.evaluation.page import Section, Tile, absent, figure, folded, grid, image, paragraph, table, text
from pipeline.evaluation.sections.words import count, library_versions, settings, share, size
from pipeline.formats.corpus import open_split
from pipeline.formats.sample import Sample, label_fractions
from pipeline.formats.shards import SHARD_TABLE, read_manifest, read_parquet

ANCHOR, TITLE = "corpus", "Corpus"
MAX_SIDECARS = 256
"""Side-cars read for the shares; a larger corpus is judged by its first shards, and the page says so."""

_COLUMNS = ["kind", "how_labelled", "how_masked", "synthetic_fraction", "natural_fraction", "ignore_fraction"]
_VIEWS = {"picture": "Picture", "label": "Labels", "regions": "Regions"}


@dataclass(slots=True)
class _Scenes:
    """What the side-cars say, by scene."""

    num_shards: int = 0
    samples: Counter[str] = field(default_factory=Counter)
    shares: dict[str, Counter[str]] = field(default_factory=dict)
    how_labelled: Counter[str] = field(default_factory=Counter)
    how_masked: Counter[str] = field(default_factory=Counter)
    first: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Split and number of each scene's first sample."""


def corpus_section(folder: str | None, *, num_samples: int = 6) -> Section:
    """Return the part of the page about the corpus in `folder`; at most `num_samples` scenes are shown.

    Raises: ShardError: it is unfinished or damaged.
    """
    if folder is None:
        return Section(anchor=ANCHOR, title=TITLE, body=absent("No corpus was given."))
    store = Store(folder)
    manifest = read_manifest(store)
    scenes = _scenes(store)
    num_held = sum(split["num_samples"] for split in manifest["splits"].values())
    parts = [
        paragraph(_lead(manifest, num_held)),
        _split_table(manifest["splits"]),
        _scene_table(scenes),
        paragraph(_how(scenes, manifest), kind="note"),
        _samples(store, scenes, num_samples),
        settings("Config of the corpus", manifest["config"]),
        library_versions(manifest["versions"]),
    ]
    tile = Tile(
        label="Corpus",
        value=count(num_held, "screen"),
        note=f"{count(len(scenes.samples), 'scene')}, {count(len(manifest['splits']), 'split')}",
    )
    return Section(anchor=ANCHOR, title=TITLE, body="".join(parts), tiles=(tile,))


def _scenes(store: Store) -> _Scenes:
    scenes = _Scenes()
    places: Counter[str] = Counter()
    for shard in read_parquet(store, SHARD_TABLE, columns=["stem", "split"]).slice(0, MAX_SIDECARS).to_pylist():
        scenes.num_shards += 1
        for row in read_parquet(store, f"{shard['stem']}.parquet", columns=_COLUMNS).to_pylist():
            _take(scenes, row, (shard["split"], places[shard["split"]]))
            places[shard["split"]] += 1
    return scenes


def _take(scenes: _Scenes, row: dict[str, Any], place: tuple[str, int]) -> None:
    kind = row["kind"]
    scenes.samples[kind] += 1
    shares = scenes.shares.setdefault(kind, Counter())
    for name in ("synthetic_fraction", "natural_fraction", "ignore_fraction"):
        shares[name] += row[name]
    scenes.how_labelled[row["how_labelled"]] += 1
    scenes.how_masked[row["how_masked"]] += 1
    scenes.first.setdefault(kind, place)


def _lead(manifest: dict[str, Any], num_samples: int) -> str:
    num_bytes = sum(split["tar_bytes"] for split in manifest["splits"].values())
    lead = f"{count(num_samples, 'labelled screen')}, {size(num_bytes)} in WebDataset shards; splits share no source."
    if manifest["rejected"]:
        reasons = ", ".join(f"{reason} {number}" for reason, number in manifest["rejected"].items())
        lead += f" Planned and not written: {reasons}."
    return lead


def _split_table(splits: dict[str, dict[str, int]]) -> str:
    rows = [
        (name, f"{split['num_samples']:,}", f"{split['num_shards']:,}", size(split["tar_bytes"]))
        for name, split in splits.items()
    ]
    return table(("Split", "Samples", "Shards", "Bytes"), rows)


def _scene_table(scenes: _Scenes) -> str:
    rows = [
        (
            kind,
            f"{number:,}",
            *(share(scenes.shares[kind][f"{name}_fraction"] / number) for name in ("synthetic", "natural", "ignore")),
        )
        for kind, number in sorted(scenes.samples.items())
    ]
    return table(("Scene", "Samples", "Synthetic", "Natural", "Ignored"), rows, caption="Mean share of pixels by class")


def _how(scenes: _Scenes, manifest: dict[str, Any]) -> str:
    labelled = ", ".join(f"{how} ({number:,})" for how, number in scenes.how_labelled.most_common())
    masked = ", ".join(f"{how} ({number:,})" for how, number in scenes.how_masked.most_common())
    num_shards = sum(split["num_shards"] for split in manifest["splits"].values())
    partly = (
        f" Shares are of the first {scenes.num_shards} of {num_shards} shards."
        if scenes.num_shards < num_shards
        else ""
    )
    return f"Labels by {labelled}. Region maps by {masked}.{partly}"


def _samples(store: Store, scenes: _Scenes, num_samples: int) -> str:
    """One sample a scene; radio buttons, which need no script, choose what lies over all of them."""
    chosen = list(scenes.first.values())[:num_samples]
    figures = [_sample_figure(open_split(store, split).sample(index), split) for split, index in chosen]
    buttons = "".join(
        f'<input class="switch" type="radio" name="show" id="show-{name}"{" checked" if name == "label" else ""}>'
        for name in _VIEWS
    )
    labels = "".join(f'<label for="show-{name}">{title}</label>' for name, title in _VIEWS.items())
    key = (
        '<ul class="key"><li class="synthetic">synthetic (drawn)</li><li class="natural">natural (photographed)</li>'
        "<li>ignored (both, or not known)</li></ul>"
    )
    # Two or four stand in pairs: three beside each other would leave one alone.
    kind = "samples pairs" if len(figures) in (2, 4) else "samples"
    return (
        '<fieldset class="views"><legend class="note">One sample of each scene; show over it:</legend>'
        f'{buttons}<div class="choices">{labels}</div>{key}{grid(figures, kind=kind)}</fieldset>'
        + paragraph(f"Pictures here are scaled to at most {OVERVIEW_SIDE} pixels and lossily coded.", kind="note")
    )


def _sample_figure(sample: Sample, split: str) -> str:
    info = sample.info
    scale = min(1.0, OVERVIEW_SIDE / max(info.width, info.height))
    shown = (max(1, round(info.width * scale)), max(1, round(info.height * scale)))
    layers = (
        image(overview_uri(sample.picture), alt=f"Sample {info.key}, scene {info.kind}", size=shown),
        image(label_overlay_uri(sample.label), alt="", size=shown, kind="layer label"),
        image(regions_overlay_uri(sample.regions), alt="", size=shown, kind="layer regions"),
    )
    shares = label_fractions(sample.label)
    detail = (
        f"{info.key}, {split}, {info.width}x{info.height}, natural {share(shares['natural_fraction'])}; "
        f"labels: {info.how_labelled}; regions: {info.how_masked} ({int(sample.regions.max())})"
    )
    sources = "".join(f"<li>{text(f'{s.kind}: {s.name} ({s.licence}), {s.origin}')}</li>" for s in info.sources)
    body = figure(f'<div class="layers">{"".join(layers)}</div>', caption=info.kind, detail=detail)
    return body.replace("</figure>", folded(count(len(info.sources), "source"), f"<ul>{sources}</ul>") + "</figure>")
