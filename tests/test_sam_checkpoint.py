"""Where a checkpoint comes from, and whether it is what its name says."""

from pathlib import Path

import fsspec
import pytest

from datagen.sam.checkpoint import digest_of, located
from pipeline.base.errors import CheckpointError
from pipeline.base.store import sha256_file
from tests.tiny_sam import save_tiny_sam


def test_a_checkpoint_behind_a_url_is_fetched_once(tmp_path: Path) -> None:
    path = save_tiny_sam(tmp_path / "tiny.pth")
    url = "memory://checkpoints/tiny.pth"
    with fsspec.open(url, "wb") as file:
        file.write(path.read_bytes())
    fetched = located(url, cache=tmp_path / "cache")
    assert fetched.name == "tiny.pth" and digest_of(fetched) == sha256_file(path)
    fsspec.filesystem("memory").rm("/checkpoints/tiny.pth")
    assert located(url, cache=tmp_path / "cache") == fetched
    with pytest.raises(CheckpointError, match="cannot be fetched"):
        located("memory://checkpoints/other.pth", cache=tmp_path / "cache")
    assert [entry.name for entry in (tmp_path / "cache").rglob("*") if entry.is_file()] == ["tiny.pth"]


def test_a_file_that_is_not_the_published_one_of_its_name_is_refused(tmp_path: Path) -> None:
    path = save_tiny_sam(tmp_path / "sam_vit_b_01ec64.pth")
    with pytest.raises(CheckpointError, match="published file with 01ec64"):
        digest_of(path)
    digest = sha256_file(path)
    honest = path.rename(tmp_path / f"sam_vit_b_{digest[:6]}.pth")
    assert digest_of(honest) == digest
