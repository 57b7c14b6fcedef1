"""The figures of reports, and the sums that they are made from: sums of batches and of ranks add up.

N crops, C channels (of classes: their number), H, W side of a crop.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.codecs.interface import CodecOutput
from pipeline.formats.sample import NATURAL, SYNTHETIC
from training.bit_map import bit_map
from training.boundary import boundary
from training.objectives import bits, class_cross_entropy, known_classes, label_cross_entropy_sum, psnr

_SUMS = (
    "pixels",
    "bits",
    "error",
    "synthetic_pixels",
    "synthetic_error",
    "natural_pixels",
    "natural_error",
    "labelled_pixels",
    "cross_entropy",
    "synthetic_both",
    "synthetic_either",
    "natural_both",
    "natural_either",
    "classified",
    "class_cross_entropy",
    "class_hits",
    "synthetic_bits",
    "natural_bits",
    "boundary_pixels",
    "boundary_error",
    "boundary_bits",
    "placed_pixels",
    "coded_pixels",
    "coded_bits",
    "weighted_error",
)

_KINDS = ("synthetic", "natural", "boundary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a report says about the pictures since the last one; None (or NaN) where no pixel counted.

    MSE is on RGB in [0, 1], clamped reconstruction; PSNR in dB; IoU of the predicted label map against the true one.
    """

    loss: float
    bpp: float | None
    """Bits of whole bitstreams, container included, a pixel; None where none was written, as in training."""
    estimated_bpp: float
    """The likelihoods' estimate, not the size of a bitstream."""
    estimated_bpp_synthetic: float | None
    """This and the next two: the estimate's bits by where they lie (training.bit_map), a pixel of that kind."""
    estimated_bpp_natural: float | None
    estimated_bpp_boundary: float | None
    mse: float
    psnr: float
    mse_synthetic: float | None
    mse_natural: float | None
    psnr_synthetic: float | None
    psnr_natural: float | None
    psnr_boundary: float | None
    """Within 8 pixels of a change of label (training.boundary); in validations alone, like the boundary's bits."""
    bce: float | None
    label_iou: float | None
    """Mean over the classes that occur."""
    label_iou_synthetic: float | None
    label_iou_natural: float | None
    class_cross_entropy: float | None = None
    """Nats a crop; None for a codec that learns no classes."""
    class_accuracy: float | None = None
    """Share of crops whose likeliest class is one that the picture shows."""


def measure(
    output: CodecOutput,
    pictures_N3HW: Tensor,
    labels_NHW: Tensor,
    classes_NC: Tensor | None = None,
    *,
    at_boundary: bool = True,
    lambdas_N: Tensor | None = None,
) -> Tensor:
    """Return a batch's sums, float64, in the order that `figures` reads; sums of batches and of ranks add up.

    `lambdas_N` are the crops' lambdas where each has one of its own.
    Without `at_boundary` its pixels are not looked for, which costs a training step of a small codec 6 % of its time.
    """
    error_NHW = (output.reconstruction.float().clamp(0, 1) - pictures_N3HW).square().mean(dim=1)
    synthetic_NHW, natural_NHW = labels_NHW == SYNTHETIC, labels_NHW == NATURAL
    sums = [
        torch.tensor(labels_NHW.numel()),
        bits(output.likelihoods),
        error_NHW.sum(dtype=torch.float64),
        synthetic_NHW.sum(),
        error_NHW[synthetic_NHW].sum(dtype=torch.float64),
        natural_NHW.sum(),
        error_NHW[natural_NHW].sum(dtype=torch.float64),
    ]
    if output.label_logits is None:
        sums += [torch.zeros(())] * 6
    else:
        known_NHW = synthetic_NHW | natural_NHW
        said_natural_NHW = (output.label_logits[:, 0] > 0) & known_NHW
        said_synthetic_NHW = ~said_natural_NHW & known_NHW
        sums += [
            known_NHW.sum(),
            label_cross_entropy_sum(output.label_logits, labels_NHW),
            (said_synthetic_NHW & synthetic_NHW).sum(),
            (said_synthetic_NHW | synthetic_NHW).sum(),
            (said_natural_NHW & natural_NHW).sum(),
            (said_natural_NHW | natural_NHW).sum(),
        ]
    if output.class_logits is None or classes_NC is None:
        sums += [torch.zeros(())] * 3
    else:
        hits_N1 = classes_NC.gather(1, output.class_logits.argmax(dim=1, keepdim=True))
        sums += [known_classes(classes_NC).sum(), class_cross_entropy(output.class_logits, classes_NC), hits_N1.sum()]
    boundary_NHW = boundary(labels_NHW) if at_boundary else torch.zeros_like(labels_NHW, dtype=torch.bool)
    sums += _by_place(output, error_NHW, labels_NHW, boundary_NHW)
    sums += [torch.zeros(())] * 2
    weighted = None if lambdas_N is None else (error_NHW.mean(dim=(1, 2)) * lambdas_N).sum() * error_NHW[0].numel()
    sums.append(torch.zeros(()) if weighted is None else weighted)
    return torch.stack([value.detach().to("cpu", torch.float64) for value in sums])


