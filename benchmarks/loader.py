"""Training crops a second: `python -m benchmarks.loader CORPUS [--peers PYTHON] [--work DIR] [--rounds 3]`.

Our stream of batches beside (a) decoding the same PNG files alone, from memory, without crops or hand-over, which is
the limit of everybody who decodes whole pictures, (b) WebDataset on the same tars, (c) litdata and (d)
mosaicml-streaming on their own formats, made of the same PNG bytes, and (e) our stream on a corpus cut into tiles. All
cut the same crops of pictures and label maps, in an order as random as ours, in the same number of worker processes.
`--peers` is a Python that has torch, webdataset, litdata, mosaicml-streaming and our base dependencies, imagecodecs and
OpenCV; in one environment with ours they would hold fsspec, datasets and huggingface-hub at old releases.

Each round runs all arms, each in a process of its own. Crops a second are of wall time and follow what else the machine
does; CPU time, of the whole tree of processes, follows it less. Medians of the rounds, least and most in brackets.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.loader_arms import Job
from datagen.dataset import tiles
from pipeline.base.progress import Tally

_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
"""As our decoders have it; all arms get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One line of the table."""

    name: str
    job: Job
    by_peers: bool = False
    """Whether it runs under `--peers`."""


def main() -> None:
    """Run all arms and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--peers", default="", help="a Python with the peers; without it they are left out")
    parser.add_argument("--work", default="runs/loader", help="folder for tiles and the peers' formats")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--crop", type=int, default=256)
    arguments = parser.parse_args()
    arms = _arms(arguments)
    tiled = f"{arguments.work}/tiles-{arguments.crop}"
    tiles.run(arguments.corpus, tiled, tiles.TilesConfig(side=arguments.crop), progress=Tally())
    if arguments.peers:
        _run(Arm(name="", job=replace(arms[0].job, arm="prepare"), by_peers=True), arguments.peers)
    found: dict[str, list[dict[str, float]]] = {arm.name: [] for arm in arms}
    for number in range(arguments.rounds):
        for arm in arms:
            found[arm.name].append(_run(arm, arguments.peers))
            last = found[arm.name][-1]
            print(f"round {number + 1}: {arm.name}: {last['crops_per_second']:.0f} crops/s", file=sys.stderr)
    _show(found)


def _arms(arguments: argparse.Namespace) -> list[Arm]:
    job = Job(
        arm="limit",
        corpus=str(Path(arguments.corpus).resolve()),
        prepared=str(Path(arguments.work).resolve()),
        crop=arguments.crop,
        crops_per_picture=4,
        processes=arguments.processes,
        seconds=arguments.seconds,
    )
    tiled = str(Path(arguments.work, f"tiles-{arguments.crop}").resolve())
    arms = [
        Arm(name="limit, 4 crops a decode", job=job),
        Arm(name="limit by Pillow, 4 crops a decode", job=replace(job, decoder="pillow")),
        Arm(name="ours, 4 crops a decode", job=replace(job, arm="ours")),
        Arm(name="ours, 1 crop a decode", job=replace(job, arm="ours", crops_per_picture=1)),
        Arm(name="ours, tiles", job=replace(job, arm="tiles", corpus=tiled, crops_per_picture=1)),
    ]
    for peer in ("webdataset", "litdata", "streaming") if arguments.peers else ():
        mine = replace(job, arm=peer)
        arms += [
            Arm(name=f"{peer}, 4 crops a decode, our decoder", job=mine, by_peers=True),
            Arm(name=f"{peer}, 4 crops a decode", job=replace(mine, decoder="pillow"), by_peers=True),
            Arm(
                name=f"{peer}, 1 crop a decode", job=replace(mine, decoder="pillow", crops_per_picture=1), by_peers=True
            ),
        ]
    return arms


def _run(arm: Arm, peers: str) -> dict[str, float]:
    command = [peers if arm.by_peers else sys.executable, "-m", "benchmarks.loader_arms", json.dumps(asdict(arm.job))]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | _MALLOC, timeout=900, check=False)
    if done.returncode:
        raise SystemExit(f"{arm.name}: {done.stderr[-2000:]}")
    if arm.job.arm in ("ours", "tiles"):
        print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _show(found: dict[str, list[dict[str, float]]]) -> None:
    limit = (
        _values(found["limit, 4 crops a decode"], "crops_per_second"),
        _values(found["limit, 4 crops a decode"], "cpu_ms"),
    )
    print("| arm | crops/s | of the limit | CPU ms a crop | of the limit |\n|---|---:|---:|---:|---:|")
    for name, rows in found.items():
        speed, cpu = _values(rows, "crops_per_second"), _values(rows, "cpu_ms")
        print(
            f"| {name} | {_spread(speed, 0)} | {statistics.median(speed) / statistics.median(limit[0]):.0%} "
            f"| {_spread(cpu, 2)} | {statistics.median(limit[1]) / statistics.median(cpu):.0%} |"
        )


def _values(rows: Sequence[dict[str, float]], name: str) -> list[float]:
    return [row[name] for row in rows]


def _spread(values: Sequence[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


if __name__ == "__main__":
    main()
