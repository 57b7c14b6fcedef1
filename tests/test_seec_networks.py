"""Parts of SEEC that presets switch on: the direct way to the means, training on a part of the pixels."""

import numpy as np
import pytest
import torch

from pipeline.codecs.interface import SideInputs
from pipeline.codecs.seec.codec import SEGMENT_PIXELS, Seec
from pipeline.codecs.seec.config import SeecConfig
from pipeline.codecs.threads import torch_threads

CONFIG = SeecConfig(
    num_channels=0, context="picture", copies=True, num_hidden=16, num_blocks=1, num_mixtures=2, direct_means=True
)


def make_codec(**changes: object) -> Seec:
    torch.manual_seed(0)
    values = {name: getattr(CONFIG, name) for name in CONFIG.__slots__} | changes
    codec = Seec(SeecConfig(**values))  # type: ignore[arg-type]
    with torch.no_grad():
        for head in codec.pixels.heads:
            if head.direct is not None:  # type: ignore[union-attr]
                head.direct.weight.normal_(std=0.3)  # type: ignore[union-attr,operator]
    return codec


def picture_and_label() -> tuple[np.ndarray, np.ndarray]:
    picture = (np.random.default_rng(0).integers(0, 40, (40, 60, 3)) + 100).astype(np.uint8)
    label = np.zeros((40, 60), dtype=np.uint8)
    label[20:] = 1
    return picture, label


def estimate(codec: Seec) -> float:
    picture, label = picture_and_label()
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0
    with torch.no_grad(), torch_threads(1):
        output = codec(x, None, torch.from_numpy(label)[None])
    return float(sum(-likelihood.log2().sum() for likelihood in output.likelihoods.values())) / 8


def test_the_direct_way_to_the_means_is_coded_as_it_was_trained() -> None:
    codec = make_codec().eval()
    codec.freeze()
    picture, label = picture_and_label()
    coded = codec.compress(picture, SideInputs(label=label))
    assert len(coded.segments[SEGMENT_PIXELS]) == pytest.approx(estimate(codec), rel=0.01)
    assert np.array_equal(codec.decompress(coded.segments, height=40, width=60), picture)
    with torch.no_grad():
        for head in codec.pixels.heads:
            head.direct.weight.zero_()  # type: ignore[union-attr,operator]
    assert abs(estimate(codec) / len(coded.segments[SEGMENT_PIXELS]) - 1) > 0.01


def test_training_on_a_part_of_the_pixels_estimates_all_of_them() -> None:
    whole = estimate(make_codec().eval())
    codec = make_codec(priced_pixels=4)
    assert estimate(codec.eval()) == pytest.approx(whole)
    codec.train()
    parts = [estimate(codec) for _ in range(30)]
    assert np.std(parts) > 0
    assert np.mean(parts) == pytest.approx(whole, rel=4 * np.std(parts) / whole / 30**0.5)


@pytest.mark.parametrize("changes", [{"direct_means": True}, {"copies": True}])
def test_what_needs_the_whole_picture_says_so(changes: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match='need context = "picture"'):
        SeecConfig(**changes)  # type: ignore[arg-type]
