"""The saliency network: published sizes, any picture size, dropout in training alone."""

import pytest
import torch
from torch import nn

from pipeline.base.errors import ConfigError
from pipeline.codecs.msroi_jpeg.config import MsRoiConfig
from pipeline.codecs.msroi_jpeg.network import MsRoi

NAMES = tuple(f"class {number}" for number in range(257))
LIGHT = MsRoiConfig(trunk="light", class_names=NAMES[:20], num_channels=16, depth_multiplier=8, keep_probability=0.7)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_network_has_the_published_sizes() -> None:
    network = MsRoi(MsRoiConfig(class_names=NAMES))
    assert count(network.trunk) == 14_714_688
    assert count(network.conv6_1) == 3 * 3 * 512 * 32 + 32
    assert count(network.depth) == 3 * 3 * 32 * 32 + 32 * 32
    assert count(network.conv6) == 3 * 3 * 1024 * 1024 + 1024
    assert count(network.classifier) == 1024 * 257
    with torch.no_grad():
        features, logits = network.eval()(torch.rand(1, 3, 224, 224))
    assert features.shape == (1, 1024, 14, 14)
    assert logits.shape == (1, 257)
    assert bool(logits.isfinite().all()) and float(logits.abs().max()) < 30, "fresh logits do not saturate"


def test_the_light_network_is_light() -> None:
    assert 200_000 < count(MsRoi(LIGHT)) < 500_000


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (16, 16), (17, 31), (64, 33)])
def test_any_size_gives_one_position_for_each_sixteen_pixels(size: tuple[int, int]) -> None:
    features, logits = MsRoi(LIGHT)(torch.rand(2, 3, *size))
    assert features.shape == (2, 128, -(-size[0] // 16), -(-size[1] // 16))
    assert logits.shape == (2, 20)


@pytest.mark.parametrize("config", [LIGHT, MsRoiConfig(class_names=NAMES[:2], num_channels=2, depth_multiplier=2)])
def test_dropout_is_for_training_alone(config: MsRoiConfig) -> None:
    network, x = MsRoi(config), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert not torch.equal(network(x)[1], network(x)[1])
        network.eval()
        assert torch.equal(network(x)[1], network(x)[1])


def test_the_logit_of_a_class_is_the_mean_of_its_map() -> None:
    network = MsRoi(LIGHT).eval()
    with torch.no_grad():
        features, logits = network(torch.rand(1, 3, 64, 96))
        maps = torch.einsum("cd,ndhw->nchw", network.classifier.weight, features)
    assert torch.allclose(maps.mean(dim=(2, 3)), logits, atol=1e-5)


def test_a_picture_is_judged_alone() -> None:
    network = MsRoi(LIGHT).eval()
    pictures = torch.rand(4, 3, 48, 48)
    with torch.no_grad():
        together, alone = network(pictures)[1], network(pictures[2:3])[1]
        network.train()
    assert torch.allclose(together[2:3], alone, atol=1e-5)


def test_a_network_without_classes_is_refused() -> None:
    with pytest.raises(ConfigError, match="class_names is empty"):
        MsRoi(MsRoiConfig())


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"num_channels": 0},
        {"keep_probability": 0.0},
        {"threshold_share": 1.5},
        {"short_side": 8},
        {"quality": 101},
        {"class_names": ("a", "a")},
        {"class_names": ("",)},
    ],
)
def test_configs_out_of_range_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        MsRoiConfig(**change)  # type: ignore[arg-type]
