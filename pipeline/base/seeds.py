"""Random numbers whose seed comes from a name, not from an order.

Sample 17 is the same picture with 1 worker or 64, before a crash and after it.
"""

import hashlib

import numpy as np


def derive_seed(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed for the path `seed/name/name/...` (BLAKE2b of that text).

    Names are joined with "/" after escaping, so ("a/b",) and ("a", "b") differ.
    """
    path = "/".join(str(part).replace("\\", "\\\\").replace("/", "\\/") for part in (seed, *names))
    digest = hashlib.blake2b(path.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator (PCG64) for the path `seed/name/name/...`."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, *names)))
