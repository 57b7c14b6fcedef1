"""SegPIC's large pictures: tiles give what the whole picture gives."""

import numpy as np
import pytest
import torch

from pipeline.codecs.interface import SideInputs
from pipeline.codecs.segpic import codec as codec_module
from pipeline.codecs.segpic import tiles as tiles_module
from pipeline.codecs.segpic.tiles import HALO, STEP, Tile, tiles
from tests.test_coding import make_picture
from tests.tiny_segpic import make_codec


@pytest.mark.parametrize("size", [(64, 64), (704, 1280), (2176, 3840), (4352, 7680), (64, 20032), (20032, 64)])
def test_tiles_cover_every_pixel_once_and_are_bounded(size: tuple[int, int]) -> None:
    count = torch.zeros(size[0] // STEP, size[1] // STEP)
    for tile in tiles(*size):
        for axis in range(2):
            inner, outer = tile.inner[axis], tile.outer[axis]
            assert all(edge % STEP == 0 for edge in (inner.start, inner.stop, outer.start, outer.stop))
            assert outer.start == max(0, inner.start - HALO) or outer.start == 0
            assert outer.stop == min(size[axis], inner.stop + HALO) or outer.stop == size[axis]
        rows, columns = (slice(side.start // STEP, side.stop // STEP) for side in tile.inner)
        count[rows, columns] += 1
        area = (tile.outer[0].stop - tile.outer[0].start) * (tile.outer[1].stop - tile.outer[1].start)
        assert area <= tiles_module.MAX_TILE_PIXELS
    assert (count == 1).all()


def test_a_tiles_inner_part_comes_back_to_its_place() -> None:
    whole = torch.arange(20 * 24.0).view(1, 1, 20, 24)
    tile = Tile(outer=(slice(0, 192), slice(64, 320)), inner=(slice(64, 128), slice(128, 256)))
    copy = torch.zeros_like(whole)
    tile.put(copy, tile.take(whole, 16), 16)
    assert torch.equal(copy[0, 0, 4:8, 8:16], whole[0, 0, 4:8, 8:16])
    assert int((copy != 0).sum()) == 4 * 8


def test_tiled_coding_gives_the_latent_and_picture_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = make_codec()
    picture = make_picture(640, 700)
    whole = codec.compress(picture, SideInputs())
    monkeypatch.setattr(codec_module, "tiles", lambda h, w: tiles(h, w, max_pixels=1, inner=256))
    assert len(codec_module.tiles(640, 704)) == 9
    tiled = codec.compress(picture, SideInputs())
    latents = [codec.decode_latent(one.segments, height=640, width=700)[0] for one in (whole, tiled)]
    # Float sums in another order: a symbol may round to the other side.
    assert (latents[0] != latents[1]).double().mean() < 1e-3
    difference = np.abs(tiled.reconstruction.astype(int) - whole.reconstruction)
    assert (difference > 1).mean() < 1e-3
    assert difference.mean() < 1e-3
    decoded = codec.decompress(whole.segments, height=640, width=700)
    assert np.abs(decoded.astype(int) - whole.reconstruction).max() <= 1


def test_halo_covers_all_that_a_layer_sees() -> None:
    # Change pixels beyond the halo of a tile, with the same means over regions and picture: nothing may move inside.
    torch.manual_seed(0)
    codec = make_codec()
    x = torch.rand(1, 3, 768, 64)
    other = x.clone()
    other[:, :, 64 + HALO :] = x[:, :, 64 + HALO :].flip(2)
    with torch.no_grad():
        y, y_other = (codec.encoder.coarse(codec.encoder.fine(one)) for one in (x, other))
    assert torch.equal(y[:, :, :4], y_other[:, :, :4])
    assert not torch.equal(y[:, :, 16:], y_other[:, :, 16:])
