"""Weights of VGG-16 from a file: torchvision's model gives the same features, anything else one clear error."""

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torchvision
from torch import Tensor

from pipeline.base.errors import CheckpointError, UsageError
from pipeline.codecs.msroi_jpeg.config import MsRoiConfig
from pipeline.codecs.msroi_jpeg.network import MsRoi
from pipeline.codecs.msroi_jpeg.pretrained import load_vgg16

CONFIG = MsRoiConfig(class_names=("a", "b"), num_channels=2, depth_multiplier=2)


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    # Its features alone: the classifier is nine tenths of the file, and is left aside.
    model = torchvision.models.vgg16(init_weights=False)
    model.classifier = torch.nn.Linear(1, 1)
    return model.eval()


def write(path: Path, contents: Any) -> Path:
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(contents, path)
    else:
        torch.save(contents, path)
    return path


@pytest.mark.parametrize("form", ["vgg.safetensors", "vgg.pth", "nested.pth"])
def test_the_trunk_computes_what_torchvision_s_model_does(model: torch.nn.Module, tmp_path: Path, form: str) -> None:
    state = dict(model.state_dict())
    path = write(tmp_path / form, {"state_dict": state, "epoch": 3} if form.startswith("nested") else state)
    network = MsRoi(CONFIG).eval()
    load_vgg16(network, path)
    pictures = torch.rand(1, 3, 64, 96)
    means, deviations = (
        torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    with torch.no_grad():
        # torchvision's model pools once more, at its end.
        expected = model.features[:30]((pictures - means) / deviations)
        found = network.trunk(pictures)
    inside = (..., slice(1, -1), slice(1, -1))
    assert torch.allclose(found[inside], expected[inside], atol=1e-3 * float(expected.abs().max()))


def spoiled(state: dict[str, Tensor], what: str) -> dict[str, Tensor]:
    name = "features.5.weight"
    if what == "missing":
        return {key: tensor for key, tensor in state.items() if key != name}
    changed = {
        "shape": state[name][:, :3].contiguous(),
        "type": state[name].int(),
        "value": torch.full_like(state[name], float("nan")),
    }
    return state | {name: changed[what]}


@pytest.mark.parametrize("what", ["missing", "shape", "type", "value"])
def test_weights_that_do_not_fit_are_named_and_change_nothing(
    model: torch.nn.Module, tmp_path: Path, what: str
) -> None:
    path = write(tmp_path / "vgg.safetensors", spoiled(dict(model.state_dict()), what))
    network = MsRoi(CONFIG)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"vgg\.safetensors: .*features\.5\.weight"):
        load_vgg16(network, path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    network = MsRoi(CONFIG)
    (tmp_path / "text.pth").write_bytes(b"not weights")
    (tmp_path / "empty.pth").write_bytes(b"")
    write(tmp_path / "list.pth", [1, 2])
    for name in ("text.pth", "empty.pth", "list.pth"):
        with pytest.raises(CheckpointError, match=name):
            load_vgg16(network, tmp_path / name)
    with pytest.raises(UsageError, match="no such file"):
        load_vgg16(network, tmp_path / "none.pth")


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("ran",))


def test_a_file_that_would_run_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "hostile.pth", {"features.0.weight": Hostile()})
    with pytest.raises(CheckpointError, match="hostile"):
        load_vgg16(MsRoi(CONFIG), path)
    assert capsys.readouterr().out == ""


def test_the_light_trunk_takes_no_weights_of_vgg(model: torch.nn.Module, tmp_path: Path) -> None:
    path = write(tmp_path / "vgg.safetensors", dict(model.state_dict()))
    with pytest.raises(UsageError, match="trunk 'vgg16'"):
        load_vgg16(MsRoi(MsRoiConfig(trunk="light", class_names=("a", "b"))), path)
