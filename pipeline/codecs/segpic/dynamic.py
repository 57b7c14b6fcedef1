"""A depthwise 3x3 convolution whose kernels a depthwise 3x3 convolution of another input gives, pixel by pixel.

    kernel[c, k](y, x) = bias[c, k] + sum over a 3x3 neighbourhood of weight[c, k] * guide[c]
    out[c](y, x)       = sum over k = 3 * row + column of kernel[c, k](y, x) * signal[c](y + row - 1, x + column - 1)

This is the second half of SegPIC's dynamic kernel generation with its dynamic convolution (Liu et al. 2024, section
3.2). Neither the 9 kernels a pixel nor the 9 shifted signals are ever held: each kernel is made, used and dropped, and
made again on the way back, so that memory is a few times C instead of 18 C and more.

Shapes: N batch, C channels, H rows, W columns.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import torch
from torch import Tensor

from pipeline.codecs.segpic.dynamic_kernels import Planes, backward_planes, forward_planes

_TAPS = tuple(product(range(3), range(3)))


def dynamic_depthwise(guide: Tensor, signal: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return (N, C, H, W) from guide and signal of that shape, weight (C, 9, 3, 3) and bias (C, 9); zero outside.

    Mixed precision: on a CPU in float32, elsewhere in the signal's type.
    """
    dtype = signal.dtype if signal.device.type != "cpu" or signal.dtype == torch.float64 else torch.float32
    guide, signal, weight, bias = (x.to(dtype) for x in (guide, signal, weight, bias))
    out: Tensor = _DynamicDepthwise.apply(guide, signal, weight, bias)
    return out


class _DynamicDepthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, guide: Tensor, signal: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(guide, signal, weight, bias)
        if _compiled(guide):
            return _forward_compiled(guide, signal, weight, bias)
        out = torch.zeros_like(signal)
        padded = torch.nn.functional.pad(signal, (1, 1, 1, 1))
        for place in range(9):
            out.addcmul_(_kernel(guide, weight, bias, place), _shifted(padded, place))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        guide, signal, weight, bias = ctx.saved_tensors
        if _compiled(guide):
            return _backward_compiled(grads[0].contiguous(), guide, signal, weight, bias)
        return _backward(grads[0], guide, signal, weight, bias)


def _compiled(tensor: Tensor) -> bool:
    """Whether the compiled kernels serve this tensor; elsewhere (GPUs, float64) PyTorch's operators do."""
    return tensor.device.type == "cpu" and tensor.dtype == torch.float32


def _kernel(guide: Tensor, weight: Tensor, bias: Tensor, place: int) -> Tensor:
    """Return the kernels' values at tap `place`, (N, C, H, W)."""
    return torch.nn.functional.conv2d(
        guide, weight[:, place, None], bias[:, place].contiguous(), padding=1, groups=guide.shape[1]
    )


def _shifted(padded: Tensor, place: int) -> Tensor:
    row, column = _TAPS[place]
    return padded[:, :, row : padded.shape[2] - 2 + row, column : padded.shape[3] - 2 + column]


def _backward(
    grad: Tensor, guide: Tensor, signal: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    padded_signal, padded_guide = (torch.nn.functional.pad(x, (1, 1, 1, 1)) for x in (signal, guide))
    grad_signal = torch.zeros_like(padded_signal)
    grad_guide = torch.zeros_like(guide)
    grad_weight, grad_bias = torch.empty_like(weight), torch.empty_like(bias)
    for place in range(9):
        _shifted(grad_signal, place).addcmul_(grad, _kernel(guide, weight, bias, place))
        grad_kernel = grad * _shifted(padded_signal, place)
        grad_bias[:, place] = grad_kernel.sum(dim=(0, 2, 3))
        for tap, (row, column) in enumerate(_TAPS):
            grad_weight[:, place, row, column] = (grad_kernel * _shifted(padded_guide, tap)).sum(dim=(0, 2, 3))
        turned = weight[:, place, None].flip(2, 3)
        grad_guide += torch.nn.functional.conv2d(grad_kernel, turned, padding=1, groups=guide.shape[1])
    return grad_guide, grad_signal[:, :, 1:-1, 1:-1].contiguous(), grad_weight, grad_bias


def _forward_compiled(guide: Tensor, signal: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    out = torch.empty(signal.shape)
    arrays = Planes(*(x.detach().contiguous().numpy() for x in (guide, signal, weight, bias)))
    _over_planes(guide.shape[0] * guide.shape[1], lambda first, last: forward_planes(arrays, out.numpy(), first, last))
    return out


def _backward_compiled(
    grad: Tensor, guide: Tensor, signal: Tensor, weight: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    arrays = Planes(*(x.detach().contiguous().numpy() for x in (guide, signal, weight, bias)))
    num_pictures = guide.shape[0]
    results = (
        torch.empty(guide.shape),
        torch.empty(signal.shape),
        # A picture's own, summed afterwards in a fixed order, so that threads do not matter.
        torch.zeros(num_pictures, *weight.shape),
        torch.zeros(num_pictures, *bias.shape),
    )
    targets = Planes(*(x.numpy() for x in results))
    array = grad.detach().numpy()
    num_planes = num_pictures * guide.shape[1]
    _over_planes(num_planes, lambda first, last: backward_planes(arrays, array, targets, first, last))
    return results[0], results[1], results[2].sum(0), results[3].sum(0)


def _over_planes(num_planes: int, run: Callable[[int, int], None]) -> None:
    """Run over all planes, on as many threads as PyTorch is allowed; each plane is one thread's alone."""
    num_threads = min(torch.get_num_threads(), num_planes)
    if num_threads <= 1:
        run(0, num_planes)
        return
    borders = [num_planes * i // num_threads for i in range(num_threads + 1)]
    with ThreadPoolExecutor(num_threads) as pool:
        list(pool.map(run, borders[:-1], borders[1:]))
