"""The pictures people have: what can be held in 8 bits comes out right, the rest is refused with a reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.base.errors import PictureError
from pipeline.formats.picture import digest_pixels, read_picture, to_rgb, write_png

RGB = np.random.default_rng(7).integers(0, 256, (5, 9, 3), dtype=np.uint8)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def reason_of(data: bytes, **options: int) -> str:
    with pytest.raises(PictureError, match="shot") as caught:
        read_picture(data, where="shot.png", **options)
    return caught.value.reason


def test_rgb_grey_and_alpha_keep_their_channels() -> None:
    for pixels in (RGB, RGB[:, :, :1], RGB[:, :, :2], np.concatenate([RGB, RGB[:, :, :1]], axis=2)):
        picture = read_picture(write_png(np.ascontiguousarray(pixels)), where="x")
        assert np.array_equal(picture.pixels, pixels)
        assert picture.pixels_sha256 == digest_pixels(pixels)


def test_an_opaque_alpha_channel_is_dropped_and_a_transparent_one_kept() -> None:
    opaque = np.dstack([RGB, np.full((5, 9), 255, np.uint8)])
    assert read_picture(write_png(opaque), where="x").pixels.shape == (5, 9, 3)
    opaque[0, 0, 3] = 254
    assert np.array_equal(read_picture(write_png(opaque), where="x").pixels, opaque)


def test_palettes_become_rgb_or_rgba() -> None:
    palette = Image.fromarray(RGB).quantize(8)
    assert np.array_equal(read_picture(saved(palette), where="x").pixels, np.array(palette.convert("RGB")))
    see_through = read_picture(saved(palette, transparency=0), where="x")
    assert see_through.pixels.shape == (5, 9, 4)
    assert see_through.source_mode == "P"
    assert set(np.unique(see_through.pixels[:, :, 3])) == {0, 255}


def test_one_bit_pictures_become_grey() -> None:
    bits = Image.fromarray((RGB[:, :, 0] > 128).astype(np.uint8) * 255).convert("1")
    assert np.array_equal(read_picture(saved(bits), where="x").pixels[:, :, 0], np.array(bits) * np.uint8(255))


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_picture(saved(Image.fromarray(RGB), "JPEG", exif=exif, quality=95), where="x")
    upright = read_picture(saved(Image.fromarray(RGB), "JPEG", quality=95), where="x")
    assert picture.pixels.shape == (9, 5, 3)
    assert np.array_equal(picture.pixels, np.rot90(upright.pixels, -1))


def test_cmyk_is_converted_with_and_without_a_profile() -> None:
    cmyk = Image.fromarray(RGB).convert("CMYK")
    plain = read_picture(saved(cmyk, "JPEG"), where="x")
    assert plain.source_mode == "CMYK"
    assert plain.pixels.shape == (5, 9, 3)
    broken_profile = read_picture(saved(cmyk, "JPEG", icc_profile=b"not a profile"), where="x")
    assert np.array_equal(broken_profile.pixels, plain.pixels)
    # An sRGB profile does not describe CMYK: Pillow refuses it, the plain conversion stays.
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(read_picture(saved(cmyk, "JPEG", icc_profile=wrong), where="x").pixels, plain.pixels)


def test_what_cannot_be_held_is_refused_with_its_reason() -> None:
    whole = saved(Image.fromarray(RGB))
    assert reason_of(b"") == "empty_file"
    assert reason_of(b"these are words, not pixels") == "not_a_picture"
    assert reason_of(whole[:60]) == "truncated"
    assert reason_of(saved(Image.fromarray(RGB[:, :, 0].astype(np.uint16)))) == "bit_depth"
    frames = [Image.fromarray(RGB), Image.fromarray(RGB[::-1])]
    assert reason_of(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])) == "animated"
    assert reason_of(whole, max_pixels=44) == "too_large"
    assert read_picture(whole, where="x", max_pixels=45).pixels.shape == (5, 9, 3)


def png_header(width: int, height: int, *, depth: int, colour_type: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def test_a_16_bit_rgb_png_is_refused_though_pillow_would_reduce_it() -> None:
    assert reason_of(png_header(1, 1, depth=16, colour_type=2, data=bytes(7))) == "bit_depth"


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    assert reason_of(png_header(60000, 60000, depth=8, colour_type=2, data=b"")) == "too_large"


def test_to_rgb_repeats_grey_and_leaves_alpha_out() -> None:
    assert np.array_equal(to_rgb(RGB[:, :, :2]), np.repeat(RGB[:, :, :1], 3, axis=2))
    assert np.array_equal(to_rgb(np.dstack([RGB, RGB[:, :, 0]])), RGB)
