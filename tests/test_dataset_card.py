"""The card's figures are the corpus's own, its bytes are the same every time, and the tools it is for accept it."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from datagen import build
from datagen.dataset.card import CROISSANT, README, CardConfig, make_card, stale_files, write_card
from pipeline.base.progress import Tally
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.corpus import open_split
from pipeline.formats.encoded import EncodedSample, encode
from pipeline.formats.shards import read_manifest
from tests.dataset_corpus import Items, build_small, decoded, first_of_train, forge
from tests.small_corpus import small_config
from tests.test_cli import diptych

CONFIG = CardConfig(licence="cc-by-4.0", url="https://example.org/small", date="2025-06-01", citation="Nobody 2025")

RECORDS = """
import json, sys, warnings
import mlcroissant

dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
issues = dataset.metadata.ctx.issues
rows = [{k.rpartition("/")[2]: v for k, v in row.items()} for row in dataset.records("train/samples")]
pictures = list(dataset.records("train/picture"))
labels = list(dataset.records("train/label"))
print(json.dumps({
    "errors": sorted(issues.errors), "warnings": sorted(issues.warnings),
    "keys": [row["key"].decode() for row in rows],
    "natural": [row["natural_fraction"] for row in rows],
    "pictures": [[p["train/picture/key"].decode(), p["train/picture/pixels"].mode] for p in pictures],
    "labels": [[p["train/label/key"].decode(), p["train/label/pixels"].mode] for p in labels],
}))
"""

CLASSES = """
import json, sys
import mlcroissant

dataset = mlcroissant.Dataset(jsonld=sys.argv[1])
issues = dataset.metadata.ctx.issues
rows = [{k.rpartition("/")[2]: v for k, v in row.items()} for row in dataset.records("train/samples")]
text = lambda names: [] if names is None else [name.decode() for name in names]
print(json.dumps({
    "errors": sorted(issues.errors), "warnings": sorted(issues.warnings),
    "classes": [[row["key"].decode(), text(row["classes"])] for row in rows],
}))
"""

ROWS = """
import json, sys
import datasets

found = datasets.load_dataset(sys.argv[1])
print(json.dumps({split: [row["__key__"] for row in found[split]] for split in found}))
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_small(tmp_path_factory.mktemp("small"))
    write_card(Store(folder), CONFIG, progress=Tally())
    return folder


