"""What parts of the lossless codec are worth: `python -m benchmarks.lossless_claims --corpus CORPUS --out DIR`.

Codecs that differ in one thing are trained on the same crops in the same order, from the same seeds, for equally many
steps; then pictures of the test split are coded for real, all bytes counted, with the corpus's labels. Prints bits per
sub-pixel, and the difference to the variant's baseline with its standard error over seeds.

"Multi-entropy beats single-entropy" is the paper's claim (SEEC, arXiv:2509.07704); the others are ours. Each training
leaves a line in DIR, so a run that was stopped goes on. A budget of minutes shows the beginning of training.
"""

import argparse
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.base.store import Store
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.coding import compress_picture
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.table import find_codec
from pipeline.formats.corpus import open_split
from training.config import TrainConfig
from training.data import SampleReader, train_batches
from training.loop import Alone, TrainData, fit
from training.state import fresh_state

SIDE = 384
MAX_PICTURES = 24
WHOLE, DRAWN, PHOTOGRAPHED = "whole", "class 0", "class 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One codec under test; `baseline` is the one that it is compared with."""

    name: str
    baseline: str
    preset: str
    changes: tuple[str, ...] = ()


VARIANTS = (
    Variant(name="screen, two entropy models", baseline="screen, two entropy models", preset="tiny"),
    Variant(
        name="screen, one entropy model",
        baseline="screen, two entropy models",
        preset="tiny",
        changes=("num_classes=1",),
    ),
    Variant(name="screen, no copies", baseline="screen, two entropy models", preset="tiny", changes=("copies=false",)),
    Variant(
        name="screen, with side codec",
        baseline="screen, two entropy models",
        preset="tiny",
        changes=("num_channels=16", "num_features=16", "num_heads=2"),
    ),
    Variant(name="published structure", baseline="published structure", preset="small"),
    Variant(
        name="published structure, one entropy model",
        baseline="published structure",
        preset="small",
        changes=("num_classes=1",),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One training."""

    variant: Variant
    seed: int
    steps: int

    @property
    def name(self) -> str:
        return f"{self.variant.name}-{self.seed}-{self.steps}"


def main() -> None:
    """Train what is missing, code the test pictures, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    trials = [
        Trial(variant=variant, seed=seed, steps=arguments.steps)
        for seed, variant in product(range(arguments.seeds), VARIANTS)
    ]
    missing = [trial for trial in trials if not _path(arguments.out, trial).exists()]
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        for number, done in enumerate(as_completed([pool.submit(_run, t, arguments) for t in missing]), start=1):
            print(f"{number}/{len(missing)} {done.result()}", flush=True)
    for line in _table(arguments):
        print(line)


def _run(trial: Trial, arguments: argparse.Namespace) -> str:
    torch.set_num_threads(1)
    config = TrainConfig(
        codec="seec",
        codec_preset=trial.variant.preset,
        codec_set=trial.variant.changes,
        seed=trial.seed,
        gamma=0.0,
        steps=trial.steps,
        batch_size=4,
        crop=128,
        crops_per_picture=1,
        learning_rate=3e-3,
        warmup_steps=20,
        decay_share=0.7,
        report_every=trial.steps,
        validate_every=0,
        checkpoint_every=trial.steps,
    )
    state = fresh_state(config, torch.device("cpu"))
    split = open_split(Store(arguments.corpus), "train")
    reader = SampleReader(split, cache_bytes=1 << 30)
    batches = train_batches(reader, config, samples_seen=0, rank=0, num_ranks=1)
    for _ in fit(state, config, TrainData(batches=batches, validation=(), num_samples=split.num_samples), Alone()):
        pass
    state.codec.eval()
    state.codec.freeze()
    loaded = LoadedCodec(spec=find_codec("seec"), codec=state.codec, weights_sha256="0" * 64)
    sums = np.sum([_coded(loaded, *sample) for sample in _samples(arguments.corpus)], axis=0)
    rates = dict(
        zip((WHOLE, DRAWN, PHOTOGRAPHED), (8 * sums[:3] / (3 * np.maximum(sums[3:], 1))).tolist(), strict=True)
    )
    path = _path(arguments.out, trial)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"trial": asdict(trial), "rates": rates}))
    partial.rename(path)
    return f"{trial.name}: {rates[WHOLE]:.3f} bits per sub-pixel"


def _samples(corpus: str) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield the middles of labelled test pictures and their label maps."""
    reader = SampleReader(open_split(Store(corpus), "test"), cache_bytes=0)
    labelled = [
        sample for index in range(reader.split.num_samples) if ((sample := reader.read(index)).label != 255).all()
    ]
    for place in np.linspace(0, len(labelled) - 1, min(MAX_PICTURES, len(labelled))).astype(int):
        sample = labelled[place]
        top, left = (max(0, side - SIDE) // 2 for side in sample.label.shape)
        window = (slice(top, top + SIDE), slice(left, left + SIDE))
        yield np.ascontiguousarray(sample.picture[window]), np.ascontiguousarray(sample.label[window])


def _coded(loaded: LoadedCodec, picture: NDArray[np.uint8], label: NDArray[np.uint8]) -> list[float]:
    """Return the file's bytes, those of drawn and of photographed pixels, and the pixels of each.

    With one entropy model the split is by pixels of the label, whose bytes it does not tell: both are then unknown, 0.
    """
    encoded = compress_picture(loaded, picture, SideInputs(label=label))
    details = encoded.details
    return [
        float(len(encoded.data)),
        details["bytes_class_0"],
        details.get("bytes_class_1", 0.0),
        float(label.size),
        details["pixels_class_0"],
        details.get("pixels_class_1", 0.0),
    ]


def _path(out: Path, trial: Trial) -> Path:
    return out / f"{trial.name.replace(' ', '_').replace(',', '')}.json"


def _table(arguments: argparse.Namespace) -> Iterator[str]:
    yield f"| variant | {WHOLE} | {DRAWN} | {PHOTOGRAPHED} | against its baseline |"
    yield "|---|---:|---:|---:|---:|"
    for variant in VARIANTS:
        mine, base = (_rates(arguments, name) for name in (variant.name, variant.baseline))
        means = [float(np.mean([row[key] for row in mine])) for key in (WHOLE, DRAWN, PHOTOGRAPHED)]
        changes = [100 * (row[WHOLE] / other[WHOLE] - 1) for row, other in zip(mine, base, strict=True)]
        against = "baseline"
        if variant.name != variant.baseline:
            error = float(np.std(changes, ddof=1) / len(changes) ** 0.5) if len(changes) > 1 else float("nan")
            against = f"{np.mean(changes):+.1f} ± {error:.1f} %"
        parts = [f"{value:.3f}" for value in means]
        if "num_classes=1" in variant.changes:
            parts[1:] = ["-", "-"]
        yield f"| {variant.name} | {' | '.join(parts)} | {against} |"


def _rates(arguments: argparse.Namespace, name: str) -> list[dict[str, float]]:
    variant = next(each for each in VARIANTS if each.name == name)
    trials = [Trial(variant=variant, seed=seed, steps=arguments.steps) for seed in range(arguments.seeds)]
    return [json.loads(_path(arguments.out, trial).read_text())["rates"] for trial in trials]


if __name__ == "__main__":
    main()
