"""ImageNet weights of VGG-16, from a file of the user's, as the trunk's first weights."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from pipeline.base.errors import CheckpointError, UsageError
from pipeline.codecs.msroi_jpeg.network import BGR_MEANS, MsRoi, Vgg16Trunk

_RGB_MEANS, _RGB_DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""What torchvision's weights expect: (x - mean) / deviation of RGB in [0, 1]."""
_LAYERS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
"""Numbers of the convolutions in torchvision's `features`."""


def load_vgg16(network: MsRoi, path: Path) -> None:
    """Replace the weights of the network's VGG-16 trunk by those in a file, in place.

    The file is safetensors or torch's own, with torchvision's names (`features.0.weight`), at its top or under
    `state_dict`; other tensors in it are left aside. The first layer is rewritten for the published preprocessing, so
    the trunk computes what torchvision's model computes.
    Raises: UsageError: no such file, or the codec's trunk is not VGG-16; CheckpointError: the file holds no weights of
    VGG-16.
    """
    if not isinstance(network.trunk, Vgg16Trunk):
        raise UsageError(f"{path}: weights of VGG-16 are for trunk 'vgg16'; this codec has trunk 'light'")
    tensors = _read(path)
    loaded = []
    for number, layer in zip(_LAYERS, network.trunk.convolutions, strict=True):
        for part, parameter in layer.named_parameters():
            name = f"features.{number}.{part}"
            found = tensors.get(name)
            if not isinstance(found, Tensor):
                raise CheckpointError(f"{path}: not weights of VGG-16: {name} is missing")
            if found.shape != parameter.shape or not found.is_floating_point():
                raise CheckpointError(
                    f"{path}: not weights of VGG-16: {name} is {found.dtype} {list(found.shape)}, "
                    f"expected floats {list(parameter.shape)}"
                )
            if not bool(found.isfinite().all()):
                raise CheckpointError(f"{path}: {name} holds values that are not finite")
            loaded.append((parameter, found))
    with torch.no_grad():
        for parameter, found in loaded:
            parameter.copy_(found)
        weight, bias = (parameter for parameter, _ in loaded[:2])
        _for_published_input(weight, bias)


def _for_published_input(weight: Tensor, bias: Tensor) -> None:
    """Rewrite a first layer (64, 3, 3, 3) for input as 255 * BGR less its means, in place; exact away from borders."""
    rgb = weight.double().clone()
    bgr_means = torch.tensor(BGR_MEANS, dtype=torch.float64, device=weight.device)
    means, deviations = (
        torch.tensor(values, dtype=torch.float64, device=weight.device) for values in (_RGB_MEANS, _RGB_DEVIATIONS)
    )
    shift_3 = (bgr_means.flip(0) / 255 - means) / deviations
    bias += (rgb.sum(dim=(2, 3)) @ shift_3).to(bias.dtype)
    weight.copy_((rgb / (255 * deviations[:, None, None])).flip(1))


def _read(path: Path) -> Mapping[str, object]:
    if not path.is_file():
        raise UsageError(f"{path}: no such file with weights of VGG-16")
    try:
        tensors: object = safetensors.torch.load_file(path)
    except safetensors.SafetensorError:
        tensors = _read_torch(path)
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}") from error
    if isinstance(tensors, Mapping) and isinstance(tensors.get("state_dict"), Mapping):
        tensors = tensors["state_dict"]
    if not isinstance(tensors, Mapping):
        found = type(tensors).__name__
        raise CheckpointError(f"{path}: not weights of VGG-16: holds a {found}, expected named tensors")
    return tensors


def _read_torch(path: Path) -> object:
    try:
        # weights_only: nothing in the file can run code.
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines() or ["no message"]
        raise CheckpointError(f"{path}: neither safetensors nor torch weights ({first[0][:200]})") from error
