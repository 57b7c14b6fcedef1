"""SEEC: every picture comes back to the last bit, whatever its classes, on any machine; and what that costs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pipeline.base.config import load as load_config
from pipeline.base.store import Store
from pipeline.codecs import checkpoint
from pipeline.codecs.coding import compress_picture, compress_pictures, decompress_picture, decompress_pictures
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.seec.codec import SEGMENT_BACKGROUND, SEGMENT_CLASSES, Seec
from pipeline.codecs.seec.config import SeecConfig
from pipeline.codecs.table import find_codec, presets_folder
from pipeline.codecs.threads import torch_threads
from tests.machines import CONDITIONS
from tests.tiny_seec import (
    CONFIGS,
    Pixels,
    blobs,
    drawn,
    frozen_codec,
    half_drawn,
    noise,
    photographed,
    size_of,
    trained_codec,
)

PRESETS = ("patch", "screen", "both")
PUBLISHED_PARAMETERS = 22.63e6


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    # Layers as small as these take many times as long on threads that wait for each other on a busy machine.
    with torch_threads(1):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seec")
    for name in PRESETS:
        checkpoint.save(Store(folder / name), "seec", frozen_codec(name), provenance={})
    return folder


@pytest.fixture(scope="module")
def loaded(folder: Path) -> dict[str, checkpoint.LoadedCodec]:
    return {name: checkpoint.load(folder / name) for name in PRESETS}


def comes_back(codec: Seec, picture: Pixels, side: SideInputs) -> bool:
    coded = codec.compress(picture, side)
    height, width, _ = picture.shape
    decoded = codec.decompress(coded.segments, height=height, width=width)
    assert decoded.dtype == np.uint8
    return np.array_equal(decoded, picture) and np.array_equal(coded.reconstruction, picture)


# --- what is decoded ------------------------------------------------------------------------------------------------

PICTURES = {
    "1x1": noise(1, 1),
    "one row": photographed(1, 200),
    "one column": photographed(200, 1),
    "black": np.zeros((63, 65, 3), dtype=np.uint8),
    "white": np.full((64, 64, 3), 255, dtype=np.uint8),
    "noise": noise(66, 70),
    "photographed": photographed(70, 40),
    "drawn": drawn(130, 70),
}


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", CONFIGS)
def test_any_picture_comes_back(name: str, picture: str) -> None:
    pixels = PICTURES[picture]
    before = pixels.copy()
    classes = blobs(*pixels.shape[:2], CONFIGS[name].num_classes)
    for label in (None, classes):
        assert comes_back(frozen_codec(name), pixels, SideInputs(label=label))
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1)])
def test_long_and_thin_pictures_come_back(size: tuple[int, int]) -> None:
    assert comes_back(frozen_codec("screen"), photographed(*size), SideInputs(label=blobs(*size, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_a_whole_screen_comes_back(name: str) -> None:
    assert comes_back(frozen_codec(name), drawn(1080, 1920), SideInputs())


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Pixels, SideInputs]:
    name = draw(st.sampled_from(["patch", "both", "three classes", "one class", "no copies"]))
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    palette = draw(arrays(np.uint8, (3, 3)))
    picture = palette[draw(arrays(np.uint8, shape, elements=st.integers(0, 2)))]
    label = draw(arrays(np.uint8, shape, elements=st.sampled_from([255, *range(CONFIGS[name].num_classes)])))
    exact = draw(st.none() | arrays(np.bool_, shape))
    return name, picture, SideInputs(label=label, exact=exact, background_step=draw(st.integers(0, 255)))


@settings(max_examples=50, deadline=None)
@given(cases())
def test_any_small_picture_mask_and_step_decode_as_promised(case: tuple[str, Pixels, SideInputs]) -> None:
    name, picture, side = case
    coded = frozen_codec(name).compress(picture, side)
    decoded = frozen_codec(name).decompress(coded.segments, height=picture.shape[0], width=picture.shape[1])
    assert np.array_equal(decoded, coded.reconstruction)
    error = np.abs(decoded.astype(int) - picture).max(axis=2)
    exact = np.ones(error.shape, dtype=np.bool_) if side.exact is None else side.exact
    assert not error[exact].any()
    if side.background_step:
        assert error.max() <= side.background_step // 2


@pytest.mark.parametrize("name", PRESETS)
def test_files_of_any_channels_come_back(name: str, loaded: dict[str, checkpoint.LoadedCodec]) -> None:
    for num_channels in (1, 2, 3, 4):
        planes = np.concatenate([drawn(33, 70), noise(33, 70)], axis=2)
        picture = np.ascontiguousarray(planes[:, :, :num_channels])
        encoded = compress_picture(loaded[name], picture)
        assert np.array_equal(encoded.reconstruction, picture)
        assert np.array_equal(decompress_picture(loaded[name], encoded.data), picture)


@pytest.mark.parametrize("name", PRESETS)
def test_many_at_once_give_the_bytes_and_pictures_of_one_by_one(
    name: str, loaded: dict[str, checkpoint.LoadedCodec]
) -> None:
    pictures = [drawn(40, 70), noise(1, 1), photographed(70, 20), drawn(64, 64, seed=1)[:, :, :1]]
    alone = [compress_picture(loaded[name], picture).data for picture in pictures]
    with torch_threads(3):
        together = [encoded.data for encoded in compress_pictures(loaded[name], pictures)]
        decoded = decompress_pictures(loaded[name], together)
    assert together == alone
    assert all(map(np.array_equal, decoded, pictures))


# --- other machines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("name", PRESETS)
def test_conditions_change_nothing(name: str, condition: str) -> None:
    codec, picture = frozen_codec(name), np.concatenate([drawn(66, 35), photographed(66, 35)], axis=1)
    # The classes are chosen by float networks, and for the region's other pixels levels by integer ones.
    side = SideInputs(exact=blobs(66, 70, 2, seed=1) == 0, background_step=9)
    coded = codec.compress(picture, side)
    with CONDITIONS[condition]():
        decoded = codec.decompress(coded.segments, height=66, width=70)
        # The side codec's analysis is in floats too, which these may round otherwise.
        if "thread" in condition or not codec.config.num_channels:
            assert codec.compress(picture, side).segments == coded.segments
    assert np.array_equal(decoded, coded.reconstruction)


SCRIPT = """
import sys, numpy as np, torch
from pathlib import Path
from pipeline.codecs.checkpoint import load
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.interface import SideInputs
torch.set_num_threads(3)
for name in sys.argv[2:]:
    folder = Path(sys.argv[1]) / name
    loaded = load(folder)
    for file in sorted(folder.glob("*.bin")):
        pixels = decompress_picture(loaded, file.read_bytes())
        assert (pixels == np.load(file.with_suffix(".npy"))).all()
        if name == "screen":
            label = np.load(file.with_suffix(".label.npy"))
            assert compress_picture(loaded, pixels, SideInputs(label=label)).data == file.read_bytes()
        print(name)
