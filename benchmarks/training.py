"""What Ray Train costs, and our loop beside CompressAI's example: `python -m benchmarks.training CORPUS --work DIR`.

Step times of one run's loop under Ray Train and under torchrun (gloo, the same functions, one thread a worker), with 1
and 2 workers; crops a second of our loop and of the procedure of CompressAI's published example on its own model of the
same size and the same PNG files. Arms take turns, round by round; prints medians, least and most, as Markdown.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.training_arms import Job, command
from pipeline.base.store import Store
from pipeline.cluster import ENVIRONMENT
from pipeline.formats.corpus import open_split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--work", required=True, help="folder for runs and pictures")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--size", type=int, nargs=2, default=(32, 48), help="channels and latents of the model")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="of the comparison with torchrun")
    parser.add_argument("--only", choices=["ray", "compressai"])
    arguments = parser.parse_args()
    work = Path(arguments.work).resolve()
    shutil.rmtree(work / "runs", ignore_errors=True)
    corpus = str(Path(arguments.corpus).resolve())
    job = Job(
        corpus=corpus,
        out="",
        pictures=str(_write_pictures(corpus, work / "pictures")),
        steps=arguments.steps,
        warmup=20,
        batch_size=arguments.batch_size,
        crop=arguments.crop,
        crops_per_picture=4,
        num_channels=arguments.size[0],
        num_latents=arguments.size[1],
    )
    if arguments.only != "compressai":
        _against_torchrun(job, work, arguments.workers, arguments.rounds)
    if arguments.only != "ray":
        _against_compressai(job, arguments.rounds)


def _write_pictures(corpus: str, folder: Path) -> Path:
    """Write the training pictures' own PNG bytes as files; return the folder."""
    target = folder / "train"
    split = open_split(Store(corpus), "train")
    if not target.is_dir():
        target.mkdir(parents=True)
        for index in range(split.num_samples):
            row = split.row(index)
            start, size = row["picture_offset"], row["picture_size"]
            (target / f"{row['key']}.png").write_bytes(split.store.read_bytes(row["tar"], start=start, size=size))
    return folder


def _run(arm: str, job: Job) -> dict[str, float]:
    environment = {**ENVIRONMENT, **os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command(arm, job), capture_output=True, text=True, env=environment, timeout=900, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise SystemExit(f"{arm}: {done.stdout[-1000:]}{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(lines[-1])
    load = os.getloadavg()[0]
    print(f"{arm}, {job.num_workers} workers, load {load:.1f}: {found}", file=sys.stderr, flush=True)
    return found


def _against_torchrun(job: Job, work: Path, workers: list[int], rounds: int) -> None:
    lines = []
    for count in workers:
        found: dict[str, list[dict[str, float]]] = {"torchrun": [], "ray": []}
        for number in range(rounds):
            # Each goes first in turn: load that grows or falls meets both.
            for arm in sorted(found, reverse=bool(number % 2)):
                out = str(work / "runs" / f"{arm}-{count}-{number}")
                found[arm].append(_run(arm, replace(job, out=out, num_workers=count)))
        for key, name in (("ms", "wall ms a step"), ("cpu_ms", "CPU ms a step, rank 0")):
            plain, ray = ([row[key] for row in found[arm]] for arm in ("torchrun", "ray"))
            more = [100 * (with_ray / without - 1) for with_ray, without in zip(ray, plain, strict=True)]
            lines.append(f"| {count} | {name} | {_spread(plain)} | {_spread(ray)} | {_spread(more, '+')} |")
        rest = [row["seconds"] - row["ms"] * job.steps / 1000 for row in found["ray"]]
        lines.append(f"| {count} | start and end, s | | {_spread(rest)} | |")
    print("| workers | | torchrun | Ray Train | Ray's more, %, by round |\n|---:|---|---:|---:|---:|")
    print("\n".join(lines), flush=True)


def _against_compressai(job: Job, rounds: int) -> None:
    arms = {
        "CompressAI's example, 1 loader process": ("compressai", job),
        "ours, 1 crop a decode, 1 decoder process": ("ours", replace(job, crops_per_picture=1, decode_workers=1)),
        "ours, 4 crops a decode, 1 decoder process": ("ours", replace(job, decode_workers=1)),
        "ours, 4 crops a decode, a thread": ("ours", job),
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, (arm, told) in arms.items():
            found[name].append(_run(arm, told))
    print("\n| loop | crops/s | CPU ms a crop |\n|---|---:|---:|")
    for name, rows in found.items():
        cells = [_spread([row[key] for row in rows]) for key in ("crops_per_second", "cpu_ms")]
        print(f"| {name} | " + " | ".join(cells) + " |")


def _spread(values: list[float], sign: str = "") -> str:
    return f"{statistics.median(values):{sign}.1f} ({min(values):{sign}.1f} to {max(values):{sign}.1f})"


if __name__ == "__main__":
    main()
