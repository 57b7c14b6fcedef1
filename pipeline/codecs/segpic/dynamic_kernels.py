"""The dynamic depthwise convolution (dynamic.py) and its gradients, plane by plane, compiled for CPUs.

Each row's kernels live in a buffer of one row. Shapes: N batch, C channels, H rows, W columns; plane n * C + c.
"""

from typing import Any, NamedTuple

import numba.extending
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.compiled import compile_kernel

Floats = NDArray[np.float32]


class Planes(NamedTuple):
    """Inputs, or the gradients of each."""

    guide: Floats
    """(N, C, H, W)"""
    signal: Floats
    """(N, C, H, W)"""
    weight: Floats
    """(C, 9, 3, 3); a gradient has N in front."""
    bias: Floats
    """(C, 9); a gradient has N in front."""


def forward_planes(inputs: Planes, out: Floats, first: int, last: int) -> None:
    """Fill the planes first .. last - 1 of `out`."""
    compile_kernel(_forward, fast_math=True)(tuple(inputs), out, first, last)


def backward_planes(inputs: Planes, grad: Floats, targets: Planes, first: int, last: int) -> None:
    """Fill these planes' gradients in `targets`."""
    compile_kernel(_backward, fast_math=True)(tuple(inputs), grad, tuple(targets), first, last)


@numba.extending.register_jitable
def _fill_padded(padded: Any, plane: Any) -> None:
    padded[1:-1, 1:-1] = plane


@numba.extending.register_jitable
def _kernel_row(row: Any, guide: Any, y: Any, weight: Any, bias: Any) -> None:
    """Fill one row of one tap's kernels; `guide` has a border of 1."""
    w00, w01, w02 = weight[0, 0], weight[0, 1], weight[0, 2]
    w10, w11, w12 = weight[1, 0], weight[1, 1], weight[1, 2]
    w20, w21, w22 = weight[2, 0], weight[2, 1], weight[2, 2]
    above, here, below = guide[y], guide[y + 1], guide[y + 2]
    for x in range(row.size):
        row[x] = (
            bias
            + (w00 * above[x] + w01 * above[x + 1] + w02 * above[x + 2])
            + (w10 * here[x] + w11 * here[x + 1] + w12 * here[x + 2])
            + (w20 * below[x] + w21 * below[x + 1] + w22 * below[x + 2])
        )


# Sums stand in loops of their own: in a loop that also stores, whether the vector form of it runs depends on how far
# apart two buffers happen to lie, and with it the order of the sum.


@numba.extending.register_jitable
def _sum(row: Any) -> Any:
    total = np.float32(0.0)
    for x in range(row.size):
        total += row[x]
    return total


@numba.extending.register_jitable
def _product_sum(row: Any, other: Any) -> Any:
    total = np.float32(0.0)
    for x in range(row.size):
        total += row[x] * other[x]
    return total


def _forward(inputs: Any, out: Any, first: int, last: int) -> None:
    guides, signals, weights, biases = inputs
    num_channels, height, width = guides.shape[1:]
    guide = np.zeros((height + 2, width + 2), dtype=np.float32)
    signal = np.zeros((height + 2, width + 2), dtype=np.float32)
    row = np.empty(width, dtype=np.float32)
    for plane in range(first, last):
        n, c = plane // num_channels, plane % num_channels
        _fill_padded(guide, guides[n, c])
        _fill_padded(signal, signals[n, c])
        for y in range(height):
            target = out[n, c, y]
            target[:] = 0.0
            for place in range(9):
                _kernel_row(row, guide, y, weights[c, place], biases[c, place])
                source = signal[y + place // 3]
                dx = place % 3
                for x in range(width):
                    target[x] += row[x] * source[x + dx]


def _backward(inputs: Any, grads: Any, targets: Any, first: int, last: int) -> None:
    guides, signals, weights, biases = inputs
    grad_guides, grad_signals, grad_weights, grad_biases = targets
    num_channels, height, width = guides.shape[1:]
    guide = np.zeros((height + 2, width + 2), dtype=np.float32)
    signal = np.zeros((height + 2, width + 2), dtype=np.float32)
    grad_guide = np.zeros((height + 2, width + 2), dtype=np.float32)
    grad_signal = np.zeros((height + 2, width + 2), dtype=np.float32)
    row = np.empty(width, dtype=np.float32)
    for plane in range(first, last):
        n, c = plane // num_channels, plane % num_channels
        _fill_padded(guide, guides[n, c])
        _fill_padded(signal, signals[n, c])
        grad_guide[:] = 0.0
        grad_signal[:] = 0.0
        for y in range(height):
            grad = grads[n, c, y]
            for place in range(9):
                _kernel_row(row, guide, y, weights[c, place], biases[c, place])
                dx = place % 3
                source = signal[y + place // 3]
                to_signal = grad_signal[y + place // 3]
                for x in range(width):
                    to_signal[x + dx] += grad[x] * row[x]
                for x in range(width):
                    row[x] = grad[x] * source[x + dx]
                grad_biases[n, c, place] += _sum(row)
                for tap in range(9):
                    weight = weights[c, place, tap // 3, tap % 3]
                    around = guide[y + tap // 3]
                    to_guide = grad_guide[y + tap // 3]
                    shift = tap % 3
                    grad_weights[n, c, place, tap // 3, tap % 3] += _product_sum(row, around[shift:])
                    for x in range(width):
                        to_guide[x + shift] += weight * row[x]
        grad_guides[n, c] = grad_guide[1:-1, 1:-1]
        grad_signals[n, c] = grad_signal[1:-1, 1:-1]
