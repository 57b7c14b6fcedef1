"""Pictures cut into patches of 64x64."""

from torch import Tensor, nn

from pipeline.codecs.seec.config import PATCH


def padded(pictures_N3HW: Tensor) -> Tensor:
    """Return the pictures continued to whole patches by their last row and column."""
    height, width = pictures_N3HW.shape[2:]
    return nn.functional.pad(pictures_N3HW, (0, -width % PATCH, 0, -height % PATCH), mode="replicate")


def to_patches(pictures_NCHW: Tensor) -> Tensor:
    """Cut pictures of whole patches: (B, C, 64, 64), picture by picture in raster order."""
    num_pictures, channels, height, width = pictures_NCHW.shape
    split = pictures_NCHW.view(num_pictures, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return split.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, PATCH, PATCH)
