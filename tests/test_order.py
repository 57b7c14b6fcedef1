"""training/order.py and training/plan.py: who reads what, and what is refused."""

from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.base.errors import UsageError
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.shards import ShardName, write_manifest, write_shard
from tests.training_corpus import make_sample, small_config, write_corpus
from training.data import train_batches
from training.order import SampleOrder, Visit, permute, rank_positions, rank_visits, repeats_per_batch
from training.plan import plan
from training.samples import SampleReader


@pytest.mark.parametrize("size", [*range(1, 40), 255, 256, 257, 1000])
def test_permute_reaches_every_number_once(size):
    assert sorted(permute(index, size, key=5) for index in range(size)) == list(range(size))


def test_permute_puts_each_number_everywhere_about_equally_often():
    size, keys = 8, 2000
    hits = Counter((index, permute(index, size, key)) for key in range(keys) for index in range(size))
    assert len(hits) == size * size
    # 250 expected a cell; six standard deviations of a binomial are 89.
    assert all(abs(count - keys / size) < 89 for count in hits.values())


def test_permute_needs_no_list_for_a_large_corpus():
    assert 0 <= permute(10**9 - 1, 10**9, key=1) < 10**9


def test_order_is_fixed_by_seed_and_differs_between_epochs():
    order = SampleOrder(num_samples=50, seed=3)
    epochs = [[order.visit(epoch * 50 + offset).index for offset in range(50)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert epochs[0] == [SampleOrder(num_samples=50, seed=3).visit(offset).index for offset in range(50)]
    assert epochs[0] != [SampleOrder(num_samples=50, seed=4).visit(offset).index for offset in range(50)]


@pytest.mark.parametrize("num_ranks", range(1, 7))
def test_ranks_read_equally_much_and_leave_nothing_out(num_ranks):
    shares = [rank_positions(100, 6, rank=rank, num_ranks=num_ranks) for rank in range(num_ranks)]
    assert len({len(share) for share in shares}) == 1
    first_readings = [position for share in shares for position, repeat in share if not repeat]
    assert sorted(first_readings) == list(range(100, 106))
    assert sum(repeat for share in shares for _, repeat in share) == repeats_per_batch(6, num_ranks)


Legs = list[tuple[int, int]]
"""(workers, batches) between one start of a run and the next."""


def visits_of(order: SampleOrder, samples_per_batch: int, legs: Legs) -> list[Visit]:
    """Return all visits of all ranks of a run that is stopped and gone on with; one integer is carried over."""
    visits, samples_seen = [], 0
    for num_ranks, num_batches in legs:
        per_rank = -(-samples_per_batch // num_ranks)
        for rank in range(num_ranks):
            stream = rank_visits(order, samples_per_batch, start=samples_seen, rank=rank, num_ranks=num_ranks)
            visits += islice(stream, per_rank * num_batches)
        samples_seen += samples_per_batch * num_batches
    return visits


@given(
    num_samples=st.integers(1, 90),
    seed=st.integers(0, 99),
    samples_per_batch=st.integers(1, 12),
    legs=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 6)), min_size=1, max_size=6),
)
def test_whenever_workers_change_every_sample_is_read_once_an_epoch(num_samples, seed, samples_per_batch, legs):
    order = SampleOrder(num_samples=num_samples, seed=seed)
    visits = visits_of(order, samples_per_batch, legs)
    first = [visit for visit in visits if not visit.repeat]
    total = samples_per_batch * sum(num_batches for _, num_batches in legs)
    assert sorted(visit.position for visit in first) == list(range(total))
    counts = Counter((visit.epoch, visit.index) for visit in first)
    whole_epochs = total // num_samples
    assert all(count == 1 for count in counts.values())
    assert sum(epoch < whole_epochs for epoch, _ in counts) == whole_epochs * num_samples
    repeats = sum(repeats_per_batch(samples_per_batch, num_ranks) * batches for num_ranks, batches in legs)
    assert len(visits) - len(first) == repeats


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> CorpusSplit:
    """A corpus of 25 pictures in plain tars; every pixel of picture 7 is 7."""
    store = Store(tmp_path_factory.mktemp("numbered"))
    records = []
    for index, first in enumerate(range(0, 25, 4)):
        samples = [make_sample("train", number, height=16, width=16) for number in range(first, min(25, first + 4))]
        plain = [replace(sample, picture=np.full_like(sample.picture, sample.info.seed)) for sample in samples]
        name = ShardName(corpus="numbered", split="train", index=index)
        records.append(write_shard(store, name, plain, plan_sha256="0" * 64))
    write_manifest(store, records, config={}, versions={})
    return open_split(store, "train")


def read_by_position(split: CorpusSplit, legs: Legs) -> tuple[list[int], list[int]]:
    """Return the picture read at each position, and those read as repeats, as the batches' pixels tell."""
    config = small_config(batch_size=12, crops_per_picture=2, crop=16)
    pictures, repeats, samples_seen = {}, [], 0
    for num_ranks, num_batches in legs:
        for rank in range(num_ranks):
            reader = SampleReader(split, cache_bytes=1 << 20)
            batches = train_batches(reader, config, samples_seen=samples_seen, rank=rank, num_ranks=num_ranks)
            for number, batch in enumerate(islice(batches, num_batches)):
                values = batch.pictures.reshape(len(batch.pictures), -1)
                assert (values == values[:, :1]).all()
                for turn, value in enumerate(values[::2, 0].tolist()):
                    offset = rank + turn * num_ranks
                    if offset < config.samples_per_batch:
                        pictures[samples_seen + number * config.samples_per_batch + offset] = value
                    else:
                        repeats.append(value)
        samples_seen += num_batches * config.samples_per_batch
    assert sorted(pictures) == list(range(samples_seen))
    return [pictures[position] for position in range(samples_seen)], repeats


