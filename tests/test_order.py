"""training/order.py and training/plan.py: who reads what, and what is refused."""

from collections import Counter
from pathlib import Path

import pytest

from pipeline.base.errors import UsageError
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from tests.training_corpus import small_config, write_corpus
from training.order import SampleOrder, permute, rank_positions, repeats_per_batch
from training.plan import plan


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


def test_an_epoch_is_read_once_though_the_number_of_workers_changes(tmp_path: Path):
    """1 worker, then 3, then 2, stopped in mid-epoch each time: keys as the corpus on disk gives them."""
    split = open_split(Store(write_corpus(tmp_path, num_train=24)), "train")
    order = SampleOrder(num_samples=split.num_samples, seed=0)
    seen: list[str] = []
    samples_seen = 0
    for num_ranks, num_batches in ((1, 1), (3, 1), (2, 2)):
        for _ in range(num_batches):
            for rank in range(num_ranks):
                for position, repeat in rank_positions(samples_seen, 6, rank=rank, num_ranks=num_ranks):
                    assert not repeat
                    seen.append(split.row(order.visit(position).index)["key"])
            samples_seen += 6
    assert sorted(seen) == [f"train-{number:04d}" for number in range(24)]


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
