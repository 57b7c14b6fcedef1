"""Rate-distortion optimal thresholding of a component's coefficients, block by block, for a JPEG of one table.

Each block minimises (squared error, in steps) + lambda_b * (bits) over what its AC coefficients may be: rounded, one
step nearer to zero, the largest value of a shorter size category, or zero. The path through a block is found by dynamic
programming over its nonzero coefficients, as in trellis quantisation (Crouse and Ramchandran 1997; mozjpeg). DC is
rounded.

Shapes: B blocks in raster order; coefficients (B, 64) in natural order.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ZIGZAG = np.array(
    [row * 8 + (diagonal - row) if diagonal % 2 else (diagonal - row) * 8 + row
     for diagonal in range(15) for row in range(max(0, diagonal - 7), min(7, diagonal) + 1)],
    dtype=np.int64,
)  # fmt: skip
"""Natural index of each place in zigzag order."""
NUM_SYMBOLS = 256
"""(run << 4) | size: run 0..15 of zeros, size 1..10 bits; 0xF0 sixteen zeros, 0 end of block."""
_MAX_AC = 1023


def first_costs() -> NDArray[np.float32]:
    """Return bits (256,) of run-size symbols before any have been counted: short for short runs and small sizes."""
    run, size = np.divmod(np.arange(NUM_SYMBOLS), 16)
    costs = np.minimum(16.0, 1.5 + 0.75 * run + 1.25 * size)
    costs[0], costs[0xF0] = 3.0, 10.0
    return costs.astype(np.float32)


def costs_of(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the bits (256,) of symbols counted so often, as an ideal Huffman code would have them; 16 at most."""
    share = (counts + 0.25) / (counts.sum() + 0.25 * NUM_SYMBOLS)
    bits: NDArray[np.float32] = np.clip(-np.log2(share), 1.0, 16.0).astype(np.float32)
    return bits


def threshold(coefficients: Any, inverse_steps: Any, lambdas: Any, costs: Any, out: Any) -> Any:
    """Write quantised blocks (B, 64) int16 to `out`; return how often each run-size symbol occurs (256,).

    `coefficients` (B, 64) and `inverse_steps` (64,) in natural order; `lambdas` (B,) squared steps a bit, 0 rounds;
    `costs` (256,) bits.
    """
    counts = np.zeros(256, dtype=np.int64)
    places: Any = np.empty(64, dtype=np.int64)  # zigzag places of what may stay
    levels: Any = np.empty((64, 3), dtype=np.int64)
    errors: Any = np.empty((64, 3), dtype=np.float64)
    sizes: Any = np.empty((64, 3), dtype=np.int64)
    zeroed: Any = np.empty(65, dtype=np.float64)  # error of all before a place, if zero
    best: Any = np.empty(65, dtype=np.float64)
    came_from: Any = np.empty(65, dtype=np.int64)
    chosen: Any = np.empty(65, dtype=np.int64)
    for b in range(coefficients.shape[0]):
        weight = lambdas[b]
        out[b, :] = 0
        dc = np.floor(coefficients[b, 0] * inverse_steps[0] + 0.5)
        out[b, 0] = np.int16(min(max(dc, -1024.0), 1023.0))
        count = 0
        zeroed[1] = 0.0
        for k in range(1, 64):
            natural = ZIGZAG[k]
            value = np.float64(abs(coefficients[b, natural]) * inverse_steps[natural])
            zeroed[k + 1] = zeroed[k] + value * value
            level: Any = min(np.int64(value + 0.5), _MAX_AC)
            if level == 0:
                continue
            size = 0
            while level >> size:
                size += 1
            places[count] = k
            for option in range(3):
                if option == 0:
                    candidate, bits = level, size
                elif option == 1:
                    candidate = level - 1
                    bits = size if candidate >> (size - 1) else size - 1
                else:
                    candidate, bits = (1 << (size - 1)) - 1, size - 1
                levels[count, option] = candidate
                sizes[count, option] = bits
                off = value - candidate
                errors[count, option] = off * off
            count += 1
        # best[n]: least cost of all up to and with the n-th of those that may stay, if it does; 0 is the DC.
        best[0] = 0.0
        least = zeroed[64] + weight * costs[0]
        last = 0
        for n in range(1, count + 1):
            k = places[n - 1]
            best[n] = np.inf
            for m in range(n):
                before = places[m - 1] if m else 0
                run = k - before - 1
                so_far = best[m] + (zeroed[k] - zeroed[before + 1]) + weight * (run >> 4) * costs[0xF0]
                if so_far >= best[n]:
                    continue
                for option in range(3):
                    if levels[n - 1, option] == 0:
                        continue
                    size = sizes[n - 1, option]
                    total = so_far + errors[n - 1, option] + weight * (costs[((run & 15) << 4) | size] + size)
                    if total < best[n]:
                        best[n] = total
                        came_from[n] = m
                        chosen[n] = option
            whole = best[n] + (zeroed[64] - zeroed[k + 1]) + (weight * costs[0] if k < 63 else 0.0)
            if whole < least:
                least = whole
                last = n
        end = places[last - 1] if last else 0
        if end < 63:
            counts[0] += 1
        while last:
            k = places[last - 1]
            natural = ZIGZAG[k]
            level = levels[last - 1, chosen[last]]
            out[b, natural] = np.int16(level if coefficients[b, natural] > 0 else -level)
            before = places[came_from[last] - 1] if came_from[last] else 0
            run = k - before - 1
            counts[0xF0] += run >> 4
            counts[((run & 15) << 4) | sizes[last - 1, chosen[last]]] += 1
            last = came_from[last]
    return counts
