"""Samples that are not worth having: each reason by a real example, and none for a real screen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from datagen import build, work
from datagen.config import Counts, QualityConfig
from datagen.planning import make
from datagen.quality import REASONS, distance, near_duplicate, perceptual_hash, refusal
from datagen.scenes.table import SCENES
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.encoded import EncodedSample
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from pipeline.formats.shards import Rejection, read_manifest
from tests.small_corpus import noise, photo_folder, small_config

CONFIG = QualityConfig()


def screen(seed: int = 0) -> Pixels:
    """Return lines of bars, as text looks from afar, over a gradient."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (640, 360), (250, 250, 250))
    image.paste(Image.linear_gradient("L").resize((640, 60)))
    pen = ImageDraw.Draw(image)
    for row in range(70, 350, 14):
        x = 20
        while x < 560:
            width = int(rng.integers(8, 60))
            pen.rectangle((x, row, x + width, row + 7), fill=(40, 40, 60))
            x += width + 6
    return np.asarray(image)


def label(picture: Pixels, value: int = SYNTHETIC) -> np.ndarray:
    return np.full(picture.shape[:2], value, dtype=np.uint8)


def test_a_usual_screen_is_kept() -> None:
    assert refusal(CONFIG, screen(), label(screen()), 400) is None


@pytest.mark.parametrize(
    ("picture", "value", "num_letters", "reason"),
    [
        (np.full((200, 300, 3), 17, dtype=np.uint8), SYNTHETIC, 5, "blank"),
        (np.tile(np.arange(4, dtype=np.uint8)[None, :, None], (200, 80, 3)), SYNTHETIC, 5, "too_few_colours"),
        (noise(2), SYNTHETIC, 0, "no_text"),
        (noise(3), NATURAL, 5, "label_fraction"),
    ],
)
def test_each_reason(picture: Pixels, value: int, num_letters: int, reason: str) -> None:
    found = refusal(CONFIG, picture, label(picture, value), num_letters)
    assert found is not None and found[0] == reason
    assert reason in REASONS


def test_unknown_labels_and_unknown_text_are_no_reason() -> None:
    assert refusal(CONFIG, noise(3), label(noise(3), IGNORE), None) is None


def test_the_hash_hardly_moves_under_scaling_and_jpeg_and_far_between_screens() -> None:
    first = screen()
    image = Image.fromarray(first)
    smaller = np.asarray(image.resize((480, 270), Image.Resampling.LANCZOS))
    touched = first.copy()
    touched[300:308, 600:606] = 0
    for other in (smaller, touched):
        assert distance(perceptual_hash(first), perceptual_hash(other)) < CONFIG.near_duplicate_bits
    assert distance(perceptual_hash(first), perceptual_hash(screen(1))) > 4 * CONFIG.near_duplicate_bits
    hashes = [perceptual_hash(screen(seed)) for seed in range(3)]
    assert near_duplicate(CONFIG, perceptual_hash(touched), hashes) == hashes[0]
    assert near_duplicate(replace(CONFIG, near_duplicate_bits=0), hashes[0], hashes) is None


@pytest.fixture
def blank_at_first(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let the photo viewer leave its screen blank the first time it is drawn; gives the number of drawings."""
    calls: list[int] = []
    draw = SCENES["photo_viewer"].draw

    def sometimes(canvas, materials, rng) -> None:  # type: ignore[no-untyped-def]
        calls.append(1)
        if len(calls) > 1:
            draw(canvas, materials, rng)

    monkeypatch.setitem(SCENES, "photo_viewer", replace(SCENES["photo_viewer"], draw=sometimes))
    yield calls


def test_a_refused_drawing_is_made_again_from_another_seed_counted_and_can_be_repeated(
    tmp_path: Path, blank_at_first: list[int]
) -> None:
    photos = photo_folder(tmp_path / "photos", 4)
    config = small_config(photos, scenes={"photo_viewer": 1.0}, num_samples=Counts(train=1))
    progress = Tally()
    summary = build.run(config, str(tmp_path / "out"), workers=1, progress=progress)
    assert (summary.num_samples, summary.rejected, summary.redrawn) == (1, {}, {"blank": 1})
    assert len(blank_at_first) == 2 and not progress.rejected
    store = Store(tmp_path / "out")
    assert read_manifest(store)["redrawn"] == {"blank": 1}
    sample = open_split(store, "train").sample(0)
    assert sample.info.details["attempt"] == 1
    again = work.make_sample(make(config), "train-000000", attempt=1)
    assert isinstance(again, EncodedSample)
    assert again.members == open_split(store, "train").members(0)


def test_what_is_refused_at_every_seed_is_counted_and_missing(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos", 4)
    quality = QualityConfig(natural_fraction=(0.999, 1.0), attempts=2)
    config = small_config(photos, num_samples=Counts(train=2), quality=quality)
    summary = build.run(config, str(tmp_path / "out"), workers=1, progress=Tally())
    assert (summary.num_samples, summary.rejected) == (0, {"label_fraction": 2})
    assert summary.redrawn == {"label_fraction": 2}
    assert summary.examples[0].startswith("label_fraction: train-000000: ")


def test_near_duplicates_within_a_shard_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def always_alike(canvas, materials, rng) -> None:  # type: ignore[no-untyped-def]
        canvas.picture[:] = np.asarray(Image.fromarray(screen()).resize(canvas.picture.shape[1::-1]))
        canvas.num_letters = int(rng.integers(1, 9))

    monkeypatch.setitem(SCENES, "chat", replace(SCENES["chat"], draw=always_alike))
    photos, quality = photo_folder(tmp_path / "photos", 4), QualityConfig(attempts=3)
    config = small_config(photos, scenes={"chat": 1.0}, num_samples=Counts(train=4), quality=quality)
    made, store = make(config), Store(tmp_path / "out")
    items = [item for shard in made.shards() for item in work.shard_items(store, made, shard)]
    assert sum(isinstance(item, EncodedSample) for item in items) == len(made.shards()) == 2
    refused = [item for item in items if isinstance(item, Rejection)]
    assert {item.reason for item in refused} == {"near_duplicate"}
    assert sum(item.redrawn for item in refused) == 4 and sum(not item.redrawn for item in refused) == 2
