"""Well-formed containers whose payload is wrong: what no checksum of a container can tell."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.formats.bitstream import Bitstream


def forged(
    good: Sequence[Bitstream],
    rng: np.random.Generator,
    *,
    last: Callable[[dict[int, bytes], int, np.random.Generator], None],
    sides: Sequence[int],
) -> Bitstream:
    """Return one of `good` with one to three wrongs in it; `last`, a codec's own, changes the segments it is given."""
    stream = good[rng.integers(len(good))]
    for _ in range(rng.integers(1, 4)):
        segments = dict(stream.segments)
        if not segments:
            break
        tag = int(rng.choice(list(segments)))
        data = segments[tag]
        wrong = rng.integers(8)
        if wrong == 0:
            segments[tag] = rng.bytes(int(rng.integers(0, 2 * len(data) + 2)))
        elif wrong == 1 and data:
            place = int(rng.integers(len(data)))
            segments[tag] = data[:place] + bytes([data[place] ^ int(rng.integers(1, 256))]) + data[place + 1 :]
        elif wrong == 2:
            segments[tag] = data[: int(rng.integers(len(data) + 1))]
        elif wrong == 3:
            segments[tag] = data + rng.bytes(int(rng.integers(1, 9)))
        elif wrong == 4:
            segments[tag] = good[rng.integers(len(good))].segments.get(tag, b"")
        elif wrong == 5:
            segments[tag] = bytes([int(rng.choice([0, 255]))]) * len(data)
        elif wrong == 6:
            height, width = (int(rng.choice(sides)) for _ in range(2))
            stream = replace(stream, height=height, width=width)
        else:
            last(segments, tag, rng)
        stream = replace(stream, segments=segments)
    return stream
