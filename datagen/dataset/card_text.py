"""The words of a dataset card, after Datasheets for Datasets (Gebru et al. 2021): every figure is handed in."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.dataset.stats import MOST_CLASSES, Group, Statistics

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_FEATURES = {"png": "image", "label.png": "image", "regions.png": "image", "json": "json"}
_FEATURES |= {"__key__": "string", "__url__": "string"}
"""What the Hugging Face library makes of each member."""
_EXACT = {
    "compositor": "exact by construction: whatever draws a pixel also writes its label",
    "differential": "exact by rendering twice: the page is drawn with two fillings of its photographs, and the pixels "
    "that change are natural",
    "none": "not labelled: 255 everywhere",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a card says, from the corpus itself."""

    name: str
    licence: str
    statistics: Statistics
    splits: Mapping[str, Mapping[str, int]]
    """As the manifest counts them."""
    stems: Mapping[str, str]
    """What a split's shards are called before their number."""
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    plan_sha256: str
    quarantined: int

    @property
    def description(self) -> str:
        """One sentence."""
        scenes = ", ".join(group.name.replace("_", " ") for group in self.statistics.scenes[:6])
        return (
            f"{self.statistics.num_samples:,} labelled screen pictures ({scenes}): each pixel is synthetic (drawn), "
            "natural (photographed) or ignored, with class-agnostic region maps and the provenance of every source."
        )


def readme(facts: Facts) -> str:
    """Return README.md."""
    sections = (_composition, _members, _labels, _splits, _sources, _making, _rejections, _limits, _loading)
    parts = [_front_matter(facts), f"# {facts.name}\n\n{facts.description}\n"]
    parts += ["\n".join(section(facts)) + "\n" for section in sections]
    return "\n".join(parts)


def _front_matter(facts: Facts) -> str:
    # A JSON string is a YAML string, so names may hold anything.
    lines = ["---", f"pretty_name: {json.dumps(facts.name)}", f"license: {facts.licence}"]
    if facts.licence == "other":
        lines += ["license_name: per-source"]
    lines += ["task_categories:", "- image-segmentation", "size_categories:"]
    total = facts.statistics.num_samples
    lines += [f"- {next((name for limit, name in _SIZES if total < limit), 'n>1M')}", "tags:"]
    lines += [f"- {tag}" for tag in ("screen-content", "synthetic", "webdataset", "croissant")]
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split in facts.splits:
        lines += [f"  - split: {split}", f"    path: {json.dumps(facts.stems[split] + '-*.tar')}"]
    lines += ["dataset_info:", "  config_name: default", "  features:"]
    # Without them `datasets` infers the metadata's fields from five samples and drops what others have besides.
    for name, kind in _FEATURES.items():
        lines += [f"  - name: {name}", f"    dtype: {kind}"]
    lines += ["  splits:"]
    for split, counts in facts.splits.items():
        lines += [f"  - name: {split}", f"    num_bytes: {counts['tar_bytes']}"]
        lines += [f"    num_examples: {counts['num_samples']}"]
    size = sum(counts["tar_bytes"] for counts in facts.splits.values())
    lines += [f"  download_size: {size}", f"  dataset_size: {size}", "---", ""]
    return "\n".join(lines)


def _composition(facts: Facts) -> Iterator[str]:
    statistics = facts.statistics
    shares = ", ".join(f"{100 * share:.1f} % {name}" for name, share in statistics.pixel_shares.items())
    yield "## Composition"
    yield ""
    yield (
        f"{statistics.num_samples:,} samples, {statistics.megapixels:,.1f} million pixels ({shares}), "
        f"{statistics.tar_bytes / 1e6:,.1f} MB in {statistics.num_shards:,} shards."
    )
    for title, groups in (("scene", statistics.scenes), ("size", statistics.sizes)):
        yield ""
        yield from _table((title, "samples", "share"), (_cells(group) for group in groups))
    yield ""
    if statistics.classes:
        yield from _classes(statistics.classes)
        yield ""
    spreads = statistics.spreads
    yield from _table(
        ("of a sample", "mean", "least", "median", "most"),
        ((s.name, *map(_number, (s.mean, s.deciles[0], s.deciles[5], s.deciles[-1]))) for s in spreads if s.deciles),
    )


def _classes(classes: Sequence[Group]) -> Iterator[str]:
    yield "What samples show, some of them several things (`classes` in JSON and side-cars, else the scene):"
    yield ""
    yield from _table(("class", "samples", "share"), (_cells(group) for group in classes[:MOST_CLASSES]))
    if len(classes) > MOST_CLASSES:
        yield ""
        yield f"and {len(classes) - MOST_CLASSES:,} rarer classes; `diptych dataset stats --json` counts all."


def _members(facts: Facts) -> Iterator[str]:
    yield "## A sample"
    yield ""
    yield f"Four members of `{next(iter(facts.stems.values()), 'NAME')}-000000.tar` that stand together share a key:"
    yield ""
    rows = (
        ("`KEY.png`", "the screen, 8-bit RGB"),
        ("`KEY.label.png`", "8-bit, same size: 0 synthetic (drawn), 1 natural (photographed), 255 ignore (both)"),
        ("`KEY.regions.png`", "16-bit, same size: class-agnostic region ids, dense from 1; 0 = none"),
        ("`KEY.json`", "size, scene, how labelled and masked, every source with licence and digest, seed, versions"),
    )
    yield from _table(("member", "content"), rows)
    yield ""
    yield "The parquet beside each tar has one row a sample: place in the tar, digests, sizes, label shares."


