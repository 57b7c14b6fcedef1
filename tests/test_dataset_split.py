"""A corpus dealt anew: groups stay whole, bytes stay the same, a stopped run goes on."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen import build
from datagen.config import SPLITS, Counts
from datagen.dataset import split as stage
from datagen.dataset.check import CheckConfig, check
from datagen.dataset.deal import FORMAT
from datagen.dataset.groups import group, read_rows, read_sources
from datagen.dataset.split import SplitConfig, apportion, deal_groups
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.sample import Sample
from pipeline.formats.shards import read_manifest
from tests.given_corpus import FONT, WORDS, contents, sample, source, write_given
from tests.small_corpus import photo_folder, small_config

LOOK = "0f" * 32
NEAR = "0f" * 31 + "f0"  # 8 bits away
FAR = "0f" * 30 + "f0f0"  # 16 bits from LOOK, 8 from NEAR


def alone(number: int) -> Sample:
    return sample(f"train-{number:06d}", source(f"photo{number}"), FONT, WORDS)


def places(corpus: str | Path) -> dict[str, str]:
    """Return the split of each key."""
    return {
        opened.row(index)["key"]: name
        for name in read_manifest(Store(corpus))["splits"]
        for opened in [open_split(Store(corpus), name)]
        for index in range(opened.num_samples)
    }


def test_shares_are_met_and_every_member_keeps_its_bytes(tmp_path: Path) -> None:
    corpus = write_given(tmp_path / "a", {"train": [alone(number) for number in range(40)]})
    progress = Tally()
    summary = stage.run(corpus, SplitConfig(samples_per_shard=8), str(tmp_path / "b"), progress=progress)
    assert summary.num_samples == {"train": 32, "val": 4, "test": 4} and summary.num_groups == 40
    assert summary.got == summary.asked and progress.num_done == progress.num_total == 40
    before = open_split(Store(corpus), "train")
    old = {before.row(index)["key"]: before.encoded(index) for index in range(40)}
    for name in SPLITS:
        opened = open_split(Store(tmp_path / "b"), name)
        for index in range(opened.num_samples):
            encoded = opened.encoded(index)
            assert encoded == old.pop(encoded.row["key"])
            opened.sample(index)
    assert not old
    assert read_manifest(Store(tmp_path / "b"))["splits"]["train"]["num_shards"] == 4


def test_what_shares_a_photograph_a_picture_or_a_look_stays_together(tmp_path: Path) -> None:
    shared = source("shared")
    together = [
        sample("a-0", shared, look=LOOK),
        sample("a-1", shared, source("other"), seed=5),
        sample("a-2", source("other")),
        sample("a-3", source("third"), seed=5),
        sample("a-4", look=NEAR),
        sample("a-5", look=FAR),
    ]
    corpus = write_given(tmp_path / "a", {"train": [*together[:3], *map(alone, range(30))], "test": together[3:]})
    rows = read_rows([Store(corpus)])
    groups = group(rows, read_sources(rows), near_bits=10)
    assert groups.max() == 30 and set(np.bincount(groups)) == {1, 6}
    for seed in range(4):
        out = tmp_path / f"b{seed}"
        stage.run(corpus, SplitConfig(train=0.5, val=0.25, test=0.25, seed=seed), str(out), progress=Tally())
        found = places(out)
        assert len({found[f"a-{number}"] for number in range(6)}) == 1
    groups = group(rows, read_sources(rows), near_bits=0)
    assert groups.max() == 32, "without hashes the two that only look alike are alone"


def test_a_group_that_no_split_can_take_is_refused_with_what_holds_it_together(tmp_path: Path) -> None:
    common = source("wallpaper.jpg")
    samples = [sample(f"train-{number:06d}", common, source(f"own{number}")) for number in range(9)]
    corpus = write_given(tmp_path / "a", {"train": [*samples, *map(alone, range(50, 53))]})
    halves = SplitConfig(train=0.5, val=0.25, test=0.25)
    with pytest.raises(UsageError, match=r"largest of 9 \(photo wallpaper\.jpg is in 9 of them\); asked: train 0\.5"):
        stage.describe(corpus, halves)
    assert not (tmp_path / "b").exists()
    lenient = SplitConfig(train=0.5, val=0.25, test=0.25, tolerance=0.5)
    assert sum(stage.describe(corpus, lenient).num_in_split.values()) == 12
    with pytest.raises(UsageError, match="largest of 9"):
        # One group less than there are splits: some split would be empty, however lenient one is.
        stage.describe(write_given(tmp_path / "c", {"train": [*samples, alone(60)]}), lenient)


def test_same_corpus_same_bytes_and_another_seed_deals_otherwise(tmp_path: Path) -> None:
    corpus = write_given(tmp_path / "a", {"train": [alone(number) for number in range(30)]})
    for name, seed in (("b", 1), ("c", 1), ("d", 2)):
        stage.run(corpus, SplitConfig(seed=seed, samples_per_shard=5), str(tmp_path / name), progress=Tally())
    assert contents(tmp_path / "b") == contents(tmp_path / "c")
    assert places(tmp_path / "b") != places(tmp_path / "d")
    # Where the samples lay before does not matter.
    moved = write_given(tmp_path / "e", {"val": [alone(number) for number in reversed(range(30))]})
    stage.run(moved, SplitConfig(seed=1), str(tmp_path / "f"), progress=Tally())
    assert places(tmp_path / "b") == places(tmp_path / "f")


KILLED = """
import os, signal, sys
from datagen.dataset import split
from pipeline.base.progress import Tally

