"""Statistics are what the samples themselves say, counted from the side-cars."""

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from datagen.dataset.show import show_sample
from datagen.dataset.stats import DECILES, Statistics, measure, write_rows
from datagen.dataset.tables import to_tables
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.encoded import encode
from pipeline.formats.sample import FIELDS, IGNORE, NATURAL, SYNTHETIC, Sample
from pipeline.formats.shards import Rejection
from tests.dataset_corpus import build_small, decoded, forge
from tests.test_cli import diptych


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven samples: one of them captured and labelled by a model, one rejected."""
    drawn = build_small(tmp_path_factory.mktemp("small"))

    def change(split: str, items: list) -> list:  # type: ignore[type-arg]
        if split == "val":
            sample = decoded(items[0])
            info = replace(sample.info, kind="capture", how_labelled="mtl_sci 1234", details={"confidence": 0.75})
            return [encode(replace(sample, info=info), compress_level=1)]
        if split == "test":
            return [items[0], Rejection(key="test-000001", reason="source_changed", message="photo0.png: changed")]
        return items

    return forge(drawn, tmp_path_factory.mktemp("forged") / "corpus", change)


@pytest.fixture(scope="module")
def samples(corpus: Path) -> list[tuple[str, Sample]]:
    store = Store(corpus)
    opened = [open_split(store, split) for split in ("train", "val", "test")]
    return [(split.split, split.sample(index)) for split in opened for index in range(split.num_samples)]


@pytest.fixture(scope="module")
def statistics(corpus: Path) -> Statistics:
    progress = Tally()
    measured = measure(Store(corpus), progress=progress)
    assert progress.num_done == progress.num_total == 6
    return measured


def test_groups_count_samples_pixels_and_bytes(statistics: Statistics, samples: list[tuple[str, Sample]]) -> None:
    assert statistics.num_samples == 6 and statistics.rejected == {"source_changed": 1}
    assert {group.name: group.num_samples for group in statistics.splits} == {"train": 4, "val": 1, "test": 1}
    assert {g.name: g.num_samples for g in statistics.scenes} == Counter(sample.info.kind for _, sample in samples)
    assert {group.name: group.num_samples for group in statistics.renderers} == {"raster": 5, "capture": 1}
    (size,) = statistics.sizes
    assert (size.name, size.share, size.megapixels) == ("480x320", 1.0, round(6 * 480 * 320 / 1e6, 3))
    for groups in (
        statistics.splits,
        statistics.scenes,
        statistics.renderers,
        statistics.how_labelled,
        statistics.how_masked,
    ):
        assert sum(group.num_bytes for group in groups) == size.num_bytes


def test_shares_and_regions_are_those_of_the_maps(statistics: Statistics, samples: list[tuple[str, Sample]]) -> None:
    spreads = {spread.name: spread for spread in statistics.spreads}
    for name, value in (("synthetic", SYNTHETIC), ("natural", NATURAL), ("ignore", IGNORE)):
        shares = [float(np.mean(sample.label == value)) for _, sample in samples]
        expected = np.quantile(shares, np.array(DECILES) / 100, method="inverted_cdf")
        assert np.allclose(spreads[f"{name} share"].deciles, expected, atol=1e-5)
        assert abs(spreads[f"{name} share"].mean - np.mean(shares)) < 1e-5
        assert abs(statistics.pixel_shares[name] - np.mean(shares)) < 1e-5
    counts = [int(sample.regions.max()) for _, sample in samples]
    assert spreads["regions"].deciles[0] == min(counts) and spreads["regions"].deciles[-1] == max(counts)


def test_sources_are_counted_by_kind_and_licence(statistics: Statistics, samples: list[tuple[str, Sample]]) -> None:
    uses = Counter(source.kind for _, sample in samples for source in sample.info.sources)
    found: Counter[str] = Counter()
    for group in statistics.sources:
        found[group.kind] += group.num_uses
        assert group.licence == ("unknown" if group.kind == "photo" else "Apache-2.0")
    assert found == uses
    assert statistics.num_sources == len({s.sha256 for _, sample in samples for s in sample.info.sources})


def test_tables_fit_a_terminal_and_json_is_complete(corpus: Path, statistics: Statistics) -> None:
    tables = to_tables(statistics)
    assert [row["of a sample"] for row in tables["spread"]][:3] == ["mean", "least", "10 %"]
    done = diptych("dataset", "stats", corpus)
    assert done.returncode == 0 and "rejected: source_changed 1" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 160
    done = diptych("dataset", "stats", corpus, "--json")
    assert json.loads(done.stdout)["splits"][0] == {
        "name": "train",
        "num_samples": 4,
        "share": round(4 / 6, 6),
        "megapixels": round(4 * 480 * 320 / 1e6, 3),
        "num_bytes": statistics.splits[0].num_bytes,
    }


def test_all_side_cars_become_one_parquet(corpus: Path, tmp_path: Path) -> None:
    done = diptych("dataset", "stats", corpus, "--parquet", tmp_path / "rows.parquet", "--json")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.num_rows == 6 and table.column_names[:3] == ["split", "stem", "key"]
    assert Counter(table.column("split").to_pylist()) == {"train": 4, "val": 1, "test": 1}
    assert table.column("confidence").drop_null().to_pylist() == [0.75]


def test_classes_are_counted_where_a_corpus_names_any(corpus: Path, statistics: Statistics, tmp_path: Path) -> None:
    assert statistics.classes == statistics.classed_splits == () and "classes" not in to_tables(statistics)

    def change(split: str, items: list) -> list:  # type: ignore[type-arg]
        if split != "train":
            return items
        head, *rest = items
        info = replace(decoded(head).info, classes=("dog", "sofa"))
        return [encode(replace(decoded(head), info=info), compress_level=1), *rest]

    named = forge(corpus, tmp_path / "named", change)
    measured = measure(Store(named), progress=Tally())
    kinds = Counter(open_split(Store(named), "train").row(place)["kind"] for place in (1, 3))
    kinds += Counter(open_split(Store(named), split).row(0)["kind"] for split in ("val", "test"))
    assert {group.name: group.num_samples for group in measured.classes} == {"dog": 2, "sofa": 2} | kinds
    assert measured.classed_splits == ("train",)
    rows = to_tables(measured)["classes"]
    assert {row["class"]: row["samples"] for row in rows} == {"dog": 2, "sofa": 2} | kinds
    assert {row["%"] for row in rows if row["class"] == "dog"} == {33.3}

    path = tmp_path / "rows.parquet"
    for folder, expected in ((named, [["dog", "sofa"], None] * 2 + [None] * 2), (corpus, [None] * 6)):
        assert write_rows(Store(folder), path, progress=Tally()) == 6
        table = pq.read_table(path).sort_by([("stem", "ascending"), ("key", "ascending")])
        found = dict(zip(*(table.column(name).to_pylist() for name in ("key", "classes")), strict=True))
        assert [found[key] for key in sorted(found, key=lambda key: ("train" not in key, key))] == expected


def test_a_corpus_behind_a_url_is_counted_and_tars_are_not_opened(corpus: Path, statistics: Statistics) -> None:
    store = Store("memory://counted")
    for path in corpus.iterdir():
        if path.suffix != ".tar":
            store.write_bytes(path.name, path.read_bytes())
    assert replace(measure(store, progress=Tally()), corpus=str(corpus)) == statistics


def test_damage_is_one_clear_line(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"no manifest.json; not a finished corpus"):
        measure(Store(tmp_path), progress=Tally())
    shutil.copytree(corpus, tmp_path / "copy")
    (tmp_path / "copy" / "small-train-000001.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(ShardError, match=r"small-train-000001\.parquet"):
        measure(Store(tmp_path / "copy"), progress=Tally())


def test_a_sample_is_shown_and_its_members_are_files(corpus: Path, tmp_path: Path) -> None:
    split = open_split(Store(corpus), "train")
    shown = show_sample(Store(corpus), "train-000002", out=tmp_path / "one")
    assert (shown["split"], shown["kind"]) == ("train", split.sample(2).info.kind)
    members = split.members(2)
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == {
        f"train-000002.{ending}": members[ending] for ending in FIELDS
    }
    done = diptych("dataset", "show", corpus, "val-000000")
    assert done.returncode == 0 and "how labelled: mtl_sci 1234" in done.stdout
    with pytest.raises(UsageError, match=r"no sample 'nobody'; keys look like"):
        show_sample(Store(corpus), "nobody")
