"""SegPIC's regions, dynamic convolution and region-adaptive transform, against the plain formulation of the same."""

import pytest
import torch
from torch import Tensor

from pipeline.codecs.segpic import dynamic
from pipeline.codecs.segpic.dynamic import dynamic_depthwise
from pipeline.codecs.segpic.rat import RegionAdaptiveTransform
from pipeline.codecs.segpic.regions import from_grid, from_ids, grid_ids, num_cells
from tests import reference_rat

CPU = torch.device("cpu")


def inputs(size: tuple[int, int], *, dtype: torch.dtype = torch.float32, channels: int = 5) -> list[Tensor]:
    torch.manual_seed(3)
    shapes = ((2, channels, *size), (2, channels, *size), (channels, 9, 3, 3), (channels, 9))
    return [torch.randn(shape, dtype=dtype).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (7, 1), (2, 2), (13, 22)])
def test_dynamic_convolution_and_its_gradients_are_the_plain_ones(
    size: tuple[int, int], compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:  # the operators that serve GPUs
        monkeypatch.setattr(dynamic, "_compiled", lambda _: False)
    ours, plain = inputs(size), inputs(size)
    out, expected = dynamic_depthwise(*ours), reference_rat.dynamic_depthwise(*plain)
    torch.testing.assert_close(out, expected, atol=1e-4, rtol=1e-4)
    grad = torch.randn_like(out)
    out.backward(grad)
    expected.backward(grad)
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=2e-4, rtol=1e-4)


def test_dynamic_convolutions_gradients_pass_the_numerical_check() -> None:
    assert torch.autograd.gradcheck(dynamic_depthwise, inputs((3, 4), dtype=torch.float64, channels=2))


def test_dynamic_convolution_takes_strided_and_half_precision_inputs() -> None:
    guide, signal, weight, bias = (x.detach() for x in inputs((6, 7)))
    expected = dynamic_depthwise(guide, signal, weight, bias)
    strided = guide.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert torch.equal(dynamic_depthwise(strided, signal, weight, bias), expected)
    half = dynamic_depthwise(guide.bfloat16(), signal.bfloat16(), weight, bias)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, expected, atol=0.3, rtol=0.1)


@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_dynamic_convolution_does_not_depend_on_threads(num_threads: int) -> None:
    before = torch.get_num_threads()
    results = []
    for count in (1, num_threads):
        torch.set_num_threads(count)
        tensors = inputs((9, 11))
        dynamic_depthwise(*tensors).square().sum().backward()
        results.append([tensor.grad for tensor in tensors])
    torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))  # type: ignore[arg-type]


def test_transform_is_the_plain_one_forward_and_backward() -> None:
    torch.manual_seed(4)
    module = RegionAdaptiveTransform(6)
    x = torch.randn(2, 6, 12, 16, requires_grad=True)
    ids = torch.randint(0, 4, (2, 3, 4)).repeat_interleave(4, 1).repeat_interleave(4, 2)
    regions = from_ids(ids)
    ours = module(x, regions.means(x), regions)
    ours.square().sum().backward()
    assert x.grad is not None
    ours_grads = [x.grad.clone(), *(p.grad.clone() for p in module.parameters() if p.grad is not None)]
    x.grad = None
    module.zero_grad()
    plain = reference_rat.rat(module, x, reference_rat.region_means(x, ids), ids)
    plain.square().sum().backward()
    torch.testing.assert_close(ours, plain)
    plain_grads = [x.grad, *(p.grad for p in module.parameters() if p.grad is not None)]
    for one, other in zip(ours_grads, plain_grads, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


# --- regions ---------------------------------------------------------------------------------------------------------


def test_means_and_expansion_are_those_of_loops() -> None:
    torch.manual_seed(6)
    features = torch.randn(3, 4, 8, 6)
    ids = torch.randint(0, 5, (3, 8, 6)) * 13000
    regions = from_ids(ids)
    expected = reference_rat.region_means(features, ids)
    assert regions.num_regions == sum(len(one) for one in expected)
    means = regions.means(features)
    torch.testing.assert_close(regions.expand(means), reference_rat.expand(expected, ids))
    assert int(regions.areas().sum()) == ids.numel()
    assert int(regions.areas().min()) > 0


def test_pictures_share_no_region() -> None:
    regions = from_ids(torch.full((2, 4, 4), 65535))
    assert regions.num_regions == 2
    assert regions.index_Nhw[0].max() < regions.index_Nhw[1].min()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2), (16, 12), (17, 5)])
@pytest.mark.parametrize("grid", [1, 2, 4, 16])
def test_grid_cells_are_full_dense_and_as_equal_as_can_be(size: tuple[int, int], grid: int) -> None:
    ids = grid_ids(size, grid)
    cells = num_cells(size, grid)
    assert torch.equal(ids.unique(), torch.arange(cells))
    for side, axis in zip(size, (ids[:, 0] // min(grid, size[1]), ids[0]), strict=True):
        lengths = torch.bincount(axis)
        assert len(lengths) == min(grid, side)
        assert int(lengths.max() - lengths.min()) <= 1
    regions = from_grid(size, grid, device=CPU, num_pictures=3)
    assert regions.num_regions == 3 * cells
    assert torch.equal(regions.index_Nhw[2], ids + 2 * cells)