"""


def decodes_elsewhere(
    folder: Path, loaded: dict[str, checkpoint.LoadedCodec], environment: dict[str, str]
) -> tuple[list[str], str]:
    for name in PRESETS:
        for number, picture in enumerate((noise(1, 1), drawn(130, 77), photographed(64, 100), noise(40, 40)[:, :, :1])):
            file = folder / name / f"{number}.bin"
            label = blobs(*picture.shape[:2], 2)
            file.write_bytes(compress_picture(loaded[name], picture, SideInputs(label=label)).data)
            np.save(file.with_suffix(".npy"), picture)
            np.save(file.with_suffix(".label.npy"), label)
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(folder), *PRESETS]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    return run.stdout.split(), run.stderr


OLDER = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"}


def test_another_process_with_older_instructions_decodes_the_same(
    folder: Path, loaded: dict[str, checkpoint.LoadedCodec]
) -> None:
    assert decodes_elsewhere(folder, loaded, OLDER) == ([name for name in PRESETS for _ in range(4)], "")


@pytest.mark.slow
def test_kernels_compiled_for_another_processor_decode_the_same(
    folder: Path, loaded: dict[str, checkpoint.LoadedCodec], tmp_path: Path
) -> None:
    other = {**OLDER, "NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    assert decodes_elsewhere(folder, loaded, other) == ([name for name in PRESETS for _ in range(4)], "")


@pytest.mark.parametrize("name", PRESETS)
def test_saved_and_loaded_weights_code_the_same_bytes(name: str, loaded: dict[str, checkpoint.LoadedCodec]) -> None:
    picture = drawn(70, 64)
    codec, again = frozen_codec(name), loaded[name].codec
    coded = codec.compress(picture, SideInputs())
    assert again.compress(picture, SideInputs()).segments == coded.segments
    assert codec.compress(picture.copy(), SideInputs()).segments == coded.segments
    assert np.array_equal(again.decompress(coded.segments, height=70, width=64), picture)


# --- classes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*PRESETS, "three classes"])
def test_any_map_comes_back_whatever_it_says(name: str) -> None:
    codec = frozen_codec(name)
    num_classes = codec.config.num_classes
    picture, label = half_drawn(66, 80)
    rng = np.random.default_rng(0)
    maps = [label, num_classes - 1 - label, rng.integers(0, num_classes, label.shape)]
    maps += [np.full_like(label, each) for each in range(num_classes)]
    sizes = set()
    for classes in maps:
        side = SideInputs(label=classes.astype(np.uint8))
        assert comes_back(codec, picture, side)
        sizes.add(size_of(codec, picture, side))
    assert len(sizes) > num_classes, "each class has a model of its own"


def test_what_nobody_labelled_counts_as_drawn_and_what_is_no_class_is_refused() -> None:
    picture, label = half_drawn(30, 40)
    for name in ("screen", "three classes"):
        codec = frozen_codec(name)
        unknown = np.where(label == 0, 255, label).astype(np.uint8)
        segments = codec.compress(picture, SideInputs(label=label)).segments
        assert codec.compress(picture, SideInputs(label=unknown)).segments == segments
        with pytest.raises(ValueError, match="class"):
            codec.compress(picture, SideInputs(label=np.full_like(label, codec.config.num_classes)))
    single = frozen_codec("one class")
    coded = single.compress(picture, SideInputs(label=label)).segments
    assert coded == single.compress(picture, SideInputs()).segments
    assert SEGMENT_CLASSES not in coded


# --- the region of interest ----------------------------------------------------------------------------------------


def masks(label: Pixels) -> dict[str, NDArray[np.bool_]]:
    free = np.zeros(label.shape, dtype=np.bool_)
    free[10:50, 20:90] = True
    return {"drawn": label == 0, "photographed": label == 1, "free": free, "nothing": np.zeros_like(free)}


@pytest.mark.parametrize("step", [0, 1, 8, 9])
@pytest.mark.parametrize("name", [*PRESETS, "no copies"])
def test_the_region_is_exact_and_the_rest_within_half_a_step(name: str, step: int) -> None:
    codec = frozen_codec(name)
    picture, label = half_drawn()
    for mask, exact in masks(label).items():
        coded = codec.compress(picture, SideInputs(label=label, exact=exact, background_step=step))
        with torch_threads(3 if mask == "free" else 1):
            decoded = codec.decompress(coded.segments, height=64, width=128)
        assert np.array_equal(decoded, coded.reconstruction)
        error = np.abs(decoded.astype(int) - picture).max(axis=2)
        assert not error[exact].any()
        if step:
            assert error.max() <= step // 2
        # What would save nothing is coded exactly.
        is_inexact = SEGMENT_BACKGROUND in coded.segments
        assert is_inexact == (sum(map(len, coded.segments.values())) < coded.details["bytes_lossless"])
        assert coded.details["pixels_inexact"] == (int((~exact).sum()) if is_inexact else 0)
        assert is_inexact or not error.any()


@pytest.mark.parametrize("name", PRESETS)
def test_a_region_that_is_the_whole_picture_changes_no_byte(name: str) -> None:
    codec, (picture, label) = frozen_codec(name), half_drawn()
    whole = codec.compress(picture, SideInputs(label=label)).segments
    everywhere = np.ones(label.shape, dtype=np.bool_)
    assert codec.compress(picture, SideInputs(label=label, exact=everywhere, background_step=9)).segments == whole


def test_a_region_of_classes_takes_four_bytes_and_a_free_one_a_map() -> None:
    codec, (picture, label) = trained_codec("screen"), half_drawn()
    sizes = {}
    for name in ("drawn", "free", "nothing"):
        side = SideInputs(label=label, exact=masks(label)[name], background_step=8)
        sizes[name] = len(codec.compress(picture, side).segments[SEGMENT_BACKGROUND])
    assert sizes.pop("free") > 4
    assert set(sizes.values()) == {4}


@pytest.mark.parametrize("step", [-1, 256])
def test_steps_that_no_byte_holds_are_refused(step: int) -> None:
    picture, label = half_drawn(8, 8)
    with pytest.raises(ValueError, match="step"):
        frozen_codec("screen").compress(picture, SideInputs(exact=label == 1, background_step=step))


@pytest.mark.parametrize("name", PRESETS)
def test_a_region_makes_no_file_larger(name: str) -> None:
    codec, (picture, label) = trained_codec(name), half_drawn()
    whole = size_of(codec, picture, SideInputs(label=label))
    for mask, exact in masks(label).items():
        sizes = {
            step: size_of(codec, picture, SideInputs(label=label, exact=exact, background_step=step))
            for step in (0, 1, 8, 9, 32)
        }
        assert sizes.pop(1) == whole
        assert max(sizes.values()) <= whole, mask
        assert sizes[0] < whole


# --- presets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tiny", "small", "screen", "paper"])
def test_presets_build(name: str) -> None:
    folder = presets_folder(find_codec("seec"))
    config = load_config(SeecConfig, name, presets=folder)
    with torch.device("meta"):
        codec = Seec(config)
    assert (folder / f"{name}.toml").read_text().startswith("#")
    if name == "paper":
        number = sum(parameter.numel() for parameter in codec.parameters())
        assert number == pytest.approx(PUBLISHED_PARAMETERS, rel=0.002)