def run(script: str, argument: Path, cache: Path) -> dict[str, object]:
    """Run a reader in a process of its own, offline, its caches in `cache`; warnings are its own affair."""
    environment = os.environ | {"CROISSANT_CACHE": str(cache), "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-W", "ignore", "-c", script, str(argument)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def test_croissant_is_valid_and_its_records_are_the_samples(corpus: Path, tmp_path: Path) -> None:
    found = run(RECORDS, corpus / CROISSANT, tmp_path)
    keys = [f"train-{number:06d}" for number in range(4)]
    assert found["errors"] == [] and found["warnings"] == []
    assert found["keys"] == keys
    split = open_split(Store(corpus), "train")
    assert found["natural"] == [split.row(index)["natural_fraction"] for index in range(4)]
    assert sorted(found["pictures"]) == [[key, "RGB"] for key in keys]  # type: ignore[call-overload]
    assert sorted(found["labels"]) == [[key, "L"] for key in keys]  # type: ignore[call-overload]


def test_the_folder_loads_as_the_front_matter_says(corpus: Path, tmp_path: Path) -> None:
    found = run(ROWS, corpus, tmp_path)
    assert {split: len(keys) for split, keys in found.items()} == {  # type: ignore[arg-type]
        split: counts["num_samples"] for split, counts in read_manifest(Store(corpus))["splits"].items()
    }
    assert list(found) == ["train", "val", "test"]


def test_croissant_lists_every_tar_and_side_car_with_its_digest(corpus: Path) -> None:
    listed = json.loads((corpus / CROISSANT).read_bytes())
    files = {entry["name"]: entry for entry in listed["distribution"] if entry["@type"] == "cr:FileObject"}
    assert set(files) == {path.name for path in corpus.iterdir() if path.name.startswith("small-")} - {
        path.name for path in corpus.glob("*.done.json")
    }
    for name, entry in files.items():
        data = (corpus / name).read_bytes()
        assert (entry["sha256"], entry["contentSize"]) == (sha256_hex(data), f"{len(data)} B")
    said = {key: listed[key] for key in ("license", "url", "datePublished", "citeAs", "version")}
    assert list(said.values()) == ["cc-by-4.0", "https://example.org/small", "2025-06-01", "Nobody 2025", "1.0.0"]


def test_the_front_matter_and_the_figures_are_the_corpus_s(corpus: Path) -> None:
    import yaml

    _, front, body = (corpus / README).read_text().split("---\n", 2)
    matter = yaml.safe_load(front)
    assert (matter["license"], matter["size_categories"]) == ("cc-by-4.0", ["n<1K"])
    splits = read_manifest(Store(corpus))["splits"]
    for entry in matter["dataset_info"]["splits"]:
        counts = splits[entry["name"]]
        assert (entry["num_examples"], entry["num_bytes"]) == (counts["num_samples"], counts["tar_bytes"])
    assert "7 samples, 1.1 million pixels" in body
    for section in ("Composition", "Labels", "Splits", "Sources and licences", "Known limits", "How to load it"):
        assert f"\n## {section}\n" in body
    assert "| photo | unknown |" in body and "came without a licence" in body


def test_classes_are_listed_where_there_are_any(corpus: Path, tmp_path: Path) -> None:
    assert "| class |" not in (corpus / README).read_text()

    def naming(split: str, items: Items) -> Items:
        """Name the first sample of each shard of train, and none of the others'."""
        if split != "train":
            return items
        info = replace(decoded(items[0]).info, classes=("dog", "sofa | bed"))
        return [encode(replace(decoded(items[0]), info=info), compress_level=1), *items[1:]]

    folder = forge(corpus, tmp_path / "named", naming)
    assert stale_files(Store(folder)) == (README, CROISSANT)
    write_card(Store(folder), CONFIG, progress=Tally())
    text = (folder / README).read_text()
    assert "| class | samples | share |" in text and "| sofa \\| bed | 2 | 28.6 % |" in text
    found = run(CLASSES, folder / CROISSANT, tmp_path)
    assert found["errors"] == [] and found["warnings"] == []
    names: list[list[str]] = [["dog", "sofa | bed"], []]
    assert found["classes"] == [[f"train-{number:06d}", names[number % 2]] for number in range(4)]


def test_a_split_of_which_one_side_car_has_no_classes_has_no_such_field(corpus: Path, tmp_path: Path) -> None:
    def named(item: EncodedSample) -> EncodedSample:
        return encode(replace(decoded(item), info=replace(decoded(item).info, classes=("dog",))), compress_level=1)

    folder = forge(corpus, tmp_path / "named", first_of_train(named))
    files = make_card(Store(folder), CONFIG, progress=Tally())
    assert b"samples/classes" not in files[CROISSANT] and b"| dog | 1 | 14.3 % |" in files[README]


def test_the_same_corpus_gives_the_same_bytes(corpus: Path) -> None:
    again = make_card(Store(corpus), CONFIG, progress=Tally())
    assert {name: (corpus / name).read_bytes() for name in again} == again
    assert stale_files(Store(corpus)) == ()


def test_a_card_does_not_hinder_a_build_that_goes_on_nor_a_reader(corpus: Path) -> None:
    config = small_config(corpus.parent / "photos")
    summary = build.run(config, str(corpus), workers=1, progress=Tally())
    assert summary.num_skipped_shards == 4 and (corpus / README).exists()
    assert open_split(Store(corpus), "val").num_samples == 1


def test_names_from_outside_cannot_break_the_tables(corpus: Path) -> None:
    config = CardConfig(name='a "name": | with\nlines')
    files = make_card(Store(corpus), config, progress=Tally())
    import yaml

    front = files[README].decode().split("---\n", 2)[1]
    assert yaml.safe_load(front)["pretty_name"] == config.name
    assert json.loads(files[CROISSANT])["name"] == config.name


def test_the_command_line_writes_both(corpus: Path) -> None:
    for option in (("--licence", "x: y"), ("--date", "tomorrow")):
        refused = diptych("dataset", "card", corpus, *option)
        assert refused.returncode == 2 and repr(option[1]) in refused.stderr and "Traceback" not in refused.stderr
    done = diptych("dataset", "card", corpus, "--licence", "cc0-1.0", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) | {"readme": "", "croissant": ""} == {
        "readme": "",
        "croissant": "",
        "num_samples": 7,
        "num_files": 8,
    }
    assert "license: cc0-1.0" in (corpus / README).read_text()
