"""What training minimises.

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
from pipeline.formats.sample import IGNORE, NATURAL


@dataclass(frozen=True, slots=True, kw_only=True)
class LossTerms:
    """The objective and its parts; scalars that carry gradients."""

    loss: Tensor
    estimated_bpp: Tensor
    """Estimate of the rate: -log2 of the likelihoods, bits per pixel. Evaluation measures a bitstream's real rate."""
    mse: Tensor
    """On RGB in [0, 1]."""
    distortion: Tensor
    """lambda * 255^2 * MSE; the mean of that over crops where each has a lambda of its own."""
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
    lambda_rd: float | Tensor,
    gamma: float,
) -> LossTerms:
    """Return R + lambda_rd * 255^2 * MSE + gamma * BCE + CE; R in bits per pixel, pictures are RGB in [0, 1].

    `lambda_rd` is one number, or one for each crop, (N,).
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
    distortion = lambda_rd * 255**2 * mse
    if isinstance(lambda_rd, Tensor):
        error_N = (output.reconstruction - pictures_N3HW).square().flatten(1).mean(dim=1)
        distortion = 255**2 * (lambda_rd * error_N).mean()
    loss = estimated_bpp + distortion
    if output.label_logits is not None:
        sums = label_cross_entropy_sum(output.label_logits, labels_NHW)
        bce = sums / (labels_NHW != IGNORE).sum().clamp(min=1)
        if gamma:
            loss = loss + gamma * bce
    cross_entropy = mse.new_zeros(())
    if output.class_logits is not None and classes_NC is not None:
        num_known = known_classes(classes_NC).sum().clamp(min=1)
        cross_entropy = class_cross_entropy(output.class_logits, classes_NC) / num_known
        loss = loss + cross_entropy
    return LossTerms(
        loss=loss,
        estimated_bpp=estimated_bpp,
        mse=mse,
        distortion=distortion,
        bce=bce,
        class_cross_entropy=cross_entropy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a batch's means are taken over."""

    pixels: int
    labelled: int
    """Pixels of a known class."""
    classified: int
    """Crops that show a known class."""


def counts(labels_NHW: Tensor, classes_NC: Tensor | None) -> Counts:
    """Return a batch's counts, each at least 1."""
    return Counts(
        pixels=max(1, labels_NHW.numel()),
        labelled=max(1, int((labels_NHW != IGNORE).sum())),
        classified=1 if classes_NC is None else max(1, int(known_classes(classes_NC).sum())),
    )


def part_of(terms: LossTerms, part: Counts, whole: Counts, *, gamma: float) -> Tensor:
    """Return what a part of a batch adds to the loss of the whole: its terms, each by its share of what counts there.

    The parts' sum is `objective` of the whole, but for rounding.
    """
    pixels = part.pixels / whole.pixels
    rate_distortion = (terms.estimated_bpp + terms.distortion) * pixels
    labelled, classified = part.labelled / whole.labelled, part.classified / whole.classified
    return rate_distortion + gamma * terms.bce * labelled + terms.class_cross_entropy * classified


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


def known_classes(classes_NC: Tensor) -> Tensor:
    """Return (N,): which crops show a known class."""
    return classes_NC.any(dim=1)


def label_cross_entropy_sum(logits_N1HW: Tensor, labels_NHW: Tensor) -> Tensor:
    """Return the binary cross-entropy of the label map in nats, summed over the labelled pixels."""
    known_NHW = labels_NHW != IGNORE
    target_NHW = (labels_NHW == NATURAL).float()
    loss_NHW = functional.binary_cross_entropy_with_logits(logits_N1HW[:, 0].float(), target_NHW, reduction="none")
    return (loss_NHW * known_NHW).sum()


def psnr(mse: float) -> float:
    """Return the PSNR in dB of an MSE on [0, 1]; 100 dB stands for no error at all."""
    return 100.0 if mse < 1e-10 else -10 * math.log10(mse)
