"""Labelled pictures a second and core: `python -m benchmarks.datagen [--out DIR] [--img2dataset PYTHON]`.

Every way to make a labelled 1280x720 picture, beside encoding the same pictures as PNG (what no way can beat), taking a
screenshot of a page in Chromium, and img2dataset's resize-and-write path on local files, if a Python that has it is
given. Rounds are interleaved, the CPU time of the whole tree of processes is counted, medians are shown. Last, how much
faster two workers make a corpus than one.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from datagen import planning
from datagen.build import run
from datagen.config import CorpusConfig, Counts, QualityConfig
from datagen.plan import Plan
from datagen.render import synthesize
from datagen.work import make_sample
from pipeline.base.errors import PictureError
from pipeline.base.progress import Tally
from pipeline.base.seeds import generator
from pipeline.formats.sample import Sample, decode_sample, encode_sample
from pipeline.formats.shards import EncodedSample

SIZE = (1280, 720)
_TICKS = os.sysconf("SC_CLK_TCK")
_IMG2DATASET_PICTURES = 200
_IMG2DATASET = """
import sys
from img2dataset import download
download(url_list=sys.argv[1], output_folder=sys.argv[2], input_format="txt", output_format="webdataset",
         image_size=1280, resize_mode="border", encode_format="png", encode_quality=2, processes_count=1,
         thread_count=1, number_sample_per_shard=1000, enable_wandb=False)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One arm's result."""

    name: str
    ms: float
    """CPU time a picture, median over the rounds."""
    a_second: float
    """Pictures a second on one core."""
    of_limit: float
    """Speed against encoding alone."""


