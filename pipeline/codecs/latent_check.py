"""How a decoder knows that its latent is the encoder's, where pixels are floats and cannot tell."""

import zlib

from torch import Tensor

from pipeline.base.errors import ReconstructionMismatch


def latent_crc(y_hat: Tensor) -> bytes:
    """Return the 4 bytes, little-endian, of the CRC-32 of integers y_hat as int32, little-endian."""
    return zlib.crc32(y_hat.cpu().numpy().astype("<i4").tobytes()).to_bytes(4, "little")


def check_latent(y_hat: Tensor, crc: bytes, *, codec: str) -> None:
    """Raise ReconstructionMismatch unless y_hat is what the encoder took the CRC of."""
    if latent_crc(y_hat) != crc:
        raise ReconstructionMismatch(f"{codec}: the latent is not the one that the encoder had")
