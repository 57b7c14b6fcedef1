"""How well region engines find what a scene drew: `python -m benchmarks.mask_engines [--scenes 50] [--bsds DIR]`.

Each engine's map against the layout of synthesized screens, which is exact: how well the best region covers each true
one (mean of the best intersection over union; covering, which weighs it by area: Arbelaez et al. 2011, eq. 4), and how
many regions there are. With `--bsds` the same against the human segmentations of BSDS500 (.mat files), mean over a
picture's annotators.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen import planning
from datagen.config import CorpusConfig, Counts, QualityConfig
from datagen.masks import make_regions
from datagen.masks_config import MasksConfig
from datagen.region_map import dense
from datagen.render import synthesize
from pipeline.base.errors import PictureError
from pipeline.formats.picture import Pixels

Ids = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One map against a true one."""

    best_iou: float
    covering: float
    num_regions: int
    num_true: int


def main() -> None:
    """Score the engines and print the tables."""
    arguments = _arguments()
    engines = _engines(arguments)
    tables = {f"{arguments.scenes} synthesized 1280x720 screens": _scored(engines, _screens(arguments))}
    if arguments.bsds:
        tables[f"BSDS500, {arguments.photos} photographs"] = _scored(engines, _photographs(arguments))
    for title, rows in tables.items():
        print(
            f"\n{title}\n\n| engine | mean best IoU | covering | regions | true regions |\n{'| --- ' + '| ---: ' * 4}|"
        )
        for name, row in rows.items():
            print(f"| {name} | {row.best_iou:.3f} | {row.covering:.3f} | {row.num_regions:.0f} | {row.num_true:.0f} |")
    if arguments.sheet:
        _sheet(engines, arguments)


def _engines(arguments: argparse.Namespace) -> dict[str, Callable[[Pixels], Ids]]:
    by_name: dict[str, Callable[[Pixels], Ids]] = {
        "one region": lambda picture: np.ones(picture.shape[:2], dtype=np.uint16),
        "grid of 4 x 4": lambda picture: _grid(picture.shape[0], picture.shape[1]),
        "felzenszwalb": lambda picture: make_regions(MasksConfig(engine="felzenszwalb"), picture, None).regions,
        "felzenszwalb without closing": lambda picture: (
            make_regions(
                MasksConfig(engine="felzenszwalb", felzenszwalb_closing=(1, 1), min_area=0), picture, None
            ).regions
        ),
    }
    for text in arguments.variant or []:
        config = MasksConfig(**({"engine": "felzenszwalb"} | json.loads(text)))
        by_name[text] = lambda picture, config=config: make_regions(config, picture, None).regions  # type: ignore[misc]
    if arguments.sam_checkpoint:
        config = MasksConfig(sam_checkpoint=arguments.sam_checkpoint)
        by_name["sam"] = lambda picture: make_regions(config, picture, None).regions
    return by_name


def _scored(
    engines: dict[str, Callable[[Pixels], Ids]], pictures: Iterator[tuple[Pixels, list[Ids]]]
) -> dict[str, Score]:
    found: dict[str, list[Score]] = defaultdict(list)
    for picture, truths in pictures:
        for name, engine in engines.items():
            ids = engine(picture)
            scores = [score(ids, truth) for truth in truths]
            found[name].append(_mean(scores))
    return {name: _mean(scores) for name, scores in found.items()}


def _mean(scores: list[Score]) -> Score:
    def of(field: str) -> float:
        return float(np.mean([getattr(one, field) for one in scores]))

    return Score(
        best_iou=of("best_iou"),
        covering=of("covering"),
        num_regions=round(of("num_regions")),
        num_true=round(of("num_true")),
    )


def score(ids: Ids, truth: Ids) -> Score:
    """Compare two maps (H, W) of one size; what the true one leaves out (0) counts for neither."""
    own, _ = dense(ids.astype(np.int64) + 1)
    num_own, num_true = int(own.max()) + 1, int(truth.max()) + 1
    common = np.bincount(truth.astype(np.int64).ravel() * num_own + own.ravel(), minlength=num_true * num_own)
    table = common.reshape(num_true, num_own)[1:]
    areas, own_areas = table.sum(axis=1), table.sum(axis=0)
    iou = table / np.maximum(1, areas[:, None] + own_areas[None] - table)
    best = iou.max(axis=1)[areas > 0]
    weights = areas[areas > 0]
    return Score(
        best_iou=float(best.mean()),
        covering=float((best * weights).sum() / weights.sum()),
        num_regions=len(np.unique(ids)),
        num_true=len(best),
    )


def _screens(arguments: argparse.Namespace) -> Iterator[tuple[Pixels, list[Ids]]]:
    config = CorpusConfig(
        sizes=("1280x720",),
        scales=(1.0, 1.25),
        num_samples=Counts(train=10 * arguments.scenes),
        photos=arguments.scene_photos,
        quality=QualityConfig(near_duplicate_bits=0),
        seed=17,
    )
    plan = planning.make(config)
    made = 0
    for number in range(10 * arguments.scenes):
        if made == arguments.scenes:
            return
        try:
            sample = synthesize(plan.config, plan.photos("train"), f"train-{number:06d}", plan.versions)
        except PictureError:
            continue
        made += 1
        yield sample.picture, [sample.regions]


def _photographs(arguments: argparse.Namespace) -> Iterator[tuple[Pixels, list[Ids]]]:
    from scipy.io import loadmat

    photos = {path.stem: path for path in Path(arguments.bsds_photos).rglob("*.jpg")}
    for path in sorted(Path(arguments.bsds).rglob("*.mat"))[: arguments.photos]:
        truths = [entry["Segmentation"][0, 0] for entry in loadmat(path)["groundTruth"][0]]
        with Image.open(photos[path.stem]) as image:
            yield np.asarray(image.convert("RGB")), [truth.astype(np.uint16) for truth in truths]


def _grid(height: int, width: int) -> Ids:
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    return (rows[:, None] * 4 + columns[None] + 1).astype(np.uint16)


def _sheet(engines: dict[str, Callable[[Pixels], Ids]], arguments: argparse.Namespace) -> None:
    """Write pictures beside the maps of each engine, to be looked at."""
    rng = np.random.default_rng(0)
    rows = []
    for number, (picture, (truth, *_)) in enumerate(_screens(arguments)):
        if number == arguments.sheet_rows:
            break
        colours = rng.integers(40, 256, (0x10000, 3), dtype=np.uint8)
        colours[0] = 0
        maps = [truth, *(engine(picture) for name, engine in engines.items() if name.startswith(("felz", "{", "sam")))]
        rows.append(np.concatenate([picture, *(colours[ids] for ids in maps)], axis=1)[::2, ::2])
    Image.fromarray(np.concatenate(rows)).save(arguments.sheet)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenes", type=int, default=50)
    parser.add_argument("--scene-photos", help="photographs in the screens; default: those of our libraries")
    parser.add_argument("--bsds", help="folder of BSDS500's .mat files")
    parser.add_argument("--bsds-photos", help="folder of its photographs")
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--sam-checkpoint")
    parser.add_argument("--variant", action="append", help="another felzenszwalb config, as JSON")
    parser.add_argument("--sheet", help="PNG of pictures beside their maps")
    parser.add_argument("--sheet-rows", type=int, default=4)
    return parser.parse_args()


if __name__ == "__main__":
    main()
