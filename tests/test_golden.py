"""What earlier releases wrote still decodes to the very same pixels, on whatever machine this runs."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.codecs import checkpoint
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.segpic.codec import SegPic
from pipeline.formats.archive import open_archive
from pipeline.formats.bitstream import SEGMENT_ALPHA, unpack
from pipeline.formats.picture import read_picture
from serving import jobs

GOLDEN = Path(__file__).parent / "golden"
LATENTS = Path(__file__).parent / "golden_latents"
ARCHIVES = sorted(path for path in GOLDEN.iterdir() if path.is_dir())


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_an_old_archive_opens_verifies_and_decodes_to_the_same_pixels(archive: Path, tmp_path: Path) -> None:
    pinned = json.loads(archive.with_suffix(".json").read_text())
    assert sorted(entry.name for entry in open_archive(Store(archive)).entries()) == sorted(pinned)
    assert not jobs.verify(str(archive), decode=True, progress=Tally()).problems
    jobs.extract(str(archive), str(tmp_path), names=None, progress=Tally())
    for name, digest in pinned.items():
        assert read_picture((tmp_path / name).read_bytes(), where=name).pixels_sha256 == digest


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_an_old_archive_decodes_without_its_index(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    shutil.copytree(archive, copy)
    shutil.rmtree(copy / "index")
    pinned = json.loads(archive.with_suffix(".json").read_text())
    jobs.extract(str(copy), str(tmp_path / "out"), names=None, progress=Tally())
    for name, digest in pinned.items():
        assert read_picture((tmp_path / "out" / name).read_bytes(), where=name).pixels_sha256 == digest


@pytest.mark.parametrize(
    "folder", sorted(path for path in LATENTS.iterdir() if path.is_dir()), ids=lambda path: path.name
)
def test_old_bitstreams_decode_to_the_same_latents(folder: Path) -> None:
    pinned = json.loads(folder.with_suffix(".json").read_text())
    assert sorted(path.name for path in folder.glob("*.dpt")) == sorted(pinned)
    loaded = checkpoint.load(folder)
    assert isinstance(loaded.codec, SegPic)
    for name, expected in pinned.items():
        data = (folder / name).read_bytes()
        parsed = unpack(data)
        segments = {tag: payload for tag, payload in parsed.segments.items() if tag != SEGMENT_ALPHA}
        latent, prototypes, grid = loaded.codec.decode_latent(segments, height=parsed.height, width=parsed.width)
        assert prototypes is not None
        digests = [hashlib.sha256(one.numpy().astype("<i4").tobytes()).hexdigest() for one in (latent, prototypes)]
        assert [*digests, grid] == [expected["latent"], expected["prototypes"], expected["grid"]]
        assert float(decompress_picture(loaded, data).mean()) == pytest.approx(expected["mean"], abs=0.05)


@pytest.mark.parametrize(("name", "digest"), [("archive-3", "8f367ed3176b8f74"), ("archive-4", "40d21b5e3250838a")])
def test_the_lossless_encoder_still_writes_the_same_bytes(name: str, digest: str, tmp_path: Path) -> None:
    """With given classes all of it is integers, which leave no room for another file on another machine."""
    (weights,) = (GOLDEN / name / "weights").iterdir()
    jobs.extract(str(GOLDEN / name), str(tmp_path), names=["screen.png"], progress=Tally())
    picture = read_picture((tmp_path / "screen.png").read_bytes(), where=name).pixels
    label = np.zeros(picture.shape[:2], np.uint8)
    label[:, 70:] = 1
    data = compress_picture(checkpoint.load(weights), picture, SideInputs(label=label)).data
    assert hashlib.sha256(data).hexdigest()[:16] == digest


def test_extraction_goes_on_where_it_stopped_and_replaces_nobodys_file(tmp_path: Path) -> None:
    (tmp_path / "screen.png").write_bytes(b"the original")
    for _ in range(2):
        summary = jobs.extract(str(ARCHIVES[0]), str(tmp_path), names=None, progress=Tally())
        assert [(problem.where, problem.reason) for problem in summary.problems] == [("screen.png", "exists")]
        assert summary.num_extracted == 3
    assert (tmp_path / "screen.png").read_bytes() == b"the original"
