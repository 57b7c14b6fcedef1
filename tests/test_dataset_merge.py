"""Several corpora made one: nothing twice, nothing in two splits, nothing lost without a reason."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen import build
from datagen.config import Counts
from datagen.dataset import merge as stage
from datagen.dataset import split as splitting
from datagen.dataset.check import CheckConfig, check
from datagen.dataset.groups import Rows
from datagen.dataset.leaks import KEEPERS, find_leaks
from datagen.dataset.merge import MergeConfig
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.sample import Sample
from pipeline.formats.shards import read_manifest, read_record
from tests.given_corpus import FONT, WORDS, contents, sample, source, write_given
from tests.small_corpus import photo_folder, small_config


def series(mark: str, split: str, count: int) -> list[Sample]:
    """Return samples with the usual keys; those of another `mark` show other pixels and other sources."""
    seeds = range(1000 * ord(mark), 1000 * ord(mark) + count)
    return [
        sample(f"{split}-{n:06d}", source(f"{mark}{split}{n}"), FONT, WORDS, seed=seed + len(split) * 100)
        for n, seed in enumerate(seeds)
    ]


def samples_of(corpus: str | Path) -> dict[str, tuple[str, Sample]]:
    """Return each sample and its split by key."""
    found = {}
    for name in read_manifest(Store(corpus))["splits"]:
        opened = open_split(Store(corpus), name)
        for index in range(opened.num_samples):
            made = opened.sample(index)
            found[made.info.key] = (name, made)
    return found


def reasons(corpus: Path) -> dict[str, str]:
    """Return the reason of each key that the commit records list as rejected."""
    records = [read_record(Store(corpus), path.name.removesuffix(".done.json")) for path in corpus.glob("*.done.json")]
    return {refused.key: refused.reason for record in records if record for refused in record.rejected}


def test_all_samples_keep_their_splits_and_colliding_keys_get_a_prefix(tmp_path: Path) -> None:
    first = write_given(tmp_path / "a", {"train": series("a", "train", 6), "test": series("a", "test", 2)})
    second = write_given(tmp_path / "b", {"train": series("b", "train", 5), "val": series("b", "val", 1)}, name="more")
    out = tmp_path / "c"
    summary = stage.run([first, second], MergeConfig(samples_per_shard=4), str(out), progress=Tally())
    assert summary.num_samples == {"train": 11, "val": 1, "test": 2} and not summary.rejected
    ((label, prefix),) = summary.key_prefixes.items()
    assert label.startswith("more ") and prefix.rstrip("-") in label
    renamed = {prefix + key: found for key, found in samples_of(second).items()}
    before = samples_of(first) | renamed
    after = samples_of(out)
    assert after.keys() == before.keys()
    for key, (split, made) in after.items():
        assert made.info.key == key, "the metadata must name the key it stands under"
        assert split == before[key][0] and np.array_equal(made.picture, before[key][1].picture)
        assert made.info.sources == before[key][1].info.sources
    old, new = open_split(Store(first), "test"), open_split(Store(out), "test")
    assert [new.encoded(index) for index in range(2)] == [old.encoded(index) for index in range(2)]


def test_equal_pixels_are_kept_once_and_the_others_counted(tmp_path: Path) -> None:
    one = [sample("x-0", source("a"), seed=1), sample("x-1", source("b"), seed=2), sample("x-2", source("c"), seed=1)]
    two = [sample("y-0", source("d"), seed=2), sample("y-1", source("e"), seed=3)]
    first, second = write_given(tmp_path / "a", {"train": one}), write_given(tmp_path / "b", {"train": two})
    progress = Tally()
    summary = stage.run([first, second], MergeConfig(), str(tmp_path / "c"), progress=progress)
    assert summary.num_samples == {"train": 3} and summary.rejected == {"duplicate": 2} == dict(progress.rejected)
    assert progress.num_total == 5 and not summary.key_prefixes
    assert set(samples_of(tmp_path / "c")) == {"x-0", "x-1", "y-1"}
    assert reasons(tmp_path / "c") == {"x-2": "duplicate", "y-0": "duplicate"}
    record = read_record(Store(tmp_path / "c"), "merged-train-000000")
    assert record is not None and "same pixels as x-1 of screens" in record.rejected[1].message
    assert read_manifest(Store(tmp_path / "c"))["rejected"] == {"duplicate": 2}


def leaking(tmp_path: Path) -> list[str]:
    common, look = source("holiday.jpg"), "ab" * 32
    one = {
        "train": [sample("a-0", common), sample("a-1", source("p")), sample("a-2", look=look), sample("a-3", FONT)],
        "val": [sample("a-4", source("q"), seed=9)],
    }
    two = {
        "test": [sample("b-0", common, WORDS), sample("b-1", look="ab" * 31 + "aa")],
        "train": [sample("b-2", source("r"), seed=9), sample("b-3", FONT, WORDS)],
    }
    return [write_given(tmp_path / "a", one), write_given(tmp_path / "b", two)]


def test_a_leak_is_refused_with_the_list(tmp_path: Path) -> None:
    corpora = leaking(tmp_path)
    expected = r"3 leak\(s\) between splits: photo holiday\.jpg: a-0 \(train, screens \w+\), b-0 \(test, screens \w+\)"
    with pytest.raises(UsageError, match=expected) as caught:
        stage.run(corpora, MergeConfig(), str(tmp_path / "c"), progress=Tally())
    assert "equal pixels: b-2" in str(caught.value) and "nearly equal pictures: a-2" in str(caught.value)
    assert not (tmp_path / "c").exists()
    described = stage.describe(corpora, MergeConfig())
    assert described.num_leaks == 3 and described.rejected == {"leak": 3}
    assert stage.describe(corpora, MergeConfig(near_bits=0)).num_leaks == 2


def test_a_leak_can_be_dropped_from_all_splits_but_the_one_that_judges(tmp_path: Path) -> None:
    corpora = leaking(tmp_path)
    summary = stage.run(corpora, MergeConfig(on_leak="drop"), str(tmp_path / "c"), progress=Tally())
    assert summary.rejected == {"leak": 3} and reasons(tmp_path / "c") == dict.fromkeys(("a-0", "a-2", "b-2"), "leak")
    assert {key: split for key, (split, _) in samples_of(tmp_path / "c").items()} == {
        "a-1": "train",
        "a-3": "train",
        "a-4": "val",
        "b-0": "test",
        "b-1": "test",
        "b-3": "train",
    }
    assert not stage.describe([str(tmp_path / "c")], MergeConfig()).num_leaks


def test_the_manifest_says_what_came_from_where(tmp_path: Path) -> None:
    first = write_given(tmp_path / "a", {"train": series("a", "train", 2)})
    second = write_given(tmp_path / "b", {"train": series("b", "train", 2)}, name="more")
    stage.run([first, second], MergeConfig(name="both"), str(tmp_path / "c"), progress=Tally())
    config = read_manifest(Store(tmp_path / "c"))["config"]
    assert config["made_by"] == "dataset merge" and config["name"] == "both"
    assert [used["manifest"] for used in config["inputs"]] == [read_manifest(Store(path)) for path in (first, second)]
    long = write_given(tmp_path / "long", {"train": [sample("k" * 85, source("x"))]})
    longer = write_given(tmp_path / "longer", {"train": [sample("k" * 85, source("y"), seed=1)]})
    with pytest.raises(UsageError, match="too long for a tar"):
        stage.describe([long, longer], MergeConfig())
    with pytest.raises(UsageError, match="holds the same corpus as"):
        stage.describe([first, first], MergeConfig())


def test_a_run_again_makes_nothing_new_and_another_order_is_another_corpus(tmp_path: Path) -> None:
    corpora = leaking(tmp_path)
    config = MergeConfig(on_leak="drop", samples_per_shard=2)
    stage.run(corpora, config, str(tmp_path / "c"), progress=Tally())
    before = contents(tmp_path / "c")
    (tmp_path / "c" / "manifest.json").unlink()
    (tmp_path / "c" / "merged-train-000001.done.json").unlink()
    summary = stage.run(corpora, config, str(tmp_path / "c"), progress=Tally())
    assert summary.num_skipped_shards == summary.num_shards - 1
    assert contents(tmp_path / "c") == before
    with pytest.raises(UsageError, match="another corpus"):
        stage.run(corpora[::-1], config, str(tmp_path / "c"), progress=Tally())


def test_merged_and_split_drawings_can_still_be_drawn_again(tmp_path: Path) -> None:
    counts = Counts(train=3, val=1, test=1)
    for name, first in (("a", 0), ("b", 20)):
        photos = photo_folder(tmp_path / f"photos-{name}", 6, first=first)
        config = small_config(photos, num_samples=counts, scenes={"photo_viewer": 1.0}, seed=first)
        build.run(config, str(tmp_path / name), workers=1, progress=Tally())
    stage.run([str(tmp_path / "a"), str(tmp_path / "b")], MergeConfig(), str(tmp_path / "c"), progress=Tally())
    shares = splitting.SplitConfig(train=0.4, val=0.3, test=0.3, tolerance=0.5)
    splitting.run(str(tmp_path / "c"), shares, str(tmp_path / "d"), progress=Tally())
    for folder in ("c", "d"):
        summary = check(Store(tmp_path / folder), CheckConfig(regenerate=1.0), progress=Tally())
        assert not summary.findings and summary.num_drawn_again == 10


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(KEEPERS), st.sets(st.integers(0, 6), max_size=3)), min_size=1, max_size=25))
def test_without_what_is_left_out_no_two_splits_share_anything(made: list[tuple[str, set[int]]]) -> None:
    made.sort(key=lambda one: KEEPERS.index(one[0]))
    counts = Counter(split for split, _ in made)
    names = [name for name in KEEPERS if counts[name]]
    links = [(number, shown) for number, (_, sources) in enumerate(made) for shown in sorted(sources)]
    hashes = [None if number % 3 else bytes(32) for number in range(len(made))]
    digests = [bytes([number % 11]) * 32 for number in range(len(made))]

    def opened(name: str) -> CorpusSplit:
        first_index = np.asarray([0, counts[name]])
        return CorpusSplit(store=Store("memory://x"), split=name, stems=(), digests=(), first_index=first_index)

    rows = Rows(
        splits=tuple(map(opened, names)),
        split=np.repeat(np.arange(len(names)), [counts[name] for name in names]),
        index=np.concatenate([np.arange(counts[name]) for name in names]),
        table=pa.table(
            {
                "key": [f"k{number}" for number in range(len(made))],
                "pixels_sha256": pa.array(digests, pa.binary(32)),
                "perceptual_hash": pa.array(hashes, pa.binary(32)),
            }
        ),
        digests=tuple(str(number) for number in range(7)),
        link_sample=np.asarray([sample for sample, _ in links], dtype=np.int64),
        link_source=np.asarray([shown for _, shown in links], dtype=np.int64),
    )
    found = find_leaks(rows, [source(str(number)) for number in range(7)], {"memory://x": "x"}, near_bits=1)
    kept = [number for number in range(len(made)) if number not in found.left_out]
    for things in (
        [made[number][1] for number in range(len(made))],
        [{d} for d in digests],
        [{h} - {None} for h in hashes],
    ):
        shown: dict[object, set[str]] = {}
        for number in kept:
            for thing in things[number]:
                shown.setdefault(thing, set()).add(made[number][0])
        assert all(len(splits) == 1 for splits in shown.values())
    judged = [number for number, (split, _) in enumerate(made) if split == KEEPERS[0]]
    assert not set(judged) & set(found.left_out), "what a model is judged by stays whole"
    assert bool(found.leaks) == bool(found.left_out)
