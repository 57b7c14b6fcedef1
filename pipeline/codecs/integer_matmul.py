"""Products of integer matrices, exact, by the processor's 8-bit multipliers: about twice as fast as float32.

A number is written in digits to the base 128, each from -64 to 63; digits' matrices are multiplied as int8 and summed
in int32, and the sums put together in float64. Seven bits a digit and not eight, because processors without VNNI
instructions multiply bytes in pairs into 16 bits that saturate: 2 (64 + 128) 64 < 2^15.

Shapes: O rows of the result, P columns, K terms of a sum; L digits.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.codecs.compiled import compile_kernel

_BITS = 7
_HALF = 1 << (_BITS - 1)
MAX_TERMS = 1 << 17
"""K at most: sums of digits' products stay within int32."""
MAX_DIGITS = 4


def largest(count: int) -> int:
    """Return the largest magnitude up to which every number, of either sign, has `count` digits."""
    return sum((_HALF - 1) << (_BITS * place) for place in range(count))


def is_fast_on(device: torch.device) -> bool:
    """Whether int8 products are to be had here; elsewhere float64 gives the same sums."""
    return device.type == "cpu" and torch._C._has_mkldnn and torch._C._get_mkldnn_enabled()


def num_digits(values: Tensor) -> int:
    """Return how many digits the largest magnitude among the values needs, 1 .. MAX_DIGITS + 1."""
    if not values.numel():
        return 1
    low, high = values.aminmax()
    magnitude = max(-int(low), int(high))
    return next((count for count in range(1, MAX_DIGITS + 1) if magnitude <= largest(count)), MAX_DIGITS + 1)


def digits(values: Tensor, count: int) -> Tensor:
    """Return (L, ...) int8, lowest first, of whole numbers of any type that have `count` digits."""
    out = torch.empty(count, *values.shape, dtype=torch.int8)
    compile_kernel(_take_apart)(values.contiguous().numpy().reshape(-1), out.numpy().reshape(count, -1))
    return out


def multiply(left: Tensor, right: Tensor, *, num_left: int, num_right: int) -> Tensor:
    """Return the product (O, P), float64, of matrices of digits: (L O, K) and (K, L P), lowest digits first."""
    sums = torch._int_mm(left, right)
    rows, columns = left.shape[0] // num_left, right.shape[1] // num_right
    out = torch.empty(rows, columns, dtype=torch.float64)
    compile_kernel(_put_together)(sums.numpy(), out.numpy(), num_left, num_right)
    return out


def _take_apart(values: NDArray[Any], out: NDArray[np.int8]) -> None:
    for index in range(len(values)):
        rest = np.int32(values[index])
        for place in range(len(out)):
            rest += np.int32(64)
            out[place, index] = np.int8((rest & np.int32(127)) - np.int32(64))
            rest >>= np.int32(7)


def _put_together(sums: NDArray[np.int32], out: NDArray[np.float64], num_left: int, num_right: int) -> None:
    rows, columns = out.shape
    for row in range(rows):
        for column in range(columns):
            total = np.int64(0)
            for i in range(num_left):
                for j in range(num_right):
                    total += np.int64(sums[i * rows + row, j * columns + column]) << (7 * (i + j))
            out[row, column] = total
