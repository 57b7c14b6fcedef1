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


def test_16_bit_colour_in_a_tiff_is_refused() -> None:
    # Pillow writes no 16-bit RGB, so the file is put together: one 1x1 strip, three samples of 16 bits.
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 3, 122), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 128)]
    entries += [(277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 6)]
    body = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(struct.pack("<HHII", *row) for row in entries)
    data = (body + bytes(4)).ljust(122, b"\0") + struct.pack("<HHH", 16, 16, 16) + struct.pack("<HHH", 1, 2, 3)
    assert reason_of(data) == "bit_depth"


def test_formats_that_start_programs_are_not_opened() -> None:
    assert reason_of(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n") == "not_a_picture"


def test_a_row_that_would_not_fit_in_memory_is_refused() -> None:
    assert reason_of(png_header(1 << 24, 8, depth=8, colour_type=2, data=b"")) == "too_large"


@pytest.mark.parametrize("value", [0, 1])
def test_transparency_of_one_bit_pictures_is_kept(value: int) -> None:
    bits = Image.fromarray(np.array([[0, 255, 0]], np.uint8)).convert("1")
    picture = read_picture(saved(bits, transparency=value), where="x")
    assert picture.pixels[0, :, 0].tolist() == [0, 255, 0]
    assert picture.pixels[0, :, 1].tolist() == ([0, 255, 0] if value == 0 else [255, 0, 255])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_damage_anywhere_is_a_reason_never_a_crash(kind: str) -> None:
    whole = saved(Image.fromarray(RGB), kind)
    rng = np.random.default_rng(3)
    for _ in range(400):
        data = bytearray(whole)
        for position in rng.integers(0, len(data), 3):
            data[position] = rng.integers(256)
        try:
            read_picture(bytes(data), where="x", max_pixels=1 << 20)
        except PictureError as error:
            assert error.reason in {"truncated", "not_a_picture", "too_large", "bit_depth", "animated"}