def test_workers_1_then_3_then_2_see_every_picture_once_an_epoch(numbered: CorpusSplit):
    """Stopped in mid-epoch each time; 25 pictures and 6 a batch, so that batches reach over epochs too."""
    legs = [(1, 3), (3, 6), (2, 16)]
    read, repeats = read_by_position(numbered, legs)
    assert len(read) == 6 * 25
    for epoch in range(6):
        assert sorted(read[25 * epoch : 25 * epoch + 25]) == list(range(25)), f"epoch {epoch}"
    assert not repeats
    undisturbed, _ = read_by_position(numbered, [(1, 25)])
    assert read == undisturbed


@settings(max_examples=15, deadline=None)
@given(legs=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5)), min_size=2, max_size=5))
def test_wherever_workers_change_the_same_pictures_are_read(numbered: CorpusSplit, legs: Legs):
    read, repeats = read_by_position(numbered, legs)
    for epoch in range(len(read) // 25):
        assert sorted(read[25 * epoch : 25 * epoch + 25]) == list(range(25)), f"epoch {epoch}"
    undisturbed, _ = read_by_position(numbered, [(1, len(read) // 6)])
    assert read == undisturbed
    assert len(repeats) == sum(repeats_per_batch(6, num_ranks) * num_batches for num_ranks, num_batches in legs)


def test_plan_counts_what_each_rank_reads(tmp_path: Path):
    config = small_config(num_workers=3, batch_size=8, crops_per_picture=2, steps=10)
    made = plan(config, write_corpus(tmp_path))
    assert [rank.num_samples for rank in made.ranks] == [20, 20, 20]
    assert [rank.num_crops for rank in made.ranks] == [40, 40, 40]
    assert [rank.num_repeats for rank in made.ranks] == [0, 10, 10]
    assert made.num_repeats == 20
    assert (made.num_train_samples, made.num_val_samples, made.samples_per_batch) == (7, 2, 4)
    assert made.epochs == pytest.approx(40 / 7)
    total = sum(path.stat().st_size for path in tmp_path.glob("*-train-*.tar"))
    assert made.ranks[0].num_bytes == pytest.approx(20 * total / 7, abs=1)
    # 20 visits of 7 samples in 3 tars.
    assert [rank.num_shards for rank in made.ranks] == [3, 3, 3]
    assert made.num_shards == 3


def test_plan_counts_the_tars_of_short_runs_and_expects_those_of_long_ones(tmp_path: Path, monkeypatch):
    corpus = write_corpus(tmp_path, num_train=60, shard_size=2)
    config = small_config(num_workers=2, batch_size=8, crops_per_picture=2, steps=1)
    order = SampleOrder(num_samples=60, seed=0)
    touched = {order.visit(position).index // 2 for position in (0, 2)}
    assert plan(config, corpus).ranks[0].num_shards == len(touched)
    monkeypatch.setattr("training.plan._MAX_COUNTED", 0)
    for steps in (3, 12, 40):
        config = replace(config, steps=steps)
        expected = plan(config, corpus).ranks[0].num_shards
        monkeypatch.setattr("training.plan._MAX_COUNTED", 10**6)
        assert abs(plan(config, corpus).ranks[0].num_shards - expected) <= 4
        monkeypatch.setattr("training.plan._MAX_COUNTED", 0)
    assert plan(replace(config, steps=10**9), corpus).ranks[1].num_shards == 30


def test_plan_says_which_node_a_rank_is_on(tmp_path: Path):
    made = plan(small_config(num_workers=4, num_nodes=2, batch_size=8), write_corpus(tmp_path))
    assert [rank.node for rank in made.ranks] == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="num_workers 3 must be a multiple of num_nodes 2"):
        small_config(num_workers=3, num_nodes=2)


def test_the_plan_on_the_command_line_is_a_table_with_titles(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from pipeline.cli import main

    with pytest.raises(SystemExit) as stopped:
        arguments = ["train", "tiny", "--corpus", write_corpus(tmp_path), "--plan", "--workers", "2", "--nodes", "2"]
        main(arguments)
    assert not stopped.value.code
    lines = capsys.readouterr().out.splitlines()
    titles = lines.index("ranks:") + 1
    first = dict(zip(lines[titles].split("\t"), lines[titles + 1].split("\t"), strict=True))
    assert (first["rank"], first["node"], first["num_shards"]) == ("0", "0", "3")
    assert len(lines) == titles + 3
    with pytest.raises(SystemExit) as stopped:
        main(["train", "tiny", "--corpus", str(tmp_path), "--plan", "--workers", "5"])
    assert stopped.value.code == 2
    assert "every worker needs one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_workers": 8, "batch_size": 16}, "7 samples for 8 workers"),
        ({"num_workers": 3}, "2 pictures a step for 3 workers"),
        ({"val_split": "dev"}, "no split 'dev'"),
        ({"train_split": "empty"}, "holds no samples"),
    ],
)
def test_plan_refuses_what_would_leave_a_rank_waiting(tmp_path: Path, changes, words):
    corpus = write_corpus(tmp_path)
    if changes.get("train_split") == "empty":
        corpus = write_corpus(tmp_path / "empty", num_train=0, shard_size=1)
        changes = {}
        words = "no split 'train'"
    with pytest.raises(UsageError, match=words):
        plan(small_config(**changes), corpus)


def test_plan_needs_no_validation_split_if_nothing_is_validated(tmp_path: Path):
    assert plan(small_config(val_split="dev", validate_every=0), write_corpus(tmp_path)).num_val_samples == 0
