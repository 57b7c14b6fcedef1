"""The region-adaptive transform beside the plain formulation: `python -m benchmarks.rat [--size 96] [--batch 2]`.

Forward and backward of one transform at SegPIC's width, by ours and by unfold, einsum and loops over pictures and
regions (tests/reference_rat.py), on the same weights, features and regions. Rounds are interleaved, medians are shown;
peak memory is measured in a process of its own for each, as what forward and backward add to the process's peak.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.memory import peak_mib
from pipeline.codecs.segpic.rat import RegionAdaptiveTransform
from pipeline.codecs.segpic.regions import from_ids
from tests import reference_rat

ARMS = ("ours", "plain")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=192)
    parser.add_argument("--size", type=int, default=96, help="rows and columns of the features")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--regions", type=int, default=16, help="regions a picture")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--memory-of", choices=ARMS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    steps = _steps(arguments)
    if arguments.memory_of:
        before = peak_mib()
        steps[arguments.memory_of]()
        print(peak_mib() - before)
        return
    times: dict[str, list[tuple[float, float]]] = {arm: [] for arm in ARMS}
    for number in range(arguments.rounds + 1):
        for arm in ARMS:
            spent = steps[arm]()
            if number:
                times[arm].append(spent)
    print("| formulation | forward, ms | backward, ms | both, ratio | peak MiB |")
    print("|---|---|---|---|---|")
    both = {arm: statistics.median(sum(one) for one in times[arm]) for arm in ARMS}
    for arm in ARMS:
        forward, backward = (1000 * statistics.median(one[way] for one in times[arm]) for way in range(2))
        mib = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.rat", *sys.argv[1:], "--memory-of", arm],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        print(f"| {arm} | {forward:.0f} | {backward:.0f} | {both[arm] / both['plain']:.2f} | {float(mib):.0f} |")


def _steps(arguments: argparse.Namespace) -> dict[str, Callable[[], tuple[float, float]]]:
    torch.manual_seed(0)
    module = RegionAdaptiveTransform(arguments.channels)
    shape = (arguments.batch, arguments.channels, arguments.size, arguments.size)
    x = torch.randn(shape, requires_grad=True)
    side = round(arguments.regions**0.5)
    rows = torch.arange(arguments.size) * side // arguments.size
    ids = (rows[:, None] * side + rows).expand(arguments.batch, -1, -1)

    def ours() -> Tensor:
        regions = from_ids(ids)
        out: Tensor = module(x, regions.means(x), regions)
        return out

    def plain() -> Tensor:
        return reference_rat.rat(module, x, reference_rat.region_means(x, ids), ids)

    return {"ours": lambda: _time(module, x, ours), "plain": lambda: _time(module, x, plain)}


def _time(module: RegionAdaptiveTransform, x: Tensor, forward: Callable[[], Tensor]) -> tuple[float, float]:
    module.zero_grad(set_to_none=True)
    x.grad = None
    began = time.perf_counter()
    out = forward()
    middle = time.perf_counter()
    out.backward(torch.ones_like(out))
    return middle - began, time.perf_counter() - middle


if __name__ == "__main__":
    main()
