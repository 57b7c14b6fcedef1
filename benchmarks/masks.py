"""Pictures a second of each region engine: `python -m benchmarks.masks [--points 8] [--rounds 2] [--device cpu]`.

Segment Anything with random weights of ViT-B (speed does not depend on their values): the package's own automatic
generator one picture at a time, ours one at a time, ours in a batch, all with the same parameters, and their masks
compared. Random scores mean nothing, so those of the score head are spread such that `--accepted` of all masks pass the
thresholds; a trained network accepts some 5 to 30 % of three masks a prompt. Rounds are interleaved, the first is
thrown away, medians are shown.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from datagen import planning
from datagen.config import CorpusConfig, Counts, QualityConfig
from datagen.masks import make_regions
from datagen.masks_config import MasksConfig
from datagen.render import synthesize
from datagen.sam.generate import crops_of, encode, masks_of, part, prepared
from datagen.sam.masks import SamMask
from pipeline.base.errors import PictureError
from pipeline.formats.picture import Pixels


def main() -> None:
    """Measure and print the table."""
    arguments = _arguments()
    pictures, regions = _screens(arguments.pictures)
    sam = _random_vit_b(arguments.accepted, pictures[0], arguments.device)
    config = MasksConfig(sam_points_per_side=arguments.points, sam_pred_iou_thresh=0.88)
    found: dict[str, Any] = {}
    arms: dict[str, Callable[[], Any]] = {
        "sam, the package's generator, one by one": lambda: [_package(sam, config, one) for one in pictures],
        "sam, one by one": lambda: [one for picture in pictures for one in _ours(sam, config, [picture])],
        "sam, batched": lambda: _ours(sam, config, pictures),
        "sam, encoder alone": lambda: [encode(sam, prepared(sam, one)[None], bf16=False) for one in pictures],
        "felzenszwalb": lambda: [make_regions(MasksConfig(engine="felzenszwalb"), one, None) for one in pictures],
        "layout": lambda: [
            make_regions(MasksConfig(), one, drawn) for one, drawn in zip(pictures, regions, strict=True)
        ],
    }
    times: dict[str, list[float]] = {name: [] for name in arms}
    with torch.no_grad():
        for number in range(arguments.rounds + 1):
            for name, arm in arms.items():
                started = time.perf_counter()
                found[name] = arm()
                if sam.device.type == "cuda":
                    torch.cuda.synchronize()
                if number:
                    times[name].append((time.perf_counter() - started) / len(pictures))
    _compare(found)
    seconds = {name: statistics.median(spent) for name, spent in times.items()}
    package = next(iter(seconds.values()))
    print("| engine | s a picture | pictures/s | against the package |\n| --- | ---: | ---: | ---: |")
    for name, spent in seconds.items():
        ratio = f"{package / spent:.2f}" if name.startswith("sam") else ""
        print(f"| {name} | {spent:.3f} | {1 / spent:.3f} | {ratio} |")
    kept = statistics.mean(len(masks) for masks in found["sam, batched"])
    print(
        f"\n{len(pictures)} screens of 1280x720, {arguments.points} points a side, {arguments.accepted:.0%} of masks "
        f"pass the predicted IoU, {kept:.0f} are kept; {arguments.rounds} rounds, {sam.device}, "
        f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}."
    )


def _random_vit_b(accepted: float, picture: Pixels, device: str) -> Any:
    """Return a ViT-B whose scores let the share `accepted` of masks pass 0.88."""
    from segment_anything import sam_model_registry

    from datagen.sam.decoder import PointDecoder

    torch.manual_seed(0)
    sam = sam_model_registry["vit_b"]().eval().to(device)
    with torch.no_grad():
        for head in sam.mask_decoder.output_hypernetworks_mlps:
            head.layers[-1].weight.mul_(1000)
        decoder = PointDecoder(sam, encode(sam, prepared(sam, picture)[None], bf16=False))
        scored = decoder.score(torch.rand((64, 2), generator=torch.Generator().manual_seed(1)).to(device) * 1024)
        last = sam.mask_decoder.iou_prediction_head.layers[-1]
        limit = torch.quantile(scored.predicted_iou_BM, 1 - accepted)
        last.bias.add_(0.88 - limit)
    return sam


def _package(sam: Any, config: MasksConfig, picture: Pixels) -> list[dict[str, Any]]:
    from segment_anything import SamAutomaticMaskGenerator

    generator = SamAutomaticMaskGenerator(
        sam,
        points_per_side=config.sam_points_per_side,
        points_per_batch=config.sam_points_per_batch,
        pred_iou_thresh=config.sam_pred_iou_thresh,
        stability_score_thresh=config.sam_stability_score_thresh,
    )
    found: list[dict[str, Any]] = generator.generate(picture)
    return found


def _ours(sam: Any, config: MasksConfig, pictures: list[Pixels]) -> list[list[SamMask]]:
    inputs = torch.stack(
        [prepared(sam, part(picture, crop.area)) for picture in pictures for crop in crops_of(config, picture)]
    )
    features = encode(sam, inputs, bf16=False)
    return [masks_of(sam, config, picture, own[None]) for picture, own in zip(pictures, features, strict=True)]


def _compare(found: dict[str, Any]) -> None:
    """Say how far our masks are the package's."""
    package = found["sam, the package's generator, one by one"]
    for name in ("sam, one by one", "sam, batched"):
        different = total = 0
        for ours, theirs in zip(found[name], package, strict=True):
            left = [one for one in theirs if one["area"]]
            for one in ours:
                best = min(left, key=lambda other: abs(other["predicted_iou"] - one.predicted_iou), default=None)
                area = one.area
                seen = None if best is None else best["segmentation"][area.y : area.bottom, area.x : area.right]
                if best is None or (seen != one.mask).sum() > 0.001 * one.mask.size or best["area"] != seen.sum():
                    different += 1
                else:
                    left = [other for other in left if other is not best]
                total += 1
            different += len(left)
        print(f"{name}: {different} of {total} masks differ from the package's by more than 0.1 % of their box")
    print()


def _screens(count: int) -> tuple[list[Pixels], list[Any]]:
    from datagen import render

    config = CorpusConfig(
        sizes=("1280x720",), scales=(1.0,), num_samples=Counts(train=100), quality=QualityConfig(near_duplicate_bits=0)
    )
    plan = planning.make(config)
    drawn: list[Any] = []
    original = render.make_regions
    pictures: list[Pixels] = []

    def noting(masks: MasksConfig, picture: Pixels, regions: Any) -> Any:
        drawn.append(regions)
        return original(masks, picture, regions)

    render.make_regions = noting
    try:
        for number in range(100):
            if len(pictures) == count:
                break
            try:
                pictures.append(
                    synthesize(plan.config, plan.photos("train"), f"train-{number:06d}", plan.versions).picture
                )
            except PictureError:
                continue
    finally:
        render.make_regions = original
    assert all(isinstance(one, np.ndarray) for one in pictures)
    return pictures, drawn[:count]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=8, help="prompt points along each side; 32 are usual")
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--accepted", type=float, default=0.15, help="share of masks that pass the predicted IoU")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
