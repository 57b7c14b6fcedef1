"""What training minimises, and the sums from which its figures are reported.

What a codec's output holds decides what counts: likelihoods and a reconstruction, label logits, class logits.

N crops, C channels (of classes: their number), H, W side of a crop.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.codecs.interface import CodecOutput
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC


@dataclass(frozen=True, slots=True, kw_only=True)
class LossTerms:
    """The objective and its parts; scalars that carry gradients."""

    loss: Tensor
    estimated_bpp: Tensor
    """Estimate of the rate: -log2 of the likelihoods, bits per pixel. Evaluation measures a bitstream's real rate."""
    mse: Tensor
    """On RGB in [0, 1]."""
    bce: Tensor
    """Mean over labelled pixels, nats; 0 without a segmentation head or without a labelled pixel."""
    class_cross_entropy: Tensor
    """Mean over crops with a known class, nats; 0 without class logits or without such a crop."""


def objective(
    output: CodecOutput,
    pictures_N3HW: Tensor,
    labels_NHW: Tensor,
    classes_NC: Tensor | None = None,
    *,
    lambda_rd: float,
    gamma: float,
) -> LossTerms:
    """Return R + lambda_rd * 255^2 * MSE + gamma * BCE + CE; R in bits per pixel, pictures are RGB in [0, 1].

    Each term is there if the output holds what it is made of: a codec that only learns what pictures show gives no
    likelihoods and its input back, and CE is all that is left. Pixels labelled IGNORE count for rate and MSE, not for
    BCE; crops without a known class not for CE.
    Source: CompressAI losses/rate_distortion.py for the first two terms; Heris and Bajic, arXiv:2302.02014, for the
    idea of the third; Prakash et al., arXiv:1612.08712, for the fourth (see `class_cross_entropy`).
    Raises: ValueError: the two pictures differ in shape.
    """
    if output.reconstruction.shape != pictures_N3HW.shape:
        raise ValueError(f"reconstruction is {output.reconstruction.shape}, picture {pictures_N3HW.shape}")
    num_pixels = labels_NHW.numel()
    estimated_bpp = bits(output.likelihoods) / num_pixels
    mse = functional.mse_loss(output.reconstruction, pictures_N3HW)
    bce = mse.new_zeros(())
    loss = estimated_bpp + lambda_rd * 255**2 * mse
    if output.label_logits is not None:
        sums = _cross_entropy_sum(output.label_logits, labels_NHW)
        bce = sums / (labels_NHW != IGNORE).sum().clamp(min=1)
        if gamma:
            loss = loss + gamma * bce
    cross_entropy = mse.new_zeros(())
    if output.class_logits is not None and classes_NC is not None:
        cross_entropy = class_cross_entropy(output.class_logits, classes_NC) / _known(classes_NC).sum().clamp(min=1)
        loss = loss + cross_entropy
    return LossTerms(loss=loss, estimated_bpp=estimated_bpp, mse=mse, bce=bce, class_cross_entropy=cross_entropy)


def bits(likelihoods: Mapping[str, Tensor]) -> Tensor:
    """Return -log2 of all likelihoods, summed over latents: the batch's estimated cost in bits; 0 without latents."""
    if not likelihoods:
        return torch.zeros(())
    return torch.stack([likelihood.float().log2().sum().neg() for likelihood in likelihoods.values()]).sum()


def class_cross_entropy(logits_NC: Tensor, classes_NC: Tensor) -> Tensor:
    """Return the softmax cross-entropy in nats, summed over the crops that show a known class.

    A crop that shows one class has the published loss; one that shows k classes has a target of 1/k for each, since
    the network's map is that of classes against each other, which a sigmoid for each class would not be.
    """
    targets_NC = classes_NC / classes_NC.sum(dim=1, keepdim=True).clamp(min=1)
    return -(targets_NC * functional.log_softmax(logits_NC.float(), dim=1)).sum()


def _known(classes_NC: Tensor) -> Tensor:
    return classes_NC.any(dim=1)


