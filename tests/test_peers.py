"""Peers: real files, both ways, and byte budgets that hold."""

import io
import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from PIL import Image

from pipeline.base.errors import ConfigError, MissingDependency, PictureError
from pipeline.base.seeds import generator
from pipeline.evaluation import jpeg_peers
from pipeline.evaluation.metrics import measure
from pipeline.evaluation.peers import PEERS, at_most, find_peer

LOSSY = [peer for peer in PEERS if peer.qualities is not None]
LOSSLESS = [peer for peer in PEERS if peer.qualities is None]


def _picture(height=72, width=96):
    rows, columns = np.mgrid[:height, :width]
    smooth = np.stack([rows * 2, columns * 2, rows + columns], axis=2)
    noise = generator(0, "peers").integers(-20, 21, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def _name(peer):
    return peer.name


@pytest.mark.parametrize("peer", LOSSY, ids=_name)
def test_lossy_files_open_elsewhere_and_come_back_nearly_the_same(peer):
    picture = _picture()
    data = peer.encode(picture, peer.qualities[-1])
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("WEBP" if peer.name == "webp" else "JPEG", (96, 72))
    decoded = peer.decode(data)
    assert decoded.dtype == np.uint8
    assert 20 < measure(picture, decoded).psnr < 70
    assert len(peer.encode(picture, peer.qualities[0])) < len(data) / 3


@pytest.mark.parametrize("peer", LOSSLESS, ids=_name)
def test_lossless_files_come_back_equal(peer):
    picture = _picture()
    assert np.array_equal(peer.decode(peer.encode(picture, 0)), picture)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("peer", LOSSY, ids=_name)
def test_the_budget_is_kept_and_the_next_quality_would_break_it(peer, share):
    picture = _picture()
    budget = int(share * len(peer.encode(picture, peer.qualities[-1])))
    matched = at_most(peer, picture, budget)
    assert len(matched.data) <= budget
    assert not matched.over_budget
    assert matched.data == peer.encode(picture, matched.quality)
    assert len(peer.encode(picture, matched.quality + 1)) > budget


@pytest.mark.parametrize("peer", LOSSY, ids=_name)
def test_a_budget_below_the_smallest_file_takes_the_lowest_quality_and_says_so(peer):
    matched = at_most(peer, _picture(), 10)
    assert matched.over_budget
    assert matched.quality == peer.qualities[0]
    assert len(matched.data) > 10


@pytest.mark.parametrize("peer", LOSSY, ids=_name)
def test_a_generous_budget_takes_the_highest_quality(peer):
    assert at_most(peer, _picture(), 1 << 20).quality == peer.qualities[-1]


@pytest.mark.parametrize(
    ("full_name", "half_name"), [("jpeg", "jpeg420"), ("mozjpeg", "mozjpeg420"), ("jpeg", "jpegli420")]
)
def test_420_halves_the_colour_resolution(full_name, half_name):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    full, half = (
        measure(stripes, find_peer(name).decode(find_peer(name).encode(stripes, 95))).psnr
        for name in (full_name, half_name)
    )
    assert full > half + 10


def test_a_side_that_the_format_cannot_state_is_a_refusal():
    with pytest.raises(PictureError, match="webp: does not take 16400x1") as caught:
        find_peer("webp").encode(np.zeros((1, 16400, 3), np.uint8), 50)
    assert caught.value.reason == "refused_by_peer"


@pytest.mark.parametrize("name", ["mozjpeg", "jpegli420"])
def test_a_side_above_the_limit_of_jpeg_is_a_refusal(name, capfd):
    with pytest.raises(PictureError, match=f"{name}: does not take 65501x1") as caught:
        find_peer(name).encode(np.zeros((1, 65501, 3), np.uint8), 50)
    assert caught.value.reason == "refused_by_peer"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("peer", LOSSY, ids=_name)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (17, 3)])
def test_pictures_smaller_than_a_block_come_back_in_their_size(peer, shape):
    picture = _picture(*shape)
    assert peer.decode(peer.encode(picture, 90)).shape == picture.shape


def test_mozjpeg_is_progressive_smaller_than_jpeg_and_leaves_the_process_its_libjpeg():
    jpeglib = pytest.importorskip("jpeglib")
    picture, before = _picture(160, 160), jpeglib.version.get()
    data = find_peer("mozjpeg").encode(picture, 75)
    assert jpeglib.version.get() == before
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["progressive"]
    psnr = measure(picture, find_peer("mozjpeg").decode(data)).psnr
    jpeg = find_peer("jpeg")
    cheaper = next(q for q in jpeg.qualities if measure(picture, jpeg.decode(jpeg.encode(picture, q))).psnr >= psnr)
    assert len(data) < len(jpeg.encode(picture, cheaper))


@pytest.mark.parametrize(("name", "package"), [("mozjpeg", "jpeglib"), ("jpegli420", "pyjpegli")])
def test_a_missing_library_is_a_clear_error(name, package, monkeypatch):
    def absent(asked):
        raise PackageNotFoundError(asked)

    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(jpeg_peers, "version", absent)
    for use in (lambda: find_peer(name).version, lambda: find_peer(name).encode(_picture(), 50)):
        with pytest.raises(MissingDependency, match=rf"{package} is not installed; pip install 'diptych\[evaluate\]'"):
            use()


def test_lossless_peers_take_no_budget():
    with pytest.raises(ValueError, match="no quality"):
        at_most(find_peer("png"), _picture(), 1000)


def test_an_unknown_peer_is_a_clear_error():
    with pytest.raises(ConfigError, match="'jpg' is unknown; known: jpeg"):
        find_peer("jpg")


@pytest.mark.parametrize("peer", PEERS, ids=_name)
def test_versions_and_settings_are_recorded(peer):
    assert "None" not in peer.version
    assert any(character.isdigit() for character in peer.version)
    assert "=" in peer.settings
