"""A trained `nn.Sequential` of convolutions and activations, frozen into integer arithmetic (integer_net.py).

C channels, H, W rows and columns; no batch: pictures go one by one.
"""

from torch import Tensor, nn

from pipeline.codecs.blocks import Gdn, HalfTanh
from pipeline.codecs.integer_net import FRACTION, IntegerConv, IntegerIgdn, requantise
from pipeline.codecs.integer_pointwise import LEAKY_SLOPE, IntegerFunction, leaky_relu


class IntegerSequence(nn.Module):
    """Convolutions (stride 1, or 5x5 transposed), each followed by a pixel shuffle or not, and an activation or not.

    Built from the float module's structure alone, so that its buffers' shapes follow from the codec's config.
    Raises: TypeError: a layer has no integer form.
    """

    def __init__(self, source: nn.Sequential, *, in_fraction: int = FRACTION, out_fraction: int = FRACTION) -> None:
        super().__init__()
        self._in_fraction, self._out_fraction = in_fraction, out_fraction
        self.steps = nn.ModuleList(_Step(*layers) for layers in _grouped(source))

    def store(self, source: nn.Sequential) -> None:
        """Quantise the trained weights of the module that this was built from."""
        for place, (step, layers) in enumerate(zip(self._steps(), _grouped(source), strict=True)):
            step.store(*layers, fraction=FRACTION if place else self._in_fraction)

    def forward(self, x_CHW: Tensor) -> Tensor:
        """Return the output, integers of `out_fraction` bits in float64."""
        steps = self._steps()
        for place, step in enumerate(steps):
            in_fraction = FRACTION if place else self._in_fraction
            out_fraction = self._out_fraction if place == len(steps) - 1 else FRACTION
            x_CHW = step.run(x_CHW, in_fraction=in_fraction, out_fraction=out_fraction)
        return x_CHW

    def _steps(self) -> list["_Step"]:
        return [step for step in self.steps if isinstance(step, _Step)]


class _Step(nn.Module):
    def __init__(self, conv: nn.Module, shuffle: nn.Module | None, activation: nn.Module | None) -> None:
        super().__init__()
        if not isinstance(conv, nn.Conv2d | nn.ConvTranspose2d) or conv.groups != 1:
            raise TypeError(f"{conv} has no integer form")
        upsample = isinstance(conv, nn.ConvTranspose2d)
        if conv.stride != ((2, 2) if upsample else (1, 1)) or (upsample and conv.kernel_size != (5, 5)):
            raise TypeError(f"{conv} has no integer form")
        # Two digits: what entropy parameters lose by that is below one bit in 10,000 (docs/codecs.md).
        self.conv = IntegerConv(
            conv.in_channels, conv.out_channels, upsample=upsample, kernel=conv.kernel_size[0], weight_digits=2
        )
        self.activation = None if activation is None else _integer_form(activation)
        self._upscale = shuffle.upscale_factor if isinstance(shuffle, nn.PixelShuffle) else 1

    def store(self, conv: nn.Module, shuffle: nn.Module | None, activation: nn.Module | None, *, fraction: int) -> None:
        del shuffle
        assert isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
        self.conv.store(conv, fraction=fraction)
        if isinstance(self.activation, IntegerFunction):
            self.activation.store()
        elif isinstance(self.activation, IntegerIgdn) and isinstance(activation, Gdn):
            self.activation.store(activation)

    def run(self, x_CHW: Tensor, *, in_fraction: int, out_fraction: int) -> Tensor:
        sum_fraction = int(self.conv.shift) + in_fraction

        def finish(sums_OP: Tensor) -> Tensor:
            if self.activation is None:
                return requantise(sums_OP, sum_fraction - out_fraction)
            values: Tensor = self.activation(requantise(sums_OP, sum_fraction - FRACTION))
            return values if out_fraction == FRACTION else requantise(values, FRACTION - out_fraction)

        y_OHW: Tensor = self.conv(x_CHW, finish)
        # Activations go value by value (an IGDN never follows a shuffle), so their order does not matter.
        return nn.functional.pixel_shuffle(y_OHW[None], self._upscale)[0] if self._upscale > 1 else y_OHW


class _Relu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clamp(min=0.0)


class _LeakyRelu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return leaky_relu(x)


def _grouped(source: nn.Sequential) -> list[tuple[nn.Module, nn.Module | None, nn.Module | None]]:
    """Return (convolution, shuffle or None, activation or None), in order."""
    groups: list[list[nn.Module | None]] = []
    for layer in source:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            groups.append([layer, None, None])
            continue
        place = 1 if isinstance(layer, nn.PixelShuffle) else 2
        if not groups or groups[-1][place] is not None:
            raise TypeError(f"{layer} stands where an integer network has no place for it")
        groups[-1][place] = layer
    return [(layers[0] or nn.Identity(), layers[1], layers[2]) for layers in groups]


def _integer_form(activation: nn.Module) -> nn.Module:
    if isinstance(activation, nn.ReLU):
        return _Relu()
    if isinstance(activation, nn.LeakyReLU) and activation.negative_slope == LEAKY_SLOPE:
        return _LeakyRelu()
    if isinstance(activation, nn.GELU) and activation.approximate == "none":
        return IntegerFunction("gelu")
    if isinstance(activation, nn.Sigmoid):
        return IntegerFunction("sigmoid")
    if isinstance(activation, HalfTanh):
        return IntegerFunction("half_tanh")
    if isinstance(activation, Gdn) and activation.inverse:
        return IntegerIgdn(len(activation.beta))
    raise TypeError(f"{activation} has no integer form")
