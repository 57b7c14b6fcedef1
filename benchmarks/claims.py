"""The papers' claims at one small budget: `python -m benchmarks.claims --corpus CORPUS --out DIR [--workers 2]`.

Codecs that differ in one thing are trained on the same crops in the same order, from the same seeds, for equally many
steps, at three lambdas and three seeds; the middles of the test split's pictures are coded for real, all bytes counted.
Prints each variant's BD-rate against its own baseline (Bjontegaard, piecewise cubic), with the standard error over
seeds.

Each training leaves a line in DIR, so a run that was stopped goes on. A budget of minutes shows what a part does at the
beginning of training, not at the paper's end of it.
"""

import argparse
import json
import math
import os
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import bjontegaard
import numpy as np
import torch

from pipeline.base.store import Store
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.coding import compress_picture
from pipeline.codecs.table import find_codec
from pipeline.formats.corpus import open_split
from pipeline.formats.picture import Pixels
from training.config import TrainConfig, needs_regions
from training.data import SampleReader, train_batches
from training.loop import Alone, TrainData, fit
from training.objectives import psnr
from training.state import fresh_state

LAMBDAS = (0.003, 0.01, 0.03)
SIDE = 384


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One codec under test; `baseline` is the one that it is compared with."""

    name: str
    baseline: str
    codec: str
    preset: str
    changes: tuple[str, ...] = ()
    gamma: float = 0.0
    regions: str = "corpus"
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One training."""

    variant: Variant
    lambda_rd: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.variant.name}-{self.lambda_rd}-{self.seed}-{self.variant.steps}"


