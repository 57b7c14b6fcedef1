"""training/objectives.py against CompressAI's loss and against sums done by hand."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.codecs.interface import CodecOutput
from pipeline.formats.sample import IGNORE
from training.figures import figures, measure, no_sums
from training.objectives import objective


def make_output(seed: int = 0, *, with_head: bool = True) -> tuple[CodecOutput, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.rand(2, 3, 8, 12, generator=generator)
    labels = torch.randint(0, 2, (2, 8, 12), generator=generator).to(torch.uint8)
    labels[0, :3] = IGNORE
    output = CodecOutput(
        reconstruction=(pictures + 0.1 * torch.randn(pictures.shape, generator=generator)).requires_grad_(),
        likelihoods={
            "y": torch.rand(2, 4, 1, 1, generator=generator) * 0.9 + 0.05,
            "z": torch.rand(2, 2, 1, 1, generator=generator) * 0.9 + 0.05,
        },
        label_logits=torch.randn(2, 1, 8, 12, generator=generator, requires_grad=True) if with_head else None,
    )
    return output, pictures, labels


@pytest.mark.parametrize("lambda_rd", [0.0018, 0.0483])
def test_without_labels_the_objective_is_compressais(lambda_rd):
    with warnings.catch_warnings():
        # Its losses import a point-cloud library that warns on import.
        warnings.simplefilter("ignore")
        from compressai.losses import RateDistortionLoss
    output, pictures, labels = make_output(with_head=False)
    expected = RateDistortionLoss(lmbda=lambda_rd)(
        {"x_hat": output.reconstruction, "likelihoods": output.likelihoods}, pictures
    )
    terms = objective(output, pictures, labels, lambda_rd=lambda_rd, gamma=0.5)
    assert terms.loss.item() == pytest.approx(expected["loss"].item(), rel=1e-6)
    assert terms.estimated_bpp.item() == pytest.approx(expected["bpp_loss"].item(), rel=1e-6)
    assert terms.mse.item() == pytest.approx(expected["mse_loss"].item(), rel=1e-6)
    assert terms.bce.item() == 0


def test_cross_entropy_is_the_mean_over_labelled_pixels():
    output, pictures, labels = make_output()
    terms = objective(output, pictures, labels, lambda_rd=0.01, gamma=0.25)
    known = labels != IGNORE
    assert output.label_logits is not None
    natural = torch.sigmoid(output.label_logits[:, 0]).double()[known].detach().numpy()
    truth = labels[known].numpy()
    expected = -np.mean(truth * np.log(natural) + (1 - truth) * np.log(1 - natural))
    assert terms.bce.item() == pytest.approx(expected, rel=1e-5)
    assert terms.loss.item() == pytest.approx(
        terms.estimated_bpp.item() + 0.01 * 255**2 * terms.mse.item() + 0.25 * expected, rel=1e-6
    )


def test_ignored_pixels_and_a_zero_weight_send_no_gradient_to_the_head():
    output, pictures, labels = make_output()
    assert output.label_logits is not None
    objective(output, pictures, labels, lambda_rd=0.01, gamma=1.0).loss.backward()
    gradient = output.label_logits.grad
    assert gradient is not None
    assert (gradient[:, 0][labels == IGNORE] == 0).all()
    assert (gradient[:, 0][labels != IGNORE] != 0).all()

    output, pictures, labels = make_output()
    assert output.label_logits is not None
    objective(output, pictures, labels, lambda_rd=0.01, gamma=0.0).loss.backward()
    assert output.label_logits.grad is None


def test_a_batch_without_a_labelled_pixel_is_finite():
    output, pictures, labels = make_output()
    labels[:] = IGNORE
    terms = objective(output, pictures, labels, lambda_rd=0.01, gamma=1.0)
    terms.loss.backward()
    assert terms.bce.item() == 0
    assert output.label_logits is not None
    assert output.label_logits.grad is not None
    assert bool(output.label_logits.grad.isfinite().all())


def test_shapes_that_differ_are_refused():
    output, pictures, labels = make_output()
    with pytest.raises(ValueError, match="reconstruction"):
        objective(output, pictures[:, :, :4], labels, lambda_rd=0.01, gamma=0.0)


def test_figures_split_the_error_by_class_and_measure_the_label_map():
    output, pictures, labels = make_output()
    seen = figures(measure(output, pictures, labels), lambda_rd=0.01, gamma=0.25)
    error = (output.reconstruction.clamp(0, 1) - pictures).square().mean(dim=1)
    assert seen.mse == pytest.approx(error.mean().item(), rel=1e-5)
    assert seen.psnr == pytest.approx(-10 * math.log10(error.mean().item()), rel=1e-5)
    assert seen.mse_synthetic == pytest.approx(error[labels == 0].mean().item(), rel=1e-5)
    assert seen.mse_natural == pytest.approx(error[labels == 1].mean().item(), rel=1e-5)
    assert output.label_logits is not None
    said = (output.label_logits[:, 0] > 0)[labels != IGNORE]
    truth = (labels == 1)[labels != IGNORE]
    natural = ((said & truth).sum() / (said | truth).sum()).item()
    synthetic = ((~said & ~truth).sum() / (~said | ~truth).sum()).item()
    assert seen.label_iou_natural == pytest.approx(natural)
    assert seen.label_iou_synthetic == pytest.approx(synthetic)
    assert seen.label_iou == pytest.approx((natural + synthetic) / 2)


def test_sums_of_two_batches_give_the_figures_of_both_together():
    (one, pictures_one, labels_one), (two, pictures_two, labels_two) = make_output(1), make_output(2)
    assert one.label_logits is not None
    assert two.label_logits is not None
    both = CodecOutput(
        reconstruction=torch.cat([one.reconstruction, two.reconstruction]),
        likelihoods={name: torch.cat([one.likelihoods[name], two.likelihoods[name]]) for name in ("y", "z")},
        label_logits=torch.cat([one.label_logits, two.label_logits]),
    )
    sums = measure(one, pictures_one, labels_one) + measure(two, pictures_two, labels_two)
    whole = measure(both, torch.cat([pictures_one, pictures_two]), torch.cat([labels_one, labels_two]))
    assert figures(sums / 2, lambda_rd=0.01, gamma=0.1).loss == pytest.approx(
        figures(whole, lambda_rd=0.01, gamma=0.1).loss
    )
    assert torch.allclose(sums, whole)


def test_figures_of_nothing_and_of_a_codec_without_a_head():
    assert math.isnan(figures(no_sums(), lambda_rd=0.01, gamma=0.1).loss)
    output, pictures, labels = make_output(with_head=False)
    seen = figures(measure(output, pictures, labels), lambda_rd=0.01, gamma=0.1)
    assert seen.bce is None
    assert seen.label_iou is None
    assert math.isfinite(seen.loss)
