"""A GPU whose memory is full: half as much at a time, down to one."""

import pytest
import torch

from datagen.sam.generate import encode, prepared
from datagen.sam.memory import halving
from pipeline.base.errors import UsageError
from tests.small_corpus import noise
from tests.tiny_sam import tiny_sam


class Narrow(torch.nn.Module):
    """An encoder whose memory holds `most` pictures; counts what it was given."""

    def __init__(self, encoder: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.encoder, self.most, self.given = encoder, most, []
        self.img_size = encoder.img_size

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.given.append(len(inputs))
        if len(inputs) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.encoder(inputs)


@pytest.mark.parametrize(("most", "given"), [(5, [5]), (3, [5, 3, 2]), (1, [5, 3, 2, 1, 1, 1, 2, 1, 1])])
def test_the_batch_is_halved_until_it_fits(most: int, given: list[int]) -> None:
    sam = tiny_sam()
    inputs = torch.stack([prepared(sam, noise(seed, height=20, width=30)) for seed in range(5)])
    with torch.no_grad():
        expected = encode(sam, inputs, bf16=False)
        sam.image_encoder = Narrow(sam.image_encoder, most)
        assert torch.allclose(encode(sam, inputs, bf16=False), expected, atol=1e-5)
    assert sam.image_encoder.given == given


def test_what_does_not_fit_alone_is_said_in_one_line() -> None:
    def work(items: torch.Tensor) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(UsageError, match="does not suffice for one"):
        list(halving(work, torch.zeros(4)))
