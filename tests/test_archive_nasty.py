"""A folder of everything that goes wrong: what can be coded comes back right, the rest is listed with its reason."""

import io
import json
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import build_codec, save
from pipeline.formats.archive import open_archive
from pipeline.formats.picture import Pixels, read_picture, write_png
from serving import jobs
from serving.config import ArchiveConfig


def gradient(height, width, num_channels) -> Pixels:
    rows, columns = np.mgrid[:height, :width]
    planes = [(rows * (3 + c) + columns * (5 - c)) % 256 for c in range(num_channels)]
    return np.stack(planes, axis=2).astype(np.uint8)


def png_header(width, height, bit_depth, colour):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, bit_depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def exif_rotated():
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.fromarray(gradient(20, 30, 3)), format="JPEG", exif=exif)


def palette():
    return encoded(Image.fromarray(gradient(12, 17, 3)).quantize(16), format="PNG")


RGBA = gradient(21, 19, 4)
GOOD = {
    "grey.png": (write_png(gradient(9, 14, 1)), (9, 14, 1)),
    "palette.png": (palette(), (12, 17, 3)),
    "rgba.png": (write_png(RGBA), (21, 19, 4)),
    "opaque.png": (write_png(np.dstack([gradient(8, 8, 3), np.full((8, 8), 255, np.uint8)])), (8, 8, 3)),
    "cmyk.jpg": (encoded(Image.fromarray(gradient(16, 24, 4), mode=None).convert("CMYK"), format="JPEG"), (16, 24, 3)),
    "rotated.jpg": (exif_rotated(), (30, 20, 3)),
    "1x1.png": (write_png(gradient(1, 1, 3)), (1, 1, 3)),
    "1x4000.png": (write_png(gradient(4000, 1, 3)), (4000, 1, 3)),
    "4000x1.png": (write_png(gradient(1, 4000, 3)), (1, 4000, 3)),
    "UPPER.PNG": (write_png(gradient(5, 6, 2)), (5, 6, 2)),
    "ünïcode ☃/späce & quote'.png": (write_png(gradient(5, 6, 3)), (5, 6, 3)),
}
FRAMES = [Image.fromarray(gradient(8, 8, 3)), Image.fromarray(255 - gradient(8, 8, 3))]
BAD = {
    "text.png": (b"hello, I am a text file\n", "not_a_picture"),
    "empty.png": (b"", "empty_file"),
    "truncated.png": (write_png(gradient(64, 64, 3))[:-60], "truncated"),
    "deep.png": (encoded(Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8)), format="PNG"), "bit_depth"),
    "bomb.png": (png_header(60_000, 60_000, 8, 2) + b"\0\0\0\0IEND\xaeB`\x82", "too_large"),
    "moving.gif": (encoded(FRAMES[0], format="GIF", save_all=True, append_images=FRAMES[1:]), "animated"),
    "page.jpeg": (b"<html><body>404</body></html>", "not_a_picture"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nasty")
    save(
        Store(folder / "checkpoint"),
        "mtl_sci",
        build_codec("mtl_sci", {"num_channels": 8, "num_latents": 8}),
        provenance={},
    )
    pictures = folder / "pictures"
    for name, (data, _) in {**GOOD, **BAD}.items():
        (pictures / name).parent.mkdir(parents=True, exist_ok=True)
        (pictures / name).write_bytes(data)
    (pictures / "dangling.png").symlink_to(pictures / "nowhere.png")
    os.mkfifo(pictures / "pipe.png")
    (pictures / "readme.txt").write_text("not a picture")
    progress = Tally()
    summary = jobs.create(
        [str(pictures)],
        str(folder / "archive"),
        config=ArchiveConfig(pictures_per_shard=6),
        checkpoint=str(folder / "checkpoint"),
        progress=progress,
    )
    jobs.extract(str(folder / "archive"), str(folder / "out"), names=None, progress=Tally())
    return folder, summary, progress


def test_every_input_is_either_coded_or_listed_with_its_reason(made):
    folder, summary, progress = made
    expected = {name: reason for name, (_, reason) in BAD.items()} | {
        "dangling.png": "vanished",
        "pipe.png": "unreadable",
    }
    rows = [json.loads(line) for line in (folder / "archive" / "rejected.jsonl").read_text().splitlines()]
    assert {row["name"]: row["reason"] for row in rows} == expected
    assert all(row["name"] in row["message"] and " at 0x" not in row["message"] for row in rows)
    assert (summary.num_rejected, summary.num_entries, summary.num_not_listed) == (len(expected), len(GOOD), 1)
    assert summary.rejected == {reason: list(expected.values()).count(reason) for reason in expected.values()}
    assert (progress.num_done, progress.rejected) == (len(GOOD), summary.rejected)


@pytest.mark.parametrize("name", GOOD)
def test_what_can_be_coded_comes_back_upright_and_in_its_shape(made, name):
    folder, _, _ = made
    data, shape = GOOD[name]
    out = name if name.endswith(".png") else f"{name}.png"
    decoded = read_picture((folder / "out" / out).read_bytes(), where=name).pixels
    assert decoded.shape == shape
    original = read_picture(data, where=name).pixels
    if shape[2] in (2, 4):
        assert np.array_equal(decoded[:, :, -1], original[:, :, -1])


def test_the_index_describes_the_originals(made):
    folder, _, _ = made
    entries = {entry.name: entry for entry in open_archive(Store(folder / "archive")).entries()}
    assert set(entries) == set(GOOD)
    for name, (data, shape) in GOOD.items():
        picture = read_picture(data, where=name)
        entry = entries[name]
        assert (entry.height, entry.width, entry.num_channels) == shape
        assert entry.file_sha256.hex() == picture.file_sha256 and entry.pixels_sha256.hex() == picture.pixels_sha256
    assert (entries["cmyk.jpg"].source_mode, entries["palette.png"].source_mode) == ("CMYK", "P")


def test_archive_with_rejections_verifies(made):
    folder, _, _ = made
    found = jobs.verify(str(folder / "archive"), decode=True, progress=Tally())
    assert found.num_verified == len(GOOD) and not found.problems
