"""The papers' claims at one small budget: `python -m benchmarks.claims --corpus CORPUS --out DIR [--workers 2]`.

Codecs that differ in one thing are trained on the same crops in the same order, from the same seeds, for equally many
steps, at three lambdas and three seeds; the middles of the test split's pictures are coded for real, all bytes counted.
Prints against each variant's own baseline, with the standard error over seeds: the training objective on coded screens,
and the BD-rate (Bjontegaard, piecewise cubic) on screens, on parts of screens without a photograph, on photographs; for
the seeds whose points rise with lambda.

Each training leaves a line in DIR, so a run that was stopped goes on. A budget of minutes shows what a part does at the
beginning of training, not at the paper's end of it.
"""

import argparse
import json
import math
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import bjontegaard
import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.base.store import Store
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.coding import compress_picture
from pipeline.codecs.table import find_codec
from pipeline.formats.corpus import open_split
from pipeline.formats.picture import Pixels, read_picture, to_rgb
from pipeline.formats.sample import SYNTHETIC
from training.config import TrainConfig, needs_regions
from training.data import SampleReader, train_batches
from training.loop import Alone, TrainData, fit
from training.objectives import psnr
from training.state import fresh_state

LAMBDAS = (0.003, 0.01, 0.03)
SIDE = 384
MAX_PICTURES = 12
MIXED = "mixed"


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
    parser.add_argument("--natural", type=Path, help="folder of PNG photographs, coded as a set of their own")
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
    points = {}
    for name, pictures in _sets(arguments).items():
        bpp, mse = np.mean([_coded(loaded, picture) for picture in pictures], axis=0)
        points[name] = (float(bpp), psnr(float(mse)))
    row = {"trial": asdict(trial), "points": points}
    path = _path(arguments.out, trial)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(row))
    partial.rename(path)
    return f"{trial.name}: {points[MIXED][0]:.3f} bpp, {points[MIXED][1]:.2f} dB"


def _coded(loaded: LoadedCodec, picture: Pixels) -> tuple[float, float]:
    """Return bits a pixel of the file, and the MSE on [0, 1]."""
    encoded = compress_picture(loaded, picture)
    error = (encoded.reconstruction.astype(np.float64) - picture) / 255
    return 8 * len(encoded.data) / (picture.shape[0] * picture.shape[1]), float(np.square(error).mean())


def _sets(arguments: argparse.Namespace) -> dict[str, list[Pixels]]:
    """Return the pictures of each set: screens, screens' parts without a photograph, photographs."""
    mixed, synthetic = [], []
    for split in ("test", "val"):
        reader = SampleReader(open_split(Store(arguments.corpus), split), cache_bytes=0)
        for sample in (reader.read(index) for index in range(reader.split.num_samples)):
            if split == "test":
                mixed.append(_middle(sample.picture))
            if (_middle(sample.label) == SYNTHETIC).all():
                synthetic.append(_middle(sample.picture))
    sets = {MIXED: mixed, "synthetic": synthetic[:MAX_PICTURES]}
    if arguments.natural:
        files = sorted(arguments.natural.glob("*.png"))[:MAX_PICTURES]
        sets["natural"] = [_middle(to_rgb(read_picture(one.read_bytes(), where=str(one)).pixels)) for one in files]
    return {name: pictures for name, pictures in sets.items() if pictures}


def _middle(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(0, side - SIDE) // 2 for side in plane.shape[:2])
    return np.ascontiguousarray(plane[top : top + SIDE, left : left + SIDE])


def _path(out: Path, trial: Trial) -> Path:
    return out / f"{trial.name}.json"


def _table(variants: list[Variant], arguments: argparse.Namespace) -> Iterator[str]:
    sets = (MIXED, "synthetic", "natural")
    yield f"| variant | steps | {' | '.join(f'lambda {one}' for one in LAMBDAS)} | objective | {' | '.join(sets)} |"
    yield "|---|---|" + "---|" * (len(LAMBDAS) + 1 + len(sets))
    for variant in variants:
        seeds = [_points(variant, seed, arguments) for seed in range(arguments.seeds)]
        base = [_points(_baseline(variant, variants), seed, arguments) for seed in range(arguments.seeds)]
        curves = [[row[MIXED] for row in rows] for rows in seeds]
        cells = [f"{bpp:.3f}, {decibel:.2f}" for bpp, decibel in np.mean(curves, axis=0)]
        if variant.name == variant.baseline:
            cells += ["baseline"] + ["baseline"] * len(sets)
        else:
            cells.append(
                _told([_objective(one) / _objective(other) - 1 for one, other in zip(seeds, base, strict=True)])
            )
            cells += [
                _told(
                    [_bd_rate(_curve(other, name), _curve(one, name)) for one, other in zip(seeds, base, strict=True)]
                )
                for name in sets
            ]
        yield f"| {variant.name} | {variant.steps} | {' | '.join(cells)} |"


def _baseline(variant: Variant, variants: list[Variant]) -> Variant:
    return next(one for one in variants if one.name == variant.baseline)


def _told(shares: list[float]) -> str:
    """Return mean and standard error in percent, over the seeds that have a value."""
    known = [100 * share for share in shares if not math.isnan(share)]
    if len(known) < 2:
        return f"{known[0]:+.1f} (1 seed)" if known else "-"
    error = float(np.std(known, ddof=1)) / len(known) ** 0.5
    return f"{np.mean(known):+.1f} +- {error:.1f}" + ("" if len(known) == len(shares) else f" ({len(known)} seeds)")


def _objective(rows: list[dict[str, tuple[float, float]]]) -> float:
    """Return what training minimises, bpp + lambda 255^2 MSE, on the mixed set, as a mean over the lambdas."""
    points = zip(LAMBDAS, (row[MIXED] for row in rows), strict=True)
    return float(np.mean([bpp + lambda_rd * 255**2 * 10 ** (-decibel / 10) for lambda_rd, (bpp, decibel) in points]))


def _curve(rows: list[dict[str, tuple[float, float]]], name: str) -> list[tuple[float, float]]:
    return [row[name] for row in rows if name in row]


def _bd_rate(base: list[tuple[float, float]], curve: list[tuple[float, float]]) -> float:
    """Return the BD-rate as a share, or NaN if a curve does not rise (trained too short to obey its lambda)."""
    for points in (base, curve):
        rates, decibels = [bpp for bpp, _ in points], [decibel for _, decibel in points]
        if not points or rates != sorted(rates) or decibels != sorted(decibels):
            return math.nan
    return float(bjontegaard.bd_rate(*np.transpose(base), *np.transpose(curve), method="pchip", min_overlap=0)) / 100


def _points(variant: Variant, seed: int, arguments: argparse.Namespace) -> list[dict[str, tuple[float, float]]]:
    """Return (bpp, PSNR) of each set, at each lambda."""
    trials = [Trial(variant=variant, lambda_rd=one, seed=seed) for one in LAMBDAS]
    return [json.loads(_path(arguments.out, trial).read_text())["points"] for trial in trials]


if __name__ == "__main__":
    main()
