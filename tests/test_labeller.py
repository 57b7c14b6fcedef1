"""Labels from a codec's segmentation head, with a tiny codec of random weights."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from datagen.labeller import Labeller
from pipeline.base.errors import CheckpointError
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import build_codec, load, save
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from tests.test_coding import make_picture


def save_codec(folder: Path, *, head: bool = True, gain: float = 60.0) -> str:
    """Save a codec whose head is more decided than fresh weights are; return the digest of its weights."""
    torch.manual_seed(5)
    codec = build_codec("mtl_sci", MtlSciConfig(num_channels=8, num_latents=12, segmentation_head=head))
    if head:
        last = [layer for layer in codec.head if isinstance(layer, nn.ConvTranspose2d)][-1]  # type: ignore[union-attr]
        with torch.no_grad():
            last.weight *= gain
    return save(Store(folder), "mtl_sci", codec, provenance={})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("labeller")
    save_codec(folder)
    return str(folder)


def test_labels_follow_the_heads_probability(checkpoint: str) -> None:
    picture = make_picture(90, 120)
    probability = load(checkpoint).codec.label_probability(picture)  # type: ignore[operator]
    labelled = Labeller(checkpoint).label(picture, min_confidence=0.8)
    assert labelled.label.shape == (90, 120) and labelled.label.dtype == np.uint8
    # 1/256 about the border either is right: that is what is rounded away.
    step = 1 / 256
    assert (labelled.label[probability > 0.8 + step] == NATURAL).all()
    assert (labelled.label[probability < 0.2 - step] == SYNTHETIC).all()
    assert (labelled.label[(probability < 0.8 - step) & (probability > 0.2 + step)] == IGNORE).all()
    assert {SYNTHETIC, NATURAL, IGNORE} == set(np.unique(labelled.label))
    assert labelled.confidence == pytest.approx(np.maximum(probability, 1 - probability).mean(), abs=step)


def test_the_more_confidence_is_wanted_the_less_is_labelled(checkpoint: str) -> None:
    picture, labeller = make_picture(64, 64), Labeller(checkpoint)
    labels = [labeller.label(picture, min_confidence=wanted).label for wanted in (0.5, 0.7, 0.9, 1.0)]
    ignored = [int((label == IGNORE).sum()) for label in labels]
    assert ignored == sorted(ignored) and ignored[0] == 0 < ignored[1] < ignored[-1]
    for label in labels[1:]:
        assert (label[label != IGNORE] == labels[0][label != IGNORE]).all()
    for wanted in (0.49, 1.01, float("nan")):
        with pytest.raises(ValueError, match="min_confidence"):
            labeller.label(picture, min_confidence=wanted)


def test_how_it_was_labelled_names_the_weights_and_the_threshold(tmp_path: Path) -> None:
    digest = save_codec(tmp_path)
    labelled = Labeller(str(tmp_path)).label(make_picture(20, 20), min_confidence=0.85)
    assert labelled.how_labelled == f"mtl_sci {digest[:12]} confidence>=0.85"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 40), (17, 3), (1081, 64)])
def test_every_size_is_labelled(checkpoint: str, height: int, width: int) -> None:
    assert Labeller(checkpoint).label(make_picture(height, width), min_confidence=0.6).label.shape == (height, width)


def test_labels_are_the_same_with_any_number_of_threads(checkpoint: str) -> None:
    picture = make_picture(200, 300)
    found = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            found.append(Labeller(checkpoint).label(picture, min_confidence=0.7))
            assert torch.get_num_threads() == threads  # what the caller set is left as it was
    finally:
        torch.set_num_threads(before)
    assert all((one.label == found[0].label).all() and one.confidence == found[0].confidence for one in found)


def test_a_codec_without_a_head_is_refused(tmp_path: Path) -> None:
    save_codec(tmp_path, head=False)
    with pytest.raises(CheckpointError, match="no segmentation head"):
        Labeller(str(tmp_path))
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        Labeller(str(tmp_path / "nowhere"))


def test_without_torch_the_import_works_and_the_labeller_says_what_is_missing() -> None:
    program = """
import sys
sys.modules["torch"] = None
sys.modules["safetensors"] = None
from datagen.labeller import Labeller
from pipeline.base.errors import MissingDependency
try:
    Labeller("/nowhere")
except MissingDependency as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "is not installed" in told.stdout and "diptych[codecs]" in told.stdout and not told.stderr