def main() -> None:
    """Run all arms that this machine has, print the table and write it."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        arms, notes = _arms(folder, arguments)
        times: dict[str, list[float]] = {name: [] for name in arms}
        for number in range(arguments.rounds + 1):
            for name, arm in arms.items():
                started = _cpu_s()
                num_pictures = arm()
                spent = (_cpu_s() - started) / num_pictures
                # The first round fills caches and starts browsers.
                if number:
                    times[name].append(spent)
        rows = _rows({name: statistics.median(spent) for name, spent in times.items()})
        scaling = _scaling(folder, arguments) if arguments.scaling_samples else {}
    text = _markdown(rows, scaling, notes)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "datagen.md").write_text(text + "\n", encoding="utf-8")
        table = {"rows": [asdict(row) for row in rows], "scaling": scaling, "notes": notes}
        (arguments.out / "datagen.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=20, help="pictures a round")
    parser.add_argument("--pages", type=int, default=2, help="pages a round of the browser's arms")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument(
        "--scaling-samples", type=int, default=128, help="pictures of the corpus made by 1 and 2 workers"
    )
    parser.add_argument(
        "--img2dataset",
        default=os.environ.get("IMG2DATASET_PYTHON"),
        help="a Python that has img2dataset (default: the environment's IMG2DATASET_PYTHON)",
    )
    parser.add_argument("--out", type=Path, help="folder for datagen.md and datagen.json")
    return parser.parse_args()


def _config(num_samples: int, **changes: object) -> CorpusConfig:
    settings = {
        "sizes": (f"{SIZE[0]}x{SIZE[1]}",),
        "scales": (1.0,),
        "num_samples": Counts(train=num_samples),
        "quality": QualityConfig(near_duplicate_bits=0),
    }
    return CorpusConfig(**(settings | changes))  # type: ignore[arg-type]


def _arms(folder: Path, arguments: argparse.Namespace) -> tuple[dict[str, Callable[[], int]], list[str]]:
    """Return what is measured by name, each giving how many pictures it made, and what could not be."""
    notes = [f"{arguments.rounds} rounds of {arguments.samples} pictures; {os.cpu_count()} cores, load {_load()}."]
    plan = planning.make(_config(arguments.samples))
    made = [_make(plan, number) for number in range(arguments.samples)]
    samples = [decode_sample(sample.members, where="benchmark") for sample in made if sample is not None]
    level = plan.config.png_compress_level
    arms: dict[str, Callable[[], int]] = {
        "PNG encoding alone (the limit)": lambda: len([encode_sample(held, compress_level=level) for held in samples]),
        "the same with Pillow's zlib at level 6": lambda: _by_pillow(samples),
        "raster renderer": lambda: _made(plan, arguments.samples),
        "raster renderer, drawing and labelling alone": lambda: _drawn(plan, arguments.samples),
    }
    from datagen.browser.chromium import installed

    if installed():
        arms |= _browser_arms(arguments.pages)
    else:
        notes.append("browser: no Chromium here")
    if arguments.img2dataset:
        arms["img2dataset: resize and write, PNG"] = _img2dataset(folder, arguments.img2dataset, samples)
    else:
        notes.append("img2dataset: not measured; give a Python that has it by --img2dataset")
    return arms, notes


def _make(plan: Plan, number: int) -> EncodedSample | None:
    made = make_sample(plan, f"train-{number:06d}")
    return made if isinstance(made, EncodedSample) else None


def _made(plan: Plan, num_samples: int) -> int:
    return sum(_make(plan, number) is not None for number in range(num_samples))


def _drawn(plan: Plan, num_samples: int) -> int:
    """Make samples without encoding them: picture, labels, regions, quality."""
    drawn = 0
    for number in range(num_samples):
        try:
            synthesize(plan.config, plan.photos("train"), f"train-{number:06d}", plan.versions)
            drawn += 1
        except PictureError:
            # Refused for its quality, as in the other arms.
            continue
    return drawn


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _by_pillow(samples: list[Sample]) -> int:
    import io

    from PIL import Image

    for sample in samples:
        for array in (sample.picture, sample.label, sample.regions):
            Image.fromarray(array).save(io.BytesIO(), format="PNG", compress_level=6)
    return len(samples)


def _browser_arms(num_pages: int) -> dict[str, Callable[[], int]]:
    plan = planning.make(_config(num_pages, renderers={"browser": 1.0}))
    return {
        "browser renderer": lambda: _made(plan, num_pages),
        "Chromium: load a page, one screenshot": lambda: _screenshots(plan, num_pages),
    }


def _screenshots(plan: Plan, num_pages: int) -> int:
    """Load pages as the browser renderer does and take a PNG of each; no labels."""
    from playwright.sync_api import Route

    from datagen.browser.chromium import Browser, held_browser
    from datagen.browser.make import make_page
    from datagen.browser.page import Page
    from datagen.browser.recording import ORIGIN
    from datagen.browser.tab import Window
    from datagen.materials import Materials
    from datagen.settings import choose_setting
    from datagen.sources import Shelf
    from datagen.texts import words_of

    shelf = Shelf()

    def shoot(held: Browser, page: Page) -> bytes:
        tab = held.tab()
        tab.resize(Window(width=SIZE[0], height=SIZE[1], scale=page.zoom))

        def serve(route: Route) -> None:
            path = route.request.url.removeprefix(f"{ORIGIN}/shot/")
            if path == "index.html":
                route.fulfill(body=page.html, content_type="text/html; charset=utf-8")
            elif path in page.resources:
                route.fulfill(body=page.resources[path].data, content_type=page.resources[path].content_type)
            else:
                route.abort()

        tab.page.route("**/*", serve)
        try:
            tab.page.goto(f"{ORIGIN}/shot/index.html", wait_until="load")
            return tab.page.screenshot(type="png")
        finally:
            tab.page.unroute_all()

    for number in range(num_pages):
        rng = generator(number, "benchmark")
        setting = choose_setting(plan.config, rng)
        materials = Materials(plan.photos("train"), words_of("train"), load=shelf, rng=rng)
        page = make_page(setting.scene, materials, rng, SIZE, 1.0)
        held_browser().run(lambda held, page=page: shoot(held, page), where=page.name)  # type: ignore[misc]
    return num_pages


def _img2dataset(folder: Path, python: str, samples: list[Sample]) -> Callable[[], int]:
    """Return an arm that writes the pictures of `samples`, held as files, over and over."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, sample in enumerate(samples):
        (pictures / f"{number}.png").write_bytes(encode_sample(sample, compress_level=1)["png"])
    urls = [f"file://{path}" for path in sorted(pictures.iterdir())]

    def written(count: int) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as out:
            listing = Path(out) / "urls.txt"
            listing.write_text("\n".join((urls * (1 + count // len(urls)))[:count]))
            command = [python, "-c", _IMG2DATASET, str(listing), f"{out}/corpus"]
            subprocess.run(command, check=True, capture_output=True, env=os.environ | {"NO_ALBUMENTATIONS_UPDATE": "1"})

    def arm() -> int:
        # So many that the seconds of its start-up matter little.
        written(_IMG2DATASET_PICTURES)
        return _IMG2DATASET_PICTURES

    return arm


def _rows(medians: dict[str, float]) -> list[Row]:
    limit = next(iter(medians.values()))
    return [
        Row(name=name, ms=1000 * spent, a_second=1 / spent, of_limit=limit / spent) for name, spent in medians.items()
    ]


def _scaling(folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Return the seconds that 1 and 2 workers need for the same corpus, medians, and their ratio."""
    config = _config(arguments.scaling_samples, samples_per_shard=max(1, arguments.scaling_samples // 16))
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for number in range(min(3, arguments.rounds)):
        for workers, spent in seconds.items():
            started = time.monotonic()
            run(config, str(folder / f"corpus-{workers}-{number}"), workers=workers, progress=Tally())
            spent.append(time.monotonic() - started)
    one, two = (statistics.median(spent) for spent in seconds.values())
    return {"one_worker_s": one, "two_workers_s": two, "speedup": one / two}


def _markdown(rows: list[Row], scaling: dict[str, float], notes: list[str]) -> str:
    lines = ["| 1280x720, one core | ms CPU a picture | pictures/s | of the limit |", "|---|---:|---:|---:|"]
    lines += [f"| {row.name} | {row.ms:.1f} | {row.a_second:.1f} | {100 * row.of_limit:.0f} % |" for row in rows]
    if scaling:
        seconds = f"{scaling['one_worker_s']:.1f} s, {scaling['two_workers_s']:.1f} s"
        notes = [f"Two workers: {scaling['speedup']:.2f} times as fast as one ({seconds}).", *notes]
    return "\n".join([*lines, "", *notes])


def _cpu_s() -> float:
    """Return the CPU time of this process, of its living descendants and of those that it waited for, in seconds."""
    children: dict[int, list[int]] = {}
    spent: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        spent[int(folder.name)] = sum(map(int, fields[11:15]))
    family = [os.getpid()]
    for pid in family:
        family += children.get(pid, [])
    return sum(spent.get(pid, 0) for pid in family) / _TICKS


if __name__ == "__main__":
    main()