def _labels(facts: Facts) -> Iterator[str]:
    yield "## Labels"
    yield ""
    yield "A pixel is natural if its colour comes from a photograph alone, synthetic if it depends on no photograph,"
    yield "and ignored (255) where it mixes both, as at blended edges, or where nobody knows."
    yield ""
    for group in facts.statistics.how_labelled:
        how = _EXACT.get(group.name, "predicted by a trained model, with its confidence; 255 where it is not sure")
        yield f"- `{group.name}`: {group.num_samples:,} samples, {how}."
    yield ""
    yield "Region maps (which pixels form one object, of no class) were made by:"
    yield ""
    for group in facts.statistics.how_masked:
        yield f"- `{group.name}`: {group.num_samples:,} samples."


def _splits(facts: Facts) -> Iterator[str]:
    yield "## Splits"
    yield ""
    yield from _table(
        ("split", "samples", "shards", "MB"),
        (
            (name, f"{c['num_samples']:,}", f"{c['num_shards']:,}", f"{c['tar_bytes'] / 1e6:,.1f}")
            for name, c in facts.splits.items()
        ),
    )
    yield ""
    yield "Splits are by source: no photograph, page or captured screen is shown in two of them."


def _sources(facts: Facts) -> Iterator[str]:
    yield "## Sources and licences"
    yield ""
    yield f"{facts.statistics.num_sources:,} sources; each sample's JSON names its own, with digest and origin."
    yield ""
    yield from _table(
        ("kind", "licence", "sources", "uses"),
        ((g.kind, g.licence, f"{g.num_sources:,}", f"{g.num_uses:,}") for g in facts.statistics.sources),
    )
    if facts.licence == "other":
        yield ""
        yield "The corpus as a whole has no licence of its own: what holds for a sample follows from its sources."


def _making(facts: Facts) -> Iterator[str]:
    yield "## How it was made"
    yield ""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(facts.versions.items()))
    renderers = ", ".join(f"{group.name} {group.num_samples:,}" for group in facts.statistics.renderers)
    yield f"By Diptych ({versions}). Samples by renderer: {renderers}."
    seed = facts.settings.get("seed")
    yield f"Plan `{facts.plan_sha256[:16]}`" + (f", seed {seed}." if seed is not None else ".")
    yield "The whole config stands in `manifest.json`. Any drawn sample can be made again, byte for byte, from the plan"
    yield "in this folder and its key, where the photographs are at hand:"
    yield ""
    yield "```"
    yield "diptych dataset check FOLDER --regenerate 1%"
    yield "```"


def _rejections(facts: Facts) -> Iterator[str]:
    statistics = facts.statistics
    yield "## What was left out"
    yield ""
    if not statistics.rejected and not statistics.redrawn and not facts.quarantined:
        yield "Nothing: every sample that was planned is here."
        return
    rows = [("planned and not made", reason, count) for reason, count in statistics.rejected.items()]
    rows += [("refused and drawn again", reason, count) for reason, count in statistics.redrawn.items()]
    rows += [("shards that kept failing", "", facts.quarantined)] if facts.quarantined else []
    yield from _table(("what", "reason", "times"), ((what, reason, f"{n:,}") for what, reason, n in rows))


def _limits(facts: Facts) -> Iterator[str]:
    yield "## Known limits"
    yield ""
    drawn = sum(group.num_samples for group in facts.statistics.renderers if group.name != "capture")
    if drawn:
        yield f"- {drawn:,} samples are drawn, not captured: layouts, words and icons come from generators and are less"
        yield "  varied than real screens. People, firms and messages in them are invented."
    if any(group.name not in ("compositor", "differential", "none") for group in facts.statistics.how_labelled):
        yield "- Predicted labels may be wrong; `confidence` in the side-car says how sure the model was."
    if drawn < facts.statistics.num_samples:
        yield "- Captured screens are of real use: they may show names, messages or trade marks."
    yield "- Photographs in the picture are natural whatever they show: a photographed sign with text is natural too."
    if any(source.licence == "unknown" for source in facts.statistics.sources):
        yield "- Some sources came without a licence; see the table above."


def _loading(facts: Facts) -> Iterator[str]:
    split = next(iter(facts.splits), "train")
    stem = facts.stems.get(split, "NAME-train")
    last = max(facts.splits.get(split, {}).get("num_shards", 1) - 1, 0)
    tars = f"{stem}-{{000000..{last:06d}}}.tar" if last else f"{stem}-000000.tar"
    yield "## How to load it"
    yield ""
    yield "```python"
    yield "import io, numpy, PIL.Image, webdataset"
    yield ""
    yield "# webdataset's own decoders make 8-bit colour of everything; region ids have 16 bits."
    yield "plane = lambda data: numpy.asarray(PIL.Image.open(io.BytesIO(data)))"
    yield 'maps = webdataset.handle_extension("label.png regions.png", plane)'
    yield f'for sample in webdataset.WebDataset("{tars}", shardshuffle=False).decode(maps, "rgb8"):'
    yield '    picture, label, regions = sample["png"], sample["label.png"], sample["regions.png"]'
    yield ""
    yield "import datasets"
    yield f'rows = datasets.load_dataset("FOLDER", split="{split}")  # where this file lies, or the hub\'s name for it'
    yield "```"
    yield ""
    yield f"Or with nothing but tar: `tar xf {stem}-000000.tar`."


def _cells(group: Group) -> tuple[str, ...]:
    return group.name, f"{group.num_samples:,}", f"{100 * group.share:.1f} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _line(head)
    yield _line(["---"] * len(head))
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> str:
    # A bar would end the cell, a line break the row; names come from outside.
    plain = (" ".join(str(cell).replace("|", "\\|").split()) for cell in cells)
    return f"| {' | '.join(plain)} |"
