"""What a user says of a picture beside its pixels: on the command line, and in archives."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipeline.base.config import override
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.cli import app
from pipeline.cli_guidance import read_guidance
from pipeline.codecs import checkpoint
from pipeline.codecs.config import TEXT_EXACT_STEP
from pipeline.codecs.guidance import Guidance, check
from pipeline.codecs.table import find_codec
from pipeline.formats.archive import open_archive
from serving import jobs
from serving.config import ArchiveConfig
from tests.tiny_seec import half_drawn, trained_codec


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lossless checkpoint, a picture, its label map."""
    folder = tmp_path_factory.mktemp("guidance")
    checkpoint.save(Store(folder / "seec"), "seec", trained_codec("screen"), provenance={})
    picture, label = half_drawn()
    (folder / "pictures").mkdir()
    Image.fromarray(picture).save(folder / "pictures" / "one.png")
    Image.fromarray(label).save(folder / "label.png")
    Image.fromarray(label * 255).save(folder / "mask.png")
    return folder


def coded(folder: Path, *options: str) -> tuple[np.ndarray, int]:
    """Return the decoded picture and the file's bytes."""
    out, back = folder / "out.dpt", folder / "back.png"
    common = ["--checkpoint", str(folder / "seec"), "--overwrite"]
    label = ["--label", str(folder / "label.png"), "--verify"]
    for arguments in (
        ["compress", str(folder / "pictures" / "one.png"), str(out), *common, *label, *options],
        ["decompress", str(out), str(back), *common],
    ):
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    return np.array(Image.open(back)), out.stat().st_size


def test_without_a_region_all_is_exact_and_with_one_the_rest_is_near(folder: Path) -> None:
    picture, label = half_drawn()
    whole, num_bytes = coded(folder)
    assert np.array_equal(whole, picture)
    for options, exact, reach in (
        (["--text-exact"], label == 0, TEXT_EXACT_STEP // 2),
        (["--roi", "synthetic", "--background-step", "20"], label == 0, 10),
        (["--roi", str(folder / "mask.png"), "--background-step", "20"], label == 1, 10),
        (["--roi", "synthetic"], label == 0, 255),
    ):
        decoded, fewer = coded(folder, *options)
        error = np.abs(decoded.astype(int) - picture).max(axis=2)
        assert not error[exact].any() and error.max() <= reach
        assert fewer <= num_bytes
        if options[-1] != "20" or "synthetic" in options:
            assert error.any() and fewer < num_bytes, options


def test_an_archive_keeps_drawn_pixels_exact_by_one_flag(folder: Path, tmp_path: Path) -> None:
    config = override(ArchiveConfig, {}, ["exact=synthetic", f"background_step={TEXT_EXACT_STEP}"])
    made = {}
    for name, settings in (("all", ArchiveConfig()), ("text", config)):
        jobs.create(
            [str(folder / "pictures")],
            str(tmp_path / name),
            config=settings,
            checkpoint=str(folder / "seec"),
            progress=Tally(),
        )
        assert not jobs.verify(str(tmp_path / name), decode=True, progress=Tally()).problems
        (made[name],) = open_archive(Store(tmp_path / name)).entries()
    assert made["all"].summary()["psnr_db"] is None
    # The codec chose the classes itself; what it took for photographed is off by at most 4 levels.
    psnr = made["text"].summary()["psnr_db"]
    assert psnr is None or psnr > 34.0
    with pytest.raises(UsageError, match="begun with"):
        jobs.describe([str(folder / "pictures")], str(tmp_path / "text"), config=ArchiveConfig())


def test_contradictions_are_told(tmp_path: Path) -> None:
    for options, message in (
        ({"roi": "natural", "background_step": None, "text_exact": True}, "one or the other"),
        ({"roi": None, "background_step": 3, "text_exact": False}, "no background without"),
        ({"roi": "nowhere", "background_step": None, "text_exact": False}, "neither natural nor synthetic"),
    ):
        with pytest.raises(UsageError, match=message):
            read_guidance(**options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no background"):
        ArchiveConfig(background_step=3)


@pytest.mark.parametrize("guidance", [Guidance(exact="synthetic"), Guidance(background_step=256)])
def test_a_codec_without_regions_says_so(guidance: Guidance) -> None:
    with pytest.raises(UsageError):
        check(guidance, find_codec("mtl_sci"))


def test_a_map_of_another_size_is_refused(folder: Path) -> None:
    wishes = read_guidance(roi=None, background_step=None, text_exact=False, label=folder / "label.png")
    with pytest.raises(UsageError, match="the map is 128x64, the picture 60x50"):
        wishes.maps(height=50, width=60)
