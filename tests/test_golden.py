"""What earlier releases wrote still decodes to the very same pixels, on whatever machine this runs."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.archive import open_archive
from pipeline.formats.picture import read_picture
from serving import jobs

GOLDEN = Path(__file__).parent / "golden"
ARCHIVES = sorted(path for path in GOLDEN.iterdir() if path.is_dir())


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_an_old_archive_opens_verifies_and_decodes_to_the_same_pixels(archive: Path, tmp_path: Path) -> None:
    pinned = json.loads(archive.with_suffix(".json").read_text())
    assert sorted(entry.name for entry in open_archive(Store(archive)).entries()) == sorted(pinned)
    assert not jobs.verify(str(archive), decode=True, progress=Tally()).problems
    jobs.extract(str(archive), str(tmp_path), names=None, progress=Tally())
    for name, digest in pinned.items():
        assert read_picture((tmp_path / name).read_bytes(), where=name).pixels_sha256 == digest


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_an_old_archive_decodes_without_its_index(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    shutil.copytree(archive, copy)
    shutil.rmtree(copy / "index")
    pinned = json.loads(archive.with_suffix(".json").read_text())
    jobs.extract(str(copy), str(tmp_path / "out"), names=None, progress=Tally())
    for name, digest in pinned.items():
        assert read_picture((tmp_path / "out" / name).read_bytes(), where=name).pixels_sha256 == digest


def test_extraction_goes_on_where_it_stopped_and_replaces_nobodys_file(tmp_path: Path) -> None:
    (tmp_path / "screen.png").write_bytes(b"the original")
    for _ in range(2):
        summary = jobs.extract(str(ARCHIVES[0]), str(tmp_path), names=None, progress=Tally())
        assert [(problem.where, problem.reason) for problem in summary.problems] == [("screen.png", "exists")]
        assert summary.num_extracted == 3
    assert (tmp_path / "screen.png").read_bytes() == b"the original"
