"""Finding the setting at which a JPEG has as many bytes as it may have."""

import math
from collections.abc import Callable

from pipeline.base.errors import PictureError

TOLERANCE = 0.01
"""A file is this share smaller than its budget at most, where such a file exists; it is never larger."""
_MAX_TRIALS = 24


def within_budget(
    encode: Callable[[float], bytes], num_bytes: int, *, first: float, bounds: tuple[float, float]
) -> bytes:
    """Return the largest file of at most `num_bytes` that was found; files shrink as the setting grows.

    The setting is followed along the line through the nearest two trials, both axes logarithmic, and if that leads
    nowhere by halving the interval. Sizes are not quite monotone; the search ends within TOLERANCE of the budget, or
    when the interval is closed.
    Raises: PictureError: even at the upper bound the file is larger (reason `over_budget`).
    """
    low, high = (math.log(bound) for bound in bounds)
    best = b""
    sizes: dict[float, float] = {}
    place = min(max(math.log(first), low), high)
    for _ in range(_MAX_TRIALS):
        data = encode(math.exp(place))
        sizes[place] = math.log(len(data))
        if len(data) <= num_bytes:
            best = max(best, data, key=len)
            if len(data) >= (1 - TOLERANCE) * num_bytes:
                break
            high = place
        else:
            low = place
        if high - low < 1e-3:
            break
        place = _next(sizes, math.log((1 - TOLERANCE / 2) * num_bytes), low, high)
    if not best:
        data = encode(bounds[1])
        if len(data) > num_bytes:
            raise PictureError(
                "over_budget", f"{num_bytes} bytes asked for; the least that this encoder needs is {len(data)}"
            )
        best = data
    return best


def _next(sizes: dict[float, float], wanted: float, low: float, high: float) -> float:
    """Return the next setting to try, inside (low, high)."""
    near = sorted(sizes, key=lambda place: abs(sizes[place] - wanted))[:2]
    # One trial alone: a file is about inversely proportional to its step.
    slope = -1.0
    if len(near) == 2 and sizes[near[0]] != sizes[near[1]]:
        slope = (sizes[near[1]] - sizes[near[0]]) / (near[1] - near[0])
    guess = near[0] + (wanted - sizes[near[0]]) / slope if slope < 0 else low
    margin = 0.02 * (high - low)
    if len(sizes) >= _MAX_TRIALS // 2:
        return (low + high) / 2
    return min(max(guess, low + margin), high - margin)
