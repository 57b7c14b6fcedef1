"""Fixtures that several modules ask for by name."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Networks of tests are so small that a second thread only waits."""
    # Here, so that collecting tests that need no network loads no torch.
    from pipeline.codecs.threads import torch_threads

    with torch_threads(1):
        yield
