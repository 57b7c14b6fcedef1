"""The network that finds salient regions, trained from what a picture shows alone.

    x -> trunk (stride 16) -> conv6_1 -> depthwise -> conv6 = features -> mean over positions -> linear -> logits

A class's map is the sum of the features weighted by the class's row of the linear layer, so the mean of a class's map
is its logit: training on whole pictures' classes teaches the maps where these are.

Source: Prakash et al., "Semantic Perceptual Image Compression using Deep Convolution Networks", arXiv:1612.08712; layer
sizes and preprocessing as in the authors' released code. The light trunk is not from there.

Shapes: N batch, H, W picture; h, w = ceil(H/16), ceil(W/16); D last features; C classes.
"""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.base.errors import ConfigError
from pipeline.codecs.msroi_jpeg.config import MsRoiConfig

STRIDE = 16
BGR_MEANS = (103.939, 116.779, 123.68)
"""What the published preprocessing subtracts from blue, green and red, on 0..255."""
VGG16_CHANNELS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_INPUT_DEVIATION = 64.0
"""About that of blue, green and red after the published preprocessing: fresh weights are divided by it once."""
_NUM_GROUPS = 8


class MsRoi(nn.Module):
    """The whole network. Raises: ConfigError: the config names no classes."""

    def __init__(self, config: MsRoiConfig) -> None:
        super().__init__()
        if not config.class_names:
            raise ConfigError(
                "class_names is empty: name the classes, or train on a corpus, whose classes are taken then"
            )
        drop = 1 - config.keep_probability
        channels, features = config.num_channels, config.num_channels * config.depth_multiplier
        self.trunk: Vgg16Trunk | LightTrunk = (
            Vgg16Trunk(drop) if config.trunk == "vgg16" else LightTrunk(config.width, drop)
        )
        self.conv6_1 = nn.Conv2d(self.trunk.num_outputs, channels, 3, padding=1)
        self.depth = nn.Conv2d(channels, features, 3, padding=1, groups=channels)
        self.conv6 = nn.Conv2d(features, features, 3, padding=1)
        self.classifier = nn.Linear(features, len(config.class_names), bias=False)
        self.dropout = nn.Dropout(drop)
        for layer in (self.conv6_1, self.depth, self.conv6):
            # No rectifier between them: a gain of one keeps the deviation.
            _start(layer, gain=1.0)
        nn.init.normal_(self.classifier.weight, std=1 / math.sqrt(features))

    def forward(self, pictures_N3HW: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, D, h, w) and class logits (N, C) of RGB pictures in [0, 1], any size from 1x1."""
        height, width = pictures_N3HW.shape[2:]
        missing = (0, -width % STRIDE, 0, -height % STRIDE)
        if any(missing):
            pictures_N3HW = functional.pad(pictures_N3HW, missing, mode="replicate")
        x = self.trunk(pictures_N3HW)
        for layer in (self.conv6_1, self.depth, self.conv6):
            x = self.dropout(layer(x))
        return x, self.classifier(x.mean(dim=(2, 3)))


class Vgg16Trunk(nn.Module):
    """VGG-16's thirteen convolutions; pooled after the first four blocks alone, so the stride is 16, not 32."""

    num_outputs = VGG16_CHANNELS[-1][-1]
    means_3: Tensor

    def __init__(self, drop: float) -> None:
        super().__init__()
        widths = (3, *(width for block in VGG16_CHANNELS for width in block))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1) for before, after in itertools.pairwise(widths)
        )
        self.dropout = nn.Dropout(drop)
        self.register_buffer("means_3", torch.tensor(BGR_MEANS), persistent=False)
        for layer in self.convolutions:
            _start(layer, gain=math.sqrt(2))
        with torch.no_grad():
            self.convolutions[0].weight.div_(_INPUT_DEVIATION)  # type: ignore[operator]

    def forward(self, pictures_N3HW: Tensor) -> Tensor:
        x = 255 * pictures_N3HW.flip(1) - self.means_3[:, None, None]
        layers = iter(self.convolutions)
        for number, block in enumerate(VGG16_CHANNELS):
            for _ in block:
                x = functional.relu(self.dropout(next(layers)(x)))
            if number < len(VGG16_CHANNELS) - 1:
                x = functional.max_pool2d(x, 2)
        return x


class LightTrunk(nn.Module):
    """Depthwise-separable convolutions to stride 16, normalised within each picture.

    Layers of stride 2 have even kernels: an output lies in the middle of the four inputs it stands for, so that the
    map is not shifted against the picture (with 3x3 kernels it would be, by half a cell).
    """

    def __init__(self, width: int, drop: float) -> None:
        super().__init__()
        self.num_outputs = 8 * width
        self.stem = nn.Conv2d(3, width, 4, stride=2, padding=1, bias=False)
        self.stem_norm = nn.GroupNorm(math.gcd(_NUM_GROUPS, width), width)
        self.blocks = nn.Sequential(
            SeparableBlock(width, 2 * width, stride=2, drop=drop),
            SeparableBlock(2 * width, 4 * width, stride=2, drop=drop),
            SeparableBlock(4 * width, 4 * width, stride=1, drop=drop),
            SeparableBlock(4 * width, 8 * width, stride=2, drop=drop),
            SeparableBlock(8 * width, 8 * width, stride=1, drop=drop),
        )
        _start(self.stem, gain=math.sqrt(2))

    def forward(self, pictures_N3HW: Tensor) -> Tensor:
        x: Tensor = self.blocks(functional.relu(self.stem_norm(self.stem(4 * pictures_N3HW - 2))))
        return x


class SeparableBlock(nn.Module):
    """A depthwise and a 1x1 convolution, group normalisation, dropout, rectifier."""

    def __init__(self, num_inputs: int, num_outputs: int, *, stride: int, drop: float) -> None:
        super().__init__()
        kernel = 4 if stride == 2 else 3
        self.depthwise = nn.Conv2d(num_inputs, num_inputs, kernel, stride, padding=1, groups=num_inputs, bias=False)
        self.pointwise = nn.Conv2d(num_inputs, num_outputs, 1, bias=False)
        self.norm = nn.GroupNorm(math.gcd(_NUM_GROUPS, num_outputs), num_outputs)
        self.dropout = nn.Dropout(drop)
        _start(self.depthwise, gain=1.0)
        _start(self.pointwise, gain=math.sqrt(2))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.dropout(self.norm(self.pointwise(self.depthwise(x)))))


def _start(layer: nn.Module, *, gain: float) -> None:
    """Give a convolution weights that multiply the deviation of its input by `gain`, and no bias."""
    assert isinstance(layer, nn.Conv2d)
    num_inputs = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=gain / math.sqrt(num_inputs))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
