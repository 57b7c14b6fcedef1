"""What many GPUs ask of a corpus and of one another: `python -m benchmarks.scale [CORPUS] [--workers 8 64 1000]`.

No GPU is needed: who reads what is a pure function (training.order), so one epoch of 1,000 workers is walked through
here, and step times are drawn from a lognormal distribution. CORPUS, if given, says how large samples and side-cars
are; else the figures of 464 synthesized screens are taken (docs/scale.md). Prints tables.
"""

import argparse
import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import process_time

import numpy as np

from pipeline.base.store import Store
from pipeline.formats.shards import SHARD_TABLE, read_parquet
from training.order import SampleOrder, permute, rank_positions, rank_visits, repeats_per_batch

_SIDECAR_MEMORY = 1 << 27
"""What a process holds of side-cars, pipeline.formats.corpus."""
_REQUESTS_A_SECOND = 5500
"""Ranged reads that one prefix of S3 promises to serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """How large a corpus's samples are."""

    mean_bytes: float
    row_bytes: float
    """Of a sample in a side-car in memory."""
    shard_samples: int = 1000


def measure(corpus: str) -> Samples:
    """Return the sizes of a corpus's training split."""
    rows = [row for row in read_parquet(Store(corpus), SHARD_TABLE).to_pylist() if row["split"] == "train"]
    num_samples = sum(row["num_samples"] for row in rows)
    in_memory = sum(read_parquet(Store(corpus), f"{row['stem']}.parquet").nbytes for row in rows)
    return Samples(
        mean_bytes=sum(row["tar_bytes"] for row in rows) / num_samples,
        row_bytes=in_memory / num_samples,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One epoch as all ranks read it."""

    num_batches: int
    read: int
    repeats: int
    missed: int
    twice: int
    """Samples read more than once, but for repeats: those of the next epoch in its last batch."""
    least_rank: int
    most_rank: int


def walk_epoch(num_samples: int, samples_per_batch: int, num_ranks: int) -> Epoch:
    """Walk one epoch of all ranks, batch by batch, and count every sample's visits."""
    # The same as SampleOrder.visit, whose key is the epoch's; computed once a sample instead of once a visit.
    order = SampleOrder(num_samples=num_samples, seed=0)
    num_batches = -(-num_samples // samples_per_batch)
    index_of = [order.visit(position).index for position in range(num_batches * samples_per_batch)]
    visits, repeats = np.zeros(num_samples, np.int64), 0
    by_rank = np.zeros(num_ranks, np.int64)
    for rank in range(num_ranks):
        places = rank_positions(0, samples_per_batch, rank=rank, num_ranks=num_ranks)
        for start in range(0, num_batches * samples_per_batch, samples_per_batch):
            by_rank[rank] += len(places)
            for position, repeat in places:
                if repeat:
                    repeats += 1
                else:
                    visits[index_of[start + position]] += 1
    # The function that ranks call gives the same.
    last = num_ranks - 1
    walked = islice(rank_visits(order, samples_per_batch, start=0, rank=last, num_ranks=num_ranks), 50)
    places = rank_positions(0, samples_per_batch, rank=last, num_ranks=num_ranks)
    for number, visit in enumerate(walked):
        turn, place = divmod(number, len(places))
        assert visit.index == index_of[turn * samples_per_batch + places[place][0]]
    return Epoch(
        num_batches=num_batches,
        read=int(visits.sum()),
        repeats=repeats,
        missed=int((visits == 0).sum()),
        twice=int((visits > 1).sum()),
        least_rank=int(by_rank.min()),
        most_rank=int(by_rank.max()),
    )


def straggling(num_workers: int, sigma: float, *, num_steps: int = 2000) -> float:
    """Return how much longer a step takes that waits for the slowest of all than a mean one: lognormal step times."""
    rng = np.random.default_rng(0)
    times = [rng.lognormal(0.0, sigma, num_workers).max() for _ in range(num_steps)]
    return float(np.mean(times)) / math.exp(sigma * sigma / 2)


def byte_imbalance(num_workers: int, samples_each: int, *, sigma: float, num_steps: int = 500) -> float:
    """Return the most bytes that a rank reads in a step, over the mean: lognormal sample sizes."""
    rng = np.random.default_rng(1)
    sizes = rng.lognormal(0.0, sigma, (num_steps, num_workers, samples_each)).sum(axis=2)
    return float((sizes.max(axis=1) / sizes.mean(axis=1)).mean())


def shards_in_a_batch(num_shards: int, samples_per_batch: int) -> float:
    """Return how many different shards a batch touches, expected, of equal ones."""
    return num_shards * (1 - (1 - 1 / num_shards) ** samples_per_batch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?")
    parser.add_argument("--workers", type=int, nargs="+", default=[8, 64, 1000])
    parser.add_argument("--crops", type=int, default=16, help="a worker and step")
    parser.add_argument("--crops-per-picture", type=int, default=4)
    parser.add_argument("--step-ms", type=float, default=100.0, help="of one GPU: an assumption")
    parser.add_argument("--cpu-ms", type=float, default=0.76, help="of reading, decoding and cutting a crop (README)")
    parser.add_argument("--parameters", type=float, default=13.0e6)
    parser.add_argument("--num-samples", type=int, default=200_000, help="of the epoch that is walked through")
    arguments = parser.parse_args()
    samples = measure(str(Path(arguments.corpus))) if arguments.corpus else Samples(mean_bytes=188e3, row_bytes=420)
    each = arguments.crops // arguments.crops_per_picture
    seconds = arguments.step_ms / 1000
    print(f"sample {samples.mean_bytes / 1e3:.0f} kB, side-car row {samples.row_bytes:.0f} B in memory\n")
    print("| workers | samples/s | MB/s read | MB/s a worker | CPU cores that decode | gradients, GB/s a worker |")
    print("|---:|---:|---:|---:|---:|---:|")
    for workers in arguments.workers:
        rate = workers * each / seconds
        decode = workers * arguments.crops / seconds * arguments.cpu_ms / 1000
        ring = 2 * (workers - 1) / workers * 4 * arguments.parameters / seconds / 1e9
        megabytes = rate * samples.mean_bytes / 1e6
        print(f"| {workers} | {rate:.0f} | {megabytes:.0f} | {megabytes / workers:.1f} | {decode:.0f} | {ring:.2f} |")
    print("\n| workers | samples a batch | repeats | missed | read twice | samples a rank | shards touched a batch |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    shards = max(1, arguments.num_samples // samples.shard_samples)
    for workers, extra in [(workers, extra) for workers in arguments.workers for extra in (0, 1)]:
        batch = workers * each + extra
        found = walk_epoch(arguments.num_samples, batch, workers)
        assert found.repeats == found.num_batches * repeats_per_batch(batch, workers)
        span = f"{found.least_rank}" if found.least_rank == found.most_rank else f"{found.least_rank}-{found.most_rank}"
        print(
            f"| {workers} | {batch} | {found.repeats / found.read:.2%} | {found.missed} | {found.twice} | {span} "
            f"| {shards_in_a_batch(shards, batch):.0f} of {shards} |"
        )
    sigmas = (0.02, 0.05, 0.1, 0.2, 0.4)
    print("\nstep time over the mean worker's, by the spread (sigma of the logarithm) of step times")
    print(
        "| workers | " + " | ".join(f"{sigma:g}" for sigma in sigmas) + " | most bytes a rank and step, of the mean |"
    )
    print("|---:|" + "---:|" * (len(sigmas) + 1))
    for workers in arguments.workers:
        slow = " | ".join(f"{straggling(workers, sigma):.2f}" for sigma in sigmas)
        print(f"| {workers} | {slow} | {byte_imbalance(workers, each, sigma=0.8):.2f} |")
    _show_limits(samples, max(arguments.workers) * each / seconds, each / seconds)


def _show_limits(samples: Samples, rate: float, rate_each: float) -> None:
    held = int(_SIDECAR_MEMORY / samples.row_bytes)
    print(
        f"\nside-cars of {held:,} samples fit into a process ({_SIDECAR_MEMORY >> 20} MiB); beyond them, of a corpus of"
    )
    for num_samples in (held, 2 * held, 10 * held, 100 * held):
        missed = 1 - min(1.0, held / num_samples)
        sidecar = samples.shard_samples * samples.row_bytes
        more = missed * sidecar * rate_each / 1e6
        print(f"  {num_samples:>12,}: {missed:.0%} of visits read a side-car anew, {more:.1f} MB/s more a worker")
    print(f"{rate:,.0f} ranged reads a second are {rate / _REQUESTS_A_SECOND:.1f} times what a prefix of S3 promises")
    began = process_time()
    for position in range(2000):
        permute(position, 10**9, 1)
    print(f"a place in an order of 10^9 samples costs {1e6 * (process_time() - began) / 2000:.0f} us of CPU")


if __name__ == "__main__":
    main()
