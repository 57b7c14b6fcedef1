"""Products by digits: exact for every number of digits, on processors with other instructions too."""

import os
import subprocess
import sys

import pytest
import torch

from pipeline.codecs.integer_matmul import MAX_DIGITS, digits, is_fast_on, largest, multiply, num_digits


def numbers(count: int, shape: tuple[int, int]) -> torch.Tensor:
    """Return numbers of `count` digits, the extremes among them."""
    limit = sum(63 << (7 * place) for place in range(count))
    values = torch.randint(-limit, limit + 1, shape)
    values[0], values[-1] = limit, -limit
    return values


@pytest.mark.parametrize("count", range(1, MAX_DIGITS + 1))
def test_digits_make_up_their_number(count: int) -> None:
    values = numbers(count, (50, 3))
    parts = digits(values.double(), count)
    assert parts.dtype == torch.int8
    assert int(parts.max()) <= 63
    assert int(parts.min()) >= -64
    assert torch.equal(sum(part.long() << (7 * place) for place, part in enumerate(parts)), values)
    assert num_digits(values) == count
    assert num_digits(values + (values == values.max())) == count + 1


@pytest.mark.parametrize("count", range(1, MAX_DIGITS + 1))
def test_the_largest_number_has_its_digits_and_the_next_one_more(count: int) -> None:
    assert num_digits(torch.tensor([largest(count), -largest(count)])) == count
    assert num_digits(torch.tensor([largest(count) + 1])) == count + 1


def test_nothing_has_one_digit_and_the_largest_activation_four() -> None:
    assert num_digits(torch.zeros(0)) == 1
    assert num_digits(torch.tensor([2.0**26])) == MAX_DIGITS


@pytest.mark.parametrize("left", [1, 2, 4])
@pytest.mark.parametrize("right", [1, 3, 4])
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 70, 9), (16, 4800, 33)])
def test_products_are_those_of_int64(left: int, right: int, shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    rows, terms, columns = shape
    a, b = numbers(left, (rows, terms)), numbers(right, (terms, columns))
    if left + right > 6:
        b = b % 1000 - 500  # the sums must fit float64
    product = multiply(
        digits(a, left).flatten(0, 1),
        digits(b, right).transpose(0, 1).flatten(1),
        num_left=left,
        num_right=right,
    )
    assert torch.equal(product, (a @ b).double())


SCRIPT = """
import torch
from pipeline.codecs.integer_matmul import *
torch.manual_seed(0)
for terms in (64, 500, 4800):
    a = torch.where(torch.rand(24, terms) < 0.5, -64, 63)
    b = torch.where(torch.rand(terms, 40) < 0.5, -64, 63)
    a[0], b[:, 0] = -64, -64
    assert torch.equal(torch._int_mm(a.char(), b.char()).long(), a @ b)
print("same")
"""


@pytest.mark.parametrize("isa", ["SSE41", "AVX2", "AVX512_CORE", "DEFAULT"])
def test_no_instruction_set_saturates(isa: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": isa},
    )
    assert (run.stdout.split(), run.stderr) == (["same"], "")


def test_it_is_for_processors_with_the_library() -> None:
    assert is_fast_on(torch.device("cpu"))
    assert not is_fast_on(torch.device("meta"))
    torch._C._set_mkldnn_enabled(False)
    try:
        assert not is_fast_on(torch.device("cpu"))
    finally:
        torch._C._set_mkldnn_enabled(True)
