"""The plain SEEC of benchmarks/naive_seec.py: it decodes what it codes, by the same distributions as ours."""

import numpy as np
import pytest
import torch

from benchmarks.naive_seec import NUM_LATENT_STREAMS, PROBABILITY_FLOOR, cdfs_of, decode, encode
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.seec.codec import Seec
from pipeline.codecs.seec.wavefront import num_steps
from tests.tiny_seec import Pixels, blobs, frozen_codec, half_drawn, noise, photographed, trained_codec

NUM_STREAMS = NUM_LATENT_STREAMS + 3 * num_steps(64, 64)
STREAM_OVERHEAD = 3.5
"""Bytes that a stream of its own costs: its head, 16 bits that its state starts with, half a byte of rounding."""

PICTURES: dict[str, Pixels] = {
    "two patches": half_drawn(40, 100)[0],
    "two by two, not whole": photographed(70, 67),
    "one pixel": noise(1, 1),
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", PICTURES)
def test_round_trip(name: str) -> None:
    codec, picture = frozen_codec("patch"), PICTURES[name]
    classes = blobs(picture.shape[0], picture.shape[1], 2)
    streams = encode(codec, picture, classes)
    assert len(streams) == NUM_STREAMS
    decoded = decode(codec, streams, classes)
    assert decoded.dtype == np.uint8 and np.array_equal(decoded, picture)


def test_its_size_is_ours() -> None:
    # Trained weights: a wrong tap, head or feature would cost more than that.
    codec, (picture, classes) = trained_codec("patch"), half_drawn(64, 128)
    ours = codec.compress(picture, SideInputs(label=classes)).details["bytes_pixels"]
    assert abs(size_of_pixels(codec, picture, classes) - ours) < 0.02 * ours + 300
    assert size_of_pixels(codec, picture, (classes == 0).astype(np.uint8)) > 1.2 * ours


def size_of_pixels(codec: Seec, picture: Pixels, classes: Pixels) -> float:
    """Return the bytes of the pixels' streams, without what having many of them costs."""
    streams = encode(codec, picture, classes)[NUM_LATENT_STREAMS:]
    return sum(map(len, streams)) - STREAM_OVERHEAD * len(streams)


def test_cdfs_rise_for_extreme_mixtures() -> None:
    extremes = [
        [mean, log_scale, coefficient, weight]
        for mean in (-1e6, 0.0, 127.3, 1e6)
        for log_scale in (-50.0, 0.0, 50.0)
        for coefficient in (-50.0, 50.0)
        for weight in (-90.0, 90.0)
    ]
    mixtures = tuple(torch.tensor(extremes).T[:, :, None, None].expand(-1, -1, 3, 2))
    colours = torch.full((len(extremes), 3), 255.0)
    for channel in range(3):
        cdfs = cdfs_of(mixtures, channel, colours)
        assert (cdfs[:, 0] == 0).all() and (cdfs[:, -1] == 1 << 16).all()
        assert (np.diff(cdfs, axis=1) >= 1).all()
    assert 65536 * PROBABILITY_FLOOR / (1 + 256 * PROBABILITY_FLOOR) > 1