class Killer(Tally):
    def advance(self, num_items=1):
        super().advance(num_items)
        if self.num_done >= 8:
            os.kill(os.getpid(), signal.SIGKILL)

split.run(sys.argv[1], split.SplitConfig(samples_per_shard=4), sys.argv[2], progress=Killer())
"""


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    corpus = write_given(tmp_path / "a", {"train": [alone(number) for number in range(30)]})
    out = tmp_path / "b"
    root = Path(stage.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", KILLED, corpus, str(out)]
    assert subprocess.run(command, env=environment, cwd=tmp_path, check=False).returncode < 0
    assert len(list(out.glob("*.done.json"))) == 2 and not (out / "manifest.json").exists()
    (out / ".tmp-left").write_bytes(b"half a shard")
    config = SplitConfig(samples_per_shard=4)
    progress = Tally()
    summary = stage.run(corpus, config, str(out), progress=progress)
    assert summary.num_skipped_shards == 2 and progress.num_done == 30
    stage.run(corpus, config, str(tmp_path / "whole"), progress=Tally())
    assert contents(out) == contents(tmp_path / "whole")


def test_a_damaged_sample_stops_the_run_and_is_named(tmp_path: Path) -> None:
    corpus = write_given(tmp_path / "a", {"train": [alone(number) for number in range(20)]})
    tar = tmp_path / "a" / "screens-train-000002.tar"
    good = tar.read_bytes()
    place = open_split(Store(corpus), "train").row(9)["picture_offset"] + 50
    tar.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
    config = SplitConfig(samples_per_shard=4)
    with pytest.raises(ShardError, match=r"000002\.tar: train-000009: bytes differ"):
        stage.run(corpus, config, str(tmp_path / "b"), progress=Tally())
    assert not (tmp_path / "b" / "manifest.json").exists()
    tar.write_bytes(good)
    stage.run(corpus, config, str(tmp_path / "b"), progress=Tally())
    stage.run(corpus, config, str(tmp_path / "c"), progress=Tally())
    assert contents(tmp_path / "b") == contents(tmp_path / "c")


def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path) -> None:
    corpus = write_given(tmp_path / "a", {"train": [alone(number) for number in range(12)]})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "holiday.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holiday\.txt"):
        stage.run(corpus, SplitConfig(), str(tmp_path / "b"), progress=Tally())
    stage.run(corpus, SplitConfig(), str(tmp_path / "c"), progress=Tally())
    before = contents(tmp_path / "c")
    with pytest.raises(UsageError, match="another corpus"):
        stage.run(corpus, SplitConfig(seed=1), str(tmp_path / "c"), progress=Tally())
    assert contents(tmp_path / "c") == before
    with pytest.raises(UsageError, match="add up to 1"):
        SplitConfig(train=0.9)
    with pytest.raises(UsageError, match="name 'a/b'"):
        SplitConfig(name="a/b")
    with pytest.raises(UsageError, match="holds no samples"):
        stage.describe(write_given(tmp_path / "empty", {}), SplitConfig())


def test_describe_tells_what_run_makes_and_writes_nothing(tmp_path: Path) -> None:
    corpus = write_given(tmp_path / "a", {"train": [alone(number) for number in range(20)]})
    before = contents(tmp_path)
    described = stage.describe(corpus, SplitConfig())
    assert contents(tmp_path) == before
    stage.run(corpus, SplitConfig(), str(tmp_path / "b"), progress=Tally())
    manifest = read_manifest(Store(tmp_path / "b"))
    assert {name: row["num_samples"] for name, row in manifest["splits"].items()} == described.num_in_split
    assert manifest["plan_sha256"] == described.plan_sha256
    assert manifest["config"]["inputs"][0]["manifest"] == read_manifest(Store(corpus))
    assert FORMAT in (tmp_path / "b" / "plan.json").read_text()


def test_a_remote_store_gets_the_same_bytes(tmp_path: Path) -> None:
    corpus = write_given(tmp_path / "a", {"train": [alone(number) for number in range(12)]})
    stage.run(corpus, SplitConfig(), str(tmp_path / "b"), progress=Tally())
    url = "memory://split-of-test"
    stage.run(corpus, SplitConfig(), url, progress=Tally())
    assert {name: Store(url).read_bytes(name) for name in Store(url).names()} == contents(tmp_path / "b")


def test_a_drawn_corpus_dealt_anew_passes_every_check_and_is_drawn_again(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos", 24)
    config = small_config(photos, num_samples=Counts(train=12, val=2, test=2), scenes={"photo_viewer": 1.0})
    build.run(config, str(tmp_path / "a"), workers=1, progress=Tally())
    wide = SplitConfig(train=0.5, val=0.25, test=0.25, tolerance=0.3)
    stage.run(str(tmp_path / "a"), wide, str(tmp_path / "b"), progress=Tally())
    twice = SplitConfig(train=0.5, val=0.25, test=0.25, tolerance=0.3, seed=3)
    stage.run(str(tmp_path / "b"), twice, str(tmp_path / "c"), progress=Tally())
    for folder in ("b", "c"):
        summary = check(Store(tmp_path / folder), CheckConfig(regenerate=1.0), progress=Tally())
        assert not summary.findings
        assert summary.num_drawn_again == 16


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(0, 5), st.randoms(use_true_random=False))
def test_any_groups_are_dealt_whole_and_in_any_order_alike(sizes: list[int], seed: int, random) -> None:  # type: ignore[no-untyped-def]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    names = [f"group{number}" for number in range(len(sizes))]
    shares = (0.6, 0.25, 0.15)
    split = deal_groups(groups, names, shares, seed=seed)
    assert all(len(set(split[groups == number].tolist())) == 1 for number in range(len(sizes)))
    order = list(range(len(sizes)))
    random.shuffle(order)
    renamed = np.asarray([order.index(number) for number in groups])
    assert (deal_groups(renamed, [names[number] for number in order], shares, seed=seed) == split).all()
    assert len(sizes) < 3 or len(set(split.tolist())) == 3, "no split stays empty while there are groups"
    if max(sizes) == 1:
        assert np.bincount(split, minlength=3).tolist() == apportion(len(groups), shares)


@given(st.integers(0, 500), st.lists(st.integers(0, 20), min_size=2, max_size=4).filter(any))
def test_whole_counts_add_up_and_lie_next_to_the_shares(total: int, weights: list[int]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    counts = apportion(total, shares)
    assert sum(counts) == total and min(counts) >= 0
    wanted = sum(share > 0 for share in shares)
    if total >= wanted:
        assert all(count > 0 for count, share in zip(counts, shares, strict=True) if share > 0)
    assert all(abs(count - total * share) <= wanted for count, share in zip(counts, shares, strict=True))
