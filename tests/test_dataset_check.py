"""Every kind of damage to a corpus is found, named, and counted; a corpus that is whole gives no finding."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datagen.dataset.card import CardConfig, write_card
from datagen.dataset.check import CheckConfig, CheckSummary, check
from datagen.dataset.findings import KINDS
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.encoded import EncodedSample, encode
from tests.dataset_corpus import Items, build_small, decoded, first_of_train, forge, png, renamed, with_member
from tests.test_cli import diptych

QUICK = CheckConfig(decode=False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


def run(folder: Path, config: CheckConfig | None = None) -> CheckSummary:
    return check(Store(folder), config or CheckConfig(), progress=Tally())


def told(summary: CheckSummary) -> str:
    return "\n".join(f"{found.kind} {found.where} {found.message}" for found in summary.findings)


def test_a_whole_corpus_gives_no_finding_with_any_number_of_workers(corpus: Path) -> None:
    progress = Tally()
    summary = check(Store(corpus), CheckConfig(), progress=progress)
    assert summary.findings == () and summary.counts == {} and summary.notes == ()
    assert (summary.num_shards, summary.num_samples, progress.num_done) == (4, 7, 7)
    assert summary.num_bytes == sum(path.stat().st_size for path in corpus.glob("*.tar"))
    assert replace(run(corpus, CheckConfig(workers=2)), seconds=0) == replace(summary, seconds=0)


def test_a_flipped_byte_is_found_in_every_file(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    rng = np.random.default_rng(3)
    # What config.toml says of folders stands there alone: it is no part of the plan.
    for path in sorted(path for path in copy.iterdir() if path.name != "config.toml"):
        whole = path.read_bytes()
        places = {0, len(whole) // 2, len(whole) - 1, *rng.integers(0, len(whole), 3).tolist()}
        for place in sorted(places):
            damaged = bytearray(whole)
            damaged[place] ^= 1
            path.write_bytes(damaged)
            summary = run(copy, QUICK)
            assert summary.findings, f"{path.name}: byte {place} of {len(whole)}"
            assert path.name in told(summary) or path.name in {"plan.json", "manifest.json"}
        path.write_bytes(whole)
    assert run(copy, QUICK).findings == ()


@pytest.mark.parametrize(("old", "new"), [("seed = 5", "seed = 7"), ("seed = 5", "seed =  5"), ("name =", "nam =")])
def test_a_config_that_is_not_the_plans_is_found(corpus: Path, tmp_path: Path, old: str, new: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    text = (copy / "config.toml").read_text()
    (copy / "config.toml").write_text(text.replace(old, new, 1))
    assert [(f.kind, f.where) for f in run(copy, QUICK).findings] == [("plan", "config.toml")]


def test_a_flipped_byte_in_a_tar_names_the_sample_it_hit(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    row = open_split(Store(copy), "train").row(1)
    path = copy / row["tar"]
    damaged = bytearray(path.read_bytes())
    damaged[row["label_offset"] + row["label_size"] // 2] ^= 0x40
    path.write_bytes(damaged)
    summary = run(copy)
    assert {"file_digest", "member_digest"} <= set(summary.counts)
    assert [f.where for f in summary.findings if f.kind == "member_digest"] == [f"{row['tar']}: train-000001"]
    assert ": train-000000" not in told(summary)


@pytest.mark.parametrize("name", ["small-train-000000.tar", "small-val-000000.parquet", "small-test-000000.done.json"])
def test_a_missing_file_is_named(corpus: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    (copy / name).unlink()
    summary = run(copy, QUICK)
    assert summary.counts["missing_file"] == 1 and name in told(summary)


@pytest.mark.parametrize("name", ["manifest.json", "shards.parquet", "plan.json", "sources.parquet", "config.toml"])
def test_a_missing_file_over_all_shards_is_named_and_the_shards_are_still_read(
    corpus: Path, tmp_path: Path, name: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    (copy / name).unlink()
    summary = run(copy, QUICK)
    assert summary.counts == {"missing_file": 1} and summary.findings[0].where == name
    assert summary.num_samples == 7


def test_a_missing_shard_is_found_though_nothing_else_is_wrong(corpus: Path, tmp_path: Path) -> None:
    def keep(split: str, items: Items) -> Items:
        return items

    copy = forge(corpus, tmp_path / "copy", keep)
    from pipeline.formats.shards import read_manifest, read_record, write_manifest

    store = Store(copy)
    for ending in ("tar", "parquet", "done.json"):
        (copy / f"small-train-000001.{ending}").unlink()
    stems = ("small-test-000000", "small-train-000000", "small-val-000000")
    records = [record for stem in stems if (record := read_record(store, stem)) is not None]
    manifest = read_manifest(store)
    write_manifest(store, records, config=manifest["config"], versions=manifest["versions"])
    summary = run(copy, QUICK)
    assert [(f.kind, f.where) for f in summary.findings] == [("missing_file", "small-train-000001.tar")]


def test_files_that_nothing_lists_are_named(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    (copy / "notes.txt").write_text("mine")
    (copy / "folder").mkdir()
    shutil.copy(copy / "small-train-000000.tar", copy / "small-train-000009.tar")
    summary = run(copy, QUICK)
    places = [f.where for f in summary.findings if f.kind == "unlisted_file"]
    assert places == ["folder/", "notes.txt", "small-train-000009.tar"] and len(summary.findings) == 3


def repack(path: Path, *, leave_out: str = "", add: str = "") -> None:
    """Write a tar anew without a member, or with one more."""
    with tarfile.open(path) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member, data in members:
            if member.name != leave_out:
                tar.addfile(member, io.BytesIO(data))
        if add:
            tar.addfile(tarfile.TarInfo(add))


def test_a_missing_and_a_strange_member_are_named(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    repack(copy / "small-train-000000.tar", leave_out="train-000000.label.png", add="extra.txt")
    summary = run(copy)
    text = told(summary)
    assert "missing_member small-train-000000.tar: train-000000 .label.png" in text
    assert "unlisted_member small-train-000000.tar: extra.txt" in text
    # The sample behind is whole, only its place is another.
    assert "wrong_place small-train-000000.tar: train-000001" in text
    assert "member_digest" not in summary.counts


def test_a_damaged_tar_header_is_told_from_damaged_data(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    row = open_split(Store(copy), "train").row(0)
    path = copy / row["tar"]
    damaged = bytearray(path.read_bytes())
    damaged[row["regions_offset"] - 300] ^= 1
    path.write_bytes(damaged)
    summary = run(copy)
    assert summary.counts == {"file_digest": 1, "tar_header": 1}


def bad_label(item: EncodedSample, folder: Path) -> EncodedSample:
    label = decoded(item).label.copy()
    label[0, 0] = 7
    return with_member(item, "label.png", png(label, folder))


def bad_regions(item: EncodedSample, folder: Path) -> EncodedSample:
    regions = decoded(item).regions.copy()
    regions[0, 0] = 900
    return with_member(item, "regions.png", png(regions, folder))


def bad_picture(item: EncodedSample, folder: Path) -> EncodedSample:
    picture = decoded(item).picture.copy()
    picture[0, 0] ^= 255
    return with_member(item, "png", png(picture, folder))


def undecodable(item: EncodedSample, folder: Path) -> EncodedSample:
    return with_member(item, "regions.png", item.members["regions.png"][:-40])


def bad_key(item: EncodedSample, folder: Path) -> EncodedSample:
    info = json.loads(item.members["json"]) | {"key": "train 000000"}
    return with_member(item, "json", json.dumps(info).encode(), key="train 000000")


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (bad_label, "label_values", "label map holds 7"),
        (bad_regions, "region_ids", "the largest id is 900"),
        (bad_picture, "row", "pixels_sha256 is"),
        (undecodable, "undecodable", ".regions.png"),
        (bad_key, "bad_key", "train 000000"),
        (lambda item, _: with_member(item, "json", item.members["json"], natural_fraction=0.5), "row", "natural_frac"),
        (lambda item, _: with_member(item, "json", item.members["json"], num_regions=3), "row", "num_regions is"),
        (lambda item, _: with_member(item, "json", item.members["json"], kind="other"), "row", 'says "other"'),
        (lambda item, _: with_member(item, "json", b"{}"), "undecodable", "not a sample's"),
    ],
)
def test_a_sample_that_is_wrong_though_all_digests_fit(
    corpus: Path, tmp_path: Path, change: Callable[[EncodedSample, Path], EncodedSample], kind: str, message: str
) -> None:
    copy = forge(corpus, tmp_path / "copy", first_of_train(lambda item: change(item, tmp_path)))
    summary = run(copy)
    found = [f for f in summary.findings if f.kind == kind and message in f.message]
    assert found and all(f.where.startswith("small-train-000000.tar: train") for f in summary.findings), told(summary)


def test_a_sample_that_vanished_is_missed(corpus: Path, tmp_path: Path) -> None:
    copy = forge(corpus, tmp_path / "copy", lambda split, items: items[:-1] if split == "test" else items)
    summary = run(copy, QUICK)
    assert summary.counts == {"missing_sample": 1} and "1 samples made or rejected, 2 were planned" in told(summary)


def leak(corpus: Path, target: Path, make: Callable[[EncodedSample], EncodedSample]) -> CheckSummary:
    """Put what `make` returns for a training sample in the place of the sample of val."""
    opened = open_split(Store(corpus), "train")
    shown = [index for index in range(opened.num_samples) if opened.sample(index).info.sources[0].kind == "photo"]
    stolen = opened.encoded(shown[0])
    return run(forge(corpus, target, lambda split, items: [make(stolen)] if split == "val" else items))


def test_the_same_picture_in_two_splits_is_a_leak(corpus: Path, tmp_path: Path) -> None:
    summary = leak(corpus, tmp_path / "copy", lambda item: renamed(item, "val-000000"))
    assert summary.counts["same_pixels"] == 1 and "near_duplicate" not in summary.counts
    assert summary.counts["shared_source"] >= 1 and "photo photo" in told(summary)
    (found,) = [f for f in summary.findings if f.kind == "same_pixels"]
    assert found.where.endswith("val-000000") and "the same pixels as small-train-00000" in found.message


@pytest.mark.parametrize("known", [True, False])
def test_a_picture_that_looks_the_same_in_two_splits_is_a_leak(corpus: Path, tmp_path: Path, known: bool) -> None:
    def nearly(item: EncodedSample) -> EncodedSample:
        sample = decoded(item)
        picture = np.clip(sample.picture.astype(int) + 2, 0, 255).astype(np.uint8)
        info = replace(sample.info, key="val-000000", sources=())
        info = info if known else replace(info, perceptual_hash="")
        return encode(replace(sample, info=info, picture=picture), compress_level=1)

    summary = leak(corpus, tmp_path / "copy", nearly)
    assert summary.counts == {"near_duplicate": 1}, told(summary)
    assert run(tmp_path / "copy", CheckConfig(near_bits=0)).findings == ()


def test_a_key_that_stands_twice_is_named(corpus: Path, tmp_path: Path) -> None:
    def twice(split: str, items: Items) -> Items:
        return [renamed(item, "train-000000") for item in items] if split == "val" else items

    summary = run(forge(corpus, tmp_path / "copy", twice))
    assert summary.counts == {"duplicate_key": 1} and "small-train-000000.tar too" in told(summary)


def test_a_card_that_no_longer_fits_is_found(corpus: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(corpus, copy)
    write_card(Store(copy), CardConfig(licence="cc-by-4.0", date="2025-06-01"), progress=Tally())
    assert run(copy, QUICK).findings == ()
    readme = copy / "README.md"
    readme.write_text(readme.read_text().replace("7 samples", "8 samples"))
    assert [(f.kind, f.where) for f in run(copy, QUICK).findings] == [("card", "README.md")]


def test_a_corpus_behind_a_url_is_read(corpus: Path) -> None:
    store = Store("memory://checked")
    for path in corpus.iterdir():
        store.write_bytes(path.name, path.read_bytes())
    summary = check(store, CheckConfig(regenerate=1.0), progress=Tally())
    assert summary.findings == () and (summary.num_samples, summary.num_drawn_again) == (7, 7)


def test_a_folder_that_is_not_there_is_the_persons_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        run(tmp_path / "nowhere")


def test_the_command_line_counts_findings_and_fails(corpus: Path, tmp_path: Path) -> None:
    done = diptych("dataset", "check", corpus, "--regenerate", "100%", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["num_drawn_again"] == 7
    shutil.copytree(corpus, tmp_path / "copy")
    (tmp_path / "copy" / "notes.txt").write_text("mine")
    done = diptych("dataset", "check", tmp_path / "copy", "--no-decode")
    assert done.returncode == 1 and "1 things wrong" in done.stdout and KINDS["unlisted_file"] in done.stdout
    for share in ("101%", "lots", "-1"):
        done = diptych("dataset", "check", corpus, "--regenerate", share)
        assert done.returncode == 2 and "expected a share" in done.stderr


def test_every_kind_of_finding_is_explained() -> None:
    text = (Path(__file__).parents[1] / "docs" / "dataset.md").read_text(encoding="utf-8")
    for kind, meaning in KINDS.items():
        assert f"| `{kind}` | {meaning} |" in text