def _by_place(output: CodecOutput, error_NHW: Tensor, labels_NHW: Tensor, boundary_NHW: Tensor) -> list[Tensor]:
    error = error_NHW[boundary_NHW].sum(dtype=torch.float64)
    bits_NHW = bit_map(output.likelihoods, (labels_NHW.shape[0], labels_NHW.shape[1], labels_NHW.shape[2]))
    if bits_NHW is None:
        none = torch.zeros(())
        return [none, none, boundary_NHW.sum(), error, none, none]
    of_class = [bits_NHW[labels_NHW == kind].sum(dtype=torch.float64) for kind in (SYNTHETIC, NATURAL)]
    of_boundary = bits_NHW[boundary_NHW].sum(dtype=torch.float64)
    return [*of_class, boundary_NHW.sum(), error, of_boundary, torch.tensor(labels_NHW.numel())]


def no_sums() -> Tensor:
    """Return the sums of nothing."""
    return torch.zeros(len(_SUMS), dtype=torch.float64)


def coded_sums(num_pixels: int, num_bytes: int) -> Tensor:
    """Return the sums that whole bitstreams add: of pictures with `num_pixels` together, coded to `num_bytes`."""
    sums = no_sums()
    sums[_SUMS.index("coded_pixels")] = num_pixels
    sums[_SUMS.index("coded_bits")] = 8 * num_bytes
    return sums


def figures(sums: Tensor, *, lambda_rd: float | None, gamma: float) -> Figures:
    """Return the figures of some sums; multiplying all sums by one number changes nothing.

    `lambda_rd` None: each crop was measured with its own.
    """
    value = dict(zip(_SUMS, sums.tolist(), strict=True))

    def ratio(part: str, whole: str) -> float | None:
        return value[part] / value[whole] if value[whole] else None

    def placed(part: str, whole: str) -> float | None:
        return ratio(part, whole) if value["placed_pixels"] else None

    estimated_bpp, mse = (_or_nan(ratio(part, "pixels")) for part in ("bits", "error"))
    mse_synthetic, mse_natural, mse_boundary = (ratio(f"{kind}_error", f"{kind}_pixels") for kind in _KINDS)
    bce = ratio("cross_entropy", "labelled_pixels")
    cross_entropy = ratio("class_cross_entropy", "classified")
    ious = [ratio("synthetic_both", "synthetic_either"), ratio("natural_both", "natural_either")]
    known = [iou for iou in ious if iou is not None]
    own = _or_nan(ratio("weighted_error", "pixels"))
    distortion = 255**2 * own if lambda_rd is None else lambda_rd * 255**2 * mse
    return Figures(
        loss=estimated_bpp + distortion + gamma * (bce or 0.0) + (cross_entropy or 0.0),
        bpp=ratio("coded_bits", "coded_pixels"),
        estimated_bpp=estimated_bpp,
        **{f"estimated_bpp_{kind}": placed(f"{kind}_bits", f"{kind}_pixels") for kind in _KINDS},
        mse=mse,
        psnr=psnr(mse),
        mse_synthetic=mse_synthetic,
        mse_natural=mse_natural,
        psnr_synthetic=None if mse_synthetic is None else psnr(mse_synthetic),
        psnr_natural=None if mse_natural is None else psnr(mse_natural),
        psnr_boundary=None if mse_boundary is None else psnr(mse_boundary),
        bce=bce,
        label_iou=sum(known) / len(known) if known else None,
        label_iou_synthetic=ious[0],
        label_iou_natural=ious[1],
        class_cross_entropy=cross_entropy,
        class_accuracy=ratio("class_hits", "classified"),
    )


def _or_nan(value: float | None) -> float:
    # Every step since the last report was skipped.
    return math.nan if value is None else value
