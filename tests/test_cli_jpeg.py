"""`diptych compress PICTURE OUT.jpg`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipeline.base.errors import UsageError
from pipeline.base.store import Store
from pipeline.cli import app
from pipeline.codecs import checkpoint
from pipeline.codecs.msroi_jpeg.config import MsRoiConfig
from tests.jpeg_pictures import photograph


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, maps and a checkpoint with fresh weights."""
    folder = tmp_path_factory.mktemp("jpeg")
    picture = photograph(120, 200)
    Image.fromarray(picture).save(folder / "shot.png")
    see_through = np.dstack([picture, np.full((120, 200), 255, np.uint8)])
    see_through[:, :100, 3] = 0
    Image.fromarray(see_through).save(folder / "rgba.png")
    Image.fromarray(picture[:, :, 1]).save(folder / "grey.png")
    mask = np.zeros((120, 200), np.uint8)
    mask[:, 100:] = 1
    Image.fromarray(mask).save(folder / "mask.png")
    Image.fromarray(255 * (1 - mask)).save(folder / "left.png")
    config = MsRoiConfig(trunk="light", width=8, num_channels=4, depth_multiplier=2, class_names=("a", "b"))
    codec = checkpoint.build_codec("msroi_jpeg", config)
    checkpoint.save(Store(folder / "msroi"), "msroi_jpeg", codec, provenance={})
    return folder


def compress(folder: Path, *options: str, source: str = "shot.png") -> tuple[dict[str, Any], np.ndarray]:
    out = folder / "out.jpg"
    arguments = ["compress", str(folder / source), str(out), "--overwrite", "--json", *options]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), np.array(Image.open(out))


def test_a_given_map_needs_no_checkpoint_and_meets_a_budget(folder: Path) -> None:
    row, decoded = compress(folder, "--map", str(folder / "mask.png"), "--bytes", "4000")
    assert 3900 <= row["bytes"] == (folder / "out.jpg").stat().st_size <= 4000
    assert row["mean_saliency"] == 0.5
    _, other = compress(folder, "--map", str(folder / "left.png"), "--bytes", "4000")
    error, of_other = ((each.astype(float) - photograph(120, 200)) ** 2 for each in (decoded, other))
    assert error[:, 112:].mean() < of_other[:, 112:].mean()
    assert error[:, :96].mean() > of_other[:, :96].mean()


def test_labels_make_drawn_pixels_salient(folder: Path) -> None:
    row, _ = compress(folder, "--label", str(folder / "mask.png"), "--quality", "60", "--encoder", "paper")
    assert row["mean_saliency"] == 0.5 and row["encoder"] == "paper"


def test_the_networks_own_map(folder: Path) -> None:
    row, decoded = compress(folder, "--checkpoint", str(folder / "msroi"), "--like-quality", "50")
    assert 0 < row["mean_saliency"] < 1 and decoded.shape == (120, 200, 3)


def test_grey_stays_grey_and_alpha_is_laid_on_white(folder: Path) -> None:
    _, decoded = compress(folder, "--map", str(folder / "mask.png"), source="grey.png")
    assert decoded.ndim == 2
    row, decoded = compress(folder, "--map", str(folder / "mask.png"), source="rgba.png")
    assert "white" in row["alpha"] and decoded[:, :80].min() > 240


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--map msroi: needs --checkpoint"),
        (["--map", "labels"], "--map labels: needs --label"),
        (["--map", "nowhere.png"], "neither msroi nor labels nor a file"),
        (["--map", "mask", "--quality", "50", "--bytes", "10"], "expected one of quality"),
        (["--map", "mask", "--quality", "0"], r"quality must be 1\.\.100"),
        (["--map", "mask", "--text-exact"], "a JPEG has no exact region"),
        (["--map", "mask", "--bytes", "50"], "50 bytes asked for; the least"),
    ],
)
def test_what_cannot_be_asked_for(folder: Path, options: list[str], message: str) -> None:
    options = [str(folder / "mask.png") if option == "mask" else option for option in options]
    target = folder / "refused.jpg"
    arguments = ["compress", str(folder / "shot.png"), str(target), *options]
    result = CliRunner().invoke(app, arguments)
    assert result.exception is not None
    with pytest.raises(Exception, match=message):
        raise result.exception
    assert not target.exists()


def test_jpeg_options_need_a_jpeg(folder: Path) -> None:
    arguments = ["compress", str(folder / "shot.png"), str(folder / "out.dpt"), "--checkpoint", str(folder / "msroi")]
    for option in (["--bytes", "9"], ["--like-quality", "9"], ["--map", "labels"]):
        result = CliRunner().invoke(app, [*arguments, *option])
        assert isinstance(result.exception, UsageError) and "no JPEG" in str(result.exception)
    result = CliRunner().invoke(app, ["compress", str(folder / "shot.png"), str(folder / "out.dpt")])
    assert isinstance(result.exception, UsageError) and "needs --checkpoint" in str(result.exception)