def main() -> None:
    """Train what is missing, code the test pictures, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300, help="of SegPIC; MTL-SCI takes twice as many")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    variants = _variants(arguments.steps)
    trials = [
        Trial(variant=variant, lambda_rd=lambda_rd, seed=seed)
        for seed, lambda_rd, variant in product(range(arguments.seeds), LAMBDAS, variants)
    ]
    missing = [trial for trial in trials if not _path(arguments.out, trial).exists()]
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        for number, done in enumerate(as_completed([pool.submit(_run, t, arguments) for t in missing]), start=1):
            print(f"{number}/{len(missing)} {done.result()}", flush=True)
    for line in _table(variants, arguments):
        print(line)


def _variants(steps: int) -> list[Variant]:
    segpic = {"codec": "segpic", "preset": "tiny", "steps": steps, "baseline": "segpic"}
    mtl = {"codec": "mtl_sci", "preset": "tiny", "steps": 2 * steps, "baseline": "mtl_sci, gamma 0"}
    return [
        Variant(name="mtl_sci, gamma 0", **mtl),  # type: ignore[arg-type]
        Variant(name="mtl_sci, gamma 0.1", gamma=0.1, **mtl),  # type: ignore[arg-type]
        Variant(name="segpic", **segpic),  # type: ignore[arg-type]
        Variant(name="segpic, no RAT", changes=("region_adaptive=false",), **segpic),  # type: ignore[arg-type]
        Variant(name="segpic, no SAL", changes=("scale_affine=false",), **segpic),  # type: ignore[arg-type]
        Variant(name="segpic, grid instead of masks", regions="grid", **segpic),  # type: ignore[arg-type]
    ]


def _run(trial: Trial, arguments: argparse.Namespace) -> str:
    torch.set_num_threads(1)
    variant = trial.variant
    config = TrainConfig(
        codec=variant.codec,
        codec_preset=variant.preset,
        codec_set=variant.changes,
        seed=trial.seed,
        lambda_rd=trial.lambda_rd,
        gamma=variant.gamma,
        regions=variant.regions,  # type: ignore[arg-type]
        steps=variant.steps,
        batch_size=8,
        crop=128,
        crops_per_picture=2,
        learning_rate=5e-4,
        aux_learning_rate=1e-2,
        warmup_steps=20,
        decay_share=0.6,
        report_every=variant.steps,
        validate_every=0,
        checkpoint_every=variant.steps,
    )
    state = fresh_state(config, torch.device("cpu"))
    split = open_split(Store(arguments.corpus), "train")
    reader = SampleReader(split, cache_bytes=1 << 30, with_regions=needs_regions(config))
    batches = train_batches(reader, config, samples_seen=0, rank=0, num_ranks=1)
    data = TrainData(batches=batches, validation=(), num_samples=split.num_samples)
    for _ in fit(state, config, data, Alone()):
        pass
    state.codec.eval()
    state.codec.freeze()
    loaded = LoadedCodec(spec=find_codec(variant.codec), codec=state.codec, weights_sha256="0" * 64)
    bpp, mse = np.mean([_coded(loaded, picture) for picture in _pictures(arguments.corpus)], axis=0)
    row = {"trial": asdict(trial), "bpp": float(bpp), "psnr": psnr(float(mse))}
    path = _path(arguments.out, trial)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(row))
    partial.rename(path)
    return f"{trial.name}: {row['bpp']:.3f} bpp, {row['psnr']:.2f} dB"


def _coded(loaded: LoadedCodec, picture: Pixels) -> tuple[float, float]:
    """Return bits a pixel of the file, and the MSE on [0, 1]."""
    encoded = compress_picture(loaded, picture)
    error = (encoded.reconstruction.astype(np.float64) - picture) / 255
    return 8 * len(encoded.data) / (picture.shape[0] * picture.shape[1]), float(np.square(error).mean())


def _pictures(corpus: str) -> Iterator[Pixels]:
    reader = SampleReader(open_split(Store(corpus), "test"), cache_bytes=0)
    for index in range(reader.split.num_samples):
        picture = reader.read(index).picture
        top, left = (max(0, side - SIDE) // 2 for side in picture.shape[:2])
        yield np.ascontiguousarray(picture[top : top + SIDE, left : left + SIDE])


def _path(out: Path, trial: Trial) -> Path:
    return out / f"{trial.name}.json"


def _table(variants: list[Variant], arguments: argparse.Namespace) -> Iterator[str]:
    yield f"| variant | steps | {' | '.join(f'bpp, dB at lambda {one}' for one in LAMBDAS)} | BD-rate, % |"
    yield "|---|---|" + "---|" * (len(LAMBDAS) + 1)
    curves = {
        variant.name: [_curve(variant, seed, arguments) for seed in range(arguments.seeds)] for variant in variants
    }
    for variant in variants:
        points = np.mean(curves[variant.name], axis=0)
        cells = " | ".join(f"{bpp:.3f}, {decibel:.2f}" for bpp, decibel in points)
        pairs = zip(curves[variant.baseline], curves[variant.name], strict=True)
        rates = [_bd_rate(base, curve) for base, curve in pairs]
        error = statistics.stdev(rates) / len(rates) ** 0.5 if len(rates) > 1 else float("nan")
        told = "baseline" if variant.name == variant.baseline else f"{statistics.mean(rates):+.1f} +- {error:.1f}"
        yield f"| {variant.name} | {variant.steps} | {cells} | {told} |"


def _bd_rate(base: list[tuple[float, float]], curve: list[tuple[float, float]]) -> float:
    """Return the BD-rate in percent, or NaN if a curve does not rise (trained too short to obey its lambda)."""
    if any(
        points != sorted(points) or [d for _, d in points] != sorted(d for _, d in points) for points in (base, curve)
    ):
        return math.nan
    return float(bjontegaard.bd_rate(*np.transpose(base), *np.transpose(curve), method="pchip", min_overlap=0))


def _curve(variant: Variant, seed: int, arguments: argparse.Namespace) -> list[tuple[float, float]]:
    """Return (bpp, PSNR) at each lambda."""
    rows = [
        json.loads(_path(arguments.out, Trial(variant=variant, lambda_rd=one, seed=seed)).read_text())
        for one in LAMBDAS
    ]
    return [(row["bpp"], row["psnr"]) for row in rows]


if __name__ == "__main__":
    main()