def _cross_entropy_sum(logits_N1HW: Tensor, labels_NHW: Tensor) -> Tensor:
    known_NHW = labels_NHW != IGNORE
    target_NHW = (labels_NHW == NATURAL).float()
    loss_NHW = functional.binary_cross_entropy_with_logits(logits_N1HW[:, 0].float(), target_NHW, reduction="none")
    return (loss_NHW * known_NHW).sum()


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
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a report says about the pictures since the last one; None (or NaN) where no pixel counted.

    MSE is on RGB in [0, 1], clamped reconstruction; PSNR in dB; IoU of the predicted label map against the true one.
    """

    loss: float
    estimated_bpp: float
    """The likelihoods' estimate, not the size of a bitstream."""
    mse: float
    psnr: float
    mse_synthetic: float | None
    mse_natural: float | None
    psnr_synthetic: float | None
    psnr_natural: float | None
    bce: float | None
    label_iou: float | None
    """Mean over the classes that occur."""
    label_iou_synthetic: float | None
    label_iou_natural: float | None
    class_cross_entropy: float | None = None
    """Nats a crop; None for a codec that learns no classes."""
    class_accuracy: float | None = None
    """Share of crops whose likeliest class is one that the picture shows."""


def measure(output: CodecOutput, pictures_N3HW: Tensor, labels_NHW: Tensor, classes_NC: Tensor | None = None) -> Tensor:
    """Return a batch's sums, float64, in the order that `figures` reads; sums of batches and of ranks add up."""
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
            _cross_entropy_sum(output.label_logits, labels_NHW),
            (said_synthetic_NHW & synthetic_NHW).sum(),
            (said_synthetic_NHW | synthetic_NHW).sum(),
            (said_natural_NHW & natural_NHW).sum(),
            (said_natural_NHW | natural_NHW).sum(),
        ]
    if output.class_logits is None or classes_NC is None:
        sums += [torch.zeros(())] * 3
    else:
        hits_N1 = classes_NC.gather(1, output.class_logits.argmax(dim=1, keepdim=True))
        sums += [_known(classes_NC).sum(), class_cross_entropy(output.class_logits, classes_NC), hits_N1.sum()]
    return torch.stack([value.detach().to("cpu", torch.float64) for value in sums])


def no_sums() -> Tensor:
    """Return the sums of nothing."""
    return torch.zeros(len(_SUMS), dtype=torch.float64)


def figures(sums: Tensor, *, lambda_rd: float, gamma: float) -> Figures:
    """Return the figures of some sums; multiplying all sums by one number changes nothing."""
    value = dict(zip(_SUMS, sums.tolist(), strict=True))

    def ratio(part: str, whole: str) -> float | None:
        return value[part] / value[whole] if value[whole] else None

    estimated_bpp, mse = (_or_nan(ratio(part, "pixels")) for part in ("bits", "error"))
    mse_synthetic, mse_natural = (
        ratio("synthetic_error", "synthetic_pixels"),
        ratio("natural_error", "natural_pixels"),
    )
    bce = ratio("cross_entropy", "labelled_pixels")
    cross_entropy = ratio("class_cross_entropy", "classified")
    ious = [ratio("synthetic_both", "synthetic_either"), ratio("natural_both", "natural_either")]
    known = [iou for iou in ious if iou is not None]
    return Figures(
        loss=estimated_bpp + lambda_rd * 255**2 * mse + gamma * (bce or 0.0) + (cross_entropy or 0.0),
        estimated_bpp=estimated_bpp,
        mse=mse,
        psnr=psnr(mse),
        mse_synthetic=mse_synthetic,
        mse_natural=mse_natural,
        psnr_synthetic=None if mse_synthetic is None else psnr(mse_synthetic),
        psnr_natural=None if mse_natural is None else psnr(mse_natural),
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


def psnr(mse: float) -> float:
    """Return the PSNR in dB of an MSE on [0, 1]; 100 dB stands for no error at all."""
    return 100.0 if mse < 1e-10 else -10 * math.log10(mse)
